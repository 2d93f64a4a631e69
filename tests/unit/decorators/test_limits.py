import math
from dataclasses import replace
from itertools import pairwise

import anyio
import pytest
from anyio.lowlevel import checkpoint

from fairlead.core.bounds import UNKNOWN, Amounts, Bounds
from fairlead.core.calls import Call, Operation
from fairlead.core.errors import (
    ConfigurationError,
    ProviderError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
    UnsupportedOperationError,
)
from fairlead.core.events import TextDelta
from fairlead.core.journal import Outcome
from fairlead.core.messages import Image, Message, Role, Text, Tool
from fairlead.core.rates import Allowance, RateLimits
from fairlead.core.refusals import CircuitOpenError, RateLimitExceededError
from fairlead.core.results import Generation
from fairlead.core.tokens import count_request, measure
from fairlead.decorators._base import Decorator
from fairlead.decorators._tasks import loop_clock
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.buckets import LocalRateStore
from fairlead.decorators.circuit import BreakerOptions
from fairlead.decorators.deadline import DeadlineProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.lane import FIRST_OUTPUT, LimitOptions, input_tokens
from fairlead.decorators.limits import PATIENCE, LimitProvider
from tests.unit.core.fakes import END, WAIT, Scripted, Source, embedding, generating, words

HI = TextDelta("hi")
HI_TOKENS = 7
"""What `hi` is expected to need: its frame, and the word."""


def limited(*script, inner=None, store=None, seconds=0.0, **options):
    inner = inner or Scripted(*(script or ["ho"]), seconds=seconds, embedding_model="e")
    return LimitProvider(inner, options=LimitOptions(**options), store=store)


def told(remaining=None, limit=None, reset=None, *, tokens=None):
    return RateLimits(Allowance(limit, remaining, reset), tokens)


class Telling(Scripted):
    """Puts rate limits on what it answers, one after the other, the last again and again."""

    def __init__(self, *limits, **options):
        super().__init__("ho", **options)
        self._told = list(limits)

    def _metadata(self, call, model, **facts):
        limits = self._told.pop(0) if len(self._told) > 1 else self._told[0]
        return super()._metadata(call, model, rate_limits=limits, **facts)


async def timed(function, *args, **options):
    """How long it took."""
    began = anyio.current_time()
    await function(*args, **options)
    return round(anyio.current_time() - began, 6)


async def together(count, function, *args):
    """When each of *count* calls was over, from the beginning."""
    began, ended = anyio.current_time(), []

    async def one():
        await function(*args)
        ended.append(round(anyio.current_time() - began, 6))

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(one)
    return ended


def level(provider, kind, model="m"):
    return getattr(provider._store._accounts[f"scripted:{model}"], kind).bucket.level(
        loop_clock()()
    )


def idle(provider):
    return all(lane.line.running == 0 and not len(lane.line) for lane in provider._lanes.values())


@pytest.mark.anyio
async def test_without_limits_nothing_waits():
    provider = limited(seconds=1)

    assert await together(50, provider.generate, "hi") == [1.0] * 50


@pytest.mark.anyio
async def test_requests_beyond_the_burst_come_at_the_rate():
    provider = limited(requests_per_minute=60, requests_burst=2)

    assert await together(5, provider.generate, "hi") == [0, 0, 1, 2, 3]
    assert idle(provider)


@pytest.mark.anyio
async def test_a_minutes_worth_may_come_at_once():
    provider = limited(requests_per_minute=30)

    assert await together(31, provider.generate, "hi") == [0] * 30 + [2.0]


@pytest.mark.anyio
async def test_less_than_one_a_minute_is_one_at_a_time():
    provider = limited(requests_per_minute=0.5)

    assert await together(2, provider.generate, "hi") == [0, 120.0]


@pytest.mark.anyio
async def test_tokens_are_reserved_with_the_output_that_was_asked_for():
    provider = limited(seconds=1, tokens_per_minute=6000)
    need = HI_TOKENS + 2993
    assert need == 3000

    async with anyio.create_task_group() as group:
        group.start_soon(lambda: provider.generate("hi", max_tokens=2993))
        await anyio.wait_all_tasks_blocked()

        assert level(provider, "tokens") == 3000.0


@pytest.mark.anyio
async def test_tokens_are_corrected_when_they_are_known():
    provider = limited(tokens_per_minute=6000)

    await provider.generate("hi", max_tokens=2993)

    used = END.usage.input_tokens + END.usage.output_tokens
    assert level(provider, "tokens") == pytest.approx(6000 - used)


@pytest.mark.anyio
async def test_what_is_given_back_is_for_those_who_wait():
    provider = limited(seconds=1, tokens_per_minute=6000)

    async def call():
        await provider.generate("hi", max_tokens=2993)

    assert await together(4, call) == [1, 1, 2, 2]


@pytest.mark.anyio
async def test_more_may_be_used_than_was_reserved():
    usage = replace(END.usage, input_tokens=9000, output_tokens=1000)
    provider = limited(lambda: Source([HI], [replace(END, usage=usage)]), tokens_per_minute=6000)
    await provider.generate_stream("hi").collect()

    assert level(provider, "tokens") == pytest.approx(-4000)
    assert await timed(provider.generate_stream("hi", max_tokens=93).collect) == pytest.approx(41)


@pytest.mark.anyio
async def test_output_is_expected_to_be_as_it_was_of_late():
    usage = replace(END.usage, output_tokens=100)
    provider = limited(lambda: Source([HI], [replace(END, usage=usage)]), tokens_per_minute=10**6)
    call = generating()
    lane, outputs = provider._lane(call), []
    for _ in range(40):
        outputs.append(lane.ticket(call, provider.model).need.tokens - HI_TOKENS)
        await provider.generate_stream("hi").collect()

    assert outputs[:2] == [FIRST_OUTPUT, int(FIRST_OUTPUT + (100 - FIRST_OUTPUT) / 8)]
    assert all(later <= earlier for earlier, later in pairwise(outputs))
    assert outputs[-1] < 110


@pytest.mark.anyio
async def test_of_vectors_no_output_is_expected():
    provider = limited(tokens_per_minute=6000)

    await provider.embed_batch(["hi", "ho"])
    assert (await provider.embed("hi")).tolist() == [2.0]

    assert level(provider, "tokens", "e") > 5980


@pytest.mark.anyio
async def test_a_call_that_can_never_fit_is_refused_at_once():
    provider = limited(tokens_per_minute=6000)

    with pytest.raises(RateLimitExceededError, match="more tokens than may ever") as caught:
        await provider.generate("hi", max_tokens=5994)

    error = caught.value
    assert (error.retry_after, error.sent, error.model) == (None, False, "m")
    assert not provider.inner.asked
    await provider.generate("hi", max_tokens=5993)


@pytest.mark.anyio
async def test_texts_that_can_never_fit_are_refused_at_once():
    provider = limited(tokens_per_minute=60)

    with pytest.raises(RateLimitExceededError):
        await provider.embed("word " * 200)


@pytest.mark.anyio
async def test_what_only_might_not_fit_is_tried_when_all_is_there():
    provider = limited(lambda: Source([HI], [END]), tokens_per_minute=600)
    lane = provider._lane(generating())
    assert not lane.never(generating(), lane.ticket(generating(), provider.model))

    await provider.generate_stream("hi").collect()

    assert await timed(provider.generate_stream("hi").collect) > 0


@pytest.mark.anyio
async def test_so_many_run_at_a_time():
    provider = limited(seconds=1, max_running=2)

    assert await together(5, provider.generate, "hi") == [1, 1, 2, 2, 3]
    assert idle(provider)


@pytest.mark.anyio
async def test_a_stream_runs_until_it_is_closed():
    provider = limited(lambda: words("a", "b"), max_running=1)
    stream = await provider.generate_stream("hi")

    with pytest.raises(RateLimitExceededError):
        await provider.generate("hi", timeout=5)
    assert "a" in [word async for word in stream]

    assert idle(provider)
    await provider.generate_stream("hi").collect()


@pytest.mark.anyio
@pytest.mark.parametrize("leave", ["cancel", "aclose", "drop", "fail"])
async def test_however_a_stream_ends_its_place_is_free(leave):
    def source():
        return Source([HI], ServerError("oops") if leave == "fail" else [HI])

    provider = limited(source, max_running=1, tokens_per_minute=6000)
    stream = await provider.generate_stream("hi", max_tokens=1000)
    assert provider._lanes["m"].line.running == 1
    if leave == "cancel":
        stream.cancel()
    elif leave == "aclose":
        await stream.aclose()
    elif leave == "fail":
        with pytest.raises(StreamInterruptedError):
            await stream.collect()
    del stream

    assert idle(provider)
    assert level(provider, "tokens") > 6000 - HI_TOKENS - 5


@pytest.mark.anyio
async def test_a_stream_that_is_left_alone_does_not_keep_others_waiting():
    provider = limited(lambda: Source([HI], WAIT), max_running=1)
    stream = await provider.generate_stream("hi")
    async with anyio.create_task_group() as group:
        group.start_soon(provider.generate_stream("hi").__aenter__)
        await anyio.wait_all_tasks_blocked()
        assert len(provider.inner.asked) == 1

        stream.cancel()
        await anyio.wait_all_tasks_blocked()

        assert len(provider.inner.asked) == 2


@pytest.mark.anyio
async def test_those_who_wait_are_served_in_their_order():
    provider = limited(seconds=1, max_running=1)

    async with anyio.create_task_group() as group:
        for index in range(6):
            group.start_soon(lambda it=index: provider.generate(f"call {it}"))
            await anyio.wait_all_tasks_blocked()

    asked = [request.messages[0].text for request in provider.inner.requests]
    assert asked == [f"call {index}" for index in range(6)]


@pytest.mark.anyio
async def test_a_small_call_does_not_overtake_a_large_one():
    provider = limited(seconds=10, tokens_per_minute=6000)

    async def call(most):
        await provider.generate("hi", max_tokens=most)

    async with anyio.create_task_group() as group:
        for most in (4000, 5000, 10):
            group.start_soon(call, most)
            await anyio.wait_all_tasks_blocked()

    assert [request.max_tokens for request in provider.inner.requests] == [4000, 5000, 10]


@pytest.mark.anyio
async def test_a_wait_is_told_in_the_journal():
    provider = limited(requests_per_minute=60, requests_burst=1)
    await provider.generate("hi")

    answer = await provider.generate("hi")

    waited, asked = answer.attempts
    assert (waited.outcome, waited.provider, waited.model) == (Outcome.WAITED, "scripted", "m")
    assert waited.seconds == pytest.approx(1)
    assert asked.outcome is Outcome.SUCCEEDED


@pytest.mark.anyio
async def test_a_wait_that_does_not_fit_the_deadline_is_not_begun():
    provider = limited(requests_per_minute=6, requests_burst=1)
    await provider.generate("hi")
    began = anyio.current_time()

    with pytest.raises(RateLimitExceededError, match="it may wait for 5 s") as caught:
        await provider.generate("hi", timeout=5)

    error = caught.value
    assert anyio.current_time() == began
    assert error.retry_after == pytest.approx(10)
    [skipped] = error.attempts
    assert (skipped.outcome, skipped.error) == (Outcome.SKIPPED, "RateLimitExceededError")
    assert len(provider.inner.asked) == 1
    assert idle(provider)


@pytest.mark.anyio
async def test_a_call_behind_others_does_not_wait_for_what_cannot_come_in_time():
    provider = limited(requests_per_minute=6, requests_burst=1)
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(provider.generate, "hi")
        await anyio.wait_all_tasks_blocked()
        began = anyio.current_time()

        with pytest.raises(RateLimitExceededError) as caught:
            await provider.generate("hi", timeout=39)
        assert anyio.current_time() == began
        assert caught.value.retry_after == pytest.approx(40, abs=0.2)
        await provider.generate("hi", timeout=41)


@pytest.mark.anyio
async def test_a_wait_of_unknown_length_ends_at_the_deadline():
    provider = limited(seconds=100, max_running=1)
    async with anyio.create_task_group() as group:
        group.start_soon(provider.generate, "hi")
        await anyio.wait_all_tasks_blocked()
        began = anyio.current_time()

        with pytest.raises(RateLimitExceededError, match="may wait no longer") as caught:
            await provider.generate("hi", timeout=5)

        assert anyio.current_time() - began == pytest.approx(5)
        assert caught.value.retry_after is None
        await DeadlineProvider(provider, total=None).generate("hi")
    assert idle(provider)


@pytest.mark.anyio
async def test_the_line_is_bounded():
    provider = limited(requests_per_minute=6, requests_burst=1, max_queued=2)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(provider.generate, "hi")
        await anyio.wait_all_tasks_blocked()

        with pytest.raises(RateLimitExceededError, match="2 calls wait already") as caught:
            await provider.generate("hi")
    assert caught.value.retry_after == pytest.approx(20, abs=0.2)


@pytest.mark.anyio
async def test_a_call_that_would_wait_for_too_long_leaves_it_to_a_fallback():
    refusal = RateLimitError("too fast", status_code=429, retry_after=100.0)
    limits = LimitOptions(max_wait=60)
    first = LimitProvider(Scripted(refusal, "ho", name="first"), options=limits)
    provider = FallbackProvider([first, Scripted("hi", name="second")])

    assert await provider.generate("hi") == "hi"
    assert await timed(provider.generate, "hi") == 0
    with pytest.raises(RateLimitExceededError) as caught:
        await first.generate("hi")
    assert caught.value.retry_after == pytest.approx(100)

    await anyio.sleep(50)
    assert await timed(first.generate, "hi") == pytest.approx(50)


@pytest.mark.anyio
async def test_a_call_in_the_line_waits_no_longer_than_it_may():
    provider = limited("ho", seconds=9.0, max_running=1, max_wait=4)
    errors = []

    async def impatient():
        try:
            await provider.generate("hi")
        except RateLimitExceededError as error:
            errors.append((anyio.current_time() - began, error))

    async with anyio.create_task_group() as group:
        began = anyio.current_time()
        group.start_soon(provider.generate, "hi")
        await checkpoint()
        group.start_soon(impatient)

    [(took, error)] = errors
    assert took == pytest.approx(4)
    assert "no longer" in error.message
    assert await provider.generate("hi") == "ho"


@pytest.mark.anyio
async def test_nobody_waits_where_nobody_may():
    provider = limited(requests_per_minute=6, requests_burst=1, max_queued=0)
    await provider.generate("hi")

    with pytest.raises(RateLimitExceededError, match="would have to wait") as caught:
        await provider.generate("hi")
    assert caught.value.retry_after == pytest.approx(10)


@pytest.mark.anyio
async def test_each_model_has_its_own_limits():
    provider = limited(requests_per_minute=6, requests_burst=1)

    assert await timed(provider.generate, "hi") == 0
    assert await timed(provider.generate, "hi", model="n") == 0
    assert await timed(provider.embed, "hi") == 0
    assert await timed(provider.generate, "hi", model="scripted:m") == 10
    assert await timed(provider.generate, "hi", model="scripted/n") == 0


@pytest.mark.anyio
async def test_only_so_many_models_are_kept():
    provider = limited(max_running=1)
    for index in range(LimitProvider.MAX_MODELS + 5):
        await provider.generate("hi", model=f"model-{index}")

    assert len(provider._lanes) == LimitProvider.MAX_MODELS
    assert "model-0" not in provider._lanes


@pytest.mark.anyio
async def test_policies_may_share_what_is_left():
    store = LocalRateStore()
    one, other = (limited(requests_per_minute=6, requests_burst=1, store=store) for _ in range(2))
    elsewhere = LimitProvider(
        Scripted("ho"),
        options=LimitOptions(requests_per_minute=6, requests_burst=1),
        key="another account",
        store=store,
    )
    await one.generate("hi")

    assert await timed(elsewhere.generate, "hi") == 0
    assert await timed(other.generate, "hi") == 10


class TestRefusedInside:
    @staticmethod
    def guarded(**options):
        """A limiter round a breaker that is open for 30 s."""
        breaker = CircuitBreakerProvider(
            Scripted(ServerError("oops"), "ho"),
            options=BreakerOptions(failure_threshold=1),
            random=lambda: 0.5,
        )
        return limited(inner=breaker, **options)

    @pytest.mark.anyio
    async def test_a_call_that_would_be_refused_does_not_wait(self):
        provider = self.guarded(requests_per_minute=1, requests_burst=1)
        with pytest.raises(ServerError):
            await provider.generate("hi")
        began = anyio.current_time()

        with pytest.raises(CircuitOpenError):
            await provider.generate("hi")

        assert anyio.current_time() == began
        assert idle(provider)

    @pytest.mark.anyio
    async def test_what_was_refused_inside_costs_nothing(self):
        provider = self.guarded(requests_per_minute=60, tokens_per_minute=6000)
        with pytest.raises(ServerError):
            await provider.generate("hi")
        before = level(provider, "requests"), level(provider, "tokens")

        for _ in range(9):
            with pytest.raises(CircuitOpenError):
                await provider.generate("hi")

        assert (level(provider, "requests"), level(provider, "tokens")) == before

    @pytest.mark.anyio
    async def test_a_queued_call_holds_no_half_open_permit(self):
        provider = self.guarded(requests_per_minute=1, requests_burst=2)
        with pytest.raises(ServerError):
            await provider.generate("hi")
        await anyio.sleep(30)
        await provider.generate("hi")
        async with anyio.create_task_group() as group:
            group.start_soon(provider.generate, "hi")
            await anyio.wait_all_tasks_blocked()

            breaker = provider.inner.breaker()
            assert breaker.peek(anyio.current_time()) == 0.0
            assert not breaker._probes

    @pytest.mark.anyio
    async def test_those_who_wait_leave_when_the_circuit_opens(self):
        provider = self.guarded(max_running=1)
        provider.inner.inner.seconds = 5
        errors = []

        async def call():
            try:
                await provider.generate("hi")
            except ProviderError as error:
                errors.append((type(error).__name__, anyio.current_time()))

        began = anyio.current_time()
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(call)

        assert {name for name, _ in errors} == {"ServerError", "CircuitOpenError"}
        assert all(at - began == pytest.approx(5) for _, at in errors)
        assert idle(provider)


class TestWhatVendorsTell:
    @pytest.mark.anyio
    async def test_headers_overwrite_what_is_left(self):
        provider = limited(inner=Telling(told(1, 60)), requests_per_minute=60)
        await provider.generate("hi")
        await provider.generate("hi")

        assert level(provider, "requests") == 1.0

    @pytest.mark.anyio
    async def test_the_limits_themselves_are_learnt(self):
        tokens = Allowance(6000, 1000, None)
        provider = limited(inner=Telling(told(5, 60, tokens=tokens)))
        await provider.generate("hi")

        with pytest.raises(RateLimitExceededError, match="more tokens than may ever"):
            await provider.generate("hi", max_tokens=6000)
        with pytest.raises(RateLimitExceededError) as caught:
            await provider.generate("hi", max_tokens=1993, timeout=5)
        assert caught.value.retry_after == pytest.approx(10)
        assert await timed(provider.generate, "hi", max_tokens=1993) == pytest.approx(10)

    @pytest.mark.anyio
    async def test_a_limit_of_ones_own_is_not_unlearnt(self):
        tokens = Allowance(10**9, 10**9, None)
        provider = limited(inner=Telling(told(tokens=tokens)), tokens_per_minute=600)
        await provider.generate("hi")

        with pytest.raises(RateLimitExceededError):
            await provider.generate("hi", max_tokens=601)

    @pytest.mark.anyio
    async def test_nothing_is_learnt_if_that_is_not_wanted(self):
        provider = limited(inner=Telling(told(0, 60, 60.0)), learn=False)
        await provider.generate("hi")

        assert await timed(provider.generate, "hi") == 0

    @pytest.mark.anyio
    async def test_of_a_stream_they_count_as_soon_as_it_is_open(self):
        provider = limited(inner=Telling(told(0, 6, 60.0)))
        async with provider.generate_stream("hi"):
            assert level(provider, "requests") == 0.0

    @pytest.mark.anyio
    async def test_what_runs_at_the_moment_comes_off_what_is_left(self):
        tokens = Allowance(6000, 5000, None)
        slow = Telling(told(tokens=tokens), seconds=5)
        provider = limited(inner=slow, tokens_per_minute=6000)
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: provider.generate("hi", max_tokens=993))
            await anyio.sleep(1)
            group.start_soon(lambda: provider.generate("hi", max_tokens=1993))
            await anyio.sleep(4.5)

            assert level(provider, "tokens") == pytest.approx(3000 + 50)

    @pytest.mark.anyio
    async def test_they_are_read_off_errors_too(self):
        def refuse():
            error = ServerError("oops")
            error.rate_limits = told(0, 60, 60.0)
            return error

        provider = limited(refuse, requests_per_minute=60)
        for pause in (0, 1):
            began = anyio.current_time()
            with pytest.raises(ServerError):
                await provider.generate("hi")
            assert anyio.current_time() - began == pytest.approx(pause)

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        "after, limits, wait",
        [
            (30.0, None, 30.0),
            (None, None, 1.0),
            (None, told(0, 60, 20.0), 20.0),
            (None, told(5, 60, 20.0), 1.0),
            (None, told(0, 60, None), 1.0),
            (None, told(tokens=Allowance(None, 0, 9.0)), 9.0),
            (7.0, told(0, 60, 20.0), 7.0),
        ],
    )
    async def test_a_refusal_empties_it_until_the_reset(self, after, limits, wait):
        error = RateLimitError("slow down", retry_after=after, sent=True)
        error.rate_limits = limits
        provider = limited(error, "ho", requests_per_minute=60)
        with pytest.raises(RateLimitError):
            await provider.generate("hi")

        assert await timed(provider.generate, "hi") == pytest.approx(wait)

    @pytest.mark.anyio
    async def test_a_refusal_holds_back_even_without_any_rate(self):
        provider = limited(RateLimitError("slow down", retry_after=30.0, sent=True), "ho")
        with pytest.raises(RateLimitError):
            await provider.generate("hi")

        assert await timed(provider.generate, "hi") == pytest.approx(30)

    @pytest.mark.anyio
    async def test_a_refusal_in_the_middle_of_a_stream_counts(self):
        error = RateLimitError("slow down", retry_after=30.0, sent=True)
        provider = limited(lambda: Source([HI], error), requests_per_minute=60)
        with pytest.raises(StreamInterruptedError):
            await provider.generate_stream("hi").collect()
        provider.inner.script = ["ho"]

        assert await timed(provider.generate, "hi") == pytest.approx(30)


class TestUsage:
    @pytest.mark.anyio
    async def test_where_nobody_tells_it_is_estimated(self):
        class Silent(Scripted):
            async def _generate(self, call):
                await checkpoint()
                return Generation("word " * 400, self._metadata(call, "m"))

        provider = limited(inner=Silent("ho"), tokens_per_minute=10**4)

        await provider.generate("hi", max_tokens=9000)

        used = 10**4 - level(provider, "tokens")
        assert used == pytest.approx(HI_TOKENS + measure("word " * 400), abs=1)

    @pytest.mark.anyio
    async def test_an_answer_without_words_has_no_output(self):
        class Silent(Scripted):
            async def _generate(self, call):
                await checkpoint()
                return Generation("", self._metadata(call, "m"))

        provider = limited(inner=Silent("ho"), tokens_per_minute=10**4)

        await provider.generate("hi", max_tokens=9000)

        assert 10**4 - level(provider, "tokens") == pytest.approx(HI_TOKENS)

    @pytest.mark.anyio
    async def test_a_failure_has_cost_the_prompt(self):
        provider = limited(
            lambda: ServerError("oops"), requests_per_minute=60, tokens_per_minute=6000
        )
        with pytest.raises(ServerError):
            await provider.generate("hi", max_tokens=5000)

        assert level(provider, "tokens") == 6000 - HI_TOKENS
        assert level(provider, "requests") == 59

    @pytest.mark.anyio
    async def test_a_cancelled_call_has_cost_the_prompt(self):
        provider = limited(seconds=5, requests_per_minute=60, tokens_per_minute=6000)
        with anyio.move_on_after(0.001):
            await provider.generate("hi", max_tokens=5000)

        assert level(provider, "tokens") == pytest.approx(6000 - HI_TOKENS, abs=0.2)
        assert level(provider, "requests") == pytest.approx(59, abs=0.01)
        assert idle(provider)

    def test_media_tools_and_long_texts_are_measured(self):
        tool = Tool("add", "adds", {"type": "object"})
        picture = Message(Role.USER, (Text("what is it?"), Image(url="https://example.com/x.png")))
        for call in (
            generating("hi", tools=[tool]),
            generating(picture),
            generating("word " * 300),
            generating("日本語" * 200),
            embedding(["hi", "word " * 99]),
        ):
            expected = count_request(call.request, None)
            assert input_tokens(call.request, None) == pytest.approx(expected, abs=1)

    @pytest.mark.parametrize("text", ["hello there", "日本語", "a" * 256])
    def test_short_texts_are_guessed(self, text):
        call = generating(text)

        assert abs(input_tokens(call.request, None) - count_request(call.request, None)) < 20


class TestAdaptive:
    @pytest.mark.anyio
    async def test_a_refusal_slows_down_all_that_follow(self):
        provider = limited(
            *["ho"] * 20, RateLimitError("slow down", sent=True), "ho", adaptive=True
        )
        for _ in range(20):
            await provider.generate("hi")
            await anyio.sleep(0.1)
        with pytest.raises(RateLimitError):
            await provider.generate("hi")

        ended = await together(6, provider.generate, "hi")

        assert ended[-1] > 0.3
        assert ended == sorted(ended)

    @pytest.mark.anyio
    async def test_it_recovers(self):
        provider = limited(
            *["ho"] * 20, RateLimitError("slow down", sent=True), "ho", adaptive=True
        )
        for _ in range(20):
            await provider.generate("hi")
            await anyio.sleep(0.1)
        with pytest.raises(RateLimitError):
            await provider.generate("hi")
        lowest = provider._lanes["m"].pace.per_second
        for _ in range(200):
            await provider.generate("hi")

        assert provider._lanes["m"].pace.per_second > 2 * lowest


class Far:
    """A store that suspends, as one in another process does."""

    def __init__(self, *, seconds=0.0, fails=()):
        self.near = LocalRateStore()
        self.seconds = seconds
        self.fails = fails
        self.asked = 0

    def _check(self, what):
        if what in self.fails:
            raise OSError("the store is gone")

    async def reserve(self, key, rates, need, now):
        self.asked += 1
        await (anyio.sleep(self.seconds) if self.seconds else checkpoint())
        self._check("reserve")
        return await self.near.reserve(key, rates, need, now)

    def peek(self, *args):
        self._check("peek")
        return self.near.peek(*args)

    def settle(self, *args):
        self._check("settle")
        self.near.settle(*args)

    def observe(self, *args, **more):
        self._check("observe")
        self.near.observe(*args, **more)


class TestFarStore:
    @pytest.mark.anyio
    async def test_it_is_asked_by_one_call_at_a_time_in_their_order(self):
        store = Far(seconds=0.01)
        provider = limited(store=store, seconds=1, requests_per_minute=60, requests_burst=3)

        ended = await together(5, provider.generate, "hi")

        assert ended == sorted(ended)
        assert ended[2] == pytest.approx(1.03)
        assert ended[4] == pytest.approx(3, abs=0.1)

    @pytest.mark.anyio
    async def test_without_rates_it_is_not_asked(self):
        store = Far()
        provider = limited(store=store, max_running=2)

        await provider.generate("hi")

        assert store.asked == 0

    @pytest.mark.anyio
    async def test_the_pace_is_kept_here(self):
        error = RateLimitError("slow down", sent=True)
        provider = limited(error, "ho", store=Far(), adaptive=True, requests_per_minute=10**6)
        with pytest.raises(RateLimitError):
            await provider.generate("hi")

        ended = await together(3, provider.generate, "hi")

        assert ended[-1] > ended[0] > 0

    @pytest.mark.anyio
    @pytest.mark.parametrize("what", ["reserve", "settle", "observe"])
    async def test_one_that_fails_fails_no_call(self, what):
        store = Far(fails={what})
        inner = Telling(told(5, 60))
        provider = limited(inner=inner, store=store, requests_per_minute=60, tokens_per_minute=600)

        answer = await provider.generate("hi", max_tokens=50)

        notes = [it.reason for it in answer.attempts if it.outcome is Outcome.NOTED]
        assert notes == ["the rate store failed: OSError"]
        assert idle(provider)

    @pytest.mark.anyio
    async def test_one_that_cannot_be_peeked_at_refuses_nobody(self):
        provider = limited(
            store=Far(fails={"peek"}), seconds=1, requests_per_minute=60, max_running=1
        )

        assert await together(3, provider.generate, "hi") == [1, 2, 3]

    @pytest.mark.anyio
    async def test_one_that_is_slow_is_left_out(self):
        store = Far(seconds=60)
        provider = limited(store=store, requests_per_minute=60)

        assert await timed(provider.generate, "hi") == pytest.approx(PATIENCE)
        answer = await provider.generate("hi")
        assert f"more than {PATIENCE:g} s" in answer.attempts[0].reason
        assert idle(provider)

    @pytest.mark.anyio
    async def test_a_failing_one_still_limits_how_many_run(self):
        provider = limited(
            store=Far(fails={"reserve", "settle", "observe", "peek"}),
            seconds=1,
            requests_per_minute=60,
            max_running=2,
        )

        assert await together(4, provider.generate, "hi") == [1, 1, 2, 2]

    @pytest.mark.anyio
    async def test_a_change_while_it_is_asked_is_not_missed(self):
        class Stubborn(Far):
            async def reserve(self, key, rates, need, now):
                self.asked += 1
                if self.asked == 2:
                    # While this is asked, all that runs ends; the answer is of before.
                    await anyio.sleep(0.2)
                    return 1000.0
                return 0.0

        store = Stubborn()
        provider = limited(store=store, seconds=0.1, requests_per_minute=60)

        assert max(await together(2, provider.generate, "hi")) == pytest.approx(0.3)


class TestDoors:
    @pytest.mark.parametrize("value", [True, "2", math.nan, 0, -1, math.inf, [1]])
    @pytest.mark.parametrize("name", ["requests_per_minute", "tokens_per_minute"])
    def test_a_rate_is_a_number(self, name, value):
        with pytest.raises(ConfigurationError, match=f"^{name} must be"):
            LimitOptions(**{name: value})

    @pytest.mark.parametrize("value", [True, "2", 1.5, -1, [1]])
    @pytest.mark.parametrize(
        "name", ["requests_burst", "tokens_burst", "max_running", "max_queued"]
    )
    def test_counts_are_counts(self, name, value):
        with pytest.raises(ConfigurationError, match=f"^{name} must be"):
            LimitOptions(requests_per_minute=1, tokens_per_minute=1, **{name: value})

    @pytest.mark.parametrize("name", ["requests_burst", "tokens_burst", "max_running"])
    def test_nothing_at_all_is_no_limit(self, name):
        with pytest.raises(ConfigurationError, match=f"^{name} must be at least 1"):
            LimitOptions(requests_per_minute=1, tokens_per_minute=1, **{name: 0})

    @pytest.mark.parametrize("kind", ["requests", "tokens"])
    def test_a_burst_is_one_of_a_rate(self, kind):
        with pytest.raises(ConfigurationError, match=f"{kind}_burst needs {kind}_per_minute"):
            LimitOptions(**{f"{kind}_burst": 5})

    @pytest.mark.parametrize("name", ["learn", "adaptive"])
    def test_switches_are_on_or_off(self, name):
        with pytest.raises(ConfigurationError, match=f"{name} must be True or False, not 1"):
            LimitOptions(**{name: 1})

    def test_options_and_key_are_of_their_kind(self):
        with pytest.raises(ConfigurationError, match="options must be of LimitOptions"):
            LimitProvider(Scripted("ho"), options={"max_running": 1})
        with pytest.raises(ConfigurationError, match="key must be of str"):
            LimitProvider(Scripted("ho"), key=5)

    def test_it_reads_as_it_was_built(self):
        options = LimitOptions(max_running=3)

        assert repr(LimitProvider(Scripted("ho"))) == "LimitProvider(<Scripted scripted:m>)"
        assert repr(LimitProvider(Scripted("ho"), options=options)) == (
            f"LimitProvider(<Scripted scripted:m>, options={options})"
        )


class Bounded(Decorator):
    def __init__(self, bounds):
        super().__init__(Scripted("ho"))
        self._bounds = bounds

    def bounds(self, operation):
        return self._bounds


def test_at_worst_it_waits_until_the_deadline():
    once = Bounds.once(Amounts(seconds=5.0))

    def told_of(bounds, **options):
        return limited(inner=Bounded(bounds), **options).bounds(Operation.GENERATE)

    assert told_of(once) == replace(once, waits=math.inf)
    assert told_of(once, max_queued=0) == once
    assert told_of(UNKNOWN) == UNKNOWN


def test_it_has_its_layer():
    assert LimitProvider.layer == "limits"


@pytest.mark.anyio
async def test_what_is_no_error_of_a_provider_passes_and_frees_its_place():
    provider = limited(ZeroDivisionError("oops"), max_running=1, requests_per_minute=60)
    with pytest.raises(ZeroDivisionError):
        await provider.generate("hi")

    assert idle(provider)


@pytest.mark.anyio
async def test_what_cannot_be_answered_is_not_waited_for():
    inner = Scripted("ho", tools=False)

    class Refusing(Decorator):
        async def handle(self, call):
            raise UnsupportedOperationError("no tools")

    provider = limited(inner=Refusing(inner), requests_per_minute=1, requests_burst=1)
    lane = provider._lane(generating())
    call = Call.generate("hi", {"tools": [Tool("add", "adds", {})]}, loop_clock())
    assert lane.starts(call, lane.ticket(call, provider.model))

    with pytest.raises(UnsupportedOperationError):
        await call.on(provider)
