"""What the codec writes the mirror reads, and the other way round."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.collector import events_of as whole_events_of
from fairlead.core.messages import Message, Reasoning, Role, Text
from fairlead.core.results import Generation
from fairlead.wire.http import WireResponse
from fairlead.wire.openai_responses import OpenAIResponsesCodec
from fairlead.wire.openai_responses.mirror import StreamEncoder, decode_request, encode_generation
from tests.property.wire.test_openai_chat_mirror import (
    GENERATIONS,
    REQUESTS,
    SERVER,
    collected,
    events_of,
    told,
)
from tests.support.responses import ORIGIN, thought

CODEC = OpenAIResponsesCodec(SERVER)
NOT_HERE = {
    "top_k": None,
    "stop_sequences": (),
    "seed": None,
    "frequency_penalty": None,
    "presence_penalty": None,
}
SEALED = Reasoning("Hm.", {"item": thought(encrypted_content="e")}, ORIGIN)
PHASE = Reasoning("", {"phase": "commentary"}, ORIGIN)
OPAQUE = st.sampled_from([(), (SEALED,), (PHASE,), (SEALED, PHASE)])


def as_read(request):
    """*request* as a server is to read it."""
    messages = []
    for message in request.messages:
        before = ()
        if messages and message.role is messages[-1].role is Role.ASSISTANT:
            before = messages.pop().parts
        messages.append(Message(message.role, (*before, *message.parts)))
    tools = tuple(replace(tool, strict=tool.strict or False) for tool in request.tools)
    return replace(request, messages=tuple(messages), tools=tools, **NOT_HERE)


@given(request=REQUESTS, choose=st.booleans(), stream=st.booleans())
def test_a_request_survives(request, choose, stream):
    if choose and request.tools:
        request = replace(request, tool_choice=request.tools[0].name)

    served = decode_request(CODEC.encode_generate(request, stream=stream).body, SERVER)

    assert served.request == as_read(request)
    assert served.stream == stream


def with_opaque(generation, opaque):
    metadata = generation.metadata
    if not any(isinstance(part, Text) for part in metadata.parts):
        return generation
    kept = [part for part in metadata.parts if not isinstance(part, Reasoning)]
    return Generation(str(generation), replace(metadata, parts=(*opaque, *kept)))


@given(generation=GENERATIONS, opaque=OPAQUE)
def test_an_answer_survives(generation, opaque):
    generation = with_opaque(generation, opaque) if opaque else generation
    body = encode_generation(generation)
    response = WireResponse(status=200, headers={}, body=body)

    assert told(collected(CODEC.decode_generate(response))) == told(generation)


@given(generation=GENERATIONS, opaque=OPAQUE)
def test_a_streamed_answer_survives(generation, opaque):
    story = events_of(generation)
    if opaque:
        generation = with_opaque(generation, opaque)
        story = whole_events_of(generation)
    encoder = StreamEncoder()
    body = b"".join(map(encoder.encode_event, story))
    decoder = CODEC.stream_decoder()

    found = collected(decoder.feed(body))

    assert decoder.ended
    assert told(found) == told(generation)
    assert found.warnings == collected(whole_events_of(generation)).warnings
