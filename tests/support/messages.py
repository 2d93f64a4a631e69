"""Anthropic's Messages written by hand, for the tests of their encoding and decoding."""

import json

from fairlead.core.messages import Message
from fairlead.core.requests import GenerateRequest
from fairlead.wire.anthropic import AnthropicCodec, Dialect
from tests.support.chat import generation, response

SERVER = Dialect(name="server")
STOP = {"type": "message_stop"}


def started(**message):
    """The first event of a stream."""
    first = {"id": "msg-1", "type": "message", "role": "assistant", "model": "tiny", "content": []}
    return {"type": "message_start", "message": {**first, **message}}


def begun(index, **block):
    return {"type": "content_block_start", "index": index, "content_block": block}


def more(index, kind, **delta):
    return {
        "type": "content_block_delta",
        "index": index,
        "delta": {"type": f"{kind}_delta", **delta},
    }


def over(index):
    return {"type": "content_block_stop", "index": index}


def text(words, index=0):
    """A block of words, whole."""
    return [begun(index, type="text", text=""), more(index, "text", text=words), over(index)]


def ending(reason="end_turn", usage=None, **delta):
    told = {"type": "message_delta", "delta": {"stop_reason": reason, **delta}}
    return {**told, "usage": usage} if usage else told


def sse(*events):
    """*events* as server-sent events; bytes go out as they are."""
    return b"".join(
        each
        if isinstance(each, bytes)
        else f"event: {each.get('type')}\ndata: {json.dumps(each)}\n\n".encode()
        for each in events
    )


def events_of(body, *, dialect=SERVER, size=None):
    """The events of a streamed *body*, and the error that it ended in."""
    decoder = AnthropicCodec(dialect).stream_decoder()
    step = size or max(len(body), 1)
    pieces = [body[start : start + step] for start in range(0, len(body), step)]
    events = [event for piece in pieces for event in decoder.feed(piece)]
    events += decoder.finish()
    return events, decoder.error


def streamed(*told, dialect=SERVER, size=None):
    """The generation that events tell."""
    events, error = events_of(sse(*told), dialect=dialect, size=size)
    assert error is None
    return generation(events)


def failed(*told):
    """The generation and the error that events tell."""
    events, error = events_of(sse(*told))
    assert error is not None
    return generation(events), error


def message(*content, stop_reason="end_turn", **more):
    """The body of a whole answer."""
    first = {"id": "msg-1", "type": "message", "role": "assistant", "model": "tiny"}
    return {**first, "content": list(content), "stop_reason": stop_reason, **more}


def plain(body, *, dialect=SERVER, **headers):
    """The generation that a whole answer tells."""
    return generation(AnthropicCodec(dialect).decode_generate(response(body, **headers)))


def encoded(*messages, dialect=SERVER, stream=False, **options):
    """The body that asks, and the warnings."""
    asked = messages or (Message.user("Hi"),)
    request = GenerateRequest(messages=asked, **{"model": "tiny", **options})
    told = AnthropicCodec(dialect).encode_generate(request, stream=stream)
    assert told.path == "/messages"
    return json.loads(told.body), told.warnings
