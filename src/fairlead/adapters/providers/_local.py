"""A provider that makes its answers itself, in this process."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import anyio

from ...core.adapter import Adapter
from ...core.bounds import Bounds
from ...core.closing import Closing
from ...core.embeddings import Embedding, EmbeddingMetadata, Embeddings, EmbeddingSpace
from ...core.errors import UnsupportedOperationError
from ...core.health import ProviderHealth
from ...core.streams import GenerationStream
from ...core.usage import Cost
from ._played import Pause, PlayedEvents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.calls import Call, Clock, Operation
    from ...core.results import Generation

FREE = Cost(amount=Decimal(0), source="no vendor was asked")


class LocalProvider(Closing, Adapter):
    """
    Answers without a vendor: a subclass says what, as events in time.

    A plain answer is collected from the same events, so the two cannot differ.
    """

    IGNORES: ClassVar[tuple[str, ...]] = ("logprobs", "reasoning_effort", "extra")
    """Options that would show in an answer, and that it does nothing with."""

    @staticmethod
    def clock() -> Clock:
        """The running loop's clock."""
        return anyio.current_time

    @abstractmethod
    async def _answer(self, call: Call[Any]) -> PlayedEvents:
        """The answer to *call*, which keeps to its deadline."""

    def bounds(self, operation: Operation) -> Bounds:
        """One attempt, for nothing."""
        inside = super().bounds(operation)
        return Bounds.once(replace(inside.each, money=FREE.amount))

    async def health_check(self) -> ProviderHealth:
        """Well: there is nothing that it depends on."""
        return ProviderHealth(name=self.name, healthy=True, latency_ms=0.0)

    async def aclose(self) -> None:
        """Nothing is held, so there is nothing to close."""

    async def _generate(self, call: Call[Generation]) -> Generation:
        stream = await self._play(call, "end")
        return await stream.collect()

    async def _open(self, call: Call[GenerationStream]) -> GenerationStream:
        return await self._play(call, call.options.commit)

    async def _play(
        self, call: Call[Any], commit: Literal["text", "any", "end"]
    ) -> GenerationStream:
        warnings = self._warnings(call)
        source = await self._answer(call)
        metadata = self._metadata(call, self._model_for(call).name, warnings=warnings)
        stream = await GenerationStream.open(source, metadata, commit=commit)
        source.deadline = None
        return stream

    def _warnings(self, call: Call[Any]) -> tuple[str, ...]:
        """A warning for each option that is ignored; an error if the call is strict."""
        lost = [name for name in self.IGNORES if getattr(call.request, name, None)]
        if lost and call.request.strict:
            msg = f"{self.name} does nothing with {', '.join(lost)}"
            raise UnsupportedOperationError(msg)
        return tuple(f"{self.name} does nothing with {name}" for name in lost)

    async def _wait(self, seconds: float, call: Call[Any]) -> None:
        """Let time pass, but not beyond the deadline."""
        await PlayedEvents([Pause(seconds)], deadline=call.deadline).read()

    def _embeddings(
        self, call: Call[Any], vectors: Sequence[Sequence[float]], **facts: Any
    ) -> Embeddings:
        """*vectors*, with what is known of them: the space's `revision` and metadata's *facts*."""
        space = EmbeddingSpace(
            model=self._model_for(call).name or self.name,
            revision=facts.pop("revision", None),
            dimensions=len(vectors[0]) if vectors else None,
        )
        metadata = EmbeddingMetadata(
            provider=self.name,
            space=space,
            request_id=call.options.request_id,
            warnings=self._warnings(call),
            journal=call.journal,
            **facts,
        )
        return Embeddings([Embedding(vector, metadata) for vector in vectors], metadata)
