"""Circuit breakers that several policies have in common."""

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.errors import ConfigurationError, ServerError
from fairlead.core.journal import Outcome
from fairlead.core.refusals import CircuitOpenError
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.breakers import LocalBreakers
from fairlead.decorators.circuit import BreakerOptions, CircuitBreaker, Standing, State
from tests.unit.core.fakes import Scripted, generating

ONCE = BreakerOptions(failure_threshold=1)


class At(Scripted):
    def __init__(self, endpoint, *script, **known):
        super().__init__(*script, **known)
        self._endpoint = endpoint

    @property
    def endpoint(self):
        return self._endpoint


class Broken:
    def get(self, name, /):
        raise ConnectionError("the store is away")

    def setdefault(self, name, breaker, /):
        raise AssertionError


def guarded(inner, store):
    return CircuitBreakerProvider(inner, options=ONCE, random=lambda: 0.5, store=store)


async def fails(provider, error=ServerError):
    with pytest.raises(error) as caught:
        await provider.generate("hi")
    return caught.value


@pytest.mark.anyio
@pytest.mark.parametrize("kept", [LocalBreakers, dict])
async def test_those_that_ask_the_same_open_together(kept):
    store = kept()
    one, other = (guarded(At("http://a", lambda: ServerError("oops")), store) for _ in range(2))

    await fails(one)
    await fails(other, CircuitOpenError)

    assert not other.inner.asked
    assert one.breaker() is other.breaker()
    [target] = other.plan(generating(clock=anyio.current_time))
    assert target.refuses == "the circuit is open"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "other",
    [
        At("http://b", "ho"),
        At("http://a", "ho", name="another"),
        At("http://a", "ho", model="another"),
        At(None, "ho"),
    ],
    ids=["endpoint", "vendor", "model", "no endpoint"],
)
async def test_another_vendor_endpoint_or_model_has_its_own(other):
    store = LocalBreakers()
    await fails(guarded(At("http://a", lambda: ServerError("oops")), store))

    assert await guarded(other, store).generate("hi") == "ho"


@pytest.mark.anyio
async def test_a_store_that_fails_fails_no_call_and_protects_no_less():
    provider = guarded(Scripted("ho", lambda: ServerError("oops")), Broken())
    answer = await provider.generate("hi")
    noted = answer.attempts[0]
    assert (noted.outcome, noted.provider) == (Outcome.NOTED, "scripted")
    assert noted.reason == "the breaker store failed: ConnectionError"

    await fails(provider)
    await fails(provider, CircuitOpenError)
    assert len(provider.inner.asked) == 2
    assert provider.breaker().state is State.OPEN
    [target] = provider.plan(generating(clock=anyio.current_time))
    assert target.refuses == "the circuit is open"


def made():
    return CircuitBreaker(ONCE, random=lambda: 0.5)


def opened(now=0.0, times=1):
    breaker = made()
    for _ in range(times):
        breaker.record(breaker.acquire(now), failed=True, now=now)
    return breaker


def test_what_is_kept_is_bounded_and_what_is_in_use_is_kept():
    store = LocalBreakers(capacity=2)
    first = store.setdefault("first", made())
    assert store.setdefault("first", made()) is first
    store.setdefault("second", made())
    assert store.get("first") is first
    store.setdefault("third", made())

    assert (len(store), store.get("first"), store.get("second")) == (2, first, None)
    assert repr(store) == "<LocalBreakers 2>"


@pytest.mark.parametrize("capacity", [0, "2", True])
def test_there_is_room_for_one_at_least(capacity):
    with pytest.raises(ConfigurationError, match=r"^capacity must be"):
        LocalBreakers(capacity=capacity)


def test_only_those_that_are_open_are_told_of():
    store = LocalBreakers()
    store.setdefault("closed", made())
    store.setdefault("open", opened(now=100.0))
    store.setdefault("isolated", made()).isolate()

    assert store.snapshot(110.0) == {"open": Standing(20.0, 1)}
    assert store.snapshot(130.0) == {}  # the next call finds out


def test_what_is_open_elsewhere_opens_here_for_what_is_left_of_it():
    here, elsewhere = LocalBreakers(), LocalBreakers()
    elsewhere.setdefault("a", opened(now=100.0))
    closed = here.setdefault("b", made())

    here.merge(elsewhere.snapshot(110.0), 5000.0, made)  # each has a clock of its own

    assert here.get("a").state is State.OPEN
    assert here.get("a").peek(5000.0) == 20.0
    assert closed.state is State.CLOSED
    assert here.get("a").acquire(5019.0) is None
    assert here.get("a").acquire(5020.0) is not None


def test_an_opening_elsewhere_counts_for_how_long_the_next_one_is():
    breaker = made()
    breaker.merge(Standing(10.0, 2), 0.0)
    permit = breaker.acquire(10.0)
    breaker.record(permit, failed=True, now=10.0)

    assert breaker.peek(10.0) == 120.0  # the third in a row


def test_a_probe_under_way_is_no_longer_waited_for():
    breaker = opened()
    permit = breaker.acquire(30.0)
    breaker.merge(Standing(50.0, 2), 30.0)
    breaker.record(permit, failed=False, now=31.0)

    assert (breaker.state, breaker.peek(31.0)) == (State.OPEN, 49.0)


def test_what_was_taken_out_by_hand_stays_out():
    breaker = made()
    breaker.isolate()
    breaker.merge(Standing(50.0, 2), 0.0)

    assert breaker.state is State.ISOLATED


@pytest.mark.parametrize("seconds", [0.0, -5.0, float("nan")])
def test_what_is_over_elsewhere_says_nothing(seconds):
    breaker = made()
    breaker.merge(Standing(seconds, 1), 0.0)

    assert breaker.state is State.CLOSED


def test_nobody_closes_ours_for_longer_than_we_would():
    breaker = made()
    breaker.merge(Standing(float("inf"), 1), 0.0)

    assert breaker.peek(0.0) == pytest.approx(330.0)


@given(
    own=st.none() | st.floats(0.0, 25.0),
    told=st.lists(st.floats(-10.0, 400.0), max_size=4),
)
def test_merging_never_shortens_and_its_order_does_not_matter(own, told):
    def merged(seconds):
        breaker = made() if own is None else opened(now=-own)
        before = breaker.peek(0.0)
        for each in seconds:
            breaker.merge(Standing(each, 1), 0.0)
        assert breaker.peek(0.0) >= before
        return breaker.peek(0.0)

    once = merged(told)
    assert merged(list(reversed(told))) == once
    assert merged([*told, *told]) == once
