"""Whole runs: a world, the real pipeline, its traffic, and the judgement."""

import random
from dataclasses import dataclass
from functools import partial

import anyio

from fairlead import Use, default_pipeline
from fairlead.assembly.explain import explain
from fairlead.assembly.pipeline import chain, target_pipeline
from fairlead.core.calls import find
from fairlead.decorators.attempt import AttemptTimeoutProvider
from fairlead.decorators.backoff import Backoff
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.circuit import BreakerOptions
from fairlead.decorators.hedging import HedgeOptions
from fairlead.decorators.key_pool import KeyPoolProvider
from fairlead.decorators.lane import LimitOptions
from fairlead.decorators.limits import LimitProvider
from fairlead.decorators.orders import Fastest, LeastBusy, Sticky, Weighted
from fairlead.decorators.quota import RetryQuota
from fairlead.decorators.router import RouterProvider
from fairlead.testing.virtual_time import virtual_time_backend
from tests.simulation.callers import traffic
from tests.simulation.circuits import Rules
from tests.simulation.oracle import Promises, judge, recovered
from tests.simulation.world import BAD, Doorkeeper, Vendor, World
from tests.support.policies import leftovers, nodes

NAMES = ("first", "second", "third")
TOUCHY = BreakerOptions(failure_threshold=2, recovery_timeout=5.0, minimum_calls=10**6)
"""Opens soon, and by failures in a row alone."""
PAPER = Rules(failures=2, recovery=5.0)
"""The same, for the oracle."""


def as_assembled(vendors, seed):
    """The pipeline that users get."""
    return default_pipeline(*vendors)


def one_target(vendors, seed):
    """No fallback."""
    return default_pipeline(vendors[0])


def eager(vendors, seed):
    """Repeats often, and opens circuits soon; a stream has to begin by a deadline."""
    backoff = Backoff(initial_delay=0.1, longest_retry_after=10.0)
    targets = [
        target_pipeline(vendor, max_retries=4, backoff=backoff, breaker=TOUCHY)
        for vendor in vendors
    ]
    return chain(targets, total=90.0)


def nested(vendors, seed):
    """A chain inside of a chain."""
    return default_pipeline(vendors[0], default_pipeline(*vendors[1:], total=None))


def behind_a_door(options):
    """A limiter, and before it somebody who gives numbers."""

    def limits(node):
        limited = LimitProvider(node, options=options)
        return Doorkeeper(limited, world=find(node, Vendor).world)

    return Use(limits, layer="limits")


def limited(vendors, seed):
    """Each target takes few calls at a time, and only so many a minute."""
    options = LimitOptions(max_running=20, requests_per_minute=600.0)
    return default_pipeline(*vendors, decorators=[behind_a_door(options)])


def narrow(vendors, seed):
    """A few calls at a time, slower after a refusal; most of a crowd waits in a row."""
    options = LimitOptions(
        max_running=3,
        max_queued=200,
        requests_per_minute=120.0,
        requests_burst=5,
        tokens_per_minute=40_000.0,
        adaptive=True,
    )
    return default_pipeline(*vendors, breaker=TOUCHY, decorators=[behind_a_door(options)])


def routed(vendors, seed):
    """Another one is asked first, in each of the ways that there are."""
    dice = random.Random(seed).random
    orders = [
        LeastBusy(),
        Fastest(random=dice),
        Weighted([3, 2, 0], random=dice),
        Sticky("user", otherwise=Fastest(random=dice)),
    ]
    quota = RetryQuota()
    targets = [target_pipeline(vendor, quota=quota) for vendor in vendors]
    return chain([RouterProvider(targets, order=orders[seed % len(orders)])])


def hedged(vendors, seed):
    """Whoever is slow gets a rival."""
    quota = RetryQuota()
    targets = [target_pipeline(vendor, quota=quota, breaker=TOUCHY) for vendor in vendors]
    hedging = HedgeOptions(minimum_samples=10, max_share=HEDGED)
    return chain(targets, hedging=hedging, quota=quota)


def of_keys(vendor, options=None):
    """One vendor by three keys, each with limits and a circuit of its own."""
    keys = []
    for key in vendor.with_keys(3):
        guarded = CircuitBreakerProvider(AttemptTimeoutProvider(key), options=TOUCHY)
        keys.append(behind_a_door(options).policy(guarded) if options else guarded)
    return KeyPoolProvider(keys)


def pooled(vendors, seed):
    """Each vendor is asked by three keys."""
    return default_pipeline(*[of_keys(vendor) for vendor in vendors], breaker=None)


def everything(vendors, seed):
    """All of it."""
    quota = RetryQuota()
    options = LimitOptions(max_running=5, requests_per_minute=300.0, adaptive=True)
    targets = [target_pipeline(of_keys(it, options), quota=quota) for it in vendors]
    hedging = HedgeOptions(minimum_samples=10, max_share=HEDGED)
    return chain(targets, hedging=hedging, quota=quota)


HEDGED = 0.25
PIPELINES = {
    as_assembled: Promises(),
    one_target: Promises(),
    eager: Promises(circuits=PAPER),
    nested: Promises(),
    limited: Promises(running=20, rate=(10.0, 600.0)),
    narrow: Promises(running=3, rate=(2.0, 5.0), circuits=PAPER),
    routed: Promises(in_order=False),
    hedged: Promises(hedged=HEDGED, circuits=PAPER),
    pooled: Promises(pooled=True, circuits=PAPER),
    everything: Promises(hedged=HEDGED, pooled=True, circuits=PAPER, running=5, rate=(5.0, 300.0)),
}
PIPELINES = {builder.__name__: (builder, promises) for builder, promises in PIPELINES.items()}


@dataclass(frozen=True)
class Run:
    """What is left of a run."""

    world: World
    vendors: list
    pipeline: object


def simulate(
    seed, *, pipeline="as_assembled", backend="asyncio", forecast=None, recovers=True, **load
):
    """
    Run the world of *seed*, and judge it.

    Args:
        pipeline: One of `PIPELINES`.
        forecast: What makes a vendor's weather of its name; by default chance does.
        recovers: Whether all is clear at the end, and the first vendor has to answer again.
        load: See `traffic`.
    """
    loop, options = virtual_time_backend(backend)
    load = {"calls": 400, "per_second": 0.5} | load
    state = random.getstate()
    random.seed(seed)  # the jitter of policies
    if backend == "trio":
        in_one_order(seed)
    try:
        return anyio.run(
            _run, seed, pipeline, forecast, recovers, load, backend=loop, backend_options=options
        )
    finally:
        random.setstate(state)


def in_one_order(seed):
    """Let trio, which shuffles those whose turn it is, shuffle them alike for the same seed."""
    from trio._core import _run as scheduler

    scheduler._ALLOW_DETERMINISTIC_SCHEDULING = True
    scheduler._r.seed(seed)


async def _run(seed, pipeline, forecast, recovers, load):
    world = World(seed)
    until = load["calls"] / load["per_second"]
    vendors = [
        Vendor(world, name, forecast(name) if forecast else changing(world.random, until))
        for name in NAMES
    ]
    builder, promises = PIPELINES[pipeline]
    provider = builder(vendors, seed)
    watch(provider)
    worst = explain(provider).worst
    async with anyio.create_task_group() as group:
        group.start_soon(tend, world, provider)
        await traffic(world, provider, **load)
        group.cancel_scope.cancel()
    if recovers:
        for vendor in world.vendors:
            vendor.forecast = [(0.0, "clear")]
        await anyio.sleep(1000.0)  # longer than a circuit or an account is ever shut
        reload(world, provider)
        calm = {"per_second": 0.1, "patient": True}
        await traffic(world, provider, calls=12, **calm)
        since = anyio.current_time()
        await traffic(world, provider, calls=12, **calm)
        by = NAMES[0] if promises.in_order else None
        assert recovered(world, since, by, promises.hedged), f"seed {seed} does not recover"
    await anyio.sleep(1.0)  # for what is told to close at the loop's next turn
    judge(world, worst, promises)
    left = leftovers(provider)
    assert not left, f"seed {seed}: {left}"
    await provider.aclose()
    return Run(world, vendors, provider)


async def tend(world, provider):
    """Load keys anew from time to time: what became of them was for good."""
    often = random.Random(f"tend {world.seed}").choice([100.0, 1000.0, 10_000.0])
    while True:
        await anyio.sleep(often)
        reload(world, provider)


def reload(world, provider):
    for node in nodes(provider):
        if isinstance(node, KeyPoolProvider):
            node.reload()
    world.reloads.append(world.turn())


def changing(dice, until):
    """Weather that changes by chance, some of it every few seconds."""
    forecast, at = [(0.0, dice.choice(["fair", *BAD]))], 0.0
    while at < until:
        at += dice.expovariate(1 / dice.choice([5.0, 60.0, 300.0]))
        forecast.append((at, dice.choice(["fair", "fair", *BAD])))
    return forecast


def watch(provider):
    """Let vendors see whether their circuit is half-open when they are asked, and since when."""
    for node in nodes(provider):
        if isinstance(node, CircuitBreakerProvider):
            find(node, Vendor).half_open = partial(_half_open_since, node)


def _half_open_since(guard, model):
    circuit = guard.breaker(model)
    return circuit._generation if circuit.state == "half-open" else None
