"""
The composition root: every leaf that a pipeline stands on, and what builds it over them.

An application that wants another leaf overrides it, for a test or for good::

    with Container.engine.override(providers.Object(my_engine)):
        provider = open_provider("openai")

Nothing here is wired into anybody's modules, and everything can be built by hand just as well,
with the functions of `fairlead.assembly`.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from dependency_injector import containers, providers

from .adapters.telemetry.structlog import StructlogLog
from .adapters.tokenizers.tiktoken import BackgroundTokenizers
from .assembly.build import PipelineSettings, build
from .assembly.choice import choose
from .assembly.leaves import (
    budget_store,
    cache_store,
    http_engine,
    model_book,
    open_ledger,
    price_book,
)
from .decorators.keys import LocalCooldowns
from .decorators.quota import RetryQuota
from .settings import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from .adapters.http.port import HttpEngine
    from .assembly.order import Use
    from .assembly.targets import Choices
    from .core.ledger import Ledger
    from .core.ports import (
        BreakerStore,
        BudgetStore,
        CacheStore,
        CooldownStore,
        EventLog,
        ModelBook,
        PriceBook,
        RetryStore,
    )
    from .decorators._base import Decorator
    from .decorators.circuit import CircuitBreaker
    from .settings import RawSettings


class Container(containers.DeclarativeContainer):
    """What `open_provider` and `get_provider` build with."""

    settings: providers.Provider[RawSettings] = providers.Factory(load)
    """Leaf: where the values come from; by default the environment alone."""
    choices: providers.Provider[Choices] = providers.Singleton(choose, settings)
    """Which providers answer."""
    decorators: providers.Provider[tuple[Use, ...]] = providers.Object(())
    """Leaf: policies of the application's own."""
    log: providers.Provider[EventLog] = providers.Singleton(StructlogLog)
    """Leaf: where calls are told to."""
    tokenizers: providers.Provider[BackgroundTokenizers] = providers.Object(BackgroundTokenizers())
    """Leaf: what counts tokens; one for all containers, as each vocabulary takes 60 MB."""
    quota: providers.Provider[RetryStore] = providers.Singleton(RetryQuota)
    """Leaf: what repeats are paid from, one for each pipeline."""
    breakers: providers.Provider[BreakerStore[CircuitBreaker] | None] = providers.Object(None)
    """Leaf: where circuit breakers are kept; with None, each target has its own."""
    cooldowns: providers.Provider[CooldownStore] = providers.Singleton(LocalCooldowns)
    """Leaf: where it is kept until when keys rest, one for each pipeline."""
    random: providers.Provider[Callable[[], float]] = providers.Object(random.random)
    """Leaf: numbers from 0 to 1, for jitter."""

    pipeline_settings: providers.Provider[PipelineSettings] = providers.Singleton(
        PipelineSettings.of, settings
    )
    budgets: providers.Provider[BudgetStore | None] = providers.Singleton(
        budget_store, pipeline_settings
    )
    """Leaf: where the books of budgets are kept, one for all targets; None if there are none."""
    engine: providers.Provider[HttpEngine] = providers.Singleton(
        http_engine, pipeline_settings, choices
    )
    """Leaf: what moves the bytes of all providers."""
    prices: providers.Provider[PriceBook] = providers.Singleton(price_book, pipeline_settings)
    """Leaf: what answers cost by, where the settings have no price of their own."""
    models: providers.Provider[ModelBook] = providers.Singleton(model_book, pipeline_settings)
    """Leaf: what knows models, besides what the settings say."""
    cache: providers.Provider[CacheStore | None] = providers.Singleton(
        cache_store, pipeline_settings
    )
    """Leaf: where answers are kept, if they are."""
    ledger: providers.Provider[Ledger | None] = providers.Singleton(open_ledger, pipeline_settings)
    """Leaf: where it is written down what calls cost; None unless the settings want it."""
    pipeline: providers.Provider[Decorator] = providers.Factory(
        build,
        pipeline_settings,
        choices,
        engine=engine.provider,
        log=log,
        tokenizers=tokenizers,
        prices=prices,
        models=models,
        quota=quota,
        breakers=breakers,
        cooldowns=cooldowns,
        budgets=budgets,
        ledger=ledger,
        random=random,
        cache=cache,
        decorators=decorators,
    )
