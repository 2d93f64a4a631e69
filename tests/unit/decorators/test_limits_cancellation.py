"""Cancels calls of a limiter at each of their awaits, in every way that there is."""

import gc
import itertools

import anyio
import pytest
from anyio.lowlevel import checkpoint

from fairlead.core.events import StreamStart, TextDelta
from fairlead.core.rates import Amount
from fairlead.core.refusals import RateLimitExceededError
from fairlead.decorators.buckets import LocalRateStore
from fairlead.decorators.lane import LimitOptions
from fairlead.decorators.limits import LimitProvider
from tests.unit.core.fakes import END, Scripted, Source, cancelled_at, ways

OPTIONS = LimitOptions(
    requests_per_minute=60, requests_burst=1, tokens_per_minute=6000, max_running=1
)
STREAM = [StreamStart()], [TextDelta("h")], [TextDelta("o")], [END]


class Vendor(Scripted):
    """Answers after a few turns of the loop."""

    def __init__(self):
        super().__init__("", embedding_model="e")
        self.sources = []
        self.running = 0

    async def _next(self, call):
        self.asked.append(call)
        self.running += 1
        try:
            await checkpoint()
            await checkpoint()
        finally:
            self.running -= 1
        if call.operation != "generate_stream":
            return "ho"
        self.sources.append(Source(*STREAM))
        return self.sources[-1]


class FarStore(LocalRateStore):
    """Suspends before and after it takes, and gives back what a cancelled call has taken."""

    async def reserve(self, key, rates, need, now):
        await checkpoint()
        wait = self.take(key, rates, need, now)
        try:
            await checkpoint()
        except BaseException:
            if wait == 0.0:
                self.settle(key, need, Amount(0, 0), now)
            raise
        return wait


class Remote:
    """Hides that it is a local one."""

    def __init__(self):
        self.store = FarStore()
        self.reserve = self.store.reserve
        self.peek = self.store.peek
        self.settle = self.store.settle
        self.observe = self.store.observe


STORES = {"near": LocalRateStore, "far": Remote}


def limited(kind):
    store = STORES[kind]()
    provider = LimitProvider(Vendor(), options=OPTIONS, store=store)
    return provider, getattr(store, "store", store)


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


SCENARIOS = [generate, embed_batch, read_stream, enter_stream]


def check(provider, store):
    """Nobody waits, nothing runs, and nothing is reserved."""
    assert provider.inner.running == 0
    assert all(source.aborted or not source.reads for source in provider.inner.sources)
    for lane in provider._lanes.values():
        assert (lane.line.running, len(lane.line), lane.line.needed) == (0, 0, Amount(0, 0))
    for account in store._accounts.values():
        assert (account.requests.pending, account.tokens.pending) == (0, 0)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_call_cancelled_at_any_await_holds_nothing(kind, scenario):
    for how in ways():
        for point in itertools.count():
            provider, store = limited(kind)

            reached = await cancelled_at(lambda it=provider: scenario(it), point, how=how)

            check(provider, store)
            assert await provider.generate("hi") == "ho"
            if not reached:
                break
        assert point >= 2


@pytest.mark.anyio
@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
async def test_one_that_waits_and_is_cancelled_at_any_await_changes_nothing_for_the_others(
    kind, place
):
    index = ("first", "middle", "last").index(place)
    for how in ways():
        for point in itertools.count():
            provider, store = limited(kind)
            order, ended = [], []

            async def call(name, *, it=provider, order=order, ended=ended):
                order.append(name)
                await it.generate("hi", seed=name)
                ended.append(name)

            reached = None

            async def victim(name, *, call=call, point=point, how=how):
                nonlocal reached
                reached = await cancelled_at(lambda: call(name), point, how=how)

            await provider.generate("hi")
            async with anyio.create_task_group() as group:
                for name in range(3):
                    group.start_soon(victim if name == index else call, name)
                    await anyio.wait_all_tasks_blocked()
            others = [name for name in order if name != index]

            check(provider, store)
            assert [name for name in ended if name != index] == others
            seeds = [request.seed for request in provider.inner.requests[1:]]
            assert seeds == sorted(seeds)
            assert [seed for seed in seeds if seed != index] == others
            if not reached:
                assert ended == order
                break
        assert point >= 3


@pytest.mark.anyio
async def test_one_that_waits_and_is_cancelled_consumes_nothing():
    for how in ways():
        provider, store = limited("near")
        await provider.generate("hi")
        account = store._accounts["scripted:m"]
        before = account.requests.bucket._full_at, account.tokens.bucket._full_at

        assert await cancelled_at(lambda it=provider: it.generate("hi"), 0, how=how)

        after = account.requests.bucket._full_at, account.tokens.bucket._full_at
        assert before == after
        assert len(provider.inner.asked) == 1


@pytest.mark.anyio
async def test_the_next_one_is_not_delayed_by_the_first_that_leaves():
    provider, _ = limited("near")
    await provider.generate("hi")
    began = anyio.current_time()
    ended = []
    async with anyio.create_task_group() as group:
        leaving = anyio.CancelScope()

        async def leave():
            with leaving:
                await provider.generate("hi")

        async def stay():
            await provider.generate("hi")
            ended.append(anyio.current_time() - began)

        group.start_soon(leave)
        await anyio.wait_all_tasks_blocked()
        group.start_soon(stay)
        await anyio.sleep(0.5)
        leaving.cancel()

    assert ended == [pytest.approx(1.0)]


@pytest.mark.anyio
async def test_cancelled_just_as_it_is_its_turn_it_hands_the_turn_on():
    provider, store = limited("near")
    stream = await provider.generate_stream("hi")
    await anyio.sleep(5)
    ended = []
    async with anyio.create_task_group() as group:
        leaving = anyio.CancelScope()

        async def leave():
            with leaving:
                await provider.generate("hi")
                ended.append("left")

        async def stay():
            await provider.generate("hi")
            ended.append("stayed")

        group.start_soon(leave)
        await anyio.wait_all_tasks_blocked()
        group.start_soon(stay)
        await anyio.wait_all_tasks_blocked()
        # In one turn of the loop the place becomes free, and whoever is next leaves.
        stream.cancel()
        leaving.cancel()

    assert ended == ["stayed"]
    check(provider, store)


@pytest.mark.anyio
async def test_a_stream_that_is_forgotten_gives_its_place_back():
    provider, store = limited("near")
    stream = await provider.generate_stream("hi")
    assert provider._lanes["m"].line.running == 1

    del stream
    gc.collect()

    check(provider, store)


@pytest.mark.anyio
async def test_those_who_wait_for_nothing_leave_no_trace():
    provider, store = limited("near")
    await provider.generate("hi")

    with pytest.raises(RateLimitExceededError):
        await provider.generate("hi", timeout=0.5)

    check(provider, store)
