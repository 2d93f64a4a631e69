"""
One async port for every language-model provider.

The names below are loaded on first use, so that importing fairlead costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._names import HOME_OF

if TYPE_CHECKING:
    from . import sync as sync
    from .adapters.catalogue.book import Catalogue as Catalogue
    from .adapters.catalogue.genai import GenaiPrices as GenaiPrices
    from .adapters.catalogue.own import OwnPrices as OwnPrices
    from .adapters.catalogue.own_models import OwnModels as OwnModels
    from .adapters.http.httpx import HttpxEngine as HttpxEngine
    from .adapters.http.tls_config import TLSConfig as TLSConfig
    from .adapters.providers._chat_completions import (
        ChatCompletionsProvider as ChatCompletionsProvider,
    )
    from .adapters.providers._preset import Preset as Preset
    from .adapters.providers._settings import HttpSettings as HttpSettings
    from .adapters.providers._settings import ProviderSettings as ProviderSettings
    from .adapters.providers.anthropic import AnthropicProvider as AnthropicProvider
    from .adapters.providers.gemini import GeminiProvider as GeminiProvider
    from .adapters.providers.lmstudio import LMStudioProvider as LMStudioProvider
    from .adapters.providers.null import NullProvider as NullProvider
    from .adapters.providers.offline import OfflineProvider as OfflineProvider
    from .adapters.providers.ollama import OllamaProvider as OllamaProvider
    from .adapters.providers.openai import OpenAIProvider as OpenAIProvider
    from .adapters.providers.openai_compatible import (
        OpenAICompatibleProvider as OpenAICompatibleProvider,
    )
    from .adapters.providers.vertex import VertexProvider as VertexProvider
    from .adapters.providers.vllm import VLLMProvider as VLLMProvider
    from .adapters.stores.budgets_sqlite import SqliteBudgetStore as SqliteBudgetStore
    from .adapters.stores.cache_sqlite import SqliteCache as SqliteCache
    from .adapters.stores.ledger_memory import MemoryLedger as MemoryLedger
    from .adapters.stores.ledger_sqlite import SqliteLedger as SqliteLedger
    from .adapters.stores.memory import CacheStats as CacheStats
    from .adapters.stores.memory import MemoryCache as MemoryCache
    from .adapters.stores.response_cache import ResponseCache as ResponseCache
    from .adapters.telemetry.structlog import StructlogLog as StructlogLog
    from .adapters.tokenizers.tiktoken import BackgroundTokenizers as BackgroundTokenizers
    from .assembly.choice import ConfigurationWarning as ConfigurationWarning
    from .assembly.explain import Explanation as Explanation
    from .assembly.explain import explain as explain
    from .assembly.order import Use as Use
    from .assembly.pipeline import default_pipeline as default_pipeline
    from .assembly.pipeline import target_pipeline as target_pipeline
    from .assembly.vendors import discover_providers as discover_providers
    from .core.adapt import adapt as adapt
    from .core.adapter import Adapter as Adapter
    from .core.bounds import Bounds as Bounds
    from .core.bounds import bounds_of as bounds_of
    from .core.budgets import AssumedPrice as AssumedPrice
    from .core.budgets import BudgetAlert as BudgetAlert
    from .core.budgets import BudgetLimit as BudgetLimit
    from .core.budgets import BudgetOptions as BudgetOptions
    from .core.caching import CacheControl as CacheControl
    from .core.caching import CacheMode as CacheMode
    from .core.calls import Call as Call
    from .core.calls import Deadline as Deadline
    from .core.calls import Handler as Handler
    from .core.calls import Operation as Operation
    from .core.calls import find as find
    from .core.context import ContextOptions as ContextOptions
    from .core.context import Fitted as Fitted
    from .core.context import Strategy as Strategy
    from .core.context import fit as fit
    from .core.embeddings import Embedding as Embedding
    from .core.embeddings import EmbeddingMetadata as EmbeddingMetadata
    from .core.embeddings import Embeddings as Embeddings
    from .core.embeddings import EmbeddingSpace as EmbeddingSpace
    from .core.errors import AllTargetsFailedError as AllTargetsFailedError
    from .core.errors import AuthenticationError as AuthenticationError
    from .core.errors import CertificateError as CertificateError
    from .core.errors import ConfigurationError as ConfigurationError
    from .core.errors import ContentFilteredError as ContentFilteredError
    from .core.errors import ContextLengthExceededError as ContextLengthExceededError
    from .core.errors import FairleadError as FairleadError
    from .core.errors import InvalidRequestError as InvalidRequestError
    from .core.errors import InvalidResponseError as InvalidResponseError
    from .core.errors import ModelNotFoundError as ModelNotFoundError
    from .core.errors import OutputTruncatedError as OutputTruncatedError
    from .core.errors import OverloadedError as OverloadedError
    from .core.errors import PermissionDeniedError as PermissionDeniedError
    from .core.errors import PromptTruncatedError as PromptTruncatedError
    from .core.errors import ProviderConnectionError as ProviderConnectionError
    from .core.errors import ProviderError as ProviderError
    from .core.errors import ProviderTimeoutError as ProviderTimeoutError
    from .core.errors import QuotaExceededError as QuotaExceededError
    from .core.errors import RateLimitError as RateLimitError
    from .core.errors import RedirectRefusedError as RedirectRefusedError
    from .core.errors import ResponseParseError as ResponseParseError
    from .core.errors import ResponseTooLargeError as ResponseTooLargeError
    from .core.errors import ServerError as ServerError
    from .core.errors import StoreError as StoreError
    from .core.errors import StreamConsumedError as StreamConsumedError
    from .core.errors import StreamInterruptedError as StreamInterruptedError
    from .core.errors import TemplateError as TemplateError
    from .core.errors import UnsupportedOperationError as UnsupportedOperationError
    from .core.events import EventFilter as EventFilter
    from .core.events import ReasoningDelta as ReasoningDelta
    from .core.events import RefusalDelta as RefusalDelta
    from .core.events import StreamEnd as StreamEnd
    from .core.events import StreamEvent as StreamEvent
    from .core.events import StreamStart as StreamStart
    from .core.events import TextDelta as TextDelta
    from .core.events import ToolCallDelta as ToolCallDelta
    from .core.health import HealthCheckable as HealthCheckable
    from .core.health import ProviderHealth as ProviderHealth
    from .core.journal import Attempt as Attempt
    from .core.journal import Journal as Journal
    from .core.journal import Outcome as Outcome
    from .core.ledger import Booking as Booking
    from .core.ledger import Ledger as Ledger
    from .core.ledger import LedgerEntry as LedgerEntry
    from .core.ledger import LedgerQuery as LedgerQuery
    from .core.limits import TimeLimits as TimeLimits
    from .core.messages import Audio as Audio
    from .core.messages import File as File
    from .core.messages import Image as Image
    from .core.messages import Message as Message
    from .core.messages import Prompt as Prompt
    from .core.messages import Reasoning as Reasoning
    from .core.messages import Refusal as Refusal
    from .core.messages import Role as Role
    from .core.messages import Text as Text
    from .core.messages import Tool as Tool
    from .core.messages import ToolCall as ToolCall
    from .core.messages import ToolResult as ToolResult
    from .core.models import ModelInfo as ModelInfo
    from .core.outcomes import StreamOutcome as StreamOutcome
    from .core.pending import PendingStream as PendingStream
    from .core.plans import Plan as Plan
    from .core.plans import Target as Target
    from .core.ports import BreakerStore as BreakerStore
    from .core.ports import BudgetStore as BudgetStore
    from .core.ports import CacheStore as CacheStore
    from .core.ports import CooldownStore as CooldownStore
    from .core.ports import EventLog as EventLog
    from .core.ports import ModelBook as ModelBook
    from .core.ports import PriceBook as PriceBook
    from .core.ports import RateStore as RateStore
    from .core.ports import RetryStore as RetryStore
    from .core.ports import Tokenizer as Tokenizer
    from .core.ports import Tokenizers as Tokenizers
    from .core.prices import Price as Price
    from .core.prices import Tariff as Tariff
    from .core.prices import UnitRate as UnitRate
    from .core.provider import ExactTokenCounter as ExactTokenCounter
    from .core.provider import ProviderPort as ProviderPort
    from .core.rates import Allowance as Allowance
    from .core.rates import Amount as Amount
    from .core.rates import Rate as Rate
    from .core.rates import RateLimits as RateLimits
    from .core.rates import Rates as Rates
    from .core.refusals import BudgetExceededError as BudgetExceededError
    from .core.refusals import CircuitOpenError as CircuitOpenError
    from .core.refusals import DeadlineExceededError as DeadlineExceededError
    from .core.refusals import GuardrailError as GuardrailError
    from .core.refusals import NoTargetError as NoTargetError
    from .core.refusals import RateLimitExceededError as RateLimitExceededError
    from .core.refusals import RefusedError as RefusedError
    from .core.refusals import ToolRoundsExceededError as ToolRoundsExceededError
    from .core.requests import EmbedOptions as EmbedOptions
    from .core.requests import GenerateOptions as GenerateOptions
    from .core.results import FinishReason as FinishReason
    from .core.results import Generation as Generation
    from .core.results import Metadata as Metadata
    from .core.results import TokenCount as TokenCount
    from .core.retention import Retention as Retention
    from .core.spending import Spending as Spending
    from .core.spending import UsageReport as UsageReport
    from .core.streams import GenerationStream as GenerationStream
    from .core.tags import tags as tags
    from .core.usage import Cost as Cost
    from .core.usage import Usage as Usage
    from .core.verdicts import KeyFate as KeyFate
    from .core.verdicts import Verdict as Verdict
    from .decorators._base import Decorator as Decorator
    from .decorators._pooled import PoolKey as PoolKey
    from .decorators._pooled import fingerprint as fingerprint
    from .decorators.attempt import AttemptTimeoutProvider as AttemptTimeoutProvider
    from .decorators.backoff import Backoff as Backoff
    from .decorators.breaker import CircuitBreakerProvider as CircuitBreakerProvider
    from .decorators.breakers import LocalBreakers as LocalBreakers
    from .decorators.buckets import LocalRateStore as LocalRateStore
    from .decorators.buckets import TokenBucket as TokenBucket
    from .decorators.budget import BudgetProvider as BudgetProvider
    from .decorators.cache import CacheProvider as CacheProvider
    from .decorators.circuit import BreakerOptions as BreakerOptions
    from .decorators.circuit import CircuitBreaker as CircuitBreaker
    from .decorators.context import ContextFitProvider as ContextFitProvider
    from .decorators.cost import CostTrackingProvider as CostTrackingProvider
    from .decorators.deadline import DeadlineProvider as DeadlineProvider
    from .decorators.fallback import FallbackProvider as FallbackProvider
    from .decorators.faults import Fault as Fault
    from .decorators.faults import FaultsProvider as FaultsProvider
    from .decorators.faults import RandomFaults as RandomFaults
    from .decorators.hedge import HedgeProvider as HedgeProvider
    from .decorators.hedging import HedgeOptions as HedgeOptions
    from .decorators.key_pool import KeyPoolProvider as KeyPoolProvider
    from .decorators.key_pool import KeyStatus as KeyStatus
    from .decorators.keys import KeyState as KeyState
    from .decorators.lane import LimitOptions as LimitOptions
    from .decorators.limits import LimitProvider as LimitProvider
    from .decorators.local_budgets import LocalBudgetStore as LocalBudgetStore
    from .decorators.logging import LoggingProvider as LoggingProvider
    from .decorators.orders import Cheapest as Cheapest
    from .decorators.orders import Experiment as Experiment
    from .decorators.orders import Fastest as Fastest
    from .decorators.orders import InOrder as InOrder
    from .decorators.orders import LeastBusy as LeastBusy
    from .decorators.orders import Order as Order
    from .decorators.orders import Sticky as Sticky
    from .decorators.orders import Weighted as Weighted
    from .decorators.quota import RetryQuota as RetryQuota
    from .decorators.retry import RetryProvider as RetryProvider
    from .decorators.retry_function import (
        retry_with_exponential_backoff as retry_with_exponential_backoff,
    )
    from .decorators.router import RouterProvider as RouterProvider
    from .decorators.router import arm_of as arm_of
    from .decorators.routes import Route as Route
    from .decorators.split import SplitProvider as SplitProvider
    from .facade.chat import ChatCompletionRequest as ChatCompletionRequest
    from .facade.chat import ChatCompletionResponse as ChatCompletionResponse
    from .facade.cost_tracker import CostTracker as CostTracker
    from .facade.opening import open_provider as open_provider
    from .facade.provider import Provider as Provider
    from .facade.provider_factory import ProviderFactory as ProviderFactory
    from .facade.provider_factory import create_provider as create_provider
    from .facade.provider_manager import ProviderManager as ProviderManager
    from .facade.registry import ProviderRegistry as ProviderRegistry
    from .facade.request_router import RequestRouter as RequestRouter
    from .facade.shared import acomplete as acomplete
    from .facade.shared import aembed as aembed
    from .facade.shared import complete as complete
    from .facade.shared import embed as embed
    from .facade.shared import get_provider as get_provider
    from .facade.shared import reset_provider_cache as reset_provider_cache
    from .services.parsing import parse_as as parse_as
    from .services.parsing import parse_json as parse_json
    from .services.templates import PromptTemplate as PromptTemplate
    from .services.templates import RenderedPrompt as RenderedPrompt
    from .services.tools import ToolRun as ToolRun
    from .services.tools import run_tools as run_tools
    from .services.typed import TypedAnswer as TypedAnswer
    from .services.typed import answer_as as answer_as
    from .services.typed import generate_as as generate_as
    from .services.typed_stream import TypedStream as TypedStream
    from .services.typed_stream import stream_as as stream_as
    from .services.usage_page import UsagePage as UsagePage
    from .services.web import to_sse as to_sse
    from .sync import SyncProvider as SyncProvider
    from .sync import SyncStream as SyncStream
    from .wire.openai_chat import Dialect as Dialect

__version__ = "0.1.0"

__all__ = tuple(HOME_OF)  # pyright: ignore[reportUnsupportedDunderAll] - as the imports above say


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "sync":
        return import_module(".sync", __name__)
    home = HOME_OF.get(name)
    if home is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value: object = getattr(import_module(home, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *HOME_OF})
