"""A server that speaks Messages, for the contract: it plays scripts, or answers by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairlead import OfflineProvider
from fairlead.core.collector import events_of
from fairlead.core.errors import ProviderError
from fairlead.core.events import StreamEnd, TextDelta
from fairlead.core.requests import GenerateRequest
from fairlead.core.results import FinishReason
from fairlead.testing import CUT, Pause
from fairlead.wire.anthropic.mirror import (
    StreamEncoder,
    decode_request,
    encode_error,
    encode_generation,
)
from tests.support.answers import JSON, SSE, Answer
from tests.support.server import Peer, Received, Server, path

_ASKED = ("model", "max_tokens", "tools", "tool_choice", "response_format", "stop_sequences")


def played(lines: Sequence[Any]) -> Answer:
    """The response that *lines*, those of a `ScriptedProvider`, stand for."""
    first = lines[0]
    if isinstance(first, ProviderError):
        wait = first.retry_after
        headers = () if wait is None else (("retry-after", f"{wait:g}"),)
        status = first.status_code or 500
        return Answer([encode_error(first)], status=status, content_type=JSON, headers=headers)
    encoder = StreamEncoder(response_id="msg_1", model="tiny")
    pieces: list[bytes] = []
    for line in lines:
        if line is CUT:
            return Answer(pieces, ending="cut")
        if isinstance(line, Pause):
            return Answer(pieces, ending="stall")
        if isinstance(line, ProviderError):
            return Answer([*pieces, encoder.encode_error(line)])
        pieces.append(encoder.encode_event(TextDelta(line)))
    return Answer([*pieces, encoder.encode_event(StreamEnd(FinishReason.STOP))])


@path("/offline/v1/messages")
async def _offline(server: Server, peer: Peer, request: Received) -> None:
    """What `OfflineProvider` says, whatever is asked."""
    served = decode_request(request.body)
    generation = await OfflineProvider().generate(
        served.request.messages, **_options(served.request)
    )
    if served.stream:
        encoder = StreamEncoder()
        body = b"".join(map(encoder.encode_event, events_of(generation)))
    else:
        body = encode_generation(generation)
    kind = SSE if served.stream else JSON
    await peer.answer(body, headers={"content-type": kind})


def _options(request: GenerateRequest) -> dict[str, Any]:
    return {name: value for name in _ASKED if (value := getattr(request, name))}
