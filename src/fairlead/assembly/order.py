"""
The order of the policies, and where users' own find their place in it.

Some orders make no sense: a retry outside of another multiplies attempts, a cache inside of a
fallback keeps one provider's answers under another's name. They are refused where a pipeline is
built, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.calls import below
from ..core.errors import ConfigurationError
from .vendors import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..core.adapt import Node

CHAIN = ("telemetry", "logging", "deadline", "guardrails", "context", "cost", "cache", "dispatch")
"""What stands once round all targets, outermost first."""
TARGET = ("split", "retry", "key-pool", "limits", "budget", "breaker", "attempt", "faults")
"""What stands round each target, between dispatch and adapter."""
LAYERS = (*CHAIN, *TARGET)

_WHY = {
    ("retry", "retry"): "attempts would multiply",
    ("deadline", "deadline"): "the tighter one alone would decide",
    ("breaker", "breaker"): "each failure would count twice",
    ("retry", "breaker"): "each attempt has to count, not the last one alone",
    ("dispatch", "retry"): "all targets would be asked again; retry each by itself",
    ("cache", "dispatch"): "one provider's answers would be kept under another's name",
}
"""Why the first may not stand inside of the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    layer: str
    offset: int
    """-1 just outside of the layer, 1 just inside, 0 in its stead."""


class Use:
    """
    A policy of your own, and its place.

    Args:
        policy: What makes it: called with the provider to wrap, so a decorator class will do, or
            a function that returns one.
        before: The layer that it stands just outside of.
        after: The layer that it stands just inside of.
        layer: The layer that it is, in the stead of fairlead's own.

    Without a place, that is the class's attribute `layer`.

    Raises:
        ConfigurationError: There is no such layer, no place or more than one.
    """

    __slots__ = ("place", "policy")

    def __init__(
        self,
        policy: Callable[[Node], Any],
        /,
        *,
        before: str | None = None,
        after: str | None = None,
        layer: str | None = None,
    ) -> None:
        if not callable(policy):
            raise ConfigurationError(
                f"Use() takes what makes a policy, such as its class, not the object {policy!r}"
            )
        own = getattr(policy, "layer", None)
        for name in (before, after, layer):
            if name is not None and name not in LAYERS:
                raise unknown("layer", str(name), LAYERS)
        given = {
            -1: before,
            1: after,
            0: layer or (own if before is None and after is None else None),
        }
        places = [_Place(layer=name, offset=offset) for offset, name in given.items() if name]
        if len(places) != 1:
            raise ConfigurationError(
                f"Use({_name(policy)}) needs one place: before=, after= or layer=, with one of "
                f"{', '.join(LAYERS)}"
            )
        if places[0] == _Place(layer="dispatch", offset=0):
            raise ConfigurationError(
                "a dispatcher of your own wraps several providers: build it and hand it over as "
                "the provider, instead of Use(…, layer='dispatch')"
            )
        inside_dispatch = places[0] == _Place(layer="dispatch", offset=1)
        self.policy: Callable[[Node], Any] = policy
        self.place: _Place = _Place(layer=TARGET[0], offset=-1) if inside_dispatch else places[0]

    def __repr__(self) -> str:
        where = {-1: "before", 1: "after", 0: "layer"}[self.place.offset]
        return f"Use({_name(self.policy)}, {where}={self.place.layer!r})"


Layers = dict[str, "Callable[[Node], Any] | None"]
"""What makes each layer's policy; None where a layer stays empty."""


def arranged(
    layers: Layers, uses: Iterable[Use], names: Sequence[str]
) -> list[Callable[[Node], Any]]:
    """
    What makes the policies of the layers in *names*, outermost first.

    Raises:
        ConfigurationError: Two of *uses* want to be the same layer.
    """
    policies: list[Callable[[Node], Any] | None] = []
    for name in names:
        before, own, after = (
            [use.policy for use in uses if use.place == _Place(layer=name, offset=offset)]
            for offset in (-1, 0, 1)
        )
        if len(own) > 1:
            both = " and ".join(_name(policy) for policy in own)
            raise ConfigurationError(f"{both} both want to be the layer {name!r}")
        policies += before
        policies += own or (layers.get(name),)
        policies += after
    return [policy for policy in policies if policy is not None]


def is_inside(use: Use, layer: str) -> bool:
    """Whether *use* has its place inside of *layer*."""
    place = use.place
    return (LAYERS.index(place.layer), place.offset) > (LAYERS.index(layer), 0)


def check(pipeline: object) -> None:
    """
    Look through a pipeline for an order that makes no sense.

    What a dispatcher asks may have a deadline or a log of its own, as long as the rest is in order.

    Raises:
        ConfigurationError: A policy stands twice, or outside of what it belongs inside.
    """
    for path in _paths(pipeline):
        above: list[tuple[str, object]] = []
        for node in path:
            layer = _layer(node)
            if layer is None:
                continue
            if layer == "dispatch":
                above = [each for each in above if each[0] in TARGET]
            for outer, holder in above:
                if _clashes(outer, layer):
                    raise _senseless(node, layer, holder, outer)
            above.append((layer, node))


def layers_in(pipeline: object) -> set[str]:
    """The layers that something below *pipeline*, or it itself, already is."""
    return {
        layer for path in _paths(pipeline) for node in path if (layer := _layer(node)) is not None
    }


def _layer(node: object) -> str | None:
    layer = getattr(type(node), "layer", None)
    return layer if layer in LAYERS else None


def _clashes(outer: str, inner: str) -> bool:
    """Whether a policy of the layer *inner* may not stand inside of one of *outer*."""
    if outer == "dispatch":
        return inner == "cache"
    return LAYERS.index(outer) >= LAYERS.index(inner)


def _paths(node: object, above: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    path = (*above, node)
    children = below(node)
    if not children:
        yield path
    for child in children:
        yield from _paths(child, path)


def _senseless(node: object, layer: str, holder: object, outer: str) -> ConfigurationError:
    why = _WHY.get((layer, outer), f"outermost first, the order is {', '.join(LAYERS)}")
    second = "a second time " if layer == outer else ""
    return ConfigurationError(
        f"{type(node).__name__} cannot stand {second}inside of {type(holder).__name__}: {why}"
    )


def _name(policy: object) -> str:
    return getattr(policy, "__name__", type(policy).__name__)
