"""The tables of a file of budgets, within one transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...core.books import Budget, balance_of, charge, grant
from ...core.budgets import NOTHING, Consumption, Grant, Presumed
from ...core.errors import StoreError
from ...core.windows import Window
from ._sqlite import Schema

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from ...core.budgets import Balance, Claim, Shortfall

_TABLES = (
    """
    CREATE TABLE accounts (
        key TEXT PRIMARY KEY, per TEXT, rolling REAL, state TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE reservations (
        name TEXT PRIMARY KEY, slots TEXT NOT NULL, money INTEGER NOT NULL,
        tokens INTEGER NOT NULL, calls INTEGER NOT NULL, at REAL NOT NULL,
        expires REAL NOT NULL, sent INTEGER NOT NULL, state INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX overdue ON reservations (state, expires)",
    """
    CREATE TABLE corrections (
        at REAL NOT NULL, what TEXT NOT NULL, money INTEGER NOT NULL,
        tokens INTEGER NOT NULL, calls INTEGER NOT NULL
    )
    """,
)
SCHEMA = Schema("budget", (_TABLES,))
LIVE, PRESUMED, RELEASED = range(3)
"""States of a reservation; settled ones are not kept."""
KEPT = 90 * 86400.0
"""Seconds for which an abandoned reservation can be corrected."""


class Wish:
    """A reservation that somebody waits for."""

    __slots__ = ("claims", "given_up", "least", "most", "name", "outcome")

    def __init__(
        self, name: str, claims: Sequence[Claim], most: Consumption, least: Consumption
    ) -> None:
        self.name: str = name
        self.claims: Sequence[Claim] = claims
        self.most: Consumption = most
        self.least: Consumption = least
        self.given_up: bool = False
        self.outcome: Grant | Shortfall | None = None
        """What came of it, unless that was rolled back."""


class Tables:
    """
    The tables, as one transaction sees and changes them.

    Args:
        connection: In a transaction that may write.
        now: The present, in Unix seconds.
        lease: Seconds that a reservation is good for.
    """

    def __init__(self, connection: sqlite3.Connection, now: float, lease: float) -> None:
        self._sql = connection
        self._now = now
        self._lease = lease
        self._budgets: dict[str, Budget] = {}
        self._changed: set[str] = set()

    def reserve(self, wishes: Iterable[Wish]) -> None:
        """Make those of *wishes* that were not given up, each if it fits."""
        for wish in wishes:
            made = wish.outcome is not None and self._row(wish.name) is not None
            if not made and not wish.given_up:
                wish.outcome = self._make(wish)

    def settle(self, name: str, spent: Consumption) -> bool:
        """Book what a reservation has come to; False if there is none, or it was settled."""
        row = self._row(name)
        if row is None:
            return False
        slots, amount, state = row
        for key, slot in slots.items():
            budget = self._budget(key)
            if budget is None:
                continue
            if state == LIVE:
                budget.settle(slot, amount, spent)
            else:  # it was booked already: as spent, or as nothing
                before = amount if state == PRESUMED else NOTHING
                budget.settle(slot, NOTHING, _less(spent, before))
            self._changed.add(key)
        self._sql.execute("DELETE FROM reservations WHERE name = ?", (name,))
        return True

    def expire(self, *, releases: bool) -> None:
        """
        Book the reservations whose lease is over: as spent.

        Args:
            releases: Those that were never renewed as nothing instead.
        """
        overdue = self._sql.execute(
            "SELECT name, sent FROM reservations WHERE state = ? AND expires < ?",
            (LIVE, self._now),
        ).fetchall()
        for name, sent in overdue:
            row = self._row(name)
            assert row is not None
            slots, amount, _ = row
            released = releases and not sent
            for key, slot in slots.items():
                budget = self._budget(key)
                if budget is not None:
                    budget.settle(slot, amount, NOTHING if released else amount)
                    self._changed.add(key)
            self._sql.execute(
                "UPDATE reservations SET state = ? WHERE name = ?",
                (RELEASED if released else PRESUMED, name),
            )
        self._sql.execute(
            "DELETE FROM reservations WHERE state <> ? AND expires < ?", (LIVE, self._now - KEPT)
        )

    def renew(self, names: Iterable[str]) -> None:
        """Let live reservations be good for another lease."""
        until = self._now + self._lease
        self._sql.executemany(
            "UPDATE reservations SET expires = ?, sent = 1 WHERE name = ? AND state = ?",
            [(until, name, LIVE) for name in names],
        )

    def adjust(self, what: str, amount: Consumption) -> None:
        """See `BudgetStore.adjust`."""
        budget = self._budget(what)
        reservation = self._row(what)
        if budget is not None:
            budget.adjust(amount, self._now)
            self._changed.add(what)
        elif reservation is not None and reservation[2] != LIVE:
            self.settle(what, amount)
        else:
            msg = f"there is no account, and no reservation presumed spent, {what!r}"
            raise ValueError(msg)
        self._sql.execute(
            "INSERT INTO corrections VALUES (?, ?, ?, ?, ?)", (self._now, what, *amount)
        )

    def balances(self) -> list[Balance]:
        """All accounts."""
        keys = [key for (key,) in self._sql.execute("SELECT key FROM accounts ORDER BY key")]
        found = ((key, self._budget(key)) for key in keys)
        return [balance_of(key, budget, self._now) for key, budget in found if budget is not None]

    def presumed(self) -> list[Presumed]:
        """What is taken to be spent, oldest first."""
        rows = self._sql.execute(
            "SELECT name, slots, money, tokens, calls, at FROM reservations WHERE state = ? "
            "ORDER BY at, name",
            (PRESUMED,),
        )
        return [
            Presumed(id=name, keys=tuple(_read(slots)), amount=Consumption(*amount), at=at)
            for name, slots, *amount, at in rows
        ]

    def write(self) -> None:
        """Write the accounts that have changed."""
        for key in self._changed:
            state = json.dumps(self._budgets[key].dump(), separators=(",", ":"))
            self._sql.execute("UPDATE accounts SET state = ? WHERE key = ?", (state, key))
        self._changed.clear()

    def _make(self, wish: Wish) -> Grant | Shortfall:
        budgets = {claim.key: self._account(claim) for claim in wish.claims}
        granted = grant(wish.claims, budgets, wish.most, wish.least, self._now)
        if isinstance(granted, Grant):
            slots = charge(budgets, granted.amount, self._now)
            self._changed.update(slots)
            self._sql.execute(
                "INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
                (
                    wish.name,
                    json.dumps(slots),
                    *granted.amount,
                    self._now,
                    self._now + self._lease,
                    LIVE,
                ),
            )
        return granted

    def _account(self, claim: Claim) -> Budget:
        budget = self._budget(claim.key)
        if budget is None:
            budget = self._budgets[claim.key] = Budget(claim.window)
            state = json.dumps(budget.dump())
            self._sql.execute(
                "INSERT INTO accounts VALUES (?, ?, ?, ?)", (claim.key, *claim.window, state)
            )
        return budget

    def _budget(self, key: str) -> Budget | None:
        if key not in self._budgets:
            found = self._sql.execute(
                "SELECT per, rolling, state FROM accounts WHERE key = ?", (key,)
            ).fetchone()
            if found is None:
                return None
            per, rolling, state = found
            try:
                self._budgets[key] = Budget(Window(per, rolling), _read(state))
            except ValueError as error:
                raise StoreError(_DAMAGED) from error
        return self._budgets[key]

    def _row(self, name: str) -> tuple[Mapping[str, int], Consumption, int] | None:
        found = self._sql.execute(
            "SELECT slots, money, tokens, calls, state FROM reservations WHERE name = ?", (name,)
        ).fetchone()
        if found is None:
            return None
        slots, money, tokens, calls, state = found
        return _read(slots), Consumption(money, tokens, calls), state


def _less(spent: Consumption, before: Consumption) -> Consumption:
    return Consumption(*(one - other for one, other in zip(spent, before, strict=True)))


def _read(state: str) -> Any:
    try:
        return json.loads(state)
    except ValueError as error:
        raise StoreError(_DAMAGED) from error


_DAMAGED = "the books of budgets are damaged: restore the file from a backup, or begin anew"
