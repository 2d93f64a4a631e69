"""Responses written by hand, for the tests of their decoding."""

import json

from fairlead.wire.openai_chat import Dialect
from fairlead.wire.openai_responses import OpenAIResponsesCodec
from tests.support.chat import generation, response

SERVER = Dialect(name="server")
ORIGIN = "openai_responses:server"


def named(name, **told):
    """One event of a stream."""
    return {"type": f"response.{name}", **told}


def body(*output, status="completed", **more):
    """A whole answer."""
    return {
        "id": "resp-1",
        "object": "response",
        "model": "tiny",
        "status": status,
        "output": list(output),
        **more,
    }


def closing(*output, status="completed", **more):
    """The event that closes a stream."""
    return named(status, response=body(*output, status=status, **more))


def message(text="Hello.", *, id="msg-1", **more):  # noqa: A002 - the field's name
    """An item that is a message."""
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": id, "role": "assistant", "content": [part], **more}


def call(name="tide", arguments="{}", *, id="fc-1", **more):  # noqa: A002
    """An item that is a call."""
    told = {"type": "function_call", "id": id, "call_id": f"call-{id}", "name": name}
    return told | {"arguments": arguments, **more}


def thought(text="Hm.", *, id="rs-1", **more):  # noqa: A002
    """An item that is reasoning, with a summary."""
    return {
        "type": "reasoning",
        "id": id,
        "summary": [{"type": "summary_text", "text": text}],
    } | more


def sse(*events):
    """*events* as server-sent events; bytes go out as they are."""
    return b"".join(
        each
        if isinstance(each, bytes)
        else f"event: {each.get('type')}\ndata: {json.dumps(each)}\n\n".encode()
        for each in events
    )


def events_of(data, *, dialect=SERVER):
    """The events of a streamed body, and the error that it ended in."""
    decoder = OpenAIResponsesCodec(dialect).stream_decoder()
    events = [*decoder.feed(data), *decoder.finish()]
    assert decoder.ended == (decoder.error is None)
    return events, decoder.error


def streamed(*events, dialect=SERVER):
    """The generation that *events* tell."""
    told, error = events_of(sse(*events), dialect=dialect)
    assert error is None
    return generation(told)


def failed(*events, dialect=SERVER):
    """The generation and the error that *events* tell."""
    told, error = events_of(sse(*events), dialect=dialect)
    assert error is not None
    return generation(told), error


def plain(told, *, dialect=SERVER, **headers):
    """The generation that a whole answer tells."""
    codec = OpenAIResponsesCodec(dialect)
    return generation(codec.decode_generate(response(told, **headers)))
