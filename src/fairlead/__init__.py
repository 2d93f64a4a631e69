"""
One async port for every language-model provider.

The names below are loaded on first use, so that importing fairlead costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .adapters.http.httpx import HttpxEngine as HttpxEngine
    from .adapters.providers.lmstudio import LMStudioProvider as LMStudioProvider
    from .adapters.providers.null import NullProvider as NullProvider
    from .adapters.providers.offline import OfflineProvider as OfflineProvider
    from .adapters.providers.openai import OpenAIProvider as OpenAIProvider
    from .adapters.providers.openai_compatible import (
        OpenAICompatibleProvider as OpenAICompatibleProvider,
    )
    from .adapters.providers.vllm import VLLMProvider as VLLMProvider
    from .assembly import default_pipeline as default_pipeline
    from .assembly import target_pipeline as target_pipeline
    from .core.adapt import adapt as adapt
    from .core.adapter import Adapter as Adapter
    from .core.calls import Call as Call
    from .core.calls import Deadline as Deadline
    from .core.calls import Handler as Handler
    from .core.calls import Operation as Operation
    from .core.calls import find as find
    from .core.embeddings import Embedding as Embedding
    from .core.embeddings import EmbeddingMetadata as EmbeddingMetadata
    from .core.embeddings import Embeddings as Embeddings
    from .core.embeddings import EmbeddingSpace as EmbeddingSpace
    from .core.errors import AllTargetsFailedError as AllTargetsFailedError
    from .core.errors import AuthenticationError as AuthenticationError
    from .core.errors import BudgetExceededError as BudgetExceededError
    from .core.errors import CertificateError as CertificateError
    from .core.errors import CircuitOpenError as CircuitOpenError
    from .core.errors import ConfigurationError as ConfigurationError
    from .core.errors import ContentFilteredError as ContentFilteredError
    from .core.errors import ContextLengthExceededError as ContextLengthExceededError
    from .core.errors import DeadlineExceededError as DeadlineExceededError
    from .core.errors import FairleadError as FairleadError
    from .core.errors import GuardrailError as GuardrailError
    from .core.errors import InvalidRequestError as InvalidRequestError
    from .core.errors import InvalidResponseError as InvalidResponseError
    from .core.errors import ModelNotFoundError as ModelNotFoundError
    from .core.errors import NoTargetError as NoTargetError
    from .core.errors import OutputTruncatedError as OutputTruncatedError
    from .core.errors import OverloadedError as OverloadedError
    from .core.errors import PermissionDeniedError as PermissionDeniedError
    from .core.errors import PromptTruncatedError as PromptTruncatedError
    from .core.errors import ProviderConnectionError as ProviderConnectionError
    from .core.errors import ProviderError as ProviderError
    from .core.errors import ProviderTimeoutError as ProviderTimeoutError
    from .core.errors import QuotaExceededError as QuotaExceededError
    from .core.errors import RateLimitError as RateLimitError
    from .core.errors import RateLimitExceededError as RateLimitExceededError
    from .core.errors import RedirectRefusedError as RedirectRefusedError
    from .core.errors import RefusedError as RefusedError
    from .core.errors import ResponseTooLargeError as ResponseTooLargeError
    from .core.errors import ServerError as ServerError
    from .core.errors import StreamConsumedError as StreamConsumedError
    from .core.errors import StreamInterruptedError as StreamInterruptedError
    from .core.errors import UnsupportedOperationError as UnsupportedOperationError
    from .core.events import ReasoningDelta as ReasoningDelta
    from .core.events import RefusalDelta as RefusalDelta
    from .core.events import StreamEnd as StreamEnd
    from .core.events import StreamEvent as StreamEvent
    from .core.events import StreamStart as StreamStart
    from .core.events import TextDelta as TextDelta
    from .core.events import ToolCallDelta as ToolCallDelta
    from .core.journal import Attempt as Attempt
    from .core.journal import Journal as Journal
    from .core.journal import Outcome as Outcome
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
    from .core.pending import PendingStream as PendingStream
    from .core.plans import Plan as Plan
    from .core.plans import Target as Target
    from .core.provider import ProviderPort as ProviderPort
    from .core.requests import EmbedOptions as EmbedOptions
    from .core.requests import GenerateOptions as GenerateOptions
    from .core.results import FinishReason as FinishReason
    from .core.results import Generation as Generation
    from .core.results import Metadata as Metadata
    from .core.results import TokenCount as TokenCount
    from .core.streams import GenerationStream as GenerationStream
    from .core.streams import StreamOutcome as StreamOutcome
    from .core.usage import Cost as Cost
    from .core.usage import Usage as Usage
    from .core.verdicts import Verdict as Verdict
    from .decorators.attempt import AttemptTimeoutProvider as AttemptTimeoutProvider
    from .decorators.backoff import Backoff as Backoff
    from .decorators.breaker import BreakerOptions as BreakerOptions
    from .decorators.breaker import CircuitBreaker as CircuitBreaker
    from .decorators.breaker import CircuitBreakerProvider as CircuitBreakerProvider
    from .decorators.deadline import DeadlineProvider as DeadlineProvider
    from .decorators.fallback import FallbackProvider as FallbackProvider
    from .decorators.retry import RetryProvider as RetryProvider

__version__ = "0.1.0"

_HOMES = {
    ".adapters.http.httpx": ("HttpxEngine",),
    ".adapters.providers.lmstudio": ("LMStudioProvider",),
    ".adapters.providers.null": ("NullProvider",),
    ".adapters.providers.offline": ("OfflineProvider",),
    ".adapters.providers.openai": ("OpenAIProvider",),
    ".adapters.providers.openai_compatible": ("OpenAICompatibleProvider",),
    ".adapters.providers.vllm": ("VLLMProvider",),
    ".assembly": ("default_pipeline", "target_pipeline"),
    ".core.adapt": ("adapt",),
    ".core.adapter": ("Adapter",),
    ".core.calls": ("Call", "Deadline", "Handler", "Operation", "find"),
    ".core.embeddings": ("Embedding", "EmbeddingMetadata", "Embeddings", "EmbeddingSpace"),
    ".core.errors": (
        "AllTargetsFailedError",
        "AuthenticationError",
        "BudgetExceededError",
        "CertificateError",
        "CircuitOpenError",
        "ConfigurationError",
        "ContentFilteredError",
        "ContextLengthExceededError",
        "DeadlineExceededError",
        "FairleadError",
        "GuardrailError",
        "InvalidRequestError",
        "InvalidResponseError",
        "ModelNotFoundError",
        "NoTargetError",
        "OutputTruncatedError",
        "OverloadedError",
        "PermissionDeniedError",
        "PromptTruncatedError",
        "ProviderConnectionError",
        "ProviderError",
        "ProviderTimeoutError",
        "QuotaExceededError",
        "RateLimitError",
        "RateLimitExceededError",
        "RedirectRefusedError",
        "RefusedError",
        "ResponseTooLargeError",
        "ServerError",
        "StreamConsumedError",
        "StreamInterruptedError",
        "UnsupportedOperationError",
    ),
    ".core.events": (
        "ReasoningDelta",
        "RefusalDelta",
        "StreamEnd",
        "StreamEvent",
        "StreamStart",
        "TextDelta",
        "ToolCallDelta",
    ),
    ".core.journal": ("Attempt", "Journal", "Outcome"),
    ".core.limits": ("TimeLimits",),
    ".core.messages": (
        "Audio",
        "File",
        "Image",
        "Message",
        "Prompt",
        "Reasoning",
        "Refusal",
        "Role",
        "Text",
        "Tool",
        "ToolCall",
        "ToolResult",
    ),
    ".core.models": ("ModelInfo",),
    ".core.pending": ("PendingStream",),
    ".core.plans": ("Plan", "Target"),
    ".core.provider": ("ProviderPort",),
    ".core.requests": ("EmbedOptions", "GenerateOptions"),
    ".core.results": ("FinishReason", "Generation", "Metadata", "TokenCount"),
    ".core.streams": ("GenerationStream", "StreamOutcome"),
    ".core.usage": ("Cost", "Usage"),
    ".core.verdicts": ("Verdict",),
    ".decorators.attempt": ("AttemptTimeoutProvider",),
    ".decorators.backoff": ("Backoff",),
    ".decorators.breaker": ("BreakerOptions", "CircuitBreaker", "CircuitBreakerProvider"),
    ".decorators.deadline": ("DeadlineProvider",),
    ".decorators.fallback": ("FallbackProvider",),
    ".decorators.retry": ("RetryProvider",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Adapter",
    "AllTargetsFailedError",
    "Attempt",
    "AttemptTimeoutProvider",
    "Audio",
    "AuthenticationError",
    "Backoff",
    "BreakerOptions",
    "BudgetExceededError",
    "Call",
    "CertificateError",
    "CircuitBreaker",
    "CircuitBreakerProvider",
    "CircuitOpenError",
    "ConfigurationError",
    "ContentFilteredError",
    "ContextLengthExceededError",
    "Cost",
    "Deadline",
    "DeadlineExceededError",
    "DeadlineProvider",
    "EmbedOptions",
    "Embedding",
    "EmbeddingMetadata",
    "EmbeddingSpace",
    "Embeddings",
    "FairleadError",
    "FallbackProvider",
    "File",
    "FinishReason",
    "GenerateOptions",
    "Generation",
    "GenerationStream",
    "GuardrailError",
    "Handler",
    "HttpxEngine",
    "Image",
    "InvalidRequestError",
    "InvalidResponseError",
    "Journal",
    "LMStudioProvider",
    "Message",
    "Metadata",
    "ModelInfo",
    "ModelNotFoundError",
    "NoTargetError",
    "NullProvider",
    "OfflineProvider",
    "OpenAICompatibleProvider",
    "OpenAIProvider",
    "Operation",
    "Outcome",
    "OutputTruncatedError",
    "OverloadedError",
    "PendingStream",
    "PermissionDeniedError",
    "Plan",
    "Prompt",
    "PromptTruncatedError",
    "ProviderConnectionError",
    "ProviderError",
    "ProviderPort",
    "ProviderTimeoutError",
    "QuotaExceededError",
    "RateLimitError",
    "RateLimitExceededError",
    "Reasoning",
    "ReasoningDelta",
    "RedirectRefusedError",
    "Refusal",
    "RefusalDelta",
    "RefusedError",
    "ResponseTooLargeError",
    "RetryProvider",
    "Role",
    "ServerError",
    "StreamConsumedError",
    "StreamEnd",
    "StreamEvent",
    "StreamInterruptedError",
    "StreamOutcome",
    "StreamStart",
    "Target",
    "Text",
    "TextDelta",
    "TimeLimits",
    "TokenCount",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolResult",
    "UnsupportedOperationError",
    "Usage",
    "VLLMProvider",
    "Verdict",
    "adapt",
    "default_pipeline",
    "find",
    "target_pipeline",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    value: object = getattr(import_module(home, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
