"""Whatever the weights, tags and times: what orders promise."""

from collections import Counter
from random import Random

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fairlead.core.plans import Plan
from fairlead.decorators.hedging import Credit, Latencies
from fairlead.decorators.orders import Experiment, Fastest, LeastBusy, Sticky, Weighted
from fairlead.decorators.routes import Route
from tests.unit.core.fakes import generating

NAMES = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6, unique=True)
WEIGHTS = st.lists(st.floats(0, 100, allow_subnormal=False), min_size=1, max_size=6)
CALL = generating()


def routes(names):
    return tuple(Route(name, index) for index, name in enumerate(names))


def tagged(value):
    return generating(tags={"user": value})


def arranged(order, these, call=CALL):
    return list(order.prepared(these).arranged(these, call, Plan(())))


@given(WEIGHTS, st.integers())
@example([0.0, 1e-301], 0)
def test_each_route_comes_exactly_once_and_those_without_weight_last(weights, seed):
    assume(any(weights))
    these = routes(map(str, range(len(weights))))

    places = arranged(Weighted(weights, random=Random(seed).random), these)

    assert sorted(places) == list(range(len(weights)))
    with_weight = sum(weight > 0 for weight in weights)
    assert all(weights[place] > 0 for place in places[:with_weight])


@given(NAMES, st.text(), st.data())
def test_when_a_target_leaves_nobody_else_moves(names, value, data):
    these = routes(names)
    before = [these[place].name for place in arranged(Sticky("user"), these, tagged(value))]
    gone = data.draw(st.sampled_from(names))
    left = routes([name for name in names if name != gone])
    assume(left)

    after = [left[place].name for place in arranged(Sticky("user"), left, tagged(value))]

    assert after == [name for name in before if name != gone]


@given(NAMES, st.text())
def test_the_order_in_which_targets_are_given_does_not_matter_to_a_tag(names, value):
    these, turned = routes(names), routes(names[::-1])

    def told(all_of_them):
        places = arranged(Sticky("user"), all_of_them, tagged(value))
        return [all_of_them[place].name for place in places]

    assert told(these) == told(turned)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=4), st.integers(0, 99))
def test_weights_converge(weights, seed):
    these = routes(map(str, range(len(weights))))
    order = Weighted(weights, random=Random(seed).random).prepared(these)
    drawn = Counter(order.arranged(these, CALL, Plan(()))[0] for _ in range(3000))

    for place, weight in enumerate(weights):
        assert drawn[place] / 3000 == pytest.approx(weight / sum(weights), abs=0.05)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=4), st.text(max_size=5))
def test_arms_converge(weights, name):
    arms = {str(place): weight for place, weight in enumerate(weights)}
    these = routes(arms)
    order = Experiment(name, arms, tag="user").prepared(these)
    drawn = Counter(
        order.arranged(these, tagged(str(number)), Plan(()))[0] for number in range(2000)
    )

    for place, weight in enumerate(weights):
        assert drawn[place] / 2000 == pytest.approx(weight / sum(weights), abs=0.06)


@given(st.lists(st.floats(0.1, 100), min_size=2, max_size=6, unique=True), st.integers(0, 99))
def test_the_slowest_is_never_chosen_over_all_others_and_the_faster_comes_more_often(times, seed):
    these = routes(map(str, range(len(times))))
    for route, seconds in zip(these, times, strict=True):
        route.took("generate", seconds, 0.0)
    order = Fastest(random=Random(seed).random)
    drawn = Counter(order.arranged(these, CALL, Plan(()))[0] for _ in range(600))
    by_speed = sorted(range(len(times)), key=times.__getitem__)

    assert drawn[by_speed[-1]] == 0
    assert drawn.most_common(1)[0][1] <= drawn[by_speed[0]] * 1.3
    assert drawn[by_speed[0]] >= 600 / len(times)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99)), min_size=1, max_size=6))
def test_the_least_busy_comes_first(states):
    these = routes(map(str, range(len(states))))
    for route, state in zip(these, states, strict=True):
        route.running, route.last = state

    places = arranged(LeastBusy(), these)

    assert [states[place] for place in places] == sorted(states)


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=500), st.floats(0.01, 1))
def test_a_quantile_is_what_that_share_of_the_last_ones_does_not_exceed(samples, quantile):
    latencies = Latencies(quantile, 1)
    for sample in samples:
        latencies.add(sample)
    last = samples[-Latencies.KEPT :]

    told = latencies.quantile

    assert told in last
    assert sum(sample <= told for sample in last) >= quantile * len(last) - 1e-6
    assert sum(sample < told for sample in last) < quantile * len(last) + 1e-6


@given(st.floats(0.001, 1), st.lists(st.booleans(), max_size=300))
def test_no_more_than_its_share_is_ever_spent(share, wishes):
    credit = Credit(share)
    spent = 0
    for calls, wish in enumerate(wishes, 1):
        credit.earn()
        if wish and credit.enough:
            credit.spend()
            spent += 1
        assert spent <= share * calls + 1e-6
