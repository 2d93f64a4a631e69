"""What a call consumed and what that cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """
    Tokens in the one normal form: input includes cached input, output includes reasoning.

    What the vendor did not tell is None, never a guess, unless `estimated` says so.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    """Of the input, what was read from the vendor's prompt cache."""
    cache_write_tokens: int | None = None
    """Of the input, what was written to the vendor's prompt cache."""
    reasoning_tokens: int | None = None
    """Of the output, what was spent on reasoning."""
    total_tokens: int | None = None
    """The vendor's own sum, as it was told."""
    estimated: bool = False
    """Whether a cut or abandoned call was settled with what had been seen."""
    apart: Mapping[str, int] = field(default_factory=dict[str, int], hash=False)
    """Of all this, what some vendors charge apart: `input_audio`, `output_audio`, `cache_write_1h`,
    `web_searches` and whatever else is in `fairlead.core.prices.UNITS`."""
    raw: Mapping[str, object] = field(default_factory=dict[str, object], hash=False)
    """The vendor's own record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a call cost, in US dollars."""

    amount: Decimal
    source: str
    """Who says so: the vendor's answer, or the name of a price list."""
    estimated: bool = False
    matched: str | None = None
    """The entry of the price list that it was reckoned by."""
    as_of: date | None = None
    """The day of that list, if it is known."""
    exact: bool = True
    """Whether the model's own name stands in the list; else one of its rules fits the name."""


def add_usage(one: Usage | None, other: Usage | None) -> Usage | None:
    """Both together; what neither knows stays unknown."""
    if one is None or other is None:
        return one or other
    return Usage(
        input_tokens=_add(one.input_tokens, other.input_tokens),
        output_tokens=_add(one.output_tokens, other.output_tokens),
        cache_read_tokens=_add(one.cache_read_tokens, other.cache_read_tokens),
        cache_write_tokens=_add(one.cache_write_tokens, other.cache_write_tokens),
        reasoning_tokens=_add(one.reasoning_tokens, other.reasoning_tokens),
        total_tokens=_add(one.total_tokens, other.total_tokens),
        apart={
            name: one.apart.get(name, 0) + other.apart.get(name, 0)
            for name in {**one.apart, **other.apart}
        },
        estimated=one.estimated or other.estimated,
    )


def add_cost(one: Cost | None, other: Cost | None) -> Cost | None:
    """Both together."""
    if one is None or other is None:
        return one or other
    return Cost(
        amount=exact_sum(one.amount, other.amount),
        source=one.source if one.source == other.source else "sum",
        estimated=one.estimated or other.estimated,
        matched=one.matched if one.matched == other.matched else None,
        as_of=one.as_of if one.as_of == other.as_of else None,
        exact=one.exact and other.exact,
    )


def exact_sum(one: Decimal, other: Decimal) -> Decimal:
    """Both together, to the last digit: the usual context rounds to 28 of them."""
    from decimal import Context

    return Context(prec=200, traps=[]).add(one, other)


def _add(one: int | None, other: int | None) -> int | None:
    return (one or 0) + (other or 0) if one is not None or other is not None else None
