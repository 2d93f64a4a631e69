"""A provider for synchronous callers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, overload

from ..assembly.explain import Explanation, explain
from ._loop import background_loop
from ._streams import SyncStream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from types import TracebackType
    from typing import TypeVar, Unpack

    from ..core.embeddings import Embedding, Embeddings
    from ..core.health import ProviderHealth
    from ..core.messages import Prompt
    from ..core.models import ModelInfo
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.requests import EmbedOptions, GenerateOptions
    from ..core.results import Generation, TokenCount
    from ..facade.chat import ChatCompletionRequest, ChatCompletionResponse
    from ..facade.provider import Provider

    T = TypeVar("T")


class SyncProvider:
    """
    A provider whose methods return what they ask for, with no `await`.

    ::

        with SyncProvider(OpenAIProvider(api_key=...)) as provider:
            print(provider.generate("Hello"))

    Calls may come from any number of threads, also from one in which an event loop runs, as in a
    notebook. They are made in one event loop in a thread of its own, which sees the caller's
    context variables, and raise what the asynchronous methods raise. Ctrl-C cancels the call. It
    works without being entered; whoever made it closes it.

    Args:
        provider: What answers, the asynchronous one. `close()` closes it.

    Raises:
        ConfigurationError: *provider* is none.
    """

    def __init__(self, provider: ProviderPort | LooseProvider, /) -> None:
        from ..facade.provider import Provider

        self._provider = provider if isinstance(provider, Provider) else Provider(provider)

    def __repr__(self) -> str:
        return f"<SyncProvider {self._provider!r}>"

    @property
    def inner(self) -> Provider:
        """The asynchronous provider."""
        return self._provider

    @property
    def name(self) -> str:
        """The provider's name, such as `openai`."""
        return self._provider.name

    @property
    def model(self) -> ModelInfo:
        """What is known of the model that answers unless a call names another."""
        return self._provider.model

    @property
    def max_context_size(self) -> int | None:
        """Tokens that prompt and answer may have together; None where nobody told."""
        return self._provider.max_context_size

    @property
    def cost_per_1k_tokens(self) -> Mapping[str, float] | None:
        """US dollars for 1,000 tokens, as `input` and `output`; None where no price is known."""
        return self._provider.cost_per_1k_tokens

    def generate(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> Generation:
        """The whole answer to *prompt*. See `ProviderPort`."""
        return _run(lambda: self._provider.generate(prompt, **options))

    complete = generate

    def generate_stream(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> SyncStream:
        """The answer to *prompt* as it arrives. Nothing is sent before the stream is used."""
        pending = self._provider.generate_stream(prompt, **options)
        return SyncStream(background_loop(), pending)

    @overload
    def embed(self, text: str, **options: Unpack[EmbedOptions]) -> Embedding: ...
    @overload
    def embed(
        self, text: list[str] | tuple[str, ...], **options: Unpack[EmbedOptions]
    ) -> Embeddings: ...
    def embed(
        self, text: str | list[str] | tuple[str, ...], **options: Unpack[EmbedOptions]
    ) -> Embedding | Embeddings:
        """The vector of a string, the vectors of a list of them."""
        if isinstance(text, str):
            return _run(lambda: self._provider.embed(text, **options))
        return self.embed_batch(text, **options)

    def embed_batch(self, texts: Sequence[str], **options: Unpack[EmbedOptions]) -> Embeddings:
        """The vectors of *texts*, in their order."""
        return _run(lambda: self._provider.embed_batch(texts, **options))

    def count_tokens(self, text: str | Prompt) -> TokenCount:
        """How many tokens *text* has; `exact` says how sure that is. Never any I/O."""
        return self._provider.count_tokens(text)

    def chat_completion(
        self, request: ChatCompletionRequest, request_id: str | None = None
    ) -> ChatCompletionResponse:
        """Answer a request in Chat Completions' words. See `Provider`."""
        return _run(lambda: self._provider.chat_completion(request, request_id))

    def health_check(self) -> ProviderHealth:
        """Whether the provider answers, asked within 5 s and as cheaply as it allows."""
        return _run(self._provider.health_check)

    def explain(self) -> Explanation:
        """What it is made of, and what a call comes to at worst; `print` shows both."""
        return explain(self._provider)

    async def acomplete(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> Generation:
        """The whole answer to *prompt*, for coroutines; it is made in the loop that awaits it."""
        return await self._provider.acomplete(prompt, **options)

    @overload
    async def aembed(self, text: str, **options: Unpack[EmbedOptions]) -> Embedding: ...
    @overload
    async def aembed(
        self, text: list[str] | tuple[str, ...], **options: Unpack[EmbedOptions]
    ) -> Embeddings: ...
    async def aembed(
        self, text: str | list[str] | tuple[str, ...], **options: Unpack[EmbedOptions]
    ) -> Embedding | Embeddings:
        """As `embed`, for coroutines; it is made in the loop that awaits it."""
        return await self._provider.aembed(text, **options)

    def close(self) -> None:
        """Close the provider and the connections of synchronous calls. Idempotent."""
        _run(self._provider.aclose)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _run(start: Callable[[], Awaitable[T]]) -> T:
    return background_loop().run(start)
