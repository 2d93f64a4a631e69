"""How fast a provider may be asked: what its vendor tells, and what we keep to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a vendor says is left of one of its limits. What it does not say is None."""

    limit: int | None = None
    """How much may be had in all."""
    remaining: int | None = None
    """How much of that is left."""
    reset: float | None = None
    """Seconds after which all of it is there again, from when it was said."""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What a vendor says is left of its rate limits, in the headers of an answer or an error."""

    requests: Allowance | None = None
    tokens: Allowance | None = None
    """Input and output together."""


class Amount(NamedTuple):
    """What one call needs, or has consumed."""

    requests: int
    tokens: int


class Rate(NamedTuple):
    """So much per second, and at most so much at once."""

    per_second: float
    capacity: float


class Rates(NamedTuple):
    """The limits that we keep to; one that is None is learnt from the vendor, or there is none."""

    requests: Rate | None = None
    tokens: Rate | None = None
    learn: bool = True
    """Whether what the vendor tells is taken for the limit where there is none of our own."""

    @property
    def learns_tokens(self) -> bool:
        """Whether the limit on tokens is the vendor's to tell."""
        return self.learn and self.tokens is None
