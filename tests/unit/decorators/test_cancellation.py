"""Cancels every policy at each of its awaits, in every way that there is."""

import asyncio
import itertools

import anyio
import pytest
from anyio.lowlevel import checkpoint

from fairlead.adapters.stores.ledger_memory import MemoryLedger
from fairlead.adapters.stores.memory import MemoryCache
from fairlead.core.budgets import BudgetLimit, BudgetOptions
from fairlead.core.errors import (
    AuthenticationError,
    OverloadedError,
    QuotaExceededError,
    ServerError,
)
from fairlead.core.events import StreamStart, TextDelta
from fairlead.core.journal import Outcome
from fairlead.core.limits import TimeLimits
from fairlead.decorators._base import Decorator
from fairlead.decorators.attempt import AttemptTimeoutProvider
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.budget import BudgetProvider
from fairlead.decorators.cache import CacheProvider
from fairlead.decorators.circuit import BreakerOptions, State
from fairlead.decorators.context import ContextFitProvider
from fairlead.decorators.cost import CostTrackingProvider
from fairlead.decorators.deadline import DeadlineProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.faults import Fault, FaultsProvider
from fairlead.decorators.hedge import HedgeProvider
from fairlead.decorators.hedging import HedgeOptions, Latencies
from fairlead.decorators.key_pool import KeyPoolProvider
from fairlead.decorators.lane import LimitOptions
from fairlead.decorators.limits import LimitProvider
from fairlead.decorators.logging import LoggingProvider
from fairlead.decorators.orders import Fastest
from fairlead.decorators.quota import RetryQuota
from fairlead.decorators.retry import RetryProvider
from fairlead.decorators.router import RouterProvider
from fairlead.decorators.split import SplitProvider
from tests.support.logs import ListLog
from tests.support.policies import every_policy, leftovers, nodes
from tests.unit.core.fakes import END, Driven, Points, Scripted, Source, cancelled_at, ways


class Slow(Source):
    """Suspends before and after each step."""

    async def read(self):
        await checkpoint()
        batch = await super().read()
        await checkpoint()
        return batch


class Vendor(Scripted):
    """
    Raises *error* once, then answers; counts what it has not been told to let go of.

    Its awaits are counted in whatever task they are.
    """

    def __init__(self, name="vendor", *, error=ServerError, turns=2):
        super().__init__("", name=name, embedding_model="e")
        self.sources = []
        self.error = error
        self.turns = turns
        self.running = 0
        self.points = Points()

    async def _generate(self, call):
        return await Driven(super()._generate(call), self.points)

    async def _open(self, call):
        return await Driven(super()._open(call), self.points)

    async def _embed(self, call):
        return await Driven(super()._embed(call), self.points)

    async def _next(self, call):
        self.asked.append(call)
        self.running += 1
        try:
            for _ in range(self.turns):
                await checkpoint()
        finally:
            self.running -= 1
        error, self.error = self.error, None
        if error is not None:
            raise error("oops")
        if call.operation == "generate_stream":
            batches = [StreamStart()], [TextDelta("h")], [TextDelta("o")], [END]
            self.sources.append(Slow(*batches))
            return self.sources[-1]
        return "ho"


class Seen(Decorator):
    """Keeps the calls that it passes on."""

    def __init__(self, inner):
        super().__init__(inner)
        self.calls = []

    async def handle(self, call):
        self.calls.append(call)
        return await call.on(self.inner)


class Stack:
    """
    Something to call, and what it is made of.

    Args:
        quota: What its repeats and hedges are paid from, each at 14.
        turns: How often the loop has to turn after a call until others have let go, too.
    """

    def __init__(self, provider, *, quota=None, turns=0):
        self.provider = Seen(provider)
        self.quota = quota or RetryQuota()
        self.turns = turns
        self.points = Points()
        for vendor in self.vendors:
            vendor.points = self.points

    def of(self, kind):
        return [node for node in nodes(self.provider) if isinstance(node, kind)]

    @property
    def vendors(self):
        return self.of(Vendor)


def half_open(inner):
    """A breaker whose next calls are probes, one for each part of a batch."""
    breaker = CircuitBreakerProvider(inner, options=BreakerOptions(half_open_permits=2))
    for model in ("m", "e"):
        it = breaker.breaker(model)
        for _ in range(5):
            it.record(it.acquire(-100.0), failed=True, now=-100.0)
    return breaker


def sound(name="vendor", **options):
    return Vendor(name, error=None, **options)


def patient(inner, quota=None, **options):
    return RetryProvider(inner, random=lambda: 0.0, quota=quota, **options)


def in_turn(inner):
    """One call at a time, and one a second."""
    options = LimitOptions(
        requests_per_minute=60,
        requests_burst=1,
        tokens_per_minute=60_000,
        max_running=1,
        adaptive=True,
    )
    return LimitProvider(inner, options=options)


def of_keys(*keys):
    """A pool whose accounts were all spent, so that the next call with each is a probe."""
    pool = KeyPoolProvider(keys)
    for key in pool._pool._keys:
        pool._pool._store.rest(key.account, -1.0)
    return pool


class Racing(HedgeProvider):
    """Knows its targets to be quick, so that whoever is not done at once gets a rival."""

    def _latency(self, child, call):
        latencies = Latencies(0.95, 1)
        latencies.add(0.0)
        return latencies


def racing(targets, quota):
    return Racing(targets, hedging=HedgeOptions(minimum_samples=1, max_share=1.0), quota=quota)


def plain():
    return Stack(Decorator(sound()))


def retry():
    quota = RetryQuota()
    return Stack(patient(Vendor(), quota), quota=quota)


def breaker():
    return Stack(half_open(sound()))


def attempt():
    limits = TimeLimits(first_content=1e6, total=1e6)
    return Stack(AttemptTimeoutProvider(sound(), limits=limits))


def deadline():
    return Stack(DeadlineProvider(sound()))


def logged():
    return Stack(LoggingProvider(sound(), log=ListLog()))


def limits():
    quota = RetryQuota()
    return Stack(patient(in_turn(Vendor()), quota), quota=quota)


def limits_in_a_row():
    """A call waits for another one's place, which is not given back before it waits."""
    return Stack(SplitProvider(in_turn(sound()), max_items=1))


def key_pool():
    keys = Vendor(error=AuthenticationError), Vendor(error=QuotaExceededError), sound()
    return Stack(of_keys(*keys))


def split():
    quota = RetryQuota()
    return Stack(SplitProvider(patient(Vendor(), quota), max_items=1), quota=quota)


def faults():
    quota = RetryQuota()
    script = [Fault(delay=1.0, cut_after=0), Fault(delay=1.0)]
    return Stack(patient(FaultsProvider(sound(), faults=script), quota), quota=quota)


def fallback():
    return Stack(FallbackProvider([Vendor("first"), sound("second")]))


def router():
    return Stack(RouterProvider([Vendor("first"), sound("second")], order=Fastest()))


def hedge_that_wins():
    quota = RetryQuota()
    return Stack(racing([sound("a", turns=9), sound("b")], quota), quota=quota, turns=9)


def hedge_that_loses():
    quota = RetryQuota()
    return Stack(racing([sound("a", turns=4), sound("b", turns=9)], quota), quota=quota, turns=9)


def hedge_that_fails():
    quota = RetryQuota()
    return Stack(racing([sound("a", turns=9), Vendor("b")], quota), quota=quota, turns=9)


def hedge_after_a_failure():
    quota = RetryQuota()
    targets = Vendor("a"), sound("b", turns=9), sound("c")
    return Stack(racing(targets, quota), quota=quota, turns=9)


def everything():
    quota, targets = RetryQuota(), []
    for vendors in ((Vendor("a"), Vendor("a")), (sound("b"),)):
        keys = [in_turn(half_open(AttemptTimeoutProvider(vendor))) for vendor in vendors]
        pool = KeyPoolProvider(keys)
        targets.append(SplitProvider(patient(pool, quota, max_retries=1), max_items=1))
    chain = LoggingProvider(DeadlineProvider(racing(targets, quota)), log=ListLog())
    return Stack(chain, quota=quota, turns=9)


def context():
    return Stack(ContextFitProvider(sound()))


def cost():
    return Stack(CostTrackingProvider(sound(), ledger=MemoryLedger()))


def budget():
    limits = BudgetLimit(calls=10**6), BudgetLimit(scope="user", calls=10**6, per="day")
    return Stack(BudgetProvider(sound(), options=BudgetOptions(limits=limits)))


def cache():
    return Stack(CacheProvider(sound(), store=MemoryCache(), mode="on", single_flight=False))


async def generate(provider):
    await provider.generate("hi")


async def embed_batch(provider):
    await provider.embed_batch(["hi", "ho"])


async def read_stream(provider):
    async for _ in provider.generate_stream("hi"):
        await checkpoint()


async def enter_stream(provider):
    async with provider.generate_stream("hi") as stream:
        await stream.collect()


STACKS = [
    plain,
    retry,
    breaker,
    attempt,
    deadline,
    logged,
    limits,
    limits_in_a_row,
    key_pool,
    split,
    faults,
    fallback,
    router,
    hedge_that_wins,
    hedge_that_loses,
    hedge_that_fails,
    hedge_after_a_failure,
    context,
    cost,
    budget,
    cache,
    everything,
]
SCENARIOS = [generate, embed_batch, read_stream, enter_stream]


async def turn(stack):
    for _ in range(stack.turns):
        await checkpoint()


async def check(stack):
    """Nothing is held or unpaid, the journal has it all, and the next call is answered."""
    await turn(stack)
    for vendor in stack.vendors:
        assert vendor.running == 0
        assert all(source.aborted or not source.reads for source in vendor.sources)
    assert leftovers(stack.provider) == []
    check_what_is_told(stack)
    for vendor in stack.vendors:
        vendor.error = None
    for guarded in stack.of(CircuitBreakerProvider):
        for model in ("m", "e"):
            guarded.breaker(model).close()
    assert await stack.provider.generate("hi") == "ho"


def check_what_is_told(stack):
    """Each attempt stands in the journal, and none was paid for that could not follow another."""
    asked = [vendor.name for vendor in stack.vendors for _ in vendor.asked]
    calls = stack.provider.calls
    told = [entry.provider for call in calls for entry in call.journal if entry.sent]
    assert sorted(told) == sorted(asked)
    paid = stack.quota.capacity - stack.quota.left
    assert 0 <= paid <= 14 * len(asked)


def test_every_policy_is_among_them():
    found = {type(node) for make in STACKS for node in nodes(make().provider)}
    assert every_policy() <= found | {Racing.__base__}


@pytest.mark.anyio
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("make", STACKS)
async def test_a_call_cancelled_at_any_await_leaves_nothing_behind(make, scenario):
    for how in ways():
        for point in itertools.count():
            stack = make()

            reached = await cancelled_at(
                lambda it=stack: scenario(it.provider), point, how=how, points=stack.points
            )

            await check(stack)
            if not reached:
                break
        assert point >= 2


@pytest.mark.anyio
@pytest.mark.parametrize("make", STACKS)
async def test_what_is_no_exception_is_neither_counted_nor_repeated(make):
    class Stop(BaseException):
        pass

    stack = make()
    for vendor in stack.vendors:
        vendor._next = _raising(Stop, vendor)

    with pytest.raises(Stop):
        await stack.provider.generate("hi")

    await turn(stack)
    [call] = stack.provider.calls
    outcomes = [it.outcome for it in call.journal if it.sent]
    assert set(outcomes) == {Outcome.ABANDONED}
    assert len(outcomes) == 1 or stack.of(HedgeProvider)
    assert leftovers(stack.provider) == []
    guards = stack.of(CircuitBreakerProvider)
    assert all(guarded.breaker().state is not State.CLOSED for guarded in guards)


def _raising(kind, vendor):
    async def next_(call):
        vendor.asked.append(call)
        raise kind

    return next_


@pytest.mark.anyio
async def test_a_call_cancelled_while_it_waits_to_repeat_ends_at_once():
    for how in ways():
        vendor = Scripted(lambda: OverloadedError("busy"))
        provider = RetryProvider(vendor, random=lambda: 1.0)
        began = anyio.current_time()

        assert await cancelled_at(lambda it=provider: it.generate("hi"), 1, how=how)
        assert anyio.current_time() - began < 0.5
        assert len(vendor.asked) == 1


@pytest.mark.anyio
async def test_a_call_cancelled_just_as_its_time_is_over_is_cancelled():
    if "once" not in ways():
        return
    provider = AttemptTimeoutProvider(Scripted("ho", seconds=9), limits=TimeLimits(total=2))
    loop = asyncio.get_running_loop()
    task = loop.create_task(provider.generate("hi"))
    loop.call_at(loop.time() + 2, task.cancel)

    await asyncio.wait([task])

    assert task.cancelled() or isinstance(task.exception(), Exception)


@pytest.mark.anyio
async def test_closing_that_is_cancelled_still_closes():
    vendor = sound()
    stream = await FallbackProvider([vendor]).generate_stream("hi")

    with anyio.CancelScope() as scope:
        scope.cancel()
        await stream.aclose()

    assert vendor.sources[0].aborted
    [attempt_] = stream.metadata.journal
    assert attempt_.outcome is Outcome.ABANDONED
