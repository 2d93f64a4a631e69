import contextvars

import anyio
import pytest

from fairlead import tags
from fairlead.core.tags import current_tags
from fairlead.sync import open_provider
from fairlead.testing import ScriptedProvider
from tests.unit.core.fakes import embedding, generating


def test_calls_have_the_tags_of_their_context():
    with tags(project="atlas", user="ann"):
        assert generating().options.tags == {"project": "atlas", "user": "ann"}
        assert embedding().options.tags == {"project": "atlas", "user": "ann"}

    assert generating().options.tags == {}


def test_inner_tags_win_and_a_calls_own_win_over_all():
    with tags(project="atlas", user="ann"), tags({"cost-centre": "7"}, user="bob"):
        call = generating(tags={"project": "own"})

    assert call.options.tags == {"project": "own", "user": "bob", "cost-centre": "7"}


def test_nothing_but_the_tags_of_a_call_is_changed():
    with tags(user="ann"):
        call = generating(request_id="r", timeout=3.0)

    assert (call.options.request_id, call.options.timeout) == ("r", 3.0)


def test_they_end_when_something_is_raised():
    with pytest.raises(KeyError), tags(user="ann"):
        raise KeyError

    assert current_tags() == {}


@pytest.mark.anyio
async def test_tasks_have_those_of_who_started_them_and_keep_their_own():
    shared = tags(user="shared")
    seen = {}

    async def work(name, entered, other):
        with tags(task=name), shared:
            entered.set()
            await other.wait()
        seen[name] = dict(generating().options.tags)

    async with anyio.create_task_group() as group:
        with tags(project="atlas"):
            one, two = anyio.Event(), anyio.Event()
            group.start_soon(work, "one", one, two)
            group.start_soon(work, "two", two, one)

    assert seen == {"one": {"project": "atlas"}, "two": {"project": "atlas"}}


@pytest.mark.anyio
async def test_they_decorate_functions():
    @tags(project="atlas")
    def plain(value):
        return value, dict(current_tags())

    @tags(project="atlas")
    async def waiting(value):
        await anyio.lowlevel.checkpoint()
        return value, dict(current_tags())

    assert plain(1) == (1, {"project": "atlas"})
    assert await waiting(2) == (2, {"project": "atlas"})
    assert (plain.__name__, waiting.__name__) == ("plain", "waiting")
    assert current_tags() == {}


def test_generators_are_refused():
    with pytest.raises(TypeError, match=r"answers\(\) is a generator: use `with tags"):

        @tags(project="atlas")
        def answers():
            yield

    with pytest.raises(TypeError, match="is a generator"):

        @tags(project="atlas")
        async def more():
            yield


@pytest.mark.parametrize("wrong", [{"user": 3}, {3: "user"}])
def test_tags_are_words(wrong):
    with pytest.raises(TypeError, match="tags must be a mapping of str to str, not int"):
        tags(wrong)


def test_they_cannot_be_changed_from_inside():
    with tags(user="ann") as around, pytest.raises(TypeError):
        around["user"] = "bob"


def test_leaving_where_nobody_entered_does_nothing():
    contextvars.Context().run(tags(user="ann").__exit__)


def test_they_reach_synchronous_calls():
    scripted = ScriptedProvider("ho")
    with open_provider(scripted) as provider, tags(user="ann"):
        provider.generate("hi")

    assert scripted.calls[0].options.tags == {"user": "ann"}
