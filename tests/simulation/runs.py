"""Whole runs: a world, the real pipeline, its traffic, and the judgement."""

import random
from dataclasses import dataclass
from functools import partial

import anyio

from fairlead import Use, default_pipeline
from fairlead.assembly.explain import explain
from fairlead.assembly.pipeline import chain, target_pipeline
from fairlead.core.calls import below, find
from fairlead.decorators.backoff import Backoff
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.circuit import BreakerOptions
from fairlead.decorators.lane import LimitOptions
from fairlead.decorators.limits import LimitProvider
from fairlead.decorators.orders import LeastBusy
from fairlead.decorators.router import RouterProvider
from fairlead.testing.virtual_time import virtual_time_backend
from tests.simulation.oracle import judge, recovered
from tests.simulation.world import BAD, Vendor, World, traffic

NAMES = ("first", "second", "third")


def as_assembled(vendors, seed):
    """The pipeline that users get."""
    return default_pipeline(*vendors)


def one_target(vendors, seed):
    """No fallback."""
    return default_pipeline(vendors[0])


def eager(vendors, seed):
    """Repeats often, and opens circuits soon; a stream has to begin by a deadline."""
    targets = [
        target_pipeline(
            vendor,
            max_retries=4,
            backoff=Backoff(initial_delay=0.1, longest_retry_after=10.0),
            breaker=BreakerOptions(failure_threshold=2, recovery_timeout=5.0),
        )
        for vendor in vendors
    ]
    return chain(targets, total=90.0)


def nested(vendors, seed):
    """A chain inside of a chain."""
    return default_pipeline(vendors[0], default_pipeline(*vendors[1:], total=None))


def limited(vendors, seed):
    """Each target takes few calls at a time, and only so many a minute."""
    options = LimitOptions(max_running=MOST_RUNNING, requests_per_minute=600.0)
    use = Use(lambda node: LimitProvider(node, options=options), layer="limits")
    return default_pipeline(*vendors, decorators=[use])


def routed(vendors, seed):
    """The one with the least to do is asked first."""
    router = RouterProvider([target_pipeline(vendor) for vendor in vendors], order=LeastBusy())
    return chain([router])


MOST_RUNNING = 20
PIPELINES = {it.__name__: it for it in (as_assembled, one_target, eager, nested, limited, routed)}


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
    try:
        return anyio.run(
            _run, seed, pipeline, forecast, recovers, load, backend=loop, backend_options=options
        )
    finally:
        random.setstate(state)


async def _run(seed, pipeline, forecast, recovers, load):
    world = World(seed)
    until = load["calls"] / load["per_second"]
    vendors = [
        Vendor(world, name, forecast(name) if forecast else changing(world.random, until))
        for name in NAMES
    ]
    provider = PIPELINES[pipeline](vendors, seed)
    watch(provider, vendors)
    worst = explain(provider).worst
    await traffic(world, provider, **load)
    if recovers:
        for vendor in vendors:
            vendor.forecast = [(0.0, "clear")]
        await anyio.sleep(400.0)  # longer than a circuit ever stays open
        calm = {"per_second": 0.1, "patient": True}
        await traffic(world, provider, calls=12, **calm)
        since = anyio.current_time()
        await traffic(world, provider, calls=12, **calm)
        by = None if pipeline == "routed" else NAMES[0]
        assert recovered(world, since, by), f"seed {seed} does not recover"
    await anyio.sleep(1.0)  # for what is told to close at the loop's next turn
    judge(world, vendors, worst, running=MOST_RUNNING if pipeline == "limited" else None)
    assert not any(permits_out(guard) for guard in guards(provider)), (
        f"seed {seed}: a permit is out"
    )
    await provider.aclose()
    return Run(world, vendors, provider)


def changing(dice, until):
    """Weather that changes by chance, some of it every few seconds."""
    forecast, at = [(0.0, dice.choice(["fair", *BAD]))], 0.0
    while at < until:
        at += dice.expovariate(1 / dice.choice([5.0, 60.0, 300.0]))
        forecast.append((at, dice.choice(["fair", "fair", *BAD])))
    return forecast


def guards(node):
    """The circuit breakers in a pipeline."""
    if isinstance(node, CircuitBreakerProvider):
        yield node
    for child in below(node):
        yield from guards(child)


def permits_out(guard):
    """How many permits nobody has given back."""
    return sum(len(circuit._probes) for circuit in guard._own._breakers.values())


def watch(provider, vendors):
    """Let vendors see whether their circuit is half-open when they are asked, and since when."""
    for guard in guards(provider):
        vendor = find(guard, Vendor)
        vendor.half_open = partial(_half_open_since, guard)


def _half_open_since(guard, model):
    circuit = guard.breaker(model)
    return circuit._generation if circuit.state == "half-open" else None
