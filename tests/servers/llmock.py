"""Against llmock: its faults, and its verdict on how we behave as a client."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

import fairlead
from fairlead import Backoff, RetryProvider, StreamInterruptedError, Tool, default_pipeline
from tests.servers.addresses import address
from tests.servers.llmocks import admin, judge, script

pytestmark = pytest.mark.anyio
QUICK = Backoff(
    initial_delay=0.05, max_delay=0.2, throttled_initial_delay=0.05, throttled_max_delay=0.2
)


@pytest.fixture(autouse=True)
def judged(llmock) -> Iterator[None]:
    admin("POST", "reset")
    yield
    # A committed stream is never repeated; its reader gets an error, which llmock cannot see.
    judge(but={"truncated_stream_accepted"})


async def test_generates(llmock):
    answer = await llmock.generate("hi")

    assert "hi" in answer
    assert answer.finish_reason == "stop"
    assert answer.usage.output_tokens == 9


async def test_streams_what_it_generates(llmock):
    assert await llmock.generate_stream("hi").collect() == await llmock.generate("hi")


async def test_embeds_in_order(llmock):
    many = await llmock.embed_batch(["one", "two", "one"])

    assert many[0] == many[2] != many[1]
    assert await llmock.embed("two") == many[1]


async def test_lists_models(llmock):
    assert "gpt-4o" in await llmock.list_models()


async def test_calls_a_tool(llmock):
    script(
        {
            "type": "reply",
            "tool_calls": [{"name": "weather", "arguments": {"city": "Bern"}}],
        }
    )
    answer = await llmock.generate("hi", tools=[Tool("weather")])

    assert answer.tool_calls[0].name == "weather"
    assert answer.tool_calls[0].parse() == {"city": "Bern"}
    assert answer.finish_reason == "tool_calls"


async def test_retries_what_passes(llmock):
    script({"type": "fail", "status": 503, "times": 2})
    answer = await RetryProvider(llmock, backoff=QUICK).generate("hi")

    outcomes = [attempt.outcome for attempt in answer.attempts]
    assert outcomes == ["failed", "waited", "failed", "waited", "succeeded"]


async def test_waits_as_long_as_it_is_told(llmock):
    script({"type": "fail", "status": 429, "retry_after": 1, "times": 1})
    answer = await RetryProvider(llmock, backoff=QUICK).generate("hi")

    assert answer.attempts[1].seconds >= 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, fairlead.InvalidRequestError),
        (401, fairlead.AuthenticationError),
        (403, fairlead.PermissionDeniedError),
        (404, fairlead.ModelNotFoundError),
        (422, fairlead.InvalidRequestError),
    ],
)
async def test_does_not_repeat_what_cannot_pass(llmock, status, error):
    script({"type": "fail", "status": status, "times": 1})
    with pytest.raises(error):
        await RetryProvider(llmock, backoff=QUICK).generate("hi")


@pytest.mark.parametrize("kind", ["disconnect", "truncate", "malformed"])
async def test_a_fault_before_the_first_word_is_retried(llmock, kind):
    script({"type": "stream_fault", "kind": kind, "after_chunks": 0})
    stream = RetryProvider(llmock, backoff=QUICK).generate_stream("hi")

    assert "hi" in await stream.collect()


@pytest.mark.parametrize("kind", ["disconnect", "truncate", "malformed"])
async def test_a_fault_after_it_keeps_what_came_and_is_not_repeated(llmock, kind):
    script({"type": "stream_fault", "kind": kind, "after_chunks": 4})
    words: list[str] = []
    with pytest.raises(StreamInterruptedError) as caught:
        async for word in RetryProvider(llmock, backoff=QUICK).generate_stream("hi"):
            words.append(word)

    assert words
    assert caught.value.partial == "".join(words)
    assert admin("GET", "requests")["count"] == 1


async def test_a_stall_is_noticed(llmock):
    from fairlead import OpenAICompatibleProvider, TimeLimits

    script({"type": "stream_fault", "kind": "stall", "after_chunks": 3, "stall_seconds": 5})
    limits = TimeLimits(idle=0.3)
    async with OpenAICompatibleProvider(
        base_url=address("FAIRLEAD_LLMOCK"), model="gpt-4o", limits=limits
    ) as provider:
        with pytest.raises(StreamInterruptedError) as caught:
            await provider.generate_stream("hi").collect()

    assert isinstance(caught.value.__cause__, fairlead.ProviderTimeoutError)


async def test_the_default_pipeline_falls_back(llmock):
    script({"type": "fail", "status": 500, "times": None})
    offline = fairlead.OfflineProvider()
    answer = await default_pipeline(llmock, offline, max_retries=0).generate("hi")
    admin("DELETE", "scenario")

    assert answer.provider == "offline"
    assert "500" in str(answer.warnings) or "failed" in answer.warnings[0]


def run_cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fairlead", "generate", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


async def test_the_command_line_talks_to_it(llmock):
    done = run_cli("-b", address("FAIRLEAD_LLMOCK"), "-m", "gpt-4o", "knots")

    assert done.returncode == 0, done.stderr
    assert "gpt-4o" in done.stdout


async def test_the_command_line_says_what_is_wrong_in_one_line(llmock):
    script({"type": "fail", "status": 401, "times": 1})
    done = run_cli("-b", address("FAIRLEAD_LLMOCK"), "-m", "gpt-4o", "hi")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("fairlead: error: ")
    assert done.stderr.count("\n") == 1


async def test_the_command_line_asks_which_model(llmock):
    done = run_cli("-b", address("FAIRLEAD_LLMOCK"), "hi")

    assert done.returncode == 1
    assert "--model" in done.stderr
    assert "gpt-4o" in done.stderr
