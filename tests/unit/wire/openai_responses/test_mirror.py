"""The other side of the format: requests read, answers written."""

import json

import pytest

from fairlead.core.errors import InvalidRequestError, RateLimitError
from fairlead.core.events import ReasoningDelta, StreamEnd, StreamStart, TextDelta, ToolCallDelta
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
from fairlead.core.results import FinishReason, Generation, Metadata
from fairlead.core.usage import Usage
from fairlead.wire.openai_chat import OPENAI
from fairlead.wire.openai_responses.mirror import StreamEncoder, decode_request, encode_generation
from tests.support.responses import ORIGIN, SERVER, events_of, thought

USER = {"role": "user", "content": "Hi"}


def decode(items=(USER,), **told):
    body = json.dumps({"model": "m", "input": items, **told}).encode()
    return decode_request(body, SERVER)


def messages(*items):
    return decode(items).request.messages


def test_a_request():
    served = decode("Hi", stream=True, store=False, temperature=0.5, instructions="Be brief.")

    assert served.request.messages == (Message.system("Be brief."), Message.user("Hi"))
    assert served.request.temperature == 0.5
    assert served.request.extra == {}
    assert served.stream


def test_what_there_is_no_option_for():
    served = decode(
        store=True,
        user="u",
        reasoning={"effort": "low", "summary": "auto"},
        text={"verbosity": "low"},
        include=["message.output_text.logprobs", "reasoning.encrypted_content", "x"],
        tools=[{"type": "web_search"}, {"type": "function", "name": "now", "strict": True}],
        tool_choice={"type": "function", "name": "now"},
    )

    assert served.request.extra == {
        "store": True,
        "user": "u",
        "reasoning": {"summary": "auto"},
        "text": {"verbosity": "low"},
        "include": ["x"],
        "tools": [{"type": "web_search"}],
    }
    assert served.request.reasoning_effort == "low"
    assert served.request.tools == (Tool("now", strict=True),)
    assert served.request.tool_choice == "now"
    assert served.request.logprobs is True


def test_a_format_of_json():
    assert decode(text={"format": {"type": "json_object"}}).request.schema == {"type": "object"}
    assert decode(text={"format": {"type": "text"}}).request.schema is None


def test_parts():
    (message,) = messages(
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "a"},
                {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "low"},
                {"type": "input_file", "file_url": "https://x.test/a.pdf"},
                {"type": "input_audio", "input_audio": {"data": "YQ==", "format": "flac"}},
            ],
        }
    )

    assert message.parts == (
        Text("a"),
        Image(url="https://x.test/a.png", detail="low"),
        File(url="https://x.test/a.pdf"),
        Audio(data=b"a", media_type="audio/flac"),
    )


def test_what_the_model_said_is_one_message():
    search = {"type": "web_search_call", "id": "ws"}
    custom = {"type": "custom_tool_call", "call_id": "b", "name": "sql", "input": "SELECT"}
    _, said, result, custom_result = messages(
        USER,
        thought(encrypted_content="e"),
        search,
        {"role": "assistant", "phase": "commentary", "content": "a"},
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "n"}]},
        {
            "type": "function_call",
            "call_id": "a",
            "name": "now",
            "arguments": "{}",
            "namespace": "n",
        },
        custom,
        {"type": "function_call_output", "call_id": "a", "output": "noon"},
        {
            "type": "custom_tool_call_output",
            "call_id": "b",
            "output": [{"type": "input_text", "text": "1"}],
        },
    )

    assert said.role is Role.ASSISTANT
    assert said.parts == (
        Reasoning("", {"item": thought(encrypted_content="e")}, ORIGIN),
        Reasoning("", {"item": search}, ORIGIN),
        Reasoning("", {"phase": "commentary"}, ORIGIN),
        Text("a"),
        Refusal("n"),
        ToolCall("a", "now", "{}", {"namespace": "n"}, ORIGIN),
        ToolCall("b", "sql", "SELECT", {"type": "custom_tool_call"}, ORIGIN),
    )
    assert result.parts == (ToolResult("a", "noon"),)
    assert custom_result.parts == (ToolResult("b", (Text("1"),)),)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "no JSON object"),
        (b'{"model": "m"}', "'input' is required"),
        (b'{"input": [{"role": "king", "content": "x"}]}', r"input\[0\].role"),
        (b'{"input": [{"role": "user", "content": [{"type": "smell"}]}]}', "'smell'"),
        (b'{"input": "x", "temperature": "hot"}', "temperature"),
        (b'{"input": "x", "tools": [{"type": "function"}]}', "must have a name"),
    ],
)
def test_what_is_no_request(body, words):
    with pytest.raises(InvalidRequestError, match=words):
        decode_request(body, OPENAI)


def generation(*parts, reason=FinishReason.STOP, **more):
    text = "".join(part.text for part in parts if isinstance(part, Text))
    metadata = Metadata(provider="p", model="m", parts=parts, finish_reason=reason, **more)
    return Generation(text, metadata)


def answer(*parts, **how):
    return json.loads(encode_generation(generation(*parts, **how), created=7))


def test_an_answer():
    told = answer(Text("a"), logprobs=({"token": "a"},))

    assert (told["status"], told["created_at"], told["usage"]) == ("completed", 7, None)
    assert told["output"][0]["content"][0]["logprobs"] == [{"token": "a"}]


@pytest.mark.parametrize(
    ("reason", "cut"),
    [
        (FinishReason.LENGTH, "max_output_tokens"),
        (FinishReason.CONTENT_FILTER, "content_filter"),
        (FinishReason.PAUSE, "steered"),
    ],
)
def test_an_answer_that_was_cut(reason, cut):
    told = answer(Text("a"), reason=reason)

    assert (told["status"], told["incomplete_details"]) == ("incomplete", {"reason": cut})


def test_nobody_knows_why_it_ended():
    assert answer(Text("a"), reason=None)["status"] == "completed"


def test_usage():
    usage = Usage(input_tokens=9, output_tokens=5, total_tokens=14, cache_read_tokens=4)

    assert answer(Text("a"), usage=usage)["usage"] == {
        "input_tokens": 9,
        "output_tokens": 5,
        "total_tokens": 14,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens_details": {},
    }


def test_items_of_an_answer():
    custom = ToolCall("b", "sql", "SELECT", {"type": "custom_tool_call"}, ORIGIN)
    picture = Image(url="https://x.test/a.png")
    told = answer(Reasoning("Hm."), Reasoning(""), picture, Refusal("No."), custom)["output"]

    assert [item["type"] for item in told] == [
        "reasoning",
        "reasoning",
        "message",
        "custom_tool_call",
    ]
    assert told[0]["summary"] == [{"type": "summary_text", "text": "Hm."}]
    assert told[1]["summary"] == []
    assert told[3]["input"] == "SELECT"


def stream(*events):
    encoder = StreamEncoder(response_id="r", model="m", created=7)
    return b"".join(map(encoder.encode_event, events))


def test_a_stream_that_begins_with_words():
    words = [TextDelta("a"), TextDelta("b")]
    events, error = events_of(stream(*words, TextDelta(""), StreamEnd(FinishReason.STOP)))

    assert error is None
    assert events[:-1] == [StreamStart("r", "m"), *words]


def test_items_that_are_given_back_come_where_they_were_told():
    search = {"item": {"type": "web_search_call", "id": "ws"}}
    told = [
        StreamStart(None, None),
        ReasoningDelta("Hm."),
        ReasoningDelta("", {"item": thought(encrypted_content="e")}, ORIGIN),
        ReasoningDelta("", search, ORIGIN),
        ReasoningDelta("", {"phase": "commentary"}, ORIGIN),
        TextDelta("a"),
        ToolCallDelta(0, "c", "now"),
        ToolCallDelta(0, arguments="{}"),
    ]
    events, _ = events_of(stream(*told, StreamEnd(FinishReason.TOOL_CALLS)))

    assert events[1:-1] == told[1:]


def test_a_stream_that_fails():
    encoder = StreamEncoder()
    sent = encoder.encode_event(TextDelta("a"))
    sent += encoder.encode_error(RateLimitError("slow down", code="rate_limit_exceeded"))
    _, error = events_of(sent)

    assert type(error) is RateLimitError
    assert error.message == "slow down"
