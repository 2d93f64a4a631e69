"""How many tokens a request has, asked of the vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import InvalidResponseError
from ...core.results import TokenCount
from ..adaptations import Adaptations
from ..codec import Encoded
from ..values import as_count, as_dict, encode_json
from .decode import read_body
from .dialect import model_path
from .encode import body_of

if TYPE_CHECKING:
    from ...core.requests import GenerateRequest
    from ..http import WireResponse
    from .dialect import GeminiDialect


def encode_count(request: GenerateRequest, dialect: GeminiDialect) -> Encoded:
    """The question how many tokens *request* has. Raises as `encode_generate`."""
    adaptations = Adaptations(strict=request.strict)
    model = request.model or ""
    body = body_of(request, dialect, adaptations)
    if dialect.counts_whole:
        named = {"model": model_path(model, dialect.folder), **body}
        body = {"generateContentRequest": named}
    return Encoded(
        path=dialect.path(model, "countTokens"),
        body=encode_json(body),
        warnings=adaptations.warnings,
    )


def decode_count(response: WireResponse) -> TokenCount:
    """
    The number.

    Raises:
        ProviderError: The response tells of an error.
        InvalidResponseError: It has none.
    """
    count = as_count(as_dict(read_body(response, "a count of tokens")).get("totalTokens"))
    if count is None:
        msg = "the vendor was asked to count tokens and answered without a number"
        raise InvalidResponseError(msg, misconfigured=True, sent=True)
    return TokenCount(count, exact=True)
