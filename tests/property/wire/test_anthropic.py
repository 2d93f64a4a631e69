"""What the codec writes the mirror reads, and a decoder keeps its promises whatever it is fed."""

import itertools
import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.collector import Collector
from fairlead.core.collector import events_of as told_by
from fairlead.core.errors import ProviderError
from fairlead.core.events import StreamEnd
from fairlead.core.messages import (
    File,
    Image,
    Message,
    Reasoning,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from fairlead.core.requests import GenerateRequest
from fairlead.core.results import FinishReason, Generation, Metadata
from fairlead.core.usage import Usage
from fairlead.wire.anthropic import AnthropicCodec, Dialect, MessagesStreamDecoder
from fairlead.wire.anthropic.mirror import StreamEncoder, decode_request, encode_generation
from tests.support.chat import response
from tests.support.messages import STOP, ending, more, over, sse, started, text

SERVER = Dialect(name="server")
CODEC = AnthropicCodec(SERVER)
ORIGIN = SERVER.origin
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
TEXTS = WORDS.map(Text)
TYPES = st.sampled_from(["image/png", "image/jpeg"])
IMAGES = st.builds(Image, data=st.binary(max_size=9), media_type=TYPES) | st.just(
    Image(url="https://x.test/a.png")
)
FILES = st.builds(
    File, data=st.binary(max_size=9), media_type=st.just("application/pdf"), name=WORDS
) | st.builds(File, data=WORDS.map(str.encode), media_type=st.just("text/plain"))
ARGUMENTS = st.dictionaries(WORDS, st.integers() | WORDS, max_size=2).map(
    lambda told: json.dumps(told, ensure_ascii=False)
)
CARRIED = st.sampled_from([None, {"caller": {"type": "code_execution", "tool_id": "1"}}])
CALLS = st.builds(
    lambda id_, name, arguments, opaque: ToolCall(id_, name, arguments, opaque, opaque and ORIGIN),
    IDS,
    IDS,
    ARGUMENTS,
    CARRIED,
)
THOUGHTS = st.builds(
    lambda words, sig: Reasoning(words, {"block": {"type": "thinking", "signature": sig}}, ORIGIN),
    WORDS | st.just(""),
    WORDS,
)
OPAQUE = st.sampled_from(
    [
        {"type": "redacted_thinking", "data": "x"},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"url": "u"}]},
    ]
).map(lambda block: Reasoning("", {"block": block}, ORIGIN))
USERS = st.lists(TEXTS | IMAGES | FILES, min_size=1, max_size=3).map(
    lambda parts: Message(Role.USER, parts)
)


@st.composite
def conversations(draw):
    """Turns in alternation, calls of different ids, each with its result."""
    told = [draw(USERS)]
    ids = iter(draw(st.lists(IDS, min_size=6, max_size=6, unique=True)))
    for _ in range(draw(st.integers(0, 2))):
        said = draw(st.lists(THOUGHTS | OPAQUE | TEXTS, min_size=1, max_size=3))
        call = draw(CALLS)
        call = ToolCall(next(ids), call.name, call.arguments, call.opaque, call.origin)
        told.append(Message(Role.ASSISTANT, [*said, call]))
        content = draw(WORDS | st.lists(TEXTS | IMAGES, min_size=1, max_size=2).map(tuple))
        told.append(Message(Role.TOOL, ToolResult(call.id, content, error=draw(st.booleans()))))
        told.append(draw(USERS))
    return tuple(told)


REQUESTS = st.builds(
    GenerateRequest,
    messages=st.builds(
        lambda system, rest: (*([Message.system(system)] if system else []), *rest),
        st.none() | WORDS,
        conversations(),
    ),
    model=st.just("claude-3-opus"),
    max_tokens=st.integers(1, 4000),
    temperature=st.none() | st.floats(0, 1),
    top_p=st.none() | st.floats(0, 1),
    top_k=st.none() | st.integers(1, 50),
    stop_sequences=st.lists(WORDS, max_size=2).map(tuple),
    tools=st.lists(st.builds(Tool, IDS, WORDS), max_size=2, unique_by=lambda tool: tool.name).map(
        tuple
    ),
    extra=st.sampled_from([{}, {"service_tier": "auto"}]),
)


@given(REQUESTS, st.booleans())
def test_requests_round_trip(request, stream):
    told = CODEC.encode_generate(request, stream=stream)
    served = decode_request(told.body, origin=ORIGIN)

    assert told.warnings == ()
    assert served.request == request
    assert served.stream is stream


COUNTS = st.integers(0, 10**6)


@st.composite
def usages(draw):
    read, written, rest = draw(COUNTS), draw(COUNTS), draw(COUNTS)
    hour = draw(st.integers(0, written))
    return Usage(
        input_tokens=read + written + rest,
        output_tokens=draw(COUNTS),
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=draw(st.none() | COUNTS),
        apart={"cache_write_1h": hour} if hour else {},
    )


def _joined(parts):
    """*parts* without two texts side by side, which are one."""
    kept = []
    for part in parts:
        if kept and isinstance(part, Text) and isinstance(kept[-1], Text):
            kept[-1] = Text(kept[-1].text + part.text)
        else:
            kept.append(part)
    return tuple(kept)


GENERATIONS = st.builds(
    lambda parts, usage, reason: Generation(
        "".join(part.text for part in parts if isinstance(part, Text)),
        Metadata(
            provider="p",
            model="m",
            response_id="1",
            parts=parts,
            usage=usage,
            finish_reason=(
                FinishReason.TOOL_CALLS
                if any(isinstance(part, ToolCall) for part in parts)
                else reason
            ),
        ),
    ),
    st.lists(TEXTS | THOUGHTS | OPAQUE | CALLS, max_size=4).map(_joined),
    usages(),
    st.sampled_from([FinishReason.STOP, FinishReason.LENGTH, FinishReason.PAUSE]),
)


def agrees(found, told):
    assert found == told
    assert found.metadata.parts == told.metadata.parts
    assert found.finish_reason is told.finish_reason
    counts = (
        *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"),
        *("reasoning_tokens", "apart"),
    )
    for name in counts:
        assert getattr(found.usage, name) == getattr(told.usage, name)


@given(GENERATIONS)
def test_answers_round_trip(told):
    events = CODEC.decode_generate(response(encode_generation(told)))
    agrees(Collector(events).generation(Metadata(provider="p")), told)


@given(GENERATIONS, st.integers(1, 50))
def test_streams_round_trip(told, size):
    encoder = StreamEncoder()
    body = b"".join(map(encoder.encode_event, told_by(told)))
    decoder = CODEC.stream_decoder()
    collector = Collector()
    for start in range(0, len(body), size):
        for event in decoder.feed(body[start : start + size]):
            collector.add(event)
    assert decoder.ended
    agrees(collector.generation(Metadata(provider="p")), told)


NAMES = st.sampled_from(
    [
        *("type", "index", "message", "content_block", "delta", "content", "text", "thinking"),
        *("signature", "partial_json", "citation", "citations", "usage", "input", "error", "id"),
        *("name", "stop_reason", "model", "input_tokens", "cache_creation", "iterations", "x"),
        *("ephemeral_1h_input_tokens", "server_tool_use", "caller", "details", "data"),
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        [
            *("text", "thinking", "tool_use", "server_tool_use", "text_delta", "input_json_delta"),
            *("error", "fairlead_answer", "message_delta", "end_turn", 0, 1),
        ]
    ),
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5)
)
FIELDS = st.dictionaries(NAMES, JSON, max_size=4)
KINDS = st.sampled_from(["text", "thinking", "tool_use", "server_tool_use", "compaction"])
INDEXES = st.integers(0, 2) | JSON
EVENTS = st.one_of(
    st.builds(lambda told: {**started(), **told}, FIELDS),
    st.builds(lambda told: started(**told), FIELDS),
    st.builds(
        lambda index, kind, told: {
            "type": "content_block_start",
            "index": index,
            "content_block": {**told, "type": kind},
        },
        INDEXES,
        KINDS | JSON,
        FIELDS,
    ),
    st.builds(
        lambda index, told: {"type": "content_block_delta", "index": index, "delta": told},
        INDEXES,
        FIELDS,
    ),
    st.builds(lambda index: more(index, "input_json", partial_json='{"a'), INDEXES),
    st.builds(over, INDEXES),
    st.builds(lambda told: {**ending(), **told}, FIELDS),
    st.just(STOP),
    JSON,
)
PIECES = st.one_of(
    EVENTS.map(lambda told: b"data: " + json.dumps(told).encode() + b"\n\n"),
    st.text(max_size=5).map(lambda words: sse(*text(words))),
    st.sampled_from([b": ping\n\n", b"event: error\n", b"data: {\n\n", b"\r\n", b"\xff"]),
    st.binary(max_size=10),
)
BODIES = st.lists(PIECES, max_size=8).map(b"".join)
PLACES = st.lists(st.integers(0, 10_000), max_size=12)


def decode(pieces):
    """The whole story: what was told, how it ended, and that no promise was broken."""
    decoder = MessagesStreamDecoder(SERVER, max_event_bytes=100_000)
    events = []
    for piece in pieces:
        events += decoder.feed(piece)
    events += decoder.finish()
    assert decoder.ended == (decoder.error is None)
    assert decoder.ended == (bool(events) and isinstance(events[-1], StreamEnd))
    assert not any(isinstance(event, StreamEnd) for event in events[:-1])
    assert list(decoder.feed(sse(*text("late")))) == []
    Collector(events).generation(Metadata(provider="p"))
    return events, type(decoder.error)


@given(BODIES, PLACES)
def test_however_it_is_cut_a_stream_tells_the_same(body, places):
    ends = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]

    assert repr(decode([body])) == repr(decode([body[a:b] for a, b in itertools.pairwise(ends)]))


@given(JSON)
def test_a_plain_answer_is_one_or_a_typed_error(told):
    with suppress(ProviderError):
        assert isinstance(CODEC.decode_generate(response(told))[-1], StreamEnd)


@given(JSON, st.sampled_from([400, 429, 500]))
def test_every_error_is_one(told, status):
    assert isinstance(CODEC.decode_error(response(told, status)), ProviderError)
