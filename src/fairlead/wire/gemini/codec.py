"""The format as one object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import counting, embeddings
from .decode import decode_answer
from .dialect import GEMINI, GeminiDialect
from .encode import encode_generate
from .errors import decode_error
from .stream import GeminiStreamDecoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.errors import ProviderError
    from ...core.events import StreamEvent
    from ...core.requests import EmbedRequest, GenerateRequest
    from ...core.results import TokenCount
    from ..codec import DecodedEmbeddings, Encoded, StreamDecoder
    from ..http import WireResponse


class GeminiCodec:
    """generateContent and embeddings as *dialect* has them. A `Codec`."""

    lossless_stream: bool = True
    """See `Codec`."""

    def __init__(self, dialect: GeminiDialect = GEMINI) -> None:
        self.dialect = dialect

    def encode_generate(self, request: GenerateRequest, *, stream: bool) -> Encoded:
        """See `Codec`."""
        return encode_generate(request, self.dialect, stream=stream)

    def decode_generate(self, response: WireResponse) -> Sequence[StreamEvent]:
        """See `Codec`. A server that streams although it was not asked to is understood too."""
        if not response.body.lstrip().startswith(b"data:"):
            return decode_answer(response, self.dialect)
        decoder = self.stream_decoder()
        events = [*decoder.feed(response.body), *decoder.finish()]
        if decoder.error is not None:
            raise decoder.error
        return events

    def stream_decoder(self) -> StreamDecoder:
        """See `Codec`."""
        return GeminiStreamDecoder(self.dialect)

    def encode_embed(self, request: EmbedRequest) -> Encoded:
        """See `Codec`."""
        return embeddings.encode_embed(request, self.dialect)

    def decode_embed(self, response: WireResponse, request: EmbedRequest) -> DecodedEmbeddings:
        """See `Codec`."""
        return embeddings.decode_embed(response, request)

    def encode_count(self, request: GenerateRequest) -> Encoded:
        """The question how many tokens *request* has."""
        return counting.encode_count(request, self.dialect)

    def decode_count(self, response: WireResponse) -> TokenCount:
        """The answer to `encode_count`. Raises as `decode_generate`."""
        return counting.decode_count(response)

    def decode_error(self, response: WireResponse) -> ProviderError:
        """See `Codec`."""
        return decode_error(response)
