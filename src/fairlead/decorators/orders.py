"""In which order a router asks its targets."""

from __future__ import annotations

import random as _random
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from math import inf, log
from typing import TYPE_CHECKING, Any, Self, SupportsFloat, TypeAlias

from ..core.checks import check_function
from ..core.errors import ConfigurationError
from .routes import (
    LEAST,
    ByHash,
    Route,
    Routes,
    Weights,
    checked_weights,
    ranked,
    rarity_of,
)

if TYPE_CHECKING:
    from ..core.calls import Call
    from ..core.plans import Plan, Target
    from ..core.requests import EmbedRequest, GenerateRequest

PriceOf: TypeAlias = "Callable[[Target, GenerateRequest | EmbedRequest], SupportsFloat | None]"
"""What a target would take for a request, in whatever currency; None if nobody knows."""


class Order:
    """In which order a router asks its targets: the order in which they were given."""

    watches: bool = False
    """Whether it looks at how busy and how fast routes are, so that they have to be watched."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def prepared(self, routes: Routes) -> Self:
        """
        The order as the router with these *routes* uses it.

        Raises:
            ConfigurationError: It makes no sense for them.
        """
        return self

    def fixed(self, call: Call[Any]) -> bool:
        """Whether the call alone decides, so that a plan can tell the order beforehand."""
        return False

    def arranged(self, routes: Routes, call: Call[Any], plan: Plan) -> Sequence[int]:
        """
        The places of *routes* in the order in which they are to be asked.

        Synchronous, from what is known here alone. Those that cannot take the request are left
        out later; who is missing is not asked at all.

        Args:
            routes: What there is to choose among.
            call: The call.
            plan: Whose children are those routes, in the same order.
        """
        return range(len(routes))

    def note(self, route: Route, call: Call[Any]) -> str | None:
        """What the journal is to say before *route* is asked; None is nothing."""
        return None


class InOrder(Order):
    """As they were given."""


class LeastBusy(Order):
    """Who has the fewest calls to answer; among those, who was asked the longest time ago."""

    watches = True

    def arranged(self, routes: Routes, call: Call[Any], plan: Plan) -> Sequence[int]:
        """See `Order`."""
        return ranked([(route.running, route.last) for route in routes])


class Fastest(Order):
    """
    Of two chosen at random, who is faster; then the others, the faster first.

    That is the power of two choices: nearly as good as always asking the fastest, but without
    everybody running to the same one. How fast somebody is, is a moving average of the seconds
    to first content, by kind of call, times the calls that are being answered.

    Args:
        random: Numbers from 0 to 1, 1 excluded.
    """

    watches = True

    def __init__(self, *, random: Callable[[], float] = _random.random) -> None:
        check_function("random", random)
        self._random = random

    def arranged(self, routes: Routes, call: Call[Any], plan: Plan) -> Sequence[int]:
        """See `Order`."""
        now, operation, count = call.now(), call.operation, len(routes)
        places = ranked([route.seconds(operation, now) * (route.running + 1) for route in routes])
        if count > 2:
            # Of two different places: *other* is one of those without *one*, and if it is not
            # before *one*, it stands one further on, which makes no difference to the lesser.
            one, other = int(self._random() * count), int(self._random() * (count - 1))
            places.insert(0, places.pop(min(one, other)))
        return places


class Weighted(Order):
    """
    By chance, in proportion to weights; the next ones likewise, of what is left.

    Args:
        weights: Shares of the calls; they need not sum to 1. 0 is asked only after all others.
        random: Numbers from 0 to 1.

    Raises:
        ConfigurationError: A weight is no number of at least 0, or all are 0.
    """

    def __init__(self, weights: Weights, *, random: Callable[[], float] = _random.random) -> None:
        self._weights = checked_weights(weights)
        self._rarity: Sequence[float] = ()
        check_function("random", random)
        self._random = random

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._weights!r})"

    def prepared(self, routes: Routes) -> Self:
        """See `Order`."""
        order = copy(self)
        order._rarity = rarity_of(self._weights, routes)  # noqa: SLF001 - a copy of itself
        return order

    def arranged(self, routes: Routes, call: Call[Any], plan: Plan) -> Sequence[int]:
        """See `Order`."""
        return self.drawn(routes)

    def drawn(self, routes: Routes) -> list[int]:
        """As `arranged`, for those who have neither call nor plan."""
        random, rarity = self._random, self._rarity
        return ranked([-log(random() or LEAST) * rarity[route.index] for route in routes])


class Cheapest(Order):
    """
    Who takes the least for the request; those whose price nobody knows last, in their order.

    Args:
        price: What a target would take.
    """

    def __init__(self, price: PriceOf) -> None:
        check_function("price", price)
        self._price = price

    def arranged(self, routes: Routes, call: Call[Any], plan: Plan) -> Sequence[int]:
        """See `Order`."""
        return ranked([self._takes(part, call) for _, part in plan.children])

    def _takes(self, part: Plan, call: Call[Any]) -> float:
        target = part.first
        price = None if target is None else self._price(target, target.request or call.request)
        return inf if price is None else float(price)


class Sticky(Order):
    """
    The same for all calls with the same tag, so that a vendor's prompt cache is of use.

    Who comes first is settled by rendezvous hashing, in every process alike: if a target leaves,
    those that were its own are shared out among the others, and nobody else moves.

    Args:
        tag: The name of the tag, one of the option `tags`.
        weights: Shares of the tag's values; by default equal.
        otherwise: The order for calls without that tag, by default `LeastBusy()`.

    Raises:
        ConfigurationError: As for `Weighted`.
    """

    def __init__(
        self, tag: str, *, weights: Weights | None = None, otherwise: Order | None = None
    ) -> None:
        if not isinstance(tag, str) or not tag:
            raise ConfigurationError(f"tag must be the name of a tag, not {tag!r}")
        self._tag = tag
        self._hash = ByHash(None if weights is None else checked_weights(weights))
        self._otherwise = otherwise or LeastBusy()
        self.watches: bool = self._otherwise.watches

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._tag!r}, otherwise={self._otherwise!r})"

    def prepared(self, routes: Routes) -> Self:
        """See `Order`."""
        order = copy(self)
        order._hash = self._hash.prepared(routes)  # noqa: SLF001 - a copy of itself
        order._otherwise = self._otherwise.prepared(routes)  # noqa: SLF001 - a copy of itself
        return order

    def fixed(self, call: Call[Any]) -> bool:
        """See `Order`."""
        return self._tag in call.options.tags or self._otherwise.fixed(call)

    def arranged(self, routes: Routes, call: Call[Any], plan: Plan) -> Sequence[int]:
        """See `Order`."""
        value = call.options.tags.get(self._tag)
        if value is None:
            return self._otherwise.arranged(routes, call, plan)
        return self._hash.arranged(value, routes)

    def note(self, route: Route, call: Call[Any]) -> str | None:
        """See `Order`."""
        return None if self._tag in call.options.tags else self._otherwise.note(route, call)


class Experiment(Order):
    """
    Shares calls out among the arms of an experiment; the journal says which arm was asked.

    `arm_of(answer)` reads it there. All calls with the same tag have the same arm, as long as the
    weights stay; the value is mixed with the experiment's name, so that experiments are
    independent of each other. An arm that fails is followed by the others, as by any order.

    Args:
        name: Of the experiment.
        arms: The share of each, by the names of the routes.
        tag: The name of the tag. Calls without it have an arm each, by their `request_id`.

    Raises:
        ConfigurationError: As for `Weighted`.
    """

    def __init__(self, name: str, arms: Mapping[str, float], *, tag: str | None = None) -> None:
        self._name = name
        self._arms = checked_weights(arms)
        self._hash = ByHash(self._arms, f"{name}\n")
        self._tag = tag

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name!r}, {self._arms!r})"

    def prepared(self, routes: Routes) -> Self:
        """See `Order`."""
        order = copy(self)
        order._hash = self._hash.prepared(routes)  # noqa: SLF001 - a copy of itself
        return order

    def fixed(self, call: Call[Any]) -> bool:
        """See `Order`."""
        return True

    def arranged(self, routes: Routes, call: Call[Any], plan: Plan) -> Sequence[int]:
        """See `Order`."""
        options = call.options
        value = options.tags.get(self._tag) if self._tag is not None else None
        return self._hash.arranged(options.request_id if value is None else value, routes)

    def note(self, route: Route, call: Call[Any]) -> str | None:
        """See `Order`."""
        return f"{ARM}{route.name}"


ARM = "arm: "
"""What an `Experiment` writes into the journal begins with this."""
