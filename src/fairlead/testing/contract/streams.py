"""Answers that arrive bit by bit."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from ...core.errors import InvalidRequestError, StreamConsumedError
from ...core.events import StreamEnd, TextDelta
from ...core.journal import Outcome
from ...core.results import FinishReason
from ._base import ContractBase

if TYPE_CHECKING:
    from ...core.provider import ProviderPort
    from ...core.streams import GenerationStream


class StreamContract(ContractBase):
    """`generate_stream()`."""

    @pytest.fixture
    async def streaming(self, provider: ProviderPort) -> AsyncGenerator[ProviderPort, None]:
        if not self.streams:
            pytest.skip("it has no streams")
        yield provider

    async def test_a_stream_says_what_a_plain_answer_says(self, streaming: ProviderPort) -> None:
        stream = await streaming.generate_stream("Hello?")
        words = [word async for word in stream]
        streamed = stream.generation

        assert "".join(words) == streamed
        assert all(type(word) is str for word in words)
        assert bool(streamed) is self.speaks
        if self.repeats_itself:
            plain = await streaming.generate("Hello?")
            assert streamed == plain
            assert streamed.message == plain.message
            assert streamed.finish_reason is plain.finish_reason
            assert streamed.usage == plain.usage
            assert streamed.model == plain.model
            assert streamed.provider == plain.provider

    async def test_events_end_in_the_only_end(self, streaming: ProviderPort) -> None:
        events = [event async for event in streaming.generate_stream("Hello?").events()]

        assert [isinstance(event, StreamEnd) for event in events].count(True) == 1
        assert isinstance(events[-1], StreamEnd)
        text = "".join(event.text for event in events if isinstance(event, TextDelta))
        assert bool(text) is self.speaks

    async def test_a_stream_can_be_awaited_entered_iterated_and_collected(
        self, streaming: ProviderPort
    ) -> None:
        awaited = await (await streaming.generate_stream("Hello?")).collect()
        async with streaming.generate_stream("Hello?") as stream:
            entered = "".join([word async for word in stream])
        iterated = "".join([word async for word in streaming.generate_stream("Hello?")])
        collected = await streaming.generate_stream("Hello?").collect()

        assert {bool(text) for text in (awaited, entered, iterated, collected)} == {self.speaks}
        if self.repeats_itself:
            assert awaited == entered == iterated == collected

    async def test_a_stream_is_used_once(self, streaming: ProviderPort) -> None:
        pending = streaming.generate_stream("Hello?")
        await pending.collect()

        with pytest.raises(StreamConsumedError):
            await pending
        with pytest.raises(StreamConsumedError):
            async for _ in pending:
                pass
        with pytest.raises(StreamConsumedError):
            async with pending:
                pass

    async def test_nothing_is_asked_before_a_stream_is_used(self) -> None:
        async with self.using(self.make_scripted(["first"], ["second"])) as provider:
            pending = provider.generate_stream("Hello?")

            assert await provider.generate("Hello?") == "first"
            assert await pending.collect() == "second"

    async def test_the_journal_has_one_success_when_a_stream_has_ended(
        self, streaming: ProviderPort
    ) -> None:
        stream = await streaming.generate_stream("Hello?", request_id="mine")
        generation = await stream.collect()

        assert [attempt.outcome for attempt in generation.attempts] == [Outcome.SUCCEEDED]
        assert generation.attempts[0].usage == generation.usage
        assert generation.request_id == "mine"

    async def test_a_stream_checks_what_it_is_asked(self, streaming: ProviderPort) -> None:
        options: Any = {"temprature": 1.0}
        with pytest.raises(TypeError, match=r"'temprature'.*'temperature'"):
            await streaming.generate_stream("Hello?", **options)
        with pytest.raises(InvalidRequestError):
            await streaming.generate_stream("")

    async def test_leaving_early_closes(self, slow: ProviderPort) -> None:
        words: list[str] = []
        async with slow.generate_stream("Hello?") as stream:
            async for word in stream:
                words.append(word)
                break

        assert [stream.generation] == words
        assert stream.generation.finish_reason is FinishReason.CANCELLED
        assert [attempt.outcome for attempt in stream.generation.attempts] == [Outcome.ABANDONED]
        assert await slow.generate("Are you still there?")

    async def test_dropping_a_stream_closes(self, slow: ProviderPort) -> None:
        stream = await slow.generate_stream("Hello?")
        journal = stream.metadata.journal
        del stream
        await checkpoint()  # trio holds what woke a task, and so its frames, until its next step

        assert [attempt.outcome for attempt in journal] == [Outcome.ABANDONED]

    async def test_another_task_can_cancel(self, slow: ProviderPort) -> None:
        words: list[str] = []

        async def read(stream: GenerationStream) -> None:
            words.extend([word async for word in stream])

        async with slow.generate_stream("Hello?") as stream, anyio.create_task_group() as group:
            group.start_soon(read, stream)
            await anyio.sleep(self.moment)
            stream.cancel()

        assert stream.generation == "".join(words)
        assert stream.generation.finish_reason is FinishReason.CANCELLED
        assert [attempt.outcome for attempt in stream.generation.attempts] == [Outcome.ABANDONED]
