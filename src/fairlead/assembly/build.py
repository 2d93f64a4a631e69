"""From settings to a pipeline."""

from __future__ import annotations

import random as _random
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ..core.adapt import adapt
from ..core.adapter import Adapter
from ..core.calls import below
from ..core.context import ContextOptions
from ..core.limits import TimeLimits
from ..core.models import UNLISTED
from ..core.prices import UNPRICED
from ..decorators.backoff import Backoff
from ..decorators.cache import CacheProvider
from ..decorators.circuit import BreakerOptions
from ..decorators.context import ContextFitProvider
from ..decorators.hedging import HedgeOptions
from ..decorators.key_pool import PoolKey
from ..decorators.lane import LimitOptions
from ..settings import resolve
from .budget_section import BudgetSettings
from .pipeline import MAX_RETRIES, chain, target_pipeline
from .routing import Routing, names_of
from .sections import (
    BreakerSettings,
    CacheSettings,
    ContextSettings,
    HedgeSettings,
    HttpClientSettings,
    LedgerSettings,
    LimitSettings,
    LoggingSettings,
    ModelSettings,
    PriceSettings,
    RateSettings,
    RetrySettings,
    TlsSettings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pydantic import BaseModel

    from ..adapters.http.port import HttpEngine
    from ..adapters.tokenizers.tiktoken import BackgroundTokenizers
    from ..core.adapt import Node
    from ..core.ledger import Ledger
    from ..core.ports import (
        BreakerStore,
        BudgetStore,
        CacheStore,
        CooldownStore,
        EventLog,
        ModelBook,
        PriceBook,
        RetryStore,
    )
    from ..core.provider import LooseProvider, ProviderPort
    from ..decorators._base import Decorator
    from ..decorators.circuit import CircuitBreaker
    from ..settings import RawSettings
    from .order import Use
    from .targets import Choices, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSettings:
    """What all pipelines of one configuration have in common, validated."""

    limits: LimitSettings
    rates: RateSettings
    hedge: HedgeSettings
    context: ContextSettings
    routing: Routing
    cache: CacheSettings
    budgets: BudgetSettings
    retry: RetrySettings
    circuit_breaker: BreakerSettings
    tls: TlsSettings
    http: HttpClientSettings
    logging: LoggingSettings
    prices: PriceSettings
    models: ModelSettings
    ledger: LedgerSettings
    warnings: tuple[str, ...] = ()
    """What nobody should overlook."""

    @classmethod
    def of(cls, raw: RawSettings) -> PipelineSettings:
        """
        Validate the sections of *raw*.

        Raises:
            ConfigurationError: One holds a mistake.
        """
        tls = resolve(raw, "tls", TlsSettings)
        return cls(
            limits=resolve(raw, "limits", LimitSettings).model,
            rates=resolve(raw, "rates", RateSettings).model,
            hedge=resolve(raw, "hedge", HedgeSettings).model,
            context=resolve(raw, "context", ContextSettings).model,
            routing=Routing.of(raw),
            cache=resolve(raw, "cache", CacheSettings).model,
            budgets=resolve(raw, "budgets", BudgetSettings).model,
            retry=resolve(raw, "retry", RetrySettings).model,
            circuit_breaker=resolve(raw, "circuit_breaker", BreakerSettings).model,
            tls=tls.model,
            http=resolve(raw, "http", HttpClientSettings).model,
            logging=resolve(raw, "logging", LoggingSettings).model,
            prices=resolve(raw, "prices", PriceSettings).model,
            models=resolve(raw, "models", ModelSettings).model,
            ledger=resolve(raw, "ledger", LedgerSettings).model,
            warnings=() if tls.model.verify else (f"{INSECURE} ({tls.sources['verify']})",),
        )


INSECURE = (
    "TLS certificates are not verified: anybody on the way can read and change what is sent, your "
    "keys included"
)


def build(
    settings: PipelineSettings,
    choices: Choices,
    *,
    engine: Callable[[], HttpEngine] | None = None,
    log: EventLog | None = None,
    tokenizers: BackgroundTokenizers | None = None,
    prices: PriceBook | None = None,
    models: ModelBook | None = None,
    quota: RetryStore | None = None,
    breakers: BreakerStore[CircuitBreaker] | None = None,
    cooldowns: CooldownStore | None = None,
    budgets: BudgetStore | None = None,
    ledger: Ledger | None = None,
    random: Callable[[], float] = _random.random,
    cache: CacheStore | None = None,
    decorators: Sequence[Use] = (),
) -> Decorator:
    """
    The pipeline over *choices*.

    Args:
        settings: What holds for all of them.
        choices: The providers, in order.
        engine: What gives what moves their bytes, called if one of them needs it; it is not
            closed with the pipeline. If there is none, each provider has its own, which is.
        log: Where calls are told to.
        tokenizers: What counts tokens exactly, once it is loaded; loading begins now.
        prices: What answers cost by, unless the settings have a price of their own.
        models: What knows models, besides what the settings say.
        quota: What repeats and hedges of all targets are paid from.
        breakers: Where circuit breakers are kept; by default each target has its own.
        cooldowns: Where it is kept until when keys of a pool rest; by default in the pool.
        budgets: Where the books of budgets are kept; it is not closed with the pipeline.
        ledger: Where it is written down what calls cost; it is not closed with the pipeline.
        random: Numbers from 0 to 1, for jitter.
        cache: Where answers are kept, if they are; it is not closed with the pipeline.
        decorators: Policies of your own.

    Raises:
        ConfigurationError: A provider cannot be built, or the policies' order makes no sense.
    """
    limits = _limits(settings.limits)
    backoff = Backoff(**_given(settings.retry, "enabled", "max_retries"))
    rates = _given(settings.rates)
    breaker = BreakerOptions(**_given(settings.circuit_breaker, "enabled"))
    told = log if settings.logging.enabled else None

    def equipped(provider: LooseProvider) -> LooseProvider:
        node = _priced(_counting(provider, tokenizers), settings.prices, prices or UNPRICED)
        return _told(node, settings.models, models or UNLISTED)

    targets = [
        target_pipeline(
            _asked(target, lambda it: equipped(it.create(limits, engine))),
            max_retries=_max_retries(settings.retry, target.max_retries),
            backoff=backoff,
            quota=quota,
            breaker=breaker if settings.circuit_breaker.enabled else None,
            breakers=breakers,
            cooldowns=cooldowns,
            limits=limits,
            rates=LimitOptions(**rates) if rates else None,
            budget=settings.budgets.options,
            budgets=budgets,
            random=random,
            log=told,
            decorators=decorators,
        )
        for target in choices.targets
    ]
    hedging = HedgeOptions(**_given(settings.hedge, "enabled")) if settings.hedge.enabled else None
    spare = choices.last_resort
    called = [(it.name, node.model.name) for it, node in zip(choices.targets, targets, strict=True)]
    names = names_of(called)
    several = len(targets) > 1
    return chain(
        dict(zip(names, targets, strict=True)),
        total=settings.limits.total,
        hedging=hedging,
        order=settings.routing.order(names, choices.missing) if several else None,
        last_resort=None if spare is None else equipped(spare.create(limits, engine)),
        quota=quota,
        log=told,
        fitting=_fitting(settings.context, tokenizers) if settings.context.enabled else None,
        cache=_cache(settings.cache, cache),
        ledger=ledger,
        decorators=decorators,
    )


def _asked(
    target: Target, create: Callable[[Target], LooseProvider]
) -> LooseProvider | Sequence[PoolKey]:
    """What asks *target*; of several keys, what asks with each."""
    if len(target.keys) < 2:
        return create(target)
    return [
        PoolKey(provider=create(key.target), label=key.label, account=key.account)
        for key in target.keys
    ]


def _fitting(
    settings: ContextSettings, tokenizers: BackgroundTokenizers | None
) -> Callable[[Node], ContextFitProvider]:
    options = ContextOptions(**_given(settings, "enabled", "truncation"))
    truncation = settings.truncation or "warn"
    return lambda node: ContextFitProvider(
        node, options=options, truncation=truncation, tokenizers=tokenizers
    )


def _cache(
    settings: CacheSettings, store: CacheStore | None
) -> Callable[[ProviderPort | LooseProvider], CacheProvider] | None:
    """What makes the cache, if there is anything for it to do."""
    keeps = settings.mode != "off"
    shares = keeps if settings.single_flight is None else settings.single_flight
    if not (keeps or shares):
        return None
    return partial(
        CacheProvider,
        store=store,
        mode=settings.mode,
        ttl=settings.ttl,
        namespace=settings.namespace,
        single_flight=shares,
    )


def _counting(provider: LooseProvider, tokenizers: BackgroundTokenizers | None) -> LooseProvider:
    if tokenizers is not None and isinstance(provider, Adapter):
        provider.tokenizers = tokenizers
        tokenizers.start(provider.model.tokenizer)
    return provider


def _priced(provider: LooseProvider, settings: PriceSettings, book: PriceBook) -> Node:
    node = adapt(provider)
    for adapter in _adapters(node):
        if adapter.prices is UNPRICED:  # else it is somebody's own choice
            adapter.prices = own_prices(adapter.name, settings, book)
    return node


def _told(node: Node, settings: ModelSettings, book: ModelBook) -> Node:
    for adapter in _adapters(node):
        if adapter.models is UNLISTED:  # else it is somebody's own choice
            adapter.models = own_models(adapter.name, settings, book)
    return node


def _adapters(node: object) -> Iterator[Adapter]:
    if isinstance(node, Adapter):
        yield node
        return
    for child in below(node):
        yield from _adapters(child)


def own_prices(name: str, settings: PriceSettings, book: PriceBook) -> PriceBook:
    """
    *book*, with what *settings* say otherwise of the provider of that name.

    Raises:
        ConfigurationError: A price in them is none.
    """
    if not settings.models and not settings.exact:
        return book
    from ..adapters.catalogue.own import OwnPrices

    return OwnPrices(settings.models, name=name, otherwise=book, exact=settings.exact)


def own_models(name: str, settings: ModelSettings, book: ModelBook) -> ModelBook:
    """
    *book*, with what *settings* say of models otherwise for the provider of that name.

    Raises:
        ConfigurationError: They say what cannot be.
    """
    if not settings.known:
        return book
    from ..adapters.catalogue.own_models import OwnModels

    return OwnModels(settings.known, name=name, otherwise=book)


def _limits(settings: LimitSettings) -> TimeLimits:
    return TimeLimits(**settings.model_dump())


def _max_retries(settings: RetrySettings, own: int | None) -> int | None:
    if not settings.enabled:
        return None
    if own is not None:
        return own
    return MAX_RETRIES if settings.max_retries is None else settings.max_retries


def _given(settings: BaseModel, *besides: str) -> dict[str, Any]:
    return settings.model_dump(exclude_none=True, exclude=set(besides))
