import importlib
import math
import pkgutil
import re

import pytest

import fairlead.core
from fairlead.core.caching import CacheControl
from fairlead.core.calls import Call, Deadline, Handler, Operation, find
from fairlead.core.closing import Closable
from fairlead.core.errors import InvalidRequestError
from fairlead.core.models import ModelInfo
from fairlead.core.provider import Funnel, ProviderPort
from fairlead.core.requests import CallOptions
from fairlead.decorators._base import Decorator
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.retry import RetryProvider
from tests.unit.core.fakes import Scripted, embedding, generating


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_a_deadline_without_an_end_never_comes():
    assert Deadline(Clock()).remaining() is None


def test_a_deadline_is_asked_and_never_below_zero():
    clock = Clock()
    deadline = Deadline(clock, 5)

    clock.now += 3
    left = deadline.remaining()
    clock.now += 3

    assert left == 2.0
    assert deadline.remaining() == 0.0


@pytest.mark.parametrize("first, then, left", [(5, 3, 3), (3, 5, 3), (None, 5, 5), (5, None, 5)])
def test_a_deadline_can_only_come_sooner(first, then, left):
    deadline = Deadline(Clock(), first)

    deadline.tighten(then)

    assert deadline.remaining() == left


def test_an_infinite_deadline_can_be_brought_forward():
    deadline = Deadline(Clock(), math.inf)

    deadline.tighten(2)

    assert deadline.remaining() == 2.0


@pytest.mark.parametrize("whole, part, left", [(5, 3, 3), (3, 5, 3), (None, 5, 5)])
def test_a_part_ends_no_later_than_the_whole(whole, part, left):
    assert Deadline(Clock(), whole).within(part).remaining() == left


def test_a_part_ends_sooner_when_the_whole_does():
    whole = Deadline(Clock(), 5)
    part = whole.within(4)

    whole.tighten(2)

    assert part.remaining() == 2


def test_a_call_begins_when_it_is_made():
    clock = Clock()
    call = generating(clock=clock, timeout=7)

    clock.now += 1

    assert (call.began, call.now(), call.deadline.remaining()) == (100.0, 101.0, 6.0)


def test_a_call_whose_loop_is_gone_answers_when_it_began():
    call = generating()

    def gone():
        raise RuntimeError

    assert call.with_(clock=gone, began=5.0).now() == 5.0


def test_a_call_is_given_an_id_unless_it_brings_one():
    first, second = generating(tags={"a": "b"}, commit="any", cache=True, timeout=2), generating()

    assert re.fullmatch("[0-9a-f]{16}", first.options.request_id)
    assert first.options.request_id != second.options.request_id
    assert first.options == CallOptions(
        timeout=2.0,
        commit="any",
        cache=CacheControl(),
        tags={"a": "b"},
        request_id=first.options.request_id,
    )
    assert generating(request_id="mine").options.request_id == "mine"


def test_a_derived_call_shares_deadline_and_journal():
    call = generating()

    derived = call.with_(attempt_limit=3)

    assert derived.attempt_limit == 3
    assert call.attempt_limit is None
    assert derived.deadline is call.deadline
    assert derived.journal is call.journal
    assert derived.request is call.request


def test_a_call_cannot_be_derived_with_what_it_does_not_have():
    with pytest.raises(TypeError, match="a Call has no deadlin"):
        generating().with_(deadlin=None)


def test_a_call_cannot_be_changed():
    with pytest.raises(AttributeError):
        generating().plan = None


def test_a_call_tells_whether_it_embeds():
    assert embedding().embeds
    assert Call.embed("hi", {}, Clock()).embeds
    assert not generating().embeds


def test_one_text_to_embed_is_a_string():
    with pytest.raises(TypeError, match=r"embed\(\) takes one str, not list; .* embed_batch\(\)"):
        Call.embed(["hi"], {}, Clock())


def test_attempts_are_left_until_the_journal_counts_as_many():
    call = generating()
    limited = call.with_(attempt_limit=1)

    assert call.attempts_left
    assert limited.attempts_left
    limited.journal.asked += 1
    assert not limited.attempts_left


@pytest.mark.anyio
async def test_a_call_may_be_made_any_number_of_times():
    provider = Scripted("one", "two")
    call = generating()

    assert [await call.on(provider), await call.on(provider)] == ["one", "two"]
    assert len(call.journal) == 2


@pytest.mark.anyio
async def test_a_call_is_made_on_an_object_that_is_no_handler():
    class Mock:
        async def generate(self, prompt):
            return prompt.upper()

    assert await generating("hi").on(Mock()) == "HI"


@pytest.mark.anyio
async def test_a_handle_that_is_something_else_does_not_make_a_handler():
    class Mock:
        def handle(self, event):
            raise AssertionError(event)

        async def generate(self, prompt):
            return prompt.upper()

    assert await generating("hi").on(Mock()) == "HI"
    assert await RetryProvider(Mock()).generate("hi") == "HI"


@pytest.mark.anyio
async def test_a_base_without_handle_and_plan_does_nothing():
    with pytest.raises(NotImplementedError):
        await Funnel().generate("hi")
    with pytest.raises(NotImplementedError):
        Funnel().plan(generating())


def test_nothing_is_checked_later_than_when_a_stream_is_asked_for():
    with pytest.raises(InvalidRequestError):
        Scripted("ho").generate_stream("")
    with pytest.raises(TypeError):
        Scripted("ho").generate_stream("hi", temprature=1)


class Healthy(Scripted):
    async def health_check(self):
        return True


def test_a_provider_is_found_inside_decorators_and_chains():
    inner = Healthy("ho")
    chain = FallbackProvider([Scripted("a"), RetryProvider(inner)])

    assert find(RetryProvider(chain), Healthy) is inner


def test_the_first_that_fits_is_found_depth_first():
    first, second = Healthy("ho"), Healthy("ho")

    found = find(FallbackProvider([RetryProvider(RetryProvider(first)), second]), Healthy)

    assert found is first


def test_the_object_itself_is_found_first():
    provider = RetryProvider(Scripted("ho"))

    assert find(provider, Closable) is provider


def test_what_nobody_is_is_not_found():
    assert find(RetryProvider(Scripted("ho")), Healthy) is None


def test_a_users_own_object_is_found_too():
    class Mock:
        targets = 5

        async def generate(self, prompt):
            return prompt

    mock = Mock()

    assert find(RetryProvider(mock), Mock) is mock
    assert find(RetryProvider(mock), Healthy) is None


@pytest.mark.parametrize("provider", [Scripted("ho"), RetryProvider(Scripted("ho"))])
def test_what_fairlead_builds_fits_its_own_protocols(provider):
    assert isinstance(provider, ProviderPort)
    assert isinstance(provider, Handler)


@pytest.mark.parametrize("module", list(pkgutil.iter_modules(fairlead.core.__path__)))
def test_each_module_of_the_core_says_what_it_is_for(module):
    assert importlib.import_module(f"fairlead.core.{module.name}").__doc__


def test_operations_are_named_as_the_methods():
    assert set(Operation) <= set(dir(ProviderPort))


def test_an_unknown_limit_is_none():
    assert ModelInfo(name="m").context_window is None


class Forgetful(Decorator):
    """Forgets to return."""

    answer = None

    async def handle(self, call):
        await call.on(self.inner)
        return self.answer


ASKED = {
    "Generation": lambda provider: provider.generate("hi"),
    "GenerationStream": lambda provider: provider.generate_stream("hi").collect(),
    "Embedding": lambda provider: provider.embed("hi"),
    "Embeddings": lambda provider: provider.embed_batch(["hi"]),
}


@pytest.mark.parametrize("expected", ASKED)
@pytest.mark.parametrize("placed", ["outermost", "inside"])
@pytest.mark.anyio
async def test_a_policy_that_gives_no_answer_is_named(expected, placed):
    policy = Forgetful(Scripted("ho", embedding_model="e"))
    provider = policy if placed == "outermost" else RetryProvider(FallbackProvider([policy]))

    with pytest.raises(TypeError) as caught:
        await ASKED[expected](provider)

    article = "an" if expected.startswith("E") else "a"
    assert str(caught.value) == (
        f"Forgetful.handle() returned None instead of {article} {expected}; "
        "does it `return await call.on(...)`?"
    )


@pytest.mark.anyio
async def test_a_policy_that_gives_something_else_is_named_too():
    policy = Forgetful(Scripted("ho"))
    policy.answer = "plain"

    with pytest.raises(TypeError, match="returned str instead of a Generation"):
        await policy.generate("hi")
