import asyncio
import contextlib
import gc
import itertools
import weakref

import anyio
import pytest
from anyio.lowlevel import checkpoint

from fairlead.core.calls import Deadline
from fairlead.core.errors import (
    AllTargetsFailedError,
    ConfigurationError,
    ContextLengthExceededError,
    InvalidRequestError,
    OverloadedError,
    ProviderConnectionError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from fairlead.core.events import TextDelta
from fairlead.core.journal import Outcome
from fairlead.core.refusals import CircuitOpenError
from fairlead.core.streams import GenerationStream
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.circuit import BreakerOptions
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.hedge import HedgeProvider, has_effects
from fairlead.decorators.hedging import Credit, HedgeOptions, Latencies
from fairlead.decorators.quota import RetryQuota
from fairlead.decorators.retry import RetryProvider
from tests.unit.core.fakes import (
    METADATA,
    WAIT,
    Scripted,
    Source,
    cancelled_at,
    embedding,
    generating,
    ways,
    without_gc,
    words,
)

EAGER = HedgeOptions(delay=2.0, minimum_samples=1, max_share=1.0)


class Vendor(Scripted):
    """Takes as long as a test says, and counts who is still asked."""

    def __init__(self, name, *script, seconds=0.0, **known):
        known.setdefault("model", f"{name}-model")
        known.setdefault("embedding_model", "e")
        super().__init__(*(script or (f"from {name}",)), name=name, seconds=seconds, **known)
        self.running = 0
        self.cancelled = 0
        self.sources = []

    async def _next(self, call):
        self.running += 1
        try:
            step = await super()._next(call)
        except Exception:
            raise
        except BaseException:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        if call.operation == "generate_stream":
            step = words(step) if isinstance(step, str) else step
            self.sources.append(step)
        return step


def broken(name, error=ServerError, **known):
    return Vendor(name, lambda: error("oops"), **known)


async def hedging(*targets, **options):
    """A policy whose targets are known to be quick, for every kind of call."""
    options.setdefault("hedging", EAGER)
    provider = HedgeProvider(list(targets), **options)
    for target in provider.targets:
        for operation in ("generate", "generate_stream", "embed", "embed_batch"):
            call = generating().with_(operation=operation)
            for _ in range(100):
                provider._latency(target, call).add(0.0)
    return provider


def asked(*targets):
    return [len(each.asked) for each in targets]


def noted(answer):
    return [it.reason for it in answer.attempts if it.outcome is Outcome.NOTED]


async def settled():
    """Whoever was cancelled has gone."""
    for _ in range(3):
        await checkpoint()


OPERATIONS = {
    "generate": lambda p: p.generate("hi"),
    "stream": lambda p: p.generate_stream("hi").collect(),
    "embed": lambda p: p.embed("hi"),
    "embed_batch": lambda p: p.embed_batch(["hi", "ho"]),
}
each_operation = pytest.mark.parametrize("ask", OPERATIONS.values(), ids=OPERATIONS)


# Who wins.


@pytest.mark.anyio
@each_operation
async def test_who_is_slow_is_overtaken(ask):
    a, b = Vendor("a", seconds=60), Vendor("b", seconds=1)
    provider = await hedging(a, b)
    began = anyio.current_time()

    answer = await ask(provider)

    assert anyio.current_time() - began == pytest.approx(3.0)
    first, second = ("a-model", "b-model") if isinstance(answer, str) else ("e", "e")
    assert answer.metadata.provider == "b"
    assert answer.metadata.warnings == (f"answered by b:{second}, as a:{first} was slower",)
    await settled()
    assert (a.running, a.cancelled) == (0, 1)


@pytest.mark.anyio
@each_operation
async def test_who_is_quick_enough_is_asked_alone(ask):
    a, b = Vendor("a", seconds=1), Vendor("b")

    answer = await ask(await hedging(a, b))

    assert asked(a, b) == [1, 0]
    assert answer.metadata.provider == "a"
    assert answer.metadata.warnings == ()
    assert len(answer.metadata.journal) == 1


@pytest.mark.anyio
async def test_the_first_may_still_win():
    a, b = Vendor("a", seconds=3), Vendor("b", seconds=60)

    answer = await (await hedging(a, b)).generate("hi")
    await settled()

    assert answer == "from a"
    assert answer.warnings == ()
    assert (b.running, b.cancelled) == (0, 1)


@pytest.mark.anyio
async def test_the_journal_says_why_there_was_a_hedge_and_what_became_of_the_loser():
    a, b = Vendor("a", seconds=60), Vendor("b", seconds=1)

    answer = await (await hedging(a, b)).generate("hi")

    hedged, succeeded, given_up, abandoned = answer.attempts
    assert (hedged.provider, hedged.reason) == (
        "b",
        "hedged, as a:a-model has not answered in 2 s",
    )
    assert (succeeded.outcome, succeeded.provider) == (Outcome.SUCCEEDED, "b")
    assert (given_up.provider, given_up.reason) == (
        "a",
        "given up, as b:b-model was first; its cost is wasted",
    )
    assert (abandoned.outcome, abandoned.provider, abandoned.seconds) == (
        Outcome.ABANDONED,
        "a",
        pytest.approx(3.0),
    )


@pytest.mark.anyio
async def test_what_the_loser_did_is_told_when_the_answer_is_there():
    for _ in range(20):  # on trio it is a matter of luck who of two is next
        a, b = Vendor("a", seconds=60), Vendor("b", seconds=1)
        answer = await (await hedging(a, b)).generate("hi")
        assert [it.provider for it in answer.attempts if it.outcome is Outcome.ABANDONED] == ["a"]


@pytest.mark.anyio
async def test_nobody_waits_for_the_loser():
    class Stubborn(Vendor):
        async def _next(self, call):
            try:
                return await super()._next(call)
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(100)

    a, b = Stubborn("a", seconds=60), Vendor("b")
    provider = await hedging(a, b)
    began = anyio.current_time()

    assert await provider.generate("hi") == "from b"
    assert anyio.current_time() - began == pytest.approx(2.0)
    await provider.aclose()
    assert anyio.current_time() - began == pytest.approx(102.0)


@pytest.mark.anyio
async def test_there_is_one_hedge_at_most():
    a, b, c = (Vendor(name, seconds=9) for name in "abc")

    assert await (await hedging(a, b, c)).generate("hi") == "from a"
    assert asked(a, b, c) == [1, 1, 0]

    a, b, c, d = broken("a", seconds=3), broken("b"), Vendor("c", seconds=9), Vendor("d")
    provider = await hedging(a, b, c, d)
    provider._credit.earn()
    assert await provider.generate("hi") == "from c"
    assert asked(a, b, c, d) == [1, 1, 1, 0]


@pytest.mark.anyio
async def test_racers_run_in_copies_of_the_callers_context():
    from contextvars import ContextVar

    color, seen = ContextVar("color"), []
    a, b = Vendor("a", lambda: seen.append(color.get()) or "a", seconds=9), Vendor("b", seconds=9)
    provider = await hedging(a, b)
    color.set("red")

    await provider.generate("hi")

    assert seen == ["red"]


# Streams.


@pytest.mark.anyio
async def test_a_stream_wins_when_it_commits():
    slow = Source([TextDelta("a")], WAIT)
    a, b = Vendor("a", slow, seconds=60), Vendor("b", "from b", seconds=1)
    provider = await hedging(a, b)

    stream = await provider.generate_stream("hi")

    assert stream.metadata.provider == "b"
    assert await stream.collect() == "from b"


@pytest.mark.anyio
async def test_the_losers_stream_is_aborted_while_it_opens():
    silent = Source(WAIT)
    a, b = Vendor("a", silent), Vendor("b", "from b")
    provider = await hedging(a, b)

    async with provider.generate_stream("hi") as stream:
        await settled()
        assert silent.aborted
        assert await stream.collect() == "from b"


@pytest.mark.anyio
async def test_the_winners_stream_is_its_readers():
    a, b = Vendor("a", seconds=60), Vendor("b", Source([TextDelta("b")], WAIT))
    provider = await hedging(a, b)

    async with provider.generate_stream("hi") as stream:
        assert await anext(stream) == "b"
        assert not b.sources[0].aborted
    assert b.sources[0].aborted
    assert [it.outcome for it in stream.metadata.journal if it.provider == "b" and it.sent] == [
        Outcome.ABANDONED
    ]


@pytest.mark.anyio
async def test_what_breaks_after_the_commit_is_not_asked_for_again():
    a, b = Vendor("a", seconds=60), Vendor("b", Source([TextDelta("b")], OverloadedError("busy")))

    with pytest.raises(StreamInterruptedError):
        await (await hedging(a, b)).generate_stream("hi").collect()
    assert asked(a, b) == [1, 1]


@pytest.mark.anyio
async def test_two_that_commit_at_once_are_one_answer():
    a, b = Vendor("a", "from a", seconds=5), Vendor("b", "from b", seconds=3)
    provider = await hedging(a, b)

    answer = await provider.generate_stream("hi").collect()
    await settled()

    assert answer in {"from a", "from b"}
    left = [source for source in (*a.sources, *b.sources) if "aclose" not in source.log]
    assert all(source.aborted for source in left)
    assert (a.running, b.running) == (0, 0)


@pytest.mark.anyio
@pytest.mark.parametrize("late", ["stream", "answer"])
async def test_a_result_that_comes_in_spite_of_all_is_closed(late):
    class Deaf(Vendor):
        """Hears of no cancellation."""

        async def handle(self, call):
            with anyio.CancelScope(shield=True):
                await anyio.sleep(9)
                if late == "answer":
                    return await generating().on(Scripted("late"))
                self.sources.append(words("late"))
                streams.append(await GenerationStream.open(self.sources[-1], METADATA))
                return streams[-1]

    streams = []  # or their finaliser would close them
    a, b = Deaf("a"), Vendor("b")
    provider = await hedging(a, b)

    assert await OPERATIONS["stream" if late == "stream" else "generate"](provider) == "from b"
    await anyio.sleep(20)
    await settled()

    assert all(source.aborted for source in a.sources)
    await provider.aclose()


# Racers that fail.


@pytest.mark.anyio
async def test_a_hedge_that_fails_leaves_the_race_to_the_first():
    a, b = Vendor("a", seconds=9), broken("b", RateLimitError)

    answer = await (await hedging(a, b)).generate("hi")

    assert answer == "from a"
    assert [(it.provider, it.outcome) for it in answer.attempts if it.sent] == [
        ("b", Outcome.FAILED),
        ("a", Outcome.SUCCEEDED),
    ]


@pytest.mark.anyio
async def test_a_first_that_fails_late_leaves_the_race_to_the_hedge():
    a, b = broken("a", InvalidRequestError, seconds=3), Vendor("b", seconds=9)

    answer = await (await hedging(a, b)).generate("hi")

    assert answer == "from b"
    assert answer.warnings == ("answered by b:b-model, as a:a-model failed: oops",)


@pytest.mark.anyio
async def test_when_both_fail_the_error_is_the_firsts():
    first = ServerError("first")
    a, b = Vendor("a", first, seconds=9), broken("b", OverloadedError)

    with pytest.raises(ServerError) as caught:
        await (await hedging(a, b)).generate("hi")

    assert caught.value is first
    assert [it.provider for it in caught.value.attempts if it.sent] == ["b", "a"]


@pytest.mark.anyio
async def test_when_both_fail_the_next_one_is_asked():
    a, b, c = broken("a", seconds=3), broken("b", OverloadedError), Vendor("c")

    answer = await (await hedging(a, b, c)).generate("hi")

    assert answer == "from c"
    assert asked(a, b, c) == [1, 1, 1]
    assert answer.warnings == (
        "answered by c:c-model, as a:a-model failed: oops; b:b-model failed: oops",
    )


@pytest.mark.anyio
async def test_when_all_fail_each_error_is_told_once_and_the_firsts_is_the_cause():
    a, b, c = broken("a", seconds=3), broken("b", OverloadedError), broken("c")

    with pytest.raises(AllTargetsFailedError) as caught:
        await (await hedging(a, b, c)).generate("hi")

    assert [each.provider for each in caught.value.errors] == ["a", "b", "c"]
    assert caught.value.__cause__ is caught.value.errors[0]


@pytest.mark.anyio
async def test_a_first_that_fails_at_once_is_followed_by_the_next_and_that_may_be_hedged():
    a, b, c = broken("a"), Vendor("b", seconds=60), Vendor("c", seconds=1)

    answer = await (await hedging(a, b, c)).generate("hi")

    assert answer == "from c"
    assert asked(a, b, c) == [1, 1, 1]


@pytest.mark.anyio
async def test_what_a_hedge_was_too_small_for_the_next_one_must_be_larger_for():
    a = broken("a", seconds=3)
    b = Vendor("b", ContextLengthExceededError("long", limit=1000))
    c = Vendor("c", context_window=1000)

    with pytest.raises(ServerError):
        await (await hedging(a, b, c)).generate("hi")
    assert asked(c) == [0]


@pytest.mark.anyio
async def test_the_verdict_on_the_firsts_error_decides_whether_it_goes_on():
    a, b, c = broken("a", InvalidRequestError, seconds=3), broken("b"), Vendor("c")

    with pytest.raises(InvalidRequestError):
        await (await hedging(a, b, c)).generate("hi")
    assert asked(c) == [0]


@pytest.mark.anyio
@pytest.mark.parametrize("stop", [ZeroDivisionError, SystemExit])
async def test_what_is_no_error_of_a_provider_ends_the_race(stop):
    a, b = Vendor("a", seconds=60), Vendor("b", stop("no"))

    with pytest.raises(stop):
        await (await hedging(a, b)).generate("hi")
    await settled()

    assert (a.running, a.cancelled) == (0, 1)


@pytest.mark.anyio
async def test_a_failed_race_leaves_no_garbage():
    references = []

    def failing():
        error = OverloadedError("busy")
        references.append(weakref.ref(error))
        return error

    provider = await hedging(broken("a", seconds=3), Vendor("b", failing))
    more = await hedging(broken("a", seconds=3), Vendor("b", failing), broken("c"))
    late = await hedging(Vendor("a", failing, seconds=9), Vendor("b", seconds=20))
    with without_gc():
        for each in (provider, more):
            try:
                await each.generate("hi")
            except (ServerError, AllTargetsFailedError) as error:
                references += [weakref.ref(error), weakref.ref(error.__cause__ or error)]
        await late.generate("hi")
        await settled()

        assert [reference() for reference in references] == [None] * 7


# When there is a hedge.


@pytest.mark.anyio
@pytest.mark.parametrize(
    "usual, configured, expected", [(0.0, 2.0, 2.0), (5.0, 2.0, 5.0), (5.0, 0.0, 5.0)]
)
async def test_a_hedge_is_due_after_the_longer_of_two_times(usual, configured, expected):
    options = HedgeOptions(delay=configured, minimum_samples=1, max_share=1.0)
    a, b = Vendor("a", seconds=usual), Vendor("b", seconds=1)
    provider = HedgeProvider([a, b], hedging=options)
    await provider.generate("hi")
    a.seconds = 60
    began = anyio.current_time()

    await provider.generate("hi")

    assert anyio.current_time() - began == pytest.approx(expected + 1)


@pytest.mark.anyio
async def test_nothing_is_hedged_before_there_are_twenty_answers_of_that_kind():
    a, b = Vendor("a", seconds=1), Vendor("b")
    provider = HedgeProvider([a, b], hedging=HedgeOptions(max_share=1.0))
    for _ in range(19):
        await provider.generate("hi")
    a.seconds = 5
    assert await provider.generate("hi") == "from a"
    for _ in range(2):
        a.seconds = 60
        assert await provider.generate_stream("hi").collect() == "from a"
    assert asked(b) == [0]

    assert await provider.generate("hi") == "from b"


@pytest.mark.anyio
async def test_a_twentieth_of_all_calls_is_hedged_at_most():
    a, b = Vendor("a"), Vendor("b", seconds=1)
    provider = await hedging(a, b, hedging=HedgeOptions(delay=2.0, quantile=0.5))
    answers = []
    for number in range(200):
        a.seconds = 60 if number % 4 == 0 else 0
        answers.append(await provider.generate("hi"))

    assert answers.count("from b") == len(b.asked)
    assert 9 <= len(b.asked) <= 10


@pytest.mark.anyio
async def test_credit_that_is_gone_by_then_is_told():
    a, b = Vendor("a", seconds=60), Vendor("b", seconds=10)
    options = HedgeOptions(delay=2.0, max_share=0.5)
    provider = await hedging(a, b, hedging=options)
    provider._credit.earn()
    answers = []

    async def ask():
        answers.append(await provider.generate("hi"))

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        group.start_soon(ask)

    assert sorted(answers) == ["from a", "from b"]
    [other] = [answer for answer in answers if answer == "from a"]
    assert noted(other) == [
        "not hedged: a:a-model has not answered in 2 s, but 50% of all calls were hedged already"
    ]


@pytest.mark.anyio
async def test_a_hedge_is_paid_from_the_quota_of_repeats():
    quota = RetryQuota(capacity=20)
    a, b = Vendor("a", seconds=9), Vendor("b", seconds=60)
    provider = await hedging(a, b, quota=quota)

    first, second = [await provider.generate("hi") for _ in range(2)]

    assert quota.left == 6
    assert asked(b) == [1]
    assert "hedged, as a:a-model" in noted(first)[0]
    assert noted(second) == [
        "not hedged: a:a-model has not answered in 2 s, but the quota for repeats is used up"
    ]


@pytest.mark.anyio
async def test_a_hedge_that_wins_is_paid_back():
    quota = RetryQuota(capacity=20)
    a, b = Vendor("a", seconds=60), Vendor("b")

    await (await hedging(a, b, quota=quota)).generate("hi")

    assert quota.left == 20


class Broken:
    def __init__(self, cost=None):
        self.cost = cost

    def reserve(self, kind):
        if self.cost is None:
            raise OSError
        return self.cost

    def settle(self, paid):
        raise OSError


@pytest.mark.anyio
@pytest.mark.parametrize("cost", [None, 5])
async def test_a_quota_that_breaks_lets_hedges_through_and_fails_no_call(cost):
    a, b = Vendor("a", seconds=60), Vendor("b")

    assert await (await hedging(a, b, quota=Broken(cost))).generate("hi") == "from b"


@pytest.mark.anyio
async def test_nothing_is_hedged_when_no_time_is_left():
    class Deaf(Vendor):
        async def handle(self, call):
            await anyio.sleep(9)
            return await super().handle(call.with_(deadline=Deadline(call.clock)))

    a, b = Deaf("a"), Vendor("b")

    answer = await (await hedging(a, b)).generate("hi", timeout=1)

    assert answer == "from a"
    assert noted(answer)[0].endswith("but no time is left")


@pytest.mark.anyio
async def test_a_second_race_is_not_for_whom_the_first_error_shows_to_be_too_small():
    a = Vendor("a", ContextLengthExceededError("long", limit=1000))
    b, c = Vendor("b", seconds=9, context_window=2000), Vendor("c", context_window=900)
    d = Vendor("d", context_window=3000)

    answer = await (await hedging(a, b, c, d)).generate("hi")

    assert answer == "from d"
    assert asked(a, b, c, d) == [1, 1, 0, 1]
    assert "hedged, as b:b-model has not answered in 2 s" in noted(answer)


def test_what_is_known_of_latencies_is_bounded():
    provider = HedgeProvider([Vendor("a")])
    provider.MAX_REMEMBERED = 3
    for number in range(9):
        provider._latency(number + 1_000_000, generating()).add(1.0)

    assert len(provider._latencies) == 3


def guarded(vendor):
    return CircuitBreakerProvider(vendor, options=BreakerOptions(failure_threshold=1, jitter=0.0))


@pytest.mark.anyio
async def test_a_target_whose_circuit_is_not_closed_is_no_hedge():
    a, c = Vendor("a", seconds=9), Vendor("c")
    b = Vendor("b", lambda: ServerError("oops"), "from b")
    provider = await hedging(a, guarded(b), c)
    with pytest.raises(ServerError):
        await provider.targets[1].generate("hi")

    still_open = await provider.generate("hi")
    await anyio.sleep(30)
    recovering = await provider.generate("hi")

    assert (still_open, recovering) == ("from a", "from a")
    assert asked(b, c) == [1, 0]
    assert noted(still_open) == [
        (
            "not hedged: a:a-model has not answered in 2 s, but "
            "b:b-model is not to be asked: the circuit is open"
        )
    ]
    assert noted(recovering)[0].endswith("but b:b-model is only just recovering")


@pytest.mark.anyio
async def test_a_circuit_that_opens_while_the_first_works_is_seen():
    a, b = Vendor("a", seconds=9), Vendor("b")
    inner = guarded(b)
    provider = await hedging(a, inner)

    async with anyio.create_task_group() as group:
        answers = []

        async def ask():
            answers.append(await provider.generate("hi"))

        group.start_soon(ask)
        await anyio.sleep(1)
        inner.breaker().isolate()

    assert answers == ["from a"]
    assert asked(b) == [0]
    assert noted(answers[0])[0].endswith("b:b-model is not to be asked: the circuit is isolated")


@pytest.mark.anyio
async def test_a_target_that_refuses_after_all_leaves_the_race_to_the_first():
    a, b = Vendor("a", seconds=9), Vendor("b", CircuitOpenError("open"))

    assert await (await hedging(a, b)).generate("hi") == "from a"


@pytest.mark.anyio
async def test_a_target_that_cannot_take_the_request_is_no_hedge():
    from fairlead.core.messages import Image, Message

    image = Message.user("What is this?", Image(url="https://example.com/x.png"))
    a, b, c = Vendor("a", seconds=60), Vendor("b", images=False), Vendor("c")

    answer = await (await hedging(a, b, c)).generate(image)

    assert answer == "from c"
    assert asked(a, b, c) == [1, 0, 1]


@pytest.mark.anyio
async def test_a_model_that_is_named_is_asked_alone():
    a, b = Vendor("a", seconds=9), Vendor("b")

    assert await (await hedging(a, b)).generate("hi", model="a-model") == "from a"
    assert asked(b) == [0]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "extra, hedged",
    [
        ({"store": True}, False),
        ({"a": {"store": True}}, False),
        ({"b": {"background": True}}, False),
        ({"a": {"tools": [{"type": "code_interpreter"}]}}, False),
        ({"store": False}, True),
        ({"a": {"x": {"store": True}}}, True),
        ({"a": {"user": "me"}}, True),
    ],
)
async def test_what_leaves_something_at_the_vendor_is_never_asked_for_twice(extra, hedged):
    a, b = Vendor("a", seconds=9), Vendor("b")
    if not extra.keys() & {"a", "b"}:
        b._name = "a"  # only a single provider takes extras that are not keyed

    answer = await (await hedging(a, b)).generate("hi", extra=extra)

    assert has_effects(generating(extra=extra)) is not hedged
    assert answer == ("from b" if hedged else "from a")


@pytest.mark.anyio
@pytest.mark.parametrize("wish, hedged", [(True, True), (False, False), (None, False)])
async def test_a_predicate_says_what_is_safe(wish, hedged):
    a, b = Vendor("a", seconds=9), Vendor("b")
    provider = await hedging(a, b, safe=lambda call: wish)

    await provider.generate("hi", extra={"a": {"store": True}})

    assert asked(b) == [int(hedged)]


def test_vectors_leave_nothing_behind():
    assert not has_effects(embedding())


@pytest.mark.anyio
async def test_the_cap_on_attempts_holds_for_both_together():
    a, b = broken("a", seconds=3), broken("b", seconds=3)
    a.script, b.script = [lambda: ServerError("x")], [lambda: ServerError("x")]

    def retrying(vendor):
        return RetryProvider(vendor, max_retries=9, random=lambda: 0.0)

    for most in (2, 3, 4, 5, 6):
        a.asked.clear()
        b.asked.clear()
        provider = await hedging(retrying(a), retrying(b), max_attempts=most)
        with pytest.raises(ServerError):
            await provider.generate("hi")

        assert sum(asked(a, b)) <= most
        assert len(b.asked) >= 1


@pytest.mark.anyio
async def test_one_attempt_is_no_race():
    a, b = Vendor("a", seconds=9), Vendor("b")

    assert await (await hedging(a, b, max_attempts=1)).generate("hi") == "from a"
    assert asked(b) == [0]


@pytest.mark.anyio
async def test_the_deadline_ends_both():
    a, b = Vendor("a", seconds=60), Vendor("b", seconds=60)
    provider = await hedging(a, b)
    began = anyio.current_time()

    with pytest.raises(ProviderConnectionError):
        await provider.generate("hi", timeout=5)

    assert anyio.current_time() - began == pytest.approx(5.0)
    assert (a.running, b.running) == (0, 0)


@pytest.mark.anyio
async def test_it_may_stand_in_a_chain():
    a, b, c = broken("a", seconds=3), broken("b"), Vendor("c")
    provider = FallbackProvider([await hedging(a, b), c])

    assert await provider.generate("hi") == "from c"


@pytest.mark.anyio
async def test_a_chain_that_was_planned_without_a_hedges_target_has_none():
    a, b = Vendor("a", seconds=9), Vendor("b")
    provider = await hedging(a, b)
    call = generating(clock=provider.clock())
    plan = provider.plan(call)

    answer = await call.with_(plan=plan.joining(plan.children[:1])).on(provider)

    assert (answer, asked(b)) == ("from a", [0])


# Who leaves.


@pytest.mark.anyio
@each_operation
async def test_a_caller_that_leaves_cancels_both(ask):
    for how in ways():
        for seconds in (1, 5):
            a, b = Vendor("a", seconds=60), Vendor("b", seconds=60)
            provider = await hedging(a, b)
            with anyio.move_on_after(seconds):
                await ask(provider)
            await settled()

            assert (a.running, b.running) == (0, 0), how
            assert asked(b) == [int(seconds > 2)]
            assert not provider._host._tasks


@pytest.mark.anyio
@each_operation
async def test_a_race_cancelled_at_any_await_leaves_nothing_behind(ask):
    for how in ways():
        for point in itertools.count():
            a, b = Vendor("a", "from a", seconds=3), Vendor("b", "from b", seconds=1)
            provider = await hedging(a, b)

            reached = await cancelled_at(lambda it=provider: ask(it), point, how=how)

            await settled()
            assert (a.running, b.running) == (0, 0)
            assert not provider._host._tasks
            for source in (*a.sources, *b.sources):
                assert source.aborted
            assert await provider.generate("hi") in {"from a", "from b"}
            if not reached:
                break
        assert point >= 2


@pytest.mark.anyio
async def test_a_caller_that_leaves_just_as_the_winner_comes_in_leaks_no_stream():
    for seconds in (2.5, 3.0, 3.5):
        a, b = Vendor("a", seconds=60), Vendor("b", Source([TextDelta("b")], WAIT), seconds=1)
        provider = await hedging(a, b)
        stream = None

        with anyio.move_on_after(seconds):
            stream = await provider.generate_stream("hi")
        await settled()

        if stream is None:
            assert all(source.aborted for source in b.sources)
        else:
            stream.cancel()
        assert (a.running, b.running) == (0, 0)
        await provider.aclose()


@pytest.mark.anyio
async def test_a_caller_that_leaves_when_the_winner_is_in_leaks_no_stream():
    class Telling(Source):
        async def read(self):
            batch = await super().read()
            scope.cancel()
            return batch

    a, b = Vendor("a", seconds=60), Vendor("b", Telling([TextDelta("b")], WAIT))
    provider = await hedging(a, b)

    with anyio.CancelScope() as scope:
        await provider.generate_stream("hi")

    assert scope.cancelled_caught
    assert b.sources[0].aborted
    await settled()
    assert not provider._host._tasks


def test_nothing_of_a_race_is_kept_whose_loop_is_closed(caplog):
    class Waiting(Vendor):
        async def _next(self, call):
            asked_for.append(self.name)
            await asyncio.get_running_loop().create_future()

    asked_for = []
    a, b = Waiting("a"), Waiting("b")
    provider = HedgeProvider([a, b], hedging=HedgeOptions(minimum_samples=1, max_share=1.0))
    provider._latency(a, generating()).add(0.0)
    references = []

    async def main():
        task = asyncio.ensure_future(provider.generate("hi"))
        await asyncio.sleep(0.05)
        assert asked_for == ["a", "b"]
        references.append(weakref.ref(task))

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    references.append(weakref.ref(loop))
    loop.close()
    del loop
    asyncio.run(provider.aclose())
    gc.collect()

    assert [reference() for reference in references] == [None, None]


# Closing it.


@pytest.mark.anyio
async def test_closing_ends_a_race_and_whoever_waits_is_told():
    a, b = Vendor("a", seconds=60), Vendor("b", seconds=60)
    provider = await hedging(a, b)
    raised = []

    async def ask():
        with contextlib.suppress(ProviderConnectionError):
            await provider.generate("hi")
        raised.append(anyio.current_time())

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        await anyio.sleep(5)
        began = anyio.current_time()
        await provider.aclose()

    assert raised == [began]
    assert (a.running, b.running, a.closed, b.closed) == (0, 0, 1, 1)


@pytest.mark.anyio
async def test_closing_that_is_cancelled_still_closes_the_targets():
    a, b = Vendor("a", seconds=60), Vendor("b")
    provider = await hedging(a, b)

    for how in ways():
        for point in range(2):
            async with anyio.create_task_group() as group:
                group.start_soon(_asking, provider)
                await anyio.sleep(1)
                await cancelled_at(provider.aclose, point, how=how)
    assert a.closed >= 1


async def _asking(provider):
    with contextlib.suppress(ProviderConnectionError):
        await provider.generate("hi")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_works_in_one_loop_after_another(backend):
    a, b = Vendor("a", seconds=1.0), Vendor("b")
    options = HedgeOptions(minimum_samples=1, max_share=1.0)
    provider = HedgeProvider([a, b], hedging=options)
    provider._latency(a, generating()).add(0.0)

    for _ in range(3):
        assert anyio.run(provider.generate, "hi", backend=backend) == "from b"
    assert not provider._host._tasks


# Building it, and what it learns.


@pytest.mark.parametrize(
    "options, said",
    [
        ({"hedging": 2}, "hedging must be of HedgeOptions"),
        ({"safe": True}, "safe must be a function"),
        ({"max_attempts": 0}, "max_attempts must be at least 1"),
    ],
)
def test_an_option_is_of_its_kind(options, said):
    with pytest.raises(ConfigurationError, match=said):
        HedgeProvider([Vendor("a")], **options)


@pytest.mark.parametrize("value", [True, "2", None, -1, float("nan")])
@pytest.mark.parametrize("name", ["delay", "quantile", "minimum_samples", "max_share"])
def test_rubbish_is_refused_by_name(name, value):
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        HedgeOptions(**{name: value})


def test_it_reads_as_it_was_built():
    a = Scripted("ho")

    assert repr(HedgeProvider([a])) == "HedgeProvider([<Scripted scripted:m>], max_attempts=6)"
    assert HedgeProvider([a]).name == "hedge"


def test_the_quantile_is_that_of_the_last_samples():
    latencies = Latencies(0.95, 20)
    for number in range(1, 20):
        latencies.add(float(number))
    assert latencies.quantile is None
    latencies.add(20.0)
    assert latencies.quantile == 19.0

    for _ in range(Latencies.KEPT):
        latencies.add(7.0)
    assert latencies.quantile == 7.0
    assert len(latencies._sorted) == len(latencies._in_order) == Latencies.KEPT


def test_a_whole_quantile_is_the_longest():
    latencies = Latencies(1.0, 1)
    for number in (3.0, 1.0, 2.0):
        latencies.add(number)
    assert latencies.quantile == 3.0


def test_credit_is_saved_up_within_bounds():
    credit = Credit(0.05)
    for _ in range(19):
        credit.earn()
    assert not credit.enough
    credit.earn()
    assert credit.enough
    for _ in range(10_000):
        credit.earn()
    spent = 0
    while credit.enough:
        credit.spend()
        spent += 1
    assert spent == 5


@pytest.mark.anyio
async def test_who_was_given_up_late_counts_as_slow_and_who_was_given_up_early_does_not():
    a, b = Vendor("a", seconds=60), Vendor("b", seconds=1)
    provider = await hedging(a, b)

    await provider.generate("hi")
    slow = provider._latency(provider.targets[0], generating())._sorted
    assert slow[99:] == [0.0, pytest.approx(3.0)]

    a.seconds, b.seconds = 2.5, 60
    known = provider._latency(provider.targets[1], generating())._sorted
    known[:] = [9.0] * len(known)
    assert await provider.generate("hi") == "from a"
    assert known == [9.0] * 101
