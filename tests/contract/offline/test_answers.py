import subprocess
import sys

import anyio
import pytest
from pydantic import BaseModel

from fairlead.adapters.providers.offline import OfflineProvider
from fairlead.core.errors import (
    ConfigurationError,
    ProviderTimeoutError,
    UnsupportedOperationError,
)
from fairlead.core.messages import Image, Message, Tool, ToolResult
from fairlead.core.results import FinishReason
from fairlead.core.tokens import estimate

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]

WHY = "Why do ports and adapters keep a codebase soft?"


async def test_it_says_that_it_is_offline_and_what_it_was_asked():
    answer = await OfflineProvider().generate(WHY)

    assert "offline provider" in answer
    assert "no model was asked" in answer
    assert WHY in answer


async def test_it_does_not_pose_as_the_model_that_a_call_names():
    answer = await OfflineProvider().generate(WHY, model="gpt-5.6-luna")

    assert "offline provider, in place of gpt-5.6-luna: no model was asked" in answer
    assert answer.provider == "offline"


async def test_a_long_prompt_is_quoted_in_part():
    answer = await OfflineProvider().generate("word " * 10_000)

    assert len(answer) < 1000
    assert "…" in answer


async def test_only_prompt_model_and_seed_make_a_difference():
    first, second = OfflineProvider(), OfflineProvider(delay=1)
    options = {"response_format": {"type": "string", "format": "uuid"}}

    answer = await first.generate(WHY, **options)
    assert answer == await second.generate(WHY, **options)
    assert answer == await OfflineProvider(seed=7).generate(WHY, seed=0, **options)
    assert answer != await first.generate(WHY + "!", **options)
    assert answer != await first.generate(WHY, model="other", **options)
    assert answer != await first.generate(WHY, seed=7, **options)
    assert answer != await OfflineProvider(seed=7).generate(WHY, **options)
    assert await first.generate(WHY) != await first.generate(WHY, seed=7)


def test_another_process_has_the_same_answer():
    program = (
        "import anyio; from fairlead.adapters.providers.offline import OfflineProvider as P;"
        "print(anyio.run(lambda: P().generate('x', response_format={'format': 'uuid'})));"
        "print(anyio.run(lambda: P().embed('x', dimensions=4)).tolist())"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(answers) == 1


@pytest.mark.parametrize("limit", [1, 2, 5, 10])
async def test_max_tokens_cuts_the_answer(limit):
    whole = await OfflineProvider().generate(WHY)
    cut = await OfflineProvider().generate(WHY, max_tokens=limit)

    assert whole.startswith(cut)
    assert estimate(cut) <= limit < estimate(whole[: len(cut) + 8])
    assert cut.finish_reason is FinishReason.LENGTH
    assert cut.usage.output_tokens <= limit


async def test_an_answer_that_fits_is_not_cut():
    whole = await OfflineProvider().generate(WHY)
    same = await OfflineProvider().generate(WHY, max_tokens=whole.usage.output_tokens)

    assert same == whole
    assert same.finish_reason is FinishReason.STOP


async def test_the_first_stop_sequence_ends_the_answer():
    answer = await OfflineProvider().generate(WHY, stop_sequences=["codebase", " adapters", "§"])

    assert answer.endswith("Why do ports and")
    assert answer.finish_reason is FinishReason.STOP


async def test_a_stop_sequence_at_the_very_start_leaves_nothing():
    assert await OfflineProvider().generate(WHY, stop_sequences=["This"]) == ""


async def test_usage_is_an_estimate():
    answer = await OfflineProvider().generate(WHY)

    assert answer.usage.estimated
    assert answer.usage.input_tokens > estimate(WHY)
    assert answer.usage.output_tokens == estimate(str(answer))
    assert answer.cost.amount == 0


async def test_a_stream_comes_word_by_word_with_the_delay_before_each():
    times = []
    async for word in OfflineProvider(delay=2).generate_stream(WHY):
        assert len(word.split()) == 1
        times.append(anyio.current_time())

    assert len(times) > 10
    assert times == pytest.approx([2 * count for count in range(1, len(times) + 1)])


async def test_a_plain_answer_takes_as_long_as_a_stream():
    began = anyio.current_time()
    answer = await OfflineProvider(delay=2).generate(WHY)

    assert anyio.current_time() - began == pytest.approx(2 * len(answer.split()))


async def test_vectors_take_the_delay_once():
    began = anyio.current_time()
    await OfflineProvider(delay=2).embed_batch(["one", "two"])

    assert anyio.current_time() - began == pytest.approx(2)


@pytest.mark.parametrize("operation", ["generate", "generate_stream", "embed"])
async def test_timeout_ends_the_wait(operation):
    began = anyio.current_time()
    with pytest.raises(ProviderTimeoutError) as caught:
        await getattr(OfflineProvider(delay=9), operation)("Hello?", timeout=5)

    assert caught.value.limit == 5
    assert anyio.current_time() - began == pytest.approx(5)


async def test_timeout_does_not_count_what_a_reader_takes():
    words = [word async for word in OfflineProvider(delay=2).generate_stream(WHY, timeout=3)]

    assert len(words) > 10


async def test_cancelling_wakes_the_reader_at_once():
    stream = await OfflineProvider(delay=3600).generate_stream(WHY)
    began = anyio.current_time()
    async with anyio.create_task_group() as group:
        group.start_soon(stream.collect)
        await anyio.sleep(1)
        stream.cancel()

    assert anyio.current_time() - began == pytest.approx(1)
    assert stream.generation.finish_reason is FinishReason.CANCELLED


@pytest.mark.parametrize("choice", [None, "auto", "none"])
async def test_a_tool_that_is_not_forced_is_not_called(choice):
    answer = await OfflineProvider().generate("Late?", tools=[Tool("clock")], tool_choice=choice)

    assert answer.tool_calls == ()
    assert "clock" in answer


async def test_what_a_tool_said_is_in_the_answer():
    provider, tools = OfflineProvider(), [Tool("clock"), Tool("bell")]
    asked = await provider.generate("Late?", tools=tools, tool_choice="clock")
    (call,) = asked.tool_calls

    answer = await provider.generate(["Late?", asked, ToolResult(call, "It is noon.")], tools=tools)
    assert "The tool clock answered: “It is noon.”" in answer

    failed = ToolResult(call, "No hands.", error=True)
    answer = await provider.generate(["Late?", asked, failed], tools=tools)
    assert "The tool clock failed: “No hands.”" in answer


async def test_older_results_are_no_news():
    result = ToolResult("1", "It is noon.", name="clock")

    answer = await OfflineProvider().generate(["Late?", result, "And now?"])
    assert "noon" not in answer
    assert "And now?" in answer


async def test_calls_have_ids_of_their_own():
    options = {"tools": [Tool("clock")], "tool_choice": "clock"}
    one = await OfflineProvider().generate("Late?", **options)
    other = await OfflineProvider().generate("Early?", **options)

    assert one.tool_calls[0].id != other.tool_calls[0].id


async def test_max_tokens_cuts_arguments_too():
    tool = Tool("say", None, {"type": "string", "minLength": 500})
    cut = await OfflineProvider().generate("?", tools=[tool], tool_choice="say", max_tokens=5)

    assert cut.finish_reason is FinishReason.LENGTH
    assert estimate(cut.tool_calls[0].arguments) <= 5


class Place(BaseModel):
    city: str
    people: int


async def test_a_class_is_answered_with_an_instance():
    answer = await OfflineProvider().generate("Where?", response_format=Place)

    assert isinstance(answer.parsed, Place)


class Liar:
    """Accepts nothing of what it describes."""

    @classmethod
    def model_json_schema(cls):
        return {"type": "integer"}

    @classmethod
    def model_validate_json(cls, json_data):
        raise ValueError


@pytest.mark.parametrize("unfit", [Liar, {"not": {}}, {"$ref": "https://example.com"}])
async def test_a_format_that_cannot_be_met_is_an_error(unfit):
    with pytest.raises(UnsupportedOperationError) as caught:
        await OfflineProvider().generate("Where?", response_format=unfit)

    assert caught.value.provider == "offline"


async def test_a_picture_is_mentioned():
    picture = Image(data=b"...", media_type="image/png")

    assert "image" in await OfflineProvider().generate(Message.user("What is this?", picture))


async def test_what_it_does_nothing_with_it_says_or_refuses():
    answer = await OfflineProvider().generate("Hm?", logprobs=2, temperature=0.5)

    assert answer.warnings == ("offline does nothing with logprobs",)
    with pytest.raises(UnsupportedOperationError, match="logprobs"):
        await OfflineProvider().generate("Hm?", logprobs=2, strict=True)


@pytest.mark.parametrize("wrong", [{"delay": -1}, {"delay": float("nan")}, {"dimensions": 0}])
def test_it_cannot_be_built_from_nonsense(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        OfflineProvider(**wrong)
