"""Embeddings, asked for and answered."""

from __future__ import annotations

import binascii
from array import array
from typing import TYPE_CHECKING, Any

from ...core.embeddings import Embedding
from ...core.errors import InvalidResponseError
from ..adaptations import Adaptations
from ..codec import DecodedEmbeddings, Encoded
from ..faults import not_an_answer, provider_error
from ..values import as_count, as_dict, as_list, as_str, decode_json, encode_json
from .encode import merge_extra
from .errors import fault_in
from .usage import decode_cost, decode_usage

if TYPE_CHECKING:
    from ...core.requests import EmbedRequest
    from ..http import WireResponse
    from .dialect import Dialect

_FLOAT_BYTES = 4
_OURS: dict[str | None, str] = {
    "model": "model=",
    "input": "the texts",
    "dimensions": "dimensions=",
    "encoding_format": "nothing: the shortest that the vendor has is asked for",
}


def encode_embed(request: EmbedRequest, dialect: Dialect) -> Encoded:
    """*request* in this format's words."""
    adaptations = Adaptations(strict=request.strict)
    body: dict[str, Any] = {"model": request.model, "input": list(request.texts)}
    for option in ("dimensions", "input_type"):
        value, name = getattr(request, option), dialect.field(option)
        if value is None:
            continue
        if name is None:
            adaptations.note(f"{option} was left out: {dialect.name} has no such option")
        else:
            body[name] = value
    if dialect.embeddings == "base64":
        body["encoding_format"] = "base64"  # a quarter of the bytes, and no floats to parse
    merge_extra(body, request.extra, _OURS | {dialect.field("input_type"): "input_type="})
    path = dialect.embeddings_path
    return Encoded(path=path, body=encode_json(body), warnings=adaptations.warnings)


def decode_embed(
    response: WireResponse, request: EmbedRequest, dialect: Dialect
) -> DecodedEmbeddings:
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
    fault = fault_in(told)
    if fault is not None:
        raise provider_error(fault, headers=response.headers)
    entries = _in_order(as_list(told.get("data")), len(request.texts))
    vectors = [_vector(entry, dialect) for entry in entries]
    sizes = {len(vector) for vector in vectors}
    if len(sizes) > 1:
        raise _wrong(f"vectors of different sizes: {sorted(sizes)}")
    return DecodedEmbeddings(
        vectors=vectors,
        model=as_str(told.get("model")) or None,
        usage=decode_usage(told.get("usage"), dialect),
        cost=decode_cost(told.get("usage"), dialect),
    )


def _in_order(data: list[Any], count: int) -> list[dict[str, Any]]:
    entries = [as_dict(entry) for entry in data]
    if len(entries) != count:
        raise _wrong(f"{len(entries)} vectors for {count} texts")
    if not any("index" in entry for entry in entries):
        return entries
    by_place = {as_count(entry.get("index")): entry for entry in entries}
    if by_place.keys() != set(range(count)):
        raise _wrong("vectors whose indexes are not those of the texts")
    return [by_place[place] for place in range(count)]


def _vector(entry: dict[str, Any], dialect: Dialect) -> Embedding:
    """The vector of *entry*, which it is taken out of, so that both need not be kept."""
    told: object = entry.pop("embedding", None)
    numbers = as_list(told)
    try:
        if isinstance(told, str):
            packed = binascii.a2b_base64(told, strict_mode=True)
            if dialect.embeddings == "int8":
                return Embedding(array("b", packed))
            if packed and len(packed) % _FLOAT_BYTES == 0:
                return Embedding(packed)
        elif numbers:
            return Embedding(numbers)
    except (TypeError, ValueError, OverflowError):
        pass
    if numbers and as_list(numbers[0]):
        raise _wrong("one vector per token instead of one per text; let the server pool them")
    raise _wrong("something that is not a vector")


def _wrong(what: str) -> InvalidResponseError:
    return InvalidResponseError(f"the vendor answered {what}", misconfigured=True, sent=True)
