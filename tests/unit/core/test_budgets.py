import pickle
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fairlead.core.books import Budget, charge, grant
from fairlead.core.budgets import (
    NOTHING,
    AssumedPrice,
    BudgetLimit,
    BudgetOptions,
    Consumption,
    Grant,
    Shortfall,
    dollars,
    nanos,
    told,
)
from fairlead.core.errors import ConfigurationError
from fairlead.core.refusals import BudgetExceededError
from fairlead.core.usage import Usage
from fairlead.core.windows import PARTS, Window

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
DAY = 86400.0


def spending(money=0, tokens=0, calls=0):
    return Consumption(money, tokens, calls)


@pytest.mark.parametrize(
    ("given", "amount"),
    [
        (5, "5"),
        (0.1, "0.1"),
        ("2.50 USD", "2.50"),
        ("$3", "3"),
        (" 7 usd ", "7"),
        (Decimal("0.000000001"), "1E-9"),
        (0, "0"),
    ],
)
def test_money_may_be_written_in_many_ways(given, amount):
    assert BudgetLimit(money=given).money == Decimal(amount)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"money": "5 EUR"}, "US dollars, as prices are, not in 'EUR'"),
        ({"money": "much"}, "amount of US dollars"),
        ({"money": True}, "amount of US dollars"),
        ({"money": [5]}, "amount of US dollars"),
        ({"money": -1}, "from 0 to 1,000,000,000"),
        ({"money": "NaN"}, "from 0 to"),
        ({"money": float("inf")}, "from 0 to"),
        ({"money": 10**12}, "from 0 to"),
        ({"tokens": -1}, "tokens must be at least 0"),
        ({"tokens": 1.5}, "tokens must be an int"),
        ({"calls": 10**16}, "at most 10^15"),
        ({}, "needs money=, tokens= or calls="),
        ({"money": 1, "per": "dya"}, "did you mean 'day'"),
        ({"money": 1, "per": 7}, "per must be one of hour"),
        ({"money": 1, "per": "day", "rolling": 60}, "two windows"),
        ({"money": 1, "rolling": 0}, "more than 0 seconds"),
        ({"money": 1, "rolling": 1e12}, "ten years"),
        ({"money": 1, "scope": " "}, "scope must be a name"),
        ({"money": 1, "scope": 3}, "scope must be a name"),
        ({"money": 1, "only": "ann"}, "needs a tag as scope"),
        ({"money": 1, "scope": "user", "only": ""}, "only must be a name"),
        ({"money": 1, "soft": 0}, "more than 0 and at most 1"),
        ({"money": 1, "soft": 1.1}, "more than 0 and at most 1"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(wrong, words):
    with pytest.raises(ConfigurationError) as refused:
        BudgetLimit(**wrong)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"limits": BudgetLimit(money=1)},
        {"limits": (1,)},
        {"bound": "loose"},
        {"unpriced": "guess"},
        {"on_store_failure": "cry"},
        {"output": 8},
        {"least_output": 0},
    ],
)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        BudgetOptions(**wrong)


def test_limits_may_come_in_a_list():
    assert BudgetOptions(limits=[BudgetLimit(calls=1)]).limits == (BudgetLimit(calls=1),)


def test_an_assumed_price_is_per_million_tokens():
    price = AssumedPrice(input=2, output="10 USD")

    assert price.bound(500_000, 100_000) == 2
    cost = price.cost(Usage(input_tokens=500_000, output_tokens=100_000))
    assert (cost.amount, cost.estimated) == (2, True)
    assert price.cost(Usage(input_tokens=1)) is None
    assert price.cost(Usage(output_tokens=1)) is None
    with pytest.raises(ConfigurationError, match="output"):
        AssumedPrice(input=1, output=-1)


def test_what_is_spent_is_rounded_up_and_what_may_be_spent_down():
    assert nanos(Decimal("0.0000000011")) == 2
    assert BudgetLimit(money=Decimal("0.0000000019")).most == (1, None, None)
    assert BudgetLimit(tokens=7, calls=3).most == (None, 7, 3)
    assert dollars(nanos(Decimal("12.345"))) == Decimal("12.345")


def test_amounts_in_words():
    assert told(nanos(Decimal("1234.50")), "USD") == "1,234.5 USD"
    assert told(0, "USD") == "0 USD"
    assert told(1, "calls") == "1 call"
    assert told(2000, "tokens") == "2,000 tokens"


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (BudgetLimit(money=5), "global: 5 USD in all"),
        (BudgetLimit(scope="user", calls=9, per="hour"), "each user: 9 calls per hour"),
        (
            BudgetLimit(scope="user", only="ann", money=1, tokens=10, rolling=60),
            "user=ann: 1 USD and 10 tokens in 60 s",
        ),
    ],
)
def test_a_limit_in_words(limit, words):
    assert str(limit) == words


def test_whom_a_limit_is_for():
    each = BudgetLimit(scope="user", money=1, per="day")
    ann = BudgetLimit(scope="user", only="ann", money=2, per="day")

    assert BudgetLimit(money=1).claim({"user": "bob"}).key == "global in all"
    assert each.claim({"user": "bob"}).key == "user=bob per day"
    assert each.claim({}).key == "user= per day"
    assert ann.claim({"user": "ann"}).key == each.claim({"user": "ann"}).key
    assert ann.claim({"user": "bob"}) is None
    assert ann.claim({}) is None


@pytest.mark.parametrize("per", ["hour", "day", "week", "month", "year"])
@pytest.mark.parametrize("now", [0.0, 1.5, NOON, 4.0e9, 951_782_399.0, 253_000_000_000.0])
def test_a_window_of_the_calendar_ends_where_the_next_one_begins(per, now):
    window = Window(per)
    slot = window.slot(now)
    end = window.gone(slot)

    assert end > now
    assert window.slot(end) == slot + 1
    assert window.slot(end - 0.5) == slot


def test_weeks_begin_on_monday_and_months_on_the_first():
    assert datetime.fromtimestamp(Window("week").gone(Window("week").slot(NOON)), UTC) == datetime(
        2026, 11, 30, tzinfo=UTC
    )
    december = datetime(2026, 12, 25, tzinfo=UTC).timestamp()
    assert datetime.fromtimestamp(
        Window("month").gone(Window("month").slot(december)), UTC
    ) == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("now", [-5.0, 1e15])
@pytest.mark.parametrize("window", [Window("month"), Window("day"), Window(None, 60.0), Window()])
def test_a_clock_out_of_its_mind_breaks_no_window(window, now):
    budget = Budget(window)
    budget.settle(budget.reserve(spending(3), now), spending(3), spending(2))

    assert budget.books(now)[0] == spending(2)
    assert budget.resets(now) is None or budget.resets(now) > 0


def test_what_is_reserved_is_settled_or_released():
    budget = Budget(Window("day"))
    slot = budget.reserve(spending(10, 20, 1), NOON)
    other = budget.reserve(spending(5, 5, 1), NOON)
    assert budget.books(NOON) == (NOTHING, spending(15, 25, 2))

    budget.settle(slot, spending(10, 20, 1), spending(7, 12, 1))
    budget.release(other, spending(5, 5, 1))

    assert budget.books(NOON) == (spending(7, 12, 1), NOTHING)


def test_what_was_reserved_yesterday_is_settled_yesterday():
    budget = Budget(Window("day"))
    slot = budget.reserve(spending(10), NOON)
    budget.settle(slot, spending(10), spending(4))

    assert budget.books(NOON + DAY) == (NOTHING, NOTHING)
    assert budget.books(NOON) == (spending(4), NOTHING)


def test_a_clock_that_jumps_finds_its_books_again():
    budget = Budget(Window("day"))
    budget.reserve(spending(4), NOON)
    budget.reserve(spending(5), NOON + 365 * DAY)  # it jumps ahead,

    assert budget.books(NOON)[1] == spending(4)  # and back
    assert budget.books(NOON + 365 * DAY)[1] == spending(5)


def test_what_is_too_old_to_remember_is_not_free():
    budget = Budget(Window("day"))
    for day in range(40):
        budget.reserve(spending(1), NOON + day * DAY)

    assert len(budget._slots) == budget.window.kept
    budget.reserve(spending(1), NOON)
    assert budget.books(NOON)[1] == spending(2)  # of the oldest day that is remembered
    assert len(budget._slots) == budget.window.kept
    budget.settle(Window("day").slot(NOON), spending(1), spending(1))  # forgotten
    assert budget.books(NOON) == (NOTHING, spending(2))


def test_a_clock_that_is_set_far_back_makes_nothing_forgotten():
    budget = Budget(Window("day"))
    for day in range(budget.window.kept):
        budget.reserve(spending(1), NOON + day * DAY)

    budget.reserve(spending(1), NOON - 10 * DAY)

    assert budget.books(NOON)[1] == budget.books(NOON - 10 * DAY)[1] == spending(2)
    assert len(budget._slots) == budget.window.kept


def test_a_rolling_window_ends_now():
    budget = Budget(Window(None, 60.0))
    budget.reserve(spending(3), NOON)

    assert budget.books(NOON + 59.9)[1] == spending(3)
    assert budget.resets(NOON) == pytest.approx(NOON + 62, abs=1.1)
    assert budget.books(budget.resets(NOON))[1] == NOTHING
    assert budget.books(NOON - 30)[1] == spending(3)
    assert len(Budget(Window(None, 60.0))._slots) == 0


def test_a_rolling_window_remembers_as_much_as_it_needs():
    budget = Budget(Window(None, 60.0))
    for second in range(10 * PARTS):
        budget.reserve(spending(1), NOON + second)

    assert len(budget._slots) <= budget.window.kept
    assert PARTS <= budget.books(NOON + 10 * PARTS - 1)[1][0] <= PARTS + 2


def test_a_window_without_an_end_never_resets():
    budget = Budget(Window())
    budget.reserve(spending(1), NOON)

    assert budget.books(NOON + 1e9)[1] == spending(1)
    assert budget.resets(NOON) is None
    assert not budget.ended(NOON)


def test_an_account_has_ended_when_nothing_counts_or_is_to_come():
    budget = Budget(Window("day"))
    slot = budget.reserve(spending(1), NOON)

    assert not budget.ended(NOON)
    assert not budget.ended(NOON + DAY)
    budget.settle(slot, spending(1), spending(1))
    assert not budget.ended(NOON)
    assert budget.ended(NOON + DAY)


def test_books_can_be_corrected():
    budget = Budget(Window(None, 60.0))
    for second in (0, 30):
        slot = budget.reserve(spending(10), NOON + second)
        budget.settle(slot, spending(10), spending(10))

    budget.adjust(spending(5, 2), NOON + 30)
    assert budget.books(NOON + 30)[0] == spending(25, 2)
    budget.adjust(spending(-12), NOON + 30)
    assert budget.books(NOON + 30)[0] == spending(13, 2)
    assert budget.books(NOON + 70)[0] == spending(13, 2)  # the oldest was taken first
    with pytest.raises(ValueError, match="14 USD cannot be taken from the 0"):
        budget.adjust(spending(-14), NOON + 30)
    assert budget.books(NOON + 30)[0] == spending(13, 2)


def test_its_state_can_be_kept():
    budget = Budget(Window("month"))
    slot = budget.reserve(spending(10, 5, 1), NOON)
    budget.settle(slot, spending(10, 5, 1), spending(1, 2, 1))

    assert Budget(Window("month"), budget.dump()).dump() == budget.dump()


@pytest.mark.parametrize(
    "state",
    [
        [],
        "x",
        {},
        {"floor": 1},
        {"floor": 0, "slots": []},
        {"floor": "x", "slots": {}},
        {"floor": 0, "slots": {"a": [0] * 6}},
        {"floor": 0, "slots": {"1": [0] * 5}},
        {"floor": 0, "slots": {"1": None}},
    ],
)
def test_what_is_no_state_is_refused(state):
    with pytest.raises(ValueError, match="no state of a budget"):
        Budget(Window("day"), state)


def claims_of(*limits, tags=None):
    claims = [limit.claim(tags or {}) for limit in limits]
    return claims, {claim.key: Budget(claim.window) for claim in claims}


def test_all_limits_have_to_fit_or_nothing_is_taken():
    claims, budgets = claims_of(
        BudgetLimit(calls=2), BudgetLimit(scope="user", tokens=100), tags={"user": "ann"}
    )
    most = spending(0, 60, 1)

    granted = grant(claims, budgets, most, most, NOON)
    assert isinstance(granted, Grant)
    assert granted.amount == most
    assert charge(budgets, granted.amount, NOON) == {"global in all": 0, "user=ann in all": 0}
    refused = grant(claims, budgets, most, most, NOON)
    assert isinstance(refused, Shortfall)
    assert (refused.claim.scope, refused.unit, refused.reserved) == ("user=ann", "tokens", 60)
    assert (refused.limit, refused.needed, refused.wait) == (100, 60, None)
    assert budgets["global in all"].books(NOON)[1].calls == 1


def test_as_much_is_granted_as_the_tightest_limit_leaves():
    claims, budgets = claims_of(BudgetLimit(money="0.00000009"), BudgetLimit(money="0.00000007"))

    granted = grant(claims, budgets, spending(500, 9, 1), spending(10, 1, 1), NOON)

    assert granted.amount == spending(70, 9, 1)


def test_two_limits_of_one_account_charge_it_once():
    _, budgets = claims_of(BudgetLimit(calls=5), BudgetLimit(money=1))
    assert len(budgets) == 1

    charge(budgets, spending(3, 2, 1), NOON)

    assert budgets["global in all"].books(NOON)[1] == spending(3, 2, 1)


def test_the_error_tells_all_that_is_known():
    at = datetime(2026, 11, 26, tzinfo=UTC)
    error = BudgetExceededError(
        "too much",
        scope="user=ann",
        unit="USD",
        limit=Decimal(5),
        spent=Decimal(4),
        reserved=Decimal(1),
        needed=Decimal(2),
        resets_at=at,
        sent=False,
        retry_after=3.0,
    )
    again = pickle.loads(pickle.dumps(error))

    assert str(again) == "too much [retry after 3 s]"
    assert (again.scope, again.unit, again.limit) == ("user=ann", "USD", 5)
    assert (again.spent, again.reserved, again.needed, again.resets_at) == (4, 1, 2, at)
    assert BudgetExceededError("no").limit is None


def test_limits_are_values():
    limit = BudgetLimit(money=1)

    assert replace(limit, money="2") == BudgetLimit(money=2)
    assert pickle.loads(pickle.dumps(limit)) == limit
