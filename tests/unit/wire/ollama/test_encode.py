"""What is sent to Ollama for a request."""

import json

import pytest

from fairlead.core.errors import InvalidRequestError, UnsupportedOperationError
from fairlead.core.messages import (
    Audio,
    File,
    Image,
    Message,
    Reasoning,
    Refusal,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from fairlead.core.requests import EmbedRequest, generate_request
from fairlead.wire.ollama import ORIGIN, OllamaCodec

CODEC = OllamaCodec(4096)
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
PNG = Image(data=b"ab", media_type="image/png")


def encoded(*, prompt="Hi", stream=False, **options):
    request, _ = generate_request(prompt, {"model": "llama3.1:8b", **options})
    return CODEC.encode_generate(request, stream=stream)


def body(**options):
    return json.loads(encoded(**options).body)


def messages(*prompt, **options):
    return body(prompt=list(prompt), **options)["messages"]


def test_what_is_sent_unasked_is_what_the_server_would_do_silently():
    sent = encoded()

    assert sent.path == "/api/chat"
    assert json.loads(sent.body) == {
        "model": "llama3.1:8b",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": False,
        "truncate": False,
        "shift": False,
        "options": {"num_ctx": 4096},
    }
    assert sent.warnings == ()
    assert body(stream=True)["stream"] is True


def test_options_stand_below_options():
    options = {
        "temperature": 0,
        "top_p": 0.5,
        "top_k": 3,
        "max_tokens": 7,
        "stop_sequences": ["x"],
        "seed": 0,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
    }

    assert body(**options)["options"] == {
        "num_ctx": 4096,
        "num_predict": 7,
        "temperature": 0,
        "top_p": 0.5,
        "top_k": 3,
        "stop": ["x"],
        "seed": 0,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
    }


@pytest.mark.parametrize(
    ("effort", "think", "warned"),
    [
        ("none", False, False),
        ("low", "low", False),
        ("max", "max", False),
        ("minimal", "low", True),
        ("xhigh", "max", True),
        ("vigorous", None, True),
    ],
)
def test_effort(effort, think, warned):
    sent = encoded(reasoning_effort=effort)

    assert json.loads(sent.body).get("think") == think
    assert bool(sent.warnings) == warned


@pytest.mark.parametrize(
    ("logprobs", "sent"),
    [
        (None, {}),
        (False, {}),
        (True, {"logprobs": True}),
        (3, {"logprobs": True, "top_logprobs": 3}),
    ],
)
def test_logprobs(logprobs, sent):
    told = body(logprobs=logprobs)

    assert {name: told[name] for name in told if "logprobs" in name} == sent


def test_a_schema_is_sent_as_it_is():
    assert body(response_format=SCHEMA)["format"] == SCHEMA


def test_tools():
    tools = [Tool("tide", "Tells it", SCHEMA), Tool("wind", parameters=SCHEMA)]

    assert body(tools=tools, tool_choice="auto")["tools"] == [
        {
            "type": "function",
            "function": {"name": "tide", "description": "Tells it", "parameters": SCHEMA},
        },
        {"type": "function", "function": {"name": "wind", "parameters": SCHEMA}},
    ]


def test_tools_that_must_not_be_called_are_not_offered():
    sent = encoded(tools=[Tool("tide")], tool_choice="none")

    assert "tools" not in json.loads(sent.body)
    assert sent.warnings == ()


@pytest.mark.parametrize(
    ("options", "warning"),
    [
        ({"tools": [Tool("t")], "tool_choice": "required"}, "Ollama has no such option"),
        ({"tools": [Tool("t")], "tool_choice": "t"}, "Ollama has no such option"),
        ({"tool_choice": "auto"}, "there are no tools"),
        ({"tools": [Tool("t", strict=True)]}, "strict was left out"),
    ],
)
def test_what_it_has_no_word_for_is_reported(options, warning):
    assert warning in "".join(encoded(**options).warnings)
    with pytest.raises(UnsupportedOperationError, match=warning):
        encoded(**options, strict=True)


def test_extra_options_are_merged():
    told = body(extra={"options": {"min_p": 0.1}, "keep_alive": "5m"}, seed=1)

    assert told["options"] == {"num_ctx": 4096, "seed": 1, "min_p": 0.1}
    assert told["keep_alive"] == "5m"


@pytest.mark.parametrize(
    ("extra", "instead"),
    [
        ({"think": True}, "use reasoning_effort="),
        ({"stream": True}, r"use generate_stream\(\)"),
        ({"options": {"num_ctx": 1}}, "use the provider's context_window="),
        ({"options": {"num_predict": 1}}, "use max_tokens="),
        ({"options": 5}, "use a mapping"),
    ],
)
def test_extra_overrules_nothing(extra, instead):
    with pytest.raises(InvalidRequestError, match=instead):
        encoded(extra=extra)


def test_pictures_stand_beside_the_words():
    image = Image(url="data:image/png;base64,YWI=")

    assert messages(Message.user("Look", PNG, image)) == [
        {"role": "user", "content": "Look", "images": ["YWI=", "YWI="]}
    ]


@pytest.mark.parametrize(
    "part",
    [
        Image(url="https://x.test/a.png"),
        Image(url="data:image/png;base64,%%%"),
        Audio(data=b"a", media_type="audio/wav"),
        File(data=b"a", media_type="a/b"),
    ],
)
def test_what_it_cannot_be_shown(part):
    with pytest.raises(UnsupportedOperationError, match="Ollama"):
        messages(Message.user("Look", part))


def test_calls_and_results():
    call = ToolCall("call_0", "tide", '{"harbour":"Whitby"}')
    sent = messages(
        "Hi",
        Message.assistant([Text("Let me see."), call]),
        ToolResult("call_0", "high"),
        Message.assistant([ToolCall("call_0", "tide", "")]),
        ToolResult("call_0", [Text("low"), PNG], error=True),
        ToolResult("elsewhere", "?", name="wind"),
        ToolResult("nowhere", "?"),
    )
    first, second = sent[1]["tool_calls"][0], sent[3]["tool_calls"][0]

    assert sent[1]["content"] == "Let me see."
    assert first == {
        "id": "call_0",
        "function": {"name": "tide", "arguments": {"harbour": "Whitby"}},
    }
    assert sent[2] == {
        "role": "tool",
        "content": "high",
        "tool_call_id": "call_0",
        "tool_name": "tide",
    }
    assert second["function"]["arguments"] == {}
    assert second["id"] != "call_0"
    assert sent[4] == {
        "role": "tool",
        "content": "Error: low",
        "images": ["YWI="],
        "tool_call_id": second["id"],
        "tool_name": "tide",
    }
    assert sent[5]["tool_name"] == "wind"
    assert "tool_name" not in sent[6]


def test_arguments_that_are_no_object_are_sent_as_text():
    sent = encoded(prompt=["Hi", Message.assistant([ToolCall("a", "tide", '{"har')])])
    (call,) = json.loads(sent.body)["messages"][1]["tool_calls"]

    assert call["function"]["arguments"] == {"arguments": '{"har'}
    assert "tide" in sent.warnings[0]


def test_own_thoughts_go_back():
    thoughts = [Reasoning("Hm, ", {"field": "thinking"}, ORIGIN)] * 2

    assert messages("Hi", Message.assistant([*thoughts, Text("Yes.")]))[1] == {
        "role": "assistant",
        "content": "Yes.",
        "thinking": "Hm, Hm, ",
    }


@pytest.mark.parametrize("origin", ["anthropic", None])
def test_others_thoughts_do_not(origin):
    thought = Reasoning("Hm", {"signature": "s"}, origin)
    sent = encoded(prompt=["Hi", Message.assistant([thought, Reasoning("plain"), Text("Yes.")])])

    assert json.loads(sent.body)["messages"][1] == {"role": "assistant", "content": "Yes."}
    assert len(sent.warnings) == 1


def test_what_the_model_said_that_has_no_word_is_told_or_dropped():
    sent = encoded(prompt=["Hi", Message.assistant([Refusal("No."), PNG])])

    assert json.loads(sent.body)["messages"][1]["content"] == "No."
    assert sent.warnings == ("a part of type image that the model had said was dropped",)


def test_a_tool_says_results_and_nothing_else():
    with pytest.raises(InvalidRequestError, match="ToolResult"):
        messages(Message(Role.TOOL, [Text("high")]))


def test_an_empty_message_is_a_message():
    assert messages("Hi", Message(Role.ASSISTANT, ()))[1] == {"role": "assistant", "content": ""}


def test_embeddings():
    request = EmbedRequest(
        texts=("a", "b"), model="m", dimensions=8, input_type="query", extra={"keep_alive": 0}
    )
    sent = CODEC.encode_embed(request)

    assert sent.path == "/api/embed"
    assert json.loads(sent.body) == {
        "model": "m",
        "input": ["a", "b"],
        "truncate": False,
        "dimensions": 8,
        "keep_alive": 0,
    }
    assert "input_type" in sent.warnings[0]
    assert json.loads(CODEC.encode_embed(EmbedRequest(texts=("a",), model="m")).body) == {
        "model": "m",
        "input": ["a"],
        "truncate": False,
    }
