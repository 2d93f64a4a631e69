import pytest

from fairlead.core.rates import Allowance, Amount, Rate, RateLimits, Rates
from fairlead.decorators.buckets import LocalRateStore, TokenBucket

ONE = Amount(1, 0)
NOTHING = Amount(0, 0)
OWN = Rates(Rate(1.0, 60.0), Rate(100.0, 6000.0))
LEARN = Rates()


def tokens(many):
    return Amount(1, many)


def requests_told(remaining, limit=None, reset=None):
    return RateLimits(requests=Allowance(limit, remaining, reset))


def tokens_told(remaining, limit=None, reset=None):
    return RateLimits(tokens=Allowance(limit, remaining, reset))


def wait_for(store, rates, need, now=0.0):
    """Seconds until *need* could be had, taking nothing."""
    wait = store.take("k", rates, need, now)
    if wait == 0.0:
        store.settle("k", need, NOTHING, now)
    return wait


def left(store, kind, now=0.0):
    return getattr(store._accounts["k"], kind).bucket.level(now)


def test_a_bucket_is_full_at_first_and_never_fuller():
    bucket = TokenBucket(2.0, 10.0)

    assert bucket.level(0.0) == bucket.level(1e9) == 10.0


def test_what_is_taken_flows_back():
    bucket = TokenBucket(2.0, 10.0)

    bucket.take(10, 5.0)

    assert [bucket.level(5.0), bucket.level(7.0), bucket.level(10.0)] == [0.0, 4.0, 10.0]
    assert bucket.wait(3, 5.0) == 1.5


def test_it_may_be_overdrawn_and_then_nobody_gets_any_for_a_while():
    bucket = TokenBucket(2.0, 10.0)

    bucket.take(14, 0.0)

    assert bucket.level(0.0) == -4.0
    assert bucket.wait(0, 0.0) == 2.0


def test_what_is_due_within_a_tick_is_due():
    bucket = TokenBucket(1.0, 1.0)
    bucket.take(1, 0.0)

    assert bucket.wait(1, 1.0 - 1e-7) == 0.0
    assert bucket.due(1, 1.0 - 1e-7) == 0.0
    assert bucket.wait(1, 0.999) > 0.0
    assert bucket.due(1, 0.999) > 0.0


def test_for_more_than_it_holds_it_says_when_so_much_has_flowed_in():
    bucket = TokenBucket(2.0, 10.0)

    assert bucket.wait(30, 100.0) == 10.0


def test_all_is_taken_or_nothing():
    store = LocalRateStore()
    assert store.take("k", OWN, tokens(6000), 0.0) == 0.0

    assert store.take("k", OWN, tokens(100), 0.0) == 1.0
    assert left(store, "requests") == 59.0


def test_more_than_ever_fits_is_given_when_all_is_there():
    store = LocalRateStore()

    assert store.take("k", OWN, tokens(9000), 0.0) == 0.0
    assert wait_for(store, OWN, tokens(1)) == pytest.approx(30.01)


def test_keys_have_nothing_in_common():
    store = LocalRateStore()
    store.take("k", OWN, tokens(6000), 0.0)

    assert store.take("other", OWN, tokens(6000), 0.0) == 0.0


def test_what_was_not_needed_is_put_back_and_what_was_needed_more_is_taken():
    store = LocalRateStore()
    for _ in range(2):
        store.take("k", OWN, tokens(1000), 0.0)

    store.settle("k", tokens(1000), tokens(400), 0.0)
    assert left(store, "tokens") == 4600.0
    store.settle("k", tokens(1000), tokens(5000), 0.0)
    assert left(store, "tokens") == 600.0
    store.settle("k", NOTHING, Amount(0, -200), 0.0)
    assert left(store, "tokens") == 800.0
    assert left(store, "requests") == 58.0


def test_a_call_that_was_not_made_costs_nothing():
    store = LocalRateStore()
    store.take("k", OWN, tokens(1000), 0.0)

    store.settle("k", tokens(1000), NOTHING, 0.0)

    assert (left(store, "requests"), left(store, "tokens")) == (60.0, 6000.0)


def test_settling_what_was_forgotten_meanwhile_does_nothing():
    store = LocalRateStore(most_keys=1)
    store.take("k", OWN, tokens(1000), 0.0)
    store.take("other", OWN, ONE, 0.0)

    store.settle("k", tokens(1000), tokens(5), 0.0)

    assert list(store._accounts) == ["other"]


def test_the_key_that_was_asked_for_longest_ago_is_forgotten():
    store = LocalRateStore(most_keys=2)
    for key in ("a", "b", "a", "c"):
        store.take(key, OWN, ONE, 0.0)

    assert list(store._accounts) == ["a", "c"]


def test_peeking_takes_nothing_and_adds_up_what_many_need():
    store = LocalRateStore()

    assert store.peek("k", OWN, Amount(60, 6000), 0.0) == 0.0
    assert store.peek("k", OWN, Amount(90, 6000), 0.0) == 30.0
    assert store.peek("k", OWN, Amount(60, 7000), 0.0) == 10.0
    assert (left(store, "requests"), left(store, "tokens")) == (60.0, 6000.0)


def test_peeking_knows_how_long_it_is_shut():
    store = LocalRateStore()
    store.observe("k", LEARN, None, 0.0, empty_for=9.0)

    assert store.peek("k", LEARN, tokens(5), 2.0) == 7.0
    assert store.peek("k", LEARN, tokens(5), 20.0) == 0.0


class TestOwnLimits:
    def test_the_same_limit_is_the_vendors_to_count(self):
        store = LocalRateStore()
        store.take("k", OWN, ONE, 0.0)
        store.settle("k", ONE, ONE, 0.0)

        store.observe("k", OWN, requests_told(20, limit=60), 0.0)
        assert left(store, "requests") == 20.0
        store.observe("k", OWN, requests_told(40, limit=60), 0.0)
        assert left(store, "requests") == 40.0

    @pytest.mark.parametrize("limit", [None, 1000])
    def test_of_another_limit_only_less_is_believed(self, limit):
        store = LocalRateStore()
        for _ in range(30):
            store.take("k", OWN, ONE, 0.0)
            store.settle("k", ONE, ONE, 0.0)

        store.observe("k", OWN, requests_told(900, limit=limit), 0.0)
        assert left(store, "requests") == 30.0
        store.observe("k", OWN, requests_told(10, limit=limit), 0.0)
        assert left(store, "requests") == 10.0

    def test_what_is_on_its_way_comes_off_what_is_left(self):
        store = LocalRateStore()
        for _ in range(3):
            store.take("k", OWN, tokens(500), 0.0)
        store.settle("k", tokens(500), tokens(500), 0.0)

        store.observe("k", OWN, tokens_told(5000, limit=6000), 0.0)

        assert left(store, "tokens") == 4000.0

    def test_the_rate_stays_ours(self):
        store = LocalRateStore()

        store.observe("k", OWN, requests_told(0, limit=60, reset=6.0), 0.0)

        assert store._accounts["k"].requests.bucket.per_second == 1.0

    def test_when_nothing_is_left_a_slower_pace_of_the_vendors_is_kept(self):
        store = LocalRateStore()

        store.observe("k", OWN, requests_told(0, limit=10, reset=50.0), 0.0)

        assert wait_for(store, OWN, ONE) == 5.0

    def test_when_nothing_is_left_of_nobody_knows_how_much_it_waits_for_the_reset(self):
        store = LocalRateStore()

        store.observe("k", OWN, requests_told(0, reset=50.0), 0.0)

        assert wait_for(store, OWN, ONE) == 50.0

    def test_what_is_not_told_changes_nothing(self):
        store = LocalRateStore()
        store.take("k", OWN, tokens(100), 0.0)
        store.settle("k", tokens(100), tokens(100), 0.0)

        store.observe("k", OWN, RateLimits(Allowance(60, None, 5.0), None), 0.0)
        store.observe("k", OWN, None, 0.0)

        assert (left(store, "requests"), left(store, "tokens")) == (59.0, 5900.0)


class TestLearning:
    def test_without_a_limit_there_is_none(self):
        store = LocalRateStore()

        assert all(store.take("k", LEARN, tokens(10**9), 0.0) == 0.0 for _ in range(9))
        assert store.peek("k", LEARN, Amount(10**9, 10**9), 0.0) == 0.0

    def test_a_limit_that_is_told_is_taken_to_be_by_the_minute(self):
        store = LocalRateStore()

        store.observe("k", LEARN, requests_told(29, limit=30, reset=2.0), 0.0)

        assert left(store, "requests") == 29.0
        assert store.peek("k", LEARN, Amount(30, 0), 0.0) == 2.0

    def test_once_much_is_gone_the_reset_tells_the_pace(self):
        store = LocalRateStore()

        store.observe("k", LEARN, requests_told(0, limit=100, reset=1000.0), 0.0)

        assert wait_for(store, LEARN, ONE) == 10.0

    def test_what_is_learnt_follows_what_is_told(self):
        store = LocalRateStore()
        store.observe("k", LEARN, tokens_told(100, limit=6000, reset=59.0), 0.0)

        store.observe("k", LEARN, tokens_told(11_000, limit=12_000, reset=5.0), 0.0)

        bucket = store._accounts["k"].tokens.bucket
        assert (bucket.level(0.0), bucket.capacity, bucket.per_second) == (11_000, 12_000, 200.0)

    def test_what_is_learnt_is_kept_where_only_what_is_left_is_told(self):
        store = LocalRateStore()
        store.observe("k", LEARN, requests_told(30, limit=60), 0.0)

        store.observe("k", LEARN, requests_told(50), 0.0)

        assert left(store, "requests") == 50.0

    def test_what_is_left_of_nobody_knows_how_much_is_nothing_to_go_by(self):
        store = LocalRateStore()

        store.observe("k", LEARN, requests_told(3), 0.0)

        assert all(store.take("k", LEARN, ONE, 0.0) == 0.0 for _ in range(9))

    def test_nothing_is_learnt_if_that_is_not_wanted(self):
        store = LocalRateStore()
        rates = Rates(learn=False)

        store.observe("k", rates, requests_told(0, limit=60, reset=60.0), 0.0)

        assert store.take("k", rates, ONE, 0.0) == 0.0


class TestRefusals:
    def test_a_refusal_empties_it_until_the_vendors_time_is_over(self):
        store = LocalRateStore()

        store.observe("k", OWN, None, 0.0, empty_for=10.0)

        assert wait_for(store, OWN, ONE) == 10.0
        assert store.take("k", OWN, ONE, 10.0) == 0.0
        assert left(store, "requests", 10.0) == 9.0

    def test_even_where_there_are_no_rates(self):
        store = LocalRateStore()

        store.observe("k", LEARN, None, 0.0, empty_for=10.0)

        assert wait_for(store, LEARN, ONE) == 10.0

    def test_a_later_word_does_not_open_it_earlier(self):
        store = LocalRateStore()
        store.observe("k", OWN, None, 0.0, empty_for=10.0)

        store.observe("k", OWN, requests_told(60, limit=60), 1.0)
        store.observe("k", OWN, None, 1.0, empty_for=2.0)

        assert wait_for(store, OWN, ONE, 1.0) == 9.0

    def test_what_is_overdrawn_stays_so(self):
        store = LocalRateStore()
        store.take("k", OWN, tokens(9000), 0.0)

        store.observe("k", OWN, None, 0.0, empty_for=1.0)

        assert left(store, "tokens") == -3000.0


def test_without_rates_a_new_clock_is_of_no_account():
    store = LocalRateStore()
    store.take("k", LEARN, ONE, 1000.0)

    assert store.take("k", LEARN, ONE, 5.0) == 0.0


def test_on_the_clock_of_a_new_loop_no_time_has_passed():
    store = LocalRateStore()
    store.take("k", OWN, tokens(6000), 1000.0)
    store.observe("k", OWN, None, 1000.0, empty_for=30.0)

    assert store.take("k", OWN, tokens(100), 5.0) == 30.0
    assert left(store, "requests", 5.0) == 0.0
    assert store.peek("k", OWN, tokens(100), 1.0) == 30.0


def test_what_never_fits_is_due_when_the_bucket_is_full():
    bucket = TokenBucket(per_second=2.0, capacity=10.0)
    bucket.take(8, 0.0)

    assert bucket.due(25, 0.0) == 4.0
    assert bucket.due(25, 4.0) == 0.0
