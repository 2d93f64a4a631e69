"""generateContent written by hand, for the tests of its encoding and decoding."""

import json

from fairlead.core.collector import Collector
from fairlead.core.requests import generate_request
from fairlead.core.results import Metadata
from fairlead.wire.gemini import GEMINI, GeminiCodec
from fairlead.wire.http import WireResponse

MODEL = "gemini-3.8-flash"


def encoded(prompt="Hello", *, dialect=GEMINI, stream=False, **options):
    """The body that is sent for *prompt*, what was changed, and where it goes."""
    options = {"model": MODEL, **options}
    request, _ = generate_request(prompt, options)
    told = GeminiCodec(dialect).encode_generate(request, stream=stream)
    return json.loads(told.body), told.warnings, told.path


def body(prompt="Hello", **options):
    """The body that is sent for *prompt*, of which nothing had to be changed."""
    told, warnings, _ = encoded(prompt, **options)
    assert not warnings
    return told


def answer(*parts, finish="STOP", candidate=None, **more):
    """The body of a whole answer, or one chunk of a stream."""
    told = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **(candidate or {})}
    if finish:
        told["finishReason"] = finish
    return {"candidates": [told], "modelVersion": "tiny", "responseId": "r-1", **more}


def chunk(*parts, **more):
    """One chunk of a stream that goes on."""
    return answer(*parts, finish=None, **more)


def sse(*chunks):
    """*chunks* as Google frames them; bytes go out as they are."""
    return b"".join(
        each if isinstance(each, bytes) else b"data: " + json.dumps(each).encode() + b"\r\n\r\n"
        for each in chunks
    )


def events_of(stream, *, size=None, dialect=GEMINI, **how):
    """The events of a streamed body, and the error that it ended in."""
    from fairlead.wire.gemini import GeminiStreamDecoder

    decoder = GeminiStreamDecoder(dialect, **how)
    step = size or max(len(stream), 1)
    events = []
    for start in range(0, len(stream), step):
        events += decoder.feed(stream[start : start + step])
    events += decoder.finish()
    assert decoder.ended == (decoder.error is None)
    assert not decoder.feed(b"data: {}\n\n")
    assert not decoder.finish()
    return events, decoder.error


def streamed(*chunks, size=None):
    """The generation that *chunks* tell."""
    events, error = events_of(sse(*chunks), size=size)
    assert error is None
    return generation(events)


def failed(*chunks, **how):
    """The generation and the error that *chunks* tell."""
    events, error = events_of(sse(*chunks), **how)
    assert error is not None
    return generation(events), error


def response(told, status=200, **headers):
    """A response, JSON unless it is bytes."""
    raw = told if isinstance(told, bytes) else json.dumps(told).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WireResponse(
        status=status, headers={"content-type": "application/json", **named}, body=raw
    )


def plain(told, *, dialect=GEMINI, **headers):
    """The generation that a whole answer tells."""
    return generation(GeminiCodec(dialect).decode_generate(response(told, **headers)))


def generation(events):
    """What *events* tell."""
    return Collector(events).generation(Metadata(provider="test"))
