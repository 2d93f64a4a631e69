"""
Meets users' own providers where they are.

Any class with the port's methods will do, whatever its signatures: a plain `str` or list of
numbers, an async generator or a coroutine that returns one, explicit keyword parameters instead of
`**options`, methods that are missing: of `generate` and `generate_stream`, as of `embed` and
`embed_batch`, either will do. It is adapted once, at the edge, so that every decorator can
rely on one shape.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, runtime_checkable

from .adapter import Adapter
from .bounds import UNKNOWN, Bounds
from .calls import Call, Handler, Operation, below
from .closing import Closable
from .collector import events_of
from .embeddings import Embedding, EmbeddingMetadata, Embeddings, EmbeddingSpace
from .errors import (
    ConfigurationError,
    InvalidResponseError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    UnsupportedOperationError,
)
from .events import StreamEnd, TextDelta
from .messages import Message, Text
from .models import ModelInfo
from .plans import Plan, Target
from .redact import shown
from .requests import messages_of
from .results import FinishReason, Generation, TokenCount
from .streams import GenerationStream

if TYPE_CHECKING:
    from .calls import Scope, Scopes
    from .events import StreamEvent
    from .messages import Prompt

ANSWERS: dict[Operation, type] = {
    Operation.GENERATE: Generation,
    Operation.STREAM: GenerationStream,
    Operation.EMBED: Embedding,
    Operation.EMBED_BATCH: Embeddings,
}
"""What a handler answers to each."""

_EITHER = {
    Operation.GENERATE: ("generate", "generate_stream"),
    Operation.STREAM: ("generate_stream", "generate"),
    Operation.EMBED: ("embed", "embed_batch"),
    Operation.EMBED_BATCH: ("embed_batch", "embed"),
}
"""Which methods can answer; the first is asked if it is there."""
_METHODS = ("generate", "generate_stream", "embed", "embed_batch")
_STEERING = frozenset({"timeout", "commit", "cache", "tags", "request_id", "strict"})


@runtime_checkable
class Node(Handler, Protocol):
    """A handler with the port's read-only side: what decorators wrap."""

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> ModelInfo: ...
    def count_tokens(self, text: str | Prompt) -> TokenCount: ...


def adapt(provider: object) -> Node:
    """
    *provider* as a handler; itself if its class is one.

    Raises:
        ConfigurationError: It has none of the port's methods, or is a class.
    """
    if isinstance(provider, type):
        msg = f"a provider object is needed, and {provider.__name__} is a class: call it first"
        raise ConfigurationError(msg)
    if hasattr(type(provider), "handle") and hasattr(type(provider), "plan"):
        return cast("Node", provider)
    if not any(callable(getattr(provider, method, None)) for method in _METHODS):
        msg = (
            f"{type(provider).__name__} is no provider: it has none of the methods "
            f"{', '.join(_METHODS)}"
        )
        raise ConfigurationError(msg)
    return ForeignProvider(provider)


class ForeignProvider(Adapter):
    """A user's own provider, as an adapter."""

    def __init__(self, provider: object, /) -> None:
        self.inner = provider

    def __repr__(self) -> str:
        kind = type(self.inner).__name__
        label = Target(provider=self.name, model=self.model).label
        return f"<{kind}>" if label == kind else f"<{kind} {label}>"

    @property
    def name(self) -> str:
        """Its own name, or that of its class."""
        name = getattr(self.inner, "name", None)
        return name if isinstance(name, str) else type(self.inner).__name__

    @property
    def model(self) -> ModelInfo:
        """Its own, or one of which only the name is known, or nothing."""
        model = getattr(self.inner, "model", None)
        if isinstance(model, ModelInfo):
            return model
        return ModelInfo(name=model if isinstance(model, str) else None)

    def count_tokens(self, text: str | Prompt) -> TokenCount:
        """Its own count, or an estimate."""
        count = getattr(self.inner, "count_tokens", None)
        if count is None:
            return super().count_tokens(text)
        counted = count(text)
        return counted if isinstance(counted, TokenCount) else TokenCount(counted)

    def bounds(self, operation: Operation) -> Bounds:
        """One attempt; unknown if it asks others in its turn."""
        return UNKNOWN if below(self.inner) else super().bounds(operation)

    def _kind(self) -> str:
        """Its class, which nobody has given a version."""
        kind = type(self.inner)
        return f"{kind.__module__}.{kind.__qualname__}"

    async def aclose(self) -> None:
        """Close it, if it can be closed."""
        if isinstance(self.inner, Closable):
            await self.inner.aclose()

    def plan(self, call: Call[Any]) -> Plan:
        """One target, which cannot do what it has no method for."""
        methods = _EITHER[call.operation]
        if any(map(self._has, methods)):
            return super().plan(call)
        cannot = self._lacks(methods[0])
        return super().plan(call).map(lambda target: replace(target, cannot=cannot))

    def _has(self, method: str) -> bool:
        return callable(getattr(self.inner, method, None))

    def _lacks(self, method: str) -> str:
        return f"{self.name} has no method {method}()"

    def _can_embed(self, model: ModelInfo) -> bool:
        return True

    async def _generate(self, call: Call[Generation]) -> Generation:
        if self._has("generate_stream") and not self._has("generate"):
            return await (await self._stream(call, commit="end")).collect()
        asked = self._prepare("generate", call)
        answer = await asked(asked.prompt)
        if isinstance(answer, Generation):
            return answer.warned(*asked.warnings)
        if not isinstance(answer, str):
            raise self.wrong("generate()", "a str", answer)
        metadata = self._metadata(
            call,
            asked.model,
            warnings=asked.warnings,
            parts=(Text(answer),) if answer else (),
            finish_reason=FinishReason.STOP,
        )
        return Generation(answer, metadata)

    async def _open(self, call: Call[Any]) -> GenerationStream:
        commit = call.options.commit
        if self._has("generate_stream") or not self._has("generate"):
            return await self._stream(call, commit=commit)
        answer = await self._generate(call)
        metadata = replace(answer.metadata, warnings=())  # they come with the events
        return await GenerationStream.open(_Told(events_of(answer)), metadata, commit=commit)

    async def _stream(
        self, call: Call[Any], *, commit: Literal["text", "any", "end"]
    ) -> GenerationStream:
        asked = self._prepare("generate_stream", call)
        produced = await asked(asked.prompt)
        if isinstance(produced, GenerationStream):
            return produced.warned(*asked.warnings)
        if not hasattr(produced, "__aiter__"):
            raise self.wrong("generate_stream()", "an async iterator of str", produced)
        source = _ForeignSource(self, produced.__aiter__(), call.scope)
        metadata = self._metadata(call, asked.model, warnings=asked.warnings)
        return await GenerationStream.open(source, metadata, commit=commit)

    async def _embed(self, call: Call[Any]) -> Embeddings:
        texts = call.embedding.texts
        has_both = hasattr(self.inner, "embed_batch") and hasattr(self.inner, "embed")
        batch = len(texts) != 1 if has_both else hasattr(self.inner, "embed_batch")
        asked = self._prepare("embed_batch" if batch else "embed", call)
        answer = await asked(list(texts)) if batch else [await asked(text) for text in texts]
        if not batch and len(texts) == 1 and isinstance(answer[0], Embedding):
            alone = answer[0]
            answer = Embeddings([alone], alone.metadata) if alone.metadata is not None else answer
        if isinstance(answer, Embeddings):
            return answer.warned(*asked.warnings)
        vectors = self._vectors(answer)
        space = EmbeddingSpace(
            model=asked.model or self.model.name or self.name,
            dimensions=len(vectors[0]) if vectors else None,
        )
        metadata = EmbeddingMetadata(
            provider=self.name,
            space=space,
            request_id=call.options.request_id,
            warnings=asked.warnings,
            journal=call.journal,
        )
        return Embeddings([vector.described(metadata) for vector in vectors], metadata)

    def _vectors(self, answer: Any) -> list[Embedding]:
        vectors: list[Embedding] = []
        wrong = answer
        try:
            for wrong in answer:
                # An array would take them for the bytes of its numbers.
                if isinstance(wrong, (str, bytes, bytearray)):
                    raise TypeError
                vectors.append(Embedding(wrong))
        except (TypeError, ValueError, OverflowError):
            what = f"vector {len(vectors)} of {self.name}"
            msg = f"{what} must be a list of numbers, and is of {type(wrong).__name__}"
            raise InvalidResponseError(msg, misconfigured=True) from None
        return vectors

    def _prepare(self, method: str, call: Call[Any]) -> _Asked:
        """The method, the options that it takes, and a warning for each that it does not."""
        function = getattr(self.inner, method, None)
        if function is None:
            raise UnsupportedOperationError(self._lacks(method))
        accepted = _keywords(function)
        own = self._model_for(call).name
        # In a chain these two are each target's own.
        own_values: dict[str, Any] = {"model": own, "extra": call.request.extra or None}
        given = {name: own_values.get(name, value) for name, value in call.given.items()}
        given = {name: value for name, value in given.items() if value is not None}
        remaining = call.deadline.remaining()
        if remaining is not None:
            given["timeout"] = remaining
        prompt = None if call.embeds else _prompt(call, given)
        if accepted is None:
            return _Asked(self, function, prompt, given, own)
        lost = [name for name in given if name not in accepted and name not in _STEERING]
        if lost and call.request.strict:
            msg = f"{self.name}.{method}() does not take {', '.join(lost)}"
            raise UnsupportedOperationError(msg)
        warnings = tuple(f"{self.name}.{method}() does not take {name}; left out" for name in lost)
        if "model" in lost:
            own = self.model.embedding_model if call.embeds else self.model.name
        kept = {name: value for name, value in given.items() if name in accepted}
        return _Asked(self, function, prompt, kept, own, warnings)

    def wrong(self, what: str, expected: str, got: object) -> InvalidResponseError:
        """The error for an answer that no adapting helps."""
        msg = f"{what} of {self.name} must give {expected}, not {type(got).__name__}"
        return InvalidResponseError(msg, misconfigured=True)


def _keywords(function: Any) -> frozenset[str] | None:
    """The keywords that *function* takes; None if it takes any."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters if parameter.kind in _BY_NAME)


_BY_NAME = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


def _prompt(call: Call[Any], given: dict[str, Any]) -> Any:
    """The caller's own prompt; all messages, the system's too, where a policy has changed it."""
    system, own = given.get("system_prompt"), messages_of(call.prompt)
    asked = call.generation.messages
    if asked == (own if system is None else (Message.system(system), *own)):
        return call.prompt
    given.pop("system_prompt", None)
    return list(asked)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A method of a foreign provider, and what it is asked with."""

    provider: ForeignProvider
    method: Any
    prompt: Any
    options: dict[str, Any]
    model: str | None
    warnings: tuple[str, ...] = ()

    async def __call__(self, prompt: Any) -> Any:
        """What it answers, awaited as often as it takes."""
        return await _translated(self.provider, lambda: self.method(prompt, **self.options))


async def _translated(provider: ForeignProvider, ask: Callable[[], Any]) -> Any:
    """What *ask* gives once awaited, its exceptions as `ProviderError`."""
    try:
        answer = ask()
        while inspect.isawaitable(answer):
            answer = await answer
    except ProviderError:
        raise
    except Exception as error:
        raise _translate(provider, error) from error
    return answer


def _translate(provider: ForeignProvider, error: Exception) -> ProviderError:
    message = f"{provider.name} raised {type(error).__name__}: {shown(str(error))}"
    if isinstance(error, TimeoutError):
        return ProviderTimeoutError(message, provider=provider.name)
    if isinstance(error, OSError):
        return ProviderConnectionError(message, provider=provider.name)
    return ProviderError(message, provider=provider.name)


class _Told:
    """The events of an answer that is there already."""

    def __init__(self, events: Sequence[StreamEvent]) -> None:
        self._events = events

    async def read(self) -> Sequence[StreamEvent]:
        events, self._events = self._events, ()
        return events

    def abort(self) -> None:
        """Nothing is held."""

    async def aclose(self) -> None:
        """Nothing is held."""


class _ForeignSource:
    """The events of a foreign iterator of words."""

    def __init__(self, provider: ForeignProvider, words: AsyncIterator[Any], scope: Scopes) -> None:
        self._provider = provider
        self._words = words
        self._scope = scope
        self._reading: Scope | None = None
        self._aborted = False

    async def read(self) -> Sequence[StreamEvent]:
        word = await self._next()
        if self._aborted:
            await self.aclose()
            msg = "the stream was closed while it was being read"
            raise ProviderConnectionError(msg)
        if word is _END:
            return (StreamEnd(FinishReason.STOP),)
        if not isinstance(word, str):
            await self.aclose()
            raise self._provider.wrong("generate_stream()", "str", word)
        return (TextDelta(word),)

    async def _next(self) -> Any:
        self._reading = self._scope(None)
        try:
            with self._reading:  # cancelled by `abort()` alone
                return await _translated(self._provider, lambda: anext(self._words, _END))
        finally:
            self._reading = None

    def abort(self) -> None:
        """Wake whoever waits for a word; what is not being read cannot be closed at once."""
        self._aborted = True
        if self._reading is not None:
            self._reading.cancel()

    async def aclose(self) -> None:
        close = getattr(self._words, "aclose", None)
        # A generator that is being read cannot be closed; its reader does it when it is back.
        if close is not None and not getattr(self._words, "ag_running", False):
            await _translated(self._provider, close)


_END = object()
