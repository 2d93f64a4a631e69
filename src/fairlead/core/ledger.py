"""What calls cost, written down for good: one entry for each attempt."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from .checks import check_count, check_number, in_words
from .errors import ConfigurationError
from .options import check_tags

if TYPE_CHECKING:
    from .usage import Cost, Usage


class Booking(StrEnum):
    """What an entry says of the money."""

    SPENT = "spent"
    """It paid for the answer."""
    WASTED = "wasted"
    """It was paid, and is no part of the answer: failed, hedged, asked again, left."""
    SAVED = "saved"
    """It would have been paid, had there been no cache."""
    CORRECTION = "correction"
    """It changes what was booked as spent; it may be negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """
    One line of a ledger.

    Raises:
        ConfigurationError: A value makes no sense: a negative or infinite cost, say.
    """

    id: str
    """Of the attempt. A second entry with the same adds nothing."""
    at: float
    """Unix seconds."""
    booking: Booking
    operation: str
    provider: str
    model: str | None
    outcome: str
    usage: Usage | None
    """What was consumed; None where nobody knows."""
    cost: Cost | None
    """What it cost; None where nobody knows."""
    seconds: float = 0.0
    """How long it took."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    request_id: str | None = None
    """Of the call, the same for all its attempts."""
    note: str | None = None
    """Why it is there, if that needs words."""
    count: int = 1
    """How many entries it stands for: more where older ones were folded, -1 takes one back."""

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not self.id:
            raise ConfigurationError(f"id must be a str with something in it, not {self.id!r}")
        if not isinstance(self.booking, Booking):
            raise ConfigurationError(f"booking must be a Booking, not {in_words(self.booking)}")
        check_number("at", self.at, "a finite number", math.isfinite)
        check_number("seconds", self.seconds, "at least 0", lambda it: it >= 0)
        may_be_negative = self.booking is Booking.CORRECTION
        if self.cost is not None:
            check_amount("cost.amount", self.cost.amount, negative=may_be_negative)
        if self.usage is not None and not may_be_negative:
            for name in COUNTS:
                if (tokens := getattr(self.usage, name)) is not None:
                    check_count(f"usage.{name}", tokens, 0)
        check_tags("tags", self.tags)


COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
"""The tokens of a `Usage` that are added up."""
_LARGEST = Decimal(10) ** 15
_PLACES = 40


def check_amount(name: str, amount: object, *, negative: bool = False) -> None:
    """
    Refuse what is no amount of dollars that can be added up to the last digit.

    Raises:
        ConfigurationError: It is no finite Decimal, negative, 10^15 or more, or has more than 40
            decimal places.
    """
    if not isinstance(amount, Decimal):
        raise ConfigurationError(f"{name} must be a Decimal, not {in_words(amount)}")
    if not amount.is_finite() or abs(amount) >= _LARGEST:
        raise ConfigurationError(f"{name} must be less than 10^15 dollars, not {in_words(amount)}")
    if amount < 0 and not negative:
        raise ConfigurationError(f"{name} must be at least 0 dollars, not {in_words(amount)}")
    if int(amount.as_tuple().exponent) < -_PLACES:
        raise ConfigurationError(f"{name} must have at most {_PLACES} decimal places")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerQuery:
    """Which entries are wanted; what is None or empty does not matter."""

    since: float | None = None
    """Unix seconds; those at this time are among them."""
    until: float | None = None
    """Unix seconds; those at this time are not among them."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """All of them have to be there."""
    model: str | None = None
    provider: str | None = None
    booking: Booking | None = None

    def __post_init__(self) -> None:
        for each in fields(self)[:2]:
            value: Any = getattr(self, each.name)
            if value is not None:
                check_number(each.name, value, "a finite number", math.isfinite)
        check_tags("tags", self.tags)

    def matches(self, entry: LedgerEntry) -> bool:
        """Whether *entry* is wanted."""
        return (
            (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at < self.until)
            and (self.model is None or entry.model == self.model)
            and (self.provider is None or entry.provider == self.provider)
            and (self.booking is None or entry.booking is self.booking)
            and self.tags.items() <= entry.tags.items()
        )


ALL = LedgerQuery()
"""Everything."""


class Ledger(Protocol):
    """
    Keeps entries. Append-only: nothing that is written is changed, but for what its retention says.

    Raises:
        ConfigurationError: It cannot be opened.
        StoreError: It cannot be read or written now.
    """

    async def record(self, entries: Sequence[LedgerEntry], /) -> None:
        """
        Write *entries* down, all or none; those whose id is there already add nothing.

        Cancelled, they may have been written down or not: the same may be recorded again.
        """
        ...

    def entries(self, query: LedgerQuery = ALL, /) -> AsyncIterator[LedgerEntry]:
        """Those that *query* wants, oldest first, however many there are."""
        ...

    async def aclose(self) -> None:
        """Give back what it holds. Idempotent."""
        ...
