"""Plain answers, and everything that all operations share."""

from __future__ import annotations

import pickle
from typing import Any

import anyio
import pytest

from ...core.closing import Closable
from ...core.errors import InvalidRequestError
from ...core.journal import Outcome
from ...core.messages import Message, Turn
from ...core.models import ModelInfo
from ...core.provider import ProviderPort
from ...core.results import FinishReason, Generation, TokenCount
from ._base import ContractBase


class AnswerContract(ContractBase):
    """`generate()`."""

    async def test_it_is_a_provider(self, provider: ProviderPort) -> None:
        assert isinstance(provider, ProviderPort)
        assert provider.name
        assert isinstance(provider.model, ModelInfo)

    async def test_an_answer_is_its_text_with_metadata(self, provider: ProviderPort) -> None:
        generation = await provider.generate("Hello?", request_id="mine")

        assert isinstance(generation, Generation)
        assert bool(generation) is self.speaks
        assert generation.message.text == generation
        assert generation.provider == (self.answers_as or provider.name)
        assert generation.finish_reason is FinishReason.STOP
        assert generation.request_id == "mine"
        assert generation.model is None or generation.model
        assert generation.warnings == ()

    async def test_an_answer_tells_its_usage(self, provider: ProviderPort) -> None:
        usage = (await provider.generate("Hello?")).usage

        if self.reports_usage:
            assert usage is not None
            assert usage.input_tokens is not None
            assert usage.output_tokens is not None

    async def test_the_journal_has_one_success(self, provider: ProviderPort) -> None:
        generation = await provider.generate("Hello?")

        (attempt,) = [attempt for attempt in generation.attempts if attempt.sent]
        assert attempt.outcome is Outcome.SUCCEEDED
        assert attempt.provider == generation.provider
        assert attempt.usage == generation.usage

    async def test_the_same_prompt_has_the_same_answer(self, provider: ProviderPort) -> None:
        if self.repeats_itself:
            assert await provider.generate("Hello?") == await provider.generate("Hello?")

    async def test_an_answer_can_be_part_of_the_next_prompt(self, provider: ProviderPort) -> None:
        history: list[Turn] = [Message.system("Be brief."), "Hello?"]
        generation = await provider.generate(history)

        assert isinstance(await provider.generate([*history, generation, "and?"]), Generation)

    @pytest.mark.parametrize("prompt", ["Hello?", Message.user("Hello?"), ["Hello?"]], ids=repr)
    async def test_a_prompt_has_many_forms(self, provider: ProviderPort, prompt: Any) -> None:
        assert isinstance(await provider.generate(prompt), Generation)

    async def test_an_answer_can_be_pickled(self, provider: ProviderPort) -> None:
        generation = await provider.generate("Hello?")
        restored = pickle.loads(pickle.dumps(generation))  # noqa: S301 - our own

        assert restored == generation
        assert restored.metadata == generation.metadata
        assert restored.attempts == generation.attempts

    async def test_an_unknown_option_is_named_with_its_nearest(
        self, provider: ProviderPort
    ) -> None:
        options: Any = {"temprature": 1.0}
        with pytest.raises(TypeError, match=r"'temprature'.*'temperature'"):
            await provider.generate("Hello?", **options)

    @pytest.mark.parametrize(
        "options",
        [{"max_tokens": -1}, {"max_tokens": 0}, {"top_p": 1.5}, {"timeout": 0}, {"model": ""}],
        ids=str,
    )
    async def test_an_option_without_sense_is_refused(
        self, provider: ProviderPort, options: Any
    ) -> None:
        with pytest.raises(InvalidRequestError, match=next(iter(options))):
            await provider.generate("Hello?", **options)

    @pytest.mark.parametrize(
        "options", [{"max_tokens": "5"}, {"stop_sequences": "end"}, {"tools": [1]}], ids=str
    )
    async def test_an_option_of_the_wrong_type_is_refused(
        self, provider: ProviderPort, options: Any
    ) -> None:
        with pytest.raises(TypeError, match=next(iter(options))):
            await provider.generate("Hello?", **options)

    @pytest.mark.parametrize("prompt", ["", []], ids=repr)
    async def test_an_empty_prompt_is_refused(self, provider: ProviderPort, prompt: Any) -> None:
        with pytest.raises(InvalidRequestError):
            await provider.generate(prompt)

    @pytest.mark.parametrize("prompt", [None, 42, b"Hello?", {"role": "user"}, [42]], ids=repr)
    async def test_a_prompt_of_the_wrong_type_is_refused(
        self, provider: ProviderPort, prompt: Any
    ) -> None:
        with pytest.raises(TypeError):
            await provider.generate(prompt)

    async def test_tokens_are_counted_without_waiting(self, provider: ProviderPort) -> None:
        short = provider.count_tokens("Hello?")
        long = provider.count_tokens([Message.user("Hello? " * 50)])

        assert isinstance(short, TokenCount)
        assert 0 < short < long

    async def test_calls_run_side_by_side(self, provider: ProviderPort) -> None:
        answers: dict[int, Generation] = {}

        async def ask(number: int) -> None:
            answers[number] = await provider.generate("Hello?", request_id=f"call {number}")

        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(ask, number)

        assert [answers[n].request_id for n in range(10)] == [f"call {n}" for n in range(10)]
        assert all(len(answer.attempts) == 1 for answer in answers.values())

    async def test_it_can_be_closed_twice(self, provider: ProviderPort) -> None:
        await provider.generate("Hello?")
        if isinstance(provider, Closable):
            await provider.aclose()
            await provider.aclose()
