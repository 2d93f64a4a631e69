"""The format as one object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..event_stream import is_stream
from ..openai_chat import OPENAI, Dialect
from ..openai_chat import embeddings as vectors
from ..openai_chat.errors import decode_error
from .decode import decode_answer
from .encode import encode_generate
from .stream import ResponsesStreamDecoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.errors import ProviderError
    from ...core.events import StreamEvent
    from ...core.requests import EmbedRequest, GenerateRequest
    from ..codec import DecodedEmbeddings, Encoded, StreamDecoder
    from ..http import WireResponse


class OpenAIResponsesCodec:
    """
    Responses, and the embeddings that go with them. A `Codec`.

    Args:
        dialect: The vendor's way of speaking Chat Completions, of which its name, its rules for
            models, its ids and its word on cost hold here too.
    """

    def __init__(self, dialect: Dialect = OPENAI) -> None:
        self.dialect = dialect

    @property
    def lossless_stream(self) -> bool:
        """See `Codec`. The closing event carries the whole answer, usage included."""
        return True

    def encode_generate(self, request: GenerateRequest, *, stream: bool) -> Encoded:
        """See `Codec`."""
        return encode_generate(request, self.dialect, stream=stream)

    def decode_generate(self, response: WireResponse) -> Sequence[StreamEvent]:
        """See `Codec`. A server that streams although it was not asked to is understood too."""
        if is_stream(response.body):
            return ResponsesStreamDecoder(self.dialect).drain(response.body)
        return decode_answer(response.body, self.dialect, response.headers)

    def stream_decoder(self) -> StreamDecoder:
        """See `Codec`."""
        return ResponsesStreamDecoder(self.dialect)

    def encode_embed(self, request: EmbedRequest) -> Encoded:
        """See `Codec`."""
        return vectors.encode_embed(request, self.dialect)

    def decode_embed(self, response: WireResponse, request: EmbedRequest) -> DecodedEmbeddings:
        """See `Codec`."""
        return vectors.decode_embed(response, request, self.dialect)

    def decode_error(self, response: WireResponse) -> ProviderError:
        """See `Codec`."""
        return decode_error(response)
