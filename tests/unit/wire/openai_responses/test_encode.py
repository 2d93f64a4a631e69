"""Requests, option by option."""

import json

import pytest

from fairlead.core.errors import InvalidRequestError, UnsupportedOperationError
from fairlead.core.messages import Message, Tool
from fairlead.core.requests import GenerateRequest
from fairlead.wire.openai_chat import OPENAI, Dialect
from fairlead.wire.openai_responses import OpenAIResponsesCodec
from tests.support.responses import SERVER

TIDE = Tool("tide", "When it turns")


def encode(*, stream=False, dialect=SERVER, **asked):
    request = GenerateRequest(**{"messages": (Message.user("Hi"),), "model": "m", **asked})
    encoded = OpenAIResponsesCodec(dialect).encode_generate(request, stream=stream)
    return json.loads(encoded.body), encoded


def sent(**asked):
    """What is sent, where nothing is to be said about it."""
    body, encoded = encode(**asked)
    assert encoded.warnings == ()
    return body


def warned(**asked):
    """What is sent, and the one thing that is to be said about it."""
    body, encoded = encode(**asked)
    (warning,) = encoded.warnings
    with pytest.raises(UnsupportedOperationError, match="strict=True"):
        encode(**asked, strict=True)
    return body, warning


def test_nothing_is_sent_that_was_not_asked_for_but_that_nothing_is_to_be_stored():
    body, encoded = encode()

    assert encoded.path == "/responses"
    assert body == {"model": "m", "input": [{"role": "user", "content": "Hi"}], "store": False}


def test_a_stream():
    assert sent(stream=True)["stream"] is True


def test_a_model_that_reasons_is_asked_for_what_it_can_go_on_from():
    assert sent(dialect=OPENAI, model="gpt-5.6-luna")["include"] == ["reasoning.encrypted_content"]
    assert "include" not in sent(dialect=OPENAI, model="gpt-4.1")


@pytest.mark.parametrize(
    ("option", "value", "name"),
    [
        ("max_tokens", 64, "max_output_tokens"),
        ("temperature", 0.5, "temperature"),
        ("temperature", 0, "temperature"),
        ("top_p", 0.5, "top_p"),
    ],
)
def test_options(option, value, name):
    assert sent(**{option: value})[name] == value


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("top_k", 4),
        ("stop_sequences", ("a",)),
        ("seed", 0),
        ("frequency_penalty", 0.5),
        ("presence_penalty", 0.5),
    ],
)
def test_options_that_the_format_does_not_have(option, value):
    body, warning = warned(**{option: value})

    assert body == sent()
    assert warning.startswith(f"{option} was left out: the Responses format")


def test_options_that_the_model_does_not_take():
    body, warning = warned(dialect=OPENAI, model="gpt-5.6-luna", temperature=0.5)

    assert "temperature" not in body
    assert "reasoning_effort='none'" in warning
    told = sent(dialect=OPENAI, model="gpt-5.6-luna", temperature=0.5, reasoning_effort="none")
    assert told["temperature"] == 0.5


def test_reasoning_effort():
    assert sent(reasoning_effort="high")["reasoning"] == {"effort": "high"}


def test_tools_and_reasoning_go_together():
    told = sent(dialect=OPENAI, model="gpt-5.6-luna", tools=(TIDE,), reasoning_effort="high")

    assert told["reasoning"] == {"effort": "high"}
    assert told["tools"][0]["name"] == "tide"


@pytest.mark.parametrize(("model", "effort"), [("gpt-4.1", "high"), ("gpt-5.6-luna", "minimal")])
def test_an_effort_that_the_model_does_not_know(model, effort):
    body, warning = warned(dialect=OPENAI, model=model, reasoning_effort=effort)

    assert "reasoning" not in body
    assert "reasoning_effort" in warning


@pytest.mark.parametrize(
    ("asked", "include", "top"),
    [
        (None, None, None),
        (False, None, None),
        (True, ["message.output_text.logprobs"], None),
        (3, ["message.output_text.logprobs"], 3),
        (0, ["message.output_text.logprobs"], 0),
    ],
)
def test_logprobs(asked, include, top):
    body = sent(logprobs=asked)

    assert (body.get("include"), body.get("top_logprobs")) == (include, top)


def test_logprobs_beside_reasoning_that_is_wanted_encrypted():
    told = sent(dialect=OPENAI, model="gpt-5.4", logprobs=True)

    assert told["include"] == ["reasoning.encrypted_content", "message.output_text.logprobs"]


def test_logprobs_that_the_model_does_not_tell():
    body, warning = warned(dialect=OPENAI, model="o3", logprobs=2)

    assert body["include"] == ["reasoning.encrypted_content"]
    assert "top_logprobs" not in body
    assert warning.startswith("logprobs")


@pytest.mark.parametrize(("asked", "strict"), [(None, False), (False, False), (True, True)])
def test_whether_a_tool_is_strict_is_always_said(asked, strict):
    schema = {"type": "object", "properties": {}}

    assert sent(tools=(Tool("tide", strict=asked),))["tools"] == [
        {"type": "function", "name": "tide", "parameters": schema, "strict": strict}
    ]


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ("tide", {"type": "function", "name": "tide"}),
    ],
)
def test_the_choice_of_a_tool(choice, told):
    body = sent(tools=(TIDE,), tool_choice=choice)

    assert body["tools"][0]["description"] == "When it turns"
    assert body["tool_choice"] == told


def test_a_choice_among_no_tools():
    body, warning = warned(tool_choice="required")

    assert "tool_choice" not in body
    assert "no tools" in warning


def test_a_schema_is_strict_where_it_can_be():
    schema = {"type": "object", "title": "Tide", "properties": {"at": {"type": "string"}}}

    assert sent(response_format=schema)["text"] == {
        "format": {
            "type": "json_schema",
            "name": "Tide",
            "schema": {
                "type": "object",
                "properties": {"at": {"type": "string"}},
                "required": ["at"],
                "additionalProperties": False,
            },
            "strict": True,
        }
    }


def test_a_schema_that_cannot_be_strict():
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    told = {"type": "json_schema", "name": "response", "schema": schema}

    assert sent(response_format=schema)["text"] == {"format": told}


def test_a_vendor_that_knows_no_schemas():
    body, warning = warned(
        dialect=Dialect(name="s", json_schema=False), response_format={"type": "object"}
    )

    assert body["text"] == {"format": {"type": "json_object"}}
    assert "JSON only" in warning


def test_what_fairlead_has_no_name_for():
    told = sent(extra={"service_tier": "flex", "store": True, "previous_response_id": "r"})

    assert told["service_tier"] == "flex"
    assert told["store"] is True
    assert told["previous_response_id"] == "r"


def test_what_is_wanted_besides_stands_beside_what_is_sent_anyway():
    told = sent(
        dialect=OPENAI,
        model="gpt-5.6-luna",
        reasoning_effort="low",
        tools=(TIDE,),
        tool_choice="auto",
        response_format={"type": "object", "properties": {}},
        extra={
            "include": ["web_search_call.action.sources"],
            "tools": [{"type": "web_search"}],
            "reasoning": {"summary": "auto"},
            "text": {"verbosity": "low"},
        },
    )

    assert told["include"] == ["reasoning.encrypted_content", "web_search_call.action.sources"]
    assert [tool["type"] for tool in told["tools"]] == ["function", "web_search"]
    assert told["reasoning"] == {"effort": "low", "summary": "auto"}
    assert told["text"]["verbosity"] == "low"
    assert told["text"]["format"]["type"] == "json_schema"


def test_tools_of_the_server_alone_can_be_chosen_from():
    told = sent(extra={"tools": ({"type": "web_search"},)}, tool_choice="required")

    assert told["tools"] == [{"type": "web_search"}]
    assert told["tool_choice"] == "required"


def test_what_is_wanted_besides_does_not_change_the_request():
    extra = {"reasoning": {"summary": "auto"}, "tools": [{"type": "web_search"}]}
    sent(tools=(TIDE,), reasoning_effort="low", extra=extra)

    assert extra == {"reasoning": {"summary": "auto"}, "tools": [{"type": "web_search"}]}


@pytest.mark.parametrize(
    ("extra", "instead"),
    [
        ({"model": "x"}, "model="),
        ({"input": "x"}, "the prompt"),
        ({"stream": True}, "generate_stream"),
        ({"tool_choice": "auto"}, "tool_choice="),
        ({"max_output_tokens": 5}, "max_tokens="),
        ({"top_logprobs": 5}, "logprobs="),
        ({"reasoning": {"effort": "low"}}, "reasoning_effort="),
        ({"text": {"format": {"type": "text"}}}, "response_format="),
    ],
)
def test_what_has_an_option_of_its_own(extra, instead):
    with pytest.raises(InvalidRequestError, match=instead):
        encode(extra=extra)


@pytest.mark.parametrize("extra", [{"tools": {}}, {"include": "x"}, {"reasoning": 1}, {"text": []}])
def test_what_is_of_the_wrong_kind(extra):
    with pytest.raises(InvalidRequestError, match="must be a"):
        encode(extra=extra)
