"""
What tokens cost: rates, and what usage comes to by them.

All money is `Decimal`, in US dollars, and nothing is rounded. What is not known is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from .checks import in_words
from .errors import ConfigurationError
from .usage import Cost

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .usage import Usage


@dataclass(frozen=True, slots=True)
class UnitRate:
    """
    What one of something costs: of a million tokens, of a thousand searches, of one request.

    Args:
        base: US dollars.
        steps: Of models that charge more for long prompts: the tokens of input above which another
            rate holds, and that rate, in order. It holds for all tokens of the call, not only for
            those beyond the step.

    Raises:
        ConfigurationError: A rate is no `Decimal` of at least 0, or the steps do not ascend.
    """

    base: Decimal
    steps: tuple[tuple[int, Decimal], ...] = ()

    def __post_init__(self) -> None:
        for rate in (self.base, *(rate for _, rate in self.steps)):
            if not isinstance(rate, Decimal) or not rate.is_finite() or rate < 0:
                given = in_words(rate)
                raise ConfigurationError(f"a rate must be a Decimal of at least 0, not {given}")
        starts = [above for above, _ in self.steps]
        if starts != sorted(set(starts)):
            raise ConfigurationError(f"the steps of a rate must ascend, and not be {starts}")

    def of(self, input_tokens: int) -> Decimal:
        """The rate for a call with so many tokens of input."""
        rate = self.base
        for above, dearer in self.steps:
            if input_tokens <= above:
                break
            rate = dearer
        return rate

    def highest(self, input_tokens: int) -> Decimal:
        """The highest for a call with at most so many tokens of input."""
        return max([self.base, *(rate for above, rate in self.steps if input_tokens > above)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """
    Rates that hold together.

    Args:
        rates: By what they are for, one of `UNITS`.
        since: The day, in UTC, from which on they hold; None is since ever.
        hours: From when to when in the day, in UTC, if not always; the end is not in it.
        service_tier: What the call has to be served as, such as `priority`; None is as usual.
    """

    rates: Mapping[str, UnitRate] = field(hash=False)
    since: date | None = None
    hours: tuple[time, time] | None = None
    service_tier: str | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it does at that time, which is one of UTC."""
        if self.since is not None and at.date() < self.since:
            return False
        if self.hours is None:
            return True
        start, end = self.hours
        now = at.time()
        return start <= now < end if start <= end else now >= start or now < end


@dataclass(frozen=True, slots=True)
class Unit:
    """
    Something that has a rate.

    Args:
        field: Where `Usage` has its number; where it has no such field, `Usage.apart` does.
        of: The larger units that it is a part of. Where it has a rate of its own, it is not charged
            by theirs.
        per: How many the rate is for.
    """

    field: str
    of: frozenset[str] = frozenset()
    per: int = 1_000_000


def _part(name: str, *of: str) -> Unit:
    return Unit(name, frozenset(of))


UNITS: Mapping[str, Unit] = MappingProxyType(
    {
        # The smaller stand before the larger.
        "cache_read_audio": _part("cache_read_audio", "input", "cache_read", "input_audio"),
        "cache_read_image": _part("cache_read_image", "input", "cache_read", "input_image"),
        "cache_write_1h": _part("cache_write_1h", "input", "cache_write"),
        "cache_read": _part("cache_read_tokens", "input"),
        "cache_write": _part("cache_write_tokens", "input"),
        "input_audio": _part("input_audio", "input"),
        "input_image": _part("input_image", "input"),
        "input_video": _part("input_video", "input"),
        "input": _part("input_tokens"),
        "reasoning": _part("reasoning_tokens", "output"),
        "output_audio": _part("output_audio", "output"),
        "output_image": _part("output_image", "output"),
        "output_video": _part("output_video", "output"),
        "output": _part("output_tokens"),
        "web_searches": Unit("web_searches", per=1000),
        "request": Unit("request", per=1),
    }
)
"""All that can have a rate."""
USUAL = frozenset({None, "", "auto", "default", "standard", "on_demand"})
"""What vendors call the service tier that is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """
    What a model costs.

    Args:
        model: The entry of the book that was found.
        source: The book.
        as_of: The day of its data, if it is known.
        exact: Whether the very name that was asked for stands in the book; else a rule of the book
            says that the entry is for such names.
        tariffs: Of those that hold at a time the last one counts; if none does, the first. One for
            a service tier says only what is different in it.

    Raises:
        ConfigurationError: All tariffs are for service tiers, or there are none.
    """

    model: str
    source: str
    as_of: date | None = None
    exact: bool = True
    tariffs: tuple[Tariff, ...]

    def __post_init__(self) -> None:
        if all(tariff.service_tier for tariff in self.tariffs):
            raise ConfigurationError(f"the price of {self.model} has no tariff for usual calls")

    def cost(
        self, usage: Usage, *, at: datetime | None = None, service_tier: str | None = None
    ) -> Cost | None:
        """
        What *usage* comes to; None where a number or a rate is missing, or does not add up.

        What vendors charge besides, such as for files that they keep, is not in it.

        Args:
            usage: In the normal form.
            at: When it was asked; None is now. One without a time zone is UTC.
            service_tier: What the vendor says that it was served as, such as `flex`, `priority` or
                `batch`.
        """
        rates = self.rates(at=at, service_tier=service_tier)
        amount = None if rates is None else _amount(rates, usage)
        if amount is None:
            return None
        return Cost(
            amount=amount,
            source=self.source,
            estimated=usage.estimated,
            matched=self.model,
            as_of=self.as_of,
            exact=self.exact,
        )

    def bound(
        self,
        input_tokens: int,
        output_tokens: int,
        *,
        at: datetime | None = None,
        service_tier: str | None = None,
    ) -> Decimal:
        """
        The most that one call with at most so many tokens can cost.

        By the highest rates, whatever the tokens turn out to be: cached, audio, thoughts. Searches
        are not in it.

        Args:
            input_tokens: At most.
            output_tokens: At most, thoughts included.
            at: From when on; None is now.
            service_tier: As in `cost`; None is any that the book knows, as a vendor may choose it.
        """
        top = self._highest(input_tokens, at, service_tier)
        return _most(top, input_tokens, output_tokens)

    def within(self, window: int, output_tokens: int | None = None) -> Decimal:
        """
        The most that one call can cost whose prompt and answer share *window*.

        Args:
            window: Tokens of both together.
            output_tokens: Of the answer alone, at most; None is as many as the window has.
        """
        top = self._highest(window, None, None)
        answer = window if output_tokens is None else min(output_tokens, window)
        if top["output"] < top["input"]:
            answer = 0
        return _most(top, window - answer, answer)

    def rates(
        self, *, at: datetime | None = None, service_tier: str | None = None
    ) -> Mapping[str, UnitRate] | None:
        """The rates by unit, as in `cost`; None if nobody knows them for that service tier."""
        tariffs, tier = self.tariffs, service_tier and service_tier.lower()
        if len(tariffs) == 1 and tier in USUAL:
            return tariffs[0].rates
        now = _utc(at)
        usual = [each for each in tariffs if each.service_tier is None]
        rates = next((each for each in reversed(usual) if each.holds(now)), usual[0]).rates
        if tier in USUAL:
            return rates
        own = [each for each in tariffs if each.service_tier == tier and each.holds(now)]
        if not own:
            return None
        changed = dict(rates)
        for tariff in own:
            changed.update(tariff.rates)
        return changed

    @property
    def input(self) -> Decimal | None:
        """For a million tokens of input, now, in a call that is not long."""
        return self._base("input")

    @property
    def output(self) -> Decimal | None:
        """For a million tokens of output, likewise."""
        return self._base("output")

    def _base(self, unit: str) -> Decimal | None:
        rate = (self.rates() or {}).get(unit)
        return None if rate is None else rate.base

    def _highest(
        self, input_tokens: int, at: datetime | None, service_tier: str | None
    ) -> dict[str, Decimal]:
        """The highest rates of all input, of all output, and for the request itself."""
        now = _utc(at)
        top: dict[str, Decimal] = dict.fromkeys(_SIDES.values(), Decimal(0))
        for tariff in self._possible(now):
            if tariff.service_tier is not None and service_tier not in {None, tariff.service_tier}:
                continue
            for name, rate in tariff.rates.items():
                if (side := _SIDES.get(name)) is not None:
                    top[side] = max(top[side], rate.highest(input_tokens))
        return top

    def _possible(self, now: datetime) -> Iterable[Tariff]:
        """Those that can still come to hold."""
        usual = [each for each in self.tariffs if each.service_tier is None]
        over = 0
        for index, tariff in enumerate(usual):
            # What holds at all hours hides all that stand before it.
            if tariff.hours is None and tariff.holds(now):
                over = index
        return [*usual[over:], *(each for each in self.tariffs if each.service_tier is not None)]


class Unpriced:
    """The price book that knows no price."""

    def price(self, provider: str, model: str, /) -> Price | None:
        """None."""
        return None


UNPRICED = Unpriced()

_EXACT = Context(prec=200)
"""Of which nothing is rounded off, whatever the program's own context is."""
_TOKENS = 1_000_000
_WHOLE = ("input", "output")
_SIDES: Mapping[str, str] = MappingProxyType(
    {
        name: side
        for side in (*_WHOLE, "request")
        for name, unit in UNITS.items()
        if side in {name, *unit.of}
    }
)
"""What each unit is a part of, as far as it is bounded: all input, all output, or the request."""


def _amount(rates: Mapping[str, UnitRate], usage: Usage) -> Decimal | None:
    """What *usage* comes to; each token is charged once, as the smallest unit that has a rate."""
    length = usage.input_tokens or 0
    if (length and "input" not in rates) or (usage.output_tokens and "output" not in rates):
        return None
    charged: dict[str, int] = {}
    total = Decimal(0)
    for name, unit in _in_order(rates):
        each = rates[name].of(length)
        count = _count(usage, name, unit)
        if count is None:
            if name in _WHOLE and each:
                return None
            count = 0
        for part, its in charged.items():
            if name in UNITS[part].of:
                count -= its
        if count < 0:
            return None
        charged[name] = count
        if count and each:
            total = _EXACT.add(total, _charge(each, count, unit.per))
    return total


def _in_order(rates: Mapping[str, UnitRate]) -> list[tuple[str, Unit]]:
    """The units that have a rate, the smaller before the larger."""
    return [(name, unit) for name, unit in UNITS.items() if name in rates]


def _count(usage: Usage, name: str, unit: Unit) -> int | None:
    if name == "request":
        return 1
    if unit.field == name:
        return usage.apart.get(name)
    told: int | None = getattr(usage, unit.field)
    return told


def _charge(rate: Decimal, count: int, per: int = _TOKENS) -> Decimal:
    return _EXACT.divide(_EXACT.multiply(rate, Decimal(count)), Decimal(per))


def _most(top: Mapping[str, Decimal], input_tokens: int, output_tokens: int) -> Decimal:
    tokens = _EXACT.add(_charge(top["input"], input_tokens), _charge(top["output"], output_tokens))
    return _EXACT.add(tokens, top["request"])


def _utc(at: datetime | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
