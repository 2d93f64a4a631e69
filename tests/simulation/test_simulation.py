"""Fixed seeds; `nox -s soak` tries new ones."""

from collections import Counter, defaultdict

import pytest

from fairlead.testing import BACKENDS
from tests.simulation.circuits import check_circuits
from tests.simulation.oracle import asked_per_call, two_at_once
from tests.simulation.runs import NAMES, PAPER, PIPELINES, simulate

SELDOM_TENDED = 18
"""A seed with which nobody reloads keys."""


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_is_lost_doubled_or_left_in_any_weather(seed, pipeline):
    run = simulate(seed, pipeline=pipeline, calls=600, per_second=0.5)

    ends = Counter(told.ends[0] for told in run.world.calls.values())
    assert ends["answered"] > 30
    assert ends["left"] > 10


def test_streams_are_cut_before_their_first_word_and_after():
    run = simulate(13, forecast=lambda name: [(0.0, "cut")], calls=600, per_second=0.5)

    ends = Counter(told.ends[0] for told in run.world.calls.values())
    assert ends["failed with StreamInterruptedError"] > 5
    assert ends["answered"] > 50


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", [4, 5])
def test_callers_come_in_crowds(seed, backend):
    run = simulate(seed, backend=backend, calls=1500, per_second=100, at_once=500)

    assert most_at_once(run.world) > 500


@pytest.mark.parametrize("pipeline", ["narrow", "hedged", "pooled", "everything"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_crowds_queue_race_and_change_keys(pipeline, backend):
    run = simulate(14, pipeline=pipeline, backend=backend, calls=1500, per_second=20, at_once=250)

    assert most_at_once(run.world) > 250
    assert check_circuits(run.world, PAPER) > 2


def test_hundreds_wait_in_a_row_and_are_let_through_in_their_order():
    run = simulate(
        15, pipeline="narrow", forecast=calm, calls=1000, per_second=3, at_once=200, recovers=False
    )

    waited = [ask for ask in run.world.asks if ask.at > ask.came_at + 1]
    assert len(waited) > 500


def test_the_slow_are_raced_and_now_and_then_beaten():
    def slow(name):
        return [(0.0, "clear"), (200.0, "slow" if name == NAMES[0] else "clear")]

    run = simulate(16, pipeline="hedged", forecast=slow, calls=1000, per_second=1)

    asks = defaultdict(list)
    for ask in run.world.asks:
        asks[ask.call].append(ask)
    raced = [name for name in asks if two_at_once(asks[name])]
    by = Counter(run.world.calls[name].provider for name in raced)
    assert by[NAMES[0]] > 5
    assert by[NAMES[1]] > 20


def test_a_key_that_is_revoked_or_spent_is_replaced_by_another():
    def forecast(name):
        return [(0.0, "revoked"), (400.0, "spent"), (500.0, "clear")]

    run = simulate(17, pipeline="pooled", forecast=forecast, calls=800, per_second=0.5)

    ends = Counter(ask.ended for ask in run.world.asks)
    assert ends["refuse key"] > 2
    assert ends["spend"] > 2
    assert {ask.key for ask in run.world.asks if ask.at > 1600} == {0, 1, 2}


def test_an_account_that_was_spent_is_tried_by_one_call_and_then_used_by_all():
    def forecast(name):
        return [(0.0, "spent"), (100.0, "clear")]

    run = simulate(
        SELDOM_TENDED,
        pipeline="pooled",
        forecast=forecast,
        calls=1500,
        per_second=1,
        at_once=50,
        recovers=False,
    )

    of_first = [ask for ask in run.world.asks if ask.vendor == NAMES[0]]
    assert not run.world.reloads
    assert {ask.key for ask in of_first if ask.ended == "spend"} == {0, 1, 2}
    assert {ask.key for ask in of_first if ask.at > 1100} == {0, 1, 2}


def test_thousands_wait_at_once():
    run = simulate(6, calls=3000, per_second=3000, at_once=3000)

    assert most_at_once(run.world) == 3000


def test_weeks_pass():
    run = simulate(7, calls=1000, per_second=0.0005)

    first, last = min(run.world.asks, key=at), max(run.world.asks, key=at)
    assert last.at - first.at > 1e6


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_seed_has_the_same_history(pipeline, backend):
    histories = ["\n".join(history(8, pipeline, backend)).encode() for _ in range(2)]

    assert histories[0] == histories[1]
    assert history(9, pipeline, backend) != history(8, pipeline, backend)


def history(seed, pipeline, backend):
    load = {"calls": 150, "per_second": 5.0, "at_once": 10}
    return simulate(seed, pipeline=pipeline, backend=backend, **load).world.history


@pytest.mark.parametrize("weather", ["down", "overloaded", "locked"])
def test_all_is_well_again_after_an_outage(weather):
    def outage(name):
        return [(0.0, "clear"), (100.0, weather), (1000.0, "clear")]

    run = simulate(10, forecast=outage, calls=800, per_second=0.5)

    ends = Counter(told.ends[0] for told in run.world.calls.values() if 200 < told.at < 900)
    assert ends["answered"] < sum(ends.values()) / 4
    calm = [told.ends[0] for told in run.world.calls.values() if 1350 < told.at < 1600]
    assert set(calm) <= {"answered", "left", "failed with DeadlineExceededError"}


def test_an_outage_of_one_vendor_goes_unnoticed():
    def outage(name):
        return [(0.0, "clear"), (100.0, "down" if name == NAMES[0] else "clear")]

    run = simulate(11, forecast=outage, calls=800, per_second=0.5)

    ends = {told.ends[0] for told in run.world.calls.values()}
    assert ends <= {"answered", "left", "failed with DeadlineExceededError"}


def test_all_targets_pay_for_repeats_from_one_purse():
    run = simulate(
        12,
        forecast=lambda name: [(0.0, "shut")],
        recovers=False,
        calls=1500,
        per_second=20,
        kinds={"generate": 1},
    )

    repeats = len(run.world.asks) - len({(ask.call, ask.vendor) for ask in run.world.asks})
    assert 0 < repeats <= 100  # 500 of them, at 5 each


@pytest.mark.parametrize("pipeline", ["as_assembled", "routed", "hedged", "pooled", "everything"])
@pytest.mark.parametrize("weather", ["shut", "down", "overloaded", "stalling"])
def test_an_outage_is_not_made_worse_by_asking_again(weather, pipeline):
    run = simulate(
        12,
        pipeline=pipeline,
        forecast=lambda name: [(0.0, weather)],
        recovers=False,
        calls=1500,
        per_second=20,
    )

    for name in NAMES:
        assert asked_per_call(run.world, name) <= 1.1, name


def calm(name):
    return [(0.0, "clear")]


def at(ask):
    return ask.at


def most_at_once(world):
    """How many calls were under way at a time."""
    turns = [(told.at, 1) for told in world.calls.values()]
    turns += [(told.over_at, -1) for told in world.calls.values()]
    most = running = 0
    for _, change in sorted(turns, key=lambda turn: (turn[0], -turn[1])):
        running += change
        most = max(most, running)
    return most
