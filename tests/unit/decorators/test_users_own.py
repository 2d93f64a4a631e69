"""Users' own providers, and adapters without limits of their own, under policies built by hand."""

import asyncio

import anyio
import pytest

from fairlead.core.errors import AllTargetsFailedError, ProviderTimeoutError
from fairlead.core.events import TextDelta
from fairlead.core.journal import Outcome
from fairlead.core.refusals import DeadlineExceededError
from fairlead.core.results import FinishReason
from fairlead.decorators.attempt import AttemptTimeoutProvider
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.deadline import DeadlineProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.retry import RetryProvider
from tests.unit.core.fakes import WAIT, Scripted, Source


class Slow:
    """Takes its time, and no option at all."""

    def __init__(self):
        self.asked = 0
        self.closed = 0

    async def generate(self, prompt):
        self.asked += 1
        await anyio.sleep(100)
        return "late"

    async def generate_stream(self, prompt):
        self.asked += 1
        try:
            if prompt == "hi":
                yield "a"
            await anyio.sleep(100)
            yield "b"
        finally:
            self.closed += 1

    async def embed(self, text):
        self.asked += 1
        await anyio.sleep(100)
        return [1.0]


POLICIES = {
    "retry": lambda inner: RetryProvider(inner, max_retries=0),
    "breaker": CircuitBreakerProvider,
    "fallback": lambda inner: FallbackProvider([inner]),
    "deadline": DeadlineProvider,
    "attempt": AttemptTimeoutProvider,
}
ASKED = {
    "generate": lambda provider, **options: provider.generate("hi", **options),
    "stream": lambda provider, **options: provider.generate_stream("wait", **options).collect(),
    "embed": lambda provider, **options: provider.embed("hi", **options),
    "embed_batch": lambda provider, **options: provider.embed_batch(["hi", "ho"], **options),
}
each_policy = pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
each_operation = pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)


async def elapsed(awaitable):
    began = anyio.current_time()
    try:
        answer = await awaitable
    except Exception as error:
        answer = error
    return round(anyio.current_time() - began, 6), answer


# The option `timeout`, where their method does not take it.


@pytest.mark.anyio
@each_operation
@each_policy
async def test_a_timeout_ends_a_call_of_a_method_that_does_not_take_one(policy, ask):
    inner = Slow()

    seconds, error = await elapsed(ask(policy(inner), timeout=7))

    assert seconds == 7.0
    assert isinstance(error, (ProviderTimeoutError, DeadlineExceededError))
    assert inner.asked == 1


@pytest.mark.anyio
async def test_an_attempt_that_ran_out_of_time_is_one_entry():
    _, error = await elapsed(RetryProvider(Slow(), max_retries=0).generate("hi", timeout=7))

    [attempt] = error.attempts
    assert (attempt.outcome, attempt.error) == (Outcome.FAILED, "ProviderTimeoutError")
    assert (round(attempt.seconds, 6), attempt.reason) == (7.0, "no answer in time: 7 s")
    assert (error.provider, error.limit, error.sent) == ("Slow", 7.0, None)


@pytest.mark.anyio
async def test_a_generator_whose_time_is_over_is_finished():
    inner = Slow()

    await elapsed(RetryProvider(inner).generate_stream("wait", timeout=7).collect())

    assert inner.closed == 1


@pytest.mark.anyio
async def test_the_time_that_a_reader_takes_is_its_own():
    texts = []

    async for text in RetryProvider(Slow()).generate_stream("hi", timeout=7):
        await anyio.sleep(50)
        texts.append(text)

    assert texts == ["a", "b"]


@pytest.mark.anyio
async def test_a_repeat_and_another_target_get_what_is_left():
    inner = Slow()
    retry = RetryProvider(
        AttemptTimeoutProvider(inner), max_retries=3, random=lambda: 0.0, retry_on=lambda _: True
    )

    seconds, _ = await elapsed(FallbackProvider([retry, Slow()]).generate("hi", timeout=7))

    assert (seconds, inner.asked) == (7.0, 1)


@pytest.mark.anyio
async def test_a_target_that_takes_too_long_is_followed_by_the_next():
    class Quick:
        async def generate(self, prompt):
            return "ho"

    chain = FallbackProvider([AttemptTimeoutProvider(Slow()), Quick()])
    _, error = await elapsed(chain.generate("hi", timeout=7))
    assert type(error) is ProviderTimeoutError

    async def give_up(prompt):
        await anyio.sleep(2)
        raise TimeoutError("own limit")

    slow = Slow()
    slow.generate = give_up
    assert await elapsed(FallbackProvider([slow, Quick()]).generate("hi", timeout=7)) == (2.0, "ho")


@pytest.mark.anyio
async def test_a_chain_in_one_attempt_ends_with_it():
    from fairlead.core.limits import TimeLimits

    chain = FallbackProvider([Slow(), Slow()])
    limits = TimeLimits(total=5)

    seconds, error = await elapsed(AttemptTimeoutProvider(chain, limits=limits).generate("hi"))

    assert seconds == 5.0
    assert isinstance(error, (ProviderTimeoutError, AllTargetsFailedError))


# Adapters without limits of their own.


@pytest.mark.anyio
@each_policy
async def test_a_bare_adapter_is_cut_too(policy):
    seconds, error = await elapsed(policy(Scripted("ho", seconds=99)).generate("hi", timeout=7))

    assert seconds == 7.0
    assert isinstance(error, (ProviderTimeoutError, DeadlineExceededError))


@pytest.mark.anyio
@pytest.mark.parametrize("make", [Slow, lambda: Scripted("ho", seconds=99)])
async def test_a_deadline_alone_is_kept(make):
    seconds, error = await elapsed(DeadlineProvider(make(), total=7).generate("hi"))

    assert (seconds, type(error)) == (7.0, DeadlineExceededError)


@pytest.mark.anyio
async def test_an_opening_that_takes_too_long_closes_its_source():
    source = Source(WAIT)

    provider = DeadlineProvider(Scripted(source), opening=3)
    seconds, error = await elapsed(provider.generate_stream("hi").collect())

    assert (seconds, type(error), source.aborted) == (3.0, DeadlineExceededError, True)


@pytest.mark.anyio
async def test_an_open_stream_has_no_deadline():
    inner = Scripted(Source([TextDelta("a")], WAIT))
    stream = await DeadlineProvider(inner, opening=3).generate_stream("hi")

    with anyio.move_on_after(1000) as scope:
        await stream.collect()

    assert scope.cancelled_caught


# Whose cancellation it was.


@pytest.mark.anyio
@each_operation
async def test_the_callers_own_cancellation_is_no_timeout(ask):
    with anyio.move_on_after(3) as scope:
        await ask(RetryProvider(Slow()), timeout=7)

    assert scope.cancelled_caught


@pytest.mark.anyio
@each_operation
async def test_a_task_that_is_cancelled_is_cancelled(ask, anyio_backend_name):
    if anyio_backend_name != "asyncio":
        return
    loop = asyncio.get_running_loop()
    for after in (3, 7):
        task = loop.create_task(ask(RetryProvider(Slow(), max_retries=0), timeout=7))
        loop.call_at(loop.time() + after, task.cancel)

        await asyncio.wait([task])

        assert task.cancelled() or after == 7


@pytest.mark.anyio
async def test_a_reader_whose_task_is_cancelled_is_cancelled(anyio_backend_name):
    if anyio_backend_name != "asyncio":
        return
    inner = Slow()
    stream = await RetryProvider(inner).generate_stream("hi")
    task = asyncio.get_running_loop().create_task(stream.collect())
    await anyio.sleep(1)

    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert (inner.closed, stream.generation.finish_reason) == (1, FinishReason.CANCELLED)


# `cancel()` from another task.


@pytest.mark.anyio
@each_policy
@pytest.mark.parametrize("how", ["cancel", "aclose"])
async def test_a_generator_that_is_read_is_woken(policy, how):
    inner = Slow()
    words = []
    stream = await policy(inner).generate_stream("hi")

    async def read():
        words.extend([word async for word in stream])

    began = anyio.current_time()
    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await anyio.sleep(1)
        if how == "cancel":
            stream.cancel()
        else:
            await stream.aclose()

    assert anyio.current_time() - began == pytest.approx(1)
    assert (words, stream.generation) == (["a"], "a")
    assert inner.closed == 1
    assert [attempt.outcome for attempt in stream.generation.attempts] == [Outcome.ABANDONED]


@pytest.mark.anyio
async def test_a_stream_that_cancels_itself_ends():
    class Selfish(Slow):
        async def generate_stream(self, prompt):
            yield "a"
            self.stream.cancel()
            await anyio.sleep(100)
            yield "b"

    inner = Selfish()
    inner.stream = await RetryProvider(inner).generate_stream("hi")

    assert await elapsed(anext(inner.stream)) == (0.0, "a")
    seconds, error = await elapsed(anext(inner.stream))
    assert (seconds, type(error)) == (0.0, StopAsyncIteration)


@pytest.mark.anyio
async def test_an_iterator_that_is_no_generator_is_woken_and_closed():
    closed = []

    class Words:
        def __init__(self):
            self.words = ["a"]

        def __aiter__(self):
            return self

        async def __anext__(self):
            if self.words:
                return self.words.pop()
            await anyio.sleep(100)
            return "b"

        async def aclose(self):
            closed.append(anyio.current_time())

    class Provider:
        def generate_stream(self, prompt):
            return Words()

    stream = await RetryProvider(Provider()).generate_stream("hi")
    async with anyio.create_task_group() as group:
        group.start_soon(stream.collect)
        await anyio.sleep(1)
        stream.cancel()

    assert closed


@pytest.mark.anyio
async def test_a_cancelled_stream_is_not_read_again():
    stream = await RetryProvider(Slow()).generate_stream("hi")
    stream.cancel()

    assert [word async for word in stream] == []
