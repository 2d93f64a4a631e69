"""
Streams as objects.

Between a caller and a socket stand class iterators, never async generators: an object can close
its connection synchronously in its finaliser, be cancelled from another task, and tell what it
has received so far.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self, TypeVar

from .closing import Closing
from .collector import Collector
from .commit import CommitGate
from .errors import InvalidResponseError, ProviderError, StreamConsumedError, StreamInterruptedError
from .events import (
    EventFilter,
    EventSource,
    StreamEvent,
    TextDelta,
)
from .journal import Attempt, Outcome
from .outcomes import StreamOutcome, call_all, is_cut, priced, truncated
from .results import FinishReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .outcomes import Reckon
    from .results import Generation, Metadata

T = TypeVar("T")


class GenerationStream(Closing):
    """
    An answer that is arriving, committed: its reader will be shown something, or it is empty.

    Iterating yields the words as plain `str`; `events()` yields everything. Read it to its end,
    or leave `async with`, or call `cancel()`; dropped unread, it closes its connection in its
    finaliser. One task reads at a time, and each event is delivered once.

    Raises:
        StreamInterruptedError: While iterating: the stream failed. Nothing retries it.
    """

    __slots__ = (
        "__weakref__",
        "_buffered",
        "_collector",
        "_error",
        "_finishers",
        "_interruption",
        "_metadata",
        "_on_close",
        "_outcome",
        "_pending",
        "_reading",
        "_received",
        "_reckon",
        "_source",
        "_taps",
    )

    def __init__(
        self, source: EventSource, metadata: Metadata, buffered: Sequence[StreamEvent] = ()
    ) -> None:
        self._buffered = buffered
        self._outcome: Outcome | None = None
        self._error: ProviderError | None = None
        self._interruption: ProviderError | None = None
        """What its reader has yet to be told."""
        self._source = source
        self._metadata = metadata
        self._collector = Collector()
        self._pending: Iterator[StreamEvent] = iter(())
        self._reading = False
        self._received: Generation | None = None
        self._reckon: Reckon | None = None
        self._taps: list[Callable[[StreamEvent], Iterable[StreamEvent]]] = []
        self._on_close: list[Callable[[StreamOutcome], None]] = []
        self._finishers: list[Callable[[StreamOutcome], Awaitable[None]]] = []

    @classmethod
    async def open(
        cls,
        source: EventSource,
        metadata: Metadata,
        *,
        commit: Literal["text", "any", "end"] = "text",
    ) -> GenerationStream:
        """
        Read *source* until the stream commits.

        Args:
            source: Where the events come from; aborted if this raises.
            metadata: What is known before the first event.
            commit: What commits: `"text"`, what a reader of text is shown; `"any"`, reasoning
                too; `"end"`, nothing but the end.

        Raises:
            ProviderError: It failed before that; to every policy an ordinary failed call.
        """
        buffered: list[StreamEvent] = []
        gate = CommitGate(commit)
        try:
            while True:
                batch = await source.read()
                buffered += batch
                if gate.opens(batch):
                    break
                if not batch:
                    raise InvalidResponseError(_CUT)
            if is_cut(batch) and (error := truncated(Collector(buffered).generation(metadata))):
                raise error
        except BaseException:
            source.abort()
            raise
        stream = cls(source, metadata, buffered)
        if gate.overflow:
            metadata.journal.record(
                Attempt(
                    outcome=Outcome.NOTED,
                    provider=metadata.provider,
                    model=metadata.model,
                    reason=f"committed before its first text: {gate.overflow}",
                )
            )
        return stream

    def __repr__(self) -> str:
        who = ":".join(part for part in (self._metadata.provider, self._metadata.model) if part)
        return f"<GenerationStream of {who}, {self._outcome or 'open'}>"

    if not TYPE_CHECKING:  # pragma: no branch - type checkers say it sooner

        def __iter__(self) -> NoReturn:
            raise TypeError(NOT_ASYNC)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while True:
            for event in self._pending:
                if type(event) is TextDelta and event.text:
                    return event.text
            if not await self._advance():
                raise StopAsyncIteration

    def events(self) -> AsyncIterator[StreamEvent]:
        """Everything that arrives, in place of the words alone."""
        return _Events(self)

    async def read(self) -> Sequence[StreamEvent]:
        """
        The events that have arrived, at least one; none at the end.

        For readers to whom each wait is dear, as one in another thread.
        """
        while not (arrived := tuple(self._pending)):
            if not await self._advance():
                break
        return arrived

    async def collect(self) -> Generation:
        """
        Read what is left, and return the whole result.

        Raises:
            StreamConsumedError: It was closed before its end; `generation` is what had arrived.
        """
        if self._interruption is None and self._outcome in {Outcome.ABANDONED, Outcome.INTERRUPTED}:
            msg = "this stream was closed before its end; its generation is what had arrived"
            raise StreamConsumedError(msg)
        while await self._advance():
            pass
        return self.generation

    @property
    def generation(self) -> Generation:
        """
        The whole result, once the stream has ended; what had been received, if it ended early.

        Raises:
            RuntimeError: It has not ended; iterate it, or await `collect()`.
        """
        if self._outcome is None and not self._collector.ended:
            msg = "the stream has not ended yet: iterate it to its end, or await collect()"
            raise RuntimeError(msg)
        return self.received

    @property
    def received(self) -> Generation:
        """What has been received so far."""
        if self._received is not None:
            return self._received
        reason = None
        if self._outcome is not None:
            interrupted = self._outcome is Outcome.INTERRUPTED
            reason = FinishReason.ERROR if interrupted else FinishReason.CANCELLED
        generation = self._collector.generation(self._metadata, finish_reason=reason)
        if self._outcome is not None:
            self._received = generation
        return generation

    @property
    def metadata(self) -> Metadata:
        """What was known when the stream was opened."""
        return self._metadata

    def warned(self, *warnings: str) -> Self:
        """Add *warnings* to what `generation` will say."""
        return self.described(warnings=(*self._metadata.warnings, *warnings))

    def described(self, **facts: Any) -> Self:
        """Change what `generation` will say besides the events: fields of `Metadata`."""
        self._metadata = self._metadata.with_(**facts)
        return self

    def cancel(self) -> None:
        """
        Stop it now, from any task. Its reader's iteration ends; `generation` is what had arrived.

        Synchronous: nothing waits, and the connection is closed at the loop's next turn at the
        latest.
        """
        self._close(Outcome.ABANDONED)

    def interrupt(self, error: ProviderError) -> None:
        """Let it fail now with *error*, from any task, if it has not ended."""
        if self._outcome is None and not self._collector.ended:
            self._interruption = error
            self._close(Outcome.INTERRUPTED, error)

    async def aclose(self) -> None:
        """Be done with it. Ended streams give their connection back, others close it."""
        if not self._collector.ended:
            self._close(Outcome.ABANDONED)
        try:
            await self._source.aclose()
        finally:
            self._close(Outcome.SUCCEEDED)
        await self._finish()

    def __del__(self) -> None:
        if getattr(self, "_source", None) is not None:
            self._close(Outcome.ABANDONED)

    # The hooks of policies, registered in `handle` once the stream is open, innermost first.

    def on_close(self, callback: Callable[[StreamOutcome], None]) -> None:
        """Call *callback* once, synchronously, when the stream has ended in whatever way."""
        if self._outcome is not None:
            callback(StreamOutcome(self._outcome, self._error, self))
        else:
            self._on_close.append(callback)

    def finish(self, callback: Callable[[StreamOutcome], Awaitable[None]]) -> None:
        """
        Await *callback* before the iteration ends, or in `aclose()`.

        A courtesy, not a promise: it is not run when the reader is cancelled or leaves.
        """
        self._finishers.append(callback)

    def reckon(self, cost: Reckon) -> None:
        """Let the end tell what *cost* makes of it, if it tells none. The first one is kept."""
        self._reckon = self._reckon or cost

    def tee(self, callback: Callable[[StreamEvent], None]) -> None:
        """Show *callback* each event on its way to the reader."""

        def tap(event: StreamEvent) -> Iterable[StreamEvent]:
            callback(event)
            return (event,)

        self._taps.append(tap)

    def transform(self, event_filter: EventFilter) -> None:
        """Pass each event through *event_filter* on its way to the reader."""
        self._taps.append(event_filter.feed)

    async def _advance(self) -> bool:
        """Receive more events, or end."""
        if self._outcome is not None or self._collector.ended:
            await self.aclose()
            return self._ended()
        if self._reading:
            msg = "another task is reading this stream; only one may at a time"
            raise StreamConsumedError(msg)
        self._reading = True
        try:
            batch, self._buffered = self._buffered, ()
            if not batch:
                batch = await self._source.read()
            if not batch:
                raise InvalidResponseError(_CUT)
            if self._reckon is not None:
                batch = priced(batch, self._reckon, self._collector.model or self._metadata.model)
            self._take(self._tapped(batch))
        except ProviderError as error:
            if self._outcome is not None:
                return self._ended()
            self._close(Outcome.INTERRUPTED, error)
            await self._finish()
            raise self._interrupted(error) from error
        except BaseException:
            self._close(Outcome.ABANDONED)
            raise
        else:
            return self._outcome is None or self._ended()
        finally:
            self._reading = False

    def _ended(self) -> bool:
        """False, once its reader has been told why if it did not end well."""
        error, self._interruption = self._interruption, None
        if error is not None:
            raise self._interrupted(error) from error
        return False

    def _take(self, shown: Sequence[StreamEvent]) -> None:
        for event in shown:
            self._collector.add(event)
        self._pending = iter(shown)
        if is_cut(shown):
            self._interruption = truncated(self.received)

    def _tapped(self, batch: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        """What the reader is shown of *batch*: nothing any more if it has been closed meanwhile."""
        if self._outcome is None:
            for tap in self._taps:
                batch = [shown for event in batch for shown in tap(event)]
        return batch if self._outcome is None else ()

    def _close(self, outcome: Outcome, error: ProviderError | None = None) -> None:
        if self._outcome is not None:
            return
        if self._collector.ended:
            error = self._interruption
            outcome = Outcome.SUCCEEDED if error is None else Outcome.INTERRUPTED
        self._outcome, self._error = outcome, error
        self._pending = iter(())
        try:
            self._source.abort()
        finally:
            callbacks, self._on_close = self._on_close, []
            if callbacks:
                call_all(callbacks, StreamOutcome(outcome, error, self))

    async def _finish(self) -> None:
        finishers, self._finishers = self._finishers, []
        outcome = StreamOutcome(self._outcome or Outcome.ABANDONED, self._error, self)
        # An error's traceback leads to the reader, and from there to this stream.
        self._error = None
        for finisher in finishers:
            await finisher(outcome)

    def _interrupted(self, error: ProviderError) -> StreamInterruptedError:
        interrupted = StreamInterruptedError(
            f"the stream was interrupted: {error.message}",
            partial=self.received,
            provider=error.provider or self._metadata.provider,
            model=error.model or self._metadata.model,
            status_code=error.status_code,
            code=error.code,
            request_id=error.request_id,
            retry_after=error.retry_after,
            sent=True,
        )
        interrupted.journal = self._metadata.journal
        return interrupted


_CUT = "the stream ended before the format's own end"
NOT_ASYNC = "a stream is read with `async for`; in synchronous code use fairlead.sync"


class _Events:
    """Iterates the events of a stream."""

    __slots__ = ("_stream",)

    def __init__(self, stream: GenerationStream) -> None:
        self._stream = stream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamEvent:
        stream = self._stream
        while True:
            for event in stream._pending:  # noqa: SLF001 - one class in two shapes
                return event
            if not await stream._advance():  # noqa: SLF001
                raise StopAsyncIteration
