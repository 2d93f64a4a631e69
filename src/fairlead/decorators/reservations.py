"""The reservations of one policy: made, kept alive, marked, and written sooner or later."""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING, Any

import anyio

from ..core.budgets import NOTHING, Grant
from ..core.redact import shown
from ._tasks import TaskHost, scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.budgets import Claim, Consumption, Shortfall
    from ..core.calls import Call
    from ..core.ports import BudgetStore, EventLog
    from .quotes import Quote

PATIENCE = 10.0
"""Seconds that a store which is not in this process may take."""


class LostError(Exception):
    """The store has failed, or takes too long."""


class Reservation:
    """
    What one attempt has reserved.

    Args:
        book: Whose it is.
        name: By which the store knows it.
        granted: What was reserved, and what was spent before.
    """

    __slots__ = ("_book", "_name", "granted")

    def __init__(self, book: Reservations, name: str, granted: Grant) -> None:
        self._book = book
        self._name = name
        self.granted: Grant = granted

    def mark(self, spent: Consumption) -> None:
        """Note what it has come to. Synchronous, so that no cancellation loses it."""
        self._book.mark(self._name, spent)


class Reservations:
    """
    Makes reservations in a store, and sees to it that what is marked is written.

    Args:
        store: Where the books are.
        log: Where failures are told to that no call is left to tell of.
    """

    def __init__(self, store: BudgetStore, log: EventLog | None) -> None:
        self._store = store
        self._log = log
        self._is_near = store.lease is None
        self._prefix = os.urandom(6).hex()
        self._numbers = count(1)
        self._live: set[str] = set()
        self._writers, self._keepers = TaskHost(), TaskHost()

    async def reserve(
        self, call: Call[Any], claims: Sequence[Claim], quoted: Quote
    ) -> Reservation | Shortfall:
        """
        Reserve what *quoted* says, or as much of it as there is and makes sense.

        Raises:
            LostError: The store has failed; nothing is reserved, or will be released.
        """
        name = f"{self._prefix}-{next(self._numbers)}"
        if not self._is_near:  # a fork has the same prefix, and goes on with the same numbers
            name = f"{name}-{os.getpid()}"
        most, least = quoted.most, quoted.least
        granted: Grant | Shortfall | None = None
        try:
            if self._is_near:
                granted = await self._store.reserve(name, claims, most, least)
            else:
                left = call.deadline.remaining()
                with scope(PATIENCE if left is None else min(left, PATIENCE)):
                    granted = await self._store.reserve(name, claims, most, least)
        except Exception as error:
            self.mark(name, NOTHING)
            raise LostError(_words(error)) from error
        except BaseException:
            self.mark(name, NOTHING)
            raise
        if granted is None:
            self.mark(name, NOTHING)
            raise LostError("it took too long")
        if not isinstance(granted, Grant):
            return granted
        if not self._is_near:
            self._live.add(name)
            if not self._keepers.busy:
                self._keepers.spawn(self._keep)
        return Reservation(self, name, granted)

    def mark(self, name: str, spent: Consumption) -> None:
        """Note what the reservation *name* has come to; it is written as soon as can be."""
        self._live.discard(name)
        try:
            self._store.mark(name, spent)
            if not self._is_near:
                self._writers.spawn(self.settle)
        except Exception as error:  # noqa: BLE001 - no loop runs any more, or the store has failed
            self._tell(error)

    async def settle(self) -> None:
        """Write what is marked; what cannot be written stays marked."""
        if self._is_near:
            return
        try:
            with scope(PATIENCE):
                await self._store.settle()
        except Exception as error:  # noqa: BLE001 - whatever it is, a store fails no call
            self._tell(error)

    async def aclose(self) -> None:
        """Write what is marked, and end what runs. Idempotent."""
        await self._keepers.aclose()
        await self._writers.aclose()
        await self.settle()

    async def _keep(self) -> None:
        """Renew what is live, until nothing is."""
        lease = self._store.lease or PATIENCE
        while self._live:
            await anyio.sleep(lease / 3)
            await self.settle()
            try:
                if self._live:
                    await self._store.renew(tuple(self._live))
            except Exception as error:  # noqa: BLE001 - it is tried again
                self._tell(error)

    def _tell(self, error: Exception) -> None:
        if self._log is not None and not isinstance(error, RuntimeError):
            self._log.record("error", "the budget store failed", {"error": _words(error)})


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {shown(str(error))}"
