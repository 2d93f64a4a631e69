"""Writes entries to a ledger, while nobody waits for it."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from copy import deepcopy
from threading import Lock
from typing import TYPE_CHECKING

from ..core.checks import check_count, check_port
from ..core.ledger import Ledger
from ..core.ports import EventLog
from ..core.redact import shown
from ..core.spending import Spending
from ._tasks import TaskHost, scope

if TYPE_CHECKING:
    from ..core.ledger import LedgerEntry
    from ..core.ports import Level

logger: logging.Logger = logging.getLogger("fairlead.costs")
logger.addHandler(logging.NullHandler())

BATCH = 500
"""Entries that are written at a time."""
PATIENCE = 10.0
"""Seconds that closing waits for what has not been written."""


class Bookkeeper:
    """
    Takes entries at once, from any thread, and writes them in batches in a task of its own.

    A ledger that fails is told of once, and once when it works again; its entries are kept, and
    written with the next ones that come. Beyond *most_waiting* they are lost, counted and told.

    Args:
        ledger: Where they are written; None is nowhere, and then only the total is kept.
        log: Where failures are told; the logger `fairlead.costs`, if there is none.
        most_waiting: How many may wait to be written.
    """

    def __init__(
        self,
        ledger: Ledger | None,
        *,
        log: EventLog | None = None,
        most_waiting: int = 10_000,
    ) -> None:
        check_port("ledger", ledger, Ledger)
        check_port("log", log, EventLog)
        check_count("most_waiting", most_waiting, 1)
        self._ledger = ledger
        self._log = log
        self._most_waiting = most_waiting
        self._host = TaskHost()
        self._waiting: deque[LedgerEntry] = deque()
        self._lost = self._lost_before = 0
        self._fails = False
        self._new: deque[LedgerEntry] = deque()
        self._total = Spending()
        self._adding = Lock()

    @property
    def total(self) -> Spending:
        """What has been booked, written or not, by this object."""
        self._add_up()
        return deepcopy(self._total)

    @property
    def waiting(self) -> int:
        """How many entries have not been written yet."""
        return len(self._waiting)

    @property
    def lost(self) -> int:
        """How many entries were never written, as too many waited. The total has them."""
        return self._lost

    def book(self, entry: LedgerEntry) -> None:
        """Take *entry*. Finalisers may call it, so it neither waits for anything nor raises."""
        self._new.append(entry)
        self._add_up()
        if self._ledger is None:
            return
        if len(self._waiting) >= self._most_waiting:
            self._lost += 1
            if self._lost - self._lost_before == 1:
                self._tell("error", "entries of the ledger are lost", waiting=len(self._waiting))
        else:
            self._waiting.append(entry)
        with suppress(RuntimeError):  # where no loop runs, the next one or `aclose()` writes it
            if not self._host.busy:
                self._host.spawn(self._write)

    async def aclose(self) -> None:
        """Write what waits, within ten seconds, and say what could not be written. Idempotent."""
        try:
            await self._host.aclose()
            with scope(PATIENCE):
                await self._write()
        finally:
            if self._waiting:
                self._tell("error", "entries were not written", waiting=len(self._waiting))

    async def _write(self) -> None:
        while self._waiting and await self._write_some():
            pass

    async def _write_some(self) -> bool:
        """Whether it was written."""
        assert self._ledger is not None
        batch: list[LedgerEntry] = []
        with suppress(IndexError):  # another loop may be writing, too
            while len(batch) < BATCH:
                batch.append(self._waiting.popleft())
        try:
            await self._ledger.record(batch)
        except BaseException as error:
            # Whether they were written nobody knows; a second time they add nothing.
            self._waiting.extendleft(reversed(batch))
            if not isinstance(error, Exception):
                raise
            self._failed(error)
            return False
        self._worked()
        return True

    def _failed(self, error: Exception) -> None:
        if not self._fails:
            self._fails = True
            reason = f"{type(error).__name__}: {shown(str(error))}"
            self._tell("error", "the ledger fails", reason=reason, waiting=len(self._waiting))

    def _worked(self) -> None:
        if self._fails:
            self._fails = False
            lost, self._lost_before = self._lost - self._lost_before, self._lost
            self._tell("warning", "the ledger works again", lost=lost)

    def _add_up(self) -> None:
        """Not waiting for a lock: whoever holds it may be what a finaliser has interrupted."""
        if self._adding.acquire(blocking=False):
            try:
                with suppress(IndexError):
                    while True:
                        self._total.add(self._new.popleft())
            finally:
                self._adding.release()

    def _tell(self, level: Level, event: str, **fields: object) -> None:
        if self._log is not None:
            if self._log.is_on(level):
                self._log.record(level, event, fields)
        else:
            told = ", ".join(f"{name} {value}" for name, value in fields.items())
            logger.log(getattr(logging, level.upper()), "%s: %s", event, told)
