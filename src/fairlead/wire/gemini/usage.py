"""What a call consumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.usage import Usage
from ..values import as_count, as_dict, as_list, as_str

if TYPE_CHECKING:
    from collections.abc import Mapping

_IN = {
    "AUDIO": "input_audio",
    "IMAGE": "input_image",
    "DOCUMENT": "input_image",
    "VIDEO": "input_video",
}
_CACHED = {
    "AUDIO": "cache_read_audio",
    "IMAGE": "cache_read_image",
    "DOCUMENT": "cache_read_image",
}
_OUT = {
    "AUDIO": "output_audio",
    "IMAGE": "output_image",
    "DOCUMENT": "output_image",
    "VIDEO": "output_video",
}
_BREAKDOWNS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("promptTokensDetails", _IN),
    ("promptTokenDetails", _IN),
    ("toolUsePromptTokensDetails", _IN),
    ("cacheTokensDetails", _CACHED),
    ("candidatesTokensDetails", _OUT),
)
"""Where kinds of input and output are told apart, and what we call them. Pages count as pictures,
as Google charges for them."""


def decode_usage(raw: object) -> Usage | None:
    """
    `usageMetadata` in the normal form; None if nothing was told.

    What the vendor's own tools read is input, and thoughts are output; it counts both beside.
    """
    told = as_dict(raw)
    if not told:
        return None
    return Usage(
        input_tokens=_sum(told, "promptTokenCount", "toolUsePromptTokenCount"),
        output_tokens=_sum(told, "candidatesTokenCount", "thoughtsTokenCount"),
        cache_read_tokens=as_count(told.get("cachedContentTokenCount")),
        reasoning_tokens=as_count(told.get("thoughtsTokenCount")),
        total_tokens=as_count(told.get("totalTokenCount")),
        apart=_apart(told),
        raw=told,
    )


def _sum(told: dict[str, Any], *names: str) -> int | None:
    counts = [count for name in names if (count := as_count(told.get(name))) is not None]
    return sum(counts) if counts else None


def _apart(told: dict[str, Any]) -> dict[str, int]:
    apart: dict[str, int] = {}
    for field, names in _BREAKDOWNS:
        for entry in map(as_dict, as_list(told.get(field))):
            name = names.get(as_str(entry.get("modality")))
            count = as_count(entry.get("tokenCount"))
            if name and count:
                apart[name] = apart.get(name, 0) + count
    return apart
