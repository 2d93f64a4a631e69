"""What answers are kept under: all that they depend on, and nothing else."""

from __future__ import annotations

from dataclasses import fields
from hashlib import sha256
from operator import attrgetter
from typing import TYPE_CHECKING

from .canonical import digest, number
from .requests import GenerateRequest

if TYPE_CHECKING:
    from .plans import Target
    from .requests import EmbedRequest

_NUMBERS = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
_OTHERS = [each.name for each in fields(GenerateRequest) if each.name not in {"model", *_NUMBERS}]
_numbers = attrgetter(*_NUMBERS)
_others = attrgetter(*_OTHERS)


def generation_key(target: Target, request: GenerateRequest, namespace: str) -> str | None:
    """
    What *target*'s answer to *request* is kept under; None if nobody can say.

    The model is the target's, however the request spells it.
    """
    if not target.identity:
        return None
    try:
        return digest(
            "generation",
            target.identity,
            namespace,
            [number(value) for value in _numbers(request)],
            _others(request),
        )
    except TypeError:
        return None


def text_keys(target: Target, request: EmbedRequest, namespace: str) -> tuple[str, ...] | None:
    """What *target*'s vector of each text of *request* is kept under; None if nobody can say."""
    if not target.identity:
        return None
    asked = (request.dimensions, request.input_type, request.strict, request.extra)
    try:
        common = digest("vector", target.identity, namespace, asked).encode()
    except TypeError:
        return None
    return tuple(
        sha256(common + text.encode(errors="surrogatepass")).hexdigest() for text in request.texts
    )
