"""What repeats are paid from, so that an outage does not multiply the calls."""

from __future__ import annotations

from ..core.checks import check_count
from ..core.verdicts import Retry

REWARD = 1
"""What a call brings that succeeds at once."""


class RetryQuota:
    """
    A purse that repeats are paid from, kept in this process.

    While most calls succeed it stays full. In an outage it empties, and what fails is raised at
    once, until calls succeed again. One purse is for all targets of a pipeline. The figures are
    those of botocore (2026).

    Args:
        capacity: What is in it at first, and at most.
        transient_cost: What a repeat costs after a failure; 0 is free of charge.
        throttled_cost: What it costs after the vendor limited us.

    Raises:
        ConfigurationError: One of them makes no sense.
    """

    __slots__ = ("_capacity", "_left", "_throttled_cost", "_transient_cost")

    def __init__(
        self, *, capacity: int = 500, transient_cost: int = 14, throttled_cost: int = 5
    ) -> None:
        check_count("capacity", capacity, 0)
        check_count("transient_cost", transient_cost, 0)
        check_count("throttled_cost", throttled_cost, 0)
        self._capacity = self._left = capacity
        self._transient_cost = transient_cost
        self._throttled_cost = throttled_cost

    def __repr__(self) -> str:
        return f"<RetryQuota {self._left} of {self._capacity}>"

    @property
    def capacity(self) -> int:
        """What is in it at most."""
        return self._capacity

    @property
    def left(self) -> int:
        """What is in it."""
        return self._left

    def reserve(self, kind: Retry, /) -> int | None:
        """Take what a repeat of that *kind* costs, and tell it; None if there is not so much."""
        cost = self._throttled_cost if kind is Retry.THROTTLED else self._transient_cost
        if cost > self._left:
            return None
        self._left -= cost
        return cost

    def settle(self, paid: int, /) -> None:
        """Note that a call succeeded whose last repeat had cost *paid*, 0 if it was the first."""
        if self._left != self._capacity:  # it is full in most calls
            self._left = min(self._left + (paid or REWARD), self._capacity)

    def release(self, paid: int, /) -> None:
        """Put back what was *paid* for a repeat that was never made."""
        self._left = min(self._left + paid, self._capacity)
