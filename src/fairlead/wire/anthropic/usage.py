"""What a call consumed, rebased: this format's input leaves out what was cached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.usage import Usage
from ..values import as_count, as_dict, as_list, as_str


def merged(before: Mapping[str, Any], told: object) -> dict[str, Any]:
    """Both records of one answer: later counts are cumulative, so they replace earlier ones."""
    return {**before, **{name: value for name, value in as_dict(told).items() if value is not None}}


def decode_usage(told: dict[str, Any]) -> Usage | None:
    """*told* in the normal form; None if nothing was told."""
    if not told:
        return None
    rest = as_count(told.get("input_tokens"))
    read = as_count(told.get("cache_read_input_tokens"))
    written = as_count(told.get("cache_creation_input_tokens"))
    return Usage(
        input_tokens=None if rest is None else rest + (read or 0) + (written or 0),
        output_tokens=as_count(told.get("output_tokens")),
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=as_count(
            as_dict(told.get("output_tokens_details")).get("thinking_tokens")
        ),
        apart=_apart(told, written),
        raw=told,
    )


def contradictions(told: dict[str, Any]) -> tuple[str, ...]:
    """What does not add up in *told*, or is not in its sums."""
    found: list[str] = []
    written, parts = as_count(told.get("cache_creation_input_tokens")), _written(told)
    if written is not None and parts and sum(parts.values()) != written:
        found.append(
            f"the vendor's usage contradicts itself: {written} tokens were written to the cache, "
            f"and {sum(parts.values())} of all lifetimes"
        )
    others = [as_str(as_dict(each).get("type")) for each in as_list(told.get("iterations"))]
    kinds = ", ".join(sorted({kind for kind in others if kind not in {"", "message"}}))
    if kinds:
        found.append(f"the vendor's sums leave out what it lists besides: {kinds}; see usage.raw")
    return tuple(found)


def service_tier(told: dict[str, Any]) -> str | None:
    """What the call was served as, in the words that prices are told in."""
    if as_str(told.get("speed")) == "fast":
        return "fast"
    return as_str(told.get("service_tier")) or None


def _written(told: dict[str, Any]) -> dict[str, int]:
    """What was written to the cache, by how long it is kept; empty if nobody says."""
    parts = as_dict(told.get("cache_creation"))
    counts = {life: as_count(parts.get(f"ephemeral_{life}_input_tokens")) for life in ("5m", "1h")}
    return {life: count for life, count in counts.items() if count}


def _apart(told: dict[str, Any], written: int | None) -> dict[str, int]:
    """What has a rate of its own, as far as there is any."""
    hour = _written(told).get("1h", 0)
    counts = {
        "cache_write_1h": hour if written is None else min(hour, written),
        "web_searches": as_count(as_dict(told.get("server_tool_use")).get("web_search_requests")),
    }
    return {name: count for name, count in counts.items() if count}
