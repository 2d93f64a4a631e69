"""Against aimock: OpenAI's dialect and its faults, as another project understands them."""

import pytest

import fairlead
from fairlead import (
    Backoff,
    RetryProvider,
    StreamInterruptedError,
    Tool,
    ToolResult,
    default_pipeline,
)
from fairlead.assembly.explain import explain
from fairlead.decorators.hedge import HedgeProvider
from fairlead.decorators.hedging import HedgeOptions
from tests.support.policies import leftovers

pytestmark = pytest.mark.anyio
QUICK = Backoff(
    initial_delay=0.01, max_delay=0.02, throttled_initial_delay=0.01, throttled_max_delay=0.02
)
WEATHER = Tool(
    "get_weather",
    "The weather in a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}},
)
NOW = Tool("now", "The time.")


async def test_generates(aimock):
    assert await aimock.generate("PLAIN") == "Hello from aimock: naïve café ☕ — done."


async def test_streams_in_pieces(aimock):
    words: list[str] = []
    async for word in aimock.generate_stream("LONG"):
        words.append(word)

    assert len(words) > 3
    assert "".join(words).endswith("fifteen sixteen")


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_and_its_result(aimock, streamed):
    question = "TOOL"
    stream = aimock.generate_stream(question, tools=[WEATHER])
    wish = await (stream.collect() if streamed else aimock.generate(question, tools=[WEATHER]))
    result = ToolResult(wish.tool_calls[0], "9 C")
    answer = await aimock.generate([question, wish, result], tools=[WEATHER])

    assert wish.tool_calls[0].parse() == {"city": "Zürich", "units": "C"}
    assert wish.finish_reason == "tool_calls"
    assert answer == "It is 9 C in Zürich."


async def test_parallel_tool_calls(aimock):
    wish = await aimock.generate_stream("PARALLEL", tools=[WEATHER, NOW]).collect()

    assert [call.name for call in wish.tool_calls] == ["get_weather", "get_weather", "now"]
    assert wish.tool_calls[1].parse() == {"city": "Basel"}


async def test_reasoning_is_apart_from_the_answer(aimock):
    answer = await aimock.generate_stream("REASON").collect()

    assert answer == "42"
    assert answer.reasoning == "Let me think: six times seven."


async def test_usage_and_length(aimock):
    answer = await aimock.generate("USAGE")

    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)
    assert answer.finish_reason == "length"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("prompt", "error"),
    [
        ("ERR429", fairlead.RateLimitError),
        ("ERR500", fairlead.ServerError),
        ("ERR401", fairlead.AuthenticationError),
        ("ERR529", fairlead.OverloadedError),
        ("MALFORMED", fairlead.InvalidResponseError),
        ("KILL", fairlead.ProviderConnectionError),
    ],
)
async def test_errors_have_their_class(aimock, prompt, error, streamed):
    with pytest.raises(error) as caught:
        if streamed:
            await aimock.generate_stream(prompt)
        else:
            await aimock.generate(prompt)

    if prompt == "ERR429":
        assert caught.value.retry_after == 3


@pytest.mark.parametrize("prompt", ["CUT", "DROP"])
async def test_a_cut_stream_keeps_what_came(aimock, prompt):
    with pytest.raises(StreamInterruptedError) as caught:
        await aimock.generate_stream(prompt).collect()

    assert caught.value.partial.startswith("this answ")


async def test_retries_until_it_answers(aimock):
    answer = await RetryProvider(aimock, backoff=QUICK).generate(f"RETRYME {id(aimock)}")

    assert answer == "third time lucky"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("prompt", ["ERR429", "ERR500", "ERR401", "ERR529", "MALFORMED", "KILL"])
async def test_a_pipeline_falls_back_from(aimock, prompt, streamed):
    pipeline = default_pipeline(aimock, fairlead.OfflineProvider(), max_retries=1, backoff=QUICK)
    worst = explain(pipeline).worst["generate"].attempts
    if streamed:
        answer = await pipeline.generate_stream(prompt).collect()
    else:
        answer = await pipeline.generate(prompt)

    assert answer.provider == "offline"
    assert answer.warnings
    assert len([attempt for attempt in answer.attempts if attempt.sent]) <= worst
    assert leftovers(pipeline) == []


@pytest.mark.parametrize("prompt", ["CUT", "DROP"])
async def test_a_pipeline_falls_back_from_nothing_that_was_shown(aimock, prompt):
    pipeline = default_pipeline(aimock, fairlead.OfflineProvider(), backoff=QUICK)
    with pytest.raises(StreamInterruptedError) as caught:
        await pipeline.generate_stream(prompt).collect()

    assert len([attempt for attempt in caught.value.attempts if attempt.sent]) == 1
    assert leftovers(pipeline) == []


async def test_who_is_slow_is_raced(aimock):
    hedging = HedgeOptions(delay=0.2, minimum_samples=5, max_share=0.2)
    race = HedgeProvider([aimock, fairlead.OfflineProvider()], hedging=hedging)
    for _ in range(6):
        await race.generate_stream("PLAIN").collect()
    answer = await race.generate_stream("SLOW").collect()

    assert answer.provider == "offline"
    assert "was slower" in answer.warnings[0]


async def test_embeds(aimock):
    assert len(await aimock.embed("anything")) > 100
