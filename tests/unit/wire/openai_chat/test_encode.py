"""What is sent for a request."""

import json

import pytest

from fairlead.core.errors import InvalidRequestError, UnsupportedOperationError
from fairlead.core.messages import Tool
from fairlead.core.requests import generate_request
from fairlead.wire.openai_chat import OPENAI, Dialect, OpenAIChatCodec

SERVER = Dialect(name="server")
WEATHER = Tool("weather", "Tells it", {"type": "object", "properties": {"city": {}}}, strict=True)


def encoded(dialect=SERVER, *, model="m", stream=False, prompt="Hi", **options):
    request, _ = generate_request(prompt, {"model": model, **options})
    return OpenAIChatCodec(dialect).encode_generate(request, stream=stream)


def body(dialect=SERVER, **options):
    return json.loads(encoded(dialect, **options).body)


def test_nothing_is_sent_that_the_caller_did_not_set():
    sent = encoded()

    assert sent.path == "/chat/completions"
    assert json.loads(sent.body) == {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert sent.warnings == ()


def test_the_body_is_compact():
    assert b'{"model":"m","messages":[{' in encoded().body


def test_a_lone_surrogate_does_not_crash():
    assert "a\ufffdb" in encoded(prompt="a\udc00b").body.decode()


def test_a_stream_is_asked_for_its_usage():
    sent = body(stream=True)

    assert sent["stream"] is True
    assert sent["stream_options"] == {"include_usage": True}


def test_a_server_that_refuses_to_be_asked_is_not():
    assert "stream_options" not in body(Dialect(name="s", usage_in_stream=False), stream=True)


def test_options_go_out_under_their_names():
    sent = body(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        max_tokens=100,
        stop_sequences=["a", "b"],
        seed=7,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        reasoning_effort="low",
    )

    assert {key: value for key, value in sent.items() if key not in {"model", "messages"}} == {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "max_tokens": 100,
        "stop": ["a", "b"],
        "seed": 7,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "reasoning_effort": "low",
    }


def test_openai_calls_the_limit_of_tokens_by_another_name():
    assert body(OPENAI, model="gpt-4o", max_tokens=5)["max_completion_tokens"] == 5


def test_a_vendor_may_call_an_option_by_another_name():
    assert body(Dialect(name="s", fields={"seed": "random_seed"}), seed=7)["random_seed"] == 7


def test_an_option_that_a_vendor_does_not_have_is_left_out_with_a_warning():
    sent = encoded(OPENAI, model="gpt-4o", top_k=40)

    assert b"top_k" not in sent.body
    assert sent.warnings == ("top_k was left out: openai has no such option",)


def test_under_strict_it_is_refused():
    with pytest.raises(UnsupportedOperationError, match="top_k"):
        encoded(OPENAI, model="gpt-4o", top_k=40, strict=True)


@pytest.mark.parametrize(
    ("logprobs", "sent"),
    [
        (True, {"logprobs": True}),
        (3, {"logprobs": True, "top_logprobs": 3}),
        (0, {"logprobs": True, "top_logprobs": 0}),
        (False, {}),
    ],
)
def test_logprobs(logprobs, sent):
    told = body(logprobs=logprobs)

    assert {key: told[key] for key in told if "logprobs" in key} == sent


# --- tools


def test_tools():
    assert body(tools=[WEATHER, Tool("now")])["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "Tells it",
                "parameters": {"type": "object", "properties": {"city": {}}},
                "strict": True,
            },
        },
        {
            "type": "function",
            "function": {"name": "now", "parameters": {"type": "object", "properties": {}}},
        },
    ]


@pytest.mark.parametrize("choice", ["auto", "none", "required"])
def test_a_tool_choice(choice):
    assert body(tools=[WEATHER], tool_choice=choice)["tool_choice"] == choice


def test_one_tool_may_be_chosen():
    assert body(tools=[WEATHER], tool_choice=WEATHER)["tool_choice"] == {
        "type": "function",
        "function": {"name": "weather"},
    }


def test_a_choice_without_tools_is_left_out_with_a_warning():
    sent = encoded(tool_choice="auto")

    assert b"tool_choice" not in sent.body
    assert "tool_choice" in sent.warnings[0]


# --- response_format

CITY = {
    "title": "City!",
    "type": "object",
    "properties": {"name": {"type": "string"}, "size": {"type": "integer", "default": 3}},
    "required": ["name"],
}


def test_a_schema_is_sent_closed_so_that_the_vendor_holds_the_model_to_it():
    assert body(response_format=CITY)["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "City_",
            "schema": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
                "required": ["name", "size"],
                "additionalProperties": False,
            },
            "strict": True,
        },
    }


def test_a_schema_that_cannot_be_closed_is_sent_as_it_is():
    schema = {"type": "object", "additionalProperties": {"type": "string"}}

    assert body(response_format=schema)["response_format"]["json_schema"] == {
        "name": "response",
        "schema": schema,
    }


def test_a_class_that_describes_itself_is_a_schema():
    class City:
        @classmethod
        def model_json_schema(cls):
            return CITY

        @classmethod
        def model_validate_json(cls, json_data):
            return cls()

    assert body(response_format=City)["response_format"]["json_schema"]["name"] == "City_"


def test_a_vendor_without_schemas_is_asked_for_json():
    sent = encoded(Dialect(name="s", json_schema=False), response_format=CITY)

    assert json.loads(sent.body)["response_format"] == {"type": "json_object"}
    assert "JSON only" in sent.warnings[0]


# --- extra


def test_extra_is_merged_into_the_body():
    sent = body(extra={"service_tier": "flex", "metadata": {"a": "b"}})

    assert (sent["service_tier"], sent["metadata"]) == ("flex", {"a": "b"})


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("messages", "the prompt"),
        ("model", "model="),
        ("stream", r"generate_stream\(\)"),
        ("temperature", "temperature="),
        ("stop", "stop_sequences="),
        ("max_tokens", "max_tokens="),
        ("max_completion_tokens", "max_tokens="),
        ("top_logprobs", "logprobs="),
        ("reasoning_effort", "reasoning_effort="),
    ],
)
def test_extra_may_not_overrule_an_option(name, hint):
    with pytest.raises(InvalidRequestError, match=f"use {hint}"):
        encoded(extra={name: 1})


def test_extra_must_be_json():
    with pytest.raises(InvalidRequestError, match="JSON"):
        encoded(extra={"a": object()})


# --- what OpenAI's models do not take

SAMPLING = {"temperature": 0.2, "top_p": 0.5, "logprobs": True}


def left_out(model, **options):
    sent = encoded(OPENAI, model=model, **options)
    told = json.loads(sent.body)
    assert len(sent.warnings) == sum(option not in told for option in options)
    return {option for option in options if option not in told}


@pytest.mark.parametrize("model", ["gpt-5.1", "gpt-5.2", "gpt-5.4", "gpt-5.4-mini", "gpt-4o"])
def test_models_that_do_not_reason_unless_asked_take_sampling_options(model):
    assert left_out(model, **SAMPLING) == set()


@pytest.mark.parametrize(
    "model", ["gpt-5", "gpt-5-mini-2025-08-07", "gpt-5.2-pro", "gpt-5.5", "gpt-5.6-luna", "gpt-6"]
)
def test_models_that_reason_do_not(model):
    assert left_out(model, **SAMPLING) == set(SAMPLING)


def test_they_do_once_reasoning_is_off():
    assert left_out("gpt-5.6-luna", **SAMPLING, reasoning_effort="none") == set()


def test_asking_for_reasoning_takes_sampling_options_away():
    assert left_out("gpt-5.2", **SAMPLING, reasoning_effort="high") == set(SAMPLING)


def test_a_temperature_of_one_is_what_they_do_anyway():
    assert left_out("gpt-5.6", temperature=1) == set()
    assert left_out("o3", temperature=1.0) == set()


@pytest.mark.parametrize("model", ["gpt-5.1", "gpt-5.6", "gpt-6", "o3"])
def test_penalties_are_never_taken(model):
    options = {"presence_penalty": 0.1, "frequency_penalty": 0.1}

    assert left_out(model, **options) == set(options)


@pytest.mark.parametrize("model", ["gpt-5", "gpt-5.1", "o4-mini", "openai/o3"])
def test_stop_sequences_are_not_taken(model):
    sent = encoded(OPENAI, model=model, stop_sequences=["x"])

    assert b'"stop"' not in sent.body
    assert "stop_sequences" in sent.warnings[0]


def test_the_chat_variant_of_gpt_5_takes_sampling_options():
    assert left_out("gpt-5-chat-latest", **SAMPLING) == set()


@pytest.mark.parametrize(
    ("model", "effort"),
    [
        ("gpt-5", "none"),
        ("gpt-5", "xhigh"),
        ("gpt-5.1", "minimal"),
        ("gpt-5.2", "minimal"),
        ("gpt-6-astra", "none"),
        ("gpt-6-astra", "minimal"),
        ("o3", "xhigh"),
        ("gpt-4o", "low"),
    ],
)
def test_an_effort_that_a_model_does_not_know_is_left_out(model, effort):
    assert left_out(model, reasoning_effort=effort) == {"reasoning_effort"}


@pytest.mark.parametrize(
    ("model", "effort"),
    [
        ("gpt-5", "minimal"),
        ("gpt-5.1", "none"),
        ("gpt-5.2", "xhigh"),
        ("gpt-5.6-luna", "xhigh"),
        ("gpt-6-astra", "max"),
        ("o3", "high"),
    ],
)
def test_an_effort_that_it_knows_is_sent(model, effort):
    assert left_out(model, reasoning_effort=effort) == set()


@pytest.mark.parametrize(
    ("model", "role"),
    [("gpt-4o", "system"), ("gpt-5.6", "developer"), ("o3", "developer"), ("other", "system")],
)
def test_a_system_prompt_is_the_developers_at_reasoning_models(model, role):
    assert body(OPENAI, model=model, system_prompt="Be kind")["messages"][0]["role"] == role


@pytest.mark.parametrize("model", ["gpt-5.4", "gpt-4o", "gpt-5", "gpt-5.2"])
def test_tools_are_taken_where_the_model_does_not_mind(model):
    sent = encoded(OPENAI, model=model, tools=[WEATHER])

    assert sent.warnings == ()
    assert b"reasoning_effort" not in sent.body


def test_where_tools_are_taken_only_without_reasoning_it_is_switched_off_with_a_warning():
    sent = encoded(OPENAI, model="gpt-5.6-luna", tools=[WEATHER])

    assert json.loads(sent.body)["reasoning_effort"] == "none"
    assert "reasoning_effort='none'" in sent.warnings[0]


def test_and_sampling_options_are_taken_again():
    sent = encoded(OPENAI, model="gpt-5.6-luna", tools=[WEATHER], temperature=0.2)

    assert json.loads(sent.body)["temperature"] == 0.2


def test_under_strict_it_is_not_switched_off():
    with pytest.raises(UnsupportedOperationError, match="reasoning_effort='none'"):
        encoded(OPENAI, model="gpt-5.6-luna", tools=[WEATHER], strict=True)


@pytest.mark.parametrize("model", ["gpt-5.4", "gpt-5.6-luna"])
def test_tools_with_a_reasoning_effort_of_the_callers_are_refused(model):
    with pytest.raises(UnsupportedOperationError, match="reasoning_effort='none'"):
        encoded(OPENAI, model=model, tools=[WEATHER], reasoning_effort="high")


def test_tools_are_refused_where_reasoning_cannot_be_switched_off():
    with pytest.raises(UnsupportedOperationError, match="Responses"):
        encoded(OPENAI, model="gpt-6-astra", tools=[WEATHER])


def test_rules_are_openais_alone():
    assert body(SERVER, model="gpt-5.6", temperature=0.2)["temperature"] == 0.2
