"""However a stream is cut, and whatever it is, its decoder keeps its promises."""

import itertools
import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.errors import ProviderError
from fairlead.core.events import StreamEnd
from fairlead.wire.openai_chat import OPENAI, Dialect
from fairlead.wire.openai_responses import OpenAIResponsesCodec, ResponsesStreamDecoder
from tests.support.chat import generation, response
from tests.support.responses import closing, message, named, sse

DIALECTS = st.sampled_from([OPENAI, Dialect(name="a", cost=True)])
KINDS = st.sampled_from(
    ["message", "reasoning", "function_call", "custom_tool_call", "web_search_call", "", None]
)
NAMES = st.sampled_from(
    [
        *("id", "item_id", "call_id", "output_index", "content_index", "type", "delta", "text"),
        *("arguments", "input", "refusal", "item", "response", "output", "status", "content"),
        *("summary", "encrypted_content", "usage", "error", "code", "message", "sequence_number"),
        *("annotations", "logprobs", "phase", "incomplete_details", "reason", "caller", "name"),
        *("input_tokens", "output_tokens_details", "reasoning_tokens", "service_tier", "object"),
    ]
)
EVENTS = st.sampled_from(
    [
        *("created", "output_item.added", "output_item.done", "output_text.delta", "moon"),
        *("output_text.done", "refusal.delta", "reasoning_text.delta", "completed", "failed"),
        *("reasoning_summary_text.delta", "function_call_arguments.delta", "incomplete"),
        *("function_call_arguments.done", "custom_tool_call_input.delta"),
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 3),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["a", "b", "completed", "failed", "output_text", "summary_text", "refusal"]),
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5)
)
FIELDS = st.dictionaries(NAMES, JSON, max_size=4)
ITEMS = st.builds(lambda kind, more: {**more, "type": kind}, KINDS, FIELDS)
CHUNKS = st.one_of(
    st.builds(lambda name, more: more | named(name), EVENTS, FIELDS),
    st.builds(lambda name, more, item: more | named(name, item=item), EVENTS, FIELDS, ITEMS),
    st.builds(
        lambda name, more, items: named(name, response=more | {"output": items}),
        EVENTS,
        FIELDS,
        st.lists(ITEMS, max_size=3),
    ),
    FIELDS,
    JSON,
)
PIECES = st.one_of(
    CHUNKS.map(lambda told: b"data: " + json.dumps(told).encode() + b"\n\n"),
    st.sampled_from(
        [b"data: [DONE]\n\n", b": ping\n\n", b"event: error\n", b"data: {\n\n", b"\r\n"]
    ),
    st.binary(max_size=10),
)
BODIES = st.lists(PIECES, max_size=8).map(b"".join)
PLACES = st.lists(st.integers(0, 10_000), max_size=12)


def decode(pieces, dialect):
    """The whole story: what was told, how it ended, and that no promise was broken."""
    decoder = ResponsesStreamDecoder(dialect, max_event_bytes=100_000)
    events = []
    for piece in pieces:
        events += decoder.feed(piece)
    events += decoder.finish()
    assert decoder.ended == (decoder.error is None)
    assert decoder.ended == (bool(events) and isinstance(events[-1], StreamEnd))
    assert not any(isinstance(event, StreamEnd) for event in events[:-1])
    assert list(decoder.feed(sse(closing(message())))) == []
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


TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1)


@given(
    texts=TEXTS,
    lost=st.sets(st.integers(0, 9)),
    index=st.booleans(),
    ids=st.sampled_from([None, "msg-1", "other"]),
)
def test_words_are_told_once_whatever_names_them(texts, lost, index, ids):
    """Deltas at the end may be lost: the whole tells them."""
    whole = message("".join(texts))
    which = {"output_index": 0} if index else {}
    which |= {"item_id": ids} if ids else {}
    kept = texts[: min(lost, default=len(texts))]
    stream = [named("output_text.delta", delta=text, **which) for text in kept]
    events, error = decode([sse(*stream, closing(whole))], OPENAI)

    assert error is type(None)
    assert generation(events) == "".join(texts)
    assert generation(events).warnings == ()


@given(body=st.binary(max_size=200) | BODIES | JSON.map(lambda told: json.dumps(told).encode()))
def test_nothing_but_provider_errors_comes_of_any_body(body):
    for dialect in (OPENAI, Dialect(name="a", cost=True)):
        codec = OpenAIResponsesCodec(dialect)
        assert len(codec.decode_error(response(body, 400)).message) <= 500
        with suppress(ProviderError):
            codec.decode_generate(response(body))
