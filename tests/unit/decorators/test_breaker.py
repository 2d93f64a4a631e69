import math

import pytest

from fairlead.core.errors import ConfigurationError
from fairlead.decorators.circuit import BreakerOptions, CircuitBreaker, Permit, State, Transition


def breaker(*, random=lambda: 0.5, listeners=(), **options):
    """By default one whose times do not vary."""
    return CircuitBreaker(BreakerOptions(**options), random=random, listeners=tuple(listeners))


def fail(it, now=0.0, times=1, **facts):
    for _ in range(times):
        it.record(it.acquire(now), failed=True, now=now, **facts)


def succeed(it, now=0.0, times=1):
    for _ in range(times):
        it.record(it.acquire(now), failed=False, now=now)


def opened(now=0.0, **options):
    it = breaker(**options)
    fail(it, now, times=5)
    return it


def half_open(**options):
    it = opened(**options)
    permit = it.acquire(30.0)
    return it, permit


def test_it_is_closed_at_first_and_lets_everything_through():
    it = breaker()

    assert it.state is State.CLOSED
    assert all(it.acquire(0.0) for _ in range(100))
    assert it.peek(0.0) == 0.0


def test_five_counted_failures_in_a_row_open_it():
    it = breaker()

    fail(it, times=4)
    assert it.state is State.CLOSED
    fail(it)
    assert it.state is State.OPEN
    assert it.acquire(29.9) is None


def test_a_success_between_them_begins_a_new_row():
    it = breaker(minimum_calls=1000)

    fail(it, times=4)
    succeed(it)
    fail(it, times=4)

    assert it.state is State.CLOSED


def test_failures_over_a_lifetime_do_not_open_it():
    it = breaker()

    for minute in range(100):
        fail(it, minute * 120.0)
        succeed(it, minute * 120.0)
        succeed(it, minute * 120.0)

    assert it.state is State.CLOSED


@pytest.mark.parametrize("good, state", [(6, State.CLOSED), (5, State.OPEN)])
def test_half_of_at_least_ten_calls_opens_it(good, state):
    it = breaker(failure_threshold=100)

    succeed(it, times=good)
    fail(it, times=5)

    assert it.state is state


@pytest.mark.parametrize("bad, state", [(9, State.CLOSED), (10, State.OPEN)])
def test_below_ten_calls_the_ratio_says_nothing(bad, state):
    it = breaker(failure_threshold=100)

    fail(it, times=bad)

    assert it.state is state


@pytest.mark.parametrize("now, state", [(59.9, State.OPEN), (60.0, State.CLOSED)])
def test_the_ratio_looks_back_for_a_minute(now, state):
    it = breaker(failure_threshold=100)
    fail(it, 0.0, times=9)

    fail(it, now)

    assert it.state is state


def test_calls_of_one_step_are_forgotten_together_and_later_ones_are_not():
    it = breaker(failure_threshold=100)
    fail(it, 0.0)
    fail(it, 5.9, times=4)
    fail(it, 6.0, times=4)

    fail(it, 60.0, times=5)
    assert it.state is State.CLOSED
    fail(it, 60.0)
    assert it.state is State.OPEN


def test_the_window_has_ten_steps():
    it = breaker(failure_threshold=10**9, minimum_calls=10**9)

    for tenth in range(10_000):
        fail(it, tenth / 10)

    assert len(it._window) == 10


def test_it_stays_open_for_half_a_minute_and_then_asks_one_probe():
    it = opened()

    assert (it.peek(10.0), it.peek(30.0), it.peek(99.0)) == (20.0, 0.0, 0.0)
    assert it.acquire(29.999) is None
    assert it.state is State.OPEN
    probe = it.acquire(30.0)
    assert it.state is State.HALF_OPEN
    assert probe.probe is not None
    assert it.acquire(30.0) is None
    assert it.peek(30.0) is None


def test_peeking_changes_nothing():
    it = opened()

    it.peek(99.0)

    assert it.state is State.OPEN


def test_two_successes_close_it():
    it, probe = half_open()

    it.record(probe, failed=False, now=31.0)
    assert it.state is State.HALF_OPEN
    assert it.peek(31.0) == 0.0
    succeed(it, 31.0)
    assert it.state is State.CLOSED


def test_closing_forgets_what_was():
    it, probe = half_open()
    it.record(probe, failed=False, now=31.0)
    succeed(it, 31.0)

    fail(it, 32.0, times=4)

    assert it.state is State.CLOSED


def test_one_failure_opens_it_again_for_twice_as_long_up_to_five_minutes():
    it = opened()
    now, waits = 0.0, []

    for _ in range(6):
        now += it.peek(now)
        fail(it, now)
        waits.append(it.peek(now))

    assert waits == [60.0, 120.0, 240.0, 300.0, 300.0, 300.0]


def test_endless_failures_do_not_overflow():
    it, now = opened(), 0.0

    for _ in range(2000):
        now += it.peek(now)
        fail(it, now)

    assert it.peek(now) == 300.0


def test_after_it_was_closed_the_time_begins_small_again():
    it, probe = half_open()
    it.record(probe, failed=True, now=30.0)
    for _ in range(2):
        succeed(it, 90.0)

    fail(it, 90.0, times=5)

    assert it.peek(90.0) == 30.0


@pytest.mark.parametrize("random, seconds", [(0.0, 27.0), (0.5, 30.0), (1.0, 33.0)])
def test_the_time_varies_by_a_tenth_either_way(random, seconds):
    assert opened(random=lambda: random).peek(0.0) == pytest.approx(seconds)


@pytest.mark.parametrize("retry_after, seconds", [(45.0, 45.0), (5.0, 30.0), (None, 30.0)])
def test_the_targets_own_word_lengthens_the_time_and_never_shortens_it(retry_after, seconds):
    it = breaker(failure_threshold=1)

    fail(it, retry_after=retry_after)

    assert it.peek(0.0) == seconds


def test_the_targets_word_lengthens_a_second_opening_too():
    it, probe = half_open()

    it.record(probe, failed=True, now=30.0, retry_after=200.0)

    assert it.peek(30.0) == 200.0


def test_a_probe_that_is_given_back_without_a_verdict_makes_room_for_another():
    it, probe = half_open()

    it.release(probe)
    it.release(probe)

    assert it.state is State.HALF_OPEN
    assert it.peek(30.0) == 0.0
    assert it.acquire(30.0) is not None
    assert it.acquire(30.0) is None


def test_a_permit_is_given_back_by_its_owner_alone():
    it, first = half_open()
    it.release(first)
    second = it.acquire(30.0)

    it.release(first)

    assert it.acquire(30.0) is None
    assert second is not None


def test_a_permit_that_is_not_given_back_is_re_armed_after_a_minute():
    it, _ = half_open()

    assert it.peek(89.9) is None
    assert it.acquire(89.9) is None
    assert it.peek(90.0) == 0.0
    assert it.acquire(90.0) is not None


def test_the_number_of_probes_at_a_time_can_be_raised():
    it, _ = half_open(half_open_permits=3)

    assert it.acquire(30.0)
    assert it.acquire(30.0)
    assert it.acquire(30.0) is None


@pytest.mark.parametrize("failed", [True, False])
def test_what_began_before_a_transition_says_nothing_after_it(failed):
    it = breaker()
    late = [it.acquire(0.0) for _ in range(10)]
    fail(it, times=5)

    for permit in late[:5]:
        it.record(permit, failed=failed, now=1.0)
    assert it.state is State.OPEN
    assert it.peek(1.0) == 29.0

    it.acquire(30.0)
    for permit in late[5:]:
        it.record(permit, failed=failed, now=31.0)
    assert it.state is State.HALF_OPEN


def test_a_probe_of_an_earlier_half_open_time_says_nothing():
    it, first = half_open(half_open_permits=2)
    second = it.acquire(30.0)
    it.record(second, failed=True, now=30.0)
    third = it.acquire(90.0)

    it.record(first, failed=True, now=91.0)

    assert it.state is State.HALF_OPEN
    it.record(third, failed=False, now=91.0)
    assert it.state is State.HALF_OPEN


def test_isolated_it_lets_nothing_through_until_it_is_closed_by_hand():
    it = breaker()

    it.isolate()

    assert (it.state, it.acquire(10**9), it.peek(10**9)) == (State.ISOLATED, None, None)
    it.close()
    assert (it.state, it.peek(0.0)) == (State.CLOSED, 0.0)
    assert it.acquire(0.0)


def test_what_was_under_way_does_not_open_what_is_isolated():
    it = breaker(failure_threshold=1)
    permit = it.acquire(0.0)
    it.isolate()

    it.record(permit, failed=True, now=0.0)

    assert it.state is State.ISOLATED


def test_closing_by_hand_forgets_how_often_it_opened():
    it, probe = half_open()
    it.record(probe, failed=True, now=30.0)

    it.close()
    fail(it, 31.0, times=5)

    assert it.peek(31.0) == 30.0


def test_every_transition_is_told_to_every_listener():
    first, second = [], []
    it = breaker(listeners=[first.append, second.append])

    fail(it, times=5)
    succeed(it, 30.0)
    succeed(it, 30.0)
    it.isolate()
    it.close()

    assert (
        first
        == second
        == [
            Transition(State.CLOSED, State.OPEN, "5 failures in a row"),
            Transition(State.OPEN, State.HALF_OPEN, "the recovery timeout is over"),
            Transition(State.HALF_OPEN, State.CLOSED, "2 probes succeeded"),
            Transition(State.CLOSED, State.ISOLATED, "by hand"),
            Transition(State.ISOLATED, State.CLOSED, "by hand"),
        ]
    )


def test_a_transition_says_why():
    seen = []
    it = breaker(failure_threshold=100, listeners=[seen.append])
    succeed(it, times=5)
    fail(it, times=5)
    fail(it, 30.0)

    assert [told.reason for told in seen] == [
        "5 of 10 calls failed",
        "the recovery timeout is over",
        "a probe failed",
    ]


@pytest.mark.parametrize(
    "name, value",
    [
        ("failure_threshold", 0),
        ("minimum_calls", 0),
        ("half_open_permits", 0),
        ("successes_to_close", 0),
        ("failure_ratio", 0.0),
        ("failure_ratio", 1.1),
        ("window", 0),
        ("recovery_timeout", 0),
        ("max_recovery_timeout", -1),
        ("permit_timeout", 0),
        ("jitter", -0.1),
        ("jitter", 1.0),
    ],
)
def test_an_option_without_sense_is_refused_by_name(name, value):
    with pytest.raises(ConfigurationError, match=f"{name} must be"):
        BreakerOptions(**{name: value})


def test_a_ratio_of_one_waits_until_all_have_failed():
    it = breaker(failure_threshold=100, failure_ratio=1.0)

    fail(it, times=9)
    assert it.state is State.CLOSED
    fail(it)
    assert it.state is State.OPEN


def test_the_defaults_are_those_that_are_documented():
    options = BreakerOptions()

    assert (options.failure_threshold, options.failure_ratio, options.minimum_calls) == (5, 0.5, 10)
    assert (options.window, options.recovery_timeout) == (60, 30)
    assert (options.max_recovery_timeout, options.jitter) == (300, 0.1)
    assert (options.half_open_permits, options.successes_to_close) == (1, 2)
    assert options.permit_timeout == 60


def test_a_breaker_needs_no_options():
    it = CircuitBreaker()

    assert it.acquire(0.0) == Permit(0)


def test_a_target_cannot_close_itself_for_ever():
    breaker = CircuitBreaker(BreakerOptions(failure_threshold=1, jitter=0.0))
    permit = breaker.acquire(0.0)

    breaker.record(permit, failed=True, now=0.0, retry_after=math.inf)

    assert breaker.peek(0.0) == BreakerOptions().max_recovery_timeout
