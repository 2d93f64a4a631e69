"""Embeddings, asked for and answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.embeddings import Embedding
from ...core.errors import (
    InvalidRequestError,
    InvalidResponseError,
    PromptTruncatedError,
    UnsupportedOperationError,
)
from ...core.usage import Usage
from ..adaptations import Adaptations
from ..codec import DecodedEmbeddings, Encoded
from ..values import as_count, as_dict, as_list, encode_json
from .decode import read_body
from .dialect import bare, known, model_path
from .usage import decode_usage

if TYPE_CHECKING:
    from ...core.requests import EmbedRequest
    from ..http import WireResponse
    from .dialect import GeminiDialect

TASKS = {"query": "RETRIEVAL_QUERY", "document": "RETRIEVAL_DOCUMENT"}
"""Our words for what a text is; any other is sent in capitals."""
_OURS = {
    "model": "model=",
    "content": "the texts",
    "requests": "the texts",
    "instances": "the texts",
    "outputDimensionality": "dimensions=",
    "taskType": "input_type=",
    "parameters": "dimensions=",
}


def is_gemini(model: str) -> bool:
    """Whether *model* is one of those that Vertex asks by `:embedContent`."""
    name = bare(model)
    return "gemini" in name and not name.startswith(
        ("gemini-embedding-001", "gemini-embedding-exp")
    )


def encode_embed(request: EmbedRequest, dialect: GeminiDialect) -> Encoded:
    """
    *request* in this format's words.

    Raises:
        UnsupportedOperationError: It has more texts than can be asked for at once.
        InvalidRequestError: `extra` holds what has an option of its own.
    """
    for name in request.extra:
        if name in _OURS:
            msg = f"extra={{{name!r}: ...}} would overrule what fairlead writes; use {_OURS[name]}"
            raise InvalidRequestError(msg)
    adaptations = Adaptations(strict=request.strict)
    model = request.model or ""
    kind = request.input_type
    task = None if kind is None else TASKS.get(kind.lower(), kind.upper())
    if dialect.predicts and not is_gemini(model):
        body, verb = _predict(request, task), "predict"
    else:
        options = {**known((("taskType", task), ("outputDimensionality", request.dimensions)))}
        options |= request.extra
        one_by_one = [{"content": {"parts": [{"text": text}]}, **options} for text in request.texts]
        body, verb = one_by_one[0], "embedContent"
        if len(one_by_one) > 1:
            if dialect.predicts:
                msg = f"{model} takes one text at a time on Vertex AI, not {len(one_by_one)}"
                raise UnsupportedOperationError(msg)
            named = {"model": model_path(model, dialect.folder)}
            body, verb = {"requests": [named | each for each in one_by_one]}, "batchEmbedContents"
    return Encoded(
        path=dialect.path(model, verb), body=encode_json(body), warnings=adaptations.warnings
    )


def _predict(request: EmbedRequest, task: str | None) -> dict[str, Any]:
    # Unless it is told, it cuts a text that is too long, and embeds what is left.
    parameters = {
        "autoTruncate": False,
        **known([("outputDimensionality", request.dimensions)]),
        **request.extra,
    }
    told = known([("task_type", task)])
    return {
        "instances": [{"content": text, **told} for text in request.texts],
        "parameters": parameters,
    }


def decode_embed(response: WireResponse, request: EmbedRequest) -> DecodedEmbeddings:
    """
    The vectors that answer *request*, in the order of its texts.

    Raises:
        ProviderError: The response tells of an error.
        PromptTruncatedError: A text was cut.
        InvalidResponseError: It is not one vector for each text.
    """
    told = as_dict(read_body(response, "embeddings"))
    predictions = [as_dict(each).get("embeddings") for each in as_list(told.get("predictions"))]
    single = [told["embedding"]] if "embedding" in told else []
    entries = [as_dict(each) for each in as_list(told.get("embeddings")) or predictions or single]
    if len(entries) != len(request.texts):
        raise _wrong(f"{len(entries)} vectors for {len(request.texts)} texts")
    statistics = [as_dict(entry.get("statistics")) for entry in entries]
    if told.get("truncated") is True or any(each.get("truncated") is True for each in statistics):
        msg = "a text was longer than the model reads, and the vendor embedded its beginning alone"
        raise PromptTruncatedError(msg, sent=True)
    vectors = [_vector(entry) for entry in entries]
    sizes = {len(vector) for vector in vectors}
    if len(sizes) > 1:
        raise _wrong(f"vectors of different sizes: {sorted(sizes)}")
    return DecodedEmbeddings(vectors=vectors, usage=_usage(told, statistics))


def _usage(told: dict[str, Any], statistics: list[dict[str, Any]]) -> Usage | None:
    usage = decode_usage(told.get("usageMetadata"))
    if usage is not None:
        return usage
    counts = [as_count(each.get("token_count", each.get("tokenCount"))) for each in statistics]
    if None in counts:
        return None
    return Usage(input_tokens=sum(count or 0 for count in counts), raw={"statistics": statistics})


def _vector(entry: dict[str, Any]) -> Embedding:
    """The vector of *entry*, which it is taken out of, so that both need not be kept."""
    numbers = as_list(entry.pop("values", None))
    try:
        if numbers:
            return Embedding(numbers)
    except (TypeError, ValueError, OverflowError):
        pass
    raise _wrong("something that is not a vector")


def _wrong(what: str) -> InvalidResponseError:
    return InvalidResponseError(f"the vendor answered {what}", misconfigured=True, sent=True)
