from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.verdicts import Retry
from fairlead.decorators.backoff import Backoff

KINDS = st.sampled_from([Retry.TRANSIENT, Retry.ONCE_IF_SENT, Retry.THROTTLED])
DELAYS = st.floats(0, 1e6, allow_subnormal=False)
BACKOFFS = st.builds(
    Backoff,
    initial_delay=DELAYS,
    exponential_base=st.floats(1, 100),
    max_delay=DELAYS,
    throttled_initial_delay=DELAYS,
    throttled_max_delay=DELAYS,
    jitter=st.booleans(),
)
REPEATS = st.integers(0, 5000)
RANDOM = st.floats(0, 1)


def longest(backoff, kind):
    return backoff.throttled_max_delay if kind is Retry.THROTTLED else backoff.max_delay


@given(BACKOFFS, REPEATS, KINDS, RANDOM)
def test_a_delay_is_never_negative_and_never_longer_than_the_longest(backoff, repeat, kind, random):
    assert 0 <= backoff.delay(repeat, kind, lambda: random) <= longest(backoff, kind)


@given(BACKOFFS, REPEATS, KINDS)
def test_a_delay_never_shrinks_from_one_repeat_to_the_next(backoff, repeat, kind):
    first, second = (backoff.delay(each, kind, lambda: 1.0) for each in (repeat, repeat + 1))

    assert first <= second


@given(BACKOFFS, REPEATS, KINDS, RANDOM)
def test_jitter_only_ever_shortens(backoff, repeat, kind, random):
    assert backoff.delay(repeat, kind, lambda: random) <= backoff.delay(repeat, kind, lambda: 1.0)


@given(BACKOFFS, REPEATS, KINDS, RANDOM, st.floats(-10, 60))
def test_what_the_vendor_asks_for_is_a_minimum(backoff, repeat, kind, random, retry_after):
    waited = backoff.after(retry_after, repeat, kind, lambda: random)

    assert waited >= max(retry_after, 0)
    assert waited <= max(retry_after * 1.1, longest(backoff, kind))


@given(REPEATS, KINDS, RANDOM)
def test_by_default_a_delay_is_the_documented_one(repeat, kind, random):
    scale, cap = (1.0, 20.0) if kind is Retry.THROTTLED else (0.5, 8.0)
    expected = random * min(scale * 2 ** min(repeat, 60), cap)

    assert Backoff().delay(repeat, kind, lambda: random) == expected
