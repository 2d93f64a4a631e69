from dataclasses import replace

import pytest

from fairlead.core.limits import TimeLimits
from fairlead.core.messages import Audio, File, Image, Message, Tool
from fairlead.core.models import ModelInfo
from fairlead.core.plans import WINDOW_MARGIN, Plan, Target, obstacle
from fairlead.core.requests import embed_request, generate_request

REQUEST = generate_request("hi", {})[0]
A, B, C = (Target(provider=name, model=ModelInfo(name="m"), request=REQUEST) for name in "abc")


def asked(prompt="hi", **options):
    return generate_request(prompt, options)[0]


def test_a_target_is_called_by_provider_and_model():
    assert A.label == "a:m"
    assert replace(A, model=ModelInfo()).label == "a"


def test_what_it_can_never_do_is_told_before_what_it_refuses_now():
    assert A.obstacle is None
    assert replace(A, refuses="busy").obstacle == "busy"
    assert replace(A, cannot="blind", refuses="busy").obstacle == "blind"


def test_the_first_target_that_can_counts_even_if_it_refuses():
    refusing = replace(B, refuses="busy")

    assert Plan((replace(A, cannot="blind"), refusing, C)).first is refusing
    assert Plan((replace(A, cannot="blind"),)).first is None


def test_a_dispatcher_hands_each_child_its_own_part():
    left, right, deep = object(), object(), object()
    ours, theirs = Plan((A, B)), Plan.joining([(deep, Plan((C,)))])

    plan = Plan.joining([(left, ours), (right, theirs)])

    assert plan.targets == (A, B, C)
    assert plan.children == ((left, ours), (right, theirs))


def test_a_change_reaches_the_targets_of_nested_dispatchers():
    child, deep = object(), object()
    plan = Plan.joining([(child, Plan.joining([(deep, Plan((A, B)))]))])

    changed = plan.map(lambda target: replace(target, refuses="busy"))

    assert [target.refuses for target in changed] == ["busy", "busy"]
    assert changed.children[0][1].children[0][1].targets == changed.targets


@pytest.mark.parametrize(
    "capability, request_",
    [
        ("tools", asked(tools=[Tool("search")])),
        ("response_format", asked(response_format={})),
        ("images", asked(Message.user(Image(url="https://example.com/x.png")))),
        ("audio", asked(Message.user(Audio(data=b"x", media_type="audio/wav")))),
        ("files", asked(Message.user(File(url="https://example.com/x.pdf")))),
    ],
)
def test_only_a_known_lack_keeps_a_request_away(capability, request_):
    lacking = ModelInfo(name="m", **{capability: False})

    assert obstacle(request_, lacking) == f"m does not take {capability}"
    assert obstacle(request_, ModelInfo(name="m")) is None
    assert obstacle(request_, ModelInfo(name="m", **{capability: True})) is None
    assert obstacle(REQUEST, lacking) is None


def test_a_model_without_a_name_lacks_too():
    words = obstacle(asked(tools=[Tool("search")]), ModelInfo(tools=False))

    assert words == "the model does not take tools"


def test_a_prompt_far_beyond_the_window_keeps_away():
    model = ModelInfo(name="m", context_window=100)

    assert obstacle(asked("中" * 1000), model) == (
        "the prompt has about 716 tokens, the window of m 100"
    )


def test_a_prompt_that_an_estimate_alone_calls_too_long_is_left_to_the_vendor():
    model = ModelInfo(name="m", context_window=100)
    within = "中" * int(100 * WINDOW_MARGIN / 0.71 - 10)

    assert obstacle(asked(within), model) is None
    assert obstacle(asked("a" * 100), model) is None


def test_an_unknown_window_keeps_nothing_away():
    assert obstacle(asked("中" * 1000), ModelInfo()) is None


def test_texts_to_embed_meet_no_obstacle():
    request = embed_request(["hi"], {})[0]

    assert obstacle(request, ModelInfo(context_window=1, tools=False)) is None


def test_reasoning_is_given_more_time():
    limits = TimeLimits(first_content=1, idle=2, reasoning_first_content=3, reasoning_idle=4)

    assert (limits.content(reasoning=False), limits.silence(reasoning=False)) == (1, 2)
    assert (limits.content(reasoning=True), limits.silence(reasoning=True)) == (3, 4)


def test_the_time_limits_are_those_that_are_documented():
    limits = TimeLimits()

    assert (limits.connect, limits.first_content, limits.idle, limits.total) == (10, 120, 60, 600)
    assert (limits.reasoning_first_content, limits.reasoning_idle) == (600, 300)


def test_targets_that_are_not_wanted_are_left_out_down_to_the_leaves():
    left, right, deep = object(), object(), object()
    inner = Plan.joining([(deep, Plan((C,)))])
    plan = Plan.joining([(left, Plan((A, B))), (right, inner)])

    assert plan.only(lambda target: target is not A).children == (
        (left, Plan((B,))),
        (right, inner),
    )
    assert plan.only(lambda target: target is C).targets == (C,)
    assert plan.only(lambda target: False).first is None


def test_each_target_of_a_plan_is_judged_once():
    judged = []

    Plan.joining([(object(), Plan((A, B))), (object(), Plan((C,)))]).only(judged.append)

    assert judged == [A, B, C]
