"""When a hedge is due: how long answers usually take, and how many hedges there may be."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass
from math import ceil

from ..core.checks import check_count, check_number


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeOptions:
    """
    When a hedge is sent.

    Args:
        delay: Seconds that are waited in any case.
        quantile: The share of answers that began sooner, and are not hedged.
        minimum_samples: Answers of a target below which nobody knows how long it takes, and
            nothing is hedged.
        max_share: The share of calls that are hedged at most.
    """

    delay: float = 0.0
    quantile: float = 0.95
    minimum_samples: int = 20
    max_share: float = 0.05

    def __post_init__(self) -> None:
        check_number("delay", self.delay, "at least 0 seconds", lambda it: it >= 0)
        share = "more than 0 and at most 1"
        check_number("quantile", self.quantile, share, lambda it: 0 < it <= 1)
        check_count("minimum_samples", self.minimum_samples, 1)
        check_number("max_share", self.max_share, share, lambda it: 0 < it <= 1)


class Latencies:
    """
    The last seconds to first content, of one target and one kind of call.

    Args:
        quantile: Which one is asked for.
        minimum: Samples below which nobody knows.
    """

    KEPT = 200
    """A handful of them beyond the 95th percentile, and not older than a change of the weather."""

    __slots__ = ("_in_order", "_minimum", "_quantile", "_sorted")

    def __init__(self, quantile: float, minimum: int) -> None:
        self._quantile = quantile
        self._minimum = minimum
        self._in_order: deque[float] = deque()
        self._sorted: list[float] = []

    def add(self, seconds: float) -> None:
        """Take in one more, and drop the oldest if there are too many."""
        self._in_order.append(seconds)
        insort(self._sorted, seconds)
        if len(self._in_order) > max(self.KEPT, self._minimum):
            del self._sorted[bisect_left(self._sorted, self._in_order.popleft())]

    @property
    def quantile(self) -> float | None:
        """What that share of them does not exceed; None where there are too few."""
        count = len(self._sorted)
        if count < self._minimum:
            return None
        return self._sorted[ceil(count * self._quantile) - 1]


class Credit:
    """
    How many hedges may be sent: each call earns its share of one.

    Args:
        share: Of calls that are hedged at most.
    """

    MOST = 5.0
    """Hedges that can be saved up: what a quiet time leaves must not all be spent in an outage."""

    __slots__ = ("_saved", "_share")

    def __init__(self, share: float) -> None:
        self._share = share
        self._saved = 0.0

    def earn(self) -> None:
        """There is one more call."""
        if self._saved < self.MOST:
            self._saved += self._share

    @property
    def enough(self) -> bool:
        """Whether there is enough for a hedge."""
        return self._saved > 1 - 1e-9

    def spend(self) -> None:
        """Send a hedge."""
        self._saved -= 1
