import contextlib
import itertools

import anyio
import pytest

from fairlead import (
    ConfigurationError,
    FallbackProvider,
    Generation,
    InvalidResponseError,
    OfflineProvider,
    OverloadedError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    Refusal,
    RetryProvider,
    ServerError,
    StreamInterruptedError,
    TextDelta,
    TimeLimits,
    ToolCall,
    Use,
    default_pipeline,
)
from fairlead.core.bounds import bounds_of
from fairlead.core.journal import Outcome
from fairlead.decorators.attempt import AttemptTimeoutProvider
from fairlead.decorators.faults import Fault, FaultsProvider, RandomFaults
from fairlead.testing import ScriptedProvider
from tests.unit.core.fakes import (
    END,
    WAIT,
    Scripted,
    Source,
    cancelled_at,
    ways,
    words,
)

pytestmark = pytest.mark.anyio

SAID = "on purpose"


def faulty(*faults, answer=("one ", "two ", "three")):
    inner = ScriptedProvider(itertools.repeat(answer))
    return inner, FaultsProvider(inner, faults=list(faults))


async def raised(provider, kind, **options):
    with pytest.raises(kind) as caught:
        await provider.generate("hi", **options)
    return caught.value


async def shown(provider):
    """What a reader is shown, and the error that ends it."""
    told = []
    try:
        async for text in provider.generate_stream("hi"):
            told.append(text)
    except ProviderError as error:
        return told, error
    return told, None


async def test_nothing_goes_wrong_unless_it_is_told_to():
    inner = ScriptedProvider(["ho"])

    assert await FaultsProvider(inner).generate("hi") == "ho"


async def test_a_script_is_played_once_call_by_call():
    inner, provider = faulty(OverloadedError, None, ServerError("oops", status_code=503))

    assert (await raised(provider, OverloadedError)).message == "OverloadedError on purpose"
    assert await provider.generate("hi") == "one two three"
    error = await raised(provider, ServerError)
    assert (error.status_code, error.provider, error.model) == (503, "scripted", "scripted")
    assert await provider.generate("hi") == "one two three"
    assert len(inner.calls) == 2


async def test_what_is_raised_in_the_providers_stead_is_an_attempt():
    _, provider = faulty(ServerError("oops", status_code=503), OverloadedError)
    retry = RetryProvider(provider, random=lambda: 0.0)

    answer = await retry.generate("hi")

    told = [(entry.outcome, entry.error, entry.status_code) for entry in answer.attempts]
    assert told == [
        (Outcome.FAILED, "ServerError", 503),
        (Outcome.WAITED, None, None),
        (Outcome.FAILED, "OverloadedError", None),
        (Outcome.WAITED, None, None),
        (Outcome.SUCCEEDED, None, None),
    ]


async def test_faults_count_towards_a_cap():
    _, provider = faulty(*[ServerError] * 9)
    chain = FallbackProvider([RetryProvider(provider, max_retries=8)], max_attempts=3)

    error = await raised(chain, ServerError)

    assert error.journal.asked == 3


async def test_an_error_is_raised_as_a_copy():
    original = ServerError("oops")
    _, provider = faulty(original, original)

    first, second = await raised(provider, ServerError), await raised(provider, ServerError)

    assert first is not second
    assert original.journal is None
    assert first.journal is not second.journal


async def test_a_function_decides_on_the_call():
    inner = ScriptedProvider(itertools.repeat("ho"))
    provider = FaultsProvider(
        inner, faults=lambda call: ServerError if call.prompt == "bad" else None
    )

    assert await provider.generate("good") == "ho"
    with pytest.raises(ServerError):
        await provider.generate("bad")


async def test_a_delay_comes_before_the_rest():
    _, provider = faulty(Fault(delay=5), Fault(delay=7, error=ServerError))
    began = anyio.current_time()

    await provider.generate("hi")
    assert anyio.current_time() - began == pytest.approx(5)
    await raised(provider, ServerError)
    assert anyio.current_time() - began == pytest.approx(12)


async def test_a_stall_ends_with_the_time_that_is_left():
    inner, provider = faulty(Fault(stall=True), Fault(delay=10), Fault(delay=10))

    error = await raised(provider, ProviderTimeoutError, timeout=8)
    assert (error.limit, error.sent, inner.calls) == (8, True, [])
    assert [entry.error for entry in error.attempts] == ["ProviderTimeoutError"]
    await raised(provider, ProviderTimeoutError, timeout=10)
    limited = AttemptTimeoutProvider(provider, limits=TimeLimits(total=3))
    assert (await raised(limited, ProviderTimeoutError)).limit == 3


async def test_a_stall_without_an_end_lasts_until_it_is_left():
    _, provider = faulty(Fault(stall=True))

    with anyio.move_on_after(1e6) as scope:
        await provider.generate("hi")

    assert scope.cancelled_caught


@pytest.mark.parametrize("streams, limit", [(False, 9), (True, 4)])
async def test_a_stall_ends_as_the_adapter_itself_would_end_it(streams, limit):
    class Limited(Scripted):
        limits = TimeLimits(total=9, first_content=4)

    provider = FaultsProvider(Limited("ho"), faults=[Fault(stall=True)] * 2)

    with pytest.raises(ProviderTimeoutError) as caught:
        await (provider.generate_stream("hi") if streams else provider.generate("hi"))
    assert caught.value.limit == limit
    assert (await raised(provider, ProviderTimeoutError, timeout=2)).limit == 2 if streams else True


async def test_a_stream_cut_before_its_commit_is_a_failed_call():
    inner, provider = faulty(Fault(cut_after=0))

    answer = await RetryProvider(provider, random=lambda: 0.0).generate_stream("hi").collect()

    assert answer == "one two three"
    assert [entry.outcome for entry in answer.attempts] == [
        Outcome.ABANDONED,
        Outcome.WAITED,
        Outcome.SUCCEEDED,
    ]
    assert inner.open_streams == 0


@pytest.mark.parametrize(
    "count, told", [(1, ["one "]), (2, ["one ", "two "]), (3, ["one ", "two ", "three"])]
)
async def test_a_stream_is_cut_after_so_many_events(count, told):
    inner, provider = faulty(Fault(cut_after=count))

    words, error = await shown(provider)

    assert words == told
    assert isinstance(error, StreamInterruptedError)
    assert error.partial == "".join(told)
    assert [entry.outcome for entry in error.attempts] == [Outcome.INTERRUPTED]
    assert inner.open_streams == 0


async def test_a_stream_that_ends_before_the_cut_is_whole():
    _, provider = faulty(Fault(cut_after=4))

    assert await shown(provider) == (["one ", "two ", "three"], None)


async def test_a_stream_is_cut_between_what_arrives_together():
    arriving = Source([TextDelta("one "), TextDelta("two ")], [TextDelta("three")], [END])
    together = FaultsProvider(Scripted(arriving), faults=[Fault(cut_after=1)])
    at_once = FaultsProvider(
        Scripted(Source([TextDelta("one "), END])), faults=[Fault(cut_after=1)]
    )

    words, error = await shown(together)
    assert (words, type(error)) == (["one "], StreamInterruptedError)
    words, error = await shown(at_once)
    assert (words, type(error)) == ([], StreamInterruptedError)


async def test_a_cut_comes_with_the_next_event_and_closes_at_once():
    stalling = Source([TextDelta("one ")], [TextDelta("two ")], WAIT)
    later = FaultsProvider(Scripted(stalling), faults=[Fault(cut_after=1)])
    source = words("one ", "two ")
    before = FaultsProvider(Scripted(source), faults=[Fault(cut_after=0)])

    assert (await shown(later))[0] == ["one "]
    told, error = await shown(before)
    assert (told, error.sent, source.aborted) == ([], True, True)  # while the error is held


async def test_a_plain_answer_that_is_cut_is_lost():
    inner, provider = faulty(Fault(cut_after=2))

    error = await raised(provider, ProviderConnectionError)

    assert (error.sent, len(inner.calls), error.provider) == (True, 1, "scripted")


async def test_an_answer_can_be_empty():
    call = ToolCall("1", "look", '{"at": 1}')
    _, provider = faulty(*[Fault(answer="empty")] * 2, answer=["words", Refusal("no"), call])

    for answer in (await provider.generate("hi"), await provider.generate_stream("hi").collect()):
        assert isinstance(answer, Generation)
        assert (answer, answer.tool_calls, answer.refusal) == ("", (), None)
        assert answer.finish_reason is not None


async def test_an_answer_can_be_corrupt():
    from fairlead import Reasoning

    parts = [Reasoning("hm"), "words", Refusal("no"), ToolCall("1", "look", '{"at": 1}')]
    _, provider = faulty(*[Fault(answer="corrupt")] * 2, answer=parts)

    for answer in (await provider.generate("hi"), await provider.generate_stream("hi").collect()):
        assert answer == "w�r�s"
        assert answer.refusal == "n�"
        assert answer.tool_calls[0].arguments != '{"at": 1}'
        assert answer.tool_calls[0].name == "look"
        assert answer.reasoning == "hm"


@pytest.mark.parametrize("how", ["empty", "corrupt"])
async def test_spoilt_vectors_are_lost(how):
    provider = FaultsProvider(OfflineProvider(), faults=[Fault(answer=how)])

    with pytest.raises(InvalidResponseError, match=how):
        await provider.embed("hi")


async def test_a_fault_of_streams_leaves_others_alone():
    _, provider = faulty(Fault(), Fault())

    assert await provider.generate("hi") == "one two three"
    assert (await shown(provider))[0] == ["one ", "two ", "three"]


async def test_the_same_seed_goes_wrong_in_the_same_places():
    def outcomes(seed):
        plan = RandomFaults({ServerError: 0.3, Fault(stall=True): 0.2}, seed=seed)
        return [plan(None) for _ in range(2000)]

    first = outcomes(7)
    assert first == outcomes(7)
    assert first != outcomes(8)
    shares = [sum(it is not None and it.stall is stall for it in first) for stall in (True, False)]
    assert 300 < shares[0] < 500
    assert 500 < shares[1] < 700


async def test_all_or_nothing_can_go_wrong():
    assert {RandomFaults({ServerError: 1.0}, seed=1)(None).error for _ in range(99)} == {
        ServerError
    }
    assert RandomFaults({ServerError: 0.0}, seed=1)(None) is None


@pytest.mark.parametrize(
    "build, said",
    [
        (lambda: Fault(delay=-1), "delay must be at least 0"),
        (lambda: Fault(error=ValueError), "must be a ProviderError"),
        (lambda: Fault(cut_after=-1), "cut_after must be at least 0"),
        (lambda: Fault(answer="odd"), "empty or corrupt"),
        (lambda: Fault(stall=True, cut_after=1), "is one of"),
        (lambda: FaultsProvider(OfflineProvider(), faults=7), "a list of faults or a function"),
        (lambda: FaultsProvider(OfflineProvider(), faults="500"), "a list of faults"),
        (lambda: FaultsProvider(OfflineProvider(), faults=ServerError), "a list of faults"),
        (lambda: FaultsProvider(OfflineProvider(), faults=[503]), "a fault is a Fault"),
        (lambda: RandomFaults({ServerError: 1.5}, seed=1), "between 0 and 1"),
        (lambda: RandomFaults({ServerError: 0.6, OverloadedError: 0.6}, seed=1), "exceed 1"),
        (lambda: RandomFaults({ServerError: 0.6}, seed=-1), "seed must be"),
    ],
)
async def test_what_makes_no_sense_is_refused(build, said):
    with pytest.raises(ConfigurationError, match=said):
        build()


async def test_a_script_may_be_made_on_the_way():
    provider = FaultsProvider(OfflineProvider(), faults=iter([ServerError]))

    await raised(provider, ServerError)
    await provider.generate("hi")


async def test_it_has_its_place_next_to_the_adapter():
    use = Use(lambda inner: FaultsProvider(inner, faults=[ServerError]), layer="faults")
    pipeline = default_pipeline(OfflineProvider(), decorators=[use])

    answer = await pipeline.generate("hi")

    assert answer.attempts[0].error == "ServerError"
    assert "AttemptTimeoutProvider(FaultsProvider(<OfflineProvider" in repr(pipeline)


async def test_a_delay_may_take_any_time():
    _, provider = faulty(ServerError)

    assert bounds_of(provider, "generate").seconds == float("inf")
    assert bounds_of(provider, "generate").attempts == 1
    assert bounds_of(FaultsProvider(Scripted("ho")), "generate").attempts == 1


SCENARIOS = [
    [Fault(delay=3)],
    [Fault(stall=True)],
    [Fault(cut_after=0)],
    [Fault(cut_after=1)],
    [Fault(answer="corrupt")],
]


@pytest.mark.parametrize("faults", SCENARIOS)
async def test_a_call_cancelled_at_any_await_leaves_nothing_behind(faults):
    async def read(provider):
        with contextlib.suppress(ProviderError):
            async with provider.generate_stream("hi", timeout=5) as stream:
                await stream.collect()

    for how in ways():
        for point in itertools.count():
            source = words("one ", "two ", "three")
            provider = FaultsProvider(Scripted(source), faults=list(faults))

            reached = await cancelled_at(lambda it=provider: read(it), point, how=how)

            assert source.aborted or not source.reads
            if not reached:
                break
        assert point >= 1
