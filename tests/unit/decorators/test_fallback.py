import contextlib
import logging
import weakref

import anyio
import pytest

from fairlead.core.calls import Call
from fairlead.core.errors import (
    AllTargetsFailedError,
    AuthenticationError,
    ConfigurationError,
    ContentFilteredError,
    ContextLengthExceededError,
    InvalidRequestError,
    OutputTruncatedError,
    OverloadedError,
    PromptTruncatedError,
    ProviderTimeoutError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
    UnsupportedOperationError,
)
from fairlead.core.events import TextDelta
from fairlead.core.journal import Outcome
from fairlead.core.messages import Image, Message
from fairlead.core.models import ModelInfo
from fairlead.core.plans import Plan
from fairlead.core.refusals import BudgetExceededError, CircuitOpenError, NoTargetError
from fairlead.decorators._base import Decorator
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.circuit import BreakerOptions, State
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.retry import RetryProvider
from tests.unit.core.fakes import (
    WAIT,
    Scripted,
    Source,
    generating,
    without_gc,
)


def target(name, *script, **known):
    known.setdefault("model", f"{name}-model")
    return Scripted(*(script or (f"from {name}",)), name=name, **known)


def broken(name, error=ServerError, **known):
    return target(name, lambda: error("oops"), **known)


def chain(*targets, **options):
    return FallbackProvider(list(targets), **options)


def asked(*targets):
    return [len(each.asked) for each in targets]


# Order and verdicts.


@pytest.mark.anyio
async def test_the_first_that_answers_is_the_last_that_is_asked():
    a, b, c = broken("a"), target("b"), target("c")

    answer = await chain(a, b, c).generate("hi")

    assert answer == "from b"
    assert asked(a, b, c) == [1, 1, 0]


@pytest.mark.anyio
async def test_what_the_first_answers_has_no_warning():
    answer = await chain(target("a"), target("b")).generate("hi")

    assert answer.warnings == ()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error, goes_on",
    [
        (ServerError, True),
        (RateLimitError, True),
        (AuthenticationError, True),
        (UnsupportedOperationError, True),
        (CircuitOpenError, True),
        (InvalidRequestError, False),
        (ContentFilteredError, False),
        (BudgetExceededError, False),
    ],
)
async def test_the_verdict_decides_whether_another_is_asked(error, goes_on):
    a, b = broken("a", error), target("b")

    if goes_on:
        assert await chain(a, b).generate("hi") == "from b"
    else:
        with pytest.raises(error):
            await chain(a, b).generate("hi")
    assert asked(a, b) == [1, int(goes_on)]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error, wish, goes_on",
    [
        (InvalidRequestError, True, True),
        (ServerError, False, False),
        (ServerError, None, True),
        (ContentFilteredError, None, False),
    ],
)
async def test_a_predicate_overrides_the_verdict_unless_it_has_no_opinion(error, wish, goes_on):
    a, b = broken("a", error), target("b")

    with contextlib.suppress(error):
        await chain(a, b, try_another=lambda _: wish).generate("hi")

    assert asked(a, b) == [1, int(goes_on)]


@pytest.mark.anyio
@pytest.mark.parametrize("stop", [ZeroDivisionError, SystemExit])
async def test_what_is_no_error_of_a_provider_passes_untouched(stop):
    a, b = target("a", stop), target("b")

    with pytest.raises(stop):
        await chain(a, b).generate("hi")
    assert asked(a, b) == [1, 0]


@pytest.mark.anyio
async def test_the_only_one_that_was_tried_raises_its_own_error():
    error = InvalidRequestError("no")

    with pytest.raises(InvalidRequestError) as caught:
        await chain(target("a", error), target("b")).generate("hi")

    assert caught.value is error
    assert [attempt.provider for attempt in error.attempts] == ["a"]


@pytest.mark.anyio
async def test_when_all_failed_the_first_is_the_cause_and_the_least_wait_is_kept():
    first = RateLimitError("slow", retry_after=9.0)
    others = [ServerError("oops"), RateLimitError("slow", retry_after=4.0)]

    with pytest.raises(AllTargetsFailedError) as caught:
        await chain(*(target(n, e) for n, e in zip("abc", [first, *others], strict=True))).generate(
            "hi"
        )

    error = caught.value
    assert error.__cause__ is first
    assert error.errors == (first, *others)
    assert error.retry_after == 4.0
    assert [attempt.provider for attempt in error.attempts] == ["a", "b", "c"]
    assert error.verdict.http == 429


@pytest.mark.anyio
@pytest.mark.parametrize(
    "ask",
    [
        lambda p: p.generate("hi"),
        lambda p: p.generate_stream("hi").collect(),
        lambda p: p.embed("hi"),
        lambda p: p.embed_batch(["hi"]),
    ],
)
async def test_every_operation_falls_back(ask):
    a, b = broken("a", embedding_model="e"), target("b", embedding_model="e")

    await ask(chain(a, b))

    assert asked(a, b) == [1, 1]


@pytest.mark.anyio
async def test_a_stream_falls_back_before_its_commit_and_never_after():
    a = target("a", Source(OverloadedError("busy")), lambda: Source([TextDelta("a")], BUSY))
    b = target("b", "from b")
    provider = chain(a, b)

    assert await provider.generate_stream("hi").collect() == "from b"
    with pytest.raises(StreamInterruptedError):
        await provider.generate_stream("hi").collect()
    assert asked(a, b) == [2, 1]


BUSY = OverloadedError("busy")


# What cannot take the request.


IMAGE = Message.user("What is this?", Image(url="https://example.com/x.png"))


@pytest.mark.anyio
async def test_who_cannot_take_the_request_is_left_out_and_the_journal_says_why():
    a, b = target("a", images=False), target("b")

    answer = await chain(a, b).generate(IMAGE)

    skipped, succeeded = answer.attempts
    assert asked(a, b) == [0, 1]
    assert (skipped.outcome, skipped.provider, skipped.model) == (Outcome.SKIPPED, "a", "a-model")
    assert skipped.reason == "a-model does not take images"
    assert succeeded.provider == "b"
    assert answer.warnings == (
        "answered by b:b-model, as a:a-model was left out: a-model does not take images",
    )


@pytest.mark.anyio
async def test_when_none_can_the_least_wait_is_told_at_once():
    refusing = CircuitBreakerProvider(
        broken("b"), options=BreakerOptions(failure_threshold=1), random=lambda: 0.5
    )
    with pytest.raises(ServerError):
        await refusing.generate("hi")
    provider = chain(target("a", images=False), refusing)

    with pytest.raises(NoTargetError) as caught:
        await provider.generate(IMAGE)

    error = caught.value
    assert (error.retry_after, error.sent) == (30.0, False)
    assert "a:a-model: a-model does not take images" in error.message
    assert "b:b-model: the circuit is open" in error.message
    assert [attempt.outcome for attempt in error.attempts] == [Outcome.SKIPPED] * 2


@pytest.mark.anyio
@pytest.mark.parametrize(
    "windows, limit, asked_of_second",
    [
        ((1000, 2000), None, 1),
        ((1000, 1000), None, 0),
        ((1000, None), None, 0),
        ((None, 1000), None, 1),
        ((None, 1000), 1000, 0),
        ((None, 2000), 1000, 1),
        ((9000, 2000), 1000, 1),
    ],
)
async def test_a_prompt_that_is_too_long_goes_to_a_larger_window_alone(
    windows, limit, asked_of_second
):
    error = ContextLengthExceededError("long", limit=limit)
    a = target("a", error, context_window=windows[0])
    b = target("b", context_window=windows[1])

    with contextlib.suppress(ContextLengthExceededError):
        await chain(a, b).generate("hi")
    assert asked(a, b) == [1, asked_of_second]


@pytest.mark.anyio
@pytest.mark.parametrize("window, goes_on", [(2000, True), (1000, False)])
async def test_a_prompt_that_was_cut_goes_to_a_larger_window_alone(window, goes_on):
    a = broken("a", PromptTruncatedError, context_window=1000)
    b = target("b", context_window=window)

    with contextlib.suppress(PromptTruncatedError):
        await chain(a, b).generate("hi")
    assert asked(a, b) == [1, int(goes_on)]


@pytest.mark.anyio
@pytest.mark.parametrize("ceiling, goes_on", [(2000, True), (1000, False), (None, False)])
async def test_an_answer_that_was_cut_goes_to_a_larger_ceiling_alone(ceiling, goes_on):
    a = broken("a", OutputTruncatedError, max_output_tokens=1000, context_window=100)
    b = target("b", max_output_tokens=ceiling)

    with contextlib.suppress(OutputTruncatedError):
        await chain(a, b).generate("hi")
    assert asked(a, b) == [1, int(goes_on)]


@pytest.mark.anyio
async def test_the_journal_says_who_was_too_small():
    a = target("a", ContextLengthExceededError("long"), context_window=1000)
    b, c = target("b", context_window=500), target("c", context_window=2000)

    answer = await chain(a, b, c).generate("hi")

    [skipped] = [attempt for attempt in answer.attempts if attempt.outcome is Outcome.SKIPPED]
    assert answer == "from c"
    assert skipped.reason == "its window is not known to be larger than that of a:a-model"


# A model, and what only one vendor knows.


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["b-model", "b:b-model", "b/b-model"])
async def test_a_named_model_is_asked_alone_and_by_its_own_name(name):
    a, b = target("a"), target("b")

    answer = await chain(a, b).generate("hi", model=name)

    assert asked(a, b) == [0, 1]
    assert b.requests[0].model == "b-model"
    assert answer == "from b"


@pytest.mark.anyio
async def test_who_asks_for_a_model_is_not_warned_that_it_answers(caplog):
    answer = await chain(target("a"), target("b")).generate("hi", model="b-model")

    assert answer.warnings == ()
    assert not caplog.records


@pytest.mark.anyio
async def test_who_asks_for_a_model_of_several_providers_is_warned_of_a_switch():
    a, b = broken("a", model="shared"), target("b", model="shared")

    answer = await chain(a, b).generate("hi", model="shared")

    assert answer.warnings == ("answered by b:shared, as a:shared failed: oops",)


@pytest.mark.anyio
async def test_a_model_that_nobody_has_is_refused_with_those_that_there_are():
    a = target("a")

    with pytest.raises(InvalidRequestError, match="'gpt' is none of this chain; it has a:a-model"):
        await chain(a, target("b")).generate("hi", model="gpt")
    assert asked(a) == [0]


@pytest.mark.anyio
async def test_an_answer_names_no_model_that_was_not_asked_for():
    a, b = broken("a"), target("b")

    await chain(a, b).generate("hi")

    assert b.requests[0].model is None


@pytest.mark.anyio
async def test_extras_are_keyed_by_provider():
    a, b, c = broken("a"), broken("b"), target("c")

    await chain(a, b, c).generate("hi", extra={"a": {"x": 1}, "c": {"y": 2}})

    assert [each.requests[0].extra for each in (a, b, c)] == [{"x": 1}, {}, {"y": 2}]


@pytest.mark.anyio
async def test_a_flat_extra_is_refused_where_several_providers_could_answer():
    a = target("a")

    with pytest.raises(InvalidRequestError, match=r"extra=\{'a': \{...\}\}; here are a, b"):
        await chain(a, target("b")).generate("hi", extra={"x": 1})
    assert asked(a) == [0]


@pytest.mark.anyio
@pytest.mark.parametrize("extra", [{"x": 1}, {"a": {"x": 1}}])
async def test_one_provider_with_several_models_takes_either_kind(extra):
    a, b = broken("a", model="one"), target("a", model="two")

    await chain(a, b).generate("hi", extra=extra)

    assert [each.requests[0].extra for each in (a, b)] == [{"x": 1}, {"x": 1}]


# Several attempts, one deadline.


@pytest.mark.anyio
async def test_at_most_six_are_asked_in_all_repeats_included():
    targets = [broken(name) for name in "abcd"]
    retrying = [RetryProvider(each, random=lambda: 0.0) for each in targets]

    with pytest.raises(AllTargetsFailedError):
        await chain(*retrying).generate("hi")

    assert asked(*targets) == [3, 3, 0, 0]


@pytest.mark.anyio
@pytest.mark.parametrize("most, expected", [(1, [1, 0]), (2, [2, 0]), (4, [3, 1]), (5, [3, 2])])
async def test_max_attempts_cuts_repeats_too(most, expected):
    targets = [broken(name) for name in "ab"]
    provider = chain(
        *(RetryProvider(each, random=lambda: 0.0) for each in targets), max_attempts=most
    )

    with pytest.raises((ServerError, AllTargetsFailedError)):
        await provider.generate("hi")

    assert asked(*targets) == expected


@pytest.mark.anyio
async def test_a_limit_from_outside_holds_inside():
    targets = [broken(name) for name in "abc"]
    call = generating().with_(attempt_limit=2)

    with pytest.raises(AllTargetsFailedError):
        await call.on(chain(*targets))

    assert asked(*targets) == [1, 1, 0]


@pytest.mark.anyio
async def test_a_chain_that_is_repeated_may_ask_again():
    targets = [broken(name) for name in "ab"]
    inner = chain(*targets, max_attempts=2)
    provider = RetryProvider(inner, max_retries=1, random=lambda: 0.0, retry_on=lambda _: True)

    with pytest.raises(AllTargetsFailedError):
        await provider.generate("hi")

    assert asked(*targets) == [2, 2]


@pytest.mark.anyio
async def test_one_deadline_spans_the_chain():
    a, b = broken("a"), target("b")
    a.seconds = 5.0

    with pytest.raises(ProviderTimeoutError):
        await chain(a, b).generate("hi", timeout=5)

    assert asked(a, b) == [1, 0]


class Planning(Decorator):
    """A user's policy that plans in a way of its own: all targets in a row."""

    def plan(self, call):
        return Plan(super().plan(call).targets)

    async def handle(self, call):
        return await super().handle(call.with_(plan=self.plan(call)))


@pytest.mark.anyio
async def test_a_plan_without_children_hides_no_target():
    a, b = broken("a"), target("b")

    assert await Planning(chain(a, b)).generate("hi") == "from b"
    assert asked(a, b) == [1, 1]


@pytest.mark.anyio
async def test_a_plan_without_children_hides_no_target_of_a_nested_chain():
    a, b, c = broken("a"), broken("b"), target("c")

    assert await chain(a, Planning(chain(b, c))).generate("hi") == "from c"
    assert asked(a, b, c) == [1, 1, 1]


# What is said of it.


@pytest.mark.anyio
async def test_an_answer_of_another_than_the_first_says_why():
    provider = chain(broken("a", embedding_model="e"), target("b", embedding_model="e"))
    said = ("answered by b:b-model, as a:a-model failed: oops",)

    assert (await provider.generate("hi")).warnings == said
    assert (await provider.generate_stream("hi").collect()).warnings == said
    said = ("answered by b:e, as a:e failed: oops",)
    assert (await provider.embed("hi")).metadata.warnings == said
    assert (await provider.embed_batch(["hi"])).metadata.warnings == said


def logged(caplog):
    return [(record.levelno, record.getMessage()) for record in caplog.records]


@pytest.mark.anyio
async def test_a_switch_is_logged_once_per_target_and_cause(caplog):
    numbers = iter(range(100))
    a = target("a", lambda: RateLimitError(f"try again in {next(numbers)} s"))
    provider = chain(a, target("b"))

    for _ in range(3):
        await provider.generate("hi")
    a.script = [lambda: ServerError("oops")]
    await provider.generate("hi")

    assert logged(caplog) == [
        (logging.WARNING, "b:b-model answers because a:a-model failed: try again in 0 s"),
        (logging.WARNING, "b:b-model answers because a:a-model failed: oops"),
    ]


@pytest.mark.anyio
async def test_what_is_left_out_is_logged_once_whatever_its_numbers(caplog):
    provider = chain(target("a", context_window=10), target("b"))

    for length in (1000, 2000, 3000):
        await provider.generate("中" * length)

    assert len(logged(caplog)) == 1


@pytest.mark.anyio
async def test_what_has_been_logged_is_remembered_within_bounds(caplog):
    provider = chain(target("a", images=False), target("b"))
    provider._logged = {("", str(number)) for number in range(provider.MAX_REMEMBERED)}

    await provider.generate(IMAGE)

    assert not logged(caplog)
    assert len(provider._logged) == provider.MAX_REMEMBERED == 1024


@pytest.mark.anyio
async def test_a_failed_call_leaves_no_garbage():
    provider = chain(broken("a"), broken("b"))
    single = chain(broken("a", InvalidRequestError), broken("b"))
    with without_gc():
        references = []
        for each, kind in ((provider, AllTargetsFailedError), (single, InvalidRequestError)):
            try:
                await each.generate("hi")
            except kind as error:
                references += [weakref.ref(error), weakref.ref(error.__cause__ or error)]

        assert [reference() for reference in references] == [None] * 4


# Embedding spaces.


def embedding_target(name, model, **options):
    return target(name, embedding_model=model, **options)


@pytest.mark.anyio
async def test_vectors_come_from_one_space_alone():
    a = broken("a", embedding_model="small")
    b, c = embedding_target("b", "large"), embedding_target("c", "small")

    vectors = await chain(a, b, c).embed_batch(["hi"])

    assert asked(a, b, c) == [1, 0, 1]
    [skipped] = [it for it in vectors.metadata.journal if it.outcome is Outcome.SKIPPED]
    assert skipped.reason.startswith("another embedding space than small; allow_other_space=True")


@pytest.mark.anyio
async def test_another_space_is_used_only_when_it_is_allowed():
    a, b = broken("a", embedding_model="small"), embedding_target("b", "large")

    with pytest.raises(ServerError):
        await chain(a, b).embed("hi")
    await chain(a, b, allow_other_space=True).embed("hi")

    assert asked(a, b) == [2, 1]


@pytest.mark.anyio
async def test_a_target_that_cannot_embed_does_not_set_the_space():
    a, b, c = target("a"), broken("b", embedding_model="e"), embedding_target("c", "e")

    await chain(a, b, c).embed("hi")

    assert asked(a, b, c) == [0, 1, 1]


@pytest.mark.anyio
async def test_a_target_that_refuses_at_present_sets_the_space_all_the_same():
    a = CircuitBreakerProvider(embedding_target("a", "small"))
    a.breaker("small").isolate()
    b = embedding_target("b", "large")

    with pytest.raises(NoTargetError):
        await chain(a, b).embed("hi")

    assert asked(b) == [0]


@pytest.mark.anyio
async def test_nobody_who_can_embed_is_no_target():
    with pytest.raises(NoTargetError, match="has no embedding model"):
        await chain(target("a"), target("b")).embed("hi")


def foreign(name, error=None):
    class Mock:
        async def embed(self, text):
            if error:
                raise error
            return [1.0]

    return type(name, (Mock,), {})()


@pytest.mark.anyio
async def test_spaces_that_nobody_knows_are_not_taken_for_the_same():
    with pytest.raises(ServerError):
        await chain(foreign("One", ServerError("oops")), foreign("Other")).embed("hi")

    assert await chain(foreign("One", ServerError("oops")), foreign("One")).embed("hi") == [1.0]


# A chain in a chain.


@pytest.mark.anyio
async def test_a_chain_may_be_part_of_a_chain():
    a, b, c = broken("a"), target("b"), target("c")

    answer = await chain(chain(a, b), c).generate("hi")

    assert answer == "from b"
    assert asked(a, b, c) == [1, 1, 0]


@pytest.mark.anyio
async def test_the_errors_of_a_nested_chain_stand_beside_those_of_the_outer():
    targets = [broken(name) for name in "abc"]

    with pytest.raises(AllTargetsFailedError) as caught:
        await chain(RetryProvider(chain(*targets[:2])), targets[2]).generate("hi")

    error = caught.value
    assert [each.provider for each in error.errors] == ["a", "b", "c"]
    assert error.__cause__ is error.errors[0]
    assert type(error.__cause__) is ServerError


@pytest.mark.anyio
async def test_a_nested_chain_counts_towards_the_attempts_of_the_outer():
    targets = [broken(name) for name in "abcd"]

    with pytest.raises(AllTargetsFailedError):
        await chain(chain(*targets[:2]), chain(*targets[2:]), max_attempts=3).generate("hi")

    assert asked(*targets) == [1, 1, 1, 0]


@pytest.mark.anyio
async def test_what_is_named_is_found_in_a_nested_chain():
    a, b, c = target("a"), target("b"), target("c")

    assert await chain(chain(a, b), c).generate("hi", model="b:b-model") == "from b"
    assert await chain(chain(a, b), c).generate("hi", model="c-model") == "from c"
    assert asked(a, b, c) == [0, 1, 1]


@pytest.mark.anyio
async def test_extras_reach_a_nested_chain_and_those_of_others_do_not_trouble_it():
    a, b, c = broken("a"), broken("b"), target("c")

    await chain(chain(a, b), c).generate("hi", extra={"b": {"x": 1}, "c": {"y": 2}})

    assert [each.requests[0].extra for each in (a, b, c)] == [{}, {"x": 1}, {"y": 2}]


@pytest.mark.anyio
async def test_a_flat_extra_reaches_a_nested_chain_of_one_provider():
    a, b = broken("a", model="one"), target("a", model="two")

    await chain(chain(a, b)).generate("hi", extra={"x": 1})

    assert [each.requests[0].extra for each in (a, b)] == [{"x": 1}, {"x": 1}]


@pytest.mark.anyio
async def test_a_plan_is_made_once_for_all_levels():
    planned = []

    class Planning(Scripted):
        def plan(self, call):
            planned.append(self.name)
            return super().plan(call)

    a, b = (Planning(lambda: ServerError("x"), name=name, model=name) for name in "ab")
    with pytest.raises(AllTargetsFailedError):
        await chain(RetryProvider(chain(a), max_retries=0), chain(b)).generate("hi")

    assert planned == ["a", "b"]


def test_a_plan_holds_all_targets_in_order_and_says_what_hinders():
    provider = chain(chain(target("a", images=False), target("b")), target("c"))

    plan = provider.plan(generating(IMAGE))

    assert [each.label for each in plan] == ["a:a-model", "b:b-model", "c:c-model"]
    assert [bool(each.cannot) for each in plan] == [True, False, False]
    assert plan.first.provider == "b"


@pytest.mark.anyio
async def test_a_plan_that_a_step_has_made_is_used():
    a, b = target("a"), target("b")
    provider = chain(a, b)
    call = generating()
    plan = provider.plan(call)

    planned = call.with_(plan=plan.joining(plan.children[1:]))

    assert await planned.on(provider) == "from b"


@pytest.mark.anyio
async def test_who_is_left_out_of_a_nested_chain_is_told_of_once(caplog):
    a, b, c = target("a", images=False), target("b"), target("c")

    answer = await chain(chain(a, b), c).generate(IMAGE)

    said = "answered by b:b-model, as a:a-model was left out: a-model does not take images"
    assert answer.warnings == (said,)
    assert [attempt.outcome for attempt in answer.attempts] == [
        Outcome.SKIPPED,
        Outcome.SUCCEEDED,
    ]
    assert len(caplog.records) == 1


@pytest.mark.anyio
async def test_the_same_target_twice_is_asked_twice():
    a = target("a", lambda: ServerError("oops"), "from a")

    assert await chain(a, a).generate("hi") == "from a"
    assert asked(a) == [2]


# A breaker inside.


@pytest.mark.anyio
async def test_an_open_breaker_is_left_out_and_recovers():
    inner = broken("a")
    guarded = CircuitBreakerProvider(
        inner, options=BreakerOptions(failure_threshold=1), random=lambda: 0.5
    )
    b = target("b")
    provider = chain(RetryProvider(guarded, max_retries=0), b)

    await provider.generate("hi")
    left_out = await provider.generate("hi")
    assert asked(inner, b) == [1, 2]
    assert "a:a-model was left out: the circuit is open" in left_out.warnings[0]

    inner.script = ["from a"]
    await anyio.sleep(30)
    answers = [await provider.generate("hi") for _ in range(2)]
    assert answers == ["from a", "from a"]
    assert guarded.breaker().state is State.CLOSED


@pytest.mark.anyio
async def test_a_breaker_guards_a_model_however_it_is_reached():
    inner = broken("a")
    guarded = CircuitBreakerProvider(inner, options=BreakerOptions(failure_threshold=2))
    provider = chain(guarded, target("b"))

    await provider.generate("hi")
    with pytest.raises(ServerError):
        await provider.generate("hi", model="a-model")
    with pytest.raises(NoTargetError):
        await provider.generate("hi", model="a:a-model")

    assert asked(inner) == [2]


# The last resort.


@pytest.mark.anyio
async def test_the_last_resort_answers_when_nobody_can_be_asked():
    last = target("offline")
    provider = chain(target("a", images=False), last_resort=last)

    answer = await provider.generate(IMAGE)

    assert answer == "from offline"
    assert answer.warnings == (
        "answered by the last resort, as a:a-model was left out: a-model does not take images",
    )


@pytest.mark.anyio
async def test_the_last_resort_does_not_answer_for_those_who_failed():
    last = target("offline")

    with pytest.raises(AllTargetsFailedError):
        await chain(broken("a"), broken("b"), last_resort=last).generate("hi")

    assert asked(last) == [0]


@pytest.mark.anyio
async def test_the_last_resort_is_not_asked_for_what_was_meant_for_others():
    last = target("offline")
    a = CircuitBreakerProvider(target("a"))
    a.breaker().isolate()
    provider = chain(a, target("b", images=False), last_resort=last)

    await provider.generate(IMAGE, model="a:a-model", extra={"a": {"x": 1}})

    assert (last.requests[0].model, last.requests[0].extra) == (None, {})
    assert last.asked[0].plan is None


# Building it.


@pytest.mark.parametrize("targets", [None, 5, "openai", Scripted("ho"), iter([Scripted("ho")])])
def test_a_chain_takes_a_sequence_of_providers(targets):
    with pytest.raises(ConfigurationError, match="takes a sequence of providers, not"):
        FallbackProvider(targets)


def test_a_chain_without_targets_makes_no_sense():
    with pytest.raises(ConfigurationError, match="at least one provider"):
        chain()


def test_a_chain_that_asks_nobody_makes_no_sense():
    with pytest.raises(ConfigurationError, match="max_attempts must be at least 1, not 0"):
        chain(target("a"), max_attempts=0)


def test_a_chain_is_named_for_what_it_is_and_counts_as_its_first():
    class Counting:
        async def generate(self, prompt):
            return ""

        def count_tokens(self, text):
            return 42

    provider = chain(Counting(), target("b"))

    assert provider.name == "fallback"
    assert provider.model == ModelInfo()
    assert provider.count_tokens("hi") == 42
    assert len(provider.targets) == 2


@pytest.mark.anyio
async def test_all_targets_are_closed_even_if_one_cannot_be():
    class Stubborn(Scripted):
        async def aclose(self):
            await super().aclose()
            raise OSError

    a, b, last = Scripted("a"), Stubborn("b"), Scripted("c")

    with pytest.raises(OSError):
        await chain(a, b, last_resort=last).aclose()

    assert (a.closed, b.closed, last.closed) == (1, 1, 1)


@pytest.mark.anyio
async def test_an_abandoned_stream_of_a_chain_is_closed():
    source = Source([TextDelta("h")], WAIT)
    async with chain(broken("a"), target("b", source)).generate_stream("hi") as stream:
        assert await anext(stream) == "h"

    assert source.aborted


@pytest.mark.anyio
async def test_one_text_falls_back_within_its_space():
    a, b = broken("a", embedding_model="e"), embedding_target("b", "e")
    call = Call.embed("four", {}, lambda: 0.0)

    assert await call.on(chain(a, b)) == [4.0]


@pytest.mark.anyio
@pytest.mark.parametrize("error", [BudgetExceededError, InvalidRequestError])
async def test_what_ends_a_nested_chain_ends_the_outer_one(error):
    a, b, c = broken("a", ServerError), broken("b", error), target("c")

    with pytest.raises(AllTargetsFailedError):
        await chain(chain(a, b), c).generate("hi")
    assert asked(a, b, c) == [1, 1, 0]


@pytest.mark.anyio
async def test_a_switch_is_told_to_the_log_it_is_given(caplog):
    told = []

    class Log:
        def is_on(self, level):
            return True

        def record(self, level, event, fields):
            told.append((level, event, fields["target"]))

    a = target("a", lambda: ServerError("down"), lambda: ServerError("down"))
    provider = FallbackProvider([a, target("b")], log=Log())

    await provider.generate("hi")
    await provider.generate("hi")

    assert told == [("warning", "another target answers", "b:b-model")]
    assert not logged(caplog)


def test_what_a_chain_comes_to_at_worst_is_capped():
    targets = [target(name) for name in "abc"]

    bounds = chain(*targets, max_attempts=2).bounds("generate")
    with_last = chain(targets[0], last_resort=chain(*targets)).bounds("generate")

    assert (bounds.planned, bounds.attempts) == (3, 2)
    assert with_last.attempts == 3
