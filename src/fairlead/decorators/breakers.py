"""Where circuit breakers are kept."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from ..core.checks import check_count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .circuit import CircuitBreaker, Standing


class LocalBreakers:
    """
    A `BreakerStore` in this process.

    Processes that ask the same targets may tell each other which are open: whoever carries it
    from one to the other hands the `snapshot` of one to `merge` of the other.

    Args:
        capacity: How many it keeps; of more, those that were asked for the longest time ago are
            forgotten.

    Raises:
        ConfigurationError: *capacity* is none.
    """

    __slots__ = ("_breakers", "_capacity")

    def __init__(self, *, capacity: int = 256) -> None:
        check_count("capacity", capacity, 1)
        self._capacity = capacity
        self._breakers: OrderedDict[str, CircuitBreaker] = OrderedDict()

    def __repr__(self) -> str:
        return f"<LocalBreakers {len(self._breakers)}>"

    def __len__(self) -> int:
        return len(self._breakers)

    def get(self, name: str, /) -> CircuitBreaker | None:
        """See `BreakerStore`."""
        breaker = self._breakers.get(name)
        if breaker is not None:
            self._breakers.move_to_end(name)
        return breaker

    def setdefault(self, name: str, breaker: CircuitBreaker, /) -> CircuitBreaker:
        """See `BreakerStore`."""
        kept = self._breakers.setdefault(name, breaker)
        if len(self._breakers) > self._capacity:
            self._breakers.popitem(last=False)
        return kept

    def snapshot(self, now: float) -> dict[str, Standing]:
        """Which are open, and for how long; *now* is the running loop's time."""
        told = {name: breaker.snapshot(now) for name, breaker in self._breakers.items()}
        return {name: standing for name, standing in told.items() if standing is not None}

    def merge(
        self,
        others: Mapping[str, Standing],
        now: float,
        make: Callable[[], CircuitBreaker],
    ) -> None:
        """
        Open those that are open elsewhere; see `CircuitBreaker.merge`.

        Args:
            others: What another told in its `snapshot`.
            now: The running loop's time.
            make: What makes a breaker for a name that is not known here yet.
        """
        for name, standing in others.items():
            breaker = self.get(name) or self.setdefault(name, make())
            breaker.merge(standing, now)
