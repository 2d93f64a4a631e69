"""Answers without a model, and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....core.errors import ConfigurationError, InvalidRequestError
from ....core.models import ModelInfo
from ....core.tokens import estimate
from ....core.usage import Usage
from .._arguments import SEEDS, check_at_least, check_kind, check_text
from .._local import FREE, LocalProvider
from .._played import PlayedEvents
from .answers import answer
from .vectors import REVISION, vector

if TYPE_CHECKING:
    from ....core.calls import Call
    from ....core.embeddings import Embeddings

EMBEDDING_MODEL = "offline-embedding"
_SEED_TOO_LONG = "seed must fit into 64 bits, as the seeds that vendors take do"


class OfflineProvider(LocalProvider):
    """
    Stands in for a provider where there is none: no key, no network, no model.

    Its answers say so, and are the same for the same prompt, model and seed. It keeps to
    `max_tokens` and `stop_sequences`, calls a tool that `tool_choice` forces with arguments valid
    for its schema, and answers a `response_format` with an instance of it. Sampling options have
    nothing to act on. Its vectors tell similar texts from others by their words and spelling.

    Args:
        model: The name it answers under unless a call gives another.
        seed: Taken for calls that give none.
        delay: Seconds before each word, and before vectors.
        dimensions: The length of its vectors unless a call gives another.

    Raises:
        ConfigurationError: *model* is empty, *seed* longer than 64 bits, *delay* negative, or
            *dimensions* less than 1.
        TypeError: One of them is of the wrong kind.
        UnsupportedOperationError: From a call: no instance of a schema could be made.
    """

    def __init__(
        self,
        *,
        model: str = "offline",
        seed: int = 0,
        delay: float = 0.0,
        dimensions: int = 256,
    ) -> None:
        check_text("model", model, "name what it is to answer as")
        check_kind("seed", seed, int)
        if seed not in SEEDS:
            raise ConfigurationError(_SEED_TOO_LONG)
        check_at_least("dimensions", dimensions, 1)
        check_at_least("delay", delay, 0, "seconds")
        self._model = ModelInfo(name=model, reasoning=False, embedding_model=EMBEDDING_MODEL)
        self._seed = seed
        self._delay = delay
        self._dimensions = dimensions

    @property
    def name(self) -> str:
        """`offline`."""
        return "offline"

    @property
    def model(self) -> ModelInfo:
        """The name it answers under; there is no model."""
        return self._model

    async def _answer(self, call: Call[Any]) -> PlayedEvents:
        request = call.generation
        seed = self._seed if request.seed is None else request.seed
        if seed not in SEEDS:
            raise InvalidRequestError(_SEED_TOO_LONG)
        model = self._model_for(call).name or ""
        steps = answer(request, model=model, seed=seed, delay=self._delay)
        return PlayedEvents(steps, deadline=call.deadline)

    async def _embed(self, call: Call[Any]) -> Embeddings:
        request = call.embedding
        await self._wait(self._delay, call)
        model = self._model_for(call).name or EMBEDDING_MODEL
        dimensions = request.dimensions or self._dimensions
        return self._embeddings(
            call,
            [vector(text, model=model, dimensions=dimensions) for text in request.texts],
            revision=REVISION,
            usage=Usage(input_tokens=sum(map(estimate, request.texts)), estimated=True),
            cost=FREE,
        )
