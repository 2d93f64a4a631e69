"""Cancels calls within a budget at each of their awaits, in every way that there is."""

import itertools

import anyio
import pytest
from anyio.lowlevel import checkpoint

from fairlead.core.budgets import NOTHING, BudgetLimit, BudgetOptions, Consumption
from fairlead.core.errors import StoreError
from fairlead.core.events import StreamStart, TextDelta
from fairlead.decorators.budget import BudgetProvider
from fairlead.decorators.local_budgets import LocalBudgetStore
from fairlead.decorators.reservations import PATIENCE
from tests.support.logs import ListLog
from tests.support.prices import Priced
from tests.unit.core.fakes import END, Scripted, Source, cancelled_at, ways

pytestmark = pytest.mark.anyio

LIMITS = (BudgetLimit(money=1), BudgetLimit(scope="user", tokens=10_000))
STREAM = [StreamStart()], [TextDelta("h")], [TextDelta("o")], [END]
NOW = 1_700_000_000.0


class Vendor(Priced, Scripted):
    """Answers after a few turns of the loop."""

    def __init__(self):
        super().__init__("", embedding_model="e")
        self.sources = []

    async def _next(self, call):
        self.asked.append(call)
        await checkpoint()
        await checkpoint()
        if call.operation != "generate_stream":
            return "ho"
        self.sources.append(Source(*STREAM))
        return self.sources[-1]


class FarStore(LocalBudgetStore):
    """Keeps what is marked until it is asked next, and suspends wherever it may."""

    lease = 30.0

    def __init__(self):
        super().__init__(wall=lambda: NOW)
        self.marked = {}
        self.renewed = []
        self.written = 0
        self.failing = self.hanging = False

    async def reserve(self, name, claims, most, least):
        await self._write()
        if self.hanging:
            await anyio.sleep_forever()
        granted = await super().reserve(name, claims, most, least)
        await checkpoint()
        return granted

    def mark(self, name, spent):
        self.marked[name] = spent

    async def settle(self):
        if self.marked:
            await self._write()

    async def renew(self, names):
        self.renewed.append(names)
        if self.failing:
            raise StoreError("no")

    async def _write(self):
        await checkpoint()
        if self.failing:
            raise StoreError("no")
        for name, spent in list(self.marked.items()):
            super().mark(name, spent)
            del self.marked[name]
            self.written += 1
        await checkpoint()


async def generate(provider):
    await provider.generate("hi", max_tokens=10)


async def embed_batch(provider):
    await provider.embed_batch(["hi", "ho"])


async def read_stream(provider):
    async for _ in provider.generate_stream("hi", max_tokens=10):
        await checkpoint()


async def enter_stream(provider):
    async with provider.generate_stream("hi", max_tokens=10) as stream:
        await stream.collect()


def budgeted(store, log=None, vendor=None, **options):
    options = BudgetOptions(limits=LIMITS, **options)
    return BudgetProvider(vendor or Vendor(), options=options, store=store, log=log)


def accounts(store):
    return [store._accounts[key].books(NOW) for key in sorted(store._accounts)]


@pytest.mark.parametrize("scenario", [generate, embed_batch, read_stream, enter_stream])
@pytest.mark.parametrize("kind", [LocalBudgetStore, FarStore])
async def test_a_call_cancelled_at_any_await_leaves_nothing_reserved(kind, scenario):
    for how in ways():
        for point in itertools.count():
            store = FarStore() if kind is FarStore else LocalBudgetStore(wall=lambda: NOW)
            vendor = Vendor()
            provider = budgeted(store, vendor=vendor)

            reached = await cancelled_at(lambda it=provider: scenario(it), point, how=how)

            await provider.aclose()
            assert not store._held
            asked = len(vendor.asked)
            for spent, reserved in accounts(store):
                assert reserved == NOTHING
                assert spent.calls == asked
                assert (spent.tokens > 0) == bool(asked)
            await provider.generate("hi", max_tokens=10)
            await provider.aclose()
            if not reached:
                break
        assert point >= 2


async def test_what_a_cancelled_call_has_marked_is_written_without_another_call():
    store = FarStore()
    provider = budgeted(store)

    with anyio.move_on_after(5):
        async with provider.generate_stream("hi", max_tokens=10) as stream:
            await anext(stream)
            stream.cancel()
    await anyio.sleep(0.1)

    assert not store.marked
    assert [reserved for _, reserved in accounts(store)] == [NOTHING, NOTHING]
    await provider.aclose()


async def test_what_is_under_way_is_renewed_until_it_ends():
    store = FarStore()
    provider = budgeted(store)

    stream = await provider.generate_stream("hi", max_tokens=10)
    await anyio.sleep(25)
    assert len(store.renewed) == 2
    [[name]] = set(store.renewed)
    assert name in store._held
    await stream.collect()
    await anyio.sleep(100)

    assert len(store.renewed) == 2
    assert not provider._reservations._keepers.busy
    await provider.aclose()


async def test_one_keeper_is_enough():
    store = FarStore()
    provider = budgeted(store)

    streams = [await provider.generate_stream("hi", max_tokens=10) for _ in range(5)]
    await anyio.sleep(11)

    assert [len(names) for names in store.renewed] == [5]
    for stream in streams:
        await stream.aclose()
    await provider.aclose()


async def test_a_store_that_fails_meanwhile_is_told_of_and_asked_again():
    store, log = FarStore(), ListLog()
    provider = budgeted(store, log)
    stream = await provider.generate_stream("hi", max_tokens=10)

    store.failing = True
    await anyio.sleep(25)
    await stream.collect()

    assert ("error", "the budget store failed") in log.told
    assert len(store.marked) == 1
    store.failing = False
    await provider.aclose()
    assert not store.marked
    assert [reserved for _, reserved in accounts(store)] == [NOTHING, NOTHING]


@pytest.mark.parametrize(("timeout", "waited"), [(None, PATIENCE), (3.0, 3.0)])
async def test_a_store_that_hangs_holds_no_call(timeout, waited):
    store = FarStore()
    store.hanging = True
    vendor = Vendor()
    provider = budgeted(store, vendor=vendor)
    began = anyio.current_time()

    if timeout is None:
        answer = await provider.generate("hi")
        assert "it took too long" in answer.warnings[0]
    else:
        with pytest.raises(Exception, match="no time was left"):
            await provider.generate("hi", timeout=timeout)
        assert vendor.asked == []

    assert anyio.current_time() - began == pytest.approx(waited)
    await provider.aclose()


async def test_ten_thousand_calls_at_once_never_spend_more_than_there_is():
    store = LocalBudgetStore(wall=lambda: NOW)
    limits = (BudgetLimit(money=50), BudgetLimit(scope="user", money=6))
    provider = BudgetProvider(
        Crowd(), options=BudgetOptions(limits=limits, bound="strict"), store=store
    )
    outcomes, most = [], 50 * 10**9

    async def call(number):
        prompt, user = "hi" * (number % 30 + 1), str(number % 10)
        try:
            await anyio.sleep(number % 191)
            await provider.generate(prompt, max_tokens=number % 40 + 1, tags={"user": user})
            outcomes.append("answered")
        except Exception as error:
            outcomes.append(type(error).__name__)
        assert sum(part.money for part in store._accounts["global in all"].books(NOW)) <= most

    async with anyio.create_task_group() as group:
        for number in range(10_000):
            group.start_soon(call, number)

    assert len(outcomes) == 10_000
    for key, budget in store._accounts.items():
        spent, reserved = budget.books(NOW)
        assert reserved == NOTHING
        assert spent.money <= (most if key.startswith("global") else 6 * 10**9)
    spent = store._accounts["global in all"].books(NOW)[0]
    assert spent.money > most * 0.7
    assert outcomes.count("answered") > 3000
    assert outcomes.count("BudgetExceededError") > 1000
    assert outcomes.count("OddError") > 100
    # The books of all are those of each, to the billionth of a dollar.
    each = [budget for key, budget in store._accounts.items() if key.startswith("user")]
    assert sum(budget.books(NOW)[0].money for budget in each) == spent.money


class Crowd(Vendor):
    """Takes a while that differs from call to call; some fail, and some are cut."""

    async def _next(self, call):
        number = len(self.asked)
        self.asked.append(call)
        await anyio.sleep(number * 7919 % 100 / 10)
        if number % 9 == 0:
            raise OddError
        return "ho"


class OddError(RuntimeError):
    pass


def test_spending_adds_up():
    assert Consumption(1, 2, 3).plus(Consumption(1, 1, 1)) == Consumption(2, 3, 4)
