import pytest

from fairlead.decorators.adaptive import AHEAD, BETA, LEAST, SCALE, AdaptivePace


def steady(pace, per_second, seconds, begin=0.0):
    """Answers at an even rate; returns when the last one came."""
    for index in range(int(per_second * seconds)):
        pace.succeeded(begin + index / per_second)
    return begin + seconds


def test_nobody_is_held_back_before_a_refusal():
    pace = AdaptivePace()
    now = steady(pace, 100, 5)

    pace.take(now)

    assert pace.per_second is None
    assert pace.wait(now) == 0.0


def test_a_refusal_lowers_it_to_seven_tenths_of_what_was_measured():
    pace = AdaptivePace()
    now = steady(pace, 10, 20)

    pace.throttled(now)

    assert pace.per_second == pytest.approx(10 * BETA, rel=0.05)
    assert pace.wait(now) == pytest.approx(1 / (10 * BETA), rel=0.05)


def test_further_refusals_lower_it_further_but_never_to_nothing():
    pace = AdaptivePace()
    now = steady(pace, 10, 20)
    paces = []
    for _ in range(30):
        pace.throttled(now)
        paces.append(pace.per_second)
        now += 1.0

    assert paces[:9] == sorted(paces[:9], reverse=True)
    assert paces[-1] == LEAST


def test_it_recovers_along_the_cubic_curve_and_feels_further_up():
    pace = AdaptivePace()
    begin = steady(pace, 40, 30)
    pace.throttled(begin)
    peak = pace.per_second / BETA
    plateau = (peak * (1 - BETA) / SCALE) ** (1 / 3)
    told = {}
    for index in range(1, 40 * 8):
        since = index / 40
        pace.succeeded(begin + since)
        told[since] = pace.per_second

    expected = {s: SCALE * (s - plateau) ** 3 + peak for s in told}
    assert told[1.0] == pytest.approx(expected[1.0], rel=0.01)
    assert told[3.0] == pytest.approx(expected[3.0], rel=0.01)
    assert told[7.0] == pytest.approx(expected[7.0], rel=0.01)
    assert told[7.0] > peak > told[1.0]


def test_it_gets_no_faster_than_twice_what_was_measured():
    pace = AdaptivePace()
    now = steady(pace, 10, 20)
    pace.throttled(now)

    steady(pace, 2, 60, begin=now)

    assert pace.per_second == pytest.approx(2 * AHEAD, rel=0.1)


def test_a_refusal_among_the_very_first_answers_is_measured_by_those():
    pace = AdaptivePace()
    for _ in range(9):
        pace.succeeded(0.1)

    pace.throttled(0.2)

    assert pace.per_second == pytest.approx(10 / 0.5 * BETA)


def test_a_call_takes_its_share():
    pace = AdaptivePace()
    pace.throttled(0.0)
    now = pace.wait(0.0)
    assert pace.wait(now) == 0.0

    pace.take(now)

    assert pace.wait(now) == pytest.approx(1 / pace.per_second)


def test_on_the_clock_of_a_new_loop_it_goes_on_at_its_pace():
    pace = AdaptivePace()
    now = steady(pace, 10, 20, begin=1e6)
    pace.throttled(now)
    known = pace.per_second

    wait = pace.wait(0.0)

    assert 0.0 < wait <= 1 / known + 1e-9
    assert pace.wait(wait) == 0.0
    pace.succeeded(wait)
    assert pace.per_second == pytest.approx(known / BETA, rel=0.2)
