"""The format as one object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import embeddings
from .encode import encode_generate
from .errors import decode_error
from .stream import OllamaStreamDecoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.errors import ProviderError
    from ...core.events import StreamEvent
    from ...core.requests import EmbedRequest, GenerateRequest
    from ..codec import DecodedEmbeddings, Encoded, StreamDecoder
    from ..http import WireResponse


class OllamaCodec:
    """
    Chat and embeddings as Ollama has them. A `Codec`.

    Args:
        num_ctx: The window that every request asks for, in tokens.
    """

    lossless_stream: bool = True
    """See `Codec`."""

    def __init__(self, num_ctx: int) -> None:
        self.num_ctx = num_ctx

    def encode_generate(self, request: GenerateRequest, *, stream: bool) -> Encoded:
        """See `Codec`."""
        return encode_generate(request, num_ctx=self.num_ctx, stream=stream)

    def decode_generate(self, response: WireResponse) -> Sequence[StreamEvent]:
        """See `Codec`. A plain answer is a stream of one line."""
        decoder = self.stream_decoder()
        events = [*decoder.feed(response.body), *decoder.finish()]
        if decoder.error is not None:
            raise decoder.error
        return events

    def stream_decoder(self) -> StreamDecoder:
        """See `Codec`."""
        return OllamaStreamDecoder()

    def encode_embed(self, request: EmbedRequest) -> Encoded:
        """See `Codec`."""
        return embeddings.encode_embed(request)

    def decode_embed(self, response: WireResponse, request: EmbedRequest) -> DecodedEmbeddings:
        """See `Codec`."""
        return embeddings.decode_embed(response, request)

    def decode_error(self, response: WireResponse) -> ProviderError:
        """See `Codec`."""
        return decode_error(response)
