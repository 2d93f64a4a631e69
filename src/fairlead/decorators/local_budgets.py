"""The store that keeps the books of budgets in this process."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import RLock
from typing import TYPE_CHECKING

from ..core.books import Budget, balance_of, charge, grant
from ..core.budgets import NOTHING, Grant
from ..core.checks import check_count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..core.budgets import Balance, Claim, Consumption, Presumed, Shortfall

_LOOKED_AT = 64
"""Accounts that are looked at for one that may be forgotten."""


class LocalBudgetStore:
    """
    Keeps the books in this process, for all policies that share it. It never suspends.

    Any number of threads may use it. What is spent is forgotten with the process.

    Args:
        most_accounts: Accounts that are kept. Beyond them, those whose window is over are
            forgotten, then the one that was used longest ago.
        wall: The time in Unix seconds.

    Raises:
        ConfigurationError: *most_accounts* makes no sense.
    """

    lease: float | None = None

    def __init__(
        self, *, most_accounts: int = 100_000, wall: Callable[[], float] = time.time
    ) -> None:
        check_count("most_accounts", most_accounts, 1)
        self._most_accounts = most_accounts
        self._wall = wall
        self._accounts: OrderedDict[str, Budget] = OrderedDict()
        self._held: dict[str, tuple[dict[str, int], dict[str, Budget], Consumption]] = {}
        # A finaliser may settle a stream while this very thread reserves.
        self._lock = RLock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._accounts)} accounts>"

    async def reserve(
        self, name: str, claims: Sequence[Claim], most: Consumption, least: Consumption, /
    ) -> Grant | Shortfall:
        """See `BudgetStore`."""
        with self._lock:
            now = self._wall()
            budgets = {claim.key: self._account(claim, now) for claim in claims}
            granted = grant(claims, budgets, most, least, now)
            if isinstance(granted, Grant):
                slots = charge(budgets, granted.amount, now)
                self._held[name] = slots, budgets, granted.amount
        return granted

    def mark(self, name: str, spent: Consumption, /) -> None:
        """Settle it at once. See `BudgetStore`."""
        with self._lock:
            slots, budgets, reserved = self._held.pop(name, ({}, {}, NOTHING))
            for key, slot in slots.items():
                budgets[key].settle(slot, reserved, spent)

    async def settle(self) -> None:
        """All is written."""

    async def renew(self, names: Sequence[str], /) -> None:
        """Nothing expires here."""

    async def balances(self) -> Sequence[Balance]:
        """See `BudgetStore`."""
        with self._lock:
            now = self._wall()
            return [balance_of(key, self._accounts[key], now) for key in sorted(self._accounts)]

    async def presumed(self) -> Sequence[Presumed]:
        """None: what this process does not settle dies with it."""
        return ()

    async def adjust(self, what: str, amount: Consumption, /) -> None:
        """See `BudgetStore`."""
        with self._lock:
            budget = self._accounts.get(what)
            if budget is None:
                msg = f"there is no account {what!r}"
                raise ValueError(msg)
            budget.adjust(amount, self._wall())

    async def aclose(self) -> None:
        """Nothing is held."""

    def _account(self, claim: Claim, now: float) -> Budget:
        budget = self._accounts.get(claim.key)
        if budget is not None:
            self._accounts.move_to_end(claim.key)
            return budget
        if len(self._accounts) >= self._most_accounts:
            self._forget(now)
        budget = self._accounts[claim.key] = Budget(claim.window)
        return budget

    def _forget(self, now: float) -> None:
        """Make room for one more, if there is an account that nobody uses."""
        oldest = list(zip(self._accounts, range(_LOOKED_AT), strict=False))
        ended = [key for key, _ in oldest if self._accounts[key].ended(now)]
        idle = [key for key, _ in oldest if not any(self._accounts[key].books(now)[1])]
        for key in ended or idle[:1]:
            del self._accounts[key]
