"""However a stream is cut, and whatever it is, its decoder keeps its promises."""

import itertools
import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.collector import Collector
from fairlead.core.errors import ProviderError
from fairlead.core.events import StreamEnd
from fairlead.core.requests import EmbedRequest
from fairlead.core.results import Metadata
from fairlead.wire.openai_chat import OPENAI, ChatStreamDecoder, Dialect, OpenAIChatCodec
from tests.support.chat import DONE, chunk, response, sse

DIALECTS = st.sampled_from(
    [
        OPENAI,
        Dialect(name="a", reasoning="reasoning_details", cost=True, embeddings="int8"),
        Dialect(name="b", reasoning="reasoning_content", reasoning_excluded=True),
    ]
)
NAMES = st.sampled_from(
    [
        *("id", "model", "choices", "delta", "message", "content", "role", "index", "usage", "x"),
        *("finish_reason", "logprobs", "refusal", "tool_calls", "function", "name", "arguments"),
        *("function_call", "reasoning", "reasoning_content", "reasoning_details", "thinking"),
        *("type", "text", "error", "code", "x_groq", "cost", "prompt_tokens", "data", "embedding"),
        *("completion_tokens_details", "reasoning_tokens", "citations", "object", "detail"),
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["stop", "error", "text", "thinking", "reasoning.text", 0, 1, 429]),
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5)
)
DELTAS = st.dictionaries(NAMES, JSON, max_size=4)
CHUNKS = st.one_of(
    DELTAS.map(chunk),
    st.builds(chunk, DELTAS, finish_reason=LEAVES, choice=st.dictionaries(NAMES, JSON, max_size=3)),
    st.dictionaries(NAMES, JSON, max_size=5),
    JSON,
)
PIECES = st.one_of(
    CHUNKS.map(lambda told: b"data: " + json.dumps(told).encode() + b"\n\n"),
    st.text(max_size=5).map(lambda text: sse(chunk({"content": text}))),
    st.sampled_from([DONE, b": ping\n\n", b"event: error\n", b"data: {\n\n", b"\r\n", b"\xff"]),
    st.binary(max_size=10),
)
BODIES = st.lists(PIECES, max_size=8).map(b"".join)
PLACES = st.lists(st.integers(0, 10_000), max_size=12)


def decode(pieces, dialect):
    """The whole story: what was told, how it ended, and that no promise was broken."""
    decoder = ChatStreamDecoder(dialect, max_event_bytes=100_000)
    events = []
    for piece in pieces:
        events += decoder.feed(piece)
    events += decoder.finish()
    assert decoder.ended == (decoder.error is None)
    assert decoder.ended == (bool(events) and isinstance(events[-1], StreamEnd))
    assert not any(isinstance(event, StreamEnd) for event in events[:-1])
    assert list(decoder.feed(sse(chunk({"content": "late"})))) == []
    assert list(decoder.finish()) == []
    return events, type(decoder.error)


def cut(body, places):
    ends = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(ends)]


@given(body=BODIES, places=PLACES, dialect=DIALECTS)
def test_the_answer_does_not_depend_on_the_cuts(body, places, dialect):
    events, error = decode(cut(body, places), dialect)
    whole, whole_error = decode([body], dialect)

    assert repr(events) == repr(whole)  # usage may hold a NaN, which is not equal to itself
    assert error == whole_error


@given(texts=st.lists(st.text(min_size=1), min_size=1, max_size=6), places=PLACES)
def test_characters_survive_any_cut(texts, places):
    clean = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts]
    body = b"".join(
        b"data: " + json.dumps(chunk({"content": text}), ensure_ascii=False).encode() + b"\n\n"
        for text in clean
    )
    events, _ = decode(cut(body + DONE, places), OPENAI)

    assert str(Collector(events).generation(Metadata(provider="test"))) == "".join(clean)


@given(body=st.binary(max_size=200) | BODIES | JSON.map(lambda told: json.dumps(told).encode()))
def test_nothing_but_provider_errors_comes_of_any_body(body):
    for dialect in (OPENAI, Dialect(name="a", embeddings="int8", reasoning="reasoning_details")):
        codec = OpenAIChatCodec(dialect)
        assert len(codec.decode_error(response(body, 400)).message) <= 500
        with suppress(ProviderError):
            codec.decode_generate(response(body))
        with suppress(ProviderError):
            codec.decode_embed(response(body), EmbedRequest(texts=("a",), model="m"))
