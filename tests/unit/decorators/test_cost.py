import gc
import logging
from dataclasses import replace
from decimal import Decimal

import anyio
import pytest
from anyio.lowlevel import checkpoint

from fairlead import Booking, CostTrackingProvider, HedgeOptions, HedgeProvider, MemoryLedger, Usage
from fairlead.core.errors import (
    ConfigurationError,
    OverloadedError,
    ProviderTimeoutError,
    StoreError,
    StreamInterruptedError,
)
from fairlead.core.events import StreamEnd, TextDelta
from fairlead.core.journal import Attempt, Outcome
from fairlead.core.results import FinishReason
from fairlead.core.usage import Cost
from fairlead.decorators._base import Decorator
from fairlead.decorators.backoff import Backoff
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.logging import LoggingProvider
from fairlead.decorators.retry import RetryProvider
from fairlead.decorators.split import SplitProvider
from fairlead.testing import Pause, ScriptedProvider
from tests.support.ledgers import all_of
from tests.support.logs import ListLog
from tests.unit.core.fakes import Scripted, Source, generating

pytestmark = pytest.mark.anyio
USAGE = Usage(input_tokens=100, output_tokens=50)


def priced(words, dollars="0.5", usage=USAGE):
    cost = Cost(amount=Decimal(dollars), source="vendor")
    return [words, StreamEnd(FinishReason.STOP, usage=usage, cost=cost)]


def always(_):
    return priced("ho")


class Faulty:
    """A ledger that fails, or waits, while it is told to."""

    def __init__(self):
        self.entries_ = {}
        self.fails = True
        self.waits = False
        self.asked = 0

    async def record(self, entries, /):
        self.asked += 1
        if self.waits:
            await anyio.sleep_forever()
        await checkpoint()
        if self.fails:
            raise StoreError("the disk is full")
        for entry in entries:
            self.entries_.setdefault(entry.id, entry)


def tracked(inner, **options):
    options.setdefault("ledger", MemoryLedger(now=lambda: 0.0))
    options.setdefault("now", lambda: 5.0)
    provider = CostTrackingProvider(inner, **options)
    return provider, options["ledger"]


def told(entries):
    return [
        (each.booking.value, each.outcome, each.cost and str(each.cost.amount)) for each in entries
    ]


async def test_an_answer_is_booked_as_spent():
    provider, ledger = tracked(ScriptedProvider([priced("ho")]))

    answer = await provider.generate("hi", tags={"project": "x"}, request_id="r")
    await provider.aclose()

    [entry] = await all_of(ledger)
    assert told([entry]) == [("spent", "succeeded", "0.5")]
    assert (entry.at, entry.operation, entry.provider, entry.model) == (
        5.0,
        "generate",
        "scripted",
        "scripted",
    )
    assert (entry.tags, entry.request_id, entry.usage) == ({"project": "x"}, "r", USAGE)
    assert entry.id == answer.attempts[0].id
    assert provider.total.spent.amount == Decimal("0.5")


async def test_the_total_needs_no_ledger():
    provider, _ = tracked(ScriptedProvider(always), ledger=None)
    for _ in range(3):
        await provider.generate("hi")

    assert provider.total.paid == Decimal("1.5")
    assert (provider.waiting, provider.lost) == (0, 0)
    provider.total.spent.entries = 99
    assert provider.total.spent.entries == 3
    await provider.aclose()


async def test_an_answer_whose_cost_nobody_knows_is_booked_too():
    provider, ledger = tracked(ScriptedProvider(["ho"]))
    await provider.generate("hi")
    await provider.aclose()

    assert told(await all_of(ledger)) == [("spent", "succeeded", None)]
    assert provider.total.spent.unpriced == 1


async def test_failures_that_consumed_nothing_are_not_booked():
    provider, ledger = tracked(ScriptedProvider([OverloadedError]))
    with pytest.raises(OverloadedError):
        await provider.generate("hi")
    await provider.aclose()

    assert await all_of(ledger) == []


async def test_a_timeout_that_was_repeated_is_wasted():
    script = [ProviderTimeoutError("late", sent=True, limit=9), priced("ho")]
    inner = RetryProvider(ScriptedProvider(script), backoff=Backoff(jitter=False))
    provider, ledger = tracked(inner)
    await provider.generate("How many tokens is this?")
    await provider.aclose()

    wasted, spent = await all_of(ledger)
    assert told([wasted, spent]) == [("wasted", "failed", None), ("spent", "succeeded", "0.5")]
    assert wasted.usage == Usage(input_tokens=11, output_tokens=0, estimated=True)
    assert wasted.note == "ProviderTimeoutError"
    assert wasted.request_id == spent.request_id


async def test_vectors_of_many_parts_are_all_spent():
    inner = SplitProvider(ScriptedProvider([[[1.0]], [[2.0]]], usage=USAGE), max_items=1)
    provider, ledger = tracked(inner)
    await provider.embed_batch(["a", "b"])
    await provider.aclose()

    assert told(await all_of(ledger)) == [("spent", "succeeded", None)] * 2


async def test_a_stream_is_booked_when_it_has_ended():
    provider, ledger = tracked(ScriptedProvider([priced("ho")]))
    stream = await provider.generate_stream("hi")
    assert not provider.total.spent.entries

    await stream.collect()
    await provider.aclose()

    assert told(await all_of(ledger)) == [("spent", "succeeded", "0.5")]


async def test_a_stream_that_its_reader_leaves_is_settled_with_what_was_seen():
    provider, ledger = tracked(ScriptedProvider([["Good evening", Pause()]]))
    async with provider.generate_stream("How many tokens is this?") as stream:
        assert await anext(stream) == "Good evening"
    await provider.aclose()

    [entry] = await all_of(ledger)
    assert told([entry]) == [("wasted", "abandoned", None)]
    assert entry.usage == Usage(input_tokens=11, output_tokens=3, estimated=True)


async def test_a_stream_that_nobody_reads_is_booked_by_its_finaliser():
    provider, ledger = tracked(ScriptedProvider([["Good", Pause()]]))
    stream = await provider.generate_stream("hi")
    del stream
    gc.collect()

    assert provider.total.wasted.entries == 1
    await provider.aclose()
    assert told(await all_of(ledger)) == [("wasted", "abandoned", None)]


async def test_a_stream_that_breaks_is_wasted():
    provider, ledger = tracked(ScriptedProvider([["Good", OverloadedError]]))
    with pytest.raises(StreamInterruptedError):
        await (await provider.generate_stream("hi")).collect()
    await provider.aclose()

    assert told(await all_of(ledger)) == [("wasted", "interrupted", None)]


async def test_the_loser_of_a_race_is_wasted_though_the_winner_is_back_already():
    slow = ScriptedProvider([[Pause(60), "slow"]], name="slow")
    quick = ScriptedProvider([priced("quick")], name="quick")
    options = HedgeOptions(delay=1.0, minimum_samples=1, max_share=1.0)
    hedge = HedgeProvider([slow, quick], hedging=options)
    hedge._latency(slow, generating()).add(0.0)
    provider, ledger = tracked(hedge)

    assert await provider.generate("How many tokens is this?") == "quick"
    await checkpoint()
    await checkpoint()
    await provider.aclose()

    entries = {each.provider: each for each in await all_of(ledger)}
    assert told(entries.values()) == [("wasted", "abandoned", None), ("spent", "succeeded", "0.5")]
    assert entries["slow"].usage == Usage(input_tokens=11, output_tokens=0, estimated=True)


async def test_two_answers_of_one_call_are_one_spent_and_one_wasted():
    class Twice(Decorator):
        async def handle(self, call):
            first = await call.on(self.inner)
            await call.on(self.inner)
            return first

    one, two = replace(USAGE), replace(USAGE)
    script = [priced("first", "1", one), priced("second", "2", two)]
    provider, ledger = tracked(Twice(ScriptedProvider(script)))
    assert await provider.generate("hi") == "first"
    await provider.aclose()

    assert told(await all_of(ledger)) == [
        ("spent", "succeeded", "1"),
        ("wasted", "succeeded", "2"),
    ]


async def test_an_answer_that_comes_after_the_call_is_wasted():
    provider, ledger = tracked(ScriptedProvider([priced("ho")]))
    answer = await provider.generate("hi")
    late = Attempt(outcome=Outcome.SUCCEEDED, provider="late", usage=USAGE)
    answer.metadata.journal.record(late)
    await provider.aclose()

    assert [each.booking for each in await all_of(ledger)] == [Booking.SPENT, Booking.WASTED]
    assert all(each.id for each in await all_of(ledger))


async def test_what_is_asked_again_from_outside_is_wasted():
    class Again(Decorator):
        async def handle(self, call):
            await call.on(self.inner)
            return await call.on(self.inner)

    provider, ledger = tracked(ScriptedProvider([priced("bad", "1"), priced("good", "2")]))
    assert await Again(provider).generate("hi") == "good"
    await provider.aclose()

    assert told(await all_of(ledger)) == [
        ("spent", "succeeded", "1"),
        ("correction", "succeeded", "-1"),
        ("wasted", "succeeded", "1"),
        ("spent", "succeeded", "2"),
    ]
    total = provider.total
    assert (total.spent.amount, total.spent.entries, total.wasted.amount) == (2, 1, 1)
    assert total.spent.tokens["input_tokens"] == 100


async def test_what_succeeded_in_a_call_that_fails_is_wasted():
    class Fussy(Decorator):
        async def handle(self, call):
            await call.on(self.inner)
            raise OverloadedError("no")

    provider, ledger = tracked(Fussy(ScriptedProvider([priced("ho")])))
    with pytest.raises(OverloadedError):
        await provider.generate("hi")
    await provider.aclose()

    assert told(await all_of(ledger)) == [("wasted", "succeeded", "0.5")]


async def test_what_a_cache_answers_is_saved():
    class Cache(Decorator):
        async def handle(self, call):
            cost = Cost(amount=Decimal("0.5"), source="vendor")
            hit = Attempt(outcome=Outcome.HIT, provider="p", model="m", usage=USAGE, cost=cost)
            call.journal.record(hit)
            call.journal.record(Attempt(outcome=Outcome.NOTED, provider="p", usage=USAGE))
            metadata = self.inner._metadata(call, "m", cached=True)
            return (await Scripted("ho").generate("x")).told_in(metadata.journal)

    provider, ledger = tracked(Cache(Scripted("ho")))
    await provider.generate("hi")
    await provider.generate("hi")
    await provider.aclose()

    assert told(await all_of(ledger)) == [("saved", "hit", "0.5")] * 2
    assert provider.total.paid == 0


async def test_a_cancelled_call_is_wasted():
    provider, ledger = tracked(ScriptedProvider([[Pause()]]))
    with anyio.move_on_after(3):
        await provider.generate("hi")
    await provider.aclose()

    assert told(await all_of(ledger)) == [("wasted", "abandoned", None)]


@pytest.mark.parametrize("amount", ["-1", "NaN", "1e99"])
async def test_a_cost_that_makes_no_sense_is_noted_and_not_booked(amount):
    provider, ledger = tracked(ScriptedProvider([priced("ho", amount)]))
    assert await provider.generate("hi") == "ho"
    await provider.aclose()

    [entry] = await all_of(ledger)
    assert (entry.cost, entry.usage) == (None, None)
    assert entry.note.startswith("told what makes no sense: cost.amount must be")


# Writing.


async def test_a_call_does_not_wait_for_a_ledger_that_hangs():
    ledger = Faulty()
    ledger.waits = True
    provider, _ = tracked(ScriptedProvider(always), ledger=ledger)
    began = anyio.current_time()
    for _ in range(3):
        await provider.generate("hi")
        await checkpoint()

    assert anyio.current_time() == began
    await provider.aclose()
    assert 9 < anyio.current_time() - began < 11
    assert provider.waiting == 3


async def test_a_ledger_that_fails_is_told_once_and_gets_everything_when_it_works():
    ledger, log = Faulty(), ListLog()
    provider, _ = tracked(ScriptedProvider(always), ledger=ledger, log=log)
    for _ in range(3):
        await provider.generate("hi")
        await anyio.sleep(1)
    assert log.told == [("error", "the ledger fails")]
    assert log.of("the ledger fails")["reason"] == "StoreError: the disk is full"

    ledger.fails = False
    await provider.generate("hi")
    await anyio.sleep(1)

    assert len(ledger.entries_) == 4
    assert log.told[1:] == [("warning", "the ledger works again")]
    assert (provider.waiting, provider.lost) == (0, 0)
    await provider.aclose()
    assert len(log.told) == 2


async def test_what_cannot_be_kept_is_lost_and_told():
    ledger, log = Faulty(), ListLog()
    provider, _ = tracked(ScriptedProvider(always), ledger=ledger, log=log, most_waiting=2)
    for _ in range(5):
        await provider.generate("hi")
        await anyio.sleep(1)

    assert (provider.waiting, provider.lost) == (2, 3)
    assert provider.total.spent.entries == 5
    assert log.told.count(("error", "entries of the ledger are lost")) == 1
    ledger.fails = False
    await provider.aclose()
    assert len(ledger.entries_) == 2
    assert log.of("the ledger works again")["lost"] == 3


async def test_what_is_left_when_it_is_closed_is_told(caplog):
    provider, _ = tracked(ScriptedProvider(always), ledger=Faulty())
    await provider.generate("hi")
    with caplog.at_level(logging.INFO, "fairlead.costs"):
        await provider.aclose()

    assert "the ledger fails: reason StoreError: the disk is full, waiting 1" in caplog.messages
    assert "entries were not written: waiting 1" in caplog.messages


async def test_a_log_that_nobody_reads_is_told_nothing():
    log = ListLog("none")
    provider, _ = tracked(ScriptedProvider(always), ledger=Faulty(), log=log)
    await provider.generate("hi")
    await provider.aclose()

    assert not log.lines


async def test_many_entries_are_written_in_batches():
    ledger = Faulty()
    ledger.fails = False
    provider, _ = tracked(ScriptedProvider(always), ledger=ledger)
    async with anyio.create_task_group() as group:
        for _ in range(1200):
            group.start_soon(provider.generate, "hi")
    await provider.aclose()

    assert len(ledger.entries_) == 1200
    assert ledger.asked < 30


async def test_closing_a_second_time_writes_nothing_and_it_goes_on_after_that():
    provider, ledger = tracked(ScriptedProvider(always))
    await provider.aclose()
    await provider.aclose()
    await provider.generate("hi")
    await provider.aclose()

    assert len(await all_of(ledger)) == 1


async def test_the_inner_one_is_closed_and_what_that_books_is_written():
    inner = ScriptedProvider([["Good", Pause()]])
    provider, ledger = tracked(inner)
    stream = await provider.generate_stream("hi")
    stream.cancel()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await provider.aclose()
    assert provider.waiting + len(await all_of(ledger)) == 1

    await provider.aclose()
    assert told(await all_of(ledger)) == [("wasted", "abandoned", None)]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_serves_one_loop_after_another(backend):
    provider, ledger = tracked(ScriptedProvider(always))

    async def run():
        await provider.generate("hi")

    for _ in range(3):
        anyio.run(run, backend=backend)
    anyio.run(provider.aclose, backend=backend)

    assert len(anyio.run(all_of, ledger)) == 3


async def test_without_a_loop_entries_wait():
    provider, ledger = tracked(ScriptedProvider([["Good", Pause()]]))
    stream = await provider.generate_stream("hi")
    await anyio.to_thread.run_sync(stream.cancel)
    assert provider.waiting == 1

    await provider.aclose()
    assert len(await all_of(ledger)) == 1


async def test_the_prompt_does_not_live_on_in_the_answer():
    class Words(str):
        __slots__ = ("__weakref__",)

    provider, _ = tracked(LoggingProvider(Scripted("ho"), log=ListLog()))
    answer = await provider.generate("a prompt that nobody needs any more")
    account = answer.metadata.journal.watchers[-1]

    assert "prompt" not in repr([getattr(account, name) for name in account.__slots__])
    await provider.aclose()


async def test_targets_that_were_left_out_cost_nothing():
    broken = ScriptedProvider([OverloadedError], name="broken")
    works = ScriptedProvider([priced("ho")], name="works")
    provider, ledger = tracked(FallbackProvider([broken, works]))
    await provider.generate("hi")
    await provider.aclose()

    assert [(each.provider, each.booking) for each in await all_of(ledger)] == [
        ("works", Booking.SPENT)
    ]


@pytest.mark.parametrize("options", [{"most_waiting": 0}, {"now": 3}])
async def test_options_are_checked(options):
    with pytest.raises(ConfigurationError, match=r"most_waiting must be|now must be a function"):
        CostTrackingProvider(Scripted("ho"), **options)


async def test_it_tells_the_bounds_of_what_it_wraps():
    inner = Scripted("ho")

    provider = CostTrackingProvider(inner)
    assert provider.bounds("generate") == inner.bounds("generate")


async def test_an_event_that_is_no_text_ends_nothing():
    source = Source([TextDelta("Good")], [StreamEnd(FinishReason.STOP, usage=USAGE)])
    provider, ledger = tracked(Scripted(lambda: source))
    assert await (await provider.generate_stream("hi")).collect() == "Good"
    await provider.aclose()

    assert told(await all_of(ledger)) == [("spent", "succeeded", None)]


async def test_a_stream_that_has_ended_before_it_is_handed_over_is_spent():
    class Whole(Decorator):
        async def handle(self, call):
            stream = await call.on(self.inner)
            await stream.collect()
            return stream

    provider, ledger = tracked(Whole(ScriptedProvider([priced("ho")])))
    assert (await provider.generate_stream("hi")).generation == "ho"
    await provider.aclose()

    assert told(await all_of(ledger)) == [("spent", "succeeded", "0.5")]
