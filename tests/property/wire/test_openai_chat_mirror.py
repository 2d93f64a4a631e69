"""What the codec writes the mirror reads, and the other way round."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.collector import Collector
from fairlead.core.embeddings import Embedding
from fairlead.core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
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
from fairlead.core.requests import EmbedRequest, GenerateRequest
from fairlead.core.results import FinishReason, Generation, Metadata
from fairlead.core.usage import Usage
from fairlead.wire.http import WireResponse
from fairlead.wire.openai_chat import Dialect, OpenAIChatCodec
from fairlead.wire.openai_chat.mirror import (
    StreamEncoder,
    decode_embed_request,
    decode_request,
    encode_embeddings,
    encode_generation,
)

SERVER = Dialect(name="server")
CODEC = OpenAIChatCodec(SERVER)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
TYPES = st.sampled_from(["image/png", "image/jpeg"])
TEXTS = WORDS.map(Text)
IMAGES = st.builds(Image, data=st.binary(max_size=9), media_type=TYPES) | st.builds(
    Image, url=st.just("https://x.test/a.png"), detail=st.sampled_from([None, "low"])
)
SOUNDS = st.builds(
    Audio, data=st.binary(max_size=9), media_type=st.sampled_from(["audio/mpeg", "audio/wav"])
)
FILES = st.builds(File, data=st.binary(max_size=9), media_type=st.just("a/b"), name=WORDS)
USERS = st.lists(TEXTS | IMAGES | SOUNDS | FILES, min_size=1, max_size=3).map(
    lambda parts: Message(Role.USER, parts)
)
SYSTEMS = st.lists(TEXTS, min_size=1, max_size=2).map(lambda parts: Message(Role.SYSTEM, parts))
CALLS = st.lists(st.builds(ToolCall, IDS, WORDS, WORDS), max_size=2, unique_by=lambda call: call.id)


def said(texts, refusals, calls):
    parts = [*texts[:1], *refusals[:1], *calls]
    return Message(Role.ASSISTANT, parts or (Text("Hm"),))


def turns(messages):
    """*messages*, in which no id of a call comes twice, and each call has its result."""
    used, kept = set(), []
    for message in messages:
        if not used & {call.id for call in message.tool_calls}:
            used |= {call.id for call in message.tool_calls}
            kept.append(message)
            kept += [Message(Role.TOOL, ToolResult(c.id, c.name)) for c in message.tool_calls]
    return tuple(kept)


ASSISTANTS = st.builds(
    said, st.lists(TEXTS, max_size=1), st.lists(WORDS.map(Refusal), max_size=1), CALLS
)
MESSAGES = st.lists(USERS | SYSTEMS | ASSISTANTS, min_size=1, max_size=5).map(turns)
SCHEMAS = st.dictionaries(WORDS, st.just({"type": "string"}), max_size=3).map(
    lambda properties: {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
)
TOOLS = st.lists(
    st.builds(
        Tool,
        IDS,
        description=st.none() | WORDS,
        parameters=SCHEMAS,
        strict=st.sampled_from([None, True, False]),
    ),
    max_size=2,
    unique_by=lambda tool: tool.name,
).map(tuple)
REQUESTS = st.builds(
    GenerateRequest,
    messages=MESSAGES,
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
    tools=TOOLS,
    response_format=st.none() | SCHEMAS,
    reasoning_effort=st.sampled_from([None, "none", "high"]),
    extra=st.dictionaries(WORDS.map(lambda name: f"x-{name}"), WORDS, max_size=2),
)
COUNTS = st.none() | st.integers(0, 10**6)
USAGES = st.builds(
    Usage,
    input_tokens=COUNTS,
    output_tokens=COUNTS,
    cache_read_tokens=COUNTS,
    cache_write_tokens=COUNTS,
    reasoning_tokens=st.none() | st.just(0),
    total_tokens=COUNTS,
)
GENERATIONS = st.builds(
    lambda thoughts, texts, refusals, calls, usage, reason: (
        (parts := (*thoughts, *texts, *refusals, *calls))
        and Generation(
            "".join(text.text for text in texts),
            Metadata(
                provider="p",
                model="m",
                response_id="r",
                parts=parts,
                usage=usage,
                finish_reason=FinishReason.TOOL_CALLS if calls else reason,
            ),
        )
    ),
    st.lists(WORDS.map(Reasoning), max_size=1),
    st.lists(TEXTS, max_size=1),
    st.lists(WORDS.map(Refusal), max_size=1),
    CALLS,
    st.none() | USAGES,
    st.sampled_from([FinishReason.LENGTH, FinishReason.CONTENT_FILTER]),
).filter(bool)


@given(request=REQUESTS, choose=st.booleans(), stream=st.booleans())
def test_a_request_survives(request, choose, stream):
    if choose and request.tools:
        request = GenerateRequest(
            **{name: getattr(request, name) for name in request.__slots__}
            | {"tool_choice": request.tools[0].name}
        )

    served = decode_request(CODEC.encode_generate(request, stream=stream).body)

    assert served.request == request
    assert served.stream == served.include_usage == stream


def told(generation):
    metadata = generation.metadata
    usage = metadata.usage
    counts = usage and [getattr(usage, n) for n in usage.__slots__ if n not in {"raw", "estimated"}]
    known = counts if any(count is not None for count in counts or ()) else None
    return (
        str(generation),
        metadata.parts,
        metadata.finish_reason,
        metadata.model,
        metadata.response_id,
        known,
    )


def collected(events):
    return Collector(events).generation(Metadata(provider="p"))


@given(generation=GENERATIONS)
def test_an_answer_survives(generation):
    body = encode_generation(generation)
    response = WireResponse(status=200, headers={}, body=body)

    assert told(collected(CODEC.decode_generate(response))) == told(generation)


def events_of(generation):
    metadata = generation.metadata
    yield StreamStart(metadata.response_id, metadata.model)
    for part in metadata.parts:
        if isinstance(part, ToolCall):
            index = generation.tool_calls.index(part)
            yield ToolCallDelta(index, part.id, part.name)
            for char in part.arguments:
                yield ToolCallDelta(index, arguments=char)
        else:
            kinds = {Reasoning: ReasoningDelta, Text: TextDelta, Refusal: RefusalDelta}
            for char in part.text:
                yield kinds[type(part)](char)
    yield StreamEnd(metadata.finish_reason, usage=metadata.usage)


@given(generation=GENERATIONS)
def test_a_streamed_answer_survives(generation):
    encoder = StreamEncoder(include_usage=True)
    body = b"".join(map(encoder.encode_event, events_of(generation)))
    decoder = CODEC.stream_decoder()

    assert told(collected(decoder.feed(body))) == told(generation)
    assert decoder.ended


VECTORS = st.integers(1, 5).flatmap(
    lambda size: st.lists(
        st.lists(st.floats(width=32, allow_nan=False), min_size=size, max_size=size).map(Embedding),
        min_size=1,
        max_size=4,
    )
)


@given(vectors=VECTORS, base64_floats=st.booleans())
def test_vectors_survive(vectors, base64_floats):
    finite = [[value if abs(value) < 1e38 else 0.0 for value in vector] for vector in vectors]
    vectors = list(map(Embedding, finite))
    body = encode_embeddings(vectors, model="m", base64_floats=base64_floats)
    request = EmbedRequest(texts=("x",) * len(vectors), model="m")
    decoded = CODEC.decode_embed(WireResponse(status=200, headers={}, body=body), request)

    assert list(decoded.vectors) == vectors
    assert decoded.model == "m"


@given(texts=st.lists(WORDS, min_size=1, max_size=3), dimensions=st.none() | st.integers(1, 9))
def test_a_request_for_vectors_survives(texts, dimensions):
    request = EmbedRequest(texts=tuple(texts), model="m", dimensions=dimensions)
    codec = OpenAIChatCodec(Dialect(name="s", embeddings="base64"))
    served = decode_embed_request(codec.encode_embed(request).body)

    assert served.request == request
    assert served.base64


def test_base64_is_that_of_32_bit_floats():
    body = encode_embeddings([Embedding([1.0])], model="m", base64_floats=True)

    assert base64.b64encode(b"\x00\x00\x80?") in body
