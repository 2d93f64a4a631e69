"""Who may go next: a bounded line, first come, first served, and so many places to run in."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from ..core.rates import Amount

if TYPE_CHECKING:
    from collections.abc import Callable


class Ticket:
    """
    One call's place in the line.

    Args:
        need: What the call needs.
        certain: The tokens that it will have used in any case, of those it needs.
    """

    __slots__ = ("certain", "need", "reserved", "wake", "woken")

    def __init__(self, need: Amount, certain: int) -> None:
        self.need: Amount = need
        self.certain: int = certain
        self.reserved: bool = False
        """Whether what it needs was taken from the rates."""
        self.wake: Callable[[], object] | None = None
        """Ends its waiting, while it waits."""
        self.woken: bool = False
        """Whether something has changed for it since it looked."""

    @property
    def counted(self) -> bool:
        """Whether tokens were taken for it."""
        return self.reserved and self.need[1] > 0


class Line:
    """
    Waiting calls in the order in which they came, and a count of those that run.

    A state machine without a clock. Nothing is ever handed to somebody who waits: the first is
    woken, looks for itself, and takes what it needs without a wait in between. So whoever is
    cancelled, at whatever moment, has nothing that would be lost. Each step wakes one at most,
    whatever the length.

    Args:
        max_running: How many may run at a time; None is any number.
        max_queued: How many may wait.
    """

    __slots__ = ("_max_queued", "_max_running", "_needed", "_waiting", "running")

    def __init__(self, max_running: int | None, max_queued: int) -> None:
        self._max_running = max_running
        self._max_queued = max_queued
        self._waiting: OrderedDict[Ticket, None] = OrderedDict()
        self._needed = Amount(0, 0)
        self.running: int = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def free(self) -> bool:
        """Whether one more may run."""
        return self._max_running is None or self.running < self._max_running

    @property
    def idle(self) -> bool:
        """Whether whoever comes now may run at once."""
        return not self._waiting and (self._max_running is None or self.running < self._max_running)

    @property
    def needed(self) -> Amount:
        """What those who wait are sure to need, all together."""
        return self._needed

    @property
    def may_wait(self) -> bool:
        """Whether the line is not longer than it may be with all who are in it."""
        return len(self._waiting) <= self._max_queued

    def join(self, ticket: Ticket) -> bool:
        """Stand at the end; False if there is no room. Whoever comes first may always look."""
        if self._waiting and len(self._waiting) >= self._max_queued:
            return False
        self._waiting[ticket] = None
        requests, tokens = self._needed
        self._needed = Amount(requests + 1, tokens + ticket.certain)
        return True

    def is_first(self, ticket: Ticket) -> bool:
        """Whether it is *ticket*'s turn."""
        return next(iter(self._waiting), None) is ticket

    def leave(self, ticket: Ticket) -> None:
        """Be gone, from wherever it stands. The next one is woken if it was the first."""
        was_first = self.is_first(ticket)
        del self._waiting[ticket]
        requests, tokens = self._needed
        self._needed = Amount(requests - 1, tokens - ticket.certain)
        if was_first:
            self.wake_first()

    def pass_by(self) -> None:
        """Run without having waited, where that is `idle`."""
        self.running += 1

    def start(self, ticket: Ticket) -> None:
        """Leave, and run."""
        self.running += 1
        self.leave(ticket)

    def stop(self) -> None:
        """Run no longer."""
        self.running -= 1
        if self._waiting:
            self.wake_first()

    def wake_first(self) -> None:
        """Let the first look again."""
        if self._waiting:
            first = next(iter(self._waiting))
            first.woken = True
            if first.wake is not None:
                first.wake()
