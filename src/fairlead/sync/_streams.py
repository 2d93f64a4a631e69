"""Streams for synchronous readers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Self, TypeVar

import anyio

from ..core.errors import StreamConsumedError
from ..core.events import StreamEvent, TextDelta

if TYPE_CHECKING:
    from types import TracebackType

    from ..core.pending import PendingStream
    from ..core.results import Generation
    from ..core.streams import GenerationStream
    from ._loop import BackgroundLoop

T = TypeVar("T")


class SyncStream(Iterator[str]):
    """
    An answer as it arrives.

    Nothing is sent before it is used, once, by

    - `with provider.generate_stream(...) as stream:`, the form for leaving early;
    - `for text in provider.generate_stream(...):`;
    - `generation = provider.generate_stream(...).collect()`.

    Dropped unread, in whatever thread, it closes its connection. One thread reads at a time; any
    may call `cancel()`.

    Raises:
        ProviderError: When it is opened.
        StreamInterruptedError: While iterating: it failed. Nothing retries it.
        StreamConsumedError: It has ended or was closed before; ask for a new one.
        RuntimeError: It is used in the background loop's own thread, or in a forked child.
    """

    def __init__(self, loop: BackgroundLoop, pending: PendingStream) -> None:
        self._loop = loop
        self._reading = _Reading(pending)
        self._arrived: Iterator[StreamEvent] = iter(())
        self._over = False

    def __iter__(self) -> Self:
        self._check()
        return self

    def __next__(self) -> str:
        while True:
            for event in self._arrived:
                if type(event) is TextDelta and event.text:
                    return event.text
            self._receive()

    def events(self) -> Iterator[StreamEvent]:
        """Everything that arrives, in place of the words alone."""
        self._check()
        return _Events(self)

    def collect(self) -> Generation:
        """
        Read what is left, and return the whole result.

        Raises:
            StreamConsumedError: It was closed before its end; `generation` is what had arrived.
        """
        self._arrived = iter(())
        return self._run(self._reading.collect)

    @property
    def generation(self) -> Generation:
        """
        The whole result, once the stream has ended; what had been received, if it ended early.

        Raises:
            RuntimeError: It has not ended; iterate it, or call `collect()`.
        """
        stream = self._reading.stream
        if stream is None:
            raise RuntimeError("the stream was not opened: iterate it to its end, or collect() it")
        return stream.generation

    def cancel(self) -> None:
        """Stop it now, from any thread. Its reader's iteration ends; `generation` stays."""
        self._over, self._arrived = True, iter(())
        if self._loop.is_here:
            self._reading.cancel()
        else:
            self._loop.run(self._reading.cancelled)

    def close(self) -> None:
        """Be done with it. Ended streams give their connection back, others close it."""
        self._over, self._arrived = True, iter(())
        self._loop.run(self._reading.aclose)

    def __enter__(self) -> Self:
        self._check()
        self._run(self._reading.open)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_over", True):
            self._loop.run_soon(self._reading.cancel)

    def _receive(self) -> None:
        """Wait for what arrives next; all that is there already comes along, in one go."""
        events = () if self._over else self._run(self._reading.read)
        self._arrived = iter(events)
        if not events:
            self._over = True
            raise StopIteration

    def _run(self, start: Callable[[], Awaitable[T]]) -> T:
        try:
            return self._loop.run(start)
        except BaseException:
            self._over = True
            self._loop.run_soon(self._reading.cancel)
            raise

    def _check(self) -> None:
        if self._over:
            raise _consumed()


class _Events(Iterator[StreamEvent]):
    """Iterates the events of a stream."""

    def __init__(self, stream: SyncStream) -> None:
        self._stream = stream

    def __next__(self) -> StreamEvent:
        stream = self._stream
        while True:
            for event in stream._arrived:  # noqa: SLF001 - one class in two shapes
                return event
            stream._receive()  # noqa: SLF001


class _Reading:
    """The half of a stream that lives in the background loop."""

    def __init__(self, pending: PendingStream) -> None:
        self.stream: GenerationStream | None = None
        self._pending = pending
        self._opening: anyio.CancelScope | None = None
        self._cancelled = False

    async def open(self) -> None:
        if self.stream is None and not self._cancelled:
            with anyio.CancelScope() as self._opening:
                self.stream = await self._pending
            if self._cancelled:
                self.cancel()

    async def read(self) -> Sequence[StreamEvent]:
        """All that has arrived, at least one event; none at the end."""
        await self.open()
        return () if self.stream is None else await self.stream.read()

    async def collect(self) -> Generation:
        await self.open()
        if self.stream is None:
            raise _consumed()
        return await self.stream.collect()

    def cancel(self) -> None:
        self._cancelled = True
        if self._opening is not None:
            self._opening.cancel()
        if self.stream is not None:
            self.stream.cancel()

    async def cancelled(self) -> None:
        self.cancel()

    async def aclose(self) -> None:
        if self.stream is None:
            self.cancel()
        else:
            await self.stream.aclose()


def _consumed() -> StreamConsumedError:
    return StreamConsumedError(
        "this stream has ended or was closed; call generate_stream() again for a new one"
    )
