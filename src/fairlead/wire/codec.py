"""What a wire format has to know. Nothing in this package performs I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.embeddings import Embedding
    from ..core.errors import ProviderError
    from ..core.events import StreamEvent
    from ..core.requests import EmbedRequest, GenerateRequest
    from ..core.usage import Cost, Usage
    from .http import WireResponse


@dataclass(slots=True, kw_only=True)
class Encoded:
    """A request in a format's words."""

    path: str
    """Below the provider's base address, with a leading slash."""
    body: bytes
    warnings: tuple[str, ...] = ()
    """What had to be changed or left out for this model, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedEmbeddings:
    """Vectors in the order of the texts, and what the vendor said of them."""

    vectors: Sequence[Embedding]
    model: str | None = None
    usage: Usage | None = None
    cost: Cost | None = None


class StreamDecoder(Protocol):
    """Turns the bytes of one streamed answer into events."""

    error: ProviderError | None
    """
    The vendor's error inside the stream, or what was wrong with it, once `feed` has met it. What
    `feed` returned with it came before it; nothing comes after it.
    """
    ended: bool
    """Whether `StreamEnd` has been returned. What is fed after it is ignored."""

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """The events that *data* completes, however the bytes were cut; raises nothing."""
        ...

    def finish(self) -> Sequence[StreamEvent]:
        """
        The events that the end of the body completes.

        As `feed`; where the format's own end has not been seen, `error` is set to an
        `InvalidResponseError`.
        """
        ...


class Codec(Protocol):
    """
    One wire format, in the dialect of one vendor.

    A plain answer decodes to the same events as a streamed one, so that a `Generation` is put
    together in one place. Errors come without `provider` and `model`; the adapter knows those.
    """

    @property
    def lossless_stream(self) -> bool:
        """Whether a streamed answer tells all that a plain one does, usage included."""
        ...

    def encode_generate(self, request: GenerateRequest, *, stream: bool) -> Encoded:
        """
        *request*, whose `model` is set, in the format's words.

        Raises:
            UnsupportedOperationError: Something asked for cannot be said, and the request is
                strict or nothing sensible would be left.
        """
        ...

    def decode_generate(self, response: WireResponse) -> Sequence[StreamEvent]:
        """
        The answer, ending in `StreamEnd`.

        Raises:
            ProviderError: An error inside a successful response.
            InvalidResponseError: It is not an answer in this format.
        """
        ...

    def stream_decoder(self) -> StreamDecoder:
        """A decoder for one streamed answer."""
        ...

    def encode_embed(self, request: EmbedRequest) -> Encoded:
        """As `encode_generate`, for embeddings."""
        ...

    def decode_embed(self, response: WireResponse, request: EmbedRequest) -> DecodedEmbeddings:
        """As `decode_generate`, for the vectors that answer *request*."""
        ...

    def decode_error(self, response: WireResponse) -> ProviderError:
        """The error that a response with an unsuccessful status stands for."""
        ...
