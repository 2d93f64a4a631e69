import anyio
import pytest

from fairlead.core.errors import AllTargetsFailedError, ProviderTimeoutError, ServerError
from fairlead.core.events import StreamStart, TextDelta
from fairlead.core.journal import Outcome
from fairlead.core.limits import TimeLimits
from fairlead.core.refusals import DeadlineExceededError
from fairlead.decorators.attempt import AttemptTimeoutProvider
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.circuit import BreakerOptions, State
from fairlead.decorators.deadline import DeadlineProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.retry import RetryProvider
from tests.unit.core.fakes import END, WAIT, Scripted, Source, generating, without_gc


def slow(seconds, **known):
    return Scripted("ho", seconds=seconds, **known)


def limited(inner, **limits):
    return AttemptTimeoutProvider(inner, limits=TimeLimits(**limits))


async def elapsed(awaitable):
    began = anyio.current_time()
    try:
        answer = await awaitable
    except Exception as error:
        answer = error
    return round(anyio.current_time() - began, 6), answer


# One attempt.


@pytest.mark.anyio
async def test_what_answers_in_time_is_left_alone():
    assert await elapsed(limited(slow(599)).generate("hi")) == (599.0, "ho")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "ask",
    [
        lambda provider: provider.generate("hi"),
        lambda provider: provider.embed("hi", model="e"),
        lambda provider: provider.embed_batch(["hi"], model="e"),
    ],
)
async def test_an_attempt_ends_with_its_limit(ask):
    seconds, error = await elapsed(ask(limited(slow(99), total=7)))

    assert (seconds, type(error)) == (7.0, ProviderTimeoutError)
    assert error.message == "no answer in time: 7 s"
    assert (error.limit, error.provider, error.sent) == (7, "scripted", None)


@pytest.mark.anyio
async def test_an_attempt_that_ran_out_of_time_is_told_in_the_journal():
    _, error = await elapsed(limited(slow(99), total=7).generate("hi"))

    [attempt] = error.attempts
    assert (attempt.outcome, round(attempt.seconds, 6)) == (Outcome.FAILED, 7.0)
    assert (attempt.error, attempt.reason) == ("ProviderTimeoutError", "no answer in time: 7 s")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "options, known, seconds",
    [
        ({}, {}, 120),
        ({"reasoning_effort": "none"}, {}, 120),
        ({"reasoning_effort": "low"}, {}, 600),
        ({}, {"reasoning": True}, 600),
        ({}, {"reasoning": False}, 120),
    ],
)
async def test_the_first_content_of_a_stream_has_a_limit_of_its_own(options, known, seconds):
    provider = AttemptTimeoutProvider(Scripted(lambda: Source([StreamStart()], WAIT), **known))

    took, error = await elapsed(provider.generate_stream("hi", **options).collect())

    assert (took, error.message) == (seconds, f"no first content in time: {seconds} s")


@pytest.mark.anyio
async def test_a_source_whose_first_content_is_late_is_aborted():
    source = Source([StreamStart()], WAIT)

    await elapsed(limited(Scripted(source), first_content=3).generate_stream("hi").collect())

    assert source.aborted


@pytest.mark.anyio
async def test_the_time_that_a_reader_takes_does_not_count():
    inner = Scripted(lambda: Source([TextDelta("a")], [TextDelta("b")], [END]))
    texts = []

    async for text in limited(inner, first_content=3, total=3).generate_stream("hi"):
        await anyio.sleep(1000)
        texts.append(text)

    assert texts == ["a", "b"]


@pytest.mark.anyio
@pytest.mark.parametrize("own, timeout, ends", [(7, 3, 3), (3, 7, 3), (None, 5, 5)])
async def test_the_limit_is_the_least_of_its_own_and_of_what_is_left(own, timeout, ends):
    seconds, error = await elapsed(limited(slow(99), total=own).generate("hi", timeout=timeout))

    assert (seconds, round(error.limit, 6)) == (ends, ends)


@pytest.mark.anyio
async def test_without_any_limit_it_takes_what_it_takes():
    assert await elapsed(limited(slow(9999), total=None).generate("hi")) == (9999.0, "ho")


@pytest.mark.anyio
async def test_nothing_is_asked_when_no_time_is_left():
    inner = slow(1)
    call = generating(clock=anyio.current_time, timeout=2)
    await anyio.sleep(2)

    with pytest.raises(ProviderTimeoutError) as caught:
        await call.on(limited(inner))

    assert inner.asked == []
    assert (caught.value.limit, caught.value.sent) == (0.0, False)
    assert caught.value.journal is call.journal
    assert (caught.value.provider, caught.value.model) == ("scripted", "m")
    assert [(it.outcome, it.error) for it in call.journal] == [
        (Outcome.SKIPPED, "ProviderTimeoutError")
    ]


@pytest.mark.anyio
async def test_whether_something_was_sent_in_a_short_time_nobody_knows():
    _, error = await elapsed(limited(slow(9), total=0.5).generate("hi"))

    assert (error.limit, error.sent) == (0.5, None)


@pytest.mark.anyio
async def test_the_callers_own_cancellation_is_no_timeout():
    with anyio.move_on_after(2) as scope:
        await limited(slow(99), total=7).generate("hi")

    assert scope.cancelled_caught


@pytest.mark.anyio
@pytest.mark.parametrize("timeout, state", [(4.9, State.CLOSED), (5.0, State.OPEN)])
async def test_a_target_that_was_given_little_time_is_not_blamed(timeout, state):
    breaker = CircuitBreakerProvider(
        AttemptTimeoutProvider(slow(99)), options=BreakerOptions(failure_threshold=1)
    )

    await elapsed(breaker.generate("hi", timeout=timeout))

    assert breaker.breaker().state is state


# The whole call.


@pytest.mark.anyio
async def test_a_call_is_over_when_its_time_is():
    provider = DeadlineProvider(AttemptTimeoutProvider(slow(99)), total=7)

    seconds, error = await elapsed(provider.generate("hi"))

    assert (seconds, type(error)) == (7.0, DeadlineExceededError)
    assert isinstance(error.__cause__, ProviderTimeoutError)
    assert (error.provider, error.sent) == ("scripted", True)
    assert "at last: no answer in time: 7 s" in error.message
    assert [attempt.outcome for attempt in error.attempts] == [Outcome.FAILED]


@pytest.mark.anyio
async def test_the_option_takes_the_place_of_what_was_configured():
    provider = DeadlineProvider(AttemptTimeoutProvider(slow(99)), total=7)

    assert (await elapsed(provider.generate("hi", timeout=3)))[0] == 3.0
    assert (await elapsed(provider.generate("hi", timeout=50)))[0] == 50.0


@pytest.mark.anyio
async def test_an_infinite_timeout_takes_the_limit_away():
    provider = DeadlineProvider(slow(99_999), total=7)

    assert await elapsed(provider.generate("hi", timeout=float("inf"))) == (99_999.0, "ho")


@pytest.mark.anyio
async def test_600_seconds_are_the_default_and_streams_have_none():
    provider = DeadlineProvider(
        AttemptTimeoutProvider(
            Scripted("ho", seconds=9999), limits=TimeLimits(total=None, first_content=None)
        )
    )

    assert (await elapsed(provider.generate("hi")))[0] == 600.0
    assert await elapsed(provider.generate_stream("hi").collect()) == (9999.0, "ho")


@pytest.mark.anyio
async def test_the_opening_of_a_stream_may_have_an_end():
    provider = DeadlineProvider(
        AttemptTimeoutProvider(Scripted(lambda: Source([StreamStart()], WAIT))), opening=5
    )

    seconds, error = await elapsed(provider.generate_stream("hi").collect())

    assert (seconds, type(error)) == (5.0, DeadlineExceededError)


@pytest.mark.anyio
async def test_attempts_share_the_time_of_the_call():
    inner = slow(4)
    inner.script = [ServerError("oops")]
    provider = DeadlineProvider(
        RetryProvider(AttemptTimeoutProvider(inner), max_retries=9, random=lambda: 0.0), total=10
    )

    seconds, error = await elapsed(provider.generate("hi"))

    assert (seconds, type(error)) == (10.0, DeadlineExceededError)
    assert len(inner.asked) == 3


@pytest.mark.anyio
async def test_an_error_of_another_kind_at_the_end_is_left_as_it_is():
    class KeepsTime(Scripted):
        limits = TimeLimits()

    inner = KeepsTime(ServerError("oops"), seconds=7)

    _, error = await elapsed(DeadlineProvider(inner, total=7).generate("hi"))

    assert type(error) is ServerError


@pytest.mark.anyio
async def test_a_timeout_before_the_end_is_left_as_it_is():
    provider = DeadlineProvider(limited(slow(99), total=3), total=7)

    assert type((await elapsed(provider.generate("hi")))[1]) is ProviderTimeoutError


@pytest.mark.anyio
async def test_a_chain_that_ran_out_of_time_is_over_its_deadline():
    chain = FallbackProvider(
        [limited(slow(99, name="a"), total=6), limited(slow(99, name="b"), total=6), slow(1)]
    )

    seconds, error = await elapsed(DeadlineProvider(chain, total=10).generate("hi"))

    assert (seconds, type(error)) == (10.0, DeadlineExceededError)
    assert isinstance(error.__cause__, AllTargetsFailedError)


@pytest.mark.anyio
async def test_a_call_that_is_over_leaves_no_garbage():
    import weakref

    provider = DeadlineProvider(AttemptTimeoutProvider(slow(99)), total=7)
    with without_gc():
        try:
            await provider.generate("hi")
        except DeadlineExceededError as error:
            reference = weakref.ref(error)

        assert reference() is None
