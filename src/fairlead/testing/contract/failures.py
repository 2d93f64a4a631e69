"""What fails."""

from __future__ import annotations

import pickle

import pytest

from ...core.errors import (
    InvalidResponseError,
    ProviderConnectionError,
    ProviderError,
    StreamInterruptedError,
)
from ...core.journal import Outcome
from ...core.results import FinishReason
from ..scripted import CUT, Line
from ._base import FAILURES, ContractBase

failures: pytest.MarkDecorator = pytest.mark.parametrize(
    "failure", FAILURES, ids=lambda error: type(error).__name__
)


class FailureContract(ContractBase):
    """Errors are typed, and the same for plain answers and for streams."""

    @failures
    @pytest.mark.parametrize("operation", ["generate", "stream", "embed", "embed_batch"])
    async def test_a_failure_has_its_type(self, failure: ProviderError, operation: str) -> None:
        error = await self._raised([failure], operation)

        assert type(error) is type(failure)
        assert error.provider
        assert error.retry_after == failure.retry_after
        told = [attempt for attempt in error.attempts if attempt.sent]
        assert told
        assert {attempt.outcome for attempt in told} == {Outcome.FAILED}
        assert {attempt.error for attempt in told} == {type(failure).__name__}

    @failures
    async def test_an_error_can_be_pickled(self, failure: ProviderError) -> None:
        error = await self._raised([failure], "generate")
        restored = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own

        assert type(restored) is type(error)
        assert str(restored) == str(error)
        assert list(restored.attempts) == list(error.attempts)

    @failures
    async def test_a_failure_under_way_interrupts_a_stream(self, failure: ProviderError) -> None:
        words, error = await self._interrupted(["Well, ", failure])

        assert words == ["Well, "]
        assert error.partial == "Well, "
        assert error.partial.finish_reason is FinishReason.ERROR
        assert error.usage == error.partial.usage
        assert type(error.__cause__) is type(failure)
        (attempt,) = [attempt for attempt in error.attempts if attempt.sent]
        assert attempt.outcome is Outcome.INTERRUPTED

    @failures
    async def test_a_plain_answer_that_fails_under_way_fails(self, failure: ProviderError) -> None:
        error = await self._raised(["Well, ", failure], "generate")

        assert type(error) is type(failure)

    async def test_a_stream_that_is_cut_is_no_answer(self) -> None:
        words, error = await self._interrupted(["Well, ", CUT])

        assert words == ["Well, "]
        assert error.partial == "Well, "
        assert isinstance(error.__cause__, (InvalidResponseError, ProviderConnectionError))

    @pytest.mark.parametrize("operation", ["generate", "stream"])
    async def test_an_answer_that_never_begins_is_none(self, operation: str) -> None:
        error = await self._raised([CUT], operation)

        assert isinstance(error, (InvalidResponseError, ProviderConnectionError))

    async def test_it_answers_after_a_failure(self) -> None:
        async with self.using(self.make_scripted([FAILURES[0]], ["Fine."])) as provider:
            with pytest.raises(type(FAILURES[0])):
                await provider.generate("Hello?")

            assert await provider.generate("Hello?") == "Fine."

    async def _raised(self, answer: list[Line], operation: str) -> ProviderError:
        """What a call raises before its reader was shown anything."""
        if (operation == "stream" and not self.streams) or (
            operation.startswith("embed") and not self.embeds
        ):
            pytest.skip(f"it has no {operation}")
        async with self.using(self.make_scripted(answer)) as provider:
            with pytest.raises(ProviderError) as caught:
                if operation == "generate":
                    await provider.generate("Hello?")
                elif operation == "stream":
                    await provider.generate_stream("Hello?")
                elif operation == "embed":
                    await provider.embed("Hello?")
                else:
                    await provider.embed_batch(["Hello?"])
        return caught.value

    async def _interrupted(self, answer: list[Line]) -> tuple[list[str], StreamInterruptedError]:
        """What a stream says, and raises."""
        if not self.streams:
            pytest.skip("it has no streams")
        words: list[str] = []
        async with self.using(self.make_scripted(answer)) as provider:
            stream = await provider.generate_stream("Hello?")
            with pytest.raises(StreamInterruptedError) as caught:
                async for word in stream:
                    words.append(word)  # noqa: PERF401 - they have to survive the error
        return words, caught.value
