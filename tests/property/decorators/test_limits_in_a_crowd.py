"""Many callers at once: the order, the rate and the cost of waking are held to an oracle's."""

import random
from collections import Counter
from functools import partial

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.core.errors import ProviderError, ProviderTimeoutError, RateLimitError
from fairlead.core.rates import Amount
from fairlead.core.refusals import RateLimitExceededError
from fairlead.decorators.buckets import LocalRateStore
from fairlead.decorators.lane import LimitOptions
from fairlead.decorators.limits import LimitProvider
from fairlead.decorators.line import Line, Ticket
from fairlead.testing.virtual_time import VirtualTimeLoop
from tests.unit.core.fakes import Scripted, words

CALLERS = 1000


class Crowded(Scripted):
    """Takes a while that differs from call to call, and remembers when it was asked."""

    def __init__(self, seed=0, *, fails=0.0):
        super().__init__("ho")
        self.random = random.Random(seed)
        self.fails = fails
        self.begun = []
        self.running = self.most = 0

    async def _next(self, call):
        self.begun.append((anyio.current_time(), call.generation.seed))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await anyio.sleep(self.random.uniform(0.1, 3))
        finally:
            self.running -= 1
        if self.random.random() < self.fails:
            raise RateLimitError("slow down", retry_after=2.0, sent=True)
        return words("ho") if call.operation == "generate_stream" else "ho"


class CountingStore(LocalRateStore):
    """Counts how often it is asked."""

    def __init__(self):
        super().__init__()
        self.asked = 0

    def take(self, *args):
        self.asked += 1
        return super().take(*args)


def in_no_window_more(begun, rate, burst):
    """Whether no run of calls is denser than *rate* and *burst* allow."""
    times = [at for at, _ in begun]
    return all(
        index - first <= burst + rate * (times[index] - times[first]) - 1 + 1e-4
        for first in range(0, len(times), 7)
        for index in range(first, len(times))
    )


@pytest.mark.anyio
async def test_a_thousand_callers_are_served_in_order_at_the_rate():
    store = CountingStore()
    vendor = Crowded()
    options = LimitOptions(
        requests_per_minute=600, requests_burst=20, max_running=25, max_queued=CALLERS
    )
    provider = LimitProvider(vendor, options=options, store=store)
    looked = Counter()
    look = provider._look

    async def counting(call, lane, ticket):
        looked[ticket] += 1
        return await look(call, lane, ticket)

    provider._look = counting
    async with anyio.create_task_group() as group:
        for index in range(CALLERS):
            group.start_soon(partial(provider.generate, "hi", seed=index))
            if index < CALLERS - 1:
                await anyio.lowlevel.checkpoint()

    served = [seed for _, seed in vendor.begun]
    assert served == sorted(served)
    assert len(served) == CALLERS
    assert vendor.most <= 25
    assert in_no_window_more(vendor.begun, 10, 20)
    duration = vendor.begun[-1][0] - vendor.begun[0][0]
    assert (CALLERS - 20) / 10 - 0.01 <= duration < (CALLERS - 20) / 10 * 1.7
    # Once when it comes, once when it is first, and for each call that ends while it is.
    assert looked.total() <= 5 * CALLERS
    assert store.asked <= 4 * CALLERS


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(3))
async def test_a_crowd_of_which_some_leave_and_some_are_refused(seed):
    chance = random.Random(seed)
    vendor = Crowded(seed, fails=0.02)
    options = LimitOptions(
        requests_per_minute=1200,
        tokens_per_minute=60_000,
        max_running=40,
        max_queued=600,
        adaptive=seed == 2,
    )
    provider = LimitProvider(vendor, options=options)
    ended = Counter()

    async def caller(index):
        await anyio.sleep(chance.uniform(0, 20))
        patience = chance.choice([None, None, 5, 60])
        with anyio.move_on_after(chance.uniform(0, 90) if chance.random() < 0.3 else None) as scope:
            try:
                if chance.random() < 0.5:
                    await provider.generate("hi", seed=index, timeout=patience, max_tokens=500)
                else:
                    async with provider.generate_stream("hi", seed=index, timeout=patience) as it:
                        async for _ in it:
                            await anyio.sleep(chance.uniform(0, 2))
                            if chance.random() < 0.2:
                                break
                ended["answered"] += 1
            except RateLimitExceededError:
                ended["refused"] += 1
            except ProviderError:
                ended["failed"] += 1
        if scope.cancelled_caught:
            ended["left"] += 1

    async with anyio.create_task_group() as group:
        for index in range(CALLERS):
            group.start_soon(caller, index)

    assert ended.total() == CALLERS
    assert min(ended.values()) > 0
    assert vendor.most <= 40
    assert in_no_window_more(vendor.begun, 20, 1200)
    [lane] = provider._lanes.values()
    assert (lane.line.running, len(lane.line), lane.line.needed) == (0, 0, Amount(0, 0))
    [account] = provider._store._accounts.values()
    assert (account.requests.pending, account.tokens.pending) == (0, 0)
    await provider.generate("hi")


PLANS = st.lists(
    st.tuples(
        st.floats(0, 4),
        st.sampled_from([None, None, 0.5, 3, 8]),
        st.integers(1, 400),
        st.sampled_from([None, None, 4.0]),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60)
@given(plans=PLANS, running=st.integers(1, 4), burst=st.integers(1, 5))
def test_whoever_leaves_nobody_overtakes_and_nothing_is_lost(plans, running, burst):
    vendor = Crowded(len(plans))
    options = LimitOptions(
        requests_per_minute=60,
        requests_burst=burst,
        tokens_per_minute=3000,
        max_running=running,
    )
    provider = LimitProvider(vendor, options=options)
    came, gone = [], set()

    async def caller(index, leaves, most, patience):
        came.append(index)
        with anyio.move_on_after(leaves) as scope:
            try:
                await provider.generate("hi", seed=index, max_tokens=most, timeout=patience)
            except RateLimitExceededError:
                gone.add(index)
            except ProviderTimeoutError:
                pass  # it was its turn, and then the vendor took too long
        if scope.cancelled_caught:
            gone.add(index)

    async def everybody():
        async with anyio.create_task_group() as group:
            for index, (pause, leaves, most, patience) in enumerate(plans):
                group.start_soon(caller, index, leaves, most, patience)
                await anyio.sleep(pause)

    anyio.run(everybody, backend_options={"loop_factory": VirtualTimeLoop})

    served = [seed for _, seed in vendor.begun]
    assert served == [index for index in came if index in set(served)]
    assert set(came) == set(served) | gone
    assert vendor.most <= running
    assert in_no_window_more(vendor.begun, 1, burst)
    [lane] = provider._lanes.values()
    assert (lane.line.running, len(lane.line), lane.line.needed) == (0, 0, Amount(0, 0))
    [account] = provider._store._accounts.values()
    assert (account.requests.pending, account.tokens.pending) == (0, 0)


@given(
    steps=st.lists(st.one_of(st.just("join"), st.just("start"), st.integers(0, 20)), max_size=80)
)
def test_a_line_is_a_queue_that_any_may_leave(steps):
    line = Line(None, 10)
    queue = []
    for step in steps:
        first = queue[0] if queue else None
        for ticket in queue:
            ticket.woken = False
        if step == "join":
            ticket = Ticket(Amount(1, 5), len(queue))
            assert line.join(ticket) == (len(queue) < 10)
            queue += [ticket] if len(queue) < 10 else []
        elif step == "start" and queue:
            line.start(queue.pop(0))
        elif isinstance(step, int) and step < len(queue):
            line.leave(queue.pop(step))
        assert line.needed == Amount(len(queue), sum(ticket.certain for ticket in queue))
        assert len(line) == len(queue)
        assert not queue or line.is_first(queue[0])
        new_first = bool(queue) and queue[0] is not first and step != "join"
        assert [ticket for ticket in queue if ticket.woken] == (queue[:1] if new_first else [])
