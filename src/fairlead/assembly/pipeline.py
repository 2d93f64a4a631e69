"""Builds pipelines. What stands in each layer unless it is told otherwise is said here alone."""

from __future__ import annotations

import random as _random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard, cast

from ..core.adapt import Node, adapt
from ..core.adapter import Adapter
from ..core.calls import below, find
from ..core.errors import ConfigurationError
from ..decorators._base import Decorator
from ..decorators._dispatch import Dispatcher
from ..decorators.attempt import AttemptTimeoutProvider
from ..decorators.backoff import Backoff
from ..decorators.breaker import CircuitBreakerProvider
from ..decorators.breakers import LocalBreakers
from ..decorators.budget import BudgetProvider
from ..decorators.circuit import BreakerOptions
from ..decorators.cost import CostTrackingProvider
from ..decorators.deadline import DeadlineProvider
from ..decorators.fallback import FallbackProvider
from ..decorators.hedge import HedgeProvider
from ..decorators.key_pool import KeyPoolProvider, PoolKey
from ..decorators.limits import LimitProvider
from ..decorators.local_budgets import LocalBudgetStore
from ..decorators.logging import LoggingProvider
from ..decorators.quota import RetryQuota
from ..decorators.retry import RetryProvider
from ..decorators.router import RouterProvider
from ..decorators.split import SplitProvider
from .order import CHAIN, LAYERS, TARGET, Layers, arranged, check, is_inside, layers_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..core.budgets import BudgetOptions
    from ..core.ledger import Ledger
    from ..core.limits import TimeLimits
    from ..core.ports import BreakerStore, BudgetStore, CooldownStore, EventLog, RetryStore
    from ..core.provider import LooseProvider, ProviderPort
    from ..decorators.circuit import CircuitBreaker
    from ..decorators.hedging import HedgeOptions
    from ..decorators.lane import LimitOptions
    from ..decorators.orders import Order
    from .order import Use

TOTAL = 600.0
"""Seconds for a whole `generate` or `embed*`, over all attempts and targets."""
MAX_RETRIES = 2
_POOL = "key-pool"
_WHOLE, _EACH = TARGET[: TARGET.index(_POOL) + 1], TARGET[TARGET.index(_POOL) :]
"""What stands round a pool of keys, and round each key."""
_BACKOFF, _BREAKER = Backoff(), BreakerOptions()


def target_pipeline(
    provider: ProviderPort | LooseProvider | Sequence[PoolKey],
    /,
    *,
    max_retries: int | None = MAX_RETRIES,
    backoff: Backoff = _BACKOFF,
    quota: RetryStore | None = None,
    breaker: BreakerOptions | None = _BREAKER,
    breakers: BreakerStore[CircuitBreaker] | None = None,
    cooldowns: CooldownStore | None = None,
    limits: TimeLimits | None = None,
    rates: LimitOptions | None = None,
    budget: BudgetOptions | None = None,
    budgets: BudgetStore | None = None,
    random: Callable[[], float] = _random.random,
    log: EventLog | None = None,
    decorators: Sequence[Use] = (),
) -> Node:
    """
    What stands round one target: split, retry, key pool, rates, budget, breaker, adapter.

    Rates, time limit and what else stands inside of a key pool stand round each of its keys, and
    one breaker is for all, as it is the same target.

    What *provider* has round it already, and what would have to stand inside of that, is not put
    there again.

    Args:
        provider: What is asked; of several keys, what asks with each of them.
        max_retries: Repeats; None for no such policy.
        backoff: How long to wait before a repeat.
        quota: What repeats are paid from, which all targets of a pipeline share.
        breaker: When the circuit opens and closes; None for no such policy.
        breakers: Where breakers are kept; by default each target has its own.
        cooldowns: Where it is kept until when keys rest; by default in the pool.
        limits: How long one attempt may take. An adapter that keeps limits of its own, as all
            that speak HTTP do, gets no second ones.
        rates: How fast and how much at once it is asked; None for no such policy.
        budget: What may be spent; None for no such policy.
        budgets: Where the books of that are, which all targets of a pipeline share.
        random: Numbers from 0 to 1, for jitter.
        log: Where it is told that a key is no longer asked, by default the standard logger; and
            what a budget has to tell.
        decorators: Policies of your own in these layers; others are ignored.
    """
    layers: Layers = {"split": SplitProvider}
    if max_retries is not None:
        layers["retry"] = lambda node: RetryProvider(
            node, max_retries=max_retries, backoff=backoff, quota=quota, random=random
        )
    each: Layers = {"attempt": lambda node: AttemptTimeoutProvider(node, limits=limits)}
    if rates is not None:
        each["limits"] = lambda node: LimitProvider(node, options=rates)
    if budget is not None:
        books = LocalBudgetStore() if budgets is None else budgets  # one for all keys of a pool
        each["budget"] = lambda node: BudgetProvider(node, options=budget, store=books, log=log)
    keys = provider if _are_keys(provider) else ()
    store = LocalBreakers() if keys and breakers is None else breakers
    if breaker is not None:
        each["breaker"] = lambda node: CircuitBreakerProvider(
            node, options=breaker, random=random, store=store
        )
    if not keys:
        return _round(adapt(provider), layers | each, decorators, TARGET)
    own = [use for use in decorators if is_inside(use, _POOL)]
    asked = [replace(key, provider=_round(adapt(key.provider), each, own, _EACH)) for key in keys]
    pool = KeyPoolProvider(asked, store=cooldowns, log=log)
    return _round(pool, layers, [use for use in decorators if use not in own], _WHOLE)


def chain(
    targets: Mapping[str, ProviderPort | LooseProvider] | Sequence[ProviderPort | LooseProvider],
    /,
    *,
    total: float | None = TOTAL,
    hedging: HedgeOptions | None = None,
    order: Order | None = None,
    last_resort: ProviderPort | LooseProvider | None = None,
    quota: RetryStore | None = None,
    log: EventLog | None = None,
    fitting: Callable[[Node], Any] | None = None,
    cache: Callable[[Node], Any] | None = None,
    ledger: Ledger | None = None,
    decorators: Sequence[Use] = (),
) -> Decorator:
    """
    What stands round several targets: deadline; with more than one, fallback, hedge or router.

    Args:
        targets: What is asked, in order, each with its own policies already round it; by name,
            where *order* names them.
        total: Seconds for a whole call that is not a stream; None is no end.
        hedging: When the next target is asked beside one that is slow; None is never.
        order: In which order they are asked, settled for each call; None is that in which they
            stand.
        last_resort: What answers, with a warning, if none of them can be asked at all.
        quota: What hedges are paid from, as repeats are.
        log: Where calls are told to; None is nowhere.
        fitting: What makes the policy that cuts prompts to fit; None for no such policy.
        cache: What makes the cache round all of them, as `partial(CacheProvider, store=...)`
            does; None is no cache.
        ledger: Where it is written down what they cost; None is nowhere. It stays yours to close.
        decorators: Policies of your own in these layers; others are ignored.

    Raises:
        ConfigurationError: There is no target, or the order of policies makes no sense.
    """
    if not targets:
        raise ConfigurationError("a pipeline needs at least one adapter")
    if hedging is not None and order is not None:
        raise ConfigurationError("a hedge asks in the order given; leave out hedging or order")
    given = list(targets.values()) if isinstance(targets, Mapping) else targets
    inner: Node
    if len(given) == 1 and last_resort is None:
        inner = adapt(given[0])
    elif order is not None:
        inner = RouterProvider(targets, order=order, last_resort=last_resort, log=log)
    elif hedging is None:
        inner = FallbackProvider(given, last_resort=last_resort, log=log)
    else:
        inner = HedgeProvider(given, hedging=hedging, quota=quota, last_resort=last_resort, log=log)
    layers: Layers = {"deadline": lambda node: DeadlineProvider(node, total=total)}
    if cache is not None:
        layers["cache"] = cache
    if log is not None:
        layers["logging"] = lambda node: LoggingProvider(node, log=log)
    if fitting is not None:
        layers["context"] = fitting
    if ledger is not None:
        layers["cost"] = lambda node: CostTrackingProvider(node, ledger=ledger, log=log)
    pipeline = _wrapped(inner, arranged(_outside(inner, layers), decorators, CHAIN))
    check(pipeline)
    return pipeline if isinstance(pipeline, Decorator) else Decorator(pipeline)


def default_pipeline(
    *adapters: ProviderPort | LooseProvider,
    total: float | None = TOTAL,
    max_retries: int | None = MAX_RETRIES,
    backoff: Backoff = _BACKOFF,
    breaker: BreakerOptions | None = _BREAKER,
    budget: BudgetOptions | None = None,
    budgets: BudgetStore | None = None,
    log: EventLog | None = None,
    ledger: Ledger | None = None,
    decorators: Sequence[Use] = (),
) -> Decorator:
    """
    The pipeline that fairlead builds unless it is told otherwise.

    Outermost first: deadline; with several adapters, fallback in their order; then round each
    what `target_pipeline` puts there. Closing it closes the adapters.

    Args:
        adapters: What is asked, in order.
        total: Seconds for a whole call that is not a stream; None is no end.
        max_retries: Repeats at each target; None for no such policy.
        backoff: How long to wait before a repeat.
        breaker: When a circuit opens and closes; None for no such policy.
        budget: What may be spent; None for no such policy.
        budgets: Where the books of that are kept; by default in this pipeline.
        log: Where calls are told to; by default nowhere.
        ledger: Where it is written down what they cost; by default nowhere. It stays yours.
        decorators: Policies of your own, each with its place.

    Raises:
        ConfigurationError: There is no adapter, one is no provider, or the order of policies
            makes no sense.
    """
    quota = RetryQuota()
    books = LocalBudgetStore() if budgets is None else budgets
    targets = [
        target_pipeline(
            adapter,
            max_retries=max_retries,
            backoff=backoff,
            quota=quota,
            breaker=breaker,
            budget=budget,
            budgets=books,
            log=log,
            decorators=decorators,
        )
        for adapter in adapters
    ]
    return chain(targets, total=total, log=log, ledger=ledger, decorators=decorators)


def _are_keys(provider: object) -> TypeGuard[Sequence[PoolKey]]:
    if not isinstance(provider, Sequence):
        return False
    given = cast("Sequence[object]", provider)
    return all(isinstance(key, PoolKey) for key in given)


def _round(inner: Node, layers: Layers, uses: Sequence[Use], names: Sequence[str]) -> Node:
    """*inner* with the *layers* and *uses* round it that it does not have yet."""
    if "dispatch" in layers_in(inner):  # each of its targets has policies of its own
        return inner
    adapter = find(inner, Adapter)
    if adapter is not None and adapter.limits is not None:
        layers = {name: policy for name, policy in layers.items() if name != "attempt"}
    return _wrapped(inner, arranged(_outside(inner, layers), uses, names))


def _outside(inner: Node, layers: Layers) -> Layers:
    """Those of *layers* that stand outside of all that *inner* has already."""
    has = layers_in(inner) if not isinstance(inner, Dispatcher) else {"dispatch"}
    outermost = min((LAYERS.index(name) for name in has), default=len(LAYERS))
    return {name: policy for name, policy in layers.items() if LAYERS.index(name) < outermost}


def _wrapped(inner: Node, policies: Sequence[Callable[[Node], Any]]) -> Node:
    for policy in reversed(policies):
        outer = adapt(policy(inner))
        if not _shows(outer, inner):
            raise ConfigurationError(
                f"{type(outer).__name__} hides what it wraps, or does not wrap it; keep it as the "
                "attribute `inner`"
            )
        inner = outer
    return inner


def _shows(outer: object, inner: object) -> bool:
    return outer is inner or any(_shows(child, inner) for child in below(outer))
