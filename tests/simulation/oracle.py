"""Judges a whole run by what vendors and callers have written down. Knows no policy's code."""

from collections import defaultdict
from math import inf

CLOSE = 1e-6
"""Seconds that virtual clocks differ by when nothing has happened in between."""


def judge(world, vendors, worst, *, permits=1, permit_timeout=60.0, running=None):
    """
    Assert whatever has to hold for every run.

    Args:
        worst: What `explain` says, by operation.
        permits: How many calls may pass a half-open circuit at a time.
        permit_timeout: Seconds after which one that is not given back is given out again.
        running: How many calls of one model a vendor may have at a time, if there is a limit.
    """
    asks_of = defaultdict(list)
    for ask in world.asks:
        asks_of[ask.call].append(ask)
    for told in world.calls.values():
        where = f"seed {world.seed}, call {told.name}"
        assert len(told.ends) == 1, f"{where} ends {len(told.ends)} times"
        check_content(told, asks_of[told.name], where)
        check_effort(told, asks_of[told.name], worst, where)
        check_journal(asks_of[told.name], where)
        if told.ends == ["left"]:
            assert abs(told.over_at - told.left_at) < CLOSE, f"{where} does not end when it is left"
    check_nothing_is_left(world, vendors)
    check_probes(world, permits, permit_timeout)
    if running is not None:
        check_running(world, running)


def check_content(told, asks, where):
    """Nothing is shown twice, out of order, or from two attempts; what is whole is whole."""
    shown = [tuple(map(int, word.split("/"))) for word in told.words]
    assert all(call == int(told.name) for call, _, _ in shown), f"{where} has another's words"
    assert len({ask for _, ask, _ in shown}) <= 1, f"{where} has words of two attempts"
    assert [at for _, _, at in shown] == list(range(len(shown))), f"{where} has {told.words}"
    if shown:
        assert shown[0][1] == asks[-1].number, f"{where} was asked again after it was shown words"
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
    """Each attempt stands in the journal, in order, and nothing else is said to be one."""
    if asks:
        said = [entry.provider for entry in asks[-1].journal if entry.sent]
        assert said == [ask.vendor for ask in asks], f"{where} says {said}"


def check_nothing_is_left(world, vendors):
    """No connection is open, and every attempt is over."""
    for vendor in vendors:
        assert vendor.open == 0, f"seed {world.seed}: {vendor.name} has {vendor.open} connections"
    assert all(ask.over_at < inf for ask in world.asks), f"seed {world.seed}: an attempt goes on"


def check_probes(world, permits, permit_timeout):
    """
    While a circuit is half-open, no more calls pass at a time than it has permits.

    Calls that passed before it opened once more may go on; they say nothing any more.
    """
    probes = defaultdict(list)
    for ask in world.asks:
        if ask.probe is not None:
            beside = probes[ask.vendor, ask.model, ask.probe]
            running = [
                other
                for other in beside
                if min(other.content_at, other.over_at) > ask.at
                and ask.at - other.at < permit_timeout
            ]
            assert len(running) < permits, f"seed {world.seed}: {ask} beside {running}"
            beside.append(ask)


def check_running(world, most):
    """No vendor has more calls of one model at a time than it is allowed."""
    turns = defaultdict(list)
    for ask in world.asks:
        turns[ask.vendor, ask.model] += [(ask.at, 1), (ask.over_at, -1)]
    for whose, own in turns.items():
        running = 0
        for at, change in sorted(own):
            running += change
            assert running <= most, f"seed {world.seed}: {whose} has {running} calls at {at}"


def recovered(world, since, first):
    """Whether the calls begun after *since* were all answered, by *first* if it is named."""
    late = [told for told in world.calls.values() if told.at >= since]
    assert late
    return all(
        told.ends == ["answered"] and told.provider == (first or told.provider) for told in late
    )


def asked_per_call(world, vendor):
    """How often *vendor* was asked, over all calls that were made."""
    asks = [ask.call for ask in world.asks if ask.vendor == vendor]
    return len(asks) / max(len(world.calls), 1)
