"""Answers as models, whole or while they arrive."""

import pytest
from pydantic import BaseModel

from fairlead.core.errors import (
    ConfigurationError,
    OutputTruncatedError,
    ResponseParseError,
    ServerError,
    StreamInterruptedError,
)
from fairlead.core.events import StreamEnd
from fairlead.core.messages import Message, Refusal
from fairlead.core.refusals import DeadlineExceededError
from fairlead.core.results import FinishReason
from fairlead.core.usage import Usage
from fairlead.decorators.deadline import DeadlineProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.retry import RetryProvider
from fairlead.services.typed import answer_as, generate_as
from fairlead.services.typed_stream import stream_as
from fairlead.testing import CUT, Pause, ScriptedProvider
from fairlead.testing.virtual_time import BACKENDS, virtual_time_backend

pytestmark = pytest.mark.anyio


@pytest.fixture(params=BACKENDS)
def anyio_backend(request):
    return virtual_time_backend(request.param)


class Voyage(BaseModel):
    port: str
    days: int


GOOD = '{"port": "Bergen", "days": 3}'
BAD = '{"port": "Bergen"}'
BERGEN = Voyage(port="Bergen", days=3)


async def test_the_answer_is_the_model():
    provider = ScriptedProvider([f"Here you are:\n```json\n{GOOD}\n```"])

    assert await generate_as(provider, Voyage, "Where to?", temperature=0) == BERGEN
    [call] = provider.calls
    assert call.generation.response_format is Voyage
    assert call.generation.temperature == 0


async def test_what_is_wrong_is_said_and_asked_again():
    provider = ScriptedProvider([BAD, GOOD], usage=Usage(output_tokens=7))

    answer = await answer_as(provider, Voyage, "Where to?", system_prompt="Short.")

    assert answer.value == BERGEN
    assert [(it.role, it.text) for it in provider.calls[1].generation.messages] == [
        ("system", "Short."),
        ("user", "Where to?"),
        ("assistant", BAD),
        (
            "user",
            "That is not valid: the answer is no Voyage: days: Field required. "  # noqa: ISC004
            "Answer again, with nothing but JSON that fits the schema.",
        ),
    ]
    first, note, second = answer.generation.attempts
    assert [it.outcome for it in (first, note, second)] == ["succeeded", "noted", "succeeded"]
    assert (note.error, note.reason) == (
        "ResponseParseError",
        "the answer is no Voyage: days: Field required",
    )
    assert (note.provider, note.model, note.usage) == ("scripted", "scripted", None)
    assert first.usage == second.usage == Usage(output_tokens=7)


@pytest.mark.parametrize("max_reasks, asked", [(0, 1), (1, 2), (2, 3)])
async def test_it_is_asked_again_within_bounds(max_reasks, asked):
    provider = ScriptedProvider(BAD)

    with pytest.raises(ResponseParseError, match="days: Field required") as caught:
        await generate_as(provider, Voyage, "Where to?", max_reasks=max_reasks)

    error = caught.value
    assert len(provider.calls) == asked
    assert [it.outcome for it in error.attempts] == ["succeeded", "noted"] * asked
    assert (error.partial, error.provider, error.model) == (BAD, "scripted", "scripted")
    assert error.sent
    assert error.errors == ("days: Field required",)


async def test_all_times_together_have_one_deadline():
    provider = DeadlineProvider(ScriptedProvider([[Pause(4), BAD]] * 3), total=10)

    with pytest.raises(DeadlineExceededError) as caught:
        await generate_as(provider, Voyage, "Where to?")
    assert [it.outcome for it in caught.value.attempts if it.sent] == [
        *["succeeded"] * 2,
        "failed",
    ]


async def test_when_the_time_is_over_it_is_not_asked_again():
    def late(call):
        call.deadline.tighten(0.0)
        return BAD

    provider = ScriptedProvider([late, GOOD])

    with pytest.raises(ResponseParseError):
        await generate_as(provider, Voyage, "Where to?")
    assert len(provider.calls) == 1


async def test_all_times_together_have_the_attempts_of_one_call():
    # Three for a call, so two are left after the first, which fail and are not repeated.
    provider = ScriptedProvider([BAD, ServerError, ServerError, GOOD])

    with pytest.raises(ServerError):
        await generate_as(RetryProvider(provider), Voyage, "Where to?", max_reasks=1)
    assert len(provider.calls) == 3


async def test_a_chain_does_not_start_its_attempts_anew():
    targets = [ScriptedProvider(BAD, name="a"), ScriptedProvider(BAD, name="b")]
    chain = FallbackProvider(targets, max_attempts=2)

    with pytest.raises(ResponseParseError) as caught:
        await generate_as(chain, Voyage, "Where to?", max_reasks=5)
    assert sum(it.sent for it in caught.value.attempts) == 6  # one each time

    flaky = ScriptedProvider([ServerError, BAD, ServerError, GOOD], name="c")
    chain = FallbackProvider([flaky, ScriptedProvider(BAD, name="d")], max_attempts=2)
    with pytest.raises(ResponseParseError) as caught:
        await generate_as(chain, Voyage, "Where to?", max_reasks=1)
    assert [it.provider for it in caught.value.attempts if it.sent] == ["c", "d"]


async def test_a_refusal_is_not_asked_again():
    provider = ScriptedProvider([Refusal("I would rather not.")])

    with pytest.raises(ResponseParseError) as caught:
        await generate_as(provider, Voyage, "Where to?")
    assert caught.value.partial.refusal == "I would rather not."


async def test_half_an_answer_is_the_error_that_it_always_is():
    provider = ScriptedProvider([['{"port":', StreamEnd(FinishReason.LENGTH)]])

    with pytest.raises(OutputTruncatedError):
        await generate_as(provider, Voyage, "Where to?")


async def test_any_object_that_answers_will_do():
    asked = []

    class Mock:
        async def generate(self, prompt):
            asked.append(prompt)
            return GOOD if len(asked) > 1 else "Bergen"

    assert await generate_as(Mock(), Voyage, [Message.user("Where to?")]) == BERGEN
    assert len(asked[1]) == 3


async def test_bounds_that_make_no_sense_are_refused():
    with pytest.raises(ConfigurationError, match="max_reasks must be at least 0"):
        await generate_as(ScriptedProvider(GOOD), Voyage, "Where to?", max_reasks=-1)


# While it arrives.


async def test_what_has_arrived_is_shown_and_at_last_the_model():
    words = ["Here:\n", '{"por', 't": "Ber', "gen", '", "days"', ": ", "3", "}", "\nDone."]
    provider = ScriptedProvider([words])

    async with stream_as(provider, Voyage, "Where to?") as stream:
        seen = [so_far async for so_far in stream]

    assert seen == [
        {},
        {"port": "Ber"},
        {"port": "Bergen"},
        {"port": "Bergen", "days": 3},
    ]
    assert stream.value == BERGEN
    assert provider.calls[0].generation.response_format is Voyage


async def test_it_can_be_read_without_a_context():
    seen = [it async for it in stream_as(ScriptedProvider([GOOD]), Voyage, "Where to?")]

    assert seen == [{"port": "Bergen", "days": 3}]


async def test_leaving_early_closes_the_stream():
    provider = ScriptedProvider([[GOOD, Pause(), "more"]])

    async with stream_as(provider, Voyage, "Where to?") as stream:
        async for _ in stream:
            break
        assert provider.open_streams == 1
    assert provider.open_streams == 0


async def test_nothing_is_asked_before_it_is_read():
    provider = ScriptedProvider([GOOD])
    stream = stream_as(provider, Voyage, "Where to?")

    assert provider.calls == []
    with pytest.raises(ResponseParseError, match="there is no JSON"):
        _ = stream.value


async def test_a_stream_that_breaks_off_says_so_and_is_no_model():
    provider = ScriptedProvider([['{"port": "Ber', CUT]])

    async with stream_as(provider, Voyage, "Where to?") as stream:
        with pytest.raises(StreamInterruptedError):
            async for _ in stream:
                pass
        with pytest.raises(ResponseParseError, match="damaged"):
            _ = stream.value


async def test_another_thing_than_the_model_is_told():
    async with stream_as(ScriptedProvider([BAD]), Voyage, "Where to?") as stream:
        assert [it async for it in stream] == [{"port": "Bergen"}]
    with pytest.raises(ResponseParseError, match="days: Field required"):
        _ = stream.value
