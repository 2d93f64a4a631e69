"""Chooses which target is asked first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..core.errors import ConfigurationError
from ..core.journal import Attempt, Journal, Outcome
from ..core.plans import Plan, Target
from ..core.streams import GenerationStream
from ._dispatch import Dispatcher
from .orders import ARM, Order
from .routes import Route

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ..core.adapt import Node
    from ..core.calls import Call, Handler, T
    from ..core.provider import LooseProvider, ProviderPort
    from ._dispatch import Children, Step, Walk


class RouterProvider(Dispatcher):
    """
    Asks its targets in an order that is settled anew for each call, until one answers.

    When the first of that order cannot answer, the next one is asked, exactly as by a
    `FallbackProvider`; each is asked at most once in a call.

    Args:
        targets: Providers, closed by `aclose()`; by name, or in a row, where each has the name
            `provider:model`. The first one's embedding space is that of all.
        order: In which order they are asked.
        options: As for `FallbackProvider`.

    Raises:
        ConfigurationError: As for `FallbackProvider`; a target stands there twice, or the order
            does not fit the targets.
    """

    NAME: ClassVar[str] = "router"
    OPTIONS: ClassVar[Mapping[str, Any]] = {"order": None, **Dispatcher.OPTIONS}

    def __init__(
        self,
        targets: Mapping[str, ProviderPort | LooseProvider]
        | Sequence[ProviderPort | LooseProvider],
        /,
        *,
        order: Order,
        **options: Any,
    ) -> None:
        given = list(targets.values()) if isinstance(targets, Mapping) else targets
        super().__init__(given, **options)
        if len({id(target) for target in given}) < len(given):
            raise ConfigurationError("RouterProvider has a target twice, and would ask it twice")
        if not isinstance(order, Order):
            raise ConfigurationError(f"order must be an Order, not {type(order).__name__}")
        names = list(targets) if isinstance(targets, Mapping) else _names(self._targets)
        self._routes = tuple(Route(name, index) for index, name in enumerate(names))
        self._route_of = dict(zip(map(id, self._targets), self._routes, strict=True))
        self._order = order = order.prepared(self._routes)
        self._fixes = type(order).fixed is not Order.fixed
        self._trusted = type(order).arranged.__module__ == Order.__module__
        """Whether it is known to name nobody twice."""
        self._notes = type(order).note is not Order.note
        self._asked = 0
        self._base = Plan(())
        self._arrangements: dict[tuple[int, ...], Plan] = {}

    @property
    def routes(self) -> tuple[Route, ...]:
        """What is known of each target, in the order in which they were given."""
        return self._routes

    def plan(self, call: Call[Any]) -> Plan:
        """All targets' plans, one after the other, in their order where the call decides it."""
        plan = super().plan(call)
        if self._fixes and self._order.fixed(call):
            return self._planned(call, plan)
        return plan

    def _planned(self, call: Call[Any], plan: Plan) -> Plan:
        """*plan* in order; what was put together for one that stays the same is kept."""
        if plan is not self._joined:
            return Plan.joining(self._in_order(call, plan))
        if plan is not self._base or len(self._arrangements) > self.MAX_REMEMBERED:
            self._base, self._arrangements = plan, {}
        places = tuple(self._order.arranged(self._routes, call, plan))
        arranged = self._arrangements.get(places)
        if arranged is None:
            children = [plan.children[place] for place in dict.fromkeys(places)]
            arranged = self._arrangements[places] = Plan.joining(children)
        return arranged

    def _arranged(self, call: Call[Any], plan: Plan) -> Children:
        if self._fixes and self._order.fixed(call):  # and so planned already
            return plan.children
        return self._in_order(call, plan)

    def _in_order(self, call: Call[Any], plan: Plan) -> Children:
        children = plan.children
        if len(children) == 1:
            return children
        routes: Sequence[Route] = self._routes
        if plan is not self._joined:
            try:
                routes = [self._route_of[id(child)] for child, _ in children]
            except KeyError:  # somebody above has put others there
                return children
        places = self._order.arranged(routes, call, plan)
        if not self._trusted:
            places = list(dict.fromkeys(places))
        return [children[place] for place in places]

    def _ask(self, step: Step[T], walk: Walk[T]) -> Coroutine[Any, Any, T]:
        child, target, call = step
        watches = self._order.watches
        route = self._route_of.get(id(child)) if watches or self._notes else None
        if route is None:
            return call.on(child)
        if self._notes and (note := self._order.note(route, call)) is not None:
            call.journal.record(_noted(target, note))
        return self._watched(route, child, call) if watches else call.on(child)

    async def _watched(self, route: Route, child: Handler, call: Call[T]) -> T:
        route.running += 1
        route.last = self._asked = self._asked + 1
        began = call.now()
        try:
            result = await call.on(child)
        except BaseException:
            route.running -= 1
            now = call.now()
            route.took(call.operation, now - began, now, answered=False)
            raise
        now = call.now()
        route.took(call.operation, now - began, now)
        if isinstance(result, GenerationStream):
            result.on_close(route.closed)
        else:
            route.running -= 1
        return result


def arm_of(outcome: Any) -> str | None:
    """
    The arm of an `Experiment` that gave an answer, or whose error it is.

    That is the last one that was asked: an arm that failed is followed by another.

    Args:
        outcome: A `Generation`, embeddings, an error of a call, or a stream.
    """
    metadata = getattr(outcome, "metadata", None)
    journal: Journal | None = getattr(outcome if metadata is None else metadata, "journal", None)
    arms = [entry.reason for entry in journal or () if _tells_arm(entry)]
    return arms[-1].removeprefix(ARM) if arms and arms[-1] is not None else None


def _tells_arm(entry: Attempt) -> bool:
    return entry.outcome is Outcome.NOTED and (entry.reason or "").startswith(ARM)


def _noted(target: Target, reason: str) -> Attempt:
    return Attempt(
        outcome=Outcome.NOTED, provider=target.provider, model=target.model.name, reason=reason
    )


def _names(targets: Iterable[Node]) -> list[str]:
    """A name for each of *targets*, told apart by a number where they are alike."""
    names: list[str] = []
    for target in targets:
        name = Target(provider=target.name, model=target.model).label
        alike = sum(other.split("#")[0] == name for other in names)
        names.append(f"{name}#{alike + 1}" if alike else name)
    return names
