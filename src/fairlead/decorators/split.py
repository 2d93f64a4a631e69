"""Asks for many vectors in several requests."""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from dataclasses import replace
from functools import partial, reduce
from typing import TYPE_CHECKING, Any, ClassVar, cast

import anyio

from ..core.bounds import bounds_of
from ..core.calls import Operation
from ..core.checks import check_count
from ..core.embeddings import Embeddings
from ..core.errors import (
    ContextLengthExceededError,
    InvalidRequestError,
    InvalidResponseError,
    ProviderError,
)
from ..core.journal import Journal
from ..core.tokens import FACTOR, FACTORS, O200K, measure
from ..core.usage import add_cost, add_usage
from ._base import Decorator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from anyio.abc import TaskGroup

    from ..core.bounds import Bounds
    from ..core.calls import Call, T
    from ..core.embeddings import Embedding, EmbeddingMetadata
    from ..core.journal import Attempt
    from ..core.provider import LooseProvider, ProviderPort

MAX_ITEMS = 2048
"""Texts in one request where nobody says otherwise (OpenAI)."""
MAX_TOKENS = 300_000
"""Tokens of all texts of one request, likewise."""
_BYTES = 4
"""That a character has at most; no token is shorter than a byte."""


class SplitProvider(Decorator):
    """
    Asks for many vectors in several requests, none larger than the vendor takes.

    The vectors come back in the order of the texts. A request that is refused for its size is
    halved; where the number of texts was the reason, later ones are no larger. Each request may be
    repeated as often as a whole call. When one fails for good no further one is sent, those that
    run are waited for, and the error carries what was answered as `partial`: vectors by the places
    of their texts. One text alone passes untouched.

    Args:
        inner: What is asked.
        max_items: Texts in one request; by default what the model's `max_batch_items` says, or
            2,048 (OpenAI).
        max_tokens: Tokens in one request; by default what `max_batch_tokens` says, or 300,000
            (OpenAI). They are estimated, on the high side.
        max_parallel: Requests at a time.

    Raises:
        ConfigurationError: An option makes no sense.
    """

    layer = "split"
    OPTIONS: ClassVar[Mapping[str, Any]] = {
        "max_items": None,
        "max_tokens": None,
        "max_parallel": 4,
    }
    MAX_MODELS = 256

    def __init__(
        self,
        inner: ProviderPort | LooseProvider,
        /,
        *,
        max_items: int | None = None,
        max_tokens: int | None = None,
        max_parallel: int = 4,
    ) -> None:
        for name, value in (("max_items", max_items), ("max_tokens", max_tokens)):
            if value is not None:
                check_count(name, value, 1)
        check_count("max_parallel", max_parallel, 1)
        super().__init__(inner)
        self._max_items = max_items
        self._max_tokens = max_tokens
        self._max_parallel = max_parallel
        self._taken: OrderedDict[str | None, int] = OrderedDict()

    def most_items(self, model: str | None = None) -> int:
        """How many texts one request for *model* has at most."""
        known = self._max_items or self.model.max_batch_items or MAX_ITEMS
        return min(known, self._taken.get(model, known))

    @property
    def most_tokens(self) -> int:
        """How many tokens one request has at most."""
        return self._max_tokens or self.model.max_batch_tokens or MAX_TOKENS

    @property
    def max_parallel(self) -> int:
        """How many requests there are at a time at most."""
        return self._max_parallel

    def bounds(self, operation: Operation) -> Bounds:
        """What it wraps comes to; of many vectors nobody has said how many, so how often."""
        inside = bounds_of(self._inner, operation)
        return inside.uncounted() if operation is Operation.EMBED_BATCH else inside

    async def handle(self, call: Call[T]) -> T:
        """Make *call*, in parts if it is for many vectors."""
        if call.operation is not Operation.EMBED_BATCH or len(call.embedding.texts) < 2:
            return await call.on(self._inner)
        texts = len(call.embedding.texts)
        parts = self._parts(call)
        first = next(parts)
        if len(first) < texts:
            return cast("T", await _Batch(self, call, (first,), parts).vectors())
        try:
            return await call.on(self._inner)
        except ProviderError as error:
            if not refuses_size(error):
                raise
            self.learn(call, error, texts)
        return cast("T", await _Batch(self, call, _halves(first)).vectors())

    def _parts(self, call: Call[Any]) -> Iterator[range]:
        """The places of the texts of each request, as long as none is refused."""
        texts, family = call.embedding.texts, self.model.tokenizer
        items, tokens = self.most_items(call.request.model), self.most_tokens
        if len(texts) <= items and _BYTES * sum(map(len, texts)) <= tokens:
            return iter((range(len(texts)),))
        return packed((likely(text, family) for text in texts), items, tokens)

    def learn(self, call: Call[Any], error: ProviderError, items: int) -> None:
        """Ask for fewer texts at a time from now on, if *error* says that *items* are too many."""
        if not _TOO_MANY.search(_words(error)):
            return
        model = call.request.model
        self._taken[model] = min(self.most_items(model), max(items // 2, 1))
        self._taken.move_to_end(model)
        if len(self._taken) > self.MAX_MODELS:
            self._taken.popitem(last=False)


def likely(text: str, family: str | None) -> float:
    """A number of tokens that 95 of 100 texts do not exceed."""
    family = family or O200K
    return min(measure(text, family) * FACTORS.get(family, FACTOR), float(_BYTES * len(text)))


def packed(sizes: Iterable[float], items: int, tokens: float) -> Iterator[range]:
    """
    The places of *sizes* in ranges, in order, each with so many *items* and *tokens* at most.

    What is larger than that by itself stands alone. None is asked for before it is needed, as
    measuring texts takes a while.
    """
    start, place, total = 0, 0, 0.0
    for size in sizes:
        if place > start and (place - start >= items or total + size > tokens):
            yield range(start, place)
            start, total = place, 0.0
        total += size
        place += 1
    if place > start:
        yield range(start, place)


def refuses_size(error: ProviderError) -> bool:
    """Whether *error* says that a request has too many texts, or too much of them."""
    if isinstance(error, ContextLengthExceededError):
        return True
    if not isinstance(error, InvalidRequestError):
        return False
    return bool(_TOO_MANY.search(_words(error)) or _TOO_MUCH.search(_words(error)))


def _words(error: ProviderError) -> str:
    return f"{error.code}: {error.message}"


_TOO_MANY = re.compile(
    r"(?<!physical )batch size|batch is too (?:large|long)"
    r"|array too long|array_above_max_length"
    r"|too many (?:inputs|texts|items|documents|requests in)"
    r"|(?:number of|at most \d+|maximum of \d+|more than \d+) (?:inputs|texts|items|requests)"
    r"|requests in one batch|largest allowed size",
    re.IGNORECASE,
)
"""The words of OpenAI, Cohere, Gemini, DashScope, SiliconFlow, Jina, Mistral and TEI."""
_TOO_MUCH = re.compile(
    r"tokens per (?:\w+ )?(?:batch|request)|too many tokens|physical batch size", re.IGNORECASE
)
"""Of Voyage, Mistral and llama.cpp; others say that a context is exceeded."""


def _halves(part: range) -> tuple[range, range]:
    middle = len(part) // 2
    return part[:middle], part[middle:]


class _Batch:
    """One call for many vectors, while its parts are asked for."""

    def __init__(
        self,
        owner: SplitProvider,
        call: Call[Any],
        parts: Iterable[range],
        later: Iterable[range] = (),
    ) -> None:
        self._owner = owner
        self._call = call
        self._parts = deque(parts)
        self._later = iter(later)
        self._running = 0
        self._found: dict[int, Embedding] = {}
        self._told: dict[range, EmbeddingMetadata] = {}
        self._failure: Exception | None = None
        limit = call.attempt_limit
        self._limit = None if limit is None else max(limit - call.journal.asked, 1)
        self._most_asked = 0
        """How often a provider was asked for any one part."""

    async def vectors(self) -> Embeddings:
        """All of them. Raises what the first part failed with that did."""
        try:
            async with anyio.create_task_group() as group:
                self._fill(group)
        except BaseExceptionGroup as raised:  # what is no Exception passes as it is
            _, others = raised.split(anyio.get_cancelled_exc_class())
            raise (others or raised).exceptions[0] from None
        failure, self._failure = self._failure, None
        try:
            if failure is not None:
                raise self._explained(failure)
            metadata = self._joined()
        finally:
            del failure  # its traceback leads here, and must not lead back
        texts = range(len(self._call.embedding.texts))
        return Embeddings([self._found[place].described(metadata) for place in texts], metadata)

    def _fill(self, group: TaskGroup) -> None:
        """Ask for as many parts as may run at a time, unless one has failed for good."""
        while self._failure is None and self._running < self._owner.max_parallel:
            part = self._parts.popleft() if self._parts else next(self._later, None)
            if part is None:
                return
            most = self._owner.most_items(self._call.request.model)
            if len(part) > most:  # learnt since it was cut
                self._parts.appendleft(part[most:])
                part = part[:most]
            self._running += 1
            group.start_soon(self._ask, part, group)

    async def _ask(self, part: range, group: TaskGroup) -> None:
        own = Journal()
        watcher = partial(self._note, own)
        own.watch(watcher)
        try:
            vectors = await self._asked(part, own).on(self._owner.inner)
            self._take(part, vectors)
        except ProviderError as error:
            if len(part) > 1 and refuses_size(error):
                self._owner.learn(self._call, error, len(part))
                self._parts.extendleft(reversed(_halves(part)))
            else:
                self._failure = self._failure or error
        except Exception as error:  # noqa: BLE001 - raised where the parts are put together
            self._failure = self._failure or error
            group.cancel_scope.cancel()  # a mistake of somebody's, which no answer mends
        finally:
            own.unwatch(watcher)
        self._running -= 1
        self._fill(group)

    def _asked(self, part: range, journal: Journal) -> Call[Embeddings]:
        """The call for *part* alone, with attempts of its own."""
        texts = self._call.embedding.texts[part.start : part.stop]
        return self._call.with_(
            request=replace(self._call.embedding, texts=texts),
            prompt=texts,
            journal=journal,
            attempt_limit=self._limit,
            plan=None,
        )

    def _take(self, part: range, vectors: Embeddings) -> None:
        if len(vectors) != len(part):
            msg = f"{self._owner.name} answered {len(vectors)} vectors for {len(part)} texts"
            raise InvalidResponseError(msg, misconfigured=True, provider=self._owner.name)
        self._found.update(zip(part, vectors, strict=True))
        self._told[part] = vectors.metadata

    def _note(self, own: Journal, entry: Attempt) -> None:
        """Tell the call's journal, which counts what is asked side by side only once."""
        journal = self._call.journal
        journal.record(entry)
        if entry.sent and own.asked <= self._most_asked:
            journal.asked -= 1
        self._most_asked = max(self._most_asked, own.asked)

    def _explained(self, failure: Exception) -> Exception:
        """*failure* with what was answered in spite of it."""
        if isinstance(failure, ProviderError):
            failure.journal = self._call.journal
            failure.partial = {
                place: self._found[place].described(replace(metadata, journal=failure.journal))
                for part, metadata in self._in_order()
                for place in part
            } or None
        return failure

    def _in_order(self) -> list[tuple[range, EmbeddingMetadata]]:
        return sorted(self._told.items(), key=lambda it: it[0].start)

    def _joined(self) -> EmbeddingMetadata:
        """
        What is known of all parts that were answered.

        Raises:
            InvalidResponseError: Their vectors cannot be compared.
        """
        told = [metadata for _, metadata in self._in_order()]
        if len({metadata.space for metadata in told}) > 1:
            spaces = " and ".join(dict.fromkeys(str(metadata.space) for metadata in told))
            error = InvalidResponseError(
                f"vectors of one batch are not comparable: {spaces}",
                misconfigured=True,
                provider=told[0].provider,
            )
            error.journal = self._call.journal
            raise error
        usages, costs = [it.usage for it in told], [it.cost for it in told]
        return replace(
            told[0],
            usage=None if None in usages else reduce(add_usage, usages),
            cost=None if None in costs else reduce(add_cost, costs),
            vendor_request_id=told[0].vendor_request_id if len(told) == 1 else None,
            warnings=tuple(dict.fromkeys(it for metadata in told for it in metadata.warnings)),
            cached=all(metadata.cached for metadata in told),
            rate_limits=list(self._told.values())[-1].rate_limits,
            journal=self._call.journal,
        )
