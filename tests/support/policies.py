"""All policies that there are, and what they still hold of calls that are over."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import singledispatch
from importlib import import_module
from inspect import getmembers, isclass
from math import inf

from fairlead import decorators
from fairlead.core.calls import below
from fairlead.core.rates import Amount
from fairlead.decorators._base import Decorator, Policy
from fairlead.decorators._dispatch import Dispatcher
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.budget import BudgetProvider
from fairlead.decorators.hedge import HedgeProvider
from fairlead.decorators.key_pool import KeyPoolProvider, KeyState
from fairlead.decorators.keys import PROBE_SECONDS
from fairlead.decorators.limits import LimitProvider
from fairlead.decorators.local_budgets import LocalBudgetStore
from fairlead.decorators.router import RouterProvider


def every_policy() -> set[type[Policy]]:
    """Each class that is a policy, and no base of several."""
    modules = [
        import_module(f"{decorators.__name__}.{module.name}")
        for module in pkgutil.iter_modules(decorators.__path__)
    ]
    found = {kind for module in modules for _, kind in getmembers(module, isclass)}
    return {
        kind
        for kind in found
        if issubclass(kind, Policy) and kind not in {Policy, Decorator, Dispatcher}
    }


def nodes(node: object) -> Iterator[object]:
    """*node* and all that it is made of."""
    yield node
    for child in below(node):
        yield from nodes(child)


def leftovers(provider: object) -> list[str]:
    """What the policies in *provider* still hold: nothing, once all calls are over."""
    return [f"{type(node).__name__}: {what}" for node in nodes(provider) for what in _held(node)]


@singledispatch
def _held(node: object) -> Iterator[str]:
    yield from ()


@_held.register
def _(node: CircuitBreakerProvider) -> Iterator[str]:
    for model, circuit in node._own._breakers.items():
        if circuit._probes:
            yield f"{len(circuit._probes)} permits of {model}"


@_held.register
def _(node: LimitProvider) -> Iterator[str]:
    for model, lane in node._lanes.items():
        held = lane.line.running, len(lane.line), lane.line.needed
        if held != (0, 0, Amount(0, 0)):
            yield f"places of {model}: {held}"
    for key, account in getattr(node._store, "_accounts", {}).items():
        pending = account.requests.pending, account.tokens.pending
        if pending != (0, 0):
            yield f"reservations of {key}: {pending}"


@_held.register
def _(node: BudgetProvider) -> Iterator[str]:
    store = node._reservations._store
    if isinstance(store, LocalBudgetStore) and store._held:
        yield f"{len(store._held)} reservations"


@_held.register
def _(node: HedgeProvider) -> Iterator[str]:
    if node._host._tasks:
        yield "tasks"


@_held.register
def _(node: RouterProvider) -> Iterator[str]:
    yield from (f"{it.running} calls of {it.name}" for it in node.routes if it.running)


@_held.register
def _(node: KeyPoolProvider) -> Iterator[str]:
    for status in node.status():
        # Who has nothing left to spend rests for far longer.
        if status.state is KeyState.SPENT and (status.retry_after or inf) <= PROBE_SECONDS:
            yield f"the probe of key {status.label}"
