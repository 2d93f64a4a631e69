"""
One call that is shared, and those who wait for it.

It is made in a task of its own, and belongs to nobody who waits. What it brings is kept in one
list, which each waiter reads at its own pace.
"""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, cast
from weakref import ref

import anyio

from ..core.calls import Deadline, T
from ..core.commit import size_of
from ..core.errors import (
    AllTargetsFailedError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    ResponseTooLargeError,
    StreamInterruptedError,
)
from ..core.events import StreamEnd
from ..core.journal import Attempt, Journal, Outcome
from ..core.refusals import RefusedError
from ..core.retold import metadata_of, retold
from ..core.streams import GenerationStream
from ..core.usage import Cost
from ._tasks import scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ..core.calls import Call
    from ..core.events import StreamEvent
    from ..core.outcomes import StreamOutcome
    from ..core.results import Metadata
    from ..core.usage import Usage
    from ._tasks import Hosted

GRACE = 1.0
"""Seconds that a flight whose time is over has to say so itself."""
SHARED = "the answer to another call that asked the same at the same time"


class AskAnewError(Exception):
    """Somebody else was refused; that is no answer."""


class Seat:
    """Someone who waits for a flight, and reads what it brings: the source of a stream."""

    __slots__ = ("_event", "_gone", "call", "flight", "pays", "position", "stream")

    def __init__(self, flight: Flight[Any], call: Call[Any]) -> None:
        self.flight: Flight[Any] = flight
        self.call: Call[Any] = call
        self.position: int = 0
        self.pays: bool = False
        self.stream: ref[GenerationStream] | None = None
        self._gone = False
        self._event: anyio.Event | None = None
        flight.seats[self] = None

    def wake(self) -> None:
        """Tell whoever waits here that something has happened."""
        if self._event is not None:
            with suppress(RuntimeError):  # their loop may be gone
                self._event.set()

    async def wait(self) -> None:
        """Wait until something happens."""
        self._event = anyio.Event()
        await self._event.wait()
        self._event = None

    async def read(self) -> Sequence[StreamEvent]:
        """What has arrived since it was read last."""
        flight = self.flight
        while not self._gone:
            fresh = flight.events[self.position :]
            if fresh:
                self.position += len(fresh)
                return self._told(fresh)
            if flight.over:
                flight.fail(self)
            await self.wait()
        msg = "the stream was closed while it was read"
        raise ProviderConnectionError(msg)

    def _told(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        """*events*, as they are told to one who may not have paid for them."""
        end = events[-1]
        if self.pays or not isinstance(end, StreamEnd):
            return events
        stream = self.stream() if self.stream is not None else None
        if stream is not None:
            stream.described(cached=True)
        return [*events[:-1], replace(end, cost=_NOTHING)]

    def abort(self) -> None:
        """Leave. The last one to leave ends the flight."""
        if not self._gone:
            self._gone = True
            self.wake()
            self.flight.leave(self)

    async def aclose(self) -> None:
        """Leave."""
        self.abort()


class Flight(Generic[T]):
    """One call that is shared."""

    def __init__(
        self,
        call: Call[T],
        make: Callable[[Call[T]], Awaitable[T]],
        forget: Callable[[], None],
        max_bytes: int,
    ) -> None:
        self.journal: Journal = Journal()
        self.seats: dict[Seat, None] = {}
        """Who is still there, the oldest first."""
        self.events: list[StreamEvent] = []
        self.over: bool = False
        self.task: Hosted
        self._call = call.with_(
            journal=self.journal, deadline=_Latest(call.deadline, call.clock, self.seats)
        )
        self._make = make
        self._forget = forget
        self._left_bytes = max_bytes
        self._stream: GenerationStream | None = None
        self._opened: Metadata | None = None
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._outcome = Outcome.SUCCEEDED
        self._asks_anew = False

    # What those who wait do.

    async def landing(self, seat: Seat) -> None:
        """Return when there is an answer, or a stream to read, or an error."""
        deadline = seat.call.deadline
        grace = GRACE
        while not (self.over or self._opened):
            left = deadline.remaining()
            if left == 0:
                if grace == 0 or self._call.deadline.remaining() != 0:
                    raise self._late(seat)
                left, grace = grace, 0.0
            if left is None:
                await seat.wait()
            else:
                with scope(left):
                    await seat.wait()

    def answer(self, seat: Seat) -> T:
        """What *seat* has waited for. Raises what it is told instead."""
        if self._error is not None and self._opened is None:
            self.fail(seat)
        call = seat.call
        if self._opened is not None:
            metadata = replace(self._opened, **_own(call))
            stream = GenerationStream(seat, metadata)
            seat.stream = ref(stream)
            return cast("T", stream)
        facts = {} if seat.pays else {"cached": True, "cost": _NOTHING}
        return retold(self._results[0], **_own(call), **facts)

    def fail(self, seat: Seat) -> None:
        """Raise a copy of the error, for *seat* alone."""
        error = self._error
        assert error is not None  # or there were an end to read
        self.seats.pop(seat, None)
        if not self.seats:
            self._error = None  # its traceback leads here, and must not lead back
        try:
            if self._asks_anew and not seat.pays:
                raise AskAnewError
            raise _copied(error, seat.call.journal)
        finally:
            del error

    def leave(self, seat: Seat) -> None:
        """*seat* does not wait any more. Synchronous, and safe in a finaliser."""
        present = seat in self.seats
        self.seats.pop(seat, None)
        if not present or self.seats or self.over:
            return
        self.over = True
        self._forget()
        journal = seat.call.journal
        if self._stream is not None:
            self._stream.cancel()
        journal.extend(self.journal)
        self.journal.watch(journal.record)  # what comes of it is only known when it has ended
        self.task.cancel_soon() if self._stream is not None else self.task.cancel()

    # What the flight does.

    async def run(self) -> None:
        """Make the call, and tell all what comes of it."""
        try:
            result = await self._make(self._call)
            if isinstance(result, GenerationStream):
                await self._read(result)
            else:
                self._results.append(result)
                self._land(metadata_of(result))
        except GeneratorExit:
            raise  # the loop is gone, and with it whoever waits
        except anyio.get_cancelled_exc_class():
            self._crash(self._cut_off())
            raise
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._crash(error)

    async def _read(self, stream: GenerationStream) -> None:
        """Take in all of *stream*; its end is told when it is closed and accounted for."""
        self._stream = stream
        stream.on_close(self._closed)
        self._opened = stream.metadata
        self._wake()
        try:
            while batch := await stream.read():
                self._left_bytes -= sum(map(size_of, batch))
                if self._left_bytes < 0:
                    msg = "the answer is too large to be shared"
                    raise ResponseTooLargeError(msg, sent=True)
                if isinstance(batch[-1], StreamEnd):
                    await stream.aclose()
                    self.events += batch
                    self._land(stream.generation.metadata)
                    return
                self.events += batch
                self._wake()
            msg = "the stream was closed while it was read"
            raise ProviderConnectionError(msg)
        except StreamInterruptedError as error:
            raise error.__cause__ or error from None
        except BaseException:
            stream.cancel()
            raise

    def _closed(self, outcome: StreamOutcome) -> None:
        self._outcome = outcome.outcome

    def _land(self, metadata: Any) -> None:
        usage: Usage | None = getattr(metadata, "usage", None)
        cost: Cost | None = getattr(metadata, "cost", None)
        facts: dict[str, Any] = {"reason": SHARED}
        if self._outcome is Outcome.SUCCEEDED:
            facts |= {"usage": usage, "cost": cost}
        self._settle(
            Attempt(
                outcome=Outcome.HIT if self._outcome is Outcome.SUCCEEDED else Outcome.NOTED,
                provider=getattr(metadata, "provider", ""),
                model=getattr(metadata, "model", None),
                **facts,
            )
        )

    def _crash(self, error: BaseException) -> None:
        if self.over:
            return
        self._error = error
        provider = getattr(error, "provider", None) or ""
        self._settle(Attempt(outcome=Outcome.NOTED, provider=provider, reason=SHARED))

    def _settle(self, for_others: Attempt) -> None:
        """It is over: the oldest who is still there pays for it."""
        if self.over:
            return
        self.over = True
        self._forget()
        refused = self._error is not None and is_refusal(self._error)
        self._asks_anew = refused and self._opened is None
        is_hit = for_others.outcome is Outcome.HIT
        for number, seat in enumerate(list(self.seats)):  # a finaliser may leave meanwhile
            seat.pays = number == 0
            if seat.pays:
                seat.call.journal.extend(self.journal)
            elif not self._asks_anew:
                journal = seat.call.journal
                journal.record(replace(for_others, id=journal.new_id() if is_hit else ""))
        self._wake()

    def _wake(self) -> None:
        for seat in list(self.seats):
            seat.wake()

    def _late(self, seat: Seat) -> ProviderTimeoutError:
        call = seat.call
        seconds = call.now() - call.began
        error = ProviderTimeoutError(
            f"no answer in time: {seconds:.3g} s; it is shared with calls that may wait longer",
            limit=seconds,
            sent=True,
        )
        error.journal = call.journal
        return error

    def _cut_off(self) -> ProviderConnectionError:
        msg = "the call was cut off: the provider is being closed, or the loop ends"
        return ProviderConnectionError(msg)


class _Latest(Deadline):
    """The latest deadline of all who wait."""

    __slots__ = ("_first", "_seats")

    def __init__(
        self, first: Deadline, clock: Callable[[], float], seats: dict[Seat, None]
    ) -> None:
        super().__init__(clock)
        self._first = first
        self._seats = seats

    def remaining(self) -> float | None:
        """Seconds left for whoever has most."""
        latest = 0.0
        for deadline in [seat.call.deadline for seat in list(self._seats)] or [self._first]:
            left = deadline.remaining()
            if left is None:
                return super().remaining()
            latest = max(latest, left)
        own = super().remaining()
        return latest if own is None else min(latest, own)


def is_refusal(error: BaseException) -> bool:
    """Whether *error* is ours alone, and says nothing of what a provider would answer."""
    if isinstance(error, AllTargetsFailedError):
        return bool(error.errors) and all(map(is_refusal, error.errors))
    return isinstance(error, RefusedError)


_NOTHING = Cost(amount=Decimal(0), source="shared")


def _own(call: Call[Any]) -> dict[str, Any]:
    """What of an answer is its caller's own."""
    own: dict[str, Any] = {"journal": call.journal, "request_id": call.options.request_id}
    if not call.embeds:
        own["response_format"] = call.generation.response_format
    return own


def _copied(error: BaseException, journal: Journal) -> BaseException:
    """*error* for one of those who wait: what one writes on it, others do not see."""
    try:
        copied = copy(error)
    except Exception:  # noqa: BLE001 - it is somebody else's class
        return error
    copied.__cause__ = error.__cause__
    if isinstance(copied, ProviderError):
        copied.journal = journal
    return copied
