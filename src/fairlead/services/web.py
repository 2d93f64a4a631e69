"""
Answers on their way to a browser: server-sent events, for any ASGI framework.

::

    @app.get("/ask")
    async def ask(question: str) -> StreamingResponse:
        body = to_sse(provider.generate_stream(question))
        return StreamingResponse(body, media_type=body.media_type, headers=body.headers)
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import anyio

from ..core.closing import Closing
from ..core.errors import ProviderError
from ..core.events import RefusalDelta, StreamEnd, StreamEvent, TextDelta
from ..core.pending import PendingStream
from ..core.results import FinishReason
from ..core.streams import GenerationStream
from ..decorators._tasks import spawn

if TYPE_CHECKING:
    from ..core.usage import Usage


class ServerSent(NamedTuple):
    """
    One server-sent event.

    `data` is sent as JSON. `event` is its name; without one a browser's `EventSource` calls it
    `message`.
    """

    data: Any
    event: str | None = None

    def __bytes__(self) -> bytes:
        name = f"event: {self.event}\n" if self.event else ""
        data = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))
        return f"{name}data: {data}\n\n".encode(errors="replace")


def encode_event(event: StreamEvent) -> ServerSent | None:
    """
    What `to_sse` sends for *event* unless it is told otherwise.

    ::

        data: {"text": "Ahoy"}

        event: refusal
        data: {"text": "I would rather not."}

        event: done
        data: {"finish_reason": "stop", "usage": {"input_tokens": 5, "output_tokens": 2}}

    Everything else, such as reasoning and tool calls, stays here.
    """
    match event:
        case TextDelta(text) if text:
            return ServerSent({"text": text})
        case RefusalDelta(text) if text:
            return ServerSent({"text": text}, "refusal")
        case StreamEnd(finish_reason, usage=usage):
            return ServerSent({"finish_reason": finish_reason, "usage": _counts(usage)}, "done")
        case _:
            return None


def encode_error(error: Exception) -> ServerSent:
    """
    The event that tells a browser of *error*: our HTTP status and its words, never the vendor's.

    ::

        event: error
        data: {"status": 503, "message": "Service Unavailable", "retry_after": 2.5}
    """
    known = error if isinstance(error, ProviderError) else None
    status = known.verdict.http if known else 500
    told: dict[str, Any] = {"status": status, "message": HTTPStatus(status).phrase}
    if known and known.retry_after is not None:
        told["retry_after"] = known.retry_after
    return ServerSent(told, "error")


def _counts(usage: Usage | None) -> dict[str, int] | None:
    if usage is None:
        return None
    counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return {name: count for name, count in counts.items() if count is not None}


def to_sse(
    stream: PendingStream | GenerationStream,
    /,
    *,
    encode: Callable[[StreamEvent], ServerSent | None] = encode_event,
    encode_error: Callable[[Exception], ServerSent] = encode_error,
    keep_alive: float | None = 15.0,
) -> ServerSentEvents:
    """
    *stream* as the body of a response, which stops the provider when its reader leaves.

    An error after the response has begun becomes the last event; before that, it can still
    become the response: `await` the stream first, and hand on what that gives.

    Args:
        stream: A stream that nobody has read. It is closed by the body.
        encode: What is sent for an event; None for nothing.
        encode_error: What is sent when it fails.
        keep_alive: Seconds without an event after which a comment is sent. It keeps proxies from
            hanging up, and lets servers that only notice when they send know that the browser
            has left. None for never.

    Raises:
        TypeError: *stream* is none.
    """
    if not isinstance(stream, (PendingStream, GenerationStream)):
        kind = type(stream).__name__
        msg = f"to_sse() takes a stream, as provider.generate_stream(...) gives it, not {kind}"
        raise TypeError(msg)
    return ServerSentEvents(stream, encode=encode, encode_error=encode_error, keep_alive=keep_alive)


class ServerSentEvents(Closing, AsyncIterator[bytes]):
    """
    The body of a response; see `to_sse`. One task reads it.

    Cancelling its reader, `aclose()`, and dropping it each close the provider's connection.

    Raises:
        Exception: While iterating: something failed that is no `ProviderError`, a mistake in the
            program then. The browser has been told before, as of any error.
    """

    media_type: ClassVar[str] = "text/event-stream"
    headers: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"cache-control": "no-cache", "x-accel-buffering": "no"}
    )
    """Nobody may keep it, and nginx may not hold it back."""

    def __init__(
        self,
        stream: PendingStream | GenerationStream,
        /,
        *,
        encode: Callable[[StreamEvent], ServerSent | None],
        encode_error: Callable[[Exception], ServerSent],
        keep_alive: float | None,
    ) -> None:
        self._source = _Source(stream)
        self._encode = encode
        self._encode_error = encode_error
        self._keep_alive = keep_alive
        self._over = False
        self.error: Exception | None = None
        """What it failed with, for logs: the browser is told less."""

    async def __anext__(self) -> bytes:
        if self._over:
            if self.error is None or isinstance(self.error, ProviderError):
                raise StopAsyncIteration
            raise self.error
        try:
            with anyio.move_on_after(self._keep_alive):
                return await self._next()
        except StopAsyncIteration:
            self._over = True
            raise
        except Exception as error:  # noqa: BLE001 - it is told, and raised again if it is a mistake
            self.error = error
            self.cancel()
            return bytes(self._encode_error(error))
        except BaseException:
            self.cancel()
            raise
        return COMMENT

    async def _next(self) -> bytes:
        """What is to be sent of the events that arrive next."""
        while True:
            events = await self._source.read()
            sent = [bytes(each) for event in events if (each := self._encode(event)) is not None]
            if sent:
                return b"".join(sent)
            if not events:
                raise StopAsyncIteration

    def cancel(self) -> None:
        """Stop the provider now, from any task."""
        self._over = True
        self._source.cancel()

    async def aclose(self) -> None:
        """Be done with it. Idempotent."""
        self._over = True
        await self._source.aclose()

    def __del__(self) -> None:
        if not getattr(self, "_over", True):
            self._source.cancel()


COMMENT = b": keep-alive\n\n"


class _Source:
    """
    Reads a stream in a task of its own, so that waiting for it can be given up and resumed.

    That task holds this object and not the body, which can be dropped while it waits.
    """

    def __init__(self, stream: PendingStream | GenerationStream) -> None:
        self._pending = None if isinstance(stream, GenerationStream) else stream
        self._stream = stream if isinstance(stream, GenerationStream) else None
        self._arrived: anyio.Event | None = None
        self._events: Sequence[StreamEvent] = ()
        self._error: Exception | None = None
        self._cancel_read: Callable[[], None] | None = None
        self._ended = self._cancelled = False

    async def read(self) -> Sequence[StreamEvent]:
        """The events that arrive next, none at the end. Nothing is lost when it is cancelled."""
        if self._arrived is None:
            self._arrived = anyio.Event()
            self._cancel_read = spawn(self._read)
        await self._arrived.wait()
        self._arrived = self._cancel_read = None
        events, error, self._error = self._events, self._error, None
        if error is not None:
            raise error
        return events

    async def _read(self) -> None:
        try:
            self._events = await self._received()
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error
        finally:
            if self._arrived is not None:
                self._arrived.set()

    async def _received(self) -> Sequence[StreamEvent]:
        if self._stream is None:
            assert self._pending is not None
            self._stream = await self._pending
            if self._cancelled:
                self._stream.cancel()
        events = await self._stream.read()
        if not events and not self._ended:  # somebody has cancelled the stream
            events = [StreamEnd(FinishReason.CANCELLED, usage=self._stream.generation.usage)]
        self._ended = self._ended or isinstance(events[-1], StreamEnd)
        return events

    def cancel(self) -> None:
        self._cancelled = True
        if self._stream is not None:
            self._stream.cancel()
        if self._cancel_read is not None:
            self._cancel_read()

    async def aclose(self) -> None:
        if not self._ended:
            self.cancel()
        if self._stream is not None:
            await self._stream.aclose()
