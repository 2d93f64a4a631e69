"""The format as one object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import UnsupportedOperationError
from . import counting
from .decode import decode_answer
from .dialect import ANTHROPIC, Dialect
from .encode import encode_generate
from .errors import decode_error
from .stream import MessagesStreamDecoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.errors import ProviderError
    from ...core.events import StreamEvent
    from ...core.requests import EmbedRequest, GenerateRequest
    from ..codec import DecodedEmbeddings, Encoded, StreamDecoder
    from ..http import WireResponse

_STREAM_BEGINNINGS = (b"event:", b"data:", b": ")


class AnthropicCodec:
    """Messages as *dialect* has them. A `Codec`; it has no embeddings."""

    lossless_stream = True
    """See `Codec`."""

    def __init__(self, dialect: Dialect = ANTHROPIC) -> None:
        self.dialect = dialect

    def encode_generate(self, request: GenerateRequest, *, stream: bool) -> Encoded:
        """See `Codec`."""
        return encode_generate(request, self.dialect, stream=stream)

    def decode_generate(self, response: WireResponse) -> Sequence[StreamEvent]:
        """See `Codec`. A server that streams although it was not asked to is understood too."""
        if not response.body.lstrip().startswith(_STREAM_BEGINNINGS):
            return decode_answer(response.body, self.dialect, response.headers)
        decoder = self.stream_decoder()
        events = [*decoder.feed(response.body), *decoder.finish()]
        if decoder.error is not None:
            raise decoder.error
        return events

    def stream_decoder(self) -> StreamDecoder:
        """See `Codec`."""
        return MessagesStreamDecoder(self.dialect)

    def encode_count(self, request: GenerateRequest) -> Encoded:
        """What is asked to know how many tokens *request* has."""
        return counting.encode_count(request, self.dialect)

    def decode_count(self, response: WireResponse) -> int:
        """The tokens of the prompt. Raises as `decode_generate`."""
        return counting.decode_count(response)

    def encode_embed(self, request: EmbedRequest) -> Encoded:
        """See `Codec`."""
        raise _no_embeddings()

    def decode_embed(self, response: WireResponse, request: EmbedRequest) -> DecodedEmbeddings:
        """See `Codec`."""
        raise _no_embeddings()

    def decode_error(self, response: WireResponse) -> ProviderError:
        """See `Codec`."""
        return decode_error(response)


def _no_embeddings() -> UnsupportedOperationError:
    return UnsupportedOperationError("the Messages format has no embeddings")
