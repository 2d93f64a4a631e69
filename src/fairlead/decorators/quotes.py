"""What a call may come to, and what it has come to."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

from ..core.budgets import NOTHING, Consumption, nanos
from ..core.consumed import consumed, is_whole, may_be_billed
from ..core.errors import ProviderConnectionError, ProviderError
from ..core.journal import Outcome
from ..core.refusals import RefusedError
from ..core.results import Generation
from ..core.tokens import FACTOR, FACTORS, most_tokens
from .lane import input_tokens, most_output

if TYPE_CHECKING:
    from decimal import Decimal

    from ..core.budgets import BudgetOptions
    from ..core.calls import Call
    from ..core.models import ModelInfo
    from ..core.outcomes import StreamOutcome
    from ..core.usage import Cost, Usage


class Rated(Protocol):
    """What a model costs, as far as budgets ask."""

    def bound(self, input_tokens: int, output_tokens: int, /) -> Decimal:
        """The most that so many tokens can cost, in US dollars."""
        ...

    def cost(self, usage: Usage, /) -> Cost | None:
        """What *usage* costs; None if that cannot be told."""
        ...


class UnboundedError(Exception):
    """Nobody can tell what a call may come to."""


class Quote:
    """
    What one call may come to.

    Args:
        price: What it is priced by; None where money is not counted.
        family: Of the model's tokenizer.
        input: Tokens of input that are reserved.
        output: Tokens of output that are.
        least_output: Tokens of output that it makes no sense without.
        sets: Whether `max_tokens` has to be set even if all of that is granted.
        strict: Whether it is a bound.
    """

    __slots__ = (
        "family",
        "input",
        "least",
        "least_output",
        "most",
        "output",
        "price",
        "sets",
        "strict",
    )

    def __init__(
        self,
        price: Rated | None,
        family: str | None,
        input: int = 0,  # noqa: A002 - it is what the vendors call it
        output: int = 0,
        least_output: int = 0,
        *,
        sets: bool = False,
        strict: bool = False,
    ) -> None:
        self.price: Rated | None = price
        self.family: str | None = family
        self.input: int = input
        self.output: int = output
        self.least_output: int = least_output
        self.sets: bool = sets
        self.strict: bool = strict
        self.most: Consumption = self._with(output)
        """What is wanted."""
        self.least: Consumption = self.most if least_output == output else self._with(least_output)
        """What it makes no sense without."""

    def affordable(self, granted: Consumption) -> int | None:
        """The `max_tokens` to set, so that no more is spent than is *granted*; None is none."""
        if granted == self.most:
            return self.output if self.sets else None
        low, high = self.least_output, self.output
        while low < high:
            middle = (low + high + 1) // 2
            needed = self._with(middle)
            if needed[0] <= granted[0] and needed[1] <= granted[1]:
                low = middle
            else:
                high = middle - 1
        return low

    def _with(self, output: int) -> Consumption:
        money = 0 if self.price is None else nanos(self.price.bound(self.input, output))
        return Consumption(money, self.input + output, 1)


def quote(call: Call[Any], model: ModelInfo, price: Rated | None, options: BudgetOptions) -> Quote:
    """
    What *call* may come to on *model*.

    Raises:
        UnboundedError: A strict bound is wanted, and there is none.
    """
    strict = options.bound == "strict"
    if strict:
        most = most_tokens(call.request)
        if most is None:
            raise UnboundedError("nobody knows how many tokens pictures, sound and files have")
    else:
        most = _expected(call, model.tokenizer)
    asked = most_output(call)
    if asked is not None:
        return Quote(price, model.tokenizer, most, asked, asked, strict=strict)
    ceiling = model.max_output_tokens
    output = options.output if ceiling is None else ceiling
    least = min(options.least_output, output)
    return Quote(price, model.tokenizer, most, output, least, sets=ceiling is None, strict=strict)


def _expected(call: Call[Any], family: str | None) -> int:
    return ceil(input_tokens(call.request, family) * _factor(family))


def _factor(family: str | None) -> float:
    return FACTORS.get(family or "", FACTOR)


class Spent:
    """
    What a call has come to, once it is over.

    Args:
        call: The call.
        quote: What it might have come to.
        granted: What was reserved for it.
    """

    __slots__ = ("_call", "_granted", "_quote")

    def __init__(self, call: Call[Any], quote: Quote, granted: Consumption) -> None:
        self._call = call
        self._quote = quote
        self._granted = granted

    def by_answer(self, answer: Any) -> Consumption:
        """Of an answer that is no stream."""
        metadata = answer.metadata
        if metadata is None:
            return self._told(answer, whole=True)
        return self._told(answer, metadata.usage, metadata.cost, whole=True)

    def by_stream(self, outcome: StreamOutcome) -> Consumption:
        """Of a stream that has ended, in whatever way."""
        generation = outcome.generation
        whole = outcome.outcome is Outcome.SUCCEEDED or is_whole(outcome.error)
        return self._told(generation, cost=generation.cost, whole=whole)

    def by_error(self, error: BaseException) -> Consumption:
        """
        Of a call that has failed, or was cancelled.

        Nothing if it was never sent; an attempt and no money if the vendor has refused it; else
        its input and what was seen, as it may have been worked on.
        """
        partial = error.partial if isinstance(error, ProviderError) else None
        if isinstance(partial, Generation):
            return self._told(partial, cost=partial.cost, whole=is_whole(error))
        if may_be_billed(error):
            return self._told(None)
        reached = error.sent if isinstance(error, ProviderError) else True
        if reached is None:
            reached = not isinstance(error, (RefusedError, ProviderConnectionError))
        return Consumption(0, 0, 1) if reached else NOTHING

    def _told(
        self,
        answer: Any,
        usage: Usage | None = None,
        cost: Cost | None = None,
        *,
        whole: bool = False,
    ) -> Consumption:
        price = self._quote.price
        known = consumed(self._call.request, self._quote.family, answer, usage, whole=whole)
        read, written = known.input_tokens or 0, known.output_tokens or 0
        exact, money = whole and not known.estimated, 0
        if cost is not None and (whole or price is None):
            money, exact = nanos(cost.amount), exact or (whole and not cost.estimated)
        elif price is not None:
            by_price = price.cost(known)
            money = nanos(price.bound(read, written) if by_price is None else by_price.amount)
        spent = Consumption(money, read + written, 1)
        if self._quote.strict and not exact:
            spent = Consumption(*map(min, spent, self._granted))
        return spent
