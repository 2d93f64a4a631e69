"""What a pipeline stands on: whoever builds one of these closes it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ..core.errors import ConfigurationError
from ..core.models import UNLISTED
from ..core.prices import UNPRICED
from ..decorators.local_budgets import LocalBudgetStore

if TYPE_CHECKING:
    from ..adapters.catalogue.book import Catalogue
    from ..adapters.http.httpx import HttpxEngine
    from ..adapters.stores.cache_sqlite import SqliteCache
    from ..adapters.stores.ledger_sqlite import SqliteLedger
    from ..adapters.stores.memory import MemoryCache
    from ..core.ports import BudgetStore, ModelBook, PriceBook
    from .build import PipelineSettings
    from .sections import LedgerSettings
    from .targets import Choices


def http_engine(settings: PipelineSettings, choices: Choices) -> HttpxEngine:
    """
    The engine that all providers of a pipeline share; whoever builds it closes it.

    Raises:
        ConfigurationError: A certificate's file or the proxy's address is not usable.
    """
    from ..adapters.http.httpx import HttpxEngine
    from ..adapters.http.tls_config import TLSConfig

    http = settings.http
    return HttpxEngine(
        **TLSConfig(**settings.tls.model_dump()).as_requests_kwargs(),
        proxy=http.proxy,
        trust_env=http.trust_env,
        max_connections=http.max_connections,
        max_idle=http.max_connections,
        max_response_bytes=http.max_response_bytes,
        # Each provider refuses by itself what its own section does not allow.
        allow_plain_http=any(target.allow_plain_http for target in choices.targets),
    )


def price_book(settings: PipelineSettings) -> PriceBook:
    """
    The book that *settings* name. It is read when the first price is asked for.

    Raises:
        ConfigurationError: It is not installed.
    """
    book = settings.prices.book
    if book == "none":
        return UNPRICED
    return _catalogue() if book == "catalogue" else _genai_prices()


def model_book(settings: PipelineSettings) -> ModelBook:
    """What knows models, by *settings*. It is read when the first is asked for."""
    return UNLISTED if settings.models.book == "none" else _catalogue()


@cache
def _catalogue() -> Catalogue:
    from ..adapters.catalogue.book import Catalogue

    return Catalogue()


def _genai_prices() -> PriceBook:
    from ..adapters.catalogue.genai import GenaiPrices

    return GenaiPrices()


def cache_store(settings: PipelineSettings) -> MemoryCache | SqliteCache | None:
    """
    Where answers are kept, if anywhere; whoever builds it closes it. Nothing is opened yet.

    Raises:
        ConfigurationError: A path is given for what is kept in memory.
    """
    cache = settings.cache
    if cache.mode == "off":
        return None
    size: dict[str, Any] = {} if cache.max_bytes is None else {"max_bytes": cache.max_bytes}
    if cache.store == "memory":
        if cache.path is not None:
            raise ConfigurationError('cache.path is of use only with cache.store = "sqlite"')
        from ..adapters.stores.memory import MemoryCache

        return MemoryCache(**size)
    from ..adapters.stores.cache_sqlite import SqliteCache
    from ..adapters.tokenizers.vocabularies import own_folder

    return SqliteCache(cache.path or own_folder().with_name("answers.db"), **size)


def budget_store(settings: PipelineSettings) -> BudgetStore | None:
    """
    Where the books of budgets are kept; None if nothing is limited. Whoever builds it closes it.

    Raises:
        ConfigurationError: An option makes no sense.
    """
    budgets = settings.budgets
    if not budgets.limits:
        return None
    if budgets.file is None:
        return LocalBudgetStore()
    from ..adapters.stores.budgets_sqlite import LEASE, SqliteBudgetStore

    lease = LEASE if budgets.lease is None else budgets.lease
    return SqliteBudgetStore(budgets.file, lease=lease, abandoned=budgets.abandoned)


def open_ledger(settings: PipelineSettings) -> SqliteLedger | None:
    """The ledger that *settings* describe; None if they want none. Nothing is touched yet."""
    return ledger_of(settings.ledger) if settings.ledger.enabled else None


def ledger_of(settings: LedgerSettings) -> SqliteLedger:
    """The ledger that *settings* describe, whether calls are booked there or not."""
    from ..adapters.stores.ledger_sqlite import SqliteLedger
    from ..adapters.stores.places import state_folder
    from ..core.retention import Retention

    retention = Retention(days=settings.days, rows=settings.rows, tags=settings.tags)
    return SqliteLedger(settings.path or state_folder() / "ledger.db", retention=retention)
