"""The books of budgets: a state machine without clock or store, which all stores share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from .budgets import NOTHING, UNITS, Balance, Claim, Consumption, Grant, Shortfall, told

if TYPE_CHECKING:
    from .windows import Window

_SPENT, _RESERVED = slice(0, 3), slice(3, 6)


class Budget:
    """
    What one account has spent and reserved, by the slots of its window.

    What is reserved is charged to the slot of that moment, and settled there however long it
    takes: so no window ever holds more than what was granted while it was open. Books are kept by
    what the clock says. Where it jumps ahead, a new window begins; where it jumps back, the old one
    is as full as it was. The oldest slots are forgotten; before them, time stands still.

    Args:
        window: Its window.
        state: What `dump` told.

    Raises:
        ValueError: That is no state of a budget.
    """

    __slots__ = ("_floor", "_slots", "window")

    def __init__(self, window: Window, state: object = None) -> None:
        self.window: Window = window
        self._slots: dict[int, list[int]] = {}
        self._floor = -1
        """The latest slot that was forgotten."""
        if state is not None:
            self._floor, self._slots = _restored(state)

    def dump(self) -> dict[str, Any]:
        """Its state, for JSON."""
        return {"floor": self._floor, "slots": {str(slot): it for slot, it in self._slots.items()}}

    def books(self, now: float) -> tuple[Consumption, Consumption]:
        """What is spent, and what is reserved, in the window that *now* is in."""
        totals = self.totals(now)
        return Consumption(*totals[_SPENT]), Consumption(*totals[_RESERVED])

    def totals(self, now: float) -> list[int]:
        """The same in one list, not to be changed: what is spent, then what is reserved."""
        if not self.window.reach:
            return self._slots.get(self._present(now)) or [0] * 6
        counted = [self._slots[slot] for slot in self._counted(now)]
        return [sum(column) for column in zip(*counted, strict=True)] or [0] * 6

    def resets(self, now: float) -> float | None:
        """When something of what is spent comes back: a calendar's window ends; None is never."""
        slot = self._present(now)
        if self.window.reach:
            slot = min((each for each in self._counted(now)), default=slot)
        return self.window.gone(slot)

    def ended(self, now: float) -> bool:
        """Whether nothing that it holds counts any more, nor is to be settled."""
        return not self._counted(now) and not any(
            any(entry[_RESERVED]) for entry in self._slots.values()
        )

    def reserve(self, amount: Consumption, now: float) -> int:
        """Charge *amount*, whether it fits or not; returns the slot, for `settle`."""
        slot = self._present(now)
        entry = self._slots.get(slot)
        if entry is None:
            if len(self._slots) >= self.window.kept:
                self._floor = min(self._slots)
                del self._slots[self._floor]
            entry = self._slots[slot] = [0] * 6
        for index in range(3):
            entry[3 + index] += amount[index]
        return slot

    def settle(self, slot: int, reserved: Consumption, spent: Consumption) -> None:
        """*spent* of what was *reserved* in *slot*; what a forgotten slot held is forgotten."""
        entry = self._slots.get(slot)
        if entry is None:
            return
        for index in range(3):
            entry[index] += spent[index]
            entry[3 + index] -= reserved[index]

    def release(self, slot: int, reserved: Consumption) -> None:
        """Nothing was spent of what was *reserved* in *slot*."""
        self.settle(slot, reserved, NOTHING)

    def adjust(self, amount: Consumption, now: float) -> None:
        """
        Book *amount* besides; a negative one is taken from what is spent, the oldest first.

        Raises:
            ValueError: So much is not spent in this window.
        """
        spent, _ = self.books(now)
        for index in range(3):
            if spent[index] + amount[index] < 0:
                unit = UNITS[index]
                part, whole = told(-amount[index], unit), told(spent[index], unit)
                msg = f"{part} cannot be taken from the {whole} that are spent in this window"
                raise ValueError(msg)
        more = Consumption(*(max(each, 0) for each in amount))
        self.settle(self.reserve(NOTHING, now), NOTHING, more)
        for index in range(3):
            less = max(-amount[index], 0)
            for slot in sorted(self._counted(now)):
                taken = min(less, self._slots[slot][index])
                self._slots[slot][index] -= taken
                less -= taken

    def _present(self, now: float) -> int:
        slot = max(self.window.slot(now), self._floor + 1)
        if len(self._slots) >= self.window.kept and slot not in self._slots:
            return max(slot, min(self._slots))
        return slot

    def _counted(self, now: float) -> list[int]:
        """The slots of the window that *now* is in."""
        present, reach = self._present(now), self.window.reach
        if not reach:
            return [present] if present in self._slots else []
        return [slot for slot in self._slots if present - reach <= slot <= present + reach]


def grant(
    claims: Sequence[Claim],
    budgets: Mapping[str, Budget],
    most: Consumption,
    least: Consumption,
    now: float,
) -> Grant | Shortfall:
    """
    As much of *most* as fits all *claims*, if that is at least *least*. Charges nothing.

    Args:
        claims: What it has to fit.
        budgets: The account of each claim, by its key.
        most: What is wanted.
        least: What is of use.
        now: The present, in Unix seconds.
    """
    amount = list(most)
    spent_before: list[Consumption] = []
    for claim in claims:
        totals = budgets[claim.key].totals(now)
        spent_before.append(Consumption(*totals[_SPENT]))
        for index, limit in enumerate(claim.most):
            if limit is None:
                continue
            left = limit - totals[index] - totals[3 + index]
            if least[index] > left:
                return _shortfall(claim, budgets[claim.key], index, least, now)
            amount[index] = min(amount[index], left)
    return Grant(Consumption(*amount), tuple(spent_before), now)


def _shortfall(
    claim: Claim, budget: Budget, index: int, least: Consumption, now: float
) -> Shortfall:
    totals = budget.totals(now)
    back = budget.resets(now)
    return Shortfall(
        claim=claim,
        unit=UNITS[index],
        limit=claim.most[index] or 0,
        spent=totals[index],
        reserved=totals[3 + index],
        needed=least[index],
        resets=back,
        wait=None if back is None else max(back - now, 0.0),
    )


def charge(budgets: Mapping[str, Budget], amount: Consumption, now: float) -> dict[str, int]:
    """Reserve *amount* in each account once; returns the slots."""
    return {key: budgets[key].reserve(amount, now) for key in sorted(budgets)}


def balance_of(key: str, budget: Budget, now: float) -> Balance:
    """What *budget* has spent and reserved at present."""
    spent, reserved = budget.books(now)
    return Balance(key=key, spent=spent, reserved=reserved, resets=budget.resets(now))


def _restored(state: object) -> tuple[int, dict[int, list[int]]]:
    try:
        told = cast("dict[str, Any]", state)
        slots = {int(slot): [int(amount) for amount in it] for slot, it in told["slots"].items()}
        floor = int(told["floor"])
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        msg = "this is no state of a budget"
        raise ValueError(msg) from error
    if any(len(entry) != 6 for entry in slots.values()):
        msg = "this is no state of a budget"
        raise ValueError(msg)
    return floor, slots
