"""A server that speaks Ollama's format, for the contract: it plays scripts, or answers itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairlead import OfflineProvider
from fairlead.core.errors import ProviderError
from fairlead.core.events import StreamEnd, TextDelta
from fairlead.core.requests import GenerateRequest
from fairlead.core.results import FinishReason
from fairlead.testing import CUT, Pause
from fairlead.wire.ollama.mirror import (
    StreamEncoder,
    decode_embed_request,
    decode_request,
    encode_embeddings,
    encode_error,
    encode_generation,
)
from tests.support.answers import JSON, Answer
from tests.support.server import Peer, Received, Server, path

NDJSON = "application/x-ndjson"
_ASKED = ("model", "max_tokens", "response_format", "stop_sequences")


def played(lines: Sequence[Any]) -> Answer:
    """The response that *lines*, those of a `ScriptedProvider`, stand for."""
    first = lines[0]
    if isinstance(first, ProviderError):
        wait = first.retry_after
        headers = () if wait is None else (("retry-after", f"{wait:g}"),)
        status = first.status_code or 500
        return Answer([encode_error(first)], status=status, content_type=JSON, headers=headers)
    encoder = StreamEncoder(model="tiny")
    pieces: list[bytes] = []
    for line in lines:
        if line is CUT:
            return Answer(pieces, content_type=NDJSON, ending="cut")
        if isinstance(line, Pause):
            return Answer(pieces, content_type=NDJSON, ending="stall")
        if isinstance(line, ProviderError):
            return Answer([*pieces, encoder.encode_error(line)], content_type=NDJSON)
        pieces.append(encoder.encode_event(TextDelta(line)))
    end = encoder.encode_event(StreamEnd(FinishReason.STOP))
    return Answer([*pieces, end], content_type=NDJSON)


@path("/offline/api/chat")
async def _chat(server: Server, peer: Peer, request: Received) -> None:
    """What `OfflineProvider` says, whatever is asked."""
    served = decode_request(request.body)
    offline, options = OfflineProvider(), _options(served.request)
    if served.stream:
        encoder = StreamEncoder()
        async with offline.generate_stream(served.request.messages, **options) as stream:
            body = b"".join([encoder.encode_event(event) async for event in stream.events()])
    else:
        body = encode_generation(await offline.generate(served.request.messages, **options))
    await peer.answer(body, headers={"content-type": NDJSON if served.stream else JSON})


@path("/offline/api/embed")
async def _embed(server: Server, peer: Peer, request: Received) -> None:
    """The vectors of `OfflineProvider`."""
    asked = decode_embed_request(request.body)
    vectors = await OfflineProvider().embed_batch(asked.texts)
    body = encode_embeddings(vectors, model="tiny", usage=vectors.metadata.usage)
    await peer.answer(body, headers={"content-type": JSON})


def _options(request: GenerateRequest) -> dict[str, Any]:
    return {name: value for name in _ASKED if (value := getattr(request, name))}
