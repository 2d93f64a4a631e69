"""Answers nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ....core.events import StreamEnd
from ....core.models import ModelInfo
from ....core.results import FinishReason
from ....core.usage import Usage
from .._arguments import check_at_least, check_text
from .._local import FREE, LocalProvider
from .._played import PlayedEvents

if TYPE_CHECKING:
    from ....core.calls import Call
    from ....core.embeddings import Embeddings

_NOTHING = Usage(input_tokens=0, output_tokens=0)


class NullProvider(LocalProvider):
    """
    Does nothing, successfully: every answer is the empty string, every vector zeros.

    For switching language models off where the code around them has to keep running. It calls no
    tools and knows no formats, so a chain passes it over for calls that need them.

    Args:
        model: The name it answers under unless a call gives another.
        dimensions: The length of its vectors unless a call gives another.

    Raises:
        ConfigurationError: *dimensions* is less than 1.
        TypeError: It is no int.
    """

    IGNORES: ClassVar[tuple[str, ...]] = (*LocalProvider.IGNORES, "tools", "response_format")

    def __init__(self, *, model: str = "null", dimensions: int = 256) -> None:
        check_text("model", model)
        check_at_least("dimensions", dimensions, 1)
        self._dimensions = dimensions
        self._model = ModelInfo(
            name=model,
            tools=False,
            response_format=False,
            reasoning=False,
            embedding_model="null-embedding",
        )

    @property
    def name(self) -> str:
        """`null`."""
        return "null"

    @property
    def model(self) -> ModelInfo:
        """The name it answers under; there is no model."""
        return self._model

    async def _answer(self, call: Call[Any]) -> PlayedEvents:
        return PlayedEvents([StreamEnd(FinishReason.STOP, usage=_NOTHING, cost=FREE)])

    async def _embed(self, call: Call[Any]) -> Embeddings:
        await self._wait(0, call)
        zeros = [0.0] * (call.embedding.dimensions or self._dimensions)
        return self._embeddings(
            call, [zeros] * len(call.embedding.texts), usage=_NOTHING, cost=FREE
        )
