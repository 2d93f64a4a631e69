"""Embeddings, asked for and answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.embeddings import Embedding
from ...core.errors import InvalidResponseError
from ..adaptations import Adaptations
from ..codec import DecodedEmbeddings, Encoded
from ..faults import not_an_answer
from ..values import as_dict, as_list, as_str, decode_json, encode_json
from .answer import decode_usage
from .encode import merge
from .errors import error_of

if TYPE_CHECKING:
    from ...core.requests import EmbedRequest
    from ..http import WireResponse

PATH = "/api/embed"
_OURS = {"model": "model=", "input": "the texts", "dimensions": "dimensions="}


def encode_embed(request: EmbedRequest) -> Encoded:
    """
    *request* in this format's words.

    `truncate` is sent, as a text that is too long would be cut without a word.
    """
    adaptations = Adaptations(strict=request.strict)
    body: dict[str, Any] = {
        "model": request.model,
        "input": list(request.texts),
        "truncate": False,
    }
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    if request.input_type is not None:
        adaptations.note("input_type was left out: Ollama has no such option")
    merge(body, request.extra, _OURS)
    return Encoded(path=PATH, body=encode_json(body), warnings=adaptations.warnings)


def decode_embed(response: WireResponse, request: EmbedRequest) -> DecodedEmbeddings:
    """
    The vectors that answer *request*, in the order of its texts.

    Raises:
        ProviderError: The response tells of an error.
        InvalidResponseError: It is not one vector for each text.
    """
    try:
        told = as_dict(decode_json(response.body))
    except ValueError:
        content_type = response.headers.get("content-type", "")
        raise not_an_answer(response.body, content_type, wanted="embeddings") from None
    if told.get("error"):
        raise error_of(told, headers=response.headers)
    # Servers of old answer one text with one vector.
    listed = as_list(told.get("embeddings")) or [told.get("embedding")]
    if len(listed) != len(request.texts):
        raise _wrong(f"{len(listed)} vectors for {len(request.texts)} texts")
    vectors = [_vector(numbers) for numbers in listed]
    sizes = {len(vector) for vector in vectors}
    if len(sizes) > 1:
        raise _wrong(f"vectors of different sizes: {sorted(sizes)}")
    return DecodedEmbeddings(
        vectors=vectors,
        model=as_str(told.get("model")) or None,
        usage=decode_usage(told),
    )


def _vector(told: object) -> Embedding:
    numbers = as_list(told)
    try:
        if numbers:
            return Embedding(numbers)
    except (TypeError, ValueError, OverflowError):
        pass
    raise _wrong("something that is not a vector")


def _wrong(what: str) -> InvalidResponseError:
    return InvalidResponseError(f"the server answered {what}", misconfigured=True, sent=True)
