"""An answer that was cut: a warning, and an error where half of it is of no use."""

from decimal import Decimal

import pytest

from fairlead.core.collector import Collector, events_of
from fairlead.core.errors import (
    AllTargetsFailedError,
    OutputTruncatedError,
    StreamConsumedError,
    StreamInterruptedError,
)
from fairlead.core.events import StreamEnd, TextDelta
from fairlead.core.journal import Outcome
from fairlead.core.messages import Image, Reasoning, Refusal, Text, ToolCall
from fairlead.core.results import FinishReason, Generation, Metadata
from fairlead.core.usage import Cost, Usage
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.retry import RetryProvider
from tests.unit.core.fakes import METADATA, Scripted, Source, opened

SCHEMA = {"type": "object"}
USAGE = Usage(input_tokens=3, output_tokens=9)
CUT = ("length", "context_overflow")


def end(reason="length", **facts):
    return StreamEnd(FinishReason(reason), usage=USAGE, **facts)


class Cut(Scripted):
    """Answers as its script, which are events, tells."""

    async def _generate(self, call):
        events = await self._next(call)
        return Collector(events).generation(self._metadata(call, "m"))


def half(reason="length"):
    return Cut([TextDelta('{"a"'), end(reason)], name="half")


def stream(*batches):
    return Scripted(lambda: Source(*batches))


@pytest.mark.parametrize("reason", CUT)
@pytest.mark.anyio
async def test_a_plain_answer_that_was_cut_says_so(reason):
    answer = await half(reason).generate("hi")

    assert answer == '{"a"'
    (warning,) = answer.warnings
    assert "the answer was cut" in warning


@pytest.mark.anyio
async def test_a_streamed_answer_that_was_cut_says_so_once():
    _, arriving = await opened([TextDelta("a")], [end()])

    answer = await arriving.collect()

    assert len(answer.warnings) == 1
    assert len(Collector(events_of(answer)).generation(METADATA).warnings) == 1


@pytest.mark.anyio
async def test_a_whole_answer_says_nothing():
    assert (await half("stop").generate("hi", response_format=SCHEMA)).warnings == ()


@pytest.mark.parametrize("reason", CUT)
@pytest.mark.anyio
async def test_half_of_what_has_a_format_is_an_error_that_nothing_repeats(reason):
    provider = half(reason)

    with pytest.raises(OutputTruncatedError, match="raise max_tokens") as caught:
        await RetryProvider(provider).generate("hi", response_format=SCHEMA)

    assert len(provider.asked) == 1
    assert (caught.value.partial, caught.value.partial.usage) == ('{"a"', USAGE)
    (attempt,) = caught.value.attempts
    assert (attempt.outcome, attempt.usage) == (Outcome.FAILED, USAGE)


@pytest.mark.anyio
async def test_a_larger_model_is_asked_for_the_whole():
    small = Cut([TextDelta("{"), end()], max_output_tokens=5)
    same = Scripted("never", max_output_tokens=5)
    large = Scripted("{}", name="large", max_output_tokens=50)

    answer = await FallbackProvider([small, same, large]).generate("hi", response_format=SCHEMA)

    assert answer == "{}"
    assert not same.asked


@pytest.mark.anyio
async def test_a_stream_that_is_all_there_when_it_opens_fails_as_any_call_does():
    first = stream([TextDelta("{"), end()])
    chain = FallbackProvider([first, stream([TextDelta("}"), end()])])

    with pytest.raises(OutputTruncatedError) as caught:
        await chain.generate_stream("hi", response_format=SCHEMA)

    assert caught.value.partial == "{"
    assert not isinstance(caught.value, AllTargetsFailedError)


@pytest.mark.parametrize("read", ["words", "events", "batches", "collect"])
@pytest.mark.anyio
async def test_a_stream_of_which_something_was_shown_is_interrupted_at_its_end(read):
    provider = stream([TextDelta("{")], [TextDelta("a"), end()])
    arriving = await provider.generate_stream("hi", response_format=SCHEMA)
    seen = []

    with pytest.raises(StreamInterruptedError, match="response_format") as caught:
        if read == "words":
            seen += [word async for word in arriving]
        elif read == "events":
            seen += [event async for event in arriving.events()]
        elif read == "batches":
            while batch := await arriving.read():
                seen += batch
        else:
            await arriving.collect()

    assert isinstance(caught.value.__cause__, OutputTruncatedError)
    assert caught.value.partial == "{a"
    assert arriving.generation.finish_reason == "length"
    (attempt,) = arriving.generation.attempts
    assert (attempt.outcome, attempt.error) == (Outcome.INTERRUPTED, "OutputTruncatedError")
    assert await arriving.read() == ()  # told once
    with pytest.raises(StreamConsumedError):
        await arriving.collect()


@pytest.mark.anyio
async def test_a_stream_without_a_format_ends_well_though_it_was_cut():
    arriving = await stream([TextDelta("a")], [end()]).generate_stream("hi")

    assert [word async for word in arriving] == ["a"]
    assert arriving.generation.attempts[0].outcome is Outcome.SUCCEEDED


def test_an_answer_is_told_by_its_events():
    parts = (
        Reasoning("hm", {"sig": "x"}, "openai"),
        Text("Hel"),
        ToolCall("call_a", "add", "{}", {"o": 1}, "openai"),
        Text("lo"),
        Refusal("no"),
    )
    metadata = Metadata(
        provider="p",
        model="m",
        response_id="r",
        finish_reason=FinishReason.LENGTH,
        finish_reason_raw="max",
        usage=USAGE,
        cost=Cost(amount=Decimal(1), source="test"),
        parts=parts,
        warnings=("w", "the answer was cut: it had reached max_tokens or the model's own limit"),
        logprobs=({"a": 1},),
        details={"b": 2},
    )
    answer = Generation("Hello", metadata)

    again = Collector(events_of(answer)).generation(Metadata(provider="p"))

    assert again == answer
    assert again.metadata == metadata


def test_of_a_bare_answer_and_of_other_parts_there_are_the_words():
    bare = Generation("hi", Metadata(provider="p"))
    seen = Metadata(provider="p", parts=(Image(url="https://x.example/a.png"), Text("hi")))

    for answer in (bare, Generation("hi", seen)):
        events = events_of(answer)
        assert events[1:-1] == (TextDelta("hi"),)
        assert events[-1] == StreamEnd(FinishReason.UNKNOWN)
