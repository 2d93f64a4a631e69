"""Chat Completions written by hand, for the tests of their decoding."""

import json

from fairlead.core.collector import Collector
from fairlead.core.results import Metadata
from fairlead.wire.http import WireResponse
from fairlead.wire.openai_chat import Dialect, OpenAIChatCodec

SERVER = Dialect(name="server")
DONE = b"data: [DONE]\n\n"


def chunk(delta=None, *, finish_reason=None, choice=None, **more):
    """One chunk of a stream."""
    first = {"index": 0, "delta": delta or {}, "finish_reason": finish_reason, **(choice or {})}
    return {"id": "chat-1", "model": "tiny", "choices": [first], **more}


def sse(*chunks):
    """*chunks* as server-sent events; bytes go out as they are."""
    return b"".join(
        each if isinstance(each, bytes) else b"data: " + json.dumps(each).encode() + b"\n\n"
        for each in chunks
    )


def events_of(body, *, dialect=SERVER, size=None):
    """The events of a streamed *body*, and the error that it ended in."""
    decoder = OpenAIChatCodec(dialect).stream_decoder()
    step = size or max(len(body), 1)
    pieces = [body[start : start + step] for start in range(0, len(body), step)]
    events = [event for piece in pieces for event in decoder.feed(piece)]
    events += decoder.finish()
    return events, decoder.error


def streamed(*chunks, dialect=SERVER, size=None):
    """The generation that *chunks* tell."""
    events, error = events_of(sse(*chunks), dialect=dialect, size=size)
    assert error is None
    return generation(events)


def failed(*chunks, dialect=SERVER):
    """The generation and the error that *chunks* tell."""
    events, error = events_of(sse(*chunks), dialect=dialect)
    assert error is not None
    return generation(events), error


def answer(message=None, *, finish_reason="stop", choice=None, **more):
    """The body of a whole answer."""
    first = {"index": 0, "message": message or {}, "finish_reason": finish_reason}
    return {"id": "chat-1", "model": "tiny", "choices": [{**first, **(choice or {})}], **more}


def response(body, status=200, **headers):
    """A response with *body*, which is JSON unless it is bytes."""
    told = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WireResponse(
        status=status, headers={"content-type": "application/json", **named}, body=told
    )


def plain(body, *, dialect=SERVER, **headers):
    """The generation that a whole answer tells."""
    return generation(OpenAIChatCodec(dialect).decode_generate(response(body, **headers)))


def generation(events):
    """What *events* tell."""
    return Collector(events).generation(Metadata(provider="test"))
