"""The one protocol that applications and adapters share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from .calls import Call, Operation, Unlimited
from .pending import PendingStream
from .requests import generate_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from typing import Unpack

    from .calls import Clock, Scopes, T
    from .embeddings import Embedding, Embeddings
    from .messages import Prompt
    from .models import ModelInfo
    from .plans import Plan, Target
    from .requests import EmbedOptions, GenerateOptions
    from .results import Generation, TokenCount
    from .streams import GenerationStream


@runtime_checkable
class ProviderPort(Protocol):
    """
    A language-model provider.

    All methods are safe for concurrent use by tasks of one event loop. What a call raises is a
    `ProviderError`; a wrong type or an unknown option is a `TypeError`.
    """

    @property
    def name(self) -> str:
        """The provider's name, such as `openai`."""
        ...

    @property
    def model(self) -> ModelInfo:
        """What is known of the model that answers unless a call names another."""
        ...

    async def generate(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> Generation:
        """The whole answer to *prompt*."""
        ...

    def generate_stream(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> PendingStream:
        """The answer to *prompt* as it arrives. Nothing is sent before the stream is used."""
        ...

    async def embed(self, text: str, **options: Unpack[EmbedOptions]) -> Embedding:
        """The vector of *text*."""
        ...

    async def embed_batch(
        self, texts: Sequence[str], **options: Unpack[EmbedOptions]
    ) -> Embeddings:
        """The vectors of *texts*, in their order; none are none, and nobody is asked."""
        ...

    def count_tokens(self, text: str | Prompt) -> TokenCount:
        """How many tokens *text* has; `exact` says how sure that is. Never any I/O."""
        ...


@runtime_checkable
class ExactTokenCounter(Protocol):
    """What counts tokens by asking the vendor. `find(provider, ExactTokenCounter)` finds it."""

    async def count_tokens_exact(self, prompt: Prompt) -> TokenCount:
        """
        How many tokens *prompt* has for the default model, by the vendor's own count.

        Raises:
            ProviderError: It could not be asked, or does not tell.
        """
        ...


LooseProvider: TypeAlias = object
"""
Any object with some of the port's methods, as users write them: `generate` may return a plain
`str`, `generate_stream` an async generator or a coroutine that returns one, `embed` a list of
numbers, and explicit keyword parameters are fine. See `fairlead.core.adapt`.
"""


class Funnel:
    """
    The port's awaitable methods over one `handle(call)`.

    Whoever is called by the application builds the `Call`; everything below only handles it.
    """

    @staticmethod
    def clock() -> Clock:
        """What calls that start here take their time from, in the running loop."""
        return time.monotonic

    scope: Scopes = Unlimited
    """What ends attempts of calls that start here; see `Call`."""

    async def handle(self, call: Call[T]) -> T:
        """Make *call*."""
        raise NotImplementedError

    def plan(self, call: Call[Any]) -> Plan:
        """Which targets could answer *call*."""
        raise NotImplementedError

    async def generate(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> Generation:
        """The whole answer to *prompt*. See `ProviderPort`."""
        return await Call.generate(prompt, options, self.clock(), self.scope).on(self)

    def generate_stream(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> PendingStream:
        """The answer to *prompt* as it arrives. See `ProviderPort`."""
        request, steering = generate_request(prompt, options)

        def opening() -> Awaitable[GenerationStream]:
            call: Call[GenerationStream] = Call.start(
                Operation.STREAM,
                request,
                steering,
                self.clock(),
                self.scope,
                given=options,
                prompt=prompt,
            )
            return call.on(self)

        return PendingStream(opening)

    async def embed(self, text: str, **options: Unpack[EmbedOptions]) -> Embedding:
        """The vector of *text*. See `ProviderPort`."""
        return await Call.embed(text, options, self.clock(), self.scope).on(self)

    async def embed_batch(
        self, texts: Sequence[str], **options: Unpack[EmbedOptions]
    ) -> Embeddings:
        """The vectors of *texts*, in their order. See `ProviderPort`."""
        call = Call.embed_batch(texts, options, self.clock(), self.scope)
        if not call.embedding.texts:
            target = self.plan(call).first
            if target is not None:
                return _no_vectors(call, target)
        return await call.on(self)


def _no_vectors(call: Call[Any], target: Target) -> Embeddings:
    """The answer to no texts, for which nobody is asked: that of whoever would have been."""
    from .embeddings import EmbeddingMetadata, Embeddings, EmbeddingSpace

    metadata = EmbeddingMetadata(
        provider=target.provider,
        space=EmbeddingSpace(model=target.model.name or target.provider),
        request_id=call.options.request_id,
        journal=call.journal,
    )
    return Embeddings((), metadata)


for _method in (Funnel.generate, Funnel.generate_stream, Funnel.embed, Funnel.embed_batch):
    # Python's own words on wrong arguments use it, and nobody knows of a Funnel.
    _method.__qualname__ = f"provider.{_method.__name__}"
