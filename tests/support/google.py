"""A server that speaks generateContent by the mirror, and answers as a provider of ours would."""

from __future__ import annotations

import asyncio
from typing import Any

from fairlead import InvalidResponseError, OfflineProvider, ProviderError, StreamInterruptedError
from fairlead.core.requests import EmbedRequest, GenerateRequest
from fairlead.wire.gemini import GEMINI
from fairlead.wire.gemini.mirror import (
    StreamEncoder,
    decode_embed_request,
    decode_request,
    encode_embeddings,
    encode_error,
    encode_generation,
)
from tests.support.server import LAST_CHUNK, Peer, Received, Server, chunk, head, path

BASE = "/google/v1beta"
MODEL = "gemini-contract"
BEHIND: list[Any] = [OfflineProvider()]
"""Who answers, in the server's own thread."""
_JSON = {"content-type": "application/json; charset=UTF-8"}
_EVENTS = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
_STEERING = {"messages", "texts", "model", "extra", "strict"}


def options(request: GenerateRequest | EmbedRequest) -> dict[str, Any]:
    """What *request* asks for, as keywords."""
    names = (name for name in type(request).__dataclass_fields__ if name not in _STEERING)
    asked = {name: getattr(request, name) for name in names}
    return {name: value for name, value in asked.items() if value not in (None, ())}


async def _serve(server: Server, peer: Peer, request: Received) -> bool:
    """Answer, unless the client hangs up before."""
    answering = asyncio.ensure_future(_answer(peer, request))
    gone = asyncio.ensure_future(peer.until_gone())
    done, waiting = await asyncio.wait({answering, gone}, return_when="FIRST_COMPLETED")
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    return True if gone in done else answering.result()


async def _answer(peer: Peer, request: Received) -> bool:
    try:
        if "mbed" in request.target:
            served = decode_embed_request(request.target, request.body)
            vectors = await BEHIND[0].embed_batch(served.request.texts, **options(served.request))
            body = encode_embeddings(vectors, verb=served.verb, usage=vectors.metadata.usage)
        else:
            asked = decode_request(request.target, request.body)
            call = options(asked.request)
            if asked.stream:
                return await _stream(peer, asked.request, call)
            generation = await BEHIND[0].generate(asked.request.messages, **call)
            body = encode_generation(generation)
    except InvalidResponseError:
        return True  # what was cut off is never said
    except ProviderError as error:
        status = error.status_code or error.verdict.http
        await peer.answer(
            encode_error(error), status=status, headers={**_JSON, "connection": "close"}
        )
        return True
    await peer.answer(body, headers={**_JSON, "connection": "close"})
    return True


async def _stream(peer: Peer, asked: GenerateRequest, call: dict[str, Any]) -> bool:
    stream = await BEHIND[0].generate_stream(asked.messages, **call)
    encoder = StreamEncoder(model=asked.model or "", dialect=GEMINI)
    await peer.send(head(200, _EVENTS))
    try:
        async for event in stream.events():
            if sent := encoder.encode_event(event):
                await peer.send(chunk(sent))
    except StreamInterruptedError as error:
        cause = error.__cause__
        if not isinstance(cause, ProviderError) or cause.status_code is None:
            return True
        await peer.send(chunk(encoder.encode_error(cause)))
    await peer.send(LAST_CHUNK)
    return True


for _verb in (
    *("generateContent", "streamGenerateContent", "countTokens"),
    *("embedContent", "batchEmbedContents"),
):
    path(f"{BASE}/models/{MODEL}:{_verb}")(_serve)
