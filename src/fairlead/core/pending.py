"""A stream before it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

from .errors import StreamConsumedError
from .streams import NOT_ASYNC, GenerationStream

if TYPE_CHECKING:
    from types import TracebackType

    from .events import StreamEvent
    from .results import Generation

T = TypeVar("T")


class PendingStream:
    """
    A stream that nobody has asked for yet.

    Nothing is sent before it is used, once, by

    - `async with provider.generate_stream(...) as stream:`, the form for leaving early;
    - `async for text in provider.generate_stream(...):`;
    - `stream = await provider.generate_stream(...)`.

    Raises:
        StreamConsumedError: It was used before.
    """

    __slots__ = ("_open", "_stream")

    def __init__(self, open: Callable[[], Awaitable[GenerationStream]]) -> None:  # noqa: A002
        self._open: Callable[[], Awaitable[GenerationStream]] | None = open
        self._stream: GenerationStream | None = None

    def _take(self) -> Callable[[], Awaitable[GenerationStream]]:
        if self._open is None:
            msg = "this stream was used before; call generate_stream() again for a new one"
            raise StreamConsumedError(msg)
        opener, self._open = self._open, None
        return opener

    def __await__(self) -> Generator[Any, Any, GenerationStream]:
        return self._take()().__await__()

    if not TYPE_CHECKING:  # pragma: no branch - type checkers say it sooner

        def __iter__(self) -> NoReturn:
            raise TypeError(NOT_ASYNC)

    def __aiter__(self) -> AsyncIterator[str]:
        return _Opening(self._take(), GenerationStream.__aiter__)

    def events(self) -> AsyncIterator[StreamEvent]:
        """Everything that arrives, in place of the words alone."""
        return _Opening(self._take(), GenerationStream.events)

    async def collect(self) -> Generation:
        """Open it, read it to its end, and return the whole result."""
        async with self as stream:
            return await stream.collect()

    async def __aenter__(self) -> GenerationStream:
        self._stream = await self._take()()
        return self._stream

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            await self._stream.aclose()


class _Opening(Generic[T]):
    """
    Opens a stream at the first step, then iterates it.

    It alone holds the stream, so that leaving the loop drops both.
    """

    __slots__ = ("_iterate", "_next", "_opening")

    def __init__(
        self,
        opening: Callable[[], Awaitable[GenerationStream]],
        iterate: Callable[[GenerationStream], AsyncIterator[T]],
    ) -> None:
        self._opening: Callable[[], Awaitable[GenerationStream]] | None = opening
        self._iterate = iterate
        self._next: Callable[[], Awaitable[T]] | None = None

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[T]:
        return self._first() if self._next is None else self._next()

    async def _first(self) -> T:
        opening, self._opening = self._opening, None
        if opening is None:
            msg = "this stream could not be opened; call generate_stream() again for a new one"
            raise StreamConsumedError(msg)
        self._next = self._iterate(await opening()).__anext__
        return await self._next()
