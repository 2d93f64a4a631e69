"""The events of a streamed answer, as they arrive."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from ...core.errors import ProviderTimeoutError
from ...wire.http import WireResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.events import StreamEvent
    from ...wire.codec import StreamDecoder
    from ..http.port import WireStream


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
    """

    __slots__ = ("_awaited", "_begun", "_body", "_decoder", "_idle", "_limit", "until")

    def __init__(
        self,
        body: WireStream,
        decoder: StreamDecoder,
        *,
        idle: float | None,
        until: float,
        limit: float | None,
        awaited: str = "first content",
    ) -> None:
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
            except ProviderTimeoutError as error:
                raise self._late(until) from error
            events = decoder.feed(data) if data else decoder.finish()
            if events:
                self._begun = True
                return events
            if not data and decoder.error is None:
                return ()
        raise decoder.error

    def _late(self, until: float) -> ProviderTimeoutError:
        opening = until == self.until
        what, limit = (self._awaited, self._limit) if opening else ("more content", self._idle)
        seconds = "in time" if limit is None else f"within {limit:g} s"
        return ProviderTimeoutError(f"no {what} came {seconds}", limit=limit, sent=True)

    async def drain(self) -> WireResponse:
        """The rest of the body as a whole response, for one that is an error."""
        pieces: list[bytes] = []
        try:
            while data := await self._body.read(
                None if self.until == inf else self.until - self._body.now()
            ):
                pieces.append(data)
            await self._body.aclose()
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
