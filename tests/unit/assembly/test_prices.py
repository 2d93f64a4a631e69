"""Who is asked what a call costs, in pipelines that are built."""

import json
import subprocess
import sys
from decimal import Decimal

import pytest
import respx

from fairlead import open_provider
from fairlead.adapters.catalogue import Catalogue, GenaiPrices, OwnPrices
from fairlead.adapters.providers.openai import OpenAIProvider
from fairlead.adapters.providers.openai_compatible import OpenAICompatibleProvider
from fairlead.assembly.build import PipelineSettings
from fairlead.assembly.explain import _money, explain
from fairlead.assembly.leaves import price_book
from fairlead.cli.sections import mistakes_in
from fairlead.container import Container
from fairlead.core.adapter import Adapter
from fairlead.core.calls import find
from fairlead.core.errors import ConfigurationError
from fairlead.core.models import ModelInfo
from fairlead.core.prices import UNPRICED
from fairlead.decorators.retry import RetryProvider
from fairlead.settings import load

KEY = "sk-0123456789abcdef"
OPENAI, GROQ = "https://api.openai.com/v1", "https://api.groq.com/openai/v1"
LOCAL = "http://localhost:8000/v1"


def pipeline_settings(**prices):
    return PipelineSettings.of(load(environ={}, arguments={"prices": prices}))


def adapter_in(provider):
    return find(provider, Adapter)


def price_in(provider, model=None):
    adapter = adapter_in(provider)
    return adapter.price_of(model or adapter.model.name)


def at(base_url, model="openai/gpt-oss-120b", **more):
    return OpenAICompatibleProvider(base_url=base_url, model=model, api_key=KEY, **more)


def test_the_catalogue_is_the_default_and_there_is_one_of_it():
    book = price_book(pipeline_settings())

    assert isinstance(book, Catalogue)
    assert price_book(pipeline_settings()) is book


def test_settings_may_name_another_book():
    assert isinstance(price_book(pipeline_settings(book="genai-prices")), GenaiPrices)
    assert price_book(pipeline_settings(book="none")) is UNPRICED


def test_a_book_that_is_not_installed_is_missed_when_it_is_opened(monkeypatch):
    monkeypatch.setitem(sys.modules, "genai_prices", None)

    with pytest.raises(ConfigurationError, match=r"fairlead\[genai-prices\]"):
        open_provider("offline", prices={"book": "genai-prices"})


@pytest.mark.parametrize(
    "provider, known",
    [
        (at(GROQ), True),
        (at(LOCAL), False),
        (at(LOCAL, name="groq"), False),
        (at(LOCAL, billed_by="groq"), True),
        (at(GROQ, name="mine"), True),
    ],
)
def test_a_price_is_that_of_the_address_and_not_of_a_name(provider, known):
    assert (price_in(open_provider(provider)) is not None) == known


def test_behind_a_proxy_it_is_said_who_sends_the_bill():
    proxy = {"api_key": KEY, "base_url": "https://proxy.example.com/v1"}

    assert price_in(open_provider("openai", **proxy)) is None
    assert price_in(open_provider("openai", billed_by="openai", **proxy)) is not None
    assert price_in(open_provider("openai", api_key=KEY)) is not None


@pytest.mark.parametrize("wrong", ["", " openai", "a\nb"])
def test_who_sends_the_bill_is_a_word(wrong):
    with pytest.raises(ConfigurationError, match="billed_by must not"):
        at(LOCAL, billed_by=wrong)


def test_ones_own_prices_come_first_and_may_be_one_providers():
    models = {"openai/gpt-oss-120b": {"input": 0.1}, "mine:openai/gpt-oss-120b": {"input": "0.2"}}
    prices = {"models": models}

    assert price_in(open_provider(at(GROQ), prices=prices)).input == Decimal("0.1")
    assert price_in(open_provider(at(LOCAL), prices=prices)).input == Decimal("0.1")
    assert price_in(open_provider(at(GROQ, name="mine"), prices=prices)).input == Decimal("0.2")
    assert price_in(open_provider(at(GROQ), prices=prices), "llama-3.1-8b-instant") is not None


def test_they_may_stand_in_a_file(tmp_path):
    file = tmp_path / "fairlead.yaml"
    file.write_text(
        "providers: {mine: {vendor: openai-compatible, base_url: 'http://localhost:1/v1', "
        "model: llama}}\n"
        "prices:\n  models:\n    mine:llama: {input: 0.59, output: 0.79}\n"
    )

    provider = open_provider("mine", config=str(file))

    assert price_in(provider).input == Decimal("0.59")
    assert provider.cost_per_1k_tokens == {"input": 0.00059, "output": 0.00079}


@pytest.mark.parametrize(
    "models, said",
    [
        ({"m": {"inptu": 1}}, "there is no such unit; did you mean 'input'"),
        ({"m": {"input": -1}}, "must be a number of at least 0"),
        ({"m": {"input": "cheap"}}, "prices.models"),
    ],
)
def test_a_wrong_price_is_refused_when_it_is_opened(models, said):
    with pytest.raises(ConfigurationError, match=said):
        open_provider("offline", prices={"models": models})


def test_a_wrong_price_is_told_where_it_stands(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("prices:\n  models:\n    gpt: {inptu: 1}\n    other:\n      input: 1 EUR\n")

    assert [(each.source.line, each.source.name) for each in mistakes_in(file)] == [
        (5, "prices.models.other.input")
    ]
    file.write_text("prices:\n  models:\n    gpt: {inptu: 1}\n")
    (mistake,) = mistakes_in(file)
    assert "line 2: prices.models cannot be used: the price of gpt for inptu" in str(mistake)


def test_names_that_are_merely_alike_may_be_refused():
    dated = "claude-sonnet-4-5-20250929"
    anthropic = at("https://api.anthropic.com/v1", model=dated)
    again = at("https://api.anthropic.com/v1", model=dated)

    assert not price_in(open_provider(anthropic)).exact
    assert price_in(open_provider(again, prices={"exact": True})) is None


def test_a_book_of_the_providers_own_is_kept():
    own = OwnPrices({"openai/gpt-oss-120b": {"input": 7}})
    provider = at(GROQ)
    provider.prices = own

    assert adapter_in(open_provider(provider, prices={"exact": True})).prices is own


def test_what_stands_in_a_pipeline_of_ones_own_is_priced_too():
    assert price_in(open_provider(RetryProvider(at(GROQ)))) is not None


def test_an_application_may_put_its_own_book_in():
    from dependency_injector import providers

    own = OwnPrices({"openai/gpt-oss-120b": {"input": 7}})
    with Container.prices.override(providers.Object(own)):
        assert price_in(open_provider(at(GROQ))).input == 7


def test_by_hand_nobody_knows_until_a_book_is_given():
    provider = OpenAIProvider(api_key=KEY)

    assert price_in(provider) is None
    provider.prices = Catalogue()
    assert price_in(provider).model == "gpt-5.6-luna"


def test_explain_tells_the_price_and_the_most_that_a_call_costs():
    info = ModelInfo(name="openai/gpt-oss-120b", context_window=131_072, max_output_tokens=1000)
    provider = open_provider(at(GROQ, info=info), prices={"book": "catalogue"})

    told = str(provider.explain())
    assert "usd_per_million_input=0.15, usd_per_million_output=0.6" in " ".join(told.split())
    assert "generate: 3 attempts; at most 600 s; 393,216 tokens; 6.04 cents\n" in told
    worst = json.loads(json.dumps(provider.explain().as_dict()))["worst"]["generate"]
    assert worst["usd"] == "0.0603324"
    assert "usd_per_million" not in str(explain(at(LOCAL, info=info)))
    embeds = OwnPrices({"m": {"input": "0.1"}})
    alone = at(LOCAL, model="m")
    alone.prices = embeds
    assert "usd_per_million_input=0.1," in str(explain(alone))
    assert "usd_per_million_output" not in str(explain(alone))


@pytest.mark.parametrize(
    "amount, words",
    [
        ("0", "0 USD"),
        ("0.41", "41 cents"),
        ("0.41234", "41.3 cents"),
        ("0.00001", "0.001 cents"),
        ("0.9999", "100 cents"),
        ("1", "1 USD"),
        ("1.2341", "1.24 USD"),
        ("1234.5", "1240 USD"),
    ],
)
def test_a_bound_is_told_in_three_digits_and_rounded_up(amount, words):
    assert _money(Decimal(amount)) == words


def test_the_facade_knows_what_a_thousand_tokens_cost():
    def told(provider):
        return open_provider(provider).cost_per_1k_tokens

    assert told(at(GROQ)) == {"input": 0.00015, "output": 0.0006}
    assert told(at(LOCAL)) is None
    assert told(at(OPENAI, model="text-embedding-3-small")) == {"input": 0.00002}
    assert open_provider(at(GROQ), fallback=["offline"]).cost_per_1k_tokens is not None


ANSWER = {
    "id": "x",
    "model": "openai/gpt-oss-120b",
    "choices": [{"index": 0, "message": {"content": "ho"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
}


@pytest.mark.anyio
async def test_a_call_over_http_knows_what_it_cost():
    with respx.mock:
        respx.post(f"{GROQ}/chat/completions").respond(json=ANSWER)
        async with open_provider(at(GROQ)) as provider:
            answer = await provider.generate("hi")

    assert answer.cost.amount == Decimal("0.00021")
    assert (answer.cost.matched, answer.cost.exact) == ("openai/gpt-oss-120b", True)
    assert answer.attempts[0].cost == answer.cost


def test_opening_a_provider_reads_no_prices():
    code = """
import sys, fairlead
provider = fairlead.open_provider("offline")
assert "genai_prices" not in sys.modules
from fairlead.assembly.leaves import _catalogue
assert _catalogue()._vendors is None
"""
    subprocess.run([sys.executable, "-c", code], check=True)
