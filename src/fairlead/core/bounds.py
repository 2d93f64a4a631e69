"""What one call can come to at worst. What is not known is None, never a guess."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from .calls import Operation

N = TypeVar("N", int, float, "Decimal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """
    What is consumed: by one attempt, or by several.

    Args:
        seconds: None is unknown; `inf` is no end of its own, but one at the call's deadline.
        tokens: Of prompt and answer together; None is unknown.
        money: In US dollars; None is unknown.
    """

    seconds: float | None = None
    tokens: int | None = None
    money: Decimal | None = None

    def times(self, count: int) -> Amounts:
        """So much, *count* times."""
        return Amounts(
            seconds=None if self.seconds is None else self.seconds * count,
            tokens=None if self.tokens is None else self.tokens * count,
            money=None if self.money is None else self.money * count,
        )

    def least(self, other: Amounts) -> Amounts:
        """The lesser of two bounds that both hold; one that is unknown does not bind."""
        return Amounts(
            seconds=_least(self.seconds, other.seconds),
            tokens=_least(self.tokens, other.tokens),
            money=_least(self.money, other.money),
        )

    @staticmethod
    def total(parts: Sequence[Amounts]) -> Amounts:
        """All of *parts* together."""
        return Amounts(
            seconds=_sum([part.seconds for part in parts]),
            tokens=_sum([part.tokens for part in parts]),
            money=_sum([part.money for part in parts]),
        )

    @staticmethod
    def most(parts: Sequence[Amounts]) -> Amounts:
        """The largest of *parts*, each kind by itself."""
        return Amounts(
            seconds=_most([part.seconds for part in parts]),
            tokens=_most([part.tokens for part in parts]),
            money=_most([part.money for part in parts]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """
    The most that one call can come to.

    Args:
        attempts: How often providers are asked; None is unknown.
        planned: How often they would be if no cap held.
        terms: How that number comes about, in factors and summands.
        each: The most that a single attempt consumes.
        all: The most that all attempts consume together.
        waits: Seconds between and before attempts; None is unknown, `inf` as in `Amounts`.
        limit: Seconds after which all is over in any case.
    """

    attempts: int | None
    planned: int | None
    terms: str
    each: Amounts
    all: Amounts
    waits: float | None = 0.0
    limit: float = inf

    @classmethod
    def once(cls, each: Amounts) -> Bounds:
        """One attempt that consumes *each* at most."""
        return cls(attempts=1, planned=1, terms="1", each=each, all=each)

    @classmethod
    def joining(cls, parts: Sequence[Bounds]) -> Bounds:
        """One part after the other."""
        attempts = _sum([part.attempts for part in parts])
        return cls(
            attempts=attempts,
            planned=attempts,
            terms=_sum_of([part.factor for part in parts]),
            each=Amounts.most([part.each for part in parts]),
            all=Amounts.total([part.all for part in parts]),
            waits=_sum([part.waits for part in parts]),
        )

    @property
    def seconds(self) -> float | None:
        """How long it takes; None is unknown, `inf` is without an end."""
        spent = _sum([self.all.seconds, self.waits])
        return None if spent is None else min(spent, self.limit)

    @property
    def tokens(self) -> int | None:
        """Of all attempts together; None is unknown."""
        return self.all.tokens

    @property
    def money(self) -> Decimal | None:
        """In US dollars, of all attempts together; None is unknown."""
        return self.all.money

    def repeated(self, times: int, waits: float | None = 0.0) -> Bounds:
        """
        The same up to *times*, with seconds of *waits* between.

        Whoever repeats looks at `call.attempts_left` before, so that a cap holds.
        """
        attempts = None if self.attempts is None else self.attempts * times
        own = None if self.waits is None else self.waits * times
        return Bounds(
            attempts=attempts,
            planned=attempts,
            terms=_product_of(times, self.factor),
            each=self.each,
            all=self.all.times(times),
            waits=_sum([own, waits]),
        )

    def uncounted(self) -> Bounds:
        """The same nobody knows how often, so without an end but that of the deadline."""
        return replace(
            self,
            attempts=None,
            planned=None,
            terms=UNKNOWN.terms,
            all=Amounts(
                seconds=None if self.seconds is None else inf,
                money=None if self.money != 0 else self.money,
            ),
            limit=inf,
        )

    def capped(self, attempts: int) -> Bounds:
        """The same with at most so many attempts."""
        if self.attempts is None or self.attempts <= attempts:
            return self
        most = self.all.least(self.each.times(attempts))
        return replace(self, attempts=attempts, all=most)

    def within(self, seconds: float | None) -> Bounds:
        """The same, over after *seconds*; None is no end."""
        if seconds is None or self.seconds is None:
            return self
        limit = Amounts(seconds=seconds)
        return replace(
            self,
            each=self.each.least(limit),
            all=self.all.least(limit),
            waits=_least(self.waits, seconds),
            limit=min(seconds, self.limit),
        )

    def either(self, other: Bounds) -> Bounds:
        """The worse of the two, where only one of them comes about."""
        worse = self if (self.planned or 0) >= (other.planned or 0) else other
        return replace(
            worse,
            attempts=_most([self.attempts, other.attempts]),
            planned=_most([self.planned, other.planned]),
            each=Amounts.most([self.each, other.each]),
            all=Amounts.most([self.all, other.all]),
            waits=_most([self.waits, other.waits]),
            limit=max(self.limit, other.limit),
        )

    @property
    def factor(self) -> str:
        """The terms as part of others."""
        return self.terms if self.attempts == self.planned else str(self.attempts)


UNKNOWN = Bounds(
    attempts=None, planned=None, terms="unknown", each=Amounts(), all=Amounts(), waits=None
)
"""Of what does not tell."""


@runtime_checkable
class Bounded(Protocol):
    """Something that tells what a call can come to at worst."""

    def bounds(self, operation: Operation) -> Bounds:
        """
        Of a call of that kind that sets no option; a stream's until it commits.

        Synchronous, from how it was built alone; it asks what is inside by `bounds_of`.
        """
        ...


def bounds_of(provider: object, operation: Operation) -> Bounds:
    """What *provider* tells; `UNKNOWN` if it tells nothing."""
    return provider.bounds(operation) if isinstance(provider, Bounded) else UNKNOWN


def _sum(values: Sequence[N | None]) -> N | None:
    """Of at least one value; unknown if one of them is."""
    total: N | None = None
    for value in values:
        if value is None:
            return None
        total = value if total is None else total + value
    return total


def _most(values: Sequence[N | None]) -> N | None:
    """The largest; unknown if one of them is."""
    known = [value for value in values if value is not None]
    return max(known) if len(known) == len(values) else None


def _least(one: N | None, other: N | None) -> N | None:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)


def _product_of(times: int, factor: str) -> str:
    if times == 1:
        return factor
    if factor == "1":
        return str(times)
    return f"{times} {_TIMES} ({factor})" if "+" in factor else f"{times} {_TIMES} {factor}"


def _sum_of(factors: Sequence[str]) -> str:
    alike = len(set(factors)) == 1
    return _product_of(len(factors), factors[0]) if alike else " + ".join(factors)


_TIMES = "\N{MULTIPLICATION SIGN}"
