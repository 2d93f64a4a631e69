"""Judges a whole run by what vendors and callers have written down. Knows no policy's code."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from tests.simulation.circuits import Rules, answers, check_circuits

CLOSE = 1e-6
"""Seconds that virtual clocks differ by when nothing has happened in between."""


@dataclass(frozen=True)
class Promises:
    """
    What a pipeline promises beyond what all do.

    Args:
        circuits: How its circuits behave, if failures in a row alone open them.
        running: How many calls of one model a vendor may have at a time by one key.
        rate: How many a second, and how many at once after a rest.
        hedged: The share of calls that may be asked twice at a time.
        pooled: Whether each vendor is asked with several keys.
        in_order: Whether the first vendor is the first to be asked, if it can be.
    """

    circuits: Rules | None = None
    running: int | None = None
    rate: tuple[float, float] | None = None
    hedged: float = 0.0
    pooled: bool = False
    in_order: bool = True


def judge(world, worst, promises, *, permits=1, permit_timeout=60.0):
    """
    Assert whatever has to hold for every run.

    Args:
        worst: What `explain` says, by operation.
        promises: What holds for its pipeline.
        permits: How many calls may pass a half-open circuit at a time.
        permit_timeout: Seconds after which one that is not given back is given out again.
    """
    asks_of = defaultdict(list)
    for ask in world.asks:
        asks_of[ask.call].append(ask)
    for told in world.calls.values():
        where = f"seed {world.seed}, call {told.name}"
        asks = asks_of[told.name]
        assert len(told.ends) == 1, f"{where} ends {len(told.ends)} times"
        check_content(told, asks, where)
        check_effort(told, asks, worst, where)
        check_journal(asks, where)
        check_end(told, asks, where)
    check_nothing_is_left(world)
    check_races(world, asks_of, promises.hedged)
    check_probes(world, permits, permit_timeout)
    check_order(world)
    if promises.circuits is not None:
        check_circuits(world, promises.circuits)
    if promises.running is not None:
        check_running(world, promises.running)
    if promises.rate is not None:
        check_rate(world, *promises.rate)
    if promises.pooled:
        check_keys(world)


def check_content(told, asks, where):
    """Nothing is shown twice, out of order, or from two attempts; what is whole is whole."""
    shown = [tuple(map(int, word.split("/"))) for word in told.words]
    assert all(call == int(told.name) for call, _, _ in shown), f"{where} has another's words"
    assert len({ask for _, ask, _ in shown}) <= 1, f"{where} has words of two attempts"
    assert [at for _, _, at in shown] == list(range(len(shown))), f"{where} has {told.words}"
    if shown:
        later = [ask for ask in asks if ask.number >= told.asks_before]
        assert not later, f"{where} was asked again after it was shown words: {later}"
    whole = told.operation in {"generate", "read", "collect"} and told.ends == ["answered"]
    assert not whole or len(shown) == 4, f"{where} was answered with {told.words}"
    assert told.ends != ["answered"] or told.operation == "embed" or shown, f"{where} has nothing"


OPERATION = {"generate": "generate", "embed": "embed"}
"""A batch is unknown beforehand, as nobody says how many texts; the three here are one request."""


def check_effort(told, asks, worst, where):
    """No call costs more attempts or time than was told beforehand."""
    bounds = worst[OPERATION.get(told.operation, "generate_stream")]
    assert len(asks) <= bounds.attempts, f"{where} has {len(asks)} attempts"
    if told.operation in OPERATION or not told.words:
        assert told.over_at - told.at <= bounds.seconds + CLOSE, f"{where} takes too long"


def check_journal(asks, where):
    """Each attempt stands in the journal, and nothing else is said to be one; in their order."""
    if asks:
        said = [entry.provider for entry in asks[-1].journal if entry.sent]
        in_order = [ask.vendor for ask in sorted(asks, key=lambda ask: ask.over_turn)]
        assert Counter(said) == Counter(in_order), f"{where} says {said}"
        if not any(two_at_once(asks)):
            assert said == in_order, f"{where} says {said}"


def check_end(told, asks, where):
    """A call ends as soon as it is left, and with it all that was done for it."""
    if told.ends == ["left"]:
        assert abs(told.over_at - told.left_at) < CLOSE, f"{where} does not end when it is left"
    late = [ask for ask in asks if ask.over_at > told.over_at + CLOSE]
    assert not late, f"{where} is over at {told.over_at}, and not {late}"


def check_nothing_is_left(world):
    """No connection is open, and every attempt is over."""
    for vendor in world.vendors:
        assert vendor.open == 0, f"seed {world.seed}: {vendor.name} has {vendor.open} connections"
    assert all(ask.over_at < inf for ask in world.asks), f"seed {world.seed}: an attempt goes on"


def two_at_once(asks):
    """Those of a call's attempts that began before the one before them was over."""
    return [later for before, later in pairwise(asks) if later.turn < before.over_turn]


SAVED_UP = 5
"""Hedges that a quiet time allows later on."""


def check_races(world, asks_of, share):
    """A call is asked for once at a time, or twice if it is hedged; no vendor is gone back to."""
    hedged = 0
    for name, asks in asks_of.items():
        where = f"seed {world.seed}, call {name}"
        for ask in asks:
            beside = [it for it in asks if it.turn < ask.turn < it.over_turn]
            assert len(beside) <= bool(share), f"{where}: {ask} beside {beside}"
        raced = two_at_once(asks)
        hedged += bool(raced)
        if not share:
            vendors = [ask.vendor for ask in asks]
            changes = [here for here, after in pairwise([*vendors, None]) if here != after]
            assert len(changes) == len(set(changes)), f"{where} went back: {vendors}"
    allowed = share * len(world.calls) + (SAVED_UP if share else 0)
    assert hedged <= allowed, f"seed {world.seed}: {hedged} calls were hedged"


def check_order(world):
    """Whoever comes to a limiter first is let through first."""
    last = defaultdict(lambda: -1)
    for ask in world.asks:
        assert ask.came_turn > last[ask.door], f"seed {world.seed}: it passed another: {ask}"
        last[ask.door] = ask.came_turn


def check_probes(world, permits, permit_timeout):
    """
    While a circuit is half-open, no more calls pass at a time than it has permits.

    Calls that passed before it opened once more may go on; they say nothing any more.
    """
    probes = defaultdict(list)
    for ask in world.asks:
        if ask.probe is not None:
            beside = probes[*ask.door, ask.probe]
            running = [
                other
                for other in beside
                if min(other.content_at, other.over_at) > ask.at
                and ask.at - other.at < permit_timeout
            ]
            assert len(running) < permits, f"seed {world.seed}: {ask} beside {running}"
            beside.append(ask)


def check_running(world, most):
    """No vendor has more calls of one model by one key at a time than it is allowed."""
    turns = defaultdict(list)
    for ask in world.asks:
        turns[ask.door] += [(ask.turn, 1, ask.at), (ask.over_turn, -1, ask.over_at)]
    for door, own in turns.items():
        running = 0
        for _, change, at in sorted(own):
            running += change
            assert running <= most, f"seed {world.seed}: {door} has {running} calls at {at}"


def check_rate(world, per_second, burst):
    """No vendor is asked faster than it is allowed; what was never sent does not count."""
    left, last = {}, {}
    for ask in world.asks:
        if ask.ended != "lose":
            rested = (ask.at - last.get(ask.door, -inf)) * per_second
            left[ask.door] = min(left.get(ask.door, 0.0) + rested, burst) - 1
            last[ask.door] = ask.at
            assert left[ask.door] > -1e-3, f"seed {world.seed}: it comes too soon: {ask}"


SPENT_FOR = 900.0
PROBED_FOR = 60.0


def check_keys(world):
    """
    A key that is refused is asked no more; one that is limited, or spent, not before its time.

    After a rest, an account is asked by one call at a time until one of those is answered. What
    waits in front of a key's limiter has been given that key already.
    """
    dead, rests, spent = {}, {}, {}
    for turn, what, ask in happenings(world):
        if what == "reload":
            dead, rests, spent = {}, {}, {}
            continue
        key, where = (ask.vendor, ask.key), f"seed {world.seed}:"
        if what == "comes":
            assert key not in dead, f"{where} a dead key is asked: {ask}"
            assert ask.came_at > rests.get(ask.door, -inf) - CLOSE, f"{where} one that rests: {ask}"
            until, probe = spent.get(key, (-inf, None))
            assert ask.came_at > until - CLOSE, f"{where} one of a spent account: {ask}"
            if probe is not None:
                told = probe.content_turn < ask.came_turn
                assert told or ask.came_at > probe.came_at + PROBED_FOR - CLOSE, (
                    f"{where} one that another call tries: {ask}, {probe}"
                )
            if key in spent:
                spent[key] = (until, ask)
        elif any(ask.came_turn < reload < turn for reload in world.reloads):
            continue  # it says nothing about the keys of now
        elif what == "answers":
            if spent.get(key, (None, None))[1] is ask:
                del spent[key]
        elif ask.ended == "refuse key":
            dead[key] = ask
        elif ask.ended == "spend":
            spent[key] = (ask.over_at + SPENT_FOR, None)
        elif ask.ended == "throttle for":
            rests[ask.door] = max(rests.get(ask.door, -inf), ask.over_at + ask.retry_after)


def happenings(world):
    """When attempts came, were answered and ended, and keys were reloaded, in order."""
    turns = [(ask.came_turn, "comes", ask) for ask in world.asks]
    turns += [(ask.content_turn, "answers", ask) for ask in world.asks if answers(ask)]
    turns += [(ask.over_turn, "ends", ask) for ask in world.asks]
    turns += [(turn, "reload", None) for turn in world.reloads]
    return sorted(turns, key=lambda turn: turn[0])


def recovered(world, since, first, hedged):
    """
    Whether the calls begun after *since* were all answered.

    Args:
        first: By whom, if somebody is to be.
        hedged: The share of which another may have been quicker.
    """
    late = [told for told in world.calls.values() if told.at >= since]
    assert late
    others = [told for told in late if told.provider != (first or told.provider)]
    return all(told.ends == ["answered"] for told in late) and (
        len(others) <= hedged * len(late) + (SAVED_UP if hedged else 0)
    )


def asked_per_call(world, vendor):
    """How often *vendor* was asked, over all calls that were made."""
    asks = [ask.call for ask in world.asks if ask.vendor == vendor]
    return len(asks) / max(len(world.calls), 1)
