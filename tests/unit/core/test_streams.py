import contextlib
import gc
import itertools
import weakref
from dataclasses import replace

import anyio
import pytest
from anyio.lowlevel import checkpoint

from fairlead.core.commit import CommitGate
from fairlead.core.errors import (
    InvalidResponseError,
    OverloadedError,
    RateLimitError,
    ResponseTooLargeError,
    StreamConsumedError,
    StreamInterruptedError,
)
from fairlead.core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from fairlead.core.journal import Journal, Outcome
from fairlead.core.pending import PendingStream
from fairlead.core.refusals import GuardrailError
from fairlead.core.results import FinishReason, Metadata
from fairlead.core.streams import GenerationStream
from tests.unit.core.fakes import (
    END,
    METADATA,
    WAIT,
    Source,
    cancelled_at,
    opened,
    ways,
    without_gc,
    words,
)

START = StreamStart("id", "m-2026")
HI, HO = TextDelta("hi"), TextDelta("ho")
BROKEN = OverloadedError("too much to do", provider="p", request_id="r", retry_after=3.0)


def outcomes(stream):
    """What `on_close` is told."""
    seen = []
    stream.on_close(seen.append)
    return seen


def only(seen):
    [outcome] = seen
    return outcome.outcome


# When it commits.


@pytest.mark.anyio
@pytest.mark.parametrize(
    "event",
    [HI, RefusalDelta("no"), ToolCallDelta(0, "1", "search"), END],
    ids=lambda event: type(event).__name__,
)
async def test_what_a_reader_is_shown_commits(event):
    source, _ = await opened([START], [event], WAIT)

    assert source.reads == 2


@pytest.mark.anyio
@pytest.mark.parametrize(
    "event",
    [START, ReasoningDelta("hm"), ReasoningDelta("", {"signature": 1}), TextDelta("")],
    ids=repr,
)
async def test_what_a_reader_of_text_is_not_shown_is_buffered(event):
    source, stream = await opened([event], [HI], [END])

    assert source.reads == 2
    assert [event async for event in stream.events()] == [event, HI, END]


@pytest.mark.anyio
async def test_reasoning_commits_for_who_wants_to_see_it():
    source, _ = await opened([START], [ReasoningDelta("hm")], WAIT, commit="any")

    assert source.reads == 2


@pytest.mark.anyio
async def test_a_stream_without_a_reader_commits_at_its_end_alone():
    source, stream = await opened([START], [ReasoningDelta("hm")], [HI], [HO], [END], commit="end")

    assert source.reads == 5
    assert await stream.collect() == "hiho"


@pytest.mark.anyio
async def test_a_stream_without_a_reader_may_have_any_number_of_events():
    source, _ = await opened(*[[START]] * 100, [END], commit="end")

    assert source.reads == 101


@pytest.mark.anyio
async def test_a_stream_without_a_reader_is_held_up_to_a_size():
    mebibyte = TextDelta("x" * 1024 * 1024)
    source = Source(*[[mebibyte]] * 65, [END])

    with pytest.raises(ResponseTooLargeError, match="more than 67108864 bytes is not held"):
        await GenerationStream.open(source, METADATA, commit="end")

    assert (source.reads, source.aborted) == (64, True)


def test_events_without_words_are_of_some_size_too():
    gate = CommitGate("end")

    with pytest.raises(ResponseTooLargeError):
        while not gate.opens([TextDelta("")] * 100_000):
            pass


@pytest.mark.anyio
@pytest.mark.parametrize("event", [START, TextDelta(""), ReasoningDelta("")], ids=repr)
async def test_at_most_64_events_without_content_are_buffered(event):
    journal = Journal()
    source, _ = await opened(*[[event]] * 100, metadata=replace(METADATA, journal=journal))

    [noted] = journal

    assert source.reads == 65
    assert noted.outcome is Outcome.NOTED
    assert noted.reason == "committed before its first text: more than 64 lifecycle events"
    assert (noted.provider, noted.model) == ("scripted", "m")


@pytest.mark.anyio
async def test_64_of_them_are_within_the_limit():
    journal = Journal()
    source, _ = await opened(*[[START]] * 64, [HI], metadata=replace(METADATA, journal=journal))

    assert source.reads == 65
    assert not journal.attempts


EVENT = CommitGate.PER_EVENT


def filling(size, make):
    """Events of *size* bytes together, in four of the same size."""
    return [make(size // 4 - EVENT)] * 4


@pytest.mark.parametrize(
    "make",
    [
        lambda size: ReasoningDelta("x" * size),
        lambda size: ReasoningDelta("ß€😀" * (size // 9) + "x" * (size % 9)),
        lambda size: ReasoningDelta("\ud800" * (size // 3) + "x" * (size % 3)),
        lambda size: ReasoningDelta("", {"data": ["x" * (size - 4), 5, None]}),
    ],
)
def test_at_most_4_mebibytes_of_reasoning_are_buffered(make):
    gate = CommitGate("text")

    assert not gate.opens(filling(4 * 1024 * 1024, make))
    assert gate.opens([ReasoningDelta("x")])
    assert gate.overflow == "more than 4194304 bytes of reasoning"


@pytest.mark.parametrize(
    "make", [lambda size: StreamStart("x" * size), lambda size: StreamStart(None, "x" * size)]
)
def test_at_most_256_kibibytes_of_other_events_are_buffered(make):
    gate = CommitGate("any")

    assert not gate.opens(filling(256 * 1024, make))
    assert gate.opens([START])
    assert gate.overflow == "more than 262144 bytes of lifecycle events"


def test_too_much_that_comes_with_text_is_not_too_much():
    gate = CommitGate("text")

    assert gate.opens([*[START] * 65, HI])
    assert gate.overflow is None


@pytest.mark.anyio
async def test_an_error_before_the_commit_is_raised_as_it_is_and_aborts_the_source():
    source = Source([START], [ReasoningDelta("hm")], BROKEN)

    with pytest.raises(OverloadedError) as caught:
        await GenerationStream.open(source, METADATA)

    assert caught.value is BROKEN
    assert source.log == ["abort"]


@pytest.mark.anyio
async def test_a_source_that_ends_without_its_end_is_an_invalid_response():
    source = Source([START])

    with pytest.raises(InvalidResponseError, match="ended before"):
        await GenerationStream.open(source, METADATA)

    assert source.aborted


@pytest.mark.anyio
async def test_a_source_that_ends_without_its_end_after_the_commit_interrupts():
    _, stream = await opened([HI])

    with pytest.raises(StreamInterruptedError, match="ended before") as caught:
        await stream.collect()

    assert isinstance(caught.value.__cause__, InvalidResponseError)


@pytest.mark.anyio
async def test_an_empty_stream_that_ends_properly_is_a_success():
    _, stream = await opened([END])
    seen = outcomes(stream)

    assert [text async for text in stream] == []
    assert stream.generation == ""
    assert stream.generation.finish_reason is FinishReason.STOP
    assert only(seen) is Outcome.SUCCEEDED


# Reading it.


@pytest.mark.anyio
async def test_reading_yields_plain_words_and_leaves_the_rest_out():
    batch = [START, HI, ReasoningDelta("hm"), TextDelta(""), HO]
    source, stream = await opened(batch, [TextDelta("!"), END])

    texts = [text async for text in stream]

    assert texts == ["hi", "ho", "!"]
    assert {type(text) for text in texts} == {str}
    assert source.log == ["aclose", "abort"]


@pytest.mark.anyio
async def test_events_yield_everything_once():
    batches = [[START, HI], [ToolCallDelta(0, "1", "search")], [HO, END]]
    _, stream = await opened(*batches)

    assert [event async for event in stream.events()] == [e for batch in batches for e in batch]


@pytest.mark.anyio
async def test_words_and_events_may_be_read_in_turn():
    _, stream = await opened([HI, HO, END])

    assert await anext(stream) == "hi"
    assert [event async for event in stream.events()] == [HO, END]


@pytest.mark.anyio
async def test_collect_reads_what_is_left():
    _, stream = await opened([START, HI], [HO], [END])
    await anext(stream)

    generation = await stream.collect()

    assert generation == "hiho"
    assert generation is stream.generation
    assert (generation.usage, generation.model) == (END.usage, "m-2026")
    assert generation.metadata.response_id == "id"


@pytest.mark.anyio
async def test_what_was_closed_before_its_end_is_not_collected_as_if_it_were_whole():
    _, stream = await opened([HI], WAIT)
    await anext(stream)
    stream.cancel()

    with pytest.raises(StreamConsumedError, match="closed before its end"):
        await stream.collect()
    assert stream.generation == "hi"


@pytest.mark.anyio
async def test_the_whole_result_is_not_there_before_the_end():
    _, stream = await opened([HI], [END])

    with pytest.raises(RuntimeError, match="has not ended yet"):
        _ = stream.generation
    assert stream.received == ""
    await anext(stream)
    assert stream.received == "hi"


@pytest.mark.anyio
async def test_the_result_is_whole_as_soon_as_the_end_was_received():
    _, stream = await opened([HI, END])
    await anext(stream)

    assert stream.generation == "hi"


@pytest.mark.anyio
async def test_an_ended_stream_stays_ended():
    source, stream = await opened([HI, END])
    await stream.collect()

    assert [text async for text in stream] == []
    assert [event async for event in stream.events()] == []
    assert await stream.collect() == "hi"
    assert source.reads == 1


@pytest.mark.anyio
async def test_what_was_known_before_stays_known():
    _, stream = await opened([HI, END], metadata=replace(METADATA, warnings=("dropped",)))

    generation = await stream.warned("adapted").collect()

    assert stream.metadata.provider == generation.provider == "scripted"
    assert generation.warnings == ("dropped", "adapted")


@pytest.mark.anyio
async def test_a_second_task_is_refused_and_harms_nobody():
    source, stream = await opened([HI], WAIT)
    await anext(stream)
    async with anyio.create_task_group() as group:
        group.start_soon(stream.collect)
        await anyio.wait_all_tasks_blocked()

        with pytest.raises(StreamConsumedError, match="another task is reading"):
            await anext(stream)

        assert not source.aborted
        stream.cancel()


# When it fails.


@pytest.mark.anyio
async def test_a_failure_after_the_commit_tells_what_had_been_received():
    journal = Journal()
    source, stream = await opened(
        [START, HI], [HO], BROKEN, metadata=replace(METADATA, journal=journal)
    )

    with pytest.raises(StreamInterruptedError, match="too much to do") as caught:
        await stream.collect()

    error = caught.value
    assert error.__cause__ is BROKEN
    assert (error.partial, error.partial.finish_reason) == ("hiho", FinishReason.ERROR)
    assert (error.provider, error.model, error.request_id) == ("p", "m", "r")
    assert (error.retry_after, error.sent) == (3.0, True)
    assert error.journal is journal
    assert source.log == ["abort"]


@pytest.mark.anyio
async def test_the_usage_that_had_been_told_is_in_the_error():
    _, stream = await opened([HI], [HO, replace(END)], BROKEN)
    stream.transform(_Without(StreamEnd))

    with pytest.raises(StreamInterruptedError) as caught:
        await stream.collect()

    assert caught.value.usage is None


class _Without:
    def __init__(self, kind):
        self.kind = kind

    def feed(self, event):
        return [] if isinstance(event, self.kind) else [event]


@pytest.mark.anyio
async def test_an_interrupted_stream_stays_ended_and_keeps_what_it_had():
    _, stream = await opened([HI], BROKEN)
    with pytest.raises(StreamInterruptedError):
        await stream.collect()

    assert [text async for text in stream] == []
    assert stream.generation == "hi"


@pytest.mark.anyio
async def test_what_is_no_error_of_a_provider_passes_as_it_is():
    source, stream = await opened([HI], ZeroDivisionError())
    seen = outcomes(stream)

    with pytest.raises(ZeroDivisionError):
        await stream.collect()

    assert source.aborted
    assert only(seen) is Outcome.ABANDONED


# Leaving it.


@pytest.mark.anyio
async def test_cancel_ends_a_waiting_read_from_another_task():
    source, stream = await opened([HI], WAIT)
    seen, texts = outcomes(stream), []

    async def read():
        async for text in stream:
            texts.append(text)

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        stream.cancel()

        assert source.log[0] == "abort"
        assert only(seen) is Outcome.ABANDONED

    assert texts == ["hi"]
    assert stream.generation == "hi"
    assert stream.generation.finish_reason is FinishReason.CANCELLED


class _Deaf(Source):
    """Its reads do not notice that it was aborted."""

    async def read(self):
        self.reads += 1
        if self.reads > 1:
            await anyio.sleep(1)
        return self.batches.pop(0)


@pytest.mark.anyio
@pytest.mark.parametrize("late", [[HO], [HO, END]])
async def test_what_arrives_after_cancel_is_shown_to_nobody(late):
    stream = await GenerationStream.open(_Deaf([HI], late), METADATA)
    teed = []
    stream.tee(teed.append)
    await anext(stream)
    async with anyio.create_task_group() as group:
        group.start_soon(stream.collect)
        await anyio.wait_all_tasks_blocked()
        stream.cancel()

    assert [event async for event in stream.events()] == []
    assert stream.generation == "hi"
    assert stream.generation.finish_reason is FinishReason.CANCELLED
    assert teed == [HI]


@pytest.mark.anyio
async def test_a_policy_may_cancel_a_stream_while_it_looks_at_an_event():
    _, stream = await opened([HI], [HO], [END])
    stream.tee(lambda event: stream.cancel() if event is HO else None)

    assert [text async for text in stream] == ["hi"]
    assert [text async for text in stream] == []
    assert stream.generation == "hi"


@pytest.mark.anyio
async def test_cancel_forgets_what_was_received_but_not_read():
    _, stream = await opened([HI, HO], [END])
    await anext(stream)

    stream.cancel()

    assert [text async for text in stream] == []
    assert stream.generation == "hiho"


@pytest.mark.anyio
async def test_cancel_after_the_end_changes_nothing():
    source, stream = await opened([HI, END])
    seen = outcomes(stream)
    await anext(stream)

    stream.cancel()

    assert only(seen) is Outcome.SUCCEEDED
    assert source.aborted
    assert stream.generation.finish_reason is FinishReason.STOP


async def _unread(*batches):
    return await opened(*batches)


async def _half_read(*batches):
    source, stream = await opened(*batches)
    await anext(stream)
    return source, stream


async def _cancelled(*batches):
    source, stream = await opened(*batches)
    stream.cancel()
    return source, stream


async def _interrupted(*batches):
    source, stream = await opened(batches[0], BROKEN)
    with pytest.raises(StreamInterruptedError):
        await stream.collect()
    return source, stream


async def _ended(*batches):
    source, stream = await opened([*batches[0], END])
    await stream.collect()
    return source, stream


async def _at_its_end(*batches):
    source, stream = await opened([*batches[0], END])
    await anext(stream)
    return source, stream


@pytest.mark.anyio
@pytest.mark.parametrize(
    "state, outcome",
    [
        (_unread, Outcome.ABANDONED),
        (_half_read, Outcome.ABANDONED),
        (_cancelled, Outcome.ABANDONED),
        (_interrupted, Outcome.INTERRUPTED),
        (_ended, Outcome.SUCCEEDED),
        (_at_its_end, Outcome.SUCCEEDED),
    ],
)
async def test_a_stream_can_be_closed_in_every_state_and_again(state, outcome):
    source, stream = await state([HI], [END])
    seen = outcomes(stream)

    await stream.aclose()
    await stream.aclose()

    assert source.aborted
    assert only(seen) is outcome
    assert [text async for text in stream] == []


@pytest.mark.anyio
async def test_a_stream_that_ended_gives_its_connection_back_before_it_is_aborted():
    source, stream = await opened([HI, END])

    await stream.aclose()

    assert source.log == ["aclose", "abort"] or source.log[:2] == ["abort", "aclose"]


@pytest.mark.anyio
async def test_leaving_async_with_closes_whatever_happens():
    source, stream = await opened([HI], [END])

    with pytest.raises(ZeroDivisionError):
        async with stream:
            raise ZeroDivisionError

    assert source.log[0] == "abort"


@pytest.mark.anyio
async def test_closing_while_another_task_reads_ends_its_iteration():
    source, stream = await opened([HI], WAIT)
    async with anyio.create_task_group() as group:
        group.start_soon(stream.collect)
        await anyio.wait_all_tasks_blocked()
        await stream.aclose()

    assert source.log[0] == "abort"


@pytest.mark.anyio
async def test_a_stream_that_is_dropped_unread_is_aborted_at_once():
    with without_gc():
        source, stream = await opened([HI], [END])
        seen = []
        stream.on_close(lambda outcome: seen.append(outcome.outcome))

        del stream

        assert source.log == ["abort"]
        assert seen == [Outcome.ABANDONED]


def test_an_object_that_was_never_made_whole_is_dropped_quietly():
    del (half := [GenerationStream.__new__(GenerationStream)])[0]

    assert half == []


def pending(source, metadata=METADATA):
    return PendingStream(lambda: GenerationStream.open(source, metadata))


@pytest.mark.anyio
@pytest.mark.parametrize("read", [lambda stream: stream, lambda stream: stream.events()])
async def test_leaving_a_loop_early_aborts_before_the_next_line(read):
    with without_gc():
        source = Source([HI], [HO], [END])
        async for _ in read(pending(source)):
            break

        assert source.log == ["abort"]


@pytest.mark.anyio
async def test_leaving_a_loop_by_an_error_aborts_once_the_error_is_gone():
    with without_gc():
        source = Source([HI], [HO], [END])
        try:
            async for _ in pending(source):
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass

        assert source.log == ["abort"]


# What policies hang on it.


@pytest.mark.anyio
async def test_on_close_is_called_once_innermost_first_with_what_was_received():
    _, stream = await opened([HI], [END])
    calls = []
    for name in "abc":
        stream.on_close(lambda outcome, name=name: calls.append((name, outcome.generation)))

    await stream.collect()
    await stream.aclose()
    stream.cancel()

    assert calls == [("a", "hi"), ("b", "hi"), ("c", "hi")]


@pytest.mark.anyio
async def test_a_callback_that_raises_keeps_no_other_from_being_called():
    source, stream = await opened([HI], [END])
    calls = []

    def bad(outcome):
        calls.append("bad")
        raise ZeroDivisionError

    for callback in (bad, lambda outcome: calls.append("good"), bad, calls.append):
        stream.on_close(callback)

    with pytest.raises(ZeroDivisionError):
        stream.cancel()
    stream.cancel()

    assert calls[:3] == ["bad", "good", "bad"]
    assert len(calls) == 4
    assert source.aborted


@pytest.mark.anyio
async def test_callbacks_are_called_even_if_the_source_cannot_be_aborted():
    source, stream = await opened([HI], [END])
    seen = outcomes(stream)
    source.abort = lambda: 1 / 0

    with pytest.raises(ZeroDivisionError):
        stream.cancel()

    assert only(seen) is Outcome.ABANDONED
    source.abort = lambda: None


@pytest.mark.anyio
@pytest.mark.parametrize("state", [_cancelled, _interrupted, _ended])
async def test_on_close_of_a_closed_stream_is_called_at_once(state):
    _, stream = await state([HI], [END])

    assert len(outcomes(stream)) == 1


@pytest.mark.anyio
async def test_the_outcome_of_a_failure_carries_the_error():
    _, stream = await opened([HI], BROKEN)
    seen = []
    stream.on_close(lambda outcome: seen.append(outcome.error))

    with pytest.raises(StreamInterruptedError):
        await stream.collect()

    assert seen == [BROKEN]


@pytest.mark.anyio
async def test_the_hooks_see_buffered_events_in_the_order_of_registration():
    _, stream = await opened([START], [HI], [HO, END])
    teed = []

    class Shout:
        def feed(self, event):
            text = isinstance(event, TextDelta)
            return [TextDelta(event.text.upper()), TextDelta("!")] if text else [event]

    stream.tee(lambda event: teed.append(("before", event)))
    stream.transform(Shout())
    stream.tee(lambda event: teed.append(("after", event)))

    assert await stream.collect() == "HI!HO!"
    assert [event for name, event in teed if name == "before"] == [START, HI, HO, END]
    assert [event for name, event in teed if name == "after"] == [
        START,
        *(TextDelta(text) for text in ("HI", "!", "HO", "!")),
        END,
    ]


@pytest.mark.anyio
async def test_a_filter_may_hold_back_and_release_at_the_end():
    _, stream = await opened([HI], [HO], [END])

    class HoldBack:
        held = ""

        def feed(self, event):
            if isinstance(event, TextDelta):
                self.held += event.text
                return []
            return [TextDelta(self.held), event]

    stream.transform(HoldBack())

    assert [text async for text in stream] == ["hiho"]


@pytest.mark.anyio
async def test_a_filter_that_refuses_interrupts_the_stream():
    source, stream = await opened([HI], [HO], [END])
    seen = outcomes(stream)

    def guard(event):
        if event is HO:
            raise GuardrailError("not that")

    stream.tee(guard)

    with pytest.raises(StreamInterruptedError, match="not that") as caught:
        await stream.collect()

    assert caught.value.partial == "hi"
    assert isinstance(caught.value.__cause__, GuardrailError)
    assert source.aborted
    assert only(seen) is Outcome.INTERRUPTED


@pytest.mark.anyio
@pytest.mark.parametrize(
    "state, outcome",
    [
        (_unread, Outcome.ABANDONED),
        (_cancelled, Outcome.ABANDONED),
        (_at_its_end, Outcome.SUCCEEDED),
    ],
)
async def test_finish_is_awaited_when_the_stream_is_closed_and_only_once(state, outcome):
    _, stream = await state([HI], [END])
    seen = []

    async def finish(outcome):
        await checkpoint()
        seen.append(outcome.outcome)

    stream.finish(finish)
    await stream.aclose()
    await stream.aclose()

    assert seen == [outcome]


@pytest.mark.anyio
async def test_finish_is_awaited_before_the_iteration_ends():
    _, stream = await opened([HI], [END])
    seen = []

    async def finish(outcome):
        await checkpoint()
        seen.append((outcome.outcome, outcome.generation))

    stream.finish(finish)
    async for _ in stream:
        assert not seen

    assert seen == [(Outcome.SUCCEEDED, "hi")]


@pytest.mark.anyio
async def test_finish_is_awaited_before_a_failure_is_raised():
    _, stream = await opened([HI], BROKEN)
    seen = []

    async def finish(outcome):
        await checkpoint()
        seen.append((outcome.outcome, outcome.error))

    stream.finish(finish)
    with pytest.raises(StreamInterruptedError):
        await stream.collect()

    assert seen == [(Outcome.INTERRUPTED, BROKEN)]


# Nothing keeps it alive.


@pytest.mark.anyio
@pytest.mark.parametrize("state", [_unread, _half_read, _cancelled, _ended, _at_its_end])
async def test_a_stream_dies_as_soon_as_nobody_holds_it(state):
    with without_gc():
        _, stream = await state([HI], [END])
        stream.on_close(lambda outcome: None)
        stream.tee(lambda event: None)
        reference = weakref.ref(stream)

        del stream

        assert reference() is None


@pytest.mark.anyio
async def test_a_failed_stream_dies_with_its_error():
    with without_gc():
        _, stream = await opened([HI], RateLimitError("slow down"))
        reference = weakref.ref(stream)
        with contextlib.suppress(StreamInterruptedError):
            await stream.collect()

        del stream

        assert reference() is None


@pytest.mark.anyio
async def test_the_error_of_a_failed_stream_dies_while_the_stream_is_held():
    with without_gc():
        _, stream = await opened([HI], RateLimitError("slow down"))
        try:
            await stream.collect()
        except StreamInterruptedError as error:
            reference = weakref.ref(error.__cause__)

        assert stream.generation == "hi"
        assert reference() is None


@pytest.mark.anyio
@pytest.mark.parametrize("read", [lambda stream: stream, lambda stream: stream.events()])
async def test_an_iterator_that_could_not_open_its_stream_dies_at_once(read):
    with without_gc():
        marker = type("Marker", (), {})()
        reference = weakref.ref(marker)

        async def opening(marker=marker):
            raise RateLimitError("slow down")

        iterator = aiter(read(PendingStream(opening)))
        del opening, marker
        with contextlib.suppress(RateLimitError):
            await anext(iterator)
        del iterator

        assert reference() is None


def test_garbage_is_collected_after_these_tests():
    assert gc.isenabled()


# Before it is asked for.


@pytest.mark.anyio
async def test_nothing_is_sent_before_a_stream_is_used():
    source = words("hi")
    stream = pending(source)

    assert source.reads == 0
    assert await stream.collect() == "hi"


@pytest.mark.anyio
async def test_a_stream_can_be_awaited_iterated_and_entered():
    assert await (await pending(words("hi"))).collect() == "hi"
    assert [text async for text in pending(words("hi", "ho"))] == ["hi", "ho"]
    assert [event async for event in pending(words("hi")).events()] == [HI, END]
    async with pending(words("hi")) as stream:
        assert [text async for text in stream] == ["hi"]


@pytest.mark.anyio
async def test_leaving_the_block_closes_the_stream():
    source = Source([HI], [END])
    async with pending(source):
        pass

    assert source.log == ["abort", "aclose"]


@pytest.mark.anyio
async def test_a_block_whose_stream_cannot_be_opened_is_not_entered():
    with pytest.raises(OverloadedError):
        async with pending(Source(BROKEN)):
            raise AssertionError


@pytest.mark.anyio
async def test_leaving_a_block_that_was_not_entered_does_nothing():
    await pending(words("hi")).__aexit__(None, None, None)


async def _await(stream):
    return await stream


async def _iterate(stream):
    return [text async for text in stream]


async def _enter(stream):
    async with stream:
        pass


async def _events(stream):
    return [event async for event in stream.events()]


async def _collect(stream):
    return await stream.collect()


USES = [_await, _iterate, _enter, _events, _collect]


@pytest.mark.anyio
@pytest.mark.parametrize("second", USES)
@pytest.mark.parametrize("first", USES)
async def test_a_second_use_is_refused(first, second):
    stream = pending(words("hi"))
    await first(stream)

    with pytest.raises(StreamConsumedError, match="generate_stream"):
        await second(stream)


@pytest.mark.anyio
@pytest.mark.parametrize("read", [lambda stream: stream, lambda stream: stream.events()])
async def test_a_stream_that_could_not_be_opened_is_not_asked_for_again(read):
    opened = []

    async def opening():
        opened.append(1)
        raise RateLimitError("slow down")

    iterator = aiter(read(PendingStream(opening)))
    with pytest.raises(RateLimitError):
        await anext(iterator)

    with pytest.raises(StreamConsumedError, match="could not be opened"):
        await anext(iterator)
    assert opened == [1]


# Cancelled at every await.


class Slow(Source):
    """Suspends several times at each step."""

    async def read(self):
        await checkpoint()
        batch = await super().read()
        await checkpoint()
        return batch


async def _read_whole(source, seen):
    async with pending(source, Metadata(provider="p")) as stream:
        stream.on_close(lambda outcome: seen.append(outcome.outcome))
        stream.finish(_finish)
        async for _ in stream:
            await checkpoint()


async def _finish(outcome):
    await checkpoint()


@pytest.mark.anyio
async def test_a_stream_cancelled_at_any_await_is_closed():
    for how in ways():
        for point in itertools.count():
            with without_gc():
                source, seen = Slow([START], [HI], [HO], [END]), []

                reached = await cancelled_at(
                    lambda source=source, seen=seen: _read_whole(source, seen), point, how=how
                )

                assert source.aborted
                assert len(seen) <= 1
            if not reached:
                break
        assert point > 10
        assert seen == [Outcome.SUCCEEDED]


@pytest.mark.anyio
async def test_a_task_cancelled_while_it_waits_for_more_leaves_nothing_open():
    source, stream = await opened([HI], WAIT)
    seen = outcomes(stream)

    with anyio.move_on_after(1):
        await stream.collect()

    assert source.log[0] == "abort"
    assert only(seen) is Outcome.ABANDONED


@pytest.mark.anyio
async def test_it_says_what_it_is():
    _, stream = await opened([TextDelta("a")], [END])
    assert repr(stream) == "<GenerationStream of scripted:m, open>"

    await stream.collect()

    assert repr(stream) == "<GenerationStream of scripted:m, succeeded>"


@pytest.mark.anyio
async def test_a_plain_loop_is_told_what_to_write():
    _, stream = await opened([TextDelta("a")], [END])

    for each in (stream, PendingStream(lambda: None)):
        with pytest.raises(TypeError, match="async for"):
            iter(each)


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.anyio
async def test_it_can_be_interrupted_from_any_task(waits):
    source, stream = await opened([TextDelta("a")], WAIT)
    closed = []
    stream.on_close(closed.append)
    if waits:
        assert await anext(stream) == "a"

    async with anyio.create_task_group() as tasks:

        async def read():
            with pytest.raises(StreamInterruptedError, match="enough") as caught:
                await stream.read()
            assert isinstance(caught.value.__cause__, OverloadedError)

        if waits:
            tasks.start_soon(read)
            for _ in range(5):
                await checkpoint()
        stream.interrupt(OverloadedError("enough"))
        stream.interrupt(OverloadedError("again"))
        if not waits:
            tasks.start_soon(read)

    assert source.aborted
    assert [one.outcome for one in closed] == [Outcome.INTERRUPTED]
    assert await stream.read() == ()
