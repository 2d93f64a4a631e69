"""The books of budgets in a file, for all processes of one machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from ...core.budgets import NOTHING
from ...core.checks import check_seconds, in_words
from ...core.errors import ConfigurationError, StoreError
from ._budget_tables import SCHEMA, Tables, Wish
from ._sqlite import Database

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Callable, Sequence

    from ...core.budgets import Balance, Claim, Consumption, Grant, Presumed, Shortfall

T = TypeVar("T")
Abandoned: TypeAlias = Literal["spent", "expire"]
LEASE = 60.0
"""Seconds."""
BUSY = 30.0
"""Seconds for which another process may write."""
MAX_UNSPENT = 10_000
"""What is marked while the file cannot be written, beyond which none is that is unspent."""


class SqliteBudgetStore:
    """
    Keeps the books in a file of SQLite, which any number of processes of one machine share.

    Each reservation is one transaction that is on the disk before anything is sent. Whoever dies
    leaves reservations behind; when their lease is over they are presumed spent, and can be
    corrected, or expire.

    Args:
        path: The file; it is made, with its folder, if it is not there.
        lease: Seconds after which a reservation that nobody has renewed is taken for a dead
            process's. Calls under way renew theirs each third of it.
        abandoned: What becomes of it then: `"spent"`, or `"expire"`, which releases those that
            were never renewed, although they may have been sent: that can overspend.
        wall: The time in Unix seconds, the same for all processes.

    Raises:
        ConfigurationError: An option makes no sense.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        lease: float = LEASE,
        abandoned: Abandoned = "spent",
        wall: Callable[[], float] = time.time,
    ) -> None:
        check_seconds("lease", lease)
        if abandoned not in {"spent", "expire"}:
            raise ConfigurationError(
                f"abandoned must be 'spent' or 'expire', not {in_words(abandoned)}"
            )
        self._database = Database(path, SCHEMA, synchronous="FULL", busy_seconds=BUSY)
        self._lease = lease
        self._expires = abandoned == "expire"
        self._wall = wall
        self._marked: dict[str, Consumption] = {}
        self._wishes: dict[str, Wish] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._database.path}>"

    @property
    def lease(self) -> float | None:
        """See `BudgetStore`."""
        return self._lease

    async def reserve(
        self, name: str, claims: Sequence[Claim], most: Consumption, least: Consumption, /
    ) -> Grant | Shortfall:
        """
        See `BudgetStore`.

        Raises:
            ConfigurationError: The file cannot be opened.
            StoreError: It cannot be written now.
        """
        wish = self._wishes[name] = Wish(name, claims, most, least)
        try:
            await self._write(wish)
        except BaseException:
            wish.given_up = True  # before all else, as its thread may still be going to run
            self.mark(name, NOTHING)
            raise
        finally:
            del self._wishes[name]
        assert wish.outcome is not None
        return wish.outcome

    def mark(self, name: str, spent: Consumption, /) -> None:
        """See `BudgetStore`."""
        # What is left out was not even reserved as a rule; else its lease is over some time.
        if spent != NOTHING or len(self._marked) < MAX_UNSPENT:
            self._marked[name] = spent

    async def settle(self) -> None:
        """See `BudgetStore`. What could not be written stays marked."""
        if self._marked:
            await self._write(None)

    async def renew(self, names: Sequence[str], /) -> None:
        """See `BudgetStore`."""
        await self._database.run(self._looked(lambda tables: tables.renew(names)))

    async def balances(self) -> Sequence[Balance]:
        """See `BudgetStore`."""
        return await self._database.run(self._looked(Tables.balances))

    async def presumed(self) -> Sequence[Presumed]:
        """See `BudgetStore`."""
        return await self._database.run(self._looked(Tables.presumed))

    async def adjust(self, what: str, amount: Consumption, /) -> None:
        """See `BudgetStore`."""
        await self._database.run(self._looked(lambda tables: tables.adjust(what, amount)))

    async def aclose(self) -> None:
        """
        Write what is marked, and close the file. Idempotent.

        Raises:
            ConfigurationError: The file cannot be opened, and something was spent.
            StoreError: It cannot be written now, likewise.
        """
        try:
            await self.settle()
        except (ConfigurationError, StoreError):
            if any(spent != NOTHING for spent in self._marked.values()):
                raise
        finally:
            await self._database.aclose()

    async def _write(self, wish: Wish | None) -> None:
        """
        Write what is marked, make *wish*, and with it what others wish for, in one transaction.

        Those find theirs made when it is their turn, or make it if this is rolled back.
        """
        marked: list[tuple[str, Consumption]] = []

        def work(connection: sqlite3.Connection) -> None:
            marked[:] = list(self._marked.items())
            tables = self._tables(connection)
            for name, spent in marked:
                tables.settle(name, spent)
            if wish is not None:
                tables.reserve(
                    [wish, *(each for each in list(self._wishes.values()) if each is not wish)]
                )
            tables.write()

        await self._database.run(work)
        for name, spent in marked:
            if self._marked.get(name) is spent:
                del self._marked[name]

    def _tables(self, connection: sqlite3.Connection) -> Tables:
        """The tables, once what is overdue is dealt with."""
        tables = Tables(connection, self._wall(), self._lease)
        tables.expire(releases=self._expires)
        return tables

    def _looked(self, look: Callable[[Tables], T]) -> Callable[[sqlite3.Connection], T]:
        """Work that looks at the tables or changes them."""

        def work(connection: sqlite3.Connection) -> T:
            tables = self._tables(connection)
            seen = look(tables)
            tables.write()
            return seen

        return work
