"""The other side of the format: requests read, answers written."""

import json

import pytest

from fairlead.core import errors
from fairlead.core.errors import InvalidRequestError
from fairlead.core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from fairlead.core.messages import (
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
from fairlead.core.results import FinishReason, Generation, Metadata
from fairlead.core.usage import Usage
from fairlead.wire.anthropic.mirror import (
    StreamEncoder,
    decode_request,
    encode_error,
    encode_generation,
)
from tests.support.chat import generation
from tests.support.messages import SERVER, events_of

HI = {"role": "user", "content": "Hi"}


def decode(messages=(HI,), *, origin=None, **told):
    body = json.dumps({"model": "m", "max_tokens": 5, "messages": messages, **told}).encode()
    return decode_request(body, origin=origin)


def messages(*told, origin=None):
    return decode(told, origin=origin).request.messages


def said(*blocks, role="user", origin=None):
    return messages({"role": role, "content": list(blocks)}, origin=origin)


def test_a_request():
    served = decode(
        stream=True,
        system="Be brief",
        temperature=0.5,
        metadata={"user_id": "u"},
        output_config={"effort": "low", "format": {"schema": {"type": "array"}}, "x": 1},
    )

    assert served.stream
    assert served.request.messages == (Message.system("Be brief"), Message.user("Hi"))
    assert served.request.max_tokens == 5
    assert served.request.temperature == 0.5
    assert served.request.reasoning_effort == "low"
    assert served.request.response_format == {"type": "array"}
    assert served.request.extra == {"metadata": {"user_id": "u"}, "output_config": {"x": 1}}


def test_a_system_prompt_in_blocks():
    request = decode(system=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]).request

    assert request.messages[0] == Message(Role.SYSTEM, [Text("a"), Text("b")])
    assert len(decode(system="").request.messages) == 1


@pytest.mark.parametrize(
    ("told", "choice"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "tool", "name": "now"}, "now"),
        (None, None),
    ],
)
def test_tools_and_the_choice_of_one(told, choice):
    search = {"type": "web_search_20250305", "name": "web_search"}
    tool = {"name": "now", "description": "Tells it", "input_schema": {"type": "object"}}
    request = decode(tools=[tool, search, {"name": "then"}], tool_choice=told).request

    assert request.tools == (Tool("now", "Tells it", {"type": "object"}), Tool("then"))
    assert request.tool_choice == choice
    assert request.extra == {"tools": [search]}


def test_one_at_a_time():
    choice = {"type": "auto", "disable_parallel_tool_use": True}

    assert decode(tool_choice=choice).request.extra == {"disable_parallel_tool_use": True}


def test_parts():
    assert said(
        {"type": "text", "text": "a"},
        {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
        {"type": "image", "source": {"type": "base64", "media_type": "a/b", "data": "MTIz"}},
        {"type": "document", "source": {"type": "text", "data": "a"}, "title": "t"},
    ) == (
        Message.user(
            Text("a"),
            Image(url="https://x.test/a.png"),
            Image(data=b"123", media_type="a/b"),
            File(data=b"a", media_type="text/plain", name="t"),
        ),
    )


def test_results_are_messages_of_their_own():
    found = said(
        {"type": "tool_result", "tool_use_id": "1", "content": "noon"},
        {
            "type": "tool_result",
            "tool_use_id": "2",
            "is_error": True,
            "content": [{"type": "text", "text": "a"}, {"type": "new"}],
        },
        {"type": "tool_result", "tool_use_id": "3"},
        {"type": "text", "text": "And?"},
    )

    assert found == (
        Message(Role.TOOL, ToolResult("1", "noon")),
        Message(Role.TOOL, ToolResult("2", (Text("a"),), error=True)),
        Message(Role.TOOL, ToolResult("3", "")),
        Message.user("And?"),
    )
    assert len(said({"type": "tool_result", "tool_use_id": "1", "content": "noon"})) == 1


def test_what_the_model_said():
    blocks = [
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "tool_use", "id": "1", "name": "now", "input": {"a": 1}, "caller": {"type": "x"}},
    ]
    call = ("1", "now", '{"a": 1}')

    (hi, known) = messages(HI, {"role": "assistant", "content": blocks}, origin="us")
    assert known.parts == (
        Reasoning("Hm", {"block": {"type": "thinking", "signature": "sig"}}, "us"),
        Reasoning("", {"block": blocks[1]}, "us"),
        ToolCall(*call, {"caller": {"type": "x"}}, "us"),
    )
    assert hi == Message.user("Hi")
    (_, unknown) = messages(HI, {"role": "assistant", "content": blocks})
    assert unknown.parts == (ToolCall(*call),)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"messages": []}, "'messages' is required"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "role must be one of"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "must have a type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image"}]}]},
            "source of type '' is not understood",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "image", "source": {"type": "base64", "data": "*"}},
                        ],
                    }
                ]
            },
            "not valid base64",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image", "source": {"type": "url"}}]}
                ]
            },
            "either data= or url=",
        ),
        ({"tools": [{}]}, "must have a name"),
        ({"max_tokens": "many"}, "max_tokens must be an int"),
    ],
)
def test_what_is_no_request(told, says):
    with pytest.raises(InvalidRequestError, match=says):
        decode(**told)


@pytest.mark.parametrize("body", [b"", b"[]", b"{"])
def test_what_is_no_object(body):
    with pytest.raises(InvalidRequestError, match="no JSON object"):
        decode_request(body)


def answer(*parts, **known):
    text = "".join(part.text for part in parts if isinstance(part, Text))
    metadata = Metadata(provider="p", parts=parts, **known)
    return json.loads(encode_generation(Generation(text, metadata)))


def test_an_answer():
    told = answer(
        Text("Hi"),
        Refusal("No."),
        Reasoning("Hm"),
        Reasoning("", {"block": {"type": "redacted_thinking", "data": "x"}}, "us"),
        ToolCall("1", "now", "{", {"caller": {"type": "x"}}, "us"),
        Image(url="https://x.test/a.png"),
        response_id="1",
        model="m",
        finish_reason=FinishReason.LENGTH,
        usage=Usage(
            input_tokens=10,
            output_tokens=5,
            cache_read_tokens=2,
            cache_write_tokens=3,
            reasoning_tokens=1,
            apart={"cache_write_1h": 1},
        ),
    )

    assert told == {
        "id": "1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [
            {"type": "text", "text": "Hi"},
            {"type": "text", "text": "No."},
            {"type": "thinking", "thinking": "Hm", "signature": ""},
            {"type": "redacted_thinking", "data": "x"},
            {
                "type": "tool_use",
                "id": "1",
                "name": "now",
                "input": {},
                "caller": {"type": "x"},
            },
        ],
        "stop_reason": "max_tokens",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 5,
            "output_tokens": 5,
            "cache_read_input_tokens": 2,
            "cache_creation_input_tokens": 3,
            "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 1},
            "output_tokens_details": {"thinking_tokens": 1},
        },
    }


def test_what_nobody_knows_is_nothing():
    told = answer(Text("Hi"))

    assert told["usage"] == {"input_tokens": 0, "output_tokens": 0}
    assert told["stop_reason"] is None
    assert answer(Text("Hi"), usage=Usage())["usage"] == {"input_tokens": 0, "output_tokens": 0}


def test_a_stream():
    encoder = StreamEncoder(response_id="1", model="m")
    signed = {"block": {"type": "thinking", "signature": "sig"}}
    redacted = {"block": {"type": "redacted_thinking", "data": "x"}}
    body = b"".join(
        map(
            encoder.encode_event,
            [
                ReasoningDelta("Hm"),
                StreamStart(),
                ReasoningDelta("", signed, "us"),
                ReasoningDelta("", redacted, "us"),
                ReasoningDelta("unsigned"),
                ReasoningDelta(""),
                TextDelta(""),
                TextDelta("Hi"),
                RefusalDelta(" there"),
                ToolCallDelta(0, "1", "now", '{"a"'),
                ToolCallDelta(1, "2", "then"),
                ToolCallDelta(0, arguments=":1}"),
                ToolCallDelta(2),
                StreamEnd(FinishReason.TOOL_CALLS, usage=Usage(input_tokens=3, output_tokens=2)),
            ],
        )
    )
    events, error = events_of(body)
    told = generation(events)

    assert error is None
    assert told == "Hi there"
    assert told.metadata.response_id == "1"
    assert told.reasoning == "Hmunsigned"
    assert [part.opaque for part in told.metadata.parts if isinstance(part, Reasoning)] == [
        signed,
        redacted,
        {"block": {"type": "thinking", "signature": ""}},
    ]
    assert told.tool_calls == (
        ToolCall("1", "now", '{"a":1}'),
        ToolCall("2", "then", "{}"),
        ToolCall("call_2", "", "{}"),
    )
    assert told.finish_reason is FinishReason.TOOL_CALLS
    assert told.usage.input_tokens == 3
    assert body.count(b"message_start") == 2  # its name, and its type


def test_thoughts_that_are_signed_alone():
    body = StreamEncoder().encode_event(
        ReasoningDelta("", {"block": {"type": "thinking", "signature": "s"}}, "us")
    )

    assert body.count(b"content_block_start") == body.count(b"content_block_stop") == 2


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (errors.AuthenticationError, "authentication_error"),
        (errors.ContextLengthExceededError, "invalid_request_error"),
        (errors.OverloadedError, "overloaded_error"),
        (errors.ServerError, "api_error"),
    ],
)
def test_errors(kind, told):
    assert json.loads(encode_error(kind("no"))) == {
        "type": "error",
        "error": {"type": told, "message": "no"},
    }


def test_an_error_ends_a_stream():
    encoder = StreamEncoder()
    body = encoder.encode_event(TextDelta("a"))
    events, error = events_of(body + encoder.encode_error(errors.OverloadedError("no")))

    assert generation(events) == "a"
    assert type(error) is errors.OverloadedError
    assert SERVER.origin == "anthropic:server"
