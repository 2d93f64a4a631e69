from __future__ import annotations

import pytest

from fairlead import (
    CircuitBreakerProvider,
    ConfigurationError,
    DeadlineProvider,
    FallbackProvider,
    OfflineProvider,
    RetryProvider,
    Use,
    default_pipeline,
)
from fairlead.assembly.order import LAYERS, check
from fairlead.decorators._base import Decorator


class Shouting(Decorator):
    """A policy of the application's own."""


class Own(Decorator):
    layer = "retry"


def layers_of(node):
    """The classes on the way to the first target, outermost first."""
    names = []
    while node is not None:
        names.append(type(node).__name__)
        targets = getattr(node, "targets", ())
        node = (
            targets[0] if isinstance(targets, tuple) and targets else getattr(node, "inner", None)
        )
    return names


def test_the_default_order():
    pipeline = default_pipeline(OfflineProvider(), OfflineProvider())

    assert layers_of(pipeline) == [
        "DeadlineProvider",
        "FallbackProvider",
        "SplitProvider",
        "RetryProvider",
        "CircuitBreakerProvider",
        *(["AttemptTimeoutProvider"] if "AttemptTimeoutProvider" in layers_of(pipeline) else []),
        "OfflineProvider",
    ]


@pytest.mark.parametrize(
    ("place", "outside", "inside"),
    [
        ({"before": "retry"}, "SplitProvider", "RetryProvider"),
        ({"after": "retry"}, "RetryProvider", "CircuitBreakerProvider"),
        ({"before": "deadline"}, None, "DeadlineProvider"),
        ({"after": "deadline"}, "DeadlineProvider", "FallbackProvider"),
        ({"before": "dispatch"}, "DeadlineProvider", "FallbackProvider"),
        ({"after": "dispatch"}, "FallbackProvider", "SplitProvider"),
        ({"layer": "guardrails"}, "DeadlineProvider", "FallbackProvider"),
        ({"layer": "budget"}, "RetryProvider", "CircuitBreakerProvider"),
    ],
)
def test_a_policy_stands_where_it_was_put(place, outside, inside):
    use = Use(Shouting, **place)

    names = layers_of(default_pipeline(OfflineProvider(), OfflineProvider(), decorators=[use]))

    at = names.index("Shouting")
    assert names[at + 1] == inside
    assert (names[at - 1] if at else None) == outside


def test_a_policy_takes_the_place_of_ours():
    names = layers_of(default_pipeline(OfflineProvider(), decorators=[Use(Own)]))

    assert "Own" in names
    assert "RetryProvider" not in names


def test_several_policies_at_one_place_keep_their_order():
    class Second(Shouting):
        pass

    uses = [Use(Shouting, before="retry"), Use(Second, before="retry")]

    names = layers_of(default_pipeline(OfflineProvider(), decorators=uses))

    assert names.index("Second") == names.index("Shouting") + 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Use(Shouting), "needs one place"),
        (lambda: Use(Shouting, before="retry", after="deadline"), "needs one place"),
        (lambda: Use(Shouting, before="rety"), "did you mean 'retry'"),
        (lambda: Use(OfflineProvider(), before="retry"), "what makes a policy"),
        (lambda: Use(Shouting, layer="dispatch"), "hand it over as the provider"),
        (lambda: Use(Shouting, before=5), "unknown layer '5'"),
    ],
)
def test_a_place_that_makes_no_sense_is_refused(make, message):
    with pytest.raises(ConfigurationError, match=message):
        make()


def test_two_policies_cannot_be_one_layer():
    uses = [Use(Own), Use(Shouting, layer="retry")]

    with pytest.raises(ConfigurationError, match="Own and Shouting both want to be"):
        default_pipeline(OfflineProvider(), decorators=uses)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RetryProvider(RetryProvider(OfflineProvider())), "attempts would multiply"),
        (lambda: CircuitBreakerProvider(RetryProvider(OfflineProvider())), "each attempt"),
        (lambda: RetryProvider(FallbackProvider([OfflineProvider()])), "retry each by itself"),
        (lambda: RetryProvider(DeadlineProvider(OfflineProvider())), "the order is"),
        (lambda: DeadlineProvider(DeadlineProvider(OfflineProvider())), "the tighter one"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_the_reason(make, message):
    with pytest.raises(ConfigurationError, match=message):
        check(make())


class Cache(Decorator):
    layer = "cache"


def test_a_cache_inside_of_a_fallback_is_refused():
    with pytest.raises(ConfigurationError, match="under another's name"):
        check(FallbackProvider([Cache(OfflineProvider()), OfflineProvider()]))


def test_what_stands_there_already_is_not_put_there_again():
    retried = RetryProvider(OfflineProvider())
    whole = default_pipeline(OfflineProvider())

    assert layers_of(default_pipeline(retried)).count("RetryProvider") == 1
    assert "CircuitBreakerProvider" not in layers_of(default_pipeline(retried))
    assert layers_of(default_pipeline(whole)) == layers_of(whole)


def test_a_breaker_of_ones_own_is_still_retried():
    names = layers_of(default_pipeline(CircuitBreakerProvider(OfflineProvider())))

    assert names.index("RetryProvider") < names.index("CircuitBreakerProvider")
    assert names.count("CircuitBreakerProvider") == 1


def test_a_dispatcher_of_ones_own_gets_a_deadline_and_nothing_per_target():
    own = FallbackProvider([RetryProvider(OfflineProvider()), OfflineProvider()])

    assert layers_of(default_pipeline(own))[:3] == [
        "DeadlineProvider",
        "FallbackProvider",
        "RetryProvider",
    ]


def test_pipelines_can_be_the_targets_of_a_fallback():
    pipelines = [default_pipeline(OfflineProvider()), default_pipeline(OfflineProvider())]

    assert layers_of(default_pipeline(*pipelines)).count("DeadlineProvider") == 2


class Hiding:
    """Keeps what it wraps where nobody finds it."""

    def __init__(self, inner):
        self._secret = inner

    async def generate(self, prompt, **options):
        return await self._secret.generate(prompt, **options)


@pytest.mark.parametrize("policy", [Hiding, lambda _: OfflineProvider()])
def test_a_policy_has_to_show_what_it_wraps(policy):
    with pytest.raises(ConfigurationError, match="keep it as the attribute `inner`"):
        default_pipeline(OfflineProvider(), decorators=[Use(policy, before="retry")])


def test_dispatchers_may_nest():
    inner = FallbackProvider([RetryProvider(OfflineProvider()), OfflineProvider()])

    check(DeadlineProvider(FallbackProvider([inner, OfflineProvider()])))


def test_every_policy_of_ours_stands_in_a_layer():
    policies = [RetryProvider, CircuitBreakerProvider, DeadlineProvider, FallbackProvider]

    assert {policy.layer for policy in policies} <= set(LAYERS)
