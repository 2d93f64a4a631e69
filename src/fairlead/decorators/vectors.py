"""Vectors kept by their texts: of a batch, only those are asked for that are not there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ..core.cache_keys import text_keys
from ..core.calls import Operation
from ..core.canonical import digest
from ..core.embeddings import Embedding, EmbeddingMetadata, Embeddings
from ..core.entries import Vector
from ..core.errors import AllTargetsFailedError, ProviderError
from ..core.retold import metadata_of
from ..core.usage import Cost, Usage, add_cost, add_usage, exact_sum
from .kept import FREE, answering, own_warnings, tell_hit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from ..core.adapt import Node
    from ..core.calls import Call
    from ..core.plans import Plan
    from ..core.requests import EmbedRequest
    from .kept import Rule
    from .shelf import Shelf

    Shared: TypeAlias = Callable[[str, Call[Any], Rule, Callable[[Call[Any]], Any]], Awaitable[Any]]


class KeptVectors:
    """
    What a cache does for vectors.

    Args:
        inner: What is asked.
        shelf: Where they are kept, if anywhere.
        namespace: Those of others are not seen.
        time: The present in Unix seconds.
        shared: Makes a call once for all who make the same.
    """

    def __init__(
        self,
        inner: Node,
        shelf: Shelf | None,
        namespace: str,
        time: Callable[[], float],
        shared: Shared,
    ) -> None:
        self._inner = inner
        self._shelf = shelf
        self._namespace = namespace
        self._time = time
        self._shared = shared

    async def answer(self, call: Call[Any], plan: Plan, rule: Rule) -> Embedding | Embeddings:
        """The vectors for *call*: those that are kept, and beside them what is asked for."""
        target = plan.first
        keys = None
        if target is not None:
            keys = text_keys(target, _asked(target.request, call), self._namespace)
        if keys is None:
            return cast("Embedding | Embeddings", await call.on(self._inner))
        found = await self._found(call, keys, rule)
        missing = [place for place in range(len(keys)) if place not in found]
        fetched: Embeddings | None = None
        asking = _Asking(call, plan, rule, keys)
        if missing:
            fetched = await self._fetched(asking, found, missing)
            space = fetched.metadata.space
            if any(kept.space != space for kept in found.values()):
                # What is kept cannot be compared with it, and one call has one space.
                found, missing = dict[int, Vector](), list(range(len(keys)))
                fetched = await self._fetched(asking, found, missing)
        return self._joined(call, found, missing, fetched)

    async def _found(self, call: Call[Any], keys: Sequence[str], rule: Rule) -> dict[int, Vector]:
        """What is kept, by the places of the texts; all of one space."""
        if self._shelf is None or not rule.reads:
            return {}
        data = await self._shelf.get(keys, call)
        now, found, space = self._time(), dict[int, Vector](), None
        for place, key in enumerate(keys):
            if key not in data:
                continue
            try:
                kept = Vector.decode(data[key])
            except ValueError:
                continue
            space = space or kept.space
            if kept.space == space and kept.fresh(now, rule.max_age):
                found[place] = kept
        return found

    async def _fetched(
        self, asking: _Asking, found: Mapping[int, Vector], missing: Sequence[int]
    ) -> Embeddings:
        """
        What is asked for. An error has as `partial` what is kept, too.

        Raises:
            ProviderError: It could not be had.
        """
        call, keys, rule = asking.call, asking.keys, asking.rule
        derived = call
        if len(missing) < len(keys):
            texts = tuple(call.embedding.texts[place] for place in missing)
            derived = call.with_(
                request=replace(call.embedding, texts=texts), prompt=texts, plan=None
            )

        async def fetch(shared: Call[Any]) -> Any:
            return await self._fetch(shared, asking.plan, rule)

        key = keys[0] if len(keys) == 1 else digest([keys[place] for place in missing])
        try:
            answer = await self._shared(key, derived, rule, fetch)
        except ProviderError as error:
            if found or error.partial:
                error.partial = _partial(error, call, found, missing)
            raise
        return _batch(answer)

    async def _fetch(self, call: Call[Any], plan: Plan, rule: Rule) -> Any:
        """Ask, and let the vectors be kept, even those that came before it failed."""
        try:
            answer = await call.on(self._inner)
        except ProviderError as error:
            if rule.writes:
                for failure in _each(error):
                    self._keep_partial(call, plan, rule, failure.partial)
            raise
        if rule.writes:
            self._keep(call, plan, rule, list(enumerate(_batch(answer))))
        return answer

    def _keep_partial(self, call: Call[Any], plan: Plan, rule: Rule, partial: object) -> None:
        if isinstance(partial, dict):
            vectors = cast("dict[int, Embedding]", partial)
            self._keep(call, plan, rule, list(vectors.items()))

    def _keep(
        self,
        call: Call[Any],
        plan: Plan,
        rule: Rule,
        vectors: Sequence[tuple[int, Embedding]],
    ) -> None:
        metadata = vectors[0][1].metadata if vectors else None
        if metadata is None or metadata.cached or self._shelf is None:
            return
        answered = answering(call, plan, metadata.provider)
        if answered is None:
            return
        target, request = answered
        keys = text_keys(target, _asked(request, call), self._namespace)
        if keys is None:
            return
        now = self._time()
        until = rule.until(now)
        sizes = [len(call.embedding.texts[place]) for place, _ in vectors]
        entries: dict[str, bytes] = {}
        for (place, vector), share in zip(vectors, _Share.of(metadata, sizes), strict=True):
            entries[keys[place]] = Vector(
                at=now,
                until=until,
                provider=metadata.provider,
                model=metadata.space.model,
                usage=share.usage,
                cost=share.cost,
                vendor_request_id=metadata.vendor_request_id,
                warnings=own_warnings(metadata.warnings),
                vector=vector,
                space=metadata.space,
            ).encode()
        self._shelf.set(entries, until)

    def _joined(
        self,
        call: Call[Any],
        found: Mapping[int, Vector],
        missing: Sequence[int],
        fetched: Embeddings | None,
    ) -> Embedding | Embeddings:
        """All vectors, in the order of their texts."""
        if found:
            self._tell(call, found)
        kept_ones = list(found.values())
        metadata = _metadata_of(call, kept_ones) if fetched is None else fetched.metadata
        if not found and fetched is not None and call.operation is Operation.EMBED_BATCH:
            return fetched
        vectors = dict(zip(missing, fetched or (), strict=True))
        vectors |= {place: kept.vector for place, kept in found.items()}
        whole = [vectors[place].described(metadata) for place in sorted(vectors)]
        return whole[0] if call.operation is Operation.EMBED else Embeddings(whole, metadata)

    def _tell(self, call: Call[Any], found: Mapping[int, Vector]) -> None:
        """One entry in the journal for all that are kept."""
        kept = list(found.values())
        oldest = min(kept, key=lambda it: it.at)
        now, texts = self._time(), len(call.embedding.texts)
        reason = f"{len(kept)} of {texts} texts, kept up to {oldest.age(now):.0f} s ago"
        usage, cost = _sums(kept)
        tell_hit(call, oldest, reason, usage, cost)


@dataclass(frozen=True, slots=True)
class _Asking:
    """A call for vectors, and what each of its texts is kept under."""

    call: Call[Any]
    plan: Plan
    rule: Rule
    keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Share:
    """What one of several texts has consumed."""

    usage: Usage | None
    cost: Cost | None

    @classmethod
    def of(cls, metadata: EmbeddingMetadata, sizes: Sequence[int]) -> list[_Share]:
        """Those of texts of *sizes*: exact for one, an estimate by their length for several."""
        usage, cost = metadata.usage, metadata.cost
        if len(sizes) == 1:
            return [cls(usage, cost)]
        tokens = None if usage is None else usage.input_tokens
        whole, before, shares = sum(sizes), 0, list[_Share]()
        for size in sizes:
            after = before + size
            part = None
            if tokens is not None:
                counted = tokens * after // whole - tokens * before // whole
                part = Usage(input_tokens=counted, total_tokens=counted, estimated=True)
            paid = None
            if cost is not None:
                # Differences of one running sum, so that the shares add up to the last digit.
                upto, from_ = (_part(cost.amount, it, whole) for it in (after, before))
                paid = replace(cost, amount=exact_sum(upto, -from_), estimated=True)
            shares.append(cls(part, paid))
            before = after
        return shares


def _part(amount: Decimal, size: int, whole: int) -> Decimal:
    return amount if size == whole else amount * size / whole


def _asked(request: object, call: Call[Any]) -> EmbedRequest:
    """What a target is asked, for the texts of *call*."""
    asked = cast("EmbedRequest", request or call.request)
    if asked.texts is call.embedding.texts:
        return asked
    return replace(asked, texts=call.embedding.texts)


def _batch(answer: object) -> Embeddings:
    """The answer to one text or to several, as that to several."""
    if isinstance(answer, Embedding):
        return Embeddings((answer,), cast("EmbeddingMetadata", metadata_of(answer)))
    return cast("Embeddings", answer)


def _each(error: ProviderError) -> Iterable[ProviderError]:
    return error.errors if isinstance(error, AllTargetsFailedError) else (error,)


def _partial(
    error: ProviderError, call: Call[Any], found: Mapping[int, Vector], missing: Sequence[int]
) -> dict[int, Embedding]:
    """The vectors that there are in spite of *error*, by the places of the texts of *call*."""
    there = {
        place: kept.vector.described(_metadata_of(call, [kept])) for place, kept in found.items()
    }
    answered = cast("dict[int, Embedding]", error.partial or {})
    return there | {missing[place]: vector for place, vector in answered.items()}


def _metadata_of(call: Call[Any], kept: Sequence[Vector]) -> EmbeddingMetadata:
    """Of vectors all of which were kept."""
    usage, _ = _sums(kept)
    warnings = dict.fromkeys(warning for each in kept for warning in each.warnings)
    return EmbeddingMetadata(
        provider=kept[0].provider,
        space=kept[0].space,
        usage=usage,
        cost=FREE,
        vendor_request_id=kept[0].vendor_request_id if len(kept) == 1 else None,
        request_id=call.options.request_id,
        warnings=tuple(warnings),
        cached=True,
        journal=call.journal,
    )


def _sums(kept: Sequence[Vector]) -> tuple[Usage | None, Cost | None]:
    """What all of them had consumed; unknown if it is of one."""
    usages, costs = [each.usage for each in kept], [each.cost for each in kept]
    usage = None if None in usages else reduce(add_usage, usages)
    return usage, None if None in costs else reduce(add_cost, costs)
