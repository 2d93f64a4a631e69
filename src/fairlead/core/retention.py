"""How long a ledger keeps single entries, and what becomes of older ones."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .checks import check_count, check_number
from .errors import ConfigurationError
from .journal import Outcome
from .usage import Cost, add_cost, add_usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .ledger import LedgerEntry

DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """
    How long a ledger keeps single entries.

    Older ones are folded: those of one day (UTC), booking, operation, provider, model and *tags*
    become one entry, which keeps what they cost and consumed, and their number. No money is
    lost; what is lost are the times of the day, all other tags, and how long each took.

    Args:
        days: After which an entry is folded; None is never.
        rows: How many single entries are kept; beyond it the oldest are folded. None is any number.
        tags: Which tags the folded ones keep. With one that has many values, such as a session,
            folding saves little.

    Raises:
        ConfigurationError: A value makes no sense.
    """

    days: float | None = 90
    rows: int | None = 1_000_000
    tags: tuple[str, ...] = ("project",)

    def __post_init__(self) -> None:
        if self.days is not None:
            check_number("days", self.days, "at least 1", lambda it: it >= 1)
        if self.rows is not None:
            check_count("rows", self.rows, 1)
        if isinstance(self.tags, str) or not all(isinstance(tag, str) for tag in self.tags):
            raise ConfigurationError(f"tags must be a tuple of names, not {self.tags!r}")


def is_folded(entry: LedgerEntry) -> bool:
    """Whether *entry* stands for others."""
    return entry.outcome == Outcome.FOLDED


def fold(entries: Iterable[LedgerEntry], tags: tuple[str, ...]) -> list[LedgerEntry]:
    """The entries that stand for *entries*, of which some may stand for others already."""
    folded: dict[str, LedgerEntry] = {}
    for entry in entries:
        one = _alone(entry, tags)
        before = folded.get(one.id)
        folded[one.id] = one if before is None else _together(before, one)
    return list(folded.values())


def _alone(entry: LedgerEntry, tags: tuple[str, ...]) -> LedgerEntry:
    """*entry* as the only one of its day and kind."""
    start = entry.at // DAY * DAY
    kept = {name: entry.tags[name] for name in sorted(tags) if name in entry.tags}
    usage, cost = entry.usage, entry.cost
    key = json.dumps(
        [
            entry.booking,
            entry.operation,
            entry.provider,
            entry.model,
            kept,
            usage and usage.estimated,
            cost and (cost.source, cost.estimated),
        ]
    )
    day = datetime.fromtimestamp(start, UTC).date().isoformat()
    return replace(
        entry,
        id=f"{day}-{hashlib.sha256(key.encode()).hexdigest()[:24]}",
        at=start,
        outcome=Outcome.FOLDED,
        usage=add_usage(usage and replace(usage, raw={}, total_tokens=None), None),
        cost=cost and Cost(amount=cost.amount, source=cost.source, estimated=cost.estimated),
        tags=kept,
        request_id=None,
        note=None,
    )


def _together(one: LedgerEntry, other: LedgerEntry) -> LedgerEntry:
    return replace(
        one,
        usage=add_usage(one.usage, other.usage),
        cost=add_cost(one.cost, other.cost),
        seconds=one.seconds + other.seconds,
        count=one.count + other.count,
    )
