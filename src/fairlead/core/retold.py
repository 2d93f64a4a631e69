"""The same answer, told to somebody else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from .embeddings import Embedding, Embeddings
from .results import Generation

if TYPE_CHECKING:
    from .calls import T
    from .embeddings import EmbeddingMetadata
    from .results import Metadata


def metadata_of(answer: object) -> Metadata | EmbeddingMetadata | None:
    """What is known of a whole *answer* besides its words or numbers."""
    return cast("Metadata | EmbeddingMetadata | None", cast("Any", answer).metadata)


def retold(answer: T, **facts: Any) -> T:
    """A whole *answer*, of which *facts* are known instead."""
    told: object = answer
    if isinstance(answer, Generation):
        told = Generation(str(answer), answer.metadata.with_(**facts))
    elif isinstance(answer, Embeddings):
        metadata = replace(answer.metadata, **facts)
        told = Embeddings([vector.described(metadata) for vector in answer], metadata)
    elif isinstance(answer, Embedding) and answer.metadata is not None:
        told = answer.described(replace(answer.metadata, **facts))
    return cast("T", told)
