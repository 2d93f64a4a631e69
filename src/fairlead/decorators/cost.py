"""Books what calls cost."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ..core.bounds import Bounds, bounds_of
from ..core.checks import check_function
from ..core.errors import ConfigurationError
from ..core.journal import Outcome
from ..core.ledger import COUNTS, Booking, LedgerEntry
from ..core.results import Generation
from ..core.streams import GenerationStream
from ._base import Decorator
from .bookkeeping import Bookkeeper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..core.calls import Call, Operation, T
    from ..core.journal import Attempt
    from ..core.ledger import Ledger
    from ..core.ports import EventLog
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.spending import Spending
    from ..core.usage import Usage


class CostTrackingProvider(Decorator):
    """
    Books each attempt that consumed tokens, from the journal.

    The attempt that gave the answer is spent; those that failed, lost a race, were left or asked
    again are wasted; what a cache answered is saved. Writing neither delays a call nor lets one
    fail: it is done in a task of its own, and `aclose()` writes what is left. The ledger stays
    with whoever opened it.

    Args:
        inner: What is asked.
        ledger: Where entries are written; None keeps the total alone.
        log: Where it is told that the ledger fails; the logger `fairlead.costs`, if there is none.
        most_waiting: How many entries may wait to be written; what is beyond is lost and told.
        now: Unix seconds.
    """

    layer = "cost"
    OPTIONS: ClassVar[Mapping[str, Any]] = {"ledger": None}

    def __init__(
        self,
        inner: ProviderPort | LooseProvider,
        /,
        *,
        ledger: Ledger | None = None,
        log: EventLog | None = None,
        most_waiting: int = 10_000,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(inner)
        check_function("now", now)
        self._ledger = ledger
        self._books = Bookkeeper(ledger, log=log, most_waiting=most_waiting)
        self._now = now

    @property
    def total(self) -> Spending:
        """What this object has booked since it was built, written down or not."""
        return self._books.total

    @property
    def waiting(self) -> int:
        """How many entries have not been written yet."""
        return self._books.waiting

    @property
    def lost(self) -> int:
        """How many entries will never be written, as too many waited; `total` has them."""
        return self._books.lost

    def bounds(self, operation: Operation) -> Bounds:
        """That of what it wraps."""
        return bounds_of(self._inner, operation)

    async def handle(self, call: Call[T]) -> T:
        """Make *call*, and book what it comes to."""
        account = self._account(call)
        try:
            answer = await call.on(self._inner)
        except BaseException:
            account.failed()
            raise
        if isinstance(answer, GenerationStream):
            account.opened()
        else:
            account.answered(answer)
        return answer

    async def aclose(self) -> None:
        """Close what it wraps, and write what has not been written yet. Idempotent."""
        try:
            await super().aclose()
        finally:
            await self._books.aclose()

    def _account(self, call: Call[Any]) -> _Account:
        """That of *call*; the same one if it is asked again."""
        for watcher in call.journal.watchers:
            if isinstance(watcher, _Account) and watcher.books is self._books:
                watcher.again()
                return watcher
        account = _Account(self._books, self._now, call)
        call.journal.watch(account)
        return account


class _Account:
    """
    What one call comes to. It watches the journal for as long as there is one.

    Attempts that were given up may be written down when the call has long been answered.
    """

    __slots__ = (
        "_call",
        "_is_over",
        "_now",
        "_spent",
        "_streams",
        "_succeeded",
        "books",
    )

    def __init__(self, books: Bookkeeper, now: Callable[[], float], call: Call[Any]) -> None:
        self.books = books
        self._now = now
        # Not the call itself: the journal lives on in the answer, and must not keep the prompt.
        self._call = (call.operation.value, call.options.tags, call.options.request_id)
        self._succeeded: list[Attempt] = []
        """Whose booking is not decided yet."""
        self._spent: list[LedgerEntry] = []
        self._streams = self._is_over = False

    def __call__(self, attempt: Attempt) -> None:
        """Book *attempt*, which has just been written down."""
        if attempt.outcome is Outcome.HIT:
            self._book(attempt, Booking.SAVED)
        elif attempt.outcome is Outcome.SUCCEEDED and not self._is_over:
            self._succeeded.append(attempt)
            if self._streams:
                self._decide([attempt])
        elif attempt.outcome is Outcome.SUCCEEDED or _consumed(attempt):
            self._book(attempt, Booking.WASTED)

    def again(self) -> None:
        """The call is made once more, so what answered it before was in vain."""
        for entry in self._spent:
            self.books.book(
                replace(
                    entry,
                    id=f"{entry.id}-back",
                    booking=Booking.CORRECTION,
                    usage=entry.usage and _negative(entry.usage),
                    cost=entry.cost and replace(entry.cost, amount=-entry.cost.amount),
                    note="asked again",
                    count=-entry.count,
                )
            )
            wasted = replace(entry, id=f"{entry.id}-wasted", booking=Booking.WASTED)
            self.books.book(replace(wasted, note="asked again"))
        self._spent = []
        self._streams = self._is_over = False

    def failed(self) -> None:
        """The call has no answer."""
        self._decide([])

    def opened(self) -> None:
        """The answer is a stream, whose attempt is written down when it is closed."""
        self._streams = True
        if self._succeeded:  # it has ended already
            self._decide(self._succeeded[-1:])

    def answered(self, answer: Any) -> None:
        """The call has been answered."""
        told = getattr(answer, "metadata", None)
        provider = getattr(told, "provider", None)
        ours = [each for each in self._succeeded if each.provider == provider] or self._succeeded
        if isinstance(answer, Generation):
            same = [each for each in ours if each.usage is answer.metadata.usage]
            ours = (same or ours)[-1:]
        self._decide(ours)

    def _decide(self, spent: list[Attempt]) -> None:
        """Those of *spent* gave the answer, the others that succeeded did not."""
        self._is_over = True
        succeeded, self._succeeded = self._succeeded, []
        for attempt in succeeded:
            gave = any(attempt is each for each in spent)
            self._book(attempt, Booking.SPENT if gave else Booking.WASTED)

    def _book(self, attempt: Attempt, booking: Booking) -> None:
        entry = self._entry(attempt, booking)
        if booking is Booking.SPENT:
            self._spent.append(entry)
        self.books.book(entry)

    def _entry(self, attempt: Attempt, booking: Booking) -> LedgerEntry:
        operation, tags, request_id = self._call
        values: dict[str, Any] = {
            "id": attempt.id or os.urandom(12).hex(),
            "at": self._now(),
            "booking": booking,
            "operation": operation,
            "provider": attempt.provider,
            "model": attempt.model,
            "outcome": attempt.outcome.value,
            "tags": tags,
            "request_id": request_id,
            "count": attempt.count,
        }
        try:
            return LedgerEntry(
                **values,
                usage=attempt.usage,
                cost=attempt.cost,
                seconds=attempt.seconds,
                note=attempt.error,
            )
        except (ConfigurationError, TypeError, AttributeError) as error:
            # A vendor's own numbers, or those of a provider of somebody's own.
            note = f"told what makes no sense: {error}"
            return LedgerEntry(**values, usage=None, cost=None, note=note)


def _consumed(attempt: Attempt) -> bool:
    told = attempt.usage is not None or attempt.cost is not None
    return told and (attempt.sent or attempt.outcome is Outcome.FOLDED)


def _negative(usage: Usage) -> Usage:
    less: dict[str, Any] = {
        name: None if (tokens := getattr(usage, name)) is None else -tokens for name in COUNTS
    }
    return replace(usage, **less, total_tokens=None)
