"""A request in Google's words."""

import pytest

from fairlead.core.errors import InvalidRequestError, UnsupportedOperationError
from fairlead.core.messages import Tool
from fairlead.wire.gemini import GEMINI, VERTEX, rule_for
from tests.support.gemini import body, encoded

OLD = "gemini-2.0-flash"
TIDE = Tool("tide", "When the water is high.", {"type": "object", "properties": {"at": {}}})


def test_nothing_is_sent_that_was_not_set():
    assert body() == {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        ("gemini-x", False, "/models/gemini-x:generateContent"),
        ("gemini-x", True, "/models/gemini-x:streamGenerateContent?alt=sse"),
        ("models/gemini-x", False, "/models/gemini-x:generateContent"),
        ("tunedModels/mine", False, "/tunedModels/mine:generateContent"),
        ("a?b#c", False, "/models/a%3Fb%23c:generateContent"),
    ],
)
def test_the_model_stands_in_the_path(model, stream, path):
    assert encoded(model=model, stream=stream)[2] == path


@pytest.mark.parametrize("model", ["../files/x", "models/../x", "models/./x", "a//b"])
def test_a_model_does_not_lead_out_of_its_folder(model):
    with pytest.raises(InvalidRequestError, match="is no name of a model"):
        encoded(model=model)


def test_options():
    told = body(
        model=OLD,
        max_tokens=9,
        temperature=0.5,
        top_p=0.9,
        top_k=4,
        stop_sequences=["a", "b"],
        seed=7,
        frequency_penalty=0.1,
        presence_penalty=0.2,
    )

    assert told["generationConfig"] == {
        "maxOutputTokens": 9,
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 4,
        "stopSequences": ["a", "b"],
        "seed": 7,
        "frequencyPenalty": 0.1,
        "presencePenalty": 0.2,
    }


def test_no_more_stop_sequences_than_fit():
    told, warnings, _ = encoded(stop_sequences=list("abcdef"))

    assert told["generationConfig"]["stopSequences"] == list("abcde")
    assert warnings == ("of stop_sequences the first 5 were sent: no more fit",)


def test_penalties_that_newer_models_refuse_are_left_out():
    told, warnings, _ = encoded(frequency_penalty=0.5, presence_penalty=0)

    assert told["generationConfig"] == {"presencePenalty": 0}
    assert warnings == ("frequency_penalty was left out: this model does not take it",)


def test_strict_allows_no_change():
    with pytest.raises(UnsupportedOperationError, match="frequency_penalty was left out"):
        encoded(frequency_penalty=0.5, strict=True)


@pytest.mark.parametrize(
    ("logprobs", "sent"),
    [
        (True, {"responseLogprobs": True}),
        (3, {"responseLogprobs": True, "logprobs": 3}),
        (False, None),
    ],
)
def test_logprobs(logprobs, sent):
    assert body(logprobs=logprobs).get("generationConfig") == sent


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("gemini-3.8-flash", "minimal", {"thinkingLevel": "MINIMAL"}),
        ("gemini-3.8-flash", "xhigh", {"thinkingLevel": "XHIGH"}),
        ("gemini-3.1-pro-preview", "medium", {"thinkingLevel": "MEDIUM"}),
        ("gemini-3-pro-preview", "medium", {"thinkingLevel": "HIGH"}),
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-flash", "low", {"thinkingBudget": 1024}),
        ("gemini-2.5-pro", "high", {"thinkingBudget": 24576}),
        ("publishers/google/models/gemini-2.5-pro", "medium", {"thinkingBudget": 8192}),
    ],
)
def test_reasoning_effort(model, effort, sent):
    told = body(model=model, reasoning_effort=effort)

    assert told["generationConfig"] == {"thinkingConfig": sent}


@pytest.mark.parametrize(
    ("model", "effort", "sent", "warning"),
    [
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}, "sent as 128, the least there is"),
        ("gemini-3.8-flash", "none", {"thinkingLevel": "MINIMAL"}, "sent as 'MINIMAL'"),
        ("gemini-3.8-flash", "max", None, "'max' was left out: this model does not know it"),
        (OLD, "high", None, "'high' was left out: this model does not take it"),
    ],
)
def test_reasoning_effort_that_a_model_does_not_have(model, effort, sent, warning):
    told, warnings, _ = encoded(model=model, reasoning_effort=effort)

    assert told.get("generationConfig", {}).get("thinkingConfig") == sent
    assert warning in warnings[0]


def test_a_model_that_does_not_think_need_not_be_told():
    assert "generationConfig" not in body(model=OLD, reasoning_effort="none")


def test_tools():
    told = body(tools=[TIDE, Tool("wind")])

    assert told["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "tide",
                    "description": "When the water is high.",
                    "parametersJsonSchema": {"type": "object", "properties": {"at": {}}},
                },
                {"name": "wind", "parametersJsonSchema": {"type": "object", "properties": {}}},
            ]
        }
    ]
    assert "toolConfig" not in told


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ("tide", {"mode": "ANY", "allowedFunctionNames": ["tide"]}),
    ],
)
def test_tool_choice(choice, config):
    told = body(tools=[TIDE], tool_choice=choice)

    assert told["toolConfig"] == {"functionCallingConfig": config}


@pytest.mark.parametrize(("choice", "mode"), [(None, "VALIDATED"), ("required", "ANY")])
def test_a_strict_tool_is_held_to_its_schema(choice, mode):
    told = body(tools=[Tool("wind", strict=True)], tool_choice=choice)

    assert told["toolConfig"]["functionCallingConfig"]["mode"] == mode


def test_a_choice_without_tools():
    told, warnings, _ = encoded(tool_choice="auto")

    assert "toolConfig" not in told
    assert warnings == ("tool_choice was left out: there are no tools to choose from",)


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def test_structured_output():
    told = body(response_format=SCHEMA)

    assert told["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
    }


def test_any_json_object():
    told = body(response_format={"type": "object"})

    assert told["generationConfig"] == {"responseMimeType": "application/json"}


@pytest.mark.parametrize(
    ("model", "tools", "why"),
    [(OLD, [TIDE], "together with tools"), ("gemma-3-27b-it", [], "of any kind")],
)
def test_a_format_that_a_model_cannot_be_held_to_is_asked_for_in_words(model, tools, why):
    told, warnings, _ = encoded(model=model, tools=tools, response_format=SCHEMA)

    assert "generationConfig" not in told
    assert '"city"' in told["contents"][-1]["parts"][0]["text"]
    assert warnings == (
        f"response_format was asked for in words: this model cannot be held to a format {why}",
    )


def test_a_newer_model_takes_tools_and_a_format_together():
    told = body(tools=[TIDE], response_format=SCHEMA)

    assert {"tools", "generationConfig"} <= told.keys()


def test_extra_goes_in_field_by_field():
    told = body(
        temperature=0.5,
        tools=[TIDE],
        tool_choice="auto",
        extra={
            "safetySettings": [],
            "generationConfig": {
                "mediaResolution": "LOW",
                "thinkingConfig": {"includeThoughts": True},
            },
            "toolConfig": {"includeServerSideToolInvocations": True},
            "tools": [{"googleSearch": {}}],
        },
    )

    assert told["safetySettings"] == []
    assert told["generationConfig"] == {
        "temperature": 0.5,
        "mediaResolution": "LOW",
        "thinkingConfig": {"includeThoughts": True},
    }
    assert told["toolConfig"] == {
        "functionCallingConfig": {"mode": "AUTO"},
        "includeServerSideToolInvocations": True,
    }
    assert [list(tool) for tool in told["tools"]] == [["functionDeclarations"], ["googleSearch"]]


@pytest.mark.parametrize(
    ("extra", "instead"),
    [
        ({"contents": []}, "the prompt"),
        ({"generationConfig": {"temperature": 1}}, "temperature="),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 1}}}, "reasoning_effort="),
        ({"tools": [{"functionDeclarations": []}]}, "tools="),
    ],
)
def test_extra_overrules_nothing(extra, instead):
    with pytest.raises(InvalidRequestError, match=f"use {instead}"):
        encoded(extra=extra)


def test_extra_that_is_no_object_goes_as_it_is():
    assert body(extra={"generationConfig": 1})["generationConfig"] == 1


@pytest.mark.parametrize(
    ("model", "thinks", "signed"),
    [
        ("gemini-3.8-flash", True, True),
        ("gemini-9-new", True, True),
        ("gemini-2.5-flash", True, False),
        ("gemini-2.5-flash-lite", False, False),
        ("gemini-2.5-flash-preview-tts", False, False),
        ("learnlm", False, False),
    ],
)
def test_rules(model, thinks, signed):
    rule = rule_for(model)

    assert (rule.thinks, rule.signed) == (thinks, signed)


def test_vertex_speaks_the_same_words():
    assert encoded(dialect=VERTEX)[:2] == encoded(dialect=GEMINI)[:2]
    assert encoded(dialect=VERTEX, model="x")[2] == "/publishers/google/models/x:generateContent"
    assert encoded(dialect=VERTEX, model="endpoints/7")[2] == "/endpoints/7:generateContent"
    assert VERTEX.origin != GEMINI.origin
