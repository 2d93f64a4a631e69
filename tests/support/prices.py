"""Providers whose price is known."""

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from fairlead.core.plans import Plan, Target
from fairlead.core.usage import Cost


@dataclass(frozen=True)
class FlatPrice:
    """So many dollars per million tokens."""

    input: Decimal = Decimal(1000)
    output: Decimal = Decimal(2000)

    def bound(self, input_tokens: int, output_tokens: int) -> Decimal:
        return (self.input * input_tokens + self.output * output_tokens) / 10**6

    def cost(self, usage: Any) -> Cost | None:
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        amount = self.bound(usage.input_tokens, usage.output_tokens)
        return Cost(amount=amount, source="flat")


@dataclass(frozen=True, kw_only=True)
class PricedTarget(Target):
    price: Any = None


class Priced:
    """Mixed into an adapter: puts *price* on its plan."""

    price: Any = FlatPrice()

    def plan(self, call):
        def priced(target):
            known = {each.name: getattr(target, each.name) for each in fields(Target) if each.init}
            return PricedTarget(**{**known, "price": self.price})

        return Plan(tuple(map(priced, super().plan(call))))
