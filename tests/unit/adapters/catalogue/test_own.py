from decimal import Decimal

import pytest

from fairlead.adapters.catalogue import OwnPrices
from fairlead.core.errors import ConfigurationError
from fairlead.core.prices import Price, Tariff, UnitRate
from fairlead.core.usage import Usage


class Book:
    """Knows one model, by a rule or by its name."""

    def __init__(self, *, exact):
        tariff = Tariff(rates={"input": UnitRate(Decimal(9))})
        self.known = Price(model="known", source="book", exact=exact, tariffs=(tariff,))

    def price(self, provider, model, /):
        return self.known if model == "known" else None


RATES = {"input": "0.59", "output": Decimal("0.79"), "cache_read": 0}


def test_ones_own_price_comes_first():
    prices = OwnPrices({"Known": RATES}, otherwise=Book(exact=True))

    price = prices.price("anybody", "kNown")
    assert (price.model, price.source, price.as_of, price.exact) == (
        "Known",
        "your own prices",
        None,
        True,
    )
    assert price.cost(Usage(input_tokens=100, output_tokens=100)).amount == Decimal("0.000138")


def test_another_model_is_asked_for_elsewhere():
    book = Book(exact=True)

    assert OwnPrices({"mine": RATES}, otherwise=book).price("x", "known") is book.known
    assert OwnPrices({"mine": RATES}, otherwise=book).price("x", "other") is None
    assert OwnPrices({}).price("x", "known") is None


@pytest.mark.parametrize("name, provider", [("Mine", "https://x"), (None, "MINE")])
def test_a_price_may_be_one_providers_alone(name, provider):
    prices = OwnPrices({"mine:m": {"input": 1}, "m": {"input": 2}}, name=name)

    assert prices.price(provider, "m").input == 1
    other = OwnPrices({"mine:m": {"input": 1}, "m": {"input": 2}}, name="yours")
    assert other.price("https://x", "m").input == 2


def test_what_is_merely_called_alike_may_be_refused():
    asked = ("x", "known")

    assert OwnPrices({}, otherwise=Book(exact=False), exact=True).price(*asked) is None
    assert OwnPrices({}, otherwise=Book(exact=True), exact=True).price(*asked) is not None
    assert OwnPrices({}, otherwise=Book(exact=False)).price(*asked) is not None


def test_a_whole_price_may_be_given():
    price = Book(exact=True).known

    assert OwnPrices({"m": price}).price("x", "m") is price


@pytest.mark.parametrize(
    "rates, said",
    [
        ({"input": 0.59}, r"for input must be a Decimal, not 0\.59; write it as '0\.59'"),
        ({"input": True}, "must be a Decimal, not True"),
        ({"input": None}, "must be a Decimal, not None"),
        ({"input": "cheap"}, "must be a number of at least 0, not 'cheap'"),
        ({"input": "-1"}, "must be a number of at least 0, not '-1'"),
        ({"input": Decimal("NaN")}, "must be a number of at least 0"),
        ({"inptu": 1}, "there is no such unit; did you mean 'input'"),
        ({"zzz": 1}, "there is no such unit; there are cache_read_audio,"),
        ("0.59", "the price of m must be rates by unit, not '0.59'"),
    ],
)
def test_what_is_no_price_is_refused(rates, said):
    with pytest.raises(ConfigurationError, match=said):
        OwnPrices({"m": rates})
