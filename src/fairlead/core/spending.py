"""Adds up the entries of a ledger: what was spent, wasted and saved, and how long it took."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .errors import ConfigurationError
from .ledger import COUNTS, Booking, LedgerEntry
from .retention import is_folded
from .usage import exact_sum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


@dataclass(slots=True)
class Sum:
    """What entries come to together."""

    entries: int = 0
    amount: Decimal = Decimal(0)
    """US dollars, of those whose cost is known."""
    unpriced: int = 0
    """Of the entries, those whose cost nobody knows."""
    estimated: int = 0
    """Of the entries, those whose usage or cost is an estimate."""
    tokens: Counter[str] = field(default_factory=Counter[str])
    """By the names of `Usage`."""

    def add(self, entry: LedgerEntry) -> None:
        """Take *entry* in."""
        usage, cost = entry.usage, entry.cost
        self.entries += entry.count
        if cost is None:
            self.unpriced += entry.count
        else:
            self.amount = exact_sum(self.amount, cost.amount)
        if (usage and usage.estimated) or (cost and cost.estimated):
            self.estimated += entry.count
        if usage is not None:
            for name in COUNTS:
                self.tokens[name] += getattr(usage, name) or 0

    def as_dict(self) -> dict[str, Any]:
        """Plain values; the amount is a string, so that no digit is lost."""
        return {
            "entries": self.entries,
            "cost_usd": format(self.amount, "f"),
            "unpriced": self.unpriced,
            "estimated": self.estimated,
            **{name: self.tokens[name] for name in COUNTS},
        }


_STEP = math.log(1.02)


@dataclass(slots=True)
class Latency:
    """How long single entries took, to one percent, in bounded memory."""

    _buckets: Counter[int] = field(default_factory=Counter[int])

    def add(self, seconds: float) -> None:
        """Take one in."""
        self._buckets[round(math.log(max(seconds, 1e-6)) / _STEP)] += 1

    def quantile(self, share: float) -> float | None:
        """The seconds that this *share* of them stayed within; None if there are none."""
        rank = math.ceil(share * self._buckets.total())
        for bucket in sorted(self._buckets):
            rank -= self._buckets[bucket]
            if rank <= 0:
                return math.exp(bucket * _STEP)
        return None

    def as_dict(self) -> dict[str, float | None]:
        """The usual quantiles."""
        return {f"p{share}": _rounded(self.quantile(share / 100)) for share in (50, 95, 99)}


@dataclass(slots=True)
class Spending:
    """What was spent, wasted and saved."""

    spent: Sum = field(default_factory=Sum)
    """With all corrections."""
    wasted: Sum = field(default_factory=Sum)
    saved: Sum = field(default_factory=Sum)
    latency: Latency = field(default_factory=Latency)
    """Of attempts that were neither folded nor answered by a cache."""

    def add(self, entry: LedgerEntry) -> None:
        """Take *entry* in."""
        self.by_booking[entry.booking].add(entry)
        timed = entry.booking in {Booking.SPENT, Booking.WASTED} and not is_folded(entry)
        if timed and entry.seconds:
            self.latency.add(entry.seconds)

    @property
    def by_booking(self) -> Mapping[Booking, Sum]:
        """The sums, by what is booked in them."""
        return {
            Booking.SPENT: self.spent,
            Booking.WASTED: self.wasted,
            Booking.SAVED: self.saved,
            Booking.CORRECTION: self.spent,
        }

    @property
    def paid(self) -> Decimal:
        """US dollars, spent and wasted together."""
        return exact_sum(self.spent.amount, self.wasted.amount)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "paid_usd": format(self.paid, "f"),
            "spent": self.spent.as_dict(),
            "wasted": self.wasted.as_dict(),
            "saved": self.saved.as_dict(),
            "seconds": self.latency.as_dict(),
        }


class UsageReport:
    """
    Adds entries up, all together and in groups.

    Args:
        by: What the groups are made by: `model`, `provider`, `day` (UTC), `operation`, `outcome`,
            `booking`, or `tag:NAME`. Each group has one word for each of them, empty where an
            entry has none.

    Raises:
        ConfigurationError: Nothing can be grouped by that.
    """

    def __init__(self, by: Sequence[str] = ()) -> None:
        self.by: tuple[str, ...] = tuple(by)
        self._keys = [key_by(name) for name in self.by]
        self.total: Spending = Spending()
        self.groups: dict[tuple[str, ...], Spending] = {}

    @classmethod
    def of(cls, entries: Iterable[LedgerEntry], by: Sequence[str] = ()) -> UsageReport:
        """That of *entries*."""
        report = cls(by)
        for entry in entries:
            report.add(entry)
        return report

    def add(self, entry: LedgerEntry) -> None:
        """Take *entry* in."""
        self.total.add(entry)
        if self._keys:
            key = tuple(each(entry) for each in self._keys)
            self.groups.setdefault(key, Spending()).add(entry)

    def sorted(self) -> list[tuple[tuple[str, ...], Spending]]:
        """The groups: by day in order, else the dearest first."""
        if "day" in self.by:
            return sorted(self.groups.items())
        return sorted(self.groups.items(), key=lambda group: (-group[1].paid, group[0]))

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        groups = [
            {**dict(zip(self.by, key, strict=True)), **group.as_dict()}
            for key, group in self.sorted()
        ]
        return {"total": self.total.as_dict(), "by": list(self.by), "groups": groups}


def day_of(entry: LedgerEntry) -> str:
    """The day (UTC) of *entry*, as in 2026-03-14."""
    return datetime.fromtimestamp(entry.at, UTC).date().isoformat()


_KEYS: dict[str, Callable[[LedgerEntry], str]] = {
    "model": lambda entry: entry.model or "",
    "provider": lambda entry: entry.provider,
    "day": day_of,
    "operation": lambda entry: entry.operation,
    "outcome": lambda entry: entry.outcome,
    "booking": lambda entry: entry.booking.value,
}


def key_by(name: str) -> Callable[[LedgerEntry], str]:
    """
    What tells to which group an entry belongs.

    Raises:
        ConfigurationError: Nothing can be grouped by *name*.
    """
    kind, _, tag = name.partition(":")
    if kind == "tag" and tag:
        return lambda entry: entry.tags.get(tag, "")
    if name not in _KEYS:
        known = ", ".join(_KEYS)
        raise ConfigurationError(f"nothing is grouped by {name!r}; there are {known} and tag:NAME")
    return _KEYS[name]


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else float(f"{seconds:.3g}")
