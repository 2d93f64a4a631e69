"""Providers whose price is known."""

from decimal import Decimal

from fairlead.core.prices import Price, Tariff, UnitRate


def flat_price(per_input: int = 1000, per_output: int = 2000) -> Price:
    """So many dollars per million tokens."""
    rates = {"input": UnitRate(Decimal(per_input)), "output": UnitRate(Decimal(per_output))}
    return Price(model="flat", source="flat", tariffs=(Tariff(rates=rates),))


class FlatBook:
    """A price book with one price for all."""

    def __init__(self, price: Price) -> None:
        self._price = price

    def price(self, provider: str, model: str, /) -> Price:
        return self._price


class Priced:
    """Mixed into an adapter: what it answers has a flat price."""

    prices = FlatBook(flat_price())
