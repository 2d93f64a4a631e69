"""Those who ask the same at the same time share one answer."""

import asyncio
import gc
import weakref

import anyio
import pytest
from anyio.lowlevel import checkpoint

from fairlead.adapters.stores.memory import MemoryCache
from fairlead.core.errors import (
    ProviderConnectionError,
    ProviderTimeoutError,
    ResponseTooLargeError,
    ServerError,
    StreamInterruptedError,
)
from fairlead.core.events import StreamEnd, StreamStart, TextDelta
from fairlead.core.journal import Outcome
from fairlead.core.refusals import CircuitOpenError
from fairlead.decorators.cache import CacheProvider
from fairlead.decorators.deadline import DeadlineProvider
from tests.unit.core.fakes import END, WAIT, Scripted, Source, cancelled_at, ways, without_gc, words

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


class Vendor(Scripted):
    """Takes as long as a test says; counts who is still asked, and keeps its streams."""

    def __init__(self, *script, seconds=1.0):
        super().__init__(*(script or ("ho",)), seconds=seconds, embedding_model="e")
        self.running = 0
        self.sources = []

    async def _next(self, call):
        self.running += 1
        try:
            step = await super()._next(call)
        finally:
            self.running -= 1
        if call.operation == "generate_stream":
            step = words(step) if isinstance(step, str) else step
            self.sources.append(step)
        return step

    @property
    def idle(self):
        """Whether all that was begun has ended."""
        return not self.running and all(source.log for source in self.sources)


class Slow(Source):
    """Suspends for a second before each step."""

    async def read(self):
        await anyio.sleep(1)
        return await super().read()


def slowly(*texts):
    return Slow(*([TextDelta(text)] for text in texts), [END])


OPERATIONS = {
    "generate": lambda p, **options: p.generate("hi", temperature=0, **options),
    "stream": lambda p, **options: p.generate_stream("hi", temperature=0, **options).collect(),
    "embed": lambda p, **options: p.embed("hi", **options),
    "embed_batch": lambda p, **options: p.embed_batch(["hi", "ho"], **options),
}
each_operation = pytest.mark.parametrize("ask", OPERATIONS.values(), ids=OPERATIONS)


async def together(ask, provider, count, **options):
    answers = [None] * count

    async def one(number):
        try:
            answers[number] = await ask(provider, **options)
        except Exception as error:
            answers[number] = error

    async with anyio.create_task_group() as group:
        for number in range(count):
            group.start_soon(one, number)
    return answers


def outcomes(answer):
    journal = answer.journal if isinstance(answer, Exception) else answer.metadata.journal
    return [entry.outcome for entry in journal]


def flying(provider):
    return len(provider._flights)


@each_operation
async def test_all_who_ask_at_once_share_one_answer(ask):
    vendor = Vendor()
    provider = CacheProvider(vendor)

    answers = await together(ask, provider, 5)

    assert len(vendor.asked) == 1
    assert all(answer == answers[0] for answer in answers)
    assert sorted(map(outcomes, answers)) == [[Outcome.HIT]] * 4 + [[Outcome.SUCCEEDED]]
    assert sorted(answer.metadata.cached for answer in answers) == [False] + [True] * 4
    assert len({entry.id for answer in answers for entry in answer.metadata.journal} - {""}) == 5
    hits = [answer for answer in answers if answer.metadata.cached]
    assert all(answer.metadata.cost.amount == 0 for answer in hits)
    assert all(it.metadata.usage == answers[0].metadata.usage for it in hits)
    assert flying(provider) == 0
    await provider.aclose()


async def test_a_thousand_identical_streams_are_one_upstream():
    vendor = Vendor(lambda: slowly("a", "b", "c"))
    provider = CacheProvider(vendor)

    answers = await together(OPERATIONS["stream"], provider, 1000)

    assert answers == ["abc"] * 1000
    assert len(vendor.asked) == 1
    assert sum(answer.metadata.cached for answer in answers) == 999
    assert len({answer.metadata.request_id for answer in answers}) == 1000


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 2},
        {"tags": {"user": "other"}},
        {"model": "other"},
        {"cache": False},
        {"cache": "refresh"},
    ],
    ids=str,
)
async def test_who_asks_otherwise_is_asked_for_alone(other):
    vendor = Vendor()
    provider = CacheProvider(vendor)

    async with anyio.create_task_group() as group:
        group.start_soon(OPERATIONS["generate"], provider)

        async def ask():
            await provider.generate("hi", temperature=0, **other)

        group.start_soon(ask)

    assert len(vendor.asked) == 2


async def test_only_the_same_operation_is_shared():
    vendor = Vendor()
    provider = CacheProvider(vendor)

    async with anyio.create_task_group() as group:
        group.start_soon(OPERATIONS["generate"], provider)
        group.start_soon(OPERATIONS["stream"], provider)

    assert len(vendor.asked) == 2


async def test_it_can_be_left_out():
    vendor = Vendor()

    await together(OPERATIONS["generate"], CacheProvider(vendor, single_flight=False), 3)

    assert len(vendor.asked) == 3


async def test_what_is_not_deterministic_is_not_shared():
    vendor = Vendor()

    await together(lambda p: p.generate("hi", temperature=1), CacheProvider(vendor), 3)

    assert len(vendor.asked) == 3


async def test_together_says_who_may_share():
    vendor = Vendor()
    provider = CacheProvider(vendor, together=lambda call: call.options.tags.get("team"))

    async with anyio.create_task_group() as group:
        for tags in ({"team": "a", "user": "1"}, {"team": "a", "user": "2"}, {"team": "b"}):
            group.start_soon(lambda tags=tags: OPERATIONS["generate"](provider, tags=tags))

    assert len(vendor.asked) == 2


async def test_a_late_one_gets_the_beginning():
    vendor = Vendor(lambda: slowly("a", "b", "c"), seconds=0)
    provider = CacheProvider(vendor)
    first = await provider.generate_stream("hi", temperature=0)
    assert await anext(first) == "a"
    assert await anext(first) == "b"

    second = await provider.generate_stream("hi", temperature=0)
    assert [word async for word in second] == ["a", "b", "c"]
    assert [word async for word in first] == ["c"]
    assert len(vendor.asked) == 1


async def test_a_slow_reader_holds_back_nobody():
    vendor = Vendor(lambda: slowly("a", "b", "c"), seconds=0)
    provider = CacheProvider(vendor)
    slow = await provider.generate_stream("hi", temperature=0)
    quick = await provider.generate_stream("hi", temperature=0)

    assert await quick.collect() == "abc"
    assert vendor.sources[0].log
    assert await slow.collect() == "abc"


@each_operation
async def test_an_error_is_copied_for_each(ask):
    vendor = Vendor(lambda: ServerError("oops", status_code=500))
    provider = CacheProvider(vendor)

    errors = await together(ask, provider, 3)

    assert len(vendor.asked) == 1
    assert [type(error) for error in errors] == [ServerError] * 3
    assert len({id(error) for error in errors}) == 3
    assert len({id(error.journal) for error in errors}) == 3
    assert sorted(map(outcomes, errors)) == [[Outcome.FAILED], [Outcome.NOTED], [Outcome.NOTED]]
    assert all(error.status_code == 500 for error in errors)
    assert flying(provider) == 0


async def test_a_stream_that_breaks_breaks_for_each():
    vendor = Vendor(lambda: Source([TextDelta("a")], ServerError("oops")), seconds=0)
    provider = CacheProvider(vendor)

    errors = await together(OPERATIONS["stream"], provider, 3)

    assert [type(error) for error in errors] == [StreamInterruptedError] * 3
    assert [error.message for error in errors] == ["the stream was interrupted: oops"] * 3
    assert [error.partial for error in errors] == ["a"] * 3
    assert sum(Outcome.INTERRUPTED in outcomes(error) for error in errors) == 1


@each_operation
async def test_a_refusal_of_ours_is_the_first_ones_alone(ask):
    vendor = Vendor(lambda: CircuitOpenError("no"), "ho")
    provider = CacheProvider(vendor)

    answers = await together(ask, provider, 4)

    assert len(vendor.asked) == 2
    assert [type(answer) for answer in answers].count(CircuitOpenError) == 1
    rest = [answer for answer in answers if not isinstance(answer, CircuitOpenError)]
    assert sorted(map(outcomes, rest)) == [[Outcome.HIT], [Outcome.HIT], [Outcome.SUCCEEDED]]


async def test_a_mistake_of_somebodys_is_told_to_all():
    vendor = Vendor(lambda: TypeError("a bug"))

    errors = await together(OPERATIONS["generate"], CacheProvider(vendor), 2)

    assert [str(error) for error in errors] == ["a bug"] * 2


async def test_the_oldest_who_is_still_there_pays():
    vendor = Vendor(seconds=10)
    provider = CacheProvider(vendor)
    told = {}

    async def ask(name):
        told[name] = await OPERATIONS["generate"](provider)

    async with anyio.create_task_group() as group:
        with anyio.move_on_after(5):
            async with anyio.create_task_group() as leaving:
                leaving.start_soon(OPERATIONS["generate"], provider)
                await anyio.sleep(1)
                group.start_soon(ask, "second")
                await anyio.sleep(1)
                group.start_soon(ask, "third")

    assert outcomes(told["second"]) == [Outcome.SUCCEEDED]
    assert outcomes(told["third"]) == [Outcome.HIT]
    assert len(vendor.asked) == 1


# Time.


async def test_who_has_less_time_leaves_and_the_others_go_on():
    vendor = Vendor(seconds=10)
    provider = DeadlineProvider(CacheProvider(vendor))
    began, told = anyio.current_time(), {}

    async def ask(timeout):
        try:
            told[timeout] = await provider.generate("hi", temperature=0, timeout=timeout)
        except Exception as error:
            told[timeout] = error
            assert anyio.current_time() - began == pytest.approx(timeout)

    async with anyio.create_task_group() as group:
        for timeout in (3, 20, 5):
            group.start_soon(ask, timeout)

    assert told[20] == "ho"
    assert {type(told[3]).__name__, type(told[5]).__name__} == {"DeadlineExceededError"}
    assert len(vendor.asked) == 1


async def test_a_flight_has_the_time_of_whoever_has_most():
    vendor = Vendor(seconds=10)
    provider = CacheProvider(vendor)
    errors = await together(OPERATIONS["generate"], provider, 2, timeout=4)

    assert [type(error) for error in errors] == [ProviderTimeoutError] * 2
    assert anyio.current_time() >= 4
    assert sorted(map(outcomes, errors)) == [[Outcome.FAILED], [Outcome.NOTED]]


async def test_who_comes_later_may_bring_more_time():
    provider = CacheProvider(Vendor())
    call = None

    class Asked(Vendor):
        async def _next(self, own):
            nonlocal call
            call = own
            return await super()._next(own)

    provider = CacheProvider(Asked(seconds=3))
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: provider.generate("hi", temperature=0, timeout=5))
        await anyio.sleep(1)
        assert call.deadline.remaining() == pytest.approx(4)
        group.start_soon(lambda: provider.generate("hi", temperature=0, timeout=50))
        await anyio.sleep(1)
        assert call.deadline.remaining() == pytest.approx(49)
        group.start_soon(lambda: provider.generate("hi", temperature=0))
        await anyio.sleep(0.5)
        assert call.deadline.remaining() is None


# Leaving.


async def settled():
    for _ in range(5):
        await checkpoint()


@each_operation
async def test_when_the_last_one_leaves_it_is_cancelled(ask):
    vendor = Vendor(seconds=60)
    provider = CacheProvider(vendor)

    with anyio.move_on_after(1):
        await together(ask, provider, 3)
    await settled()

    assert vendor.idle
    assert flying(provider) == 0
    assert not provider._host._tasks


async def test_what_it_did_stands_in_the_journal_of_the_last_one():
    vendor = Vendor(lambda: Source([TextDelta("a")], WAIT), seconds=0)
    provider = CacheProvider(vendor)
    first = await provider.generate_stream("hi", temperature=0)
    second = await provider.generate_stream("hi", temperature=0)
    seen = []
    second.on_close(lambda outcome: seen.append(list(outcome.generation.attempts)))

    first.cancel()
    assert not vendor.idle
    second.cancel()

    assert vendor.idle
    assert [entry.outcome for entry in seen[0]] == [Outcome.ABANDONED]
    assert not first.generation.attempts
    await settled()
    assert not provider._host._tasks


async def test_a_stream_that_is_dropped_leaves():
    vendor = Vendor(lambda: Source([TextDelta("a")], WAIT), seconds=0)
    provider = CacheProvider(vendor)
    with without_gc():
        stream = await provider.generate_stream("hi", temperature=0)
        assert await anext(stream) == "a"
        del stream
        assert vendor.idle
    await settled()
    assert flying(provider) == 0


async def test_a_reader_that_waits_can_be_cancelled_from_elsewhere():
    vendor = Vendor(lambda: Source([TextDelta("a")], WAIT), seconds=0)
    stream = await CacheProvider(vendor).generate_stream("hi", temperature=0)

    async def read():
        assert [word async for word in stream] == ["a"]

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await settled()
        stream.cancel()
    assert vendor.idle


@each_operation
async def test_closing_ends_what_runs(ask):
    vendor = Vendor(seconds=60)
    provider = CacheProvider(vendor)
    errors = []

    async def one():
        errors.extend(await together(ask, provider, 2))

    async with anyio.create_task_group() as group:
        group.start_soon(one)
        await anyio.sleep(1)
        await provider.aclose()

    assert [type(error) for error in errors] == [ProviderConnectionError] * 2
    assert vendor.idle
    assert vendor.closed == 1


@each_operation
@pytest.mark.parametrize("others", [0, 2])
async def test_it_is_cancelled_at_every_await(ask, others):
    for how in ways():
        for point in range(100):
            vendor = Vendor("ho", seconds=0)
            provider = CacheProvider(vendor, store=MemoryCache())
            answers = []

            async def other(provider=provider, answers=answers):
                answers.append(await ask(provider))

            async with anyio.create_task_group() as group:
                for _ in range(others):
                    group.start_soon(other)
                came = await cancelled_at(lambda: ask(provider), point, how=how)  # noqa: B023
            await settled()
            assert vendor.idle
            assert flying(provider) == 0
            assert not provider._host._tasks
            assert len(answers) == others
            assert len(vendor.asked) <= 2
            await provider.aclose()
            if not came:
                break
        assert 0 < point < 99


@each_operation
async def test_it_is_cancelled_at_every_turn_of_the_loop(ask):
    for how in ways():
        for turns in range(12):
            vendor = Vendor(lambda: words("a", "b", "c"), seconds=0)
            if ask is not OPERATIONS["stream"]:
                vendor = Vendor("ho", seconds=0)
            provider = CacheProvider(vendor, store=MemoryCache())
            await _cancelled_after(turns, lambda: ask(provider), how)  # noqa: B023
            await settled()
            assert vendor.idle
            assert flying(provider) == 0
            assert not provider._host._tasks
            assert await ask(provider)


async def _cancelled_after(turns, function, how):
    if how == "scope":
        async with anyio.create_task_group() as group:
            group.start_soon(function)
            for _ in range(turns):
                await checkpoint()
            group.cancel_scope.cancel()
        return
    task = asyncio.get_running_loop().create_task(function())
    for _ in range(turns):
        await checkpoint()
    for _ in range(1 if how == "once" else 2):
        task.cancel()
        await checkpoint()
    await asyncio.wait([task])


async def test_an_answer_without_end_is_not_held():
    many = [[TextDelta("x" * 10_000)] for _ in range(100)]
    vendor = Vendor(lambda: Source(*many, [END]), seconds=0)
    provider = CacheProvider(vendor)
    provider._flights.max_bytes = 500_000

    with pytest.raises(StreamInterruptedError) as raised:
        await OPERATIONS["stream"](provider)

    assert isinstance(raised.value.__cause__, ResponseTooLargeError)
    assert vendor.sources[0].aborted


async def test_events_are_those_of_the_original():
    events = [StreamStart("id", "m-1"), TextDelta("a"), TextDelta("b"), END]
    vendor = Vendor(lambda: Source(*[[event] for event in events]), seconds=0)
    provider = CacheProvider(vendor)
    first = await provider.generate_stream("hi", temperature=0)
    second = await provider.generate_stream("hi", temperature=0)

    assert [event async for event in first.events()] == events
    *told, end = [event async for event in second.events()]
    assert told == events[:-1]
    assert isinstance(end, StreamEnd)
    assert end.usage == END.usage


async def test_nothing_is_kept_of_a_flight_that_has_ended():
    vendor = Vendor(lambda: ServerError("oops"), "ho")
    provider = CacheProvider(vendor)
    with without_gc():
        (error,) = await together(OPERATIONS["generate"], provider, 1)
        gone = weakref.ref(error)
        del error
        await settled()
        assert gone() is None or gc.collect() is not None


def test_a_loop_that_was_closed_leaves_nothing_behind():
    provider = CacheProvider(Vendor(seconds=1e6))

    async def left():
        asyncio.get_running_loop().create_task(provider.generate("hi", temperature=0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    for _ in range(2):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(left())
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False
        loop.close()
    assert len(provider._flights._by_home) == 1
