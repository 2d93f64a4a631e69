import gc
import weakref
from collections import Counter

import anyio
import pytest

from fairlead.core.errors import AllTargetsFailedError, ConfigurationError, ServerError
from fairlead.core.events import TextDelta
from fairlead.core.journal import Outcome
from fairlead.core.plans import Plan
from fairlead.decorators._base import Decorator
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.orders import (
    Cheapest,
    Experiment,
    Fastest,
    InOrder,
    LeastBusy,
    Order,
    Sticky,
    Weighted,
)
from fairlead.decorators.router import RouterProvider, arm_of
from fairlead.decorators.routes import Route
from tests.unit.core.fakes import WAIT, Scripted, Source, embedding, generating


class Numbers:
    """Random ones that a test chooses."""

    def __init__(self, *numbers):
        self.numbers = list(numbers)

    def __call__(self):
        self.numbers.append(self.numbers.pop(0))
        return self.numbers[-1]


def target(name, *script, **known):
    known.setdefault("model", f"{name}-model")
    known.setdefault("embedding_model", "e")
    return Scripted(*(script or (f"from {name}",)), name=name, **known)


def broken(name, **known):
    return target(name, lambda: ServerError("oops"), **known)


def asked(*targets):
    return [len(each.asked) for each in targets]


def routes(*names):
    return tuple(Route(name, index) for index, name in enumerate(names))


def arranged(order, these, call=None):
    plan = Plan(())
    return list(order.prepared(these).arranged(these, call or generating(), plan))


# What every order has in common.


class Reversed(Order):
    """A user's own."""

    def arranged(self, routes, call, plan):
        return range(len(routes) - 1, -1, -1)


ORDERS = {
    "in order": InOrder(),
    "weighted": Weighted({"a": 0.7, "b": 0.3}),
    "least busy": LeastBusy(),
    "fastest": Fastest(),
    "cheapest": Cheapest(lambda target, request: None),
    "sticky": Sticky("user"),
    "experiment": Experiment("prompt", {"a": 1, "b": 1}, tag="user"),
    "a user's own": Reversed(),
}
each_order = pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)


@pytest.mark.anyio
@each_order
async def test_each_is_asked_once_at_most_and_all_if_need_be(order):
    a, b, c = (broken(name) for name in "abc")
    provider = RouterProvider({"a": a, "b": b, "c": c}, order=order)

    with pytest.raises(AllTargetsFailedError) as caught:
        await provider.generate("hi", tags={"user": "me"})

    assert asked(a, b, c) == [1, 1, 1]
    assert caught.value.__cause__ is caught.value.errors[0]


@pytest.mark.anyio
@each_order
async def test_when_the_first_fails_the_next_one_answers_and_says_so(order):
    a, b = broken("a"), broken("b")
    provider = RouterProvider({"a": a, "b": b}, order=order)
    with pytest.raises(AllTargetsFailedError) as caught:
        await provider.generate("hi", tags={"user": "me"}, request_id="one")
    first, second = [error.provider for error in caught.value.errors]
    provider = RouterProvider(
        {name: broken(name) if name == first else target(name) for name in "ab"}, order=order
    )

    answer = await provider.generate("hi", tags={"user": "me"}, request_id="one")

    if not isinstance(order, Weighted):
        assert answer == f"from {second}"
        assert answer.warnings == (
            f"answered by {second}:{second}-model, as {first}:{first}-model failed: oops",
        )


@pytest.mark.anyio
@each_order
@pytest.mark.parametrize(
    "ask",
    [
        lambda p: p.generate("hi"),
        lambda p: p.generate_stream("hi").collect(),
        lambda p: p.embed("hi"),
        lambda p: p.embed_batch(["hi"]),
    ],
)
async def test_every_operation_is_routed(order, ask):
    provider = RouterProvider({"a": target("a"), "b": target("b")}, order=order)

    await ask(provider)

    assert [route.running for route in provider.routes] == [0, 0]


@pytest.mark.anyio
async def test_who_cannot_take_the_request_is_left_out():
    a, b = target("a", context_window=10), target("b")
    provider = RouterProvider([a, b], order=Weighted([1, 0]))

    answer = await provider.generate("中" * 1000)

    assert answer == "from b"
    assert "was left out" in answer.warnings[0]


@pytest.mark.anyio
async def test_the_first_targets_embedding_space_is_that_of_all():
    a, b = target("a", embedding_model="small"), target("b", embedding_model="large")
    provider = RouterProvider([a, b], order=Weighted([0, 1]))

    vector = await provider.embed("hi")

    assert vector.metadata.space.model == "small"
    assert asked(a, b) == [1, 0]


@pytest.mark.anyio
async def test_a_router_may_stand_in_a_chain_and_a_chain_in_a_router():
    a, b, c = broken("a"), broken("b"), target("c")
    inner = RouterProvider([a, b], order=Reversed())

    answer = await FallbackProvider([inner, c]).generate("hi")

    assert answer == "from c"
    assert [it.provider for it in answer.attempts] == ["b", "a", "c"]

    outer = RouterProvider([FallbackProvider([a, b]), c], order=Reversed())
    assert (await outer.generate("hi")).warnings == ()


@pytest.mark.anyio
async def test_a_plan_of_others_is_walked_as_it_is():
    class Planning(Decorator):
        def plan(self, call):
            return Plan.joining(
                (Decorator(child), part) for child, part in super().plan(call).children
            )

        async def handle(self, call):
            return await super().handle(call.with_(plan=self.plan(call)))

    a, b = target("a"), target("b")
    for order in (Reversed(), LeastBusy()):
        provider = Planning(RouterProvider([a, b], order=order))
        assert await provider.generate("hi") == "from a"


@pytest.mark.anyio
async def test_an_order_that_names_some_twice_or_not_at_all_is_put_right():
    class Odd(Order):
        def arranged(self, routes, call, plan):
            return [1, 1, 0, 1]

    a, b, c = (broken(name) for name in "abc")
    with pytest.raises(AllTargetsFailedError):
        await RouterProvider([a, b, c], order=Odd()).generate("hi")
    assert asked(a, b, c) == [1, 1, 0]


@pytest.mark.anyio
async def test_a_model_that_is_named_is_asked_alone_whatever_the_order():
    a, b = target("a"), target("b")
    provider = RouterProvider([a, b], order=Weighted([0, 1]))

    answer = await provider.generate("hi", model="a-model")

    assert (answer, answer.warnings) == ("from a", ())


# Plans.


def test_a_plan_keeps_the_order_given_unless_the_call_decides():
    a, b = target("a"), target("b")
    call = generating(tags={"user": "me"})
    for order in (Weighted([0, 1]), LeastBusy(), Reversed()):
        plan = RouterProvider([a, b], order=order).plan(call)
        assert [each.provider for each in plan] == ["a", "b"]


@pytest.mark.anyio
@pytest.mark.parametrize("order", [Sticky("user"), Experiment("x", {"a": 1, "b": 1}, tag="user")])
async def test_a_plan_tells_who_comes_first_where_the_call_decides(order):
    provider = RouterProvider({"a": target("a"), "b": target("b")}, order=order)
    seen = set()

    for number in range(20):
        tags = {"user": str(number)}
        planned = provider.plan(generating(tags=tags)).first.provider
        answer = await provider.generate("hi", tags=tags)
        assert answer == f"from {planned}"
        seen.add(planned)

    assert seen == {"a", "b"}


def test_a_plan_that_says_the_same_is_kept():
    provider = RouterProvider([target("a"), target("b")], order=Sticky("user"))
    call = generating(tags={"user": "me"})

    assert provider.plan(call) is provider.plan(call)
    assert provider.plan(generating(tags={"user": "me"}, extra={"a": {"x": 1}})).children


def test_plans_that_are_kept_are_bounded():
    provider = RouterProvider([target(name) for name in "abcdefgh"], order=Sticky("user"))
    provider.MAX_REMEMBERED = 5

    for number in range(50):
        provider.plan(generating(tags={"user": str(number)}))

    assert len(provider._arrangements) <= 6


def test_a_plan_follows_what_its_targets_say():
    a = target("a")
    provider = RouterProvider([a, target("b", images=False)], order=Sticky("user"))
    call = generating(tags={"user": "me"})
    before = provider.plan(call)
    a._model = target("a", model="other").model

    labels = {each.label for each in provider.plan(call)}

    assert labels == {"a:other", "b:b-model"}
    assert {each.label for each in before} == {"a:a-model", "b:b-model"}


# Weights.


@pytest.mark.anyio
async def test_calls_are_shared_out_by_weight():
    from random import Random

    a, b = target("a"), target("b")
    provider = RouterProvider([a, b], order=Weighted([0.7, 0.3], random=Random(7).random))

    for _ in range(2000):
        await provider.generate("hi")

    assert len(a.asked) / 2000 == pytest.approx(0.7, abs=0.03)


def test_a_weight_of_0_comes_last():
    order = Weighted({"b": 1.0}, random=Numbers(0.9, 0.0, 0.1))

    assert arranged(order, routes("a", "b", "c"))[0] == 1


def test_weights_go_by_name_or_place():
    these = routes("a", "b")

    assert arranged(Weighted({"b": 1}), these) == [1, 0]
    assert arranged(Weighted([0, 1]), these) == [1, 0]


def test_an_order_serves_several_routers():
    order = Weighted({"a": 1, "b": 0})
    first = RouterProvider({"a": target("x"), "b": target("y")}, order=order)
    second = RouterProvider({"b": target("x"), "a": target("y")}, order=order)

    for provider, place in ((first, 0), (second, 1), (first, 0)):
        assert (
            provider._arranged(generating(), provider.plan(generating()))[0][0]
            is (provider.targets[place])
        )


@pytest.mark.parametrize(
    "weights, said",
    [
        ("0.7", "weights must be numbers, by name or in order, not str"),
        (7, "weights must be numbers"),
        ([0.7, -1], "a weight must be at least 0"),
        ([0.7, "0.3"], "a weight must be a number"),
        ([float("inf"), 1], "a weight must be a finite number"),
        ([0, 0], "at least one weight must be more than 0"),
        ([], "at least one weight"),
        ([1, 2, 3], "3 weights for 2 targets"),
        ({"x": 1}, "'x' is none of the targets; there are openai:gpt, vllm:llama"),
        ({"openai:gtp": 1}, "did you mean 'openai:gpt'"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights, said):
    targets = [Scripted("x", name="openai", model="gpt"), Scripted("x", name="vllm", model="llama")]
    with pytest.raises(ConfigurationError, match=said):
        RouterProvider(targets, order=Weighted(weights))
    if isinstance(weights, dict):
        with pytest.raises(ConfigurationError, match=said):
            RouterProvider(targets, order=Experiment("x", weights))
        with pytest.raises(ConfigurationError, match=said):
            RouterProvider(targets, order=Sticky("user", weights=weights))


# Least busy.


@pytest.mark.anyio
async def test_who_has_the_fewest_calls_is_asked():
    a, b = target("a"), target("b")
    a.seconds = b.seconds = 10
    provider = RouterProvider([a, b], order=LeastBusy())

    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(provider.generate, "hi")
            await anyio.sleep(0.1)
        assert [route.running for route in provider.routes] == [3, 3]

    assert asked(a, b) == [3, 3]
    assert [route.running for route in provider.routes] == [0, 0]


@pytest.mark.anyio
async def test_those_who_are_equally_busy_take_turns():
    a, b, c = target("a"), target("b"), target("c")
    provider = RouterProvider([a, b, c], order=LeastBusy())

    answers = [await provider.generate("hi") for _ in range(6)]

    assert answers == ["from a", "from b", "from c"] * 2


@pytest.mark.anyio
async def test_an_open_stream_keeps_its_target_busy():
    a = target("a", Source([TextDelta("a")], WAIT))
    provider = RouterProvider([a, target("b")], order=LeastBusy())

    async with provider.generate_stream("hi"):
        assert [route.running for route in provider.routes] == [1, 0]
        assert [await provider.generate("hi") for _ in range(2)] == ["from b", "from b"]
    assert [route.running for route in provider.routes] == [0, 0]


@pytest.mark.anyio
@pytest.mark.parametrize("error", [ServerError, ZeroDivisionError])
async def test_a_call_that_fails_or_is_left_keeps_nobody_busy(error):
    provider = RouterProvider([target("a", lambda: error("x"))], order=LeastBusy())
    with pytest.raises(error):
        await provider.generate("hi")

    slow = RouterProvider([target("a", seconds=60)], order=LeastBusy())
    with anyio.move_on_after(1):
        await slow.generate("hi")

    assert [provider.routes[0].running, slow.routes[0].running] == [0, 0]


# Fastest.


@pytest.mark.anyio
async def test_the_faster_of_two_is_asked():
    a, b = target("a", seconds=5.0), target("b", seconds=1.0)
    provider = RouterProvider([a, b], order=Fastest())

    answers = Counter([await provider.generate("hi") for _ in range(20)])

    assert answers == {"from a": 1, "from b": 19}


@pytest.mark.anyio
async def test_who_was_slow_long_ago_is_asked_again():
    a, b = target("a", seconds=4.0), target("b", seconds=1.0)
    provider = RouterProvider([a, b], order=Fastest())
    for _ in range(10):
        await provider.generate("hi")
    a.seconds = 0.5

    answers = []
    for _ in range(60):
        await anyio.sleep(10)
        answers.append(await provider.generate("hi"))

    assert answers[:5] == ["from b"] * 5
    assert answers[-20:].count("from a") >= 12


@pytest.mark.anyio
async def test_how_fast_somebody_is_depends_on_what_is_asked():
    provider = RouterProvider([target("a", seconds=1.0)], order=Fastest())
    [route] = provider.routes

    await provider.generate("hi")
    now = anyio.current_time()

    assert route.seconds("generate", now) == pytest.approx(1.0)
    assert route.seconds("embed", now) == Route.UNKNOWN


@pytest.mark.anyio
async def test_many_calls_at_once_do_not_all_run_to_the_fastest():
    a, b = target("a", seconds=1.0), target("b", seconds=1.5)
    provider = RouterProvider([a, b], order=Fastest())
    for _ in range(4):
        await provider.generate("hi")
    before = asked(a, b)

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(provider.generate, "hi")

    more = [now - then for now, then in zip(asked(a, b), before, strict=True)]
    assert min(more) >= 6


def test_of_two_at_random_the_faster_comes_first_and_then_the_others():
    these = routes("a", "b", "c", "d")
    for route, seconds in zip(these, (1.0, 2.0, 3.0, 4.0), strict=True):
        route.took("generate", seconds, 0.0)

    def first(one, other):
        return arranged(Fastest(random=Numbers(one, other)), these)

    assert first(0.0, 0.0) == [0, 1, 2, 3]
    assert first(0.99, 0.99) == [2, 0, 1, 3]
    assert first(0.5, 0.4) == [1, 0, 2, 3]
    assert first(0.5, 0.99) == [2, 0, 1, 3]
    assert first(0.25, 0.99) == [1, 0, 2, 3]


def test_an_average_moves_with_the_last_calls():
    [route] = routes("a")
    route.took("generate", 1.0, 0.0)
    route.took("generate", 2.0, 0.0)
    assert route.seconds("generate", 0.0) == pytest.approx(1.2)
    assert route.seconds("generate", 60.0) == pytest.approx(0.6)
    assert route.seconds("generate", -1.0) == pytest.approx(1.2)

    route.took("generate", 2.2, 60.0)
    assert route.seconds("generate", 60.0) == pytest.approx(2.2 - 0.4)


def test_who_does_not_answer_counts_only_as_slower():
    [route] = routes("a")
    route.took("generate", 9.0, 0.0, answered=False)
    assert route.seconds("generate", 0.0) == Route.UNKNOWN

    route.took("generate", 1.0, 0.0)
    route.took("generate", 0.1, 0.0, answered=False)
    assert route.seconds("generate", 0.0) == 1.0
    route.took("generate", 6.0, 0.0, answered=False)
    assert route.seconds("generate", 0.0) == pytest.approx(2.0)


# Cheapest.


@pytest.mark.anyio
async def test_the_cheapest_that_can_take_the_request_is_asked():
    prices = {"a": 3, "b": None, "c": 1.5, "d": 1}
    seen = []

    def price(target, request):
        seen.append(request)
        return prices[target.provider]

    targets = [target(name) for name in "abc"] + [target("d", context_window=10)]
    provider = RouterProvider(targets, order=Cheapest(price))

    assert await provider.generate("中" * 1000) == "from c"
    assert {type(request).__name__ for request in seen} == {"GenerateRequest"}
    assert len(seen) == 3


@pytest.mark.anyio
async def test_whose_price_nobody_knows_comes_last_in_order():
    targets = [broken("a"), broken("b"), broken("c")]
    price = {"a": None, "b": None, "c": 0}
    provider = RouterProvider(targets, order=Cheapest(lambda it, _: price[it.provider]))

    with pytest.raises(AllTargetsFailedError) as caught:
        await provider.generate("hi")

    assert [error.provider for error in caught.value.errors] == ["c", "a", "b"]


# Sticky.


@pytest.mark.anyio
async def test_the_same_tag_leads_to_the_same_target():
    provider = RouterProvider([target(name) for name in "abcd"], order=Sticky("session"))

    answers = {
        session: {await provider.generate("hi", tags={"session": session}) for _ in range(5)}
        for session in map(str, range(40))
    }

    assert all(len(each) == 1 for each in answers.values())
    assert len(set.union(*answers.values())) == 4


@pytest.mark.anyio
async def test_calls_without_the_tag_go_to_the_least_busy_or_as_is_said():
    provider = RouterProvider([target("a"), target("b")], order=Sticky("session"))
    assert [await provider.generate("hi") for _ in range(4)] == ["from a", "from b"] * 2

    order = Sticky("session", otherwise=Weighted([0, 1]))
    provider = RouterProvider([target("a"), target("b")], order=order)
    assert {await provider.generate("hi") for _ in range(4)} == {"from b"}

    order = Sticky("session", otherwise=Experiment("x", {"only": 1}))
    provider = RouterProvider({"only": target("a")}, order=order)
    assert arm_of(await provider.generate("hi")) == "only"
    assert arm_of(await provider.generate("hi", tags={"session": "1"})) is None


def test_what_was_settled_is_the_same_everywhere():
    these = routes("openai:gpt", "vllm:llama", "azure:gpt")

    settled = [
        arranged(Sticky("s"), these, generating(tags={"s": value}))
        for value in ("ada", "bob", "", "\ud800", "中")
    ]

    assert settled == [[1, 0, 2], [0, 1, 2], [2, 0, 1], [1, 2, 0], [0, 1, 2]]


def test_what_was_settled_is_remembered_within_bounds():
    these = routes("a", "b")
    order = Sticky("s").prepared(these)
    for number in range(3000):
        order.arranged(these, generating(tags={"s": str(number)}), Plan(()))

    assert len(order._hash._settled) == 1024


@pytest.mark.parametrize("tag", ["", None, 5])
def test_a_tag_has_a_name(tag):
    with pytest.raises(ConfigurationError, match="tag must be the name of a tag"):
        Sticky(tag)


# Experiments.


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
async def test_an_answer_tells_its_arm(ask):
    provider = RouterProvider(
        {"control": target("a"), "new": target("b")},
        order=Experiment("prompt", {"control": 0, "new": 1}),
    )

    answer = await ask(provider)

    assert arm_of(answer) == "new"
    [told] = [it for it in answer.metadata.journal if it.outcome is Outcome.NOTED]
    assert (told.provider, told.reason) == ("b", "arm: new")


@pytest.mark.anyio
async def test_a_stream_and_an_error_tell_their_arm():
    arms = {"control": target("a", "hi", ServerError("oops"))}
    provider = RouterProvider(arms, order=Experiment("x", {"control": 1}))

    async with provider.generate_stream("hi") as stream:
        assert arm_of(stream) == "control"
    with pytest.raises(ServerError) as caught:
        await provider.generate("hi")
    assert arm_of(caught.value) == "control"


@pytest.mark.anyio
async def test_an_arm_that_fails_is_followed_by_another_whose_answer_it_is():
    provider = RouterProvider(
        {"control": target("a"), "new": broken("b")},
        order=Experiment("prompt", {"control": 0, "new": 1}),
    )

    answer = await provider.generate("hi")

    assert arm_of(answer) == "control"
    assert answer.warnings


def test_what_has_no_arm_has_none():
    assert arm_of(ServerError("x")) is None
    assert arm_of("plain") is None


@pytest.mark.anyio
async def test_calls_without_the_tag_have_an_arm_each():
    provider = RouterProvider(
        {"control": target("a"), "new": target("b")},
        order=Experiment("prompt", {"control": 1, "new": 1}, tag="user"),
    )

    arms = Counter([arm_of(await provider.generate("hi")) for _ in range(200)])
    same = {arm_of(await provider.generate("hi", tags={"user": "ada"})) for _ in range(5)}

    assert min(arms["control"], arms["new"]) > 60
    assert len(same) == 1


def test_experiments_are_independent_of_each_other():
    these = routes("control", "new")
    arms = {"control": 1, "new": 1}
    one, other = Experiment("one", arms, tag="u"), Experiment("other", arms, tag="u")

    same = sum(
        arranged(one, these, call) == arranged(other, these, call)
        for call in (generating(tags={"u": str(number)}) for number in range(400))
    )

    assert 140 < same < 260


# Building it.


def test_a_target_twice_is_refused():
    a = target("a")
    with pytest.raises(ConfigurationError, match="has a target twice"):
        RouterProvider([a, a], order=LeastBusy())


@pytest.mark.parametrize("order", [None, "fastest", Fastest])
def test_an_order_is_one(order):
    with pytest.raises(ConfigurationError, match="order must be an Order"):
        RouterProvider([target("a")], order=order)


@pytest.mark.parametrize("targets", [None, "openai", [], {}])
def test_targets_are_a_sequence_or_a_mapping(targets):
    with pytest.raises(ConfigurationError, match="RouterProvider"):
        RouterProvider(targets, order=LeastBusy())


def test_routes_have_names():
    def foreign():
        class Mine:
            async def generate(self, prompt):
                return ""

        return Mine()

    provider = RouterProvider([target("a"), target("a"), foreign()], order=InOrder())

    assert [route.name for route in provider.routes] == ["a:a-model", "a:a-model#2", "Mine"]
    assert provider.name == "router"


@pytest.mark.parametrize(
    "order, said",
    [
        (InOrder(), "InOrder()"),
        (Weighted([1, 2]), "Weighted((1, 2))"),
        (Weighted({"a": 1}), "Weighted({'a': 1})"),
        (Sticky("user"), "Sticky('user', otherwise=LeastBusy())"),
        (Experiment("x", {"a": 1}), "Experiment('x', {'a': 1})"),
    ],
)
def test_it_reads_as_it_was_built(order, said):
    assert repr(order) == said


def test_a_router_reads_as_it_was_built():
    provider = RouterProvider([Scripted("ho")], order=LeastBusy())

    assert repr(provider) == (
        "RouterProvider([<Scripted scripted:m>], order=LeastBusy(), max_attempts=6)"
    )


@pytest.mark.anyio
async def test_an_order_keeps_no_router_alive():
    order = Weighted([1])
    provider = RouterProvider([target("a")], order=order)
    await provider.generate("hi")
    reference = weakref.ref(provider)
    del provider
    gc.collect()

    assert reference() is None


@pytest.mark.anyio
async def test_all_targets_are_closed():
    a, b = target("a"), target("b")

    await RouterProvider({"x": a, "y": b}, order=InOrder()).aclose()

    assert (a.closed, b.closed) == (1, 1)


def test_vectors_are_planned_in_one_space_whatever_the_order():
    a, b = target("a", embedding_model="small"), target("b", embedding_model="large")
    provider = RouterProvider([a, b], order=Sticky("user"))

    plan = provider.plan(embedding(tags={"user": "me"}))

    assert plan.first.model.name == "small"
