"""Windows of time that something is counted in, cut into numbered slots."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, NamedTuple, TypeAlias, get_args

Period: TypeAlias = Literal["hour", "day", "week", "month", "year"]
PERIODS: tuple[str, ...] = get_args(Period)

PARTS = 60
"""Slots of a rolling window, so that what leaves it leaves it in steps of a sixtieth."""
LATEST = 253_370_764_800.0
"""Unix seconds: the year 9999, beyond which there is no calendar."""
_SECONDS = {"hour": 3600, "day": 86400, "week": 7 * 86400}
_MONDAY = 3 * 86400
"""How far into its week 1970 began."""


class Window(NamedTuple):
    """
    A window: one of the calendar's in UTC, or one of so many seconds that always ends now.

    With neither it has no end. Times are Unix seconds.
    """

    per: Period | None = None
    rolling: float | None = None

    def __str__(self) -> str:
        if self.rolling is not None:
            return f"in {self.rolling:g} s"
        return "in all" if self.per is None else f"per {self.per}"

    @property
    def reach(self) -> int:
        """
        How many slots before and after the present one count with it.

        One more than a rolling window has, so that the slot it begins in is counted whole; and
        those after it, which a clock that was set back has left there.
        """
        return 0 if self.rolling is None else PARTS + 1

    @property
    def kept(self) -> int:
        """Slots that are remembered."""
        return 16 if self.rolling is None else 2 * self.reach + 8

    def slot(self, now: float) -> int:
        """The number of the slot that *now* is in."""
        now = min(max(now, 0.0), LATEST)
        if self.rolling is not None:
            return int(now * PARTS / self.rolling)
        if self.per is None:
            return 0
        if self.per in _SECONDS:
            offset = _MONDAY if self.per == "week" else 0
            return int((now + offset) // _SECONDS[self.per])
        day = datetime.fromtimestamp(now, UTC)
        return day.year * 12 + day.month - 1 if self.per == "month" else day.year

    def gone(self, slot: int) -> float | None:
        """When *slot* counts no more; None is never."""
        if self.rolling is not None:
            return (slot + self.reach + 1) * self.rolling / PARTS
        if self.per is None:
            return None
        if self.per in _SECONDS:
            offset = _MONDAY if self.per == "week" else 0
            return float((slot + 1) * _SECONDS[self.per] - offset)
        year, month = divmod(slot + 1, 12) if self.per == "month" else (slot + 1, 0)
        return datetime(min(year, 9999), month + 1, 1, tzinfo=UTC).timestamp()
