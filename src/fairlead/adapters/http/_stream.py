"""A response whose body is still arriving."""

from __future__ import annotations

from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Protocol

from ...core.errors import ProviderConnectionError, ProviderError, ResponseTooLargeError
from ._decoding import decoder_for
from ._failures import Situation, translated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
    from typing import Any

    from ._decoding import ContentDecoder

GRACE = 0.1
"""Seconds that the end of a body may take once its reader has seen enough."""
_STATUS_SAYS_ALL = 300
"""The first status that counts even if the body cannot be read."""


class Exchange(Protocol):
    """One request that has been answered, as far as the head of the response."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Iterable[tuple[bytes, bytes]]: ...
    @property
    def body(self) -> AsyncIterator[bytes]:
        """Raises `TimeoutError` once `wait_until` has passed."""
        ...

    @property
    def now(self) -> Callable[[], float]: ...
    def wait_until(self, until: float) -> None:
        """Set how long the body may be waited for."""
        ...

    def situation(self, limit: float | None) -> Situation:
        """What to say about a failure."""
        ...

    async def finish(self) -> None:
        """The body has been read to its end: keep the connection."""
        ...

    def abort(self, *, is_reading: bool = False) -> None:
        """
        Close the connection now. Idempotent, from any thread, and raises nothing.

        Args:
            is_reading: Whether a task is inside of `body`, which will then see an error.
        """
        ...


class BodyStream:
    """
    See `WireStream`; closes its connection when it is dropped.

    Raises:
        InvalidResponseError: A success is compressed in a way that we do not know.
    """

    def __init__(self, exchange: Exchange, *, max_bytes: int) -> None:
        self._exchange: Exchange | None = exchange
        self._place = exchange.situation(None).place
        self.now = exchange.now
        self._body = exchange.body
        self._left = self._encoded_left = self._max_bytes = max_bytes
        self._is_reading = self._has_ended = False
        self._status = exchange.status
        self._headers = _by_name(exchange.headers)
        encoding = self._headers.get("content-encoding", "")
        self._decoder = decoder_for(encoding, needed=self._status < _STATUS_SAYS_ALL)

    @property
    def status(self) -> int:
        return self._status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._headers

    def read(self, within: float | None) -> Coroutine[Any, Any, bytes]:
        until = inf if within is None else self.now() + within
        return self.read_until(until, limit=within)

    async def read_until(self, until: float, *, limit: float | None) -> bytes:
        """As `read`, by the event loop's clock; *limit* is what an error says."""
        exchange = self._exchange
        if exchange is None:
            if self._has_ended:
                return b""
            raise self._closed()
        exchange.wait_until(until)
        self._is_reading = True
        try:
            if self._decoder is None:
                data = await anext(self._body, b"")
            else:
                data = await self._decoded(self._decoder)
            if not data:
                await exchange.finish()
                self._exchange, self._has_ended = None, True
            self._left -= len(data)
            if self._left < 0:
                raise self._too_large()
        except BaseException as error:
            self._is_reading = False
            was_closed = self._exchange is None
            self.abort()
            if not isinstance(error, Exception):
                raise
            if was_closed:
                raise self._closed() from error
            failure = translated(error, exchange.situation(limit))
            if failure is error:
                raise
            raise failure from error
        self._is_reading = False
        return data

    async def _decoded(self, decoder: ContentDecoder) -> bytes:
        while not (data := decoder.take()):
            if not (encoded := await anext(self._body, b"")):
                decoder.finish()
                break
            self._encoded_left -= len(encoded)
            if self._encoded_left < 0:
                raise self._too_large()
            decoder.feed(encoded)
        return data

    def _too_large(self) -> ResponseTooLargeError:
        return ResponseTooLargeError(
            f"the response of {self._place} is larger than {self._max_bytes:,} bytes; raise "
            "max_response_bytes if that is as it should be",
            sent=True,
        )

    def _closed(self) -> ProviderConnectionError:
        return ProviderConnectionError(
            f"the response of {self._place} was closed before its end", sent=True
        )

    def abort(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        exchange.abort(is_reading=self._is_reading)

    async def aclose(self) -> None:
        try:
            until = self.now() + GRACE
            while self._exchange is not None:
                await self.read_until(until, limit=GRACE)
        except ProviderError:
            pass
        finally:
            self.abort()

    def __del__(self) -> None:
        if hasattr(self, "_decoder"):  # else it was never handed out
            self.abort()


def _by_name(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def run_to_end(body: AsyncIterator[bytes]) -> None:
    """
    Read a body whose connection has been closed to its end, which is an error, without waiting.

    httpcore's bodies are asynchronous generators, and one that is dropped halfway would make
    asyncio start a task and trio warn. All they still await are checkpoints.
    """
    with suppress(Exception):
        while True:
            run(anext(body))


def run(awaitable: Awaitable[object]) -> None:
    """Run what has nothing left to wait for, passing over its checkpoints."""
    step = awaitable.__await__()
    with suppress(StopIteration):
        while True:
            next(step)
