"""Ollama's format: what the codec writes the mirror reads, and any cut of a stream is the same."""

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.collector import Collector, events_of
from fairlead.core.embeddings import Embedding
from fairlead.core.messages import (
    Image,
    Message,
    Reasoning,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from fairlead.core.requests import EmbedRequest, GenerateRequest
from fairlead.core.results import FinishReason, Generation, Metadata
from fairlead.core.usage import Usage
from fairlead.wire.http import WireResponse
from fairlead.wire.ollama import OllamaCodec, OllamaStreamDecoder
from fairlead.wire.ollama.mirror import (
    StreamEncoder,
    decode_embed_request,
    decode_request,
    encode_embeddings,
    encode_generation,
)

CODEC = OllamaCodec(4096)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
TEXTS = WORDS.map(Text)
IMAGES = st.builds(Image, data=st.binary(max_size=9), media_type=st.just("image/png"))
ARGUMENTS = st.dictionaries(WORDS, st.integers() | WORDS, max_size=2).map(
    lambda told: json.dumps(told, ensure_ascii=False, separators=(",", ":"))
)
CALLS = st.lists(
    st.builds(ToolCall, IDS, WORDS, ARGUMENTS), max_size=2, unique_by=lambda call: call.id
)
USERS = st.builds(
    lambda text, images: Message(Role.USER, [text, *images]), TEXTS, st.lists(IMAGES, max_size=2)
)
SYSTEMS = TEXTS.map(lambda text: Message(Role.SYSTEM, text))
ASSISTANTS = st.builds(
    lambda texts, calls: Message(Role.ASSISTANT, [*texts, *calls] or [Text("Hm")]),
    st.lists(TEXTS, max_size=1),
    CALLS,
)


def turns(messages):
    """*messages*, in which no id of a call comes twice, and each call has its result."""
    used, kept = set(), []
    for message in messages:
        if not used & {call.id for call in message.tool_calls}:
            used |= {call.id for call in message.tool_calls}
            kept.append(message)
            kept += [
                Message(Role.TOOL, ToolResult(call.id, call.name, name=call.name))
                for call in message.tool_calls
            ]
    return tuple(kept)


SCHEMAS = st.dictionaries(WORDS, st.just({"type": "string"}), max_size=3).map(
    lambda properties: {"type": "object", "properties": properties}
)
REQUESTS = st.builds(
    GenerateRequest,
    messages=st.lists(USERS | SYSTEMS | ASSISTANTS, min_size=1, max_size=5).map(turns),
    model=IDS,
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    top_k=st.none() | st.integers(0, 100),
    max_tokens=st.none() | st.integers(1, 9999),
    stop_sequences=st.lists(WORDS, max_size=2).map(tuple),
    seed=st.none() | st.integers(0, 2**31),
    frequency_penalty=st.none() | st.floats(-2, 2),
    presence_penalty=st.none() | st.floats(-2, 2),
    logprobs=st.none() | st.just(value=True) | st.integers(0, 20),
    tools=st.lists(
        st.builds(Tool, IDS, description=st.none() | WORDS, parameters=SCHEMAS),
        max_size=2,
        unique_by=lambda tool: tool.name,
    ).map(tuple),
    response_format=st.none() | SCHEMAS,
    reasoning_effort=st.sampled_from([None, "none", "low", "medium", "high", "max"]),
    extra=st.dictionaries(WORDS.map(lambda name: f"x-{name}"), WORDS, max_size=2)
    | st.just({"options": {"min_p": 0.5}}),
)
COUNTS = st.none() | st.integers(0, 10**6)
GENERATIONS = st.builds(
    lambda thoughts, texts, calls, usage, reason: (
        (parts := (*thoughts, *texts, *calls))
        and Generation(
            "".join(text.text for text in texts),
            Metadata(
                provider="p",
                model="m",
                parts=parts,
                usage=usage,
                finish_reason=FinishReason.TOOL_CALLS if calls else reason,
            ),
        )
    ),
    st.lists(WORDS.map(Reasoning), max_size=1),
    st.lists(TEXTS, max_size=1),
    CALLS,
    st.none()
    | st.builds(Usage, input_tokens=st.none() | st.integers(1, 10**6), output_tokens=COUNTS),
    st.sampled_from([FinishReason.STOP, FinishReason.LENGTH]),
).filter(bool)


@given(request=REQUESTS, stream=st.booleans())
def test_a_request_survives(request, stream):
    served = decode_request(CODEC.encode_generate(request, stream=stream).body)

    assert served.request == request
    assert served.stream == stream
    assert (served.num_ctx, served.truncate) == (4096, False)


def told(generation):
    metadata, usage = generation.metadata, generation.usage
    counts = usage and (usage.input_tokens, usage.output_tokens)
    known = counts if any(count is not None for count in counts or ()) else None
    parts = [
        Reasoning(part.text) if isinstance(part, Reasoning) else part for part in metadata.parts
    ]
    return str(generation), parts, metadata.finish_reason, metadata.model, known


def collected(events):
    return Collector(events).generation(Metadata(provider="p"))


@given(generation=GENERATIONS)
def test_an_answer_survives(generation):
    body = encode_generation(generation)
    events = CODEC.decode_generate(WireResponse(status=200, headers={}, body=body))

    assert told(collected(events)) == told(generation)


@given(generation=GENERATIONS)
def test_a_streamed_answer_survives(generation):
    encoder = StreamEncoder()
    body = b"".join(map(encoder.encode_event, events_of(generation)))
    decoder = CODEC.stream_decoder()

    assert told(collected(decoder.feed(body))) == told(generation)
    assert decoder.ended


LINES = st.one_of(
    st.sampled_from([b"", b"[1]", b"oops", b"<html>", b'{"error":"no"}', b'{"done":true}', b"{}"]),
    st.builds(
        lambda text, thinking: json.dumps(
            {"model": "m", "message": {"content": text, "thinking": thinking}, "done": False}
        ).encode(),
        WORDS | st.none(),
        WORDS | st.none() | st.integers(),
    ),
    st.binary(max_size=20),
)


@given(
    body=st.lists(LINES, max_size=8).map(b"\n".join),
    places=st.lists(st.integers(0, 400), max_size=6),
)
def test_any_cut_of_the_bytes_is_the_same(body, places):
    def read(pieces):
        decoder = OllamaStreamDecoder(max_line_bytes=300)
        events = [event for piece in pieces for event in decoder.feed(piece)]
        events += decoder.finish()
        assert decoder.ended == (decoder.error is None)
        return events, type(decoder.error), str(decoder.error)

    ends = sorted({0, len(body), *(place for place in places if place < len(body))})
    pieces = [body[start:end] for start, end in itertools.pairwise(ends)]

    assert read(pieces) == read([body]) == read([body[at : at + 1] for at in range(len(body))])


@given(
    rows=st.integers(1, 4).flatmap(
        lambda size: st.lists(
            st.lists(st.integers(-99, 99).map(float), min_size=size, max_size=size),
            min_size=1,
            max_size=3,
        )
    )
)
def test_vectors_survive(rows):
    vectors = list(map(Embedding, rows))
    body = encode_embeddings(vectors, model="m", usage=Usage(input_tokens=3))
    request = EmbedRequest(texts=("x",) * len(vectors), model="m")
    decoded = CODEC.decode_embed(WireResponse(status=200, headers={}, body=body), request)

    assert list(decoded.vectors) == vectors
    assert decoded.usage.input_tokens == 3


@given(
    texts=st.lists(WORDS, min_size=1, max_size=3).map(tuple),
    dimensions=st.none() | st.integers(1, 9),
)
def test_a_request_for_vectors_survives(texts, dimensions):
    request = EmbedRequest(texts=texts, model="m", dimensions=dimensions)

    assert decode_embed_request(CODEC.encode_embed(request).body) == request
