"""From the section `budgets` to a pipeline that keeps to it."""

from decimal import Decimal

import pytest

from fairlead import (
    BudgetExceededError,
    BudgetLimit,
    BudgetOptions,
    BudgetProvider,
    LocalBudgetStore,
    OfflineProvider,
    SqliteBudgetStore,
    default_pipeline,
    open_provider,
    target_pipeline,
)
from fairlead.assembly.build import PipelineSettings
from fairlead.assembly.leaves import budget_store
from fairlead.assembly.order import layers_in
from fairlead.assembly.sections import BudgetSettings
from fairlead.cli.sections import mistakes_in
from fairlead.core.budgets import AssumedPrice
from fairlead.core.calls import find
from fairlead.core.errors import ConfigurationError
from fairlead.settings import load

LIMITS = [{"calls": 1}, {"scope": "user", "money": "5 USD", "per": "day", "soft": 0.8}]


def settings(**budgets):
    raw = load(environ={}, arguments={"budgets": budgets})
    return PipelineSettings.of(raw)


def mistakes(tmp_path, text):
    file = tmp_path / "f.yaml"
    file.write_text(text)
    return [f"{it.source.line}: {it.source.name} {it.problem}" for it in mistakes_in(file)]


def test_without_limits_there_is_no_budget():
    assert BudgetSettings().options is None
    assert budget_store(settings()) is None
    assert "budget" not in layers_in(open_provider("offline"))


def test_what_the_section_says_is_what_the_policy_does():
    found = settings(limits=LIMITS, bound="strict", unpriced="allow", on_store_failure="deny")

    assert found.budgets.options == BudgetOptions(
        limits=(
            BudgetLimit(calls=1),
            BudgetLimit(scope="user", money=5, per="day", soft=0.8),
        ),
        bound="strict",
        unpriced="allow",
        on_store_failure="deny",
    )
    assert isinstance(budget_store(found), LocalBudgetStore)
    assert [str(entry) for entry in found.budgets.limits] == [
        "global: 1 call in all",
        "each user: 5 USD per day",
    ]


def test_an_unknown_price_may_be_assumed():
    options = settings(limits=LIMITS, assumed_input="2 USD", assumed_output=10).budgets.options

    assert options.unpriced == AssumedPrice(input=Decimal(2), output=Decimal(10))
    with pytest.raises(ConfigurationError, match="set both"):
        settings(limits=LIMITS, assumed_input=1)


def test_output_may_be_small():
    options = settings(limits=LIMITS, output=5).budgets.options

    assert (options.output, options.least_output) == (5, 5)


def test_books_in_a_file_are_for_all(tmp_path):
    file = str(tmp_path / "b.db")
    store = budget_store(settings(limits=LIMITS, file=file, lease=5, abandoned="expire"))

    assert isinstance(store, SqliteBudgetStore)
    assert (store.lease, store._expires) == (5, True)
    assert budget_store(settings(limits=LIMITS, file=file)).lease == 60


def test_mistakes_are_told_where_they_stand(tmp_path):
    text = """
budgets:
  bound: strcit
  limits:
    - scope: user
      money: 5 EUR
      per: dya
    - calls: -1
      pre: hour
    - scope: user
"""
    nothing = "a budget's limit needs money=, tokens= or calls="
    euros = "it must be in US dollars, as prices are, not in 'EUR': convert it"
    assert mistakes(tmp_path, text) == [
        "3: budgets.bound must be 'expected' or 'strict', not 'strcit'",
        f"4: budgets.limits (entry 3) cannot be used: {nothing}",
        f"6: budgets.limits.money cannot be used: {euros}",
        "7: budgets.limits.per must be 'hour', 'day', 'week', 'month' or 'year', not 'dya'",
        "8: budgets.limits.calls must be at least 0, not -1",
        "9: budgets.limits.pre is not known",
    ]


def test_an_entry_that_is_none_is_told_of(tmp_path):
    assert mistakes(tmp_path, "budgets:\n  limits:\n    - 7\n") == [
        "2: budgets.limits (entry 1) must be a section with keys and values, not 7"
    ]


def test_limits_may_be_json_in_a_variable():
    raw = load(environ={"FAIRLEAD_BUDGETS_LIMITS": '[{"calls": 3}]'})

    assert PipelineSettings.of(raw).budgets.options.limits == (BudgetLimit(calls=3),)


def test_its_place_is_between_limits_and_breaker():
    node = target_pipeline(OfflineProvider(), budget=BudgetOptions(limits=(BudgetLimit(calls=1),)))

    budget = find(node, BudgetProvider)
    assert layers_in(budget.inner) == {"breaker", "attempt"}
    assert layers_in(node) == {"split", "retry", "budget", "breaker", "attempt"}


@pytest.mark.anyio
async def test_all_targets_of_a_pipeline_share_the_money():
    pipeline = default_pipeline(
        OfflineProvider(), OfflineProvider(), budget=BudgetOptions(limits=(BudgetLimit(calls=1),))
    )

    await pipeline.generate("hi")
    with pytest.raises(BudgetExceededError):
        await pipeline.generate("hi")


@pytest.mark.anyio
async def test_a_provider_that_was_opened_keeps_to_the_budget_and_closes_its_books(tmp_path):
    budgets = {"limits": LIMITS, "file": str(tmp_path / "b.db")}
    async with open_provider("offline", fallback=["offline"], budgets=budgets) as provider:
        await provider.generate("hi")
        with pytest.raises(BudgetExceededError, match="1 call in all for global"):
            await provider.generate("hi")
        store = find(provider, BudgetProvider)._reservations._store
        assert store._database._connection is not None
        assert "each user: 5 USD per day" in " ".join(str(provider.explain()).split())

    assert store._database._connection is None
    async with open_provider("offline", budgets=budgets) as again:
        with pytest.raises(BudgetExceededError):
            await again.generate("hi")
