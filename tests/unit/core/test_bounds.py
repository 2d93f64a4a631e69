"""What calls come to at worst, as numbers."""

# ruff: noqa: RUF001 - as it is printed

from decimal import Decimal
from math import inf

import pytest

from fairlead.core.bounds import UNKNOWN, Amounts, Bounds, bounds_of

ONE = Bounds.once(Amounts(seconds=10.0, tokens=100, money=Decimal("0.5")))
FREE = Bounds.once(Amounts(seconds=1.0, tokens=7, money=Decimal(0)))


def numbers(bounds):
    return bounds.attempts, bounds.seconds, bounds.tokens, bounds.money


def test_one_attempt_is_itself():
    assert numbers(ONE) == (1, 10.0, 100, Decimal("0.5"))
    assert ONE.terms == "1"


def test_repeats_multiply_and_wait():
    assert numbers(ONE.repeated(3, 5.0)) == (3, 35.0, 300, Decimal("1.5"))
    assert numbers(ONE.repeated(3, 5.0).repeated(2)) == (6, 70.0, 600, Decimal("3.0"))
    assert ONE.repeated(3).repeated(2).terms == "2 × 3"
    assert ONE.repeated(1).terms == "1"


def test_targets_that_are_alike_multiply_and_others_add_up():
    two = ONE.repeated(2, 1.0)

    assert Bounds.joining([two, two, two]).terms == "3 × 2"
    assert Bounds.joining([two, ONE]).terms == "2 + 1"
    assert Bounds.joining([two, ONE]).repeated(2).terms == "2 × (2 + 1)"
    assert numbers(Bounds.joining([two, FREE])) == (3, 22.0, 207, Decimal("1.0"))


def test_a_cap_leaves_the_dearest_attempts():
    chain = Bounds.joining([ONE.repeated(3, 8.0), FREE.repeated(3, 8.0)])

    capped = chain.capped(2)

    assert numbers(capped) == (2, 20.0 + 16.0, 200, Decimal("1.0"))
    assert (capped.planned, capped.terms) == (6, "2 × 3")
    assert capped.repeated(2).terms == "2 × 2"
    assert chain.capped(6) is chain
    assert numbers(chain.capped(5))[2] == min(500, 321)


def test_a_limit_holds_for_attempts_and_waits():
    within = ONE.repeated(3, 5.0).within(12.0)

    assert within.seconds == 12.0
    assert within.within(20.0).seconds == 12.0
    assert within.within(None) is within
    # Twice as long at most, repeated; more than that is not promised.
    assert 24.0 <= within.repeated(2).seconds <= 34.0
    assert ONE.within(4.0).repeated(3).capped(2).seconds == 8.0


def test_what_has_no_end_ends_at_a_limit_and_what_is_unknown_does_not():
    endless = Bounds.once(Amounts(seconds=inf))

    assert endless.seconds == inf
    assert endless.within(60.0).seconds == 60.0
    assert UNKNOWN.within(60.0).seconds is None


def test_what_is_unknown_stays_so():
    for whole in (
        UNKNOWN.repeated(2, 1.0),
        Bounds.joining([ONE, UNKNOWN]),
        UNKNOWN.capped(6),
        ONE.either(UNKNOWN),
    ):
        assert numbers(whole) == (None, None, None, None)
    tokens = Bounds.joining([ONE, Bounds.once(Amounts(seconds=1.0))])
    assert numbers(tokens) == (2, 11.0, None, None)


def test_what_is_done_any_number_of_times_ends_at_a_limit_and_is_free_if_it_is_once():
    often = ONE.uncounted()

    assert numbers(often) == (None, inf, None, None)
    assert numbers(often.within(60.0)) == (None, 60.0, None, None)
    assert often.capped(2).attempts is None
    assert often.terms == "unknown"
    assert numbers(FREE.uncounted())[3] == 0
    assert UNKNOWN.uncounted().within(60.0).seconds is None
    assert Bounds.joining([often, often]).attempts is None


def test_of_two_that_exclude_each_other_the_worse_counts():
    worse = ONE.either(FREE.repeated(3, 30.0))

    assert numbers(worse) == (3, 10.0 + 30.0, 100, Decimal("0.5"))
    assert worse.terms == "3"
    assert ONE.repeated(2).either(FREE).terms == "2"


def test_a_cap_binds_where_the_whole_is_unknown():
    unpriced = Amounts(seconds=1.0, tokens=None, money=None)

    assert unpriced.least(Amounts(tokens=5)) == Amounts(seconds=1.0, tokens=5)
    assert Amounts(seconds=2.0).least(unpriced).seconds == 1.0


def test_whoever_does_not_tell_is_unknown():
    class Tells:
        def bounds(self, operation):
            return ONE

    assert bounds_of(object(), "generate") is UNKNOWN
    assert bounds_of(Tells(), "generate") is ONE


@pytest.mark.parametrize("terms", ["unknown"])
def test_unknown_says_so(terms):
    assert UNKNOWN.terms == terms
