import anyio
import pytest

from fairlead.core.errors import (
    AuthenticationError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from fairlead.core.events import TextDelta
from fairlead.core.journal import Outcome
from fairlead.core.refusals import CircuitOpenError
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.circuit import BreakerOptions, State
from tests.unit.core.fakes import END, WAIT, Scripted, Source, embedding, generating

HI = TextDelta("hi")


def guarded(*script, threshold=2, counts=None, listeners=(), **known):
    return CircuitBreakerProvider(
        Scripted(*script, **known),
        options=BreakerOptions(failure_threshold=threshold),
        counts=counts,
        random=lambda: 0.5,
        listeners=tuple(listeners),
    )


async def fail(provider, times=1, **options):
    for _ in range(times):
        with pytest.raises(ProviderError):
            await provider.generate("hi", **options)


async def half_open(*script, **options):
    """Opened by two failures and old enough for a probe, which finds *script*."""
    provider = guarded(lambda: ServerError("oops"), **options)
    await fail(provider, 2)
    provider.inner.script = list(script)
    await anyio.sleep(30)
    return provider


@pytest.mark.anyio
async def test_counted_failures_open_it_and_nothing_more_is_sent():
    provider = guarded(lambda: ServerError("oops"))
    await fail(provider, 2)

    with pytest.raises(CircuitOpenError, match="scripted has failed too often") as caught:
        await provider.generate("hi")

    error = caught.value
    assert len(provider.inner.asked) == 2
    assert (error.retry_after, error.sent, error.provider, error.model) == (
        30.0,
        False,
        "scripted",
        "m",
    )


@pytest.mark.anyio
async def test_a_refusal_is_told_in_the_journal():
    provider = guarded("ho")
    provider.breaker().isolate()
    call = generating()

    with pytest.raises(CircuitOpenError, match=r"isolated: .* taken out by hand") as caught:
        await call.on(provider)

    [skipped] = call.journal
    assert (skipped.outcome, skipped.error) == (Outcome.SKIPPED, "CircuitOpenError")
    assert caught.value.journal is call.journal
    assert caught.value.retry_after is None


@pytest.mark.anyio
@pytest.mark.parametrize("error", [RateLimitError, AuthenticationError])
async def test_failures_that_are_not_the_targets_do_not_count(error):
    provider = guarded(lambda: error("no"))

    await fail(provider, 9)

    assert provider.breaker().state is State.CLOSED


@pytest.mark.anyio
async def test_what_does_not_count_neither_ends_a_row_of_failures():
    provider = guarded(ServerError("oops"), RateLimitError("slow"), ServerError("oops"))

    await fail(provider, 3)

    assert provider.breaker().state is State.OPEN


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error, wish, state",
    [
        (RateLimitError, True, State.OPEN),
        (ServerError, False, State.CLOSED),
        (ServerError, None, State.OPEN),
        (RateLimitError, None, State.CLOSED),
    ],
)
async def test_a_predicate_overrides_the_verdict_unless_it_has_no_opinion(error, wish, state):
    provider = guarded(lambda: error("no"), counts=lambda _: wish)

    await fail(provider, 2)

    assert provider.breaker().state is state


@pytest.mark.anyio
async def test_a_success_ends_a_row_of_failures():
    provider = guarded(ServerError("oops"), "ho", ServerError("oops"))

    await fail(provider)
    await provider.generate("hi")
    await fail(provider)

    assert provider.breaker().state is State.CLOSED


@pytest.mark.anyio
@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit])
async def test_what_is_no_error_of_a_provider_does_not_vote(error):
    provider = await half_open(error)

    with pytest.raises(error):
        await provider.generate("hi")

    assert provider.breaker().state is State.HALF_OPEN
    assert provider.breaker().peek(anyio.current_time()) == 0.0


@pytest.mark.anyio
async def test_it_recovers_by_two_probes():
    provider = await half_open("ho")

    assert [await provider.generate("hi"), await provider.generate("hi")] == ["ho", "ho"]
    assert provider.breaker().state is State.CLOSED


@pytest.mark.anyio
async def test_a_failed_probe_opens_it_again():
    provider = await half_open(lambda: ServerError("oops"))

    await fail(provider)

    with pytest.raises(CircuitOpenError) as caught:
        await provider.generate("hi")
    assert caught.value.retry_after == 60.0


@pytest.mark.anyio
async def test_the_servers_word_lengthens_the_time():
    provider = guarded(lambda: OverloadedError("busy", retry_after=100.0))

    await fail(provider, 2)

    assert provider.breaker().peek(anyio.current_time()) == 100.0


@pytest.mark.anyio
async def test_one_probe_at_a_time():
    provider = await half_open("ho")
    provider.inner.seconds = 5
    async with anyio.create_task_group() as group:
        group.start_soon(provider.generate, "hi")
        await anyio.wait_all_tasks_blocked()

        with pytest.raises(CircuitOpenError) as caught:
            await provider.generate("hi")

    assert caught.value.retry_after is None
    assert len(provider.inner.asked) == 3


@pytest.mark.anyio
async def test_a_cancelled_probe_releases_its_permit_without_a_verdict():
    provider = await half_open("ho")
    provider.inner.seconds = 5

    with anyio.move_on_after(1):
        await provider.generate("hi")

    assert provider.breaker().state is State.HALF_OPEN
    assert provider.breaker().peek(anyio.current_time()) == 0.0


@pytest.mark.anyio
async def test_an_uncounted_probe_releases_its_permit_without_a_verdict():
    provider = await half_open(lambda: RateLimitError("slow"))

    await fail(provider, 3)

    assert provider.breaker().state is State.HALF_OPEN
    assert provider.breaker().peek(anyio.current_time()) == 0.0


@pytest.mark.anyio
async def test_a_predicate_that_raises_keeps_no_permit():
    provider = await half_open(lambda: ServerError("oops"))
    provider._counts = lambda _: 1 / 0

    with pytest.raises(ZeroDivisionError):
        await provider.generate("hi")

    assert provider.breaker().peek(anyio.current_time()) == 0.0


# Streams.


def stream(*batches):
    return lambda: Source(*batches)


@pytest.mark.anyio
async def test_a_stream_votes_when_it_is_closed():
    provider = guarded(stream([HI], OverloadedError("busy")), threshold=1)

    opened = await provider.generate_stream("hi")
    assert provider.breaker().state is State.CLOSED
    with pytest.raises(StreamInterruptedError):
        await opened.collect()

    assert provider.breaker().state is State.OPEN


@pytest.mark.anyio
async def test_a_stream_that_cannot_be_opened_votes_at_once():
    provider = guarded(stream(OverloadedError("busy")), threshold=1)

    with pytest.raises(OverloadedError):
        await provider.generate_stream("hi")

    assert provider.breaker().state is State.OPEN


@pytest.mark.anyio
async def test_a_whole_stream_is_a_success():
    provider = guarded(ServerError("oops"), stream([HI], [END]), ServerError("oops"))

    await fail(provider)
    await provider.generate_stream("hi").collect()
    await fail(provider)

    assert provider.breaker().state is State.CLOSED


@pytest.mark.anyio
@pytest.mark.parametrize("leave", ["close", "cancel", "drop"])
async def test_a_stream_that_is_left_does_not_vote(leave):
    provider = guarded(ServerError("oops"), stream([HI], WAIT), ServerError("oops"))

    await fail(provider)
    opened = await provider.generate_stream("hi")
    if leave == "close":
        await opened.aclose()
    elif leave == "cancel":
        opened.cancel()
    del opened
    await fail(provider)

    assert provider.breaker().state is State.OPEN


@pytest.mark.anyio
async def test_the_first_content_of_a_probe_frees_its_place_and_only_its_close_counts():
    provider = await half_open(stream([HI], [END]))
    breaker = provider.breaker()

    first = await provider.generate_stream("hi")
    second = await provider.generate_stream("hi")
    assert breaker.peek(anyio.current_time()) == 0.0
    assert breaker.state is State.HALF_OPEN
    await first.collect()
    assert breaker.state is State.HALF_OPEN
    await second.collect()
    assert breaker.state is State.CLOSED


@pytest.mark.anyio
async def test_a_probe_that_breaks_after_its_first_content_opens_it_again():
    provider = await half_open(stream([HI], OverloadedError("busy")))

    with pytest.raises(StreamInterruptedError):
        await provider.generate_stream("hi").collect()

    assert provider.breaker().state is State.OPEN


@pytest.mark.anyio
async def test_an_interruption_that_does_not_count_leaves_a_probe_without_a_verdict():
    provider = await half_open(stream([HI], RateLimitError("slow")))

    with pytest.raises(StreamInterruptedError):
        await provider.generate_stream("hi").collect()

    assert provider.breaker().state is State.HALF_OPEN


@pytest.mark.anyio
async def test_a_stream_that_ends_after_a_transition_says_nothing():
    provider = guarded(stream([HI], OverloadedError("busy")), lambda: ServerError("oops"))
    opened = await provider.generate_stream("hi")
    await fail(provider, 2)
    waits = provider.breaker().peek(anyio.current_time())

    with pytest.raises(StreamInterruptedError):
        await opened.collect()

    assert provider.breaker().peek(anyio.current_time()) == waits


# One breaker for each model.


@pytest.mark.anyio
async def test_each_model_has_a_breaker_of_its_own():
    provider = guarded(lambda: ServerError("oops"))

    await fail(provider, 2, model="other")

    assert provider.breaker("other").state is State.OPEN
    assert provider.breaker().state is State.CLOSED


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["m", "scripted:m", "scripted/m"])
async def test_its_own_model_has_one_however_it_is_named(name):
    provider = guarded(lambda: ServerError("oops"))

    await fail(provider)
    await fail(provider, model=name)

    assert provider.breaker().state is State.OPEN
    assert provider.breaker("m") is provider.breaker()


@pytest.mark.anyio
async def test_what_embeds_fails_apart_from_what_answers():
    provider = guarded(lambda: ServerError("oops"), embedding_model="e")

    for _ in range(2):
        with pytest.raises(ServerError):
            await provider.embed("hi")

    assert provider.breaker("e").state is State.OPEN
    assert provider.breaker().state is State.CLOSED


@pytest.mark.anyio
async def test_the_number_of_breakers_is_bounded_and_those_in_use_are_kept():
    provider = guarded(lambda: ServerError("oops"), threshold=1)
    await fail(provider)

    for number in range(500):
        await fail(provider, model=f"model-{number}")
        assert provider.breaker().state is State.OPEN

    assert len(provider._own) == 256


# Its plan.


def planned(provider, call=None):
    [target] = provider.plan(call or generating(clock=anyio.current_time))
    return target


@pytest.mark.anyio
async def test_the_plan_refuses_while_it_is_open_and_changes_nothing():
    provider = guarded(lambda: ServerError("oops"))
    assert planned(provider).refuses is None
    assert not len(provider._own)

    await fail(provider, 2)
    await anyio.sleep(10)

    target = planned(provider)
    assert (target.refuses, target.retry_after) == ("the circuit is open", 20.0)
    assert provider.breaker().state is State.OPEN


@pytest.mark.anyio
async def test_the_plan_lets_a_probe_through_when_its_time_has_come():
    provider = await half_open("ho")

    assert planned(provider).refuses is None
    assert provider.breaker().state is State.OPEN


@pytest.mark.anyio
async def test_the_plan_refuses_while_a_probe_is_under_way():
    provider = await half_open("ho")
    permit = provider.breaker().acquire(anyio.current_time())

    assert planned(provider).refuses == "the circuit is half-open"
    assert planned(provider).retry_after is None
    provider.breaker().release(permit)
    assert planned(provider).refuses is None


@pytest.mark.anyio
async def test_the_plan_is_that_of_the_model_that_is_asked():
    provider = guarded(lambda: ServerError("oops"))
    await fail(provider, 2, model="other")

    clock = anyio.current_time
    assert planned(provider, generating(clock=clock, model="other")).refuses
    assert planned(provider, generating(clock=clock)).refuses is None
    assert planned(provider, embedding(clock=clock, model="other")).refuses


@pytest.mark.anyio
async def test_transitions_are_told():
    told = []
    provider = guarded(lambda: ServerError("oops"), listeners=[told.append])

    await fail(provider, 2)

    assert [transition.after for transition in told] == [State.OPEN]
