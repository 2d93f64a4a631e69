"""
Budgets: how much may be spent, by whom, in which time.

Books are kept in whole billionths of a dollar, so that sums are exact whatever keeps them: what is
spent is rounded up, and what may be spent is rounded down.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from .checks import check_count, check_number, check_seconds, in_words, nearest
from .errors import ConfigurationError
from .usage import Cost
from .windows import PERIODS, Period, Window

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .usage import Usage

Money: TypeAlias = Decimal | int | float | str
"""US dollars; a str may say so, as in `"2.50 USD"`. A float is what it prints as."""
Bound: TypeAlias = Literal["expected", "strict"]
Unit: TypeAlias = Literal["USD", "tokens", "calls"]

GLOBAL = "global"
"""The scope that every call is in."""
UNITS: tuple[Unit, Unit, Unit] = ("USD", "tokens", "calls")
NANO = 1_000_000_000
MOST_MONEY = 10**9
"""US dollars; more is a slip of the pen."""
MOST_COUNT = 10**15
LONGEST = 10 * 366 * 86400.0
"""Seconds of a window."""
PER_MILLION = 1_000_000
LEAST_OUTPUT = 16
"""Tokens; some vendors take no smaller `max_tokens`."""


class Consumption(NamedTuple):
    """What was, or may be, spent: of each of `UNITS`, money in billionths of a dollar."""

    money: int = 0
    tokens: int = 0
    calls: int = 0

    def plus(self, other: Consumption) -> Consumption:
        """Both together."""
        return Consumption(self[0] + other[0], self[1] + other[1], self[2] + other[2])


NOTHING = Consumption()


def nanos(amount: Decimal) -> int:
    """*amount* dollars in billionths, rounded up."""
    return int((amount * NANO).to_integral_value(ROUND_CEILING))


def dollars(billionths: int) -> Decimal:
    """So many billionths in dollars."""
    return Decimal(billionths).scaleb(-9)


def in_unit(amount: int, unit: Unit) -> Decimal | int:
    """One of a `Consumption`'s numbers as people have it."""
    return dollars(amount) if unit == "USD" else amount


def told(amount: int, unit: Unit) -> str:
    """The same in words."""
    if unit != "USD":
        return f"{amount:,} {unit if amount != 1 else unit[:-1]}"
    return f"{dollars(amount).normalize():,f} USD"


def money_of(name: str, value: object) -> Decimal:
    """
    *value* as an amount of US dollars.

    Raises:
        ConfigurationError: It is none, is negative, absurdly large or of another currency.
    """
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, float, str)):
        raise _no_money(name, value)
    text = value.strip() if isinstance(value, str) else str(value)
    number, _, currency = text.removeprefix("$").partition(" ")
    if currency.strip().upper() not in {"", "USD"}:
        raise ConfigurationError(
            f"{name} must be in US dollars, as prices are, not in {in_words(currency.strip())}: "
            "convert it"
        )
    try:
        amount = Decimal(number)
    except InvalidOperation:
        raise _no_money(name, value) from None
    if not amount.is_finite() or not 0 <= amount <= MOST_MONEY:
        raise ConfigurationError(
            f"{name} must be from 0 to {MOST_MONEY:,} US dollars, not {in_words(value)}"
        )
    return amount


def _no_money(name: str, value: object) -> ConfigurationError:
    return ConfigurationError(
        f"{name} must be an amount of US dollars, such as 5 or '0.25 USD', not {in_words(value)}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumedPrice:
    """
    What a model without a known price is taken to cost, in US dollars per million tokens.

    Raises:
        ConfigurationError: A rate makes no sense.
    """

    input: Money
    output: Money

    def __post_init__(self) -> None:
        for name in ("input", "output"):
            object.__setattr__(self, name, money_of(name, getattr(self, name)))

    def bound(self, input_tokens: int, output_tokens: int) -> Decimal:
        """What so many tokens cost."""
        rates = Decimal(self.input), Decimal(self.output)
        return (rates[0] * input_tokens + rates[1] * output_tokens) / PER_MILLION

    def cost(self, usage: Usage) -> Cost | None:
        """What *usage* costs; None if it does not say how many tokens there were."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        amount = self.bound(usage.input_tokens, usage.output_tokens)
        return Cost(amount=amount, source="assumed", estimated=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLimit:
    """
    How much may be spent in one scope, in one window of time.

    Args:
        scope: `"global"`, or the name of a tag: each of its values has a budget of its own, and so
            have all calls together that lack the tag.
        only: The one value of the tag that is meant.
        money: In US dollars.
        tokens: Input and output together.
        calls: Attempts that were sent, retries included.
        per: The window: an hour, day, week (from Monday), month or year of the calendar, in UTC.
        rolling: Or a window of so many seconds that always ends now. Without either, what is spent
            is spent for good.
        soft: The share of the limit from which on listeners are told.

    Raises:
        ConfigurationError: A value makes no sense, or nothing is limited.
    """

    scope: str = GLOBAL
    only: str | None = None
    money: Money | None = None
    tokens: int | None = None
    calls: int | None = None
    per: Period | None = None
    rolling: float | None = None
    soft: float | None = None

    def __post_init__(self) -> None:
        _check_word("scope", self.scope)
        if self.only is not None:
            _check_word("only", self.only)
            if self.scope == GLOBAL:
                raise ConfigurationError("only= needs a tag as scope; every call is in 'global'")
        if self.money is not None:
            object.__setattr__(self, "money", money_of("money", self.money))
        for name in ("tokens", "calls"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name), 0)
                check_number(name, getattr(self, name), "at most 10^15", lambda n: n <= MOST_COUNT)
        if self.money is None and self.tokens is None and self.calls is None:
            raise ConfigurationError("a budget's limit needs money=, tokens= or calls=")
        self._check_window()
        if self.soft is not None:
            check_number("soft", self.soft, "more than 0 and at most 1", lambda it: 0 < it <= 1)

    def _check_window(self) -> None:
        if self.per is not None and self.rolling is not None:
            raise ConfigurationError("per= and rolling= are two windows; leave one of them out")
        if self.per is not None and self.per not in PERIODS:
            near = nearest(str(self.per), PERIODS)
            hint = f"; did you mean {near!r}?" if near else ""
            raise ConfigurationError(
                f"per must be one of {', '.join(PERIODS)}, not {in_words(self.per)}{hint}"
            )
        if self.rolling is not None:
            check_seconds("rolling", self.rolling)
            check_number("rolling", self.rolling, "at most ten years", lambda it: it <= LONGEST)

    def __str__(self) -> str:
        whose = self.scope if self.only is None else f"{self.scope}={self.only}"
        if self.scope != GLOBAL and self.only is None:
            whose = f"each {self.scope}"
        amounts = [
            told(most, unit)
            for most, unit in zip(self.most, UNITS, strict=True)
            if most is not None
        ]
        return f"{whose}: {' and '.join(amounts)} {self.window}"

    @property
    def window(self) -> Window:
        """The time that it holds for."""
        return Window(self.per, self.rolling)

    @property
    def most(self) -> tuple[int | None, int | None, int | None]:
        """The limits as a `Consumption` counts them; None is no limit."""
        if self.money is None:
            return None, self.tokens, self.calls
        whole = (Decimal(self.money) * NANO).to_integral_value(ROUND_FLOOR)
        return int(whole), self.tokens, self.calls

    def claim(self, tags: Mapping[str, str]) -> Claim | None:
        """What a call with *tags* has to fit; None if it is not in the scope."""
        if self.scope == GLOBAL:
            scope = GLOBAL
        else:
            value = tags.get(self.scope, "")
            if self.only is not None and value != self.only:
                return None
            scope = f"{self.scope}={value}"
        window = self.window
        return Claim(f"{scope} {window}", scope, window, self.most, self)


def _check_word(name: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{name} must be a name, not {in_words(value)}")


class Claim(NamedTuple):
    """One limit that a call has to fit, and the account that is charged."""

    key: str
    """Of the account. Limits of one scope and window share it."""
    scope: str
    """Such as `user=ann`."""
    window: Window
    most: tuple[int | None, int | None, int | None]
    limit: BudgetLimit


class Grant(NamedTuple):
    """What was reserved."""

    amount: Consumption
    spent: tuple[Consumption, ...]
    """What each claim's account had spent before, settled for good."""
    at: float
    """When, by the wall clock of the store, in Unix seconds."""


class Shortfall(NamedTuple):
    """Why nothing was reserved: the first limit that it did not fit."""

    claim: Claim
    unit: Unit
    limit: int
    spent: int
    reserved: int
    needed: int
    resets: float | None
    """When something comes back, in Unix seconds; None is never."""
    wait: float | None
    """The same in seconds from now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetAlert:
    """
    A soft limit was reached.

    Args:
        scope: Whose, such as `user=ann`.
        limit: The limit.
        spent: What is spent of it, settled for good.
        resets_at: When its window ends.
    """

    scope: str
    limit: BudgetLimit
    spent: Consumption
    resets_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """
    What one account has spent and reserved, in its present window.

    Args:
        key: The account: its scope and its window.
        spent: What is settled.
        reserved: What calls under way may come to.
        resets: When the window ends, in Unix seconds.
    """

    key: str
    spent: Consumption
    reserved: Consumption
    resets: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Presumed:
    """
    A reservation that nobody has settled or renewed in time, and that is taken to be spent.

    Args:
        id: Its name, by which it can be corrected.
        keys: The accounts that it is charged to.
        amount: All that it had reserved.
        at: When it was reserved, in Unix seconds.
    """

    id: str
    keys: tuple[str, ...]
    amount: Consumption
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetOptions:
    """
    What may be spent, and what is done where that cannot be told.

    Args:
        limits: All of them hold at once.
        bound: What is reserved for a call: `"expected"`, its estimated input with a margin, or
            `"strict"`, as much as it can have at most; and all the output that it may have.
        unpriced: What becomes of a call whose price is unknown, where money is limited: `"deny"`,
            `"allow"`, or an `AssumedPrice`.
        on_store_failure: Whether calls are made while the store of the books fails.
        output: Tokens that `max_tokens` is set to at most, where a call sets none and nobody knows
            how many the model may answer.
        least_output: Tokens of output that have to be affordable at least.

    Raises:
        ConfigurationError: A value makes no sense.
    """

    limits: tuple[BudgetLimit, ...] = ()
    bound: Bound = "expected"
    unpriced: Literal["deny", "allow"] | AssumedPrice = "deny"
    on_store_failure: Literal["allow", "deny"] = "allow"
    output: int = 4096
    least_output: int = LEAST_OUTPUT

    def __post_init__(self) -> None:
        limits: Any = self.limits
        if isinstance(limits, BudgetLimit) or not all(
            isinstance(limit, BudgetLimit) for limit in limits
        ):
            raise ConfigurationError(
                f"limits must be a sequence of BudgetLimit, not {in_words(limits)}"
            )
        object.__setattr__(self, "limits", tuple(limits))
        _check_choice("bound", self.bound, ("expected", "strict"))
        if not isinstance(self.unpriced, AssumedPrice):
            _check_choice("unpriced", self.unpriced, ("deny", "allow"), " or an AssumedPrice")
        _check_choice("on_store_failure", self.on_store_failure, ("allow", "deny"))
        check_count("least_output", self.least_output, 1)
        check_count("output", self.output, self.least_output)


def _check_choice(name: str, value: object, known: tuple[str, str], more: str = "") -> None:
    if value not in known:
        first, second = known
        raise ConfigurationError(
            f"{name} must be {first!r} or {second!r}{more}, not {in_words(value)}"
        )
