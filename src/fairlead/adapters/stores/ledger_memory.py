"""A ledger that is gone with its process."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING

from ...core.ledger import ALL, LedgerEntry
from ...core.retention import DAY, Retention, fold, is_folded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from ...core.ledger import LedgerQuery


class MemoryLedger:
    """
    Keeps entries in memory, in bounds.

    Args:
        retention: How many are kept, and for how long; older ones are folded.
        now: Unix seconds.
    """

    def __init__(
        self,
        *,
        retention: Retention = Retention(rows=10_000),  # noqa: B008 - unchangeable
        now: Callable[[], float] = time.time,
    ) -> None:
        self._retention = retention
        self._now = now
        self._entries: dict[str, LedgerEntry] = {}
        self._folded: dict[str, LedgerEntry] = {}
        self._oldest = inf
        """No single entry is older."""

    async def record(self, entries: Sequence[LedgerEntry], /) -> None:
        """Keep *entries*."""
        self.add(entries)

    def add(self, entries: Sequence[LedgerEntry]) -> None:
        """As `record`, at once."""
        for entry in entries:
            kept = self._folded if is_folded(entry) else self._entries
            kept.setdefault(entry.id, entry)
            self._oldest = min(self._oldest, entry.at)
        self._fold()

    async def entries(self, query: LedgerQuery = ALL, /) -> AsyncIterator[LedgerEntry]:
        """Those of now that *query* wants, oldest first."""
        everything = [*self._folded.values(), *self._entries.values()]
        for entry in sorted(everything, key=lambda entry: entry.at):
            if query.matches(entry):
                yield entry

    def __len__(self) -> int:
        """How many are kept, folded ones included."""
        return len(self._entries) + len(self._folded)

    async def aclose(self) -> None:
        """Nothing is held that could be given back; the entries stay."""

    def _fold(self) -> None:
        keep = self._retention
        old = [] if keep.days is None else self._older_than(self._now() - keep.days * DAY)
        if keep.rows is not None and len(self._entries) - len(old) > keep.rows:
            # A tenth more than has to be, so that it is not done for each.
            surplus = max(len(self._entries) - keep.rows, keep.rows // 10)
            old = sorted(self._entries.values(), key=lambda entry: entry.at)[:surplus]
        for entry in old:
            del self._entries[entry.id]
        if old:
            folded = fold([*self._folded.values(), *old], keep.tags)
            self._folded = {entry.id: entry for entry in folded}

    def _older_than(self, at: float) -> list[LedgerEntry]:
        if self._oldest >= at:
            return []
        self._oldest = min(
            (each.at for each in self._entries.values() if each.at >= at), default=inf
        )
        return [entry for entry in self._entries.values() if entry.at < at]
