"""Cancels every policy at each of its awaits, in every way that there is."""

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from fairlead.core.errors import OverloadedError, ServerError
from fairlead.core.events import StreamStart, TextDelta
from fairlead.core.journal import Outcome
from fairlead.core.limits import TimeLimits
from fairlead.decorators._base import Decorator
from fairlead.decorators.attempt import AttemptTimeoutProvider
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.circuit import State
from fairlead.decorators.deadline import DeadlineProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.orders import Fastest
from fairlead.decorators.retry import RetryProvider
from fairlead.decorators.router import RouterProvider
from tests.unit.core.fakes import END, Scripted, Source, cancelled_at, ways


class Slow(Source):
    """Suspends before and after each step."""

    async def read(self):
        await checkpoint()
        batch = await super().read()
        await checkpoint()
        return batch


class Vendor(Scripted):
    """Fails once, then answers; counts what it has not been told to let go of."""

    def __init__(self, name="vendor", *, fails=True):
        super().__init__("", name=name, embedding_model="e")
        self.sources = []
        self.failing = fails
        self.running = 0

    async def _next(self, call):
        self.asked.append(call)
        self.running += 1
        try:
            await checkpoint()
            await checkpoint()
        finally:
            self.running -= 1
        if self.failing:
            self.failing = False
            raise ServerError("oops")
        if call.operation == "generate_stream":
            batches = [StreamStart()], [TextDelta("h")], [TextDelta("o")], [END]
            self.sources.append(Slow(*batches))
            return self.sources[-1]
        return "ho"


@dataclass
class Stack:
    """Something to call, and what it is made of."""

    provider: Any
    vendors: list[Vendor]
    breakers: list[CircuitBreakerProvider] = field(default_factory=list)
    calls: list[Any] = field(default_factory=list)

    @property
    def journals(self):
        return [call.journal for vendor in self.vendors for call in vendor.asked]


def half_open(inner):
    """A breaker whose next call is a probe."""
    breaker = CircuitBreakerProvider(inner)
    for model in ("m", "e"):
        it = breaker.breaker(model)
        for _ in range(5):
            it.record(it.acquire(-100.0), failed=True, now=-100.0)
    return breaker


def plain():
    vendor = Vendor(fails=False)
    return Stack(Decorator(vendor), [vendor])


def retry():
    vendor = Vendor()
    return Stack(RetryProvider(vendor, random=lambda: 0.0), [vendor])


def breaker():
    vendor = Vendor(fails=False)
    guarded = half_open(vendor)
    return Stack(guarded, [vendor], [guarded])


def attempt():
    vendor = Vendor(fails=False)
    limits = TimeLimits(first_content=1e6, total=1e6)
    return Stack(AttemptTimeoutProvider(vendor, limits=limits), [vendor])


def deadline():
    vendor = Vendor(fails=False)
    return Stack(DeadlineProvider(vendor), [vendor])


def fallback():
    first, second = Vendor("first"), Vendor("second", fails=False)
    return Stack(FallbackProvider([first, second]), [first, second])


def router():
    first, second = Vendor("first"), Vendor("second", fails=False)
    return Stack(RouterProvider([first, second], order=Fastest()), [first, second])


def everything():
    vendors, breakers, targets = [Vendor("a"), Vendor("b", fails=False)], [], []
    for vendor in vendors:
        breakers.append(half_open(AttemptTimeoutProvider(vendor)))
        targets.append(RetryProvider(breakers[-1], max_retries=1, random=lambda: 0.0))
    return Stack(DeadlineProvider(FallbackProvider(targets)), vendors, breakers)


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


STACKS = [plain, retry, breaker, attempt, deadline, fallback, router, everything]
SCENARIOS = [generate, embed_batch, read_stream, enter_stream]


async def check(stack):
    """Nothing is held, the journal tells what happened, and the next call is answered."""
    for vendor in stack.vendors:
        assert vendor.running == 0
        assert all(source.aborted or not source.reads for source in vendor.sources)
    for guarded in stack.breakers:
        assert not any(guarded.breaker(model)._probes for model in ("m", "e"))
    for vendor in stack.vendors:
        for call in vendor.asked:
            told = [it for it in call.journal if it.sent and it.provider == vendor.name]
            asked = [it for it in vendor.asked if it.journal is call.journal]
            assert len(told) == len(asked), call.journal
    for vendor in stack.vendors:
        vendor.failing = False
    for guarded in stack.breakers:
        for model in ("m", "e"):
            guarded.breaker(model).close()
    assert await stack.provider.generate("hi") == "ho"


@pytest.mark.anyio
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("make", STACKS)
async def test_a_call_cancelled_at_any_await_leaves_nothing_behind(make, scenario):
    for how in ways():
        for point in itertools.count():
            stack = make()

            reached = await cancelled_at(lambda it=stack: scenario(it.provider), point, how=how)

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
        vendor.failing = False
        vendor._next = _raising(Stop, vendor)

    with pytest.raises(Stop):
        await stack.provider.generate("hi")

    [call] = [call for vendor in stack.vendors for call in vendor.asked]
    assert [it.outcome for it in call.journal] == [Outcome.ABANDONED]
    assert all(not guarded.breaker()._probes for guarded in stack.breakers)
    assert all(guarded.breaker().state is not State.CLOSED for guarded in stack.breakers)


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
    vendor = Vendor(fails=False)
    stream = await FallbackProvider([vendor]).generate_stream("hi")

    with anyio.CancelScope() as scope:
        scope.cancel()
        await stream.aclose()

    assert vendor.sources[0].aborted
    [attempt_] = stream.metadata.journal
    assert attempt_.outcome is Outcome.ABANDONED
