import anyio
import pytest

from fairlead.core.errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidRequestError,
    OverloadedError,
    ProviderTimeoutError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from fairlead.core.events import StreamStart, TextDelta
from fairlead.core.journal import Outcome
from fairlead.decorators.backoff import Backoff
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.circuit import BreakerOptions
from fairlead.decorators.retry import RetryProvider
from tests.unit.core.fakes import END, Scripted, Source, generating


def retrying(*script, random=lambda: 1.0, **options):
    return RetryProvider(Scripted(*script), random=random, **options)


async def elapsed(provider, **options):
    """How long a call takes, and what comes of it."""
    began = anyio.current_time()
    try:
        answer = await provider.generate("hi", **options)
    except Exception as error:
        answer = error
    return round(anyio.current_time() - began, 6), answer


def waits(journal):
    return [attempt.seconds for attempt in journal if attempt.outcome is Outcome.WAITED]


@pytest.mark.anyio
async def test_what_succeeds_is_asked_once():
    provider = retrying("ho")

    assert await provider.generate("hi") == "ho"
    assert len(provider.inner.asked) == 1


@pytest.mark.anyio
async def test_a_passing_failure_is_repeated_until_it_has_passed():
    provider = retrying(OverloadedError("busy"), ServerError("oops"), "ho")

    seconds, answer = await elapsed(provider)

    assert (seconds, answer) == (0.5 + 1.0, "ho")
    assert len(provider.inner.asked) == 3


@pytest.mark.anyio
@pytest.mark.parametrize("max_retries, asked", [(0, 1), (1, 2), (2, 3), (5, 6)])
async def test_max_retries_counts_repeats(max_retries, asked):
    provider = retrying(lambda: ServerError("oops"), max_retries=max_retries)

    _, error = await elapsed(provider)

    assert isinstance(error, ServerError)
    assert len(provider.inner.asked) == asked


@pytest.mark.anyio
async def test_two_repeats_are_the_default():
    provider = retrying(lambda: ServerError("oops"))

    await elapsed(provider)

    assert len(provider.inner.asked) == 3


def test_fewer_than_no_repeats_make_no_sense():
    with pytest.raises(ConfigurationError, match="counts repeats"):
        RetryProvider(Scripted("ho"), max_retries=-1)


@pytest.mark.anyio
@pytest.mark.parametrize("error", [InvalidRequestError("no"), AuthenticationError("no")])
async def test_what_does_not_pass_is_not_repeated(error):
    provider = retrying(error)

    assert await elapsed(provider) == (0.0, error)
    assert len(provider.inner.asked) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("stop", [KeyboardInterrupt, ZeroDivisionError])
async def test_what_is_no_error_of_a_provider_passes_untouched(stop):
    class Stop(BaseException):
        pass

    error = Stop() if stop is KeyboardInterrupt else stop()
    provider = retrying(error)

    with pytest.raises(type(error)):
        await provider.generate("hi")
    assert len(provider.inner.asked) == 1


@pytest.mark.anyio
async def test_the_wait_is_jittered_by_the_given_random():
    provider = retrying(ServerError("oops"), "ho", random=lambda: 0.25)

    assert await elapsed(provider) == (0.125, "ho")


@pytest.mark.anyio
async def test_a_throttled_call_waits_longer():
    provider = retrying(RateLimitError("slow"), RateLimitError("slow"), "ho")

    assert await elapsed(provider) == (1.0 + 2.0, "ho")


@pytest.mark.anyio
@pytest.mark.parametrize("error", [RateLimitError, ServerError])
@pytest.mark.parametrize("random, waited", [(0.0, 7.0), (0.5, 7.35), (1.0, 7.7)])
async def test_the_vendors_wait_is_a_minimum_with_a_tenth_of_jitter(error, random, waited):
    provider = retrying(error("slow", retry_after=7.0), "ho", random=lambda: random)

    seconds, answer = await elapsed(provider)

    assert (pytest.approx(seconds), answer) == (waited, "ho")


@pytest.mark.anyio
async def test_the_vendors_wait_does_not_shorten_ours():
    provider = retrying(RateLimitError("slow", retry_after=0.1), "ho")

    assert await elapsed(provider) == (1.0, "ho")


@pytest.mark.anyio
@pytest.mark.parametrize("retry_after, asked", [(60.0, 2), (60.1, 1)])
async def test_a_wait_beyond_the_longest_is_raised_and_not_waited_for(retry_after, asked):
    provider = retrying(RateLimitError("slow", retry_after=retry_after), "ho", random=lambda: 0.0)

    seconds, answer = await elapsed(provider)

    assert len(provider.inner.asked) == asked
    if asked == 1:
        assert (seconds, answer.retry_after) == (0.0, retry_after)


@pytest.mark.anyio
@pytest.mark.parametrize("timeout, asked", [(7.1, 2), (7.0, 1), (1.0, 1)])
async def test_a_wait_that_does_not_fit_the_deadline_is_not_waited_for(timeout, asked):
    provider = retrying(RateLimitError("slow", retry_after=7.0), "ho", random=lambda: 0.0)

    seconds, _ = await elapsed(provider, timeout=timeout)

    assert len(provider.inner.asked) == asked
    assert seconds == (7.0 if asked == 2 else 0.0)


@pytest.mark.anyio
@pytest.mark.parametrize("sent, asked", [(True, 2), (None, 2), (False, 3)])
async def test_what_may_have_been_billed_is_repeated_at_most_once(sent, asked):
    provider = retrying(lambda: ProviderTimeoutError("late", sent=sent))

    _, error = await elapsed(provider)

    assert isinstance(error, ProviderTimeoutError)
    assert len(provider.inner.asked) == asked


@pytest.mark.anyio
async def test_a_failure_between_two_timeouts_does_not_allow_a_third_request():
    late = ProviderTimeoutError("late", sent=True)
    provider = retrying(late, ServerError("oops"), late, "ho", max_retries=9)

    assert (await elapsed(provider))[1] is late
    assert len(provider.inner.asked) == 3


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error, asked",
    [
        (InvalidRequestError("no", should_retry=True), 3),
        (ServerError("oops", should_retry=False), 1),
        (RateLimitError("slow", should_retry=False), 1),
    ],
)
async def test_the_vendors_word_on_repeating_is_obeyed(error, asked):
    provider = retrying(lambda: error)

    await elapsed(provider)

    assert len(provider.inner.asked) == asked


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error, wish, asked",
    [
        (InvalidRequestError("no"), True, 3),
        (AuthenticationError("no"), True, 3),
        (ProviderTimeoutError("late", sent=True), True, 3),
        (RateLimitError("slow"), True, 3),
        (ServerError("oops"), False, 1),
        (ServerError("oops"), None, 3),
        (InvalidRequestError("no"), None, 1),
    ],
)
async def test_a_predicate_overrides_the_verdict_unless_it_has_no_opinion(error, wish, asked):
    provider = retrying(lambda: error, retry_on=lambda _: wish)

    await elapsed(provider)

    assert len(provider.inner.asked) == asked


@pytest.mark.anyio
async def test_a_predicate_does_not_make_a_throttled_call_wait_less():
    provider = retrying(RateLimitError("slow"), "ho", retry_on=lambda _: True)

    assert await elapsed(provider) == (1.0, "ho")


@pytest.mark.anyio
async def test_the_journal_says_what_was_waited_for():
    provider = retrying(ServerError("oops", provider="p"), "ho")

    answer = await provider.generate("hi", model="other")

    _failed, waited, _succeeded = answer.attempts
    assert [entry.outcome for entry in answer.attempts] == [
        Outcome.FAILED,
        Outcome.WAITED,
        Outcome.SUCCEEDED,
    ]
    assert (waited.provider, waited.model, waited.seconds) == ("scripted", "other", 0.5)
    assert waited.reason == "ServerError: oops"
    assert not waited.sent


@pytest.mark.anyio
async def test_nothing_is_repeated_once_the_attempts_are_used_up():
    provider = retrying(lambda: ServerError("oops"), max_retries=9)
    call = generating(clock=anyio.current_time).with_(attempt_limit=2)

    with pytest.raises(ServerError):
        await call.on(provider)

    assert len(provider.inner.asked) == 2
    assert len(waits(call.journal)) == 1


@pytest.mark.anyio
async def test_a_stream_is_repeated_before_its_commit():
    broken = [Source(OverloadedError("busy")), Source([StreamStart()])]
    provider = retrying(*broken, lambda: Source([TextDelta("ho")], [END]))

    async with provider.generate_stream("hi") as stream:
        assert [text async for text in stream] == ["ho"]

    assert all(source.aborted for source in broken)
    assert waits(stream.metadata.journal) == [0.5, 1.0]


@pytest.mark.anyio
async def test_a_stream_is_never_repeated_after_its_commit():
    provider = retrying(lambda: Source([TextDelta("h")], OverloadedError("busy")))

    with pytest.raises(StreamInterruptedError):
        await provider.generate_stream("hi").collect()

    assert len(provider.inner.asked) == 1


@pytest.mark.anyio
async def test_an_interrupted_stream_that_a_plain_call_collects_is_not_repeated():
    class Collecting(Scripted):
        async def _generate(self, call):
            return await (await self._open(call)).collect()

    inner = Collecting(lambda: Source([TextDelta("h")], OverloadedError("busy")))

    with pytest.raises(StreamInterruptedError):
        await RetryProvider(inner).generate("hi")

    assert len(inner.asked) == 1


@pytest.mark.anyio
async def test_embeddings_are_repeated_too():
    inner = Scripted(ServerError("oops"), "ok", embedding_model="e")

    assert await RetryProvider(inner).embed("four") == [4.0]
    assert len(inner.asked) == 2


@pytest.mark.parametrize(
    "option",
    ["initial_delay", "max_delay", "throttled_initial_delay", "throttled_max_delay"],
)
def test_a_negative_delay_makes_no_sense(option):
    with pytest.raises(ConfigurationError, match=f"{option} must be at least 0 seconds, not -1"):
        Backoff(**{option: -1})


def test_a_back_off_that_shrinks_makes_no_sense():
    with pytest.raises(ConfigurationError, match=r"exponential_base must be at least 1, not 0\.5"):
        Backoff(exponential_base=0.5)


@pytest.mark.anyio
async def test_a_back_off_without_jitter_is_exact():
    backoff = Backoff(initial_delay=3, exponential_base=10, max_delay=20, jitter=False)
    provider = retrying(lambda: ServerError("oops"), backoff=backoff, max_retries=3)

    seconds, _ = await elapsed(provider)

    assert seconds == 3 + 20 + 20


@pytest.mark.virtual_time
@pytest.mark.anyio
async def test_it_does_not_wait_for_a_circuit_that_its_own_attempt_opened():
    scripted = Scripted(ServerError("down"), ServerError("down"))
    breaker = CircuitBreakerProvider(scripted, options=BreakerOptions(failure_threshold=1))

    began = anyio.current_time()
    with pytest.raises(ServerError, match="down") as caught:
        await RetryProvider(breaker).generate("hi")

    assert anyio.current_time() == began
    assert "not to be asked for" in caught.value.attempts[-1].reason
