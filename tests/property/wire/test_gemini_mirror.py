"""What the codec writes, the mirror reads as what it was written from; and the other way round."""

import json

from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.collector import events_of as told_by
from fairlead.core.messages import (
    Audio,
    File,
    Image,
    Message,
    Reasoning,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from fairlead.core.requests import GenerateRequest
from fairlead.core.results import FinishReason, Generation, Metadata
from fairlead.core.usage import Usage
from fairlead.wire.gemini import GEMINI, GeminiCodec
from fairlead.wire.gemini.mirror import StreamEncoder, decode_request, encode_generation
from tests.support.gemini import events_of, generation, plain

ORIGIN = GEMINI.origin
WORDS = st.text(min_size=1, max_size=12).filter(str.strip)
TEXT = WORDS.map(Text)
MEDIA = st.sampled_from(
    [
        Image(data=b"\x89", media_type="image/png"),
        Audio(data=b"\x01", media_type="audio/wav"),
        File(data=b"%", media_type="application/pdf"),
        Image(url="gs://bucket/a", media_type="image/webp"),
    ]
)
OPAQUE = st.sampled_from(
    [
        Reasoning("Hm.", {"thought": True, "thoughtSignature": "a", "signs": "thought"}, ORIGIN),
        Reasoning("", {"executableCode": {"code": "1"}, "thoughtSignature": "b"}, ORIGIN),
        Reasoning("", {"thoughtSignature": "c", "signs": "nothing"}, ORIGIN),
    ]
)
ARGUMENTS = st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4), max_size=2)
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@st.composite
def exchanges(draw):
    """A question, and perhaps calls with their results."""
    turns = [Message.user(*draw(st.lists(TEXT | MEDIA, min_size=1, max_size=3)))]
    if draw(st.booleans()):
        calls = [
            ToolCall(
                f"{draw(st.uuids()).hex}",
                draw(st.sampled_from(["tide", "wind"])),
                json.dumps(draw(ARGUMENTS), ensure_ascii=False),
                {"thoughtSignature": "s"},
                ORIGIN,
            )
            for _ in range(draw(st.integers(1, 3)))
        ]
        results = [
            ToolResult(call.id, draw(WORDS), error=draw(st.booleans()), name=call.name)
            for call in calls
        ]
        turns += [Message.assistant([*draw(st.lists(OPAQUE, max_size=2)), *calls])]
        turns += [Message("tool", results)]
    elif draw(st.booleans()):
        turns += [Message.assistant([draw(TEXT), draw(OPAQUE)]), Message.user("Go on")]
    return turns


def options():
    maybe = lambda strategy: st.none() | strategy  # noqa: E731
    return st.fixed_dictionaries(
        {
            "max_tokens": maybe(st.integers(1, 9999)),
            "temperature": maybe(st.floats(0, 2)),
            "top_p": maybe(st.floats(0, 1)),
            "top_k": maybe(st.integers(1, 40)),
            "stop_sequences": st.lists(WORDS, max_size=5).map(tuple),
            "seed": maybe(st.integers(0, 2**31 - 1)),
            "logprobs": maybe(st.just(True) | st.integers(1, 20)),
            "response_format": st.sampled_from([None, {"type": "object"}, SCHEMA]),
            "reasoning_effort": st.sampled_from([None, "low", "medium", "high", "minimal"]),
            "extra": st.sampled_from(
                [{}, {"safetySettings": []}, {"generationConfig": {"mediaResolution": "LOW"}}]
            ),
        }
    )


@given(st.lists(exchanges(), min_size=1, max_size=3), options(), st.booleans(), st.booleans())
def test_a_request_is_read_as_what_it_was_written_from(turns, asked, system, stream):
    messages = [turn for exchange in turns for turn in exchange]
    if system:
        messages.insert(0, Message.system("Be brief."))
    tools = (Tool("tide", "When?", SCHEMA), Tool("wind"))
    request = GenerateRequest(
        messages=tuple(messages),
        model="gemini-3.8-flash",
        tools=tools,
        tool_choice="tide",
        **asked,
    )
    sent = GeminiCodec().encode_generate(request, stream=stream)

    served = decode_request(sent.path, sent.body)

    assert not sent.warnings
    assert served.stream == stream
    assert served.request == request


COUNTS = st.none() | st.integers(0, 10_000)


@st.composite
def generations(draw):
    parts = draw(st.lists(TEXT | OPAQUE, max_size=3))
    # Two stretches of words beside each other are one.
    parts = [
        part
        for n, part in enumerate(parts)
        if not (n and isinstance(part, Text) and isinstance(parts[n - 1], Text))
    ]
    calls = [
        ToolCall(f"id{n}", "tide", json.dumps(draw(ARGUMENTS), ensure_ascii=False))
        for n in range(draw(st.integers(0, 2)))
    ]
    reasons = [FinishReason.TOOL_CALLS] if calls else [FinishReason.STOP, FinishReason.LENGTH]
    reasoning = draw(COUNTS)
    usage = Usage(
        input_tokens=draw(st.integers(0, 9)),
        output_tokens=draw(st.integers(0, 9)) + (reasoning or 0),
        reasoning_tokens=reasoning,
        cache_read_tokens=draw(COUNTS),
    )
    metadata = Metadata(
        provider="test",
        model="tiny",
        response_id="r",
        finish_reason=draw(st.sampled_from(reasons)),
        usage=usage,
        parts=(*parts, *calls),
    )
    return Generation("".join(part.text for part in parts if isinstance(part, Text)), metadata)


def same(found, wanted):
    assert str(found) == str(wanted)
    assert found.metadata.parts == wanted.metadata.parts
    assert found.finish_reason is wanted.finish_reason
    assert (found.model, found.metadata.response_id) == ("tiny", "r")
    for name in ("input_tokens", "output_tokens", "reasoning_tokens", "cache_read_tokens"):
        assert getattr(found.usage, name) == getattr(wanted.usage, name)


@given(generations())
def test_an_answer_is_read_as_what_it_was_written_from(told):
    same(plain(encode_generation(told)), told)


@given(generations())
def test_a_stream_is_read_as_what_it_was_written_from(told):
    encoder = StreamEncoder()
    events, error = events_of(b"".join(encoder.encode_event(event) for event in told_by(told)))

    assert error is None
    same(generation(events), told)
