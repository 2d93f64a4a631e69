import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import genai_prices
import pytest
from genai_prices import data_snapshot, types

from fairlead.adapters.catalogue import Catalogue, GenaiPrices
from fairlead.adapters.catalogue.genai import rules_of, tariffs_of
from fairlead.adapters.catalogue.tariffs import fits
from fairlead.core.errors import ConfigurationError
from fairlead.core.prices import UnitRate
from fairlead.core.usage import Usage

D = Decimal


@pytest.fixture(autouse=True)
def _no_snapshot_stays():
    yield
    data_snapshot.set_custom_snapshot(None)


def plain(price):
    """Without what the two books say of themselves."""
    return price and replace(price, source="", as_of=None)


def test_it_is_asked_for_only_where_it_is_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "genai_prices", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'fairlead\[genai-prices\]'"):
        GenaiPrices()


@pytest.mark.parametrize(
    "provider, model",
    [
        ("openai", "gpt-5.6-luna"),
        ("https://api.openai.com/v1", "GPT-5.6-luna"),
        ("gemini", "gemini-2.5-pro"),
        ("bedrock", "anthropic.claude-opus-4-1-20250805-v1:0"),
        ("azure", "gpt-4o"),
        ("anthropic", "claude-haiku-4-5"),
        ("anthropic", "claude-haiku-4-5-20251001"),
        ("perplexity", "sonar"),
        ("openai-compatible", "gpt-4o"),
        ("openai", "nobody-knows"),
        ("http://localhost:8000/v1", "gpt-4o"),
    ],
)
def test_it_says_what_the_catalogue_says(provider, model):
    assert plain(GenaiPrices().price(provider, model)) == plain(Catalogue().price(provider, model))


def test_every_model_costs_what_the_library_says():
    at = datetime(2026, 11, 25, 2, tzinfo=UTC)
    ours = Usage(
        input_tokens=300_000,
        cache_read_tokens=100_000,
        cache_write_tokens=50_000,
        output_tokens=1000,
        reasoning_tokens=100,
    )
    theirs = types.Usage(
        input_tokens=300_000,
        cache_read_tokens=100_000,
        cache_write_tokens=50_000,
        output_tokens=1000,
        output_reasoning_tokens=100,
    )
    books = GenaiPrices(), Catalogue()
    compared = 0
    for vendor in data_snapshot.get_snapshot().providers:
        for model in vendor.models:
            for tier, context in (
                (None, {}),
                ("batch", {"processing": "batch"}),
                ("priority", {"service_tier": "priority"}),
                ("flex", {"service_tier": "flex"}),
                ("fast", {"speed": "fast", "service_tier": "fast"}),
            ):
                prices = [book.price(vendor.id, model.id) for book in books]
                costs = [each.cost(ours, at=at, service_tier=tier) for each in prices if each]
                for cost in filter(None, costs):
                    wanted = genai_prices.calc_price(
                        theirs,
                        model.id,
                        provider_id=vendor.id,
                        genai_request_timestamp=at,
                        price_context=context,
                    )
                    assert cost.amount == wanted.total_price, (vendor.id, model.id, tier)
                    compared += 1
    assert compared > 3500


def model(**facts):
    match = types.ClauseEquals("m")
    return types.ModelInfo(**{"id": "m", "match": match, "prices": types.ModelPrice(), **facts})


def vendor(*models):
    return types.Provider(id="v", name="V", api_pattern="https://v", models=list(models))


def test_it_sees_what_its_updater_brings():
    book = GenaiPrices()
    assert book.price("openai", "gpt-5.6-luna").as_of is None
    updated = data_snapshot.DataSnapshot(
        providers=[vendor(model(prices=types.ModelPrice(input_mtok=D(7))))],
        from_auto_update=True,
        timestamp=datetime(2026, 11, 20, tzinfo=UTC),
    )

    data_snapshot.set_custom_snapshot(updated)

    assert book.price("openai", "gpt-5.6-luna") is None
    price = book.price("v", "m")
    assert (price.input, price.as_of, price.source) == (7, date(2026, 11, 20), "genai-prices")
    assert book.price("v", "m") is price


def test_it_starts_no_updates():
    GenaiPrices().price("openai", "gpt-5.6-luna")

    assert genai_prices.update_prices._shared_updater.ref_count == 0


def test_what_is_not_charged_by_the_token_has_no_price():
    assert tariffs_of(model(prices=types.ModelPrice(audio_hours=D(1)))) is None
    assert tariffs_of(model(prices=types.ModelPrice(input_mtok=D(0)))) is not None


def test_requests_are_priced_one_by_one():
    [tariff] = tariffs_of(model(prices=types.ModelPrice(input_mtok=D(1), requests_kcount=D(12))))

    assert tariff.rates["request"] == UnitRate(D("0.012"))


def test_of_two_variants_the_first_counts():
    prices = types.ModelPrice(input_mtok=D(1), output_mtok=D(1))
    variants = [
        types.PriceVariant(when={"service_tier": tier}, prices=types.ModelPrice(input_mtok=D(rate)))
        for tier, rate in (("flex", 2), ("flex", 3))
    ]
    variants += [
        types.PriceVariant(when={"route": "eu"}, prices=prices),
        types.PriceVariant(when={"service_tier": "default"}, prices=types.ModelPrice()),
        types.PriceVariant(when={"service_tier": "flex", "route": "eu"}, prices=prices),
    ]
    entry = model(prices=prices, price_variants=variants)

    assert [each.rates["input"].base for each in tariffs_of(entry)[1:]] == [3, 2]
    assert [each.service_tier for each in tariffs_of(entry, own=False)] == [None]


def test_rules_are_translated():
    either = types.ClauseOr(
        [
            types.ClauseEquals("One"),
            types.ClauseStartsWith("Two"),
            types.ClauseEndsWith("three"),
            types.ClauseContains("four"),
            types.ClauseRegex(r"^Five\D$"),
            types.ClauseAnd(
                [
                    types.ClauseContains("six"),
                    types.ClauseOr([types.ClauseStartsWith("a"), types.ClauseEndsWith("b")]),
                ]
            ),
        ]
    )
    rules = rules_of(either)

    assert rules == ["one", "^two", "$three", "*four", r"/^Five\D$", "*six&^a", "*six&$b"]
    for name in ("one", "twofold", "x-three", "a four b", "six", "a six", "six-b", "a", "b"):
        assert either.is_match(name) == any(fits(rule, name) for rule in rules), name


def test_a_rule_of_a_new_kind_is_not_passed_over():
    with pytest.raises(TypeError, match="object is no rule that is known here"):
        rules_of(object())
