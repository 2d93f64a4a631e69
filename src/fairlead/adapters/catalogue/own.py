"""Prices of your own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from ...core.checks import in_words, nearest
from ...core.errors import ConfigurationError
from ...core.prices import UNITS, UNPRICED, Price, Tariff, UnitRate

if TYPE_CHECKING:
    from ...core.ports import PriceBook

OWN = "your own prices"


class OwnPrices:
    """
    Your own prices, and where you have none, those of another book.

    ::

        prices = OwnPrices(
            {"llama-3.3-70b": {"input": "0.59", "output": "0.79"}}, otherwise=Catalogue()
        )

    Args:
        prices: By the model, or by `name:model` for the provider of that name alone: US dollars
            for a million tokens by `fairlead.core.prices.UNITS`, or a `Price`. Numbers are `str`,
            `int` or `Decimal`; a float has been rounded before it comes here.
        name: The provider's name.
        otherwise: Who is asked for the price of other models.
        exact: Whether that book may only tell prices of the very models that it names, and of none
            that are merely called alike.

    Raises:
        ConfigurationError: A price is no number, or is for something that has no price.
    """

    def __init__(
        self,
        prices: Mapping[str, Mapping[str, Decimal | str | int] | Price],
        *,
        name: str | None = None,
        otherwise: PriceBook = UNPRICED,
        exact: bool = False,
    ) -> None:
        self._own = {model.lower(): _price(model, rates) for model, rates in prices.items()}
        self._name = name
        self._otherwise = otherwise
        self._exact = exact

    def price(self, provider: str, model: str, /) -> Price | None:
        """Your own, else that of the other book."""
        asked = model.lower()
        for name in (self._name, provider):
            own = name and self._own.get(f"{name.lower()}:{asked}")
            if own:
                return own
        if (own := self._own.get(asked)) is not None:
            return own
        price = self._otherwise.price(provider, model)
        return None if price is not None and self._exact and not price.exact else price


def _price(model: str, rates: Mapping[str, Decimal | str | int] | Price) -> Price:
    if isinstance(rates, Price):
        return rates
    if not isinstance(rates, Mapping):
        raise ConfigurationError(
            f"the price of {model} must be rates by unit, not {in_words(rates)}"
        )
    tariff = Tariff(rates={unit: _rate(model, unit, each) for unit, each in rates.items()})
    return Price(model=model, source=OWN, tariffs=(tariff,))


def _rate(model: str, unit: str, value: object) -> UnitRate:
    where = f"the price of {model} for {unit}"
    if unit not in UNITS:
        near = nearest(unit, UNITS)
        hint = f"did you mean {near!r}? " if near else ""
        there_are = ", ".join(UNITS)
        raise ConfigurationError(f"{where}: there is no such unit; {hint}there are {there_are}")
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        hint = f"; write it as {str(value)!r}" if isinstance(value, float) else ""
        raise ConfigurationError(f"{where} must be a Decimal, not {in_words(value)}{hint}")
    try:
        return UnitRate(Decimal(value))
    except (InvalidOperation, ConfigurationError):
        given = in_words(value)
        raise ConfigurationError(f"{where} must be a number of at least 0, not {given}") from None
