"""The events of a streamed answer, as they arrive."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from ...core.errors import (
    InvalidResponseError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
)
from ...wire.http import WireResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...core.events import StreamEvent
    from ...wire.codec import StreamDecoder
    from ..http.port import WireStream


ERROR_SECONDS = 5.0
ERROR_BYTES = 65_536
"""How long, and how much of, the body of an error is read."""


def undecodable(error: Exception) -> InvalidResponseError:
    """The answer to a codec that trips over what a server sent."""
    return InvalidResponseError(
        f"the answer cannot be understood ({type(error).__name__} while it was decoded)", sent=True
    )


class HttpEventSource:
    """
    Reads a body and decodes it; what one read brings is handed on together.

    Args:
        body: Where the bytes come from.
        decoder: What they mean.
        idle: Seconds without an event, once there was one, after which it gives up. Comments that
            keep a connection alive are none, and time between two reads does not count.
        until: When the loop's clock shows this, it gives up; the holder sets it to infinity when
            the stream has committed.
        limit: The seconds that *until* was set from, for the error's message.
        awaited: What has to come until then, for the same.
        masked: Takes secrets out of what the server says in an error.
    """

    __slots__ = ("_awaited", "_begun", "_body", "_decoder", "_idle", "_limit", "_masked", "until")

    def __init__(
        self,
        body: WireStream,
        decoder: StreamDecoder,
        *,
        idle: float | None,
        until: float,
        limit: float | None,
        masked: Callable[[ProviderError], ProviderError],
        awaited: str = "first content",
    ) -> None:
        self._masked = masked
        self._awaited = awaited
        self._body = body
        self._decoder = decoder
        self._idle = idle
        self._limit = limit
        self._begun = False
        self.until = until

    async def read(self) -> Sequence[StreamEvent]:
        """The next events; see `EventSource`."""
        decoder, body = self._decoder, self._body
        silent = body.now() + self._idle if self._begun and self._idle is not None else inf
        while decoder.error is None:
            until = min(silent, self.until)
            try:
                data = await body.read(None if until == inf else until - body.now())
            except ProviderConnectionError as error:
                # The answer may be whole all the same: what is missing is only its last word.
                events = self._decoded(b"")
                if decoder.ended:
                    return events
                if isinstance(error, ProviderTimeoutError):
                    raise self._late(until) from error
                raise
            events = self._decoded(data)
            if events:
                self._begun = True
                return events
            if not data and decoder.error is None:
                return ()
        failure, decoder.error = decoder.error, None
        try:
            raise self._masked(failure)
        finally:
            del failure  # its traceback leads here, and must not lead back to it

    def _decoded(self, data: bytes) -> Sequence[StreamEvent]:
        """What *data* means, or the end of the body; a decoder that trips makes it a bad answer."""
        try:
            return self._decoder.feed(data) if data else self._decoder.finish()
        except Exception as error:  # noqa: BLE001 - whatever a server may send
            self._decoder.error = undecodable(error)
            return ()

    def _late(self, until: float) -> ProviderTimeoutError:
        opening = until == self.until
        what, limit = (self._awaited, self._limit) if opening else ("more content", self._idle)
        seconds = "in time" if limit is None else f"within {limit:g} s"
        return ProviderTimeoutError(f"no {what} came {seconds}", limit=limit, sent=True)

    async def drain(self) -> WireResponse:
        """
        The rest of the body as a whole response, for one that is an error.

        Its status says more than what may be wrong with its body, so that is not insisted on.
        """
        pieces: list[bytes] = []
        until = self._body.now() + ERROR_SECONDS
        try:
            while sum(map(len, pieces)) < ERROR_BYTES:
                data = await self._body.read(until - self._body.now())
                if not data:
                    break
                pieces.append(data)
            await self._body.aclose()
        except ProviderError:
            self._body.abort()
        except BaseException:
            self._body.abort()
            raise
        return WireResponse(
            status=self._body.status, headers=self._body.headers, body=b"".join(pieces)
        )

    def abort(self) -> None:
        """Close the connection now."""
        self._body.abort()

    async def aclose(self) -> None:
        """Give the connection back if the answer was whole, else close it."""
        if self._decoder.ended:
            await self._body.aclose()
        else:
            self._body.abort()
