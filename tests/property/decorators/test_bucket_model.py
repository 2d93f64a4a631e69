"""The token bucket against a model of it that pours water in exact fractions."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fairlead.core.rates import Allowance, Amount, Rate, RateLimits, Rates
from fairlead.decorators.buckets import LocalRateStore, TokenBucket

STEPS = st.sampled_from([0, 1, 2, 3, 8, 20, 64, 500])
"""Eighths of a second, so that floats are exact."""
AMOUNTS = st.integers(0, 40)


class Water:
    """A vessel with a tap, moved on step by step; it has no notion of a moment when it is full."""

    def __init__(self, rate, capacity):
        self.rate, self.capacity = Fraction(rate), Fraction(capacity)
        self.level = self.capacity

    def pass_time(self, eighths):
        self.level = min(self.level + self.rate * Fraction(eighths, 8), self.capacity)


class BucketMachine(RuleBasedStateMachine):
    @initialize(rate=st.sampled_from([0.5, 1, 4, 16]), capacity=st.integers(1, 30))
    def begin(self, rate, capacity):
        self.now = 0
        self.bucket = TokenBucket(rate, capacity)
        self.water = Water(rate, capacity)

    @property
    def seconds(self):
        return self.now / 8

    @rule(eighths=STEPS)
    def wait(self, eighths):
        self.now += eighths
        self.water.pass_time(eighths)

    @rule(amount=AMOUNTS)
    def ask(self, amount):
        if self.bucket.wait(amount, self.seconds) > 0:
            assert self.water.level < amount
            return
        assert self.water.level >= amount
        self.take(amount)

    @rule(amount=st.integers(-20, 40))
    def correct(self, amount):
        # No more is put back than will go in.
        self.take(max(amount, -int(self.water.capacity - self.water.level)))

    def take(self, amount):
        self.bucket.take(amount, self.seconds)
        self.water.level -= amount

    @rule(level=st.integers(-10, 30))
    def hear(self, level):
        self.bucket.overwrite(level, self.seconds)
        self.water.level = min(Fraction(level), self.water.capacity)

    @rule(rate=st.sampled_from([0.5, 1, 4, 16]), capacity=st.integers(1, 30))
    def retune(self, rate, capacity):
        missing = self.water.capacity - self.water.level
        self.bucket.retune(rate, capacity, self.seconds)
        self.water.rate, self.water.capacity = Fraction(rate), Fraction(capacity)
        self.water.level = self.water.capacity - missing

    @invariant()
    def it_holds_what_the_model_holds(self):
        if hasattr(self, "bucket"):
            assert self.bucket.level(self.seconds) == pytest.approx(float(self.water.level))

    @invariant()
    def it_says_when_so_much_is_there(self):
        if not hasattr(self, "bucket"):
            return
        for amount in (1, 5, 100):
            expected = max((amount - self.water.level) / self.water.rate, 0)
            assert self.bucket.wait(amount, self.seconds) == pytest.approx(float(expected))


TestBucket = BucketMachine.TestCase
TestBucket.settings = settings(max_examples=200, stateful_step_count=40)

CALLS = st.lists(st.tuples(st.floats(0, 5), st.integers(1, 12)), min_size=1, max_size=60)


@given(rate=st.floats(0.1, 50), capacity=st.integers(12, 40), calls=CALLS)
def test_no_window_has_more_than_its_length_allows_and_a_burst(rate, capacity, calls):
    bucket = TokenBucket(rate, capacity)
    now, granted = 0.0, []
    for pause, amount in calls:
        now += pause
        if bucket.wait(amount, now) == 0.0:
            bucket.take(amount, now)
            granted.append((now, amount))

    for first in range(len(granted)):
        for last in range(first, len(granted)):
            window = granted[last][0] - granted[first][0]
            asked = sum(amount for _, amount in granted[first : last + 1])
            assert asked <= capacity + rate * (window + 1e-5) + 1e-6


@given(rate=st.floats(0.1, 50), capacity=st.integers(12, 40), calls=CALLS)
def test_whoever_waits_as_long_as_it_says_gets_it(rate, capacity, calls):
    bucket = TokenBucket(rate, capacity)
    now = 1e6
    for pause, amount in calls:
        now += pause
        now += bucket.wait(amount, now)

        assert bucket.wait(amount, now) == 0.0
        bucket.take(amount, now)


TOLD = st.none() | st.builds(
    Allowance,
    limit=st.none() | st.integers(1, 200),
    remaining=st.none() | st.integers(0, 200),
    reset=st.none() | st.floats(0, 120),
)
EVENTS = st.lists(
    st.tuples(
        st.floats(0, 30),
        st.sampled_from(["ask", "answer", "fail", "refuse"]),
        st.integers(0, 60),
        st.builds(RateLimits, requests=TOLD, tokens=TOLD),
    ),
    max_size=40,
)


@given(events=EVENTS, learn=st.booleans(), own=st.booleans())
def test_whatever_a_vendor_tells_calls_go_on_in_the_end(events, learn, own):
    store = LocalRateStore()
    rates = Rates(Rate(1, 60), Rate(100, 6000), learn) if own else Rates(learn=learn)
    now, flying = 0.0, []
    for pause, event, tokens, told in events:
        now += pause
        need = Amount(1, tokens)
        if event == "ask" and store.take("k", rates, need, now) == 0.0:
            flying.append(need)
        elif flying and event != "ask":
            store.settle("k", flying.pop(), Amount(event == "answer", tokens * 2), now)
            empty_for = tokens if event == "refuse" else None
            store.observe("k", rates, told, now, empty_for=empty_for)

    waited = 0
    while (wait := store.take("k", rates, Amount(1, 10), now)) > 0.0:
        now += wait
        waited += 1
        assert waited < 5

    account = store._accounts["k"]
    assert account.requests.pending == len(flying) + 1
    assert account.tokens.pending == sum(need.tokens for need in flying) + 10
    for kind, rate in ((account.requests, rates.requests), (account.tokens, rates.tokens)):
        if rate is not None:
            assert (kind.bucket.per_second, kind.bucket.capacity) == rate
        elif not learn:
            assert kind.bucket is None
