"""Requests that do more at the vendor than give an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from .calls import Call

EFFECTS = frozenset(
    {
        "background",
        "container",
        "conversation",
        "mcp_servers",
        "previous_response_id",
        "store",
        "tools",
    }
)
"""Of a vendor's own options those that leave something behind, or let it act by itself."""


def has_effects(call: Call[Any]) -> bool:
    """Whether the request may do more at the vendor than give an answer."""
    extra = call.request.extra
    return bool(extra) and _leaves_something(extra, 2)


def _leaves_something(extra: Mapping[str, Any], depth: int) -> bool:
    """Whether *extra*, or a part of it that is one vendor's, has such an option."""
    if any(extra.get(name) for name in EFFECTS):
        return True
    return depth > 1 and any(
        _leaves_something(cast("Mapping[str, Any]", part), depth - 1)
        for part in extra.values()
        if isinstance(part, Mapping)
    )
