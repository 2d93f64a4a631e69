"""Conversations that are too long for somebody who is asked."""

from dataclasses import replace

import pytest

from fairlead.core.adapt import adapt
from fairlead.core.bounds import bounds_of
from fairlead.core.calls import Operation
from fairlead.core.context import ContextOptions
from fairlead.core.errors import (
    AllTargetsFailedError,
    ConfigurationError,
    ContextLengthExceededError,
    PromptTruncatedError,
    ServerError,
    StreamInterruptedError,
)
from fairlead.core.journal import Outcome
from fairlead.core.messages import Image, Message, Tool
from fairlead.core.models import ModelInfo
from fairlead.core.results import Generation, Metadata
from fairlead.core.usage import Usage
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.context import ContextFitProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.testing import ScriptedProvider
from tests.support.scripts import whatever

pytestmark = pytest.mark.anyio

LONG = "word " * 400  # some 370 tokens
TALK = [
    Message.user(f"first {LONG}"),
    Message.assistant("Yes."),
    Message.user(f"second {LONG}"),
    Message.assistant("No."),
    Message.user("third"),
]
OPTIONS = ContextOptions(room=0)


def scripted(name="a", window=None, script="ho", usage=None, **known):
    model = ModelInfo(name=f"{name}-1", context_window=window, **known)
    return ScriptedProvider(script, name=name, model=model, usage=usage)


def fitting(inner, **options):
    return ContextFitProvider(inner, options=OPTIONS, **options)


def asked(provider):
    return [message.text.split()[0] for message in provider.calls[-1].generation.messages]


async def generated(provider, prompt=TALK, **options):
    return await provider.generate(prompt, **options)


async def streamed(provider, prompt=TALK, **options):
    return await provider.generate_stream(prompt, **options).collect()


EITHER = pytest.mark.parametrize("ask", [generated, streamed])


@EITHER
async def test_it_is_cut_and_the_answer_says_so(ask):
    target = scripted(window=600)

    answer = await ask(fitting(target))

    assert asked(target) == ["second", "No.", "third"]
    [warning] = answer.warnings
    assert warning.startswith("to fit the window of a-1 (600 tokens), 2 of 5 messages were left")


@EITHER
@pytest.mark.parametrize("window", [None, 100_000])
async def test_what_fits_or_may_fit_is_passed_on_as_it_is(ask, window):
    target = scripted(window=window)
    provider = fitting(target)

    answer = await ask(provider)

    assert target.calls[0].generation.messages == tuple(TALK)
    assert target.calls[0].plan is None
    assert answer.warnings == ()


async def test_texts_to_embed_are_left_alone():
    target = ScriptedProvider([[1.0], [2.0]], model=ModelInfo(embedding_model="e"))

    assert list(await fitting(target).embed("hi " * 9999)) == [1.0]
    assert target.calls[0].plan is None


async def test_what_cannot_be_made_to_fit_is_refused_before_anything_is_sent():
    target = scripted(window=100)

    with pytest.raises(ContextLengthExceededError) as caught:
        await fitting(target).generate(LONG)

    error = caught.value
    assert (error.limit, error.sent, error.provider, error.model) == (100, False, "a", "a-1")
    assert error.requested > 300
    assert target.calls == []
    assert [attempt.outcome for attempt in error.attempts] == [Outcome.SKIPPED]


@EITHER
async def test_each_target_is_asked_what_fits_it(ask):
    small, large = scripted("small", 600, ServerError), scripted("large", 2000)
    provider = fitting(FallbackProvider([small, large]))

    answer = await ask(provider)

    assert asked(small) == ["second", "No.", "third"]
    assert asked(large) == ["first", "Yes.", "second", "No.", "third"]
    [warning] = answer.warnings
    assert "answered by large:large-1" in warning


@EITHER
async def test_the_warning_is_that_of_the_target_that_answers(ask):
    large, small = scripted("large", 2000, ServerError), scripted("small", 600)

    answer = await ask(fitting(FallbackProvider([large, small])))

    assert asked(small) == ["second", "No.", "third"]
    assert [warning.split()[:3] for warning in answer.warnings] == [
        ["answered", "by", "small:small-1,"],
        ["to", "fit", "the"],
    ]


async def test_models_of_one_vendor_are_told_apart_by_the_name_that_it_answers_with():
    def told(name):
        return Generation("ho", Metadata(provider="v", model=name))

    def target(name, window, script):
        return ScriptedProvider(script, name="v", model=ModelInfo(name=name, context_window=window))

    one = target("m", 600, [ServerError, told("m-2026")])
    other = target("m-large", 700, [told("m-large-2026"), ServerError])

    first = await fitting(FallbackProvider([one, other])).generate(TALK)
    second = await fitting(FallbackProvider([other, one])).generate(TALK)
    assert "m-large (700 tokens)" in first.warnings[-1]
    assert "m (600 tokens)" in second.warnings[-1]


async def test_a_chain_of_chains_hands_each_its_own():
    small, large = scripted("small", 600, ServerError), scripted("large", 2000)
    unknown = scripted("unknown", None, ServerError)
    inner = FallbackProvider([small, FallbackProvider([unknown, large])])

    await fitting(inner).generate(TALK)

    assert [len(asked(it)) for it in (small, unknown, large)] == [3, 5, 5]


async def test_a_target_that_nothing_fits_is_left_out_and_others_are_asked():
    tiny, large = scripted("tiny", 50), scripted("large", 2000)
    provider = fitting(FallbackProvider([tiny, large]))

    answer = await provider.generate(f"only {LONG}")

    assert (tiny.calls, answer.provider) == ([], "large")
    [warning] = answer.warnings
    assert "tiny:tiny-1 was left out: the prompt has about" in warning


async def test_if_nothing_fits_anybody_the_largest_window_is_told():
    provider = fitting(FallbackProvider([scripted("a", 50), scripted("b", 90), scripted("c", 70)]))

    with pytest.raises(ContextLengthExceededError) as caught:
        await provider.generate(LONG)
    assert (caught.value.limit, caught.value.provider) == (90, "b")


async def test_a_model_that_is_named_is_the_one_whose_window_counts():
    small, large = scripted("small", 600), scripted("large", 2000)
    provider = fitting(FallbackProvider([small, large]))

    answer = await provider.generate(TALK, model="large:large-1")

    assert (answer.provider, len(asked(large))) == ("large", 5)
    assert large.calls[0].generation.model == "large-1"


async def test_what_is_too_long_at_first_can_be_asked_once_it_is_cut():
    # The plan of the whole prompt says that it never fits.
    target = scripted(window=200, tools=False)
    provider = fitting(target)
    prompt = [*TALK[:-1], "third"]

    plan = provider.plan(adapt_call(prompt))
    assert [target.cannot for target in plan] == [None]
    assert await provider.generate(prompt) == "ho"


async def test_what_a_target_lacks_it_lacks_still():
    target = scripted(window=200, images=False)
    prompt = [*TALK[:-1], Message.user("third", Image(url="https://example.org/a.png"))]

    [planned] = fitting(target).plan(adapt_call(prompt))
    assert planned.cannot == "a-1 does not take images"


def adapt_call(prompt):
    from fairlead.core.calls import Call

    return Call.generate(prompt, {}, lambda: 0.0)


async def test_a_policy_below_still_refuses():
    target = CircuitBreakerProvider(scripted(window=600))
    target.breaker().isolate()

    [planned] = fitting(target).plan(adapt_call(TALK))
    assert planned.refuses == "the circuit is isolated"


async def test_the_plan_changes_nothing_for_those_who_fit():
    target = adapt(scripted(window=100_000))
    call = adapt_call(TALK)

    assert fitting(target).plan(call) is target.plan(call)


async def test_users_own_providers_are_handed_what_is_left():
    class Own:
        model = ModelInfo(name="own", context_window=600)

        async def generate(self, prompt, system_prompt=None):
            self.asked = [it.text.split()[0] for it in prompt], system_prompt
            return "ho"

    own = Own()
    answer = await fitting(own).generate(TALK, system_prompt="Kind.")

    assert own.asked == (["Kind.", "second", "No.", "third"], None)
    assert answer == "ho"


async def test_tokenizers_count_where_they_are_there():
    class Letters:
        family = "letters"

        def count(self, text):
            return len(text)

    target = scripted(window=2500, tokenizer="letters")

    await fitting(target).generate(TALK)
    assert len(asked(target)) == 5
    await fitting(target, tokenizers={"letters": Letters()}).generate(TALK)
    assert len(asked(target)) == 3


# Servers that cut prompts themselves.

CUT = Usage(input_tokens=120, output_tokens=2)
PROMPT = "word " * 130


@EITHER
async def test_a_prompt_that_a_server_has_cut_is_told(ask):
    answer = await ask(fitting(scripted(usage=CUT)), PROMPT)

    [warning] = answer.warnings
    assert warning == ("a:a-1 cut the prompt: it read 120 tokens of a prompt that has at least 130")


@EITHER
async def test_a_prompt_that_was_read_is_not(ask):
    whole = replace(CUT, input_tokens=130)

    assert (await ask(fitting(scripted(usage=whole)), PROMPT)).warnings == ()
    assert (await ask(fitting(scripted(usage=None)), PROMPT)).warnings == ()


@EITHER
async def test_nothing_is_said_if_nobody_wants_to_know(ask):
    assert (await ask(fitting(scripted(usage=CUT), truncation="ignore"), PROMPT)).warnings == ()


async def test_an_answer_from_a_cache_tells_of_another_time():
    cached = Generation("ho", Metadata(provider="a", usage=CUT, cached=True))
    own = type("Own", (), {"generate": staticmethod(lambda prompt: cached)})()

    assert (await fitting(own).generate(PROMPT)).warnings == ()


async def test_it_is_an_error_where_that_was_asked_for():
    with pytest.raises(PromptTruncatedError) as caught:
        await fitting(scripted(usage=CUT), truncation="raise").generate(PROMPT)

    error = caught.value
    assert (error.provider, error.model, error.sent) == ("a", "a-1", True)
    assert (error.partial, error.partial.usage) == ("ho", CUT)
    assert [attempt.outcome for attempt in error.attempts] == [Outcome.SUCCEEDED]


async def test_a_stream_that_was_shown_ends_in_an_interruption():
    stream = await fitting(scripted(usage=CUT), truncation="raise").generate_stream(PROMPT)

    with pytest.raises(StreamInterruptedError, match="cut the prompt") as caught:
        await stream.collect()
    assert isinstance(caught.value.__cause__, PromptTruncatedError)


async def test_round_each_target_it_sends_the_call_to_a_larger_window():
    small, same = scripted("small", 1000, usage=CUT), scripted("same", 1000)
    large = scripted("large", 2000)
    each = [fitting(it, truncation="raise") for it in (small, same, large)]

    answer = await FallbackProvider(each).generate(PROMPT)

    assert (answer.provider, same.calls) == ("large", [])
    with pytest.raises(AllTargetsFailedError):
        failing = fitting(scripted("large", 2000, ServerError))
        await FallbackProvider([each[0], failing]).generate(PROMPT)


@pytest.mark.parametrize(
    "options, said",
    [
        ({"truncation": "maybe"}, "truncation must be one of warn, raise, ignore, not 'maybe'"),
        ({"options": {"room": 1}}, "options must be of ContextOptions, or None"),
    ],
)
async def test_what_makes_no_sense_is_refused(options, said):
    with pytest.raises(ConfigurationError, match=said):
        ContextFitProvider(scripted(), **options)


async def test_it_comes_to_what_is_inside_at_worst():
    target = scripted()

    assert bounds_of(fitting(target), Operation.GENERATE) == bounds_of(target, Operation.GENERATE)


async def test_an_answer_of_the_last_resort_is_nobodys_that_was_planned():
    lacking = scripted(window=9999, tools=False)
    chain = FallbackProvider([lacking], last_resort=scripted("resort"))

    answer = await fitting(chain).generate("Hi", tools=[Tool("look")])

    assert answer.provider == "resort"
    assert len(answer.warnings) == 1


async def test_it_says_how_it_was_built():
    assert repr(fitting(scripted(), truncation="raise")).endswith(
        f"options={OPTIONS!r}, truncation='raise')"
    )
    assert "options" not in repr(ContextFitProvider(ScriptedProvider(whatever)))
