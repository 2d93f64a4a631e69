"""How long to wait before a repeat."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from ..core.checks import LARGEST, check_number, in_words
from ..core.errors import ConfigurationError
from ..core.verdicts import Retry

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """
    Exponential back-off with full jitter: `random() * min(initial_delay * base**repeat, max)`.

    Durations are in seconds. Throttled calls wait longer than failed ones (the AWS SDKs' figures
    of 2026 and the OpenAI SDK's of 3.52 agree on the order of both).
    """

    initial_delay: float = 0.5
    exponential_base: float = 2.0
    max_delay: float = 8.0
    throttled_initial_delay: float = 1.0
    throttled_max_delay: float = 20.0
    jitter: bool = True
    longest_retry_after: float = 60.0
    """What a vendor may ask to wait; a longer wait is not waited for but raised."""

    def __post_init__(self) -> None:
        base = self.exponential_base
        check_number("exponential_base", base, "at least 1", lambda it: it >= 1)
        if not isinstance(self.jitter, bool):
            msg = f"jitter must be True or False, not {in_words(self.jitter)}"
            raise ConfigurationError(msg)
        for name in _SECONDS:
            infinite = name == "longest_retry_after"
            seconds = getattr(self, name)
            fitting = "at least 0 seconds"
            check_number(name, seconds, fitting, lambda it: it >= 0, infinite=infinite)

    def delay(self, repeat: int, kind: Retry, random: Callable[[], float]) -> float:
        """
        Seconds to wait.

        Args:
            repeat: How many repeats there were before this one.
            kind: Why it is repeated.
            random: Numbers from 0 to 1.
        """
        initial, longest = self.initial_delay, self.max_delay
        if kind is Retry.THROTTLED:
            initial, longest = self.throttled_initial_delay, self.throttled_max_delay
        try:
            grown = initial * self.exponential_base**repeat
        except OverflowError:
            grown = longest
        capped = min(grown, longest)
        return random() * capped if self.jitter else capped

    def after(
        self, retry_after: float, repeat: int, kind: Retry, random: Callable[[], float]
    ) -> float:
        """As `delay`, where the vendor said *retry_after*: that is a minimum, with 10 % jitter."""
        spread = random() * 0.1 if self.jitter else 0.0
        return max(retry_after * (1 + spread), self.delay(repeat, kind, random))

    def longest(self, repeats: int) -> float:
        """Seconds that so many waits take together at most, vendors' wishes included."""
        asked = self.longest_retry_after * (1.1 if self.jitter else 1.0)
        most = max(asked, self.max_delay, self.throttled_max_delay)
        if repeats * most > LARGEST:
            return inf
        waits = (
            max(asked, *(self.delay(each, kind, lambda: 1.0) for kind in Retry))
            for each in range(min(repeats, _COUNTED))
        )
        return sum(waits) + most * max(repeats - _COUNTED, 0)


_COUNTED = 1000
"""Waits that are added up one by one; the others are taken to be the longest there are."""
_SECONDS = (
    "initial_delay",
    "max_delay",
    "throttled_initial_delay",
    "throttled_max_delay",
    "longest_retry_after",
)
