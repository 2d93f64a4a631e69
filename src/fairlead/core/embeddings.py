"""Vectors, packed."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from .journal import Journal

if TYPE_CHECKING:
    from .rates import RateLimits
    from .usage import Cost, Usage


class Embedding(Sequence[float]):
    """
    A vector of 32-bit floats, packed. `numpy.asarray(embedding)` copies nothing.

    Immutable, hashable, picklable; slices are embeddings; `tolist()` for JSON.
    """

    __slots__ = ("_buffer", "_metadata", "_values")

    def __init__(
        self, values: bytes | Iterable[float], metadata: EmbeddingMetadata | None = None
    ) -> None:
        """*values* are numbers, or the little-endian bytes of 32-bit floats."""
        packed = values if isinstance(values, bytes) else array("f", values).tobytes()
        self._buffer = packed
        self._values: memoryview[float] = memoryview(packed).cast("f")
        self._metadata = metadata

    @property
    def metadata(self) -> EmbeddingMetadata | None:
        """What is known of it besides its numbers."""
        return self._metadata

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, index: SupportsIndex) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> Embedding: ...
    def __getitem__(self, index: SupportsIndex | slice) -> float | Embedding:
        if isinstance(index, slice):
            return Embedding(self._values[index].tobytes(), self.metadata)
        return self._values[index]

    def __iter__(self) -> Iterator[float]:
        return iter(self._values)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Embedding):
            return self._buffer == other._buffer
        # A list has no hash; what has one would need the same as its equal here.
        return self.tolist() == other if isinstance(other, list) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._buffer)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._buffer, self.metadata)

    def __repr__(self) -> str:
        shown = ", ".join(f"{value:.4g}" for value in itertools.islice(self, 3))
        return f"<Embedding of {len(self)}: {shown}{', …' if len(self) > 3 else ''}>"

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return {"version": 3, "shape": (len(self),), "typestr": "<f4", "data": self._buffer}

    def tobytes(self) -> bytes:
        """The numbers as the bytes of 32-bit floats."""
        return self._buffer

    def tolist(self) -> list[float]:
        """The numbers as a plain list."""
        return list(self._values)

    @property
    def finite(self) -> bool:
        """Whether all of it are numbers that can be compared: neither infinite nor NaN."""
        # Only a float whose highest byte is one of these can be otherwise.
        high = self._buffer[3::4]
        return not (b"\x7f" in high or b"\xff" in high) or all(map(isfinite, self))

    def described(self, metadata: EmbeddingMetadata) -> Embedding:
        """The same vector with *metadata*."""
        return Embedding(self._buffer, metadata)

    def warned(self, *warnings: str) -> Embedding:
        """The same vector with *warnings* added."""
        return Embedding(self._buffer, self.metadata and self.metadata.warned(*warnings))


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingSpace:
    """What makes vectors comparable: only those of one space are."""

    model: str
    revision: str | None = None
    dimensions: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingMetadata:
    """What is known of one or many vectors besides their numbers."""

    provider: str
    space: EmbeddingSpace
    usage: Usage | None = None
    cost: Cost | None = None
    vendor_request_id: str | None = None
    request_id: str | None = None
    warnings: tuple[str, ...] = ()
    cached: bool = False
    journal: Journal = field(default_factory=Journal, compare=False, repr=False)
    rate_limits: RateLimits | None = field(default=None, compare=False, repr=False)
    """What the vendor said was left of its rate limits."""

    def warned(self, *warnings: str) -> EmbeddingMetadata:
        """The same with *warnings* added."""
        return replace(self, warnings=(*self.warnings, *warnings))


class Embeddings(Sequence[Embedding]):
    """One vector per text, in the order of the texts, with `metadata` of the whole batch."""

    __slots__ = ("_metadata", "_vectors")

    def __init__(self, vectors: Iterable[Embedding], metadata: EmbeddingMetadata) -> None:
        self._vectors = tuple(vectors)
        self._metadata = metadata

    @property
    def metadata(self) -> EmbeddingMetadata:
        """What is known of the batch besides its numbers."""
        return self._metadata

    def __len__(self) -> int:
        return len(self._vectors)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Embedding: ...
    @overload
    def __getitem__(self, index: slice) -> Embeddings: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Embedding | Embeddings:
        if isinstance(index, slice):
            return Embeddings(self._vectors[index], self.metadata)
        return self._vectors[index]

    def __iter__(self) -> Iterator[Embedding]:
        return iter(self._vectors)

    def __eq__(self, other: object) -> bool:
        return self._vectors == other._vectors if isinstance(other, Embeddings) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._vectors)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._vectors, self.metadata)

    def __repr__(self) -> str:
        return f"<Embeddings: {len(self)} of {self.metadata.space}>"

    @property
    def usage(self) -> Usage | None:
        """What the batch consumed."""
        return self.metadata.usage

    def described(self, metadata: EmbeddingMetadata) -> Embeddings:
        """The same vectors with *metadata*, each of them."""
        return Embeddings([vector.described(metadata) for vector in self._vectors], metadata)

    def warned(self, *warnings: str) -> Embeddings:
        """The same vectors with *warnings* added."""
        return Embeddings(self._vectors, self.metadata.warned(*warnings))

    def tolist(self) -> list[list[float]]:
        """The numbers as plain lists."""
        return [vector.tolist() for vector in self._vectors]


def fault_in(vectors: Sequence[Embedding], texts: int) -> str | None:
    """Why *vectors* cannot be those of so many *texts*; None if they can."""
    if len(vectors) != texts:
        return f"{len(vectors)} vectors for {texts} texts"
    for index, vector in enumerate(vectors):
        if not vector:
            return f"an empty vector, number {index}"
        if len(vector) != len(vectors[0]):
            sizes = f"number {index} has {len(vector)}, number 0 has {len(vectors[0])}"
            return f"vectors of different sizes: {sizes}"
        if not vector.finite:
            return f"a vector with infinity or NaN in it, number {index}"
    return None
