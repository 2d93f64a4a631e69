"""
Policies against llmock: the faults of the simulation, over sockets, and its verdict on us.

Two targets are two models of one server, so that a fault can be meant for one of them.
"""

from collections import Counter
from collections.abc import Iterator

import anyio
import pytest

from fairlead import (
    Backoff,
    OpenAICompatibleProvider,
    ProviderError,
    StreamInterruptedError,
    TimeLimits,
    default_pipeline,
)
from fairlead.assembly.explain import explain
from fairlead.assembly.pipeline import chain, target_pipeline
from fairlead.core.errors import RateLimitError
from fairlead.decorators.circuit import BreakerOptions
from fairlead.decorators.hedging import HedgeOptions
from fairlead.decorators.key_pool import KeyPoolProvider, KeyState
from fairlead.decorators.lane import LimitOptions
from fairlead.decorators.limits import LimitProvider
from fairlead.decorators.orders import LeastBusy
from fairlead.decorators.quota import RetryQuota
from fairlead.decorators.retry import RetryProvider
from fairlead.decorators.router import RouterProvider
from fairlead.decorators.split import SplitProvider
from tests.servers.addresses import address
from tests.servers.llmocks import admin, judge, script, seen
from tests.support.policies import leftovers

pytestmark = pytest.mark.anyio
FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
QUICK = Backoff(
    initial_delay=0.06, max_delay=0.5, throttled_initial_delay=0.06, throttled_max_delay=0.5
)
SOON = BreakerOptions(
    failure_threshold=3, recovery_timeout=1.0, max_recovery_timeout=1.0, jitter=0.0
)
"""llmock lets whom it refuses come back after a second."""


@pytest.fixture(autouse=True)
def judged(request, anyio_backend) -> Iterator[None]:
    admin("POST", "reset")
    yield
    judge(but=getattr(request.function, "allowed", ()))
    admin("POST", "reset")


def allows(code):
    """llmock cannot see the reason for which something is right all the same."""

    def mark(test):
        test.allowed = {code}
        return test

    return mark


def model(name, **options):
    return OpenAICompatibleProvider(
        base_url=address("FAIRLEAD_LLMOCK"),
        model=name,
        embedding_model="text-embedding-3-small",
        **options,
    )


def guarded(name, quota=None, **options):
    return target_pipeline(model(name), backoff=QUICK, breaker=SOON, quota=quota, **options)


def on(name, **fault):
    return {"times": None, "match": {"model": name}} | fault


def asked():
    return Counter(request["model"] for request in seen())


def prompts(of=None):
    return [
        request["body"]["messages"][-1]["content"]
        for request in sorted(seen(), key=lambda request: request["started_at"])
        if of in {None, request["model"]}
    ]


async def crowd(provider, many, *, between=0.0):
    """The answers to *many* calls at once, or their errors."""
    answers = {}

    async def call(number):
        try:
            answers[number] = await provider.generate(f"call {number}")
        except ProviderError as error:
            answers[number] = error

    async with anyio.create_task_group() as group:
        for number in range(many):
            group.start_soon(call, number)
            await anyio.sleep(between)
    return [answers[number] for number in range(many)]


async def let_go(provider):
    """Nothing is held by any policy once all calls are over."""
    await anyio.sleep(0.05)
    assert leftovers(provider) == []


async def test_a_storm_of_refusals_is_sat_out_for_as_long_as_is_asked():
    script({"type": "fail", "status": 429, "retry_after": 1, "times": 5})
    rates = LimitOptions(max_running=4, adaptive=True)
    async with guarded(FIRST, rates=rates) as provider:
        answers = await crowd(provider, 8)

        assert [str(answer) for answer in answers if isinstance(answer, ProviderError)] == []
        assert len(seen()) == 8 + 5
        await let_go(provider)


async def test_an_outage_is_fallen_back_from_left_alone_and_recovered_from():
    quota = RetryQuota()
    async with chain([guarded(FIRST, quota), guarded(SECOND, quota)]) as provider:
        script(on(FIRST, type="fail", status=503))
        answers = [await provider.generate(f"call {number}") for number in range(30)]
        during = asked()
        admin("DELETE", "scenario")
        await anyio.sleep(1.2)
        after = [await provider.generate("are you well?") for _ in range(3)]

        assert {answer.model for answer in answers} == {SECOND}
        assert during[FIRST] <= SOON.failure_threshold + 3
        assert during[SECOND] == 30
        assert [answer.model for answer in after] == [FIRST] * 3
        await let_go(provider)


async def test_an_outage_is_not_made_worse_by_a_crowd():
    quota = RetryQuota()
    script({"type": "fail", "status": 503, "times": None})
    async with chain([guarded(FIRST, quota), guarded(SECOND, quota)]) as provider:
        worst = explain(provider).worst["generate"].attempts
        answers = await crowd(provider, 300, between=0.002)

        assert all(isinstance(answer, ProviderError) for answer in answers)
        assert max(asked().values()) <= 1.1 * 300
        assert max(Counter(prompts()).values()) <= worst
        await let_go(provider)


async def test_a_half_open_circuit_lets_one_call_through():
    script(on(FIRST, type="fail", status=503, times=3), on(FIRST, type="delay", seconds=0.3))
    async with guarded(FIRST, max_retries=None) as provider:
        await crowd(provider, 3)
        await anyio.sleep(1.2)
        answers = await crowd(provider, 5)

        assert len([answer for answer in answers if not isinstance(answer, ProviderError)]) == 1
        assert asked()[FIRST] == 4


async def test_who_is_slow_is_raced_and_hung_up_on():
    quota = RetryQuota()
    targets = [guarded(FIRST, quota), guarded(SECOND, quota)]
    hedging = HedgeOptions(delay=0.5, minimum_samples=5, quantile=0.5, max_share=0.2)
    async with chain(targets, hedging=hedging, quota=quota) as provider:
        for number in range(8):
            await provider.generate(f"call {number}")
        script(on(FIRST, type="delay", seconds=8))
        with anyio.fail_after(4):
            answer = await provider.generate("quick!")

        assert answer.model == SECOND
        outcomes = [(attempt.model, attempt.outcome) for attempt in answer.attempts]
        assert (SECOND, "succeeded") in outcomes
        assert prompts(SECOND) == ["quick!"]
        await let_go(provider)
        outcomes = [(attempt.model, attempt.outcome) for attempt in answer.metadata.journal]
        assert (FIRST, "abandoned") in outcomes


async def test_those_who_wait_are_let_through_in_their_order():
    script({"type": "delay", "seconds": 0.05, "times": None})
    options = LimitOptions(max_running=2)
    async with LimitProvider(model(FIRST), options=options) as provider:
        await crowd(provider, 12, between=0.005)

        order = [int(prompt.removeprefix("call ")) for prompt in prompts()]
        assert all(abs(place - number) <= 1 for place, number in enumerate(order)), order
        turns = [(request["started_at"], 1) for request in seen()]
        turns += [(request["ended_at"] - 0.005, -1) for request in seen()]
        running = most = 0
        for _, change in sorted(turns):
            running += change
            most = max(most, running)
        assert most == 2
        await let_go(provider)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_caller_that_leaves_frees_its_place_at_once(streamed):
    script({"type": "delay", "seconds": 8, "times": 1})
    options = LimitOptions(max_running=1)
    async with LimitProvider(model(FIRST), options=options) as provider:
        with anyio.move_on_after(0.3):
            if streamed:
                await provider.generate_stream("never mind").collect()
            else:
                await provider.generate("never mind")
        assert leftovers(provider) == []

        with anyio.fail_after(4):
            assert "here" in await provider.generate("here")


# llmock does not see that the second request came with another key.
@allows("retried_non_retryable")
async def test_a_key_that_is_refused_is_followed_by_another():
    script({"type": "fail", "status": 401, "times": 1})
    keys = [model(FIRST, api_key=f"key-{number}") for number in range(3)]
    async with KeyPoolProvider(keys) as provider:
        for number in range(4):
            assert await provider.generate(f"call {number}")

        states = [status.state for status in provider.status()]
        assert states == [KeyState.DEAD, KeyState.READY, KeyState.READY]
        assert len(seen()) == 5


# Nor that: it takes the repeat with another key for one with the same.
@allows("retry_after_ignored")
async def test_a_key_that_is_limited_rests():
    script({"type": "fail", "status": 429, "retry_after": 30, "times": 1})
    keys = [model(FIRST, api_key=f"key-{number}") for number in range(2)]
    async with RetryProvider(KeyPoolProvider(keys), backoff=QUICK) as provider:
        with anyio.fail_after(4):
            for number in range(4):
                await provider.generate(f"call {number}")

        assert [status.asked for status in provider.inner.status()] == [1, 4]


async def test_a_limit_that_takes_too_long_is_told_and_not_waited_for():
    script({"type": "fail", "status": 429, "retry_after": 30, "times": 1})
    async with KeyPoolProvider([model(FIRST)]) as provider:
        for _ in range(2):
            with pytest.raises(RateLimitError) as caught:
                await provider.generate("hi")

        assert 25 < caught.value.retry_after <= 30
        assert len(seen()) == 1


async def test_those_with_little_to_do_are_asked_first():
    script({"type": "delay", "seconds": 0.2, "times": None})
    targets = [guarded(FIRST), guarded(SECOND)]
    async with RouterProvider(targets, order=LeastBusy()) as provider:
        await crowd(provider, 8)

        assert asked() == {FIRST: 4, SECOND: 4}
        await let_go(provider)


async def test_a_part_that_fails_is_repeated_by_itself():
    script({"type": "fail", "status": 503, "times": 1})
    texts = ["one", "two", "three", "four", "five"]
    inner = RetryProvider(model(FIRST), backoff=QUICK)
    async with SplitProvider(inner, max_items=2) as provider:
        parted = await provider.embed_batch(texts)
        whole = await inner.embed_batch(texts)

        assert [list(vector) for vector in parted] == [list(vector) for vector in whole]
        assert sorted(len(request["body"]["input"]) for request in seen()) in (
            [1, 2, 2, 2, 5],
            [1, 1, 2, 2, 5],
        )


# llmock takes another model's request for another call, and so sees no repeat of the last one.
@pytest.mark.parametrize("kind", ["disconnect", "truncate", "malformed"])
@allows("truncated_stream_accepted")
async def test_a_cut_before_the_first_word_is_answered_by_the_next(kind):
    script(on(FIRST, type="stream_fault", kind=kind, after_chunks=0))
    async with default_pipeline(model(FIRST), model(SECOND), backoff=QUICK) as provider:
        worst = explain(provider).worst["generate_stream"].attempts
        answer = await provider.generate_stream("hi").collect()

        assert answer.model == SECOND
        assert len(seen()) <= worst
        await let_go(provider)


# llmock cannot see that the reader was told.
@pytest.mark.parametrize("kind", ["disconnect", "truncate", "malformed"])
@allows("truncated_stream_accepted")
async def test_a_cut_after_it_is_told_and_nobody_else_is_asked(kind):
    script(on(FIRST, type="stream_fault", kind=kind, after_chunks=4))
    async with default_pipeline(model(FIRST), model(SECOND), backoff=QUICK) as provider:
        words = []
        with pytest.raises(StreamInterruptedError) as caught:
            async for word in provider.generate_stream("hi"):
                words.append(word)

        assert "".join(words) == caught.value.partial != ""
        assert asked() == {FIRST: 1}
        await let_go(provider)


async def test_who_says_nothing_is_given_up_for_the_next():
    script(on(FIRST, type="slow_first_token", seconds=8))
    first = model(FIRST, limits=TimeLimits(first_content=0.4))
    async with default_pipeline(first, model(SECOND), max_retries=0) as provider:
        with anyio.fail_after(4):
            answer = await provider.generate_stream("hi").collect()

        assert answer.model == SECOND
        await let_go(provider)


async def test_a_whole_day_of_it():
    """All faults at once, a crowd, and callers that leave."""
    script(
        {"type": "fail", "status": 429, "retry_after": 1, "times": 4},
        on(FIRST, type="fail", status=503, times=4),
        {"type": "stream_fault", "kind": "disconnect", "after_chunks": 0, "times": 2},
        {"type": "stream_fault", "kind": "malformed", "after_chunks": 0, "times": 2},
        {"type": "delay", "seconds": 0.4, "times": 10},
    )
    quota, rates = RetryQuota(), LimitOptions(max_running=6)
    targets = [guarded(name, quota, rates=rates) for name in (FIRST, SECOND)]
    hedging = HedgeOptions(minimum_samples=5)
    ends: Counter[str] = Counter()

    async def call(number):
        with anyio.move_on_after(0.2 if number % 5 == 0 else 30):
            try:
                if number % 2:
                    answer = await provider.generate_stream(f"call {number}").collect()
                else:
                    answer = await provider.generate(f"call {number}")
                assert answer.finish_reason == "stop"
                ends["answered"] += 1
            except ProviderError as error:
                ends[type(error).__name__] += 1

    async with chain(targets, hedging=hedging, quota=quota) as provider:
        worst = explain(provider).worst["generate"].attempts
        async with anyio.create_task_group() as group:
            for number in range(60):
                group.start_soon(call, number)
                await anyio.sleep(0.08)

        assert ends["answered"] > 20, ends
        assert max(Counter(prompts()).values()) <= worst
        await let_go(provider)
