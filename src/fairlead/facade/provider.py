"""The outermost object: the port, and the names that people are used to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, overload

from ..assembly.explain import Explanation, explain
from ..core.adapter import Adapter
from ..core.bounds import Bounds, bounds_of
from ..core.calls import find
from ..core.errors import ProviderError
from ..core.health import HealthCheckable, ProviderHealth
from ..core.streams import GenerationStream
from ..decorators._base import Decorator
from .closing import close_all
from .health import checked, ends, mistakes_in
from .running import Running, closed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    from ..core.calls import Call, Operation, T
    from ..core.closing import Closable
    from ..core.embeddings import Embedding, Embeddings
    from ..core.messages import Prompt
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.refusals import RefusedError
    from ..core.requests import EmbedOptions, GenerateOptions
    from ..core.results import Generation
    from .chat import ChatCompletionRequest, ChatCompletionResponse


class Provider(Decorator):
    """
    A pipeline as applications hold it.

    Safe for many tasks of one event loop, and usable in several loops one after the other;
    threads use `fairlead.sync`. It works without being entered; whoever opened it closes it.

    Args:
        inner: The pipeline, which is closed by `aclose()`.
        owned: What else is closed then, after it.
        notes: What was decided while it was built and is worth knowing.
    """

    def __init__(
        self,
        inner: ProviderPort | LooseProvider,
        /,
        *,
        owned: Sequence[Closable] = (),
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(inner)
        self._owned = tuple(owned)
        self._is_closed = False
        self.notes = notes
        self.running: Running = Running()

    def __repr__(self) -> str:
        return f"<Provider {self.inner!r}>"

    @property
    def max_context_size(self) -> int | None:
        """Tokens that prompt and answer may have together; None where nobody told."""
        return self.model.context_window

    @property
    def cost_per_1k_tokens(self) -> Mapping[str, float] | None:
        """
        US dollars for 1,000 tokens, as `input` and `output`; None where no price is known.

        That of the model that is asked first, in calls that are not long. Answers know exactly, in
        `cost`, what they themselves cost.
        """
        first = find(self._inner, Adapter)
        price = None if first is None else first.price_of(first.model.name)
        if price is None:
            return None
        rates = {"input": price.input, "output": price.output}
        return {side: float(rate / 1000) for side, rate in rates.items() if rate is not None}

    def explain(self) -> Explanation:
        """What it is made of, and what a call comes to at worst; `print` shows both."""
        return explain(self)

    def bounds(self, operation: Operation) -> Bounds:
        """That of the pipeline."""
        return bounds_of(self._inner, operation)

    async def handle(self, call: Call[T]) -> T:
        """Pass *call* on, and know of it until it is over."""
        self._is_closed = False
        running = self.running.begin(self.scope(None))
        try:
            with running.scope:  # cancelled by `aclose()` alone
                answer = await call.on(self._inner)
                if isinstance(answer, GenerationStream):
                    running.opened(answer)
                else:
                    running.end()
                return answer
        except ProviderError as error:
            running.end()
            if not running.is_cut:
                raise
            raise self._closed(call) from error
        except BaseException:
            running.end()
            raise
        running.end()
        raise self._closed(call)

    def _closed(self, call: Call[Any]) -> RefusedError:
        error = closed()
        error.provider, error.model = self.name, self.model.name
        error.sent, error.journal = call.journal.asked > 0, call.journal
        return error

    async def complete(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> Generation:
        """The same as `generate`."""
        return await self.generate(prompt, **options)

    async def acomplete(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> Generation:
        """The same as `generate`."""
        return await self.generate(prompt, **options)

    @overload
    async def aembed(self, text: str, /, **options: Unpack[EmbedOptions]) -> Embedding: ...
    @overload
    async def aembed(
        self, text: list[str] | tuple[str, ...], /, **options: Unpack[EmbedOptions]
    ) -> Embeddings: ...
    async def aembed(
        self, text: str | list[str] | tuple[str, ...], /, **options: Unpack[EmbedOptions]
    ) -> Embedding | Embeddings:
        """The vector of a string, the vectors of a list of them."""
        if isinstance(text, str):
            return await self.embed(text, **options)
        return await self.embed_batch(text, **options)

    async def chat_completion(
        self, request: ChatCompletionRequest, request_id: str | None = None
    ) -> ChatCompletionResponse:
        """
        Answer a request in Chat Completions' words.

        Raises:
            ProviderError: The request is not valid, or could not be answered; the class of the
                error says which HTTP status a gateway answers with: `error.verdict.http`.
        """
        from .chat import prompt_of, response_of

        prompt, options = prompt_of(request)
        if request_id is not None:
            options["request_id"] = request_id
        generation = await self.generate(prompt, **options)
        return response_of(generation, created=int(time.time()))

    async def health_check(self) -> ProviderHealth:
        """
        Whether the provider answers, asked within 5 s and as cheaply as it allows.

        Of several targets all are asked, side by side; one that is healthy is enough. One that
        has no `health_check()`, or does not answer with a `ProviderHealth` or a bool, cannot
        tell: its `healthy` is None, and so is that of the whole if none can. A check that
        shields itself from cancellation takes as long as it likes. What a target was last refused
        for that only a change of the set-up mends (400, 401, 403, 404) is told beside, as
        `misconfigured`, until it answers a call.

        Raises nothing but cancellation.
        """
        self._is_closed = False
        targets = list(ends(self.inner, HealthCheckable))
        return await checked(self.name, targets, mistakes_in(self.inner))

    async def aclose(self) -> None:
        """
        Close the pipeline and the connections below it. Idempotent.

        Calls of this event loop that are still running fail with a `RefusedError` that says so,
        open streams with a `StreamInterruptedError`, and ask nobody once more. A call
        after it opens new connections, which are to be closed again.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self.running.cut()
        await close_all((self._inner, *self._owned))

    async def close(self) -> None:
        """The same as `aclose`."""
        await self.aclose()
