"""What a call consumed, from the names that vendors have for it."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ...core.usage import Cost, Usage
from ..values import as_count, as_dict

if TYPE_CHECKING:
    from .dialect import Dialect

_TICK = Decimal("1e-10")
"""The unit of `cost_in_usd_ticks`, in US dollars."""
_INPUT = ("prompt_tokens", "input_tokens")
_OUTPUT = ("completion_tokens", "output_tokens")
_CACHE_READ = (
    "cached_tokens",
    "prompt_cache_hit_tokens",
    "num_cached_tokens",
    "cache_read_input_tokens",
)
_CACHE_WRITE = ("cache_write_tokens", "cache_creation_input_tokens")
_REASONING = ("reasoning_tokens",)


def decode_usage(raw: object, dialect: Dialect) -> Usage | None:
    """*raw* in the normal form; None if nothing was told."""
    told = as_dict(raw)
    if not told:
        return None
    prompt = as_dict(told.get("prompt_tokens_details"))
    completion = as_dict(told.get("completion_tokens_details"))
    incoming = _first(_INPUT, told)
    outgoing = _first(_OUTPUT, told)
    reasoning = _first(_REASONING, completion, told)
    total = as_count(told.get("total_tokens"))
    if _excludes_reasoning(incoming, outgoing, reasoning, total, dialect):
        outgoing = (outgoing or 0) + (reasoning or 0)
    return Usage(
        input_tokens=incoming,
        output_tokens=outgoing,
        cache_read_tokens=_first(_CACHE_READ, prompt, told),
        cache_write_tokens=_first(_CACHE_WRITE, prompt, told),
        reasoning_tokens=reasoning,
        total_tokens=total,
        apart=_apart(told, prompt, completion),
        raw=told,
    )


def _apart(
    told: dict[str, Any], prompt: dict[str, Any], completion: dict[str, Any]
) -> dict[str, int]:
    """What may have a rate of its own, as far as there is any."""
    cached = as_dict(prompt.get("cached_tokens_details"))
    counts = {
        "input_audio": as_count(prompt.get("audio_tokens")),
        "cache_read_audio": as_count(cached.get("audio_tokens")),
        "output_audio": as_count(completion.get("audio_tokens")),
        "web_searches": as_count(told.get("num_search_queries")),
    }
    return {name: count for name, count in counts.items() if count}


def decode_cost(raw: object, dialect: Dialect) -> Cost | None:
    """What the vendor says the call cost, if its word for it is known."""
    if not dialect.cost:
        return None
    told = as_dict(raw)
    ticks = as_count(told.get("cost_in_usd_ticks"))
    if ticks is not None:
        return Cost(amount=ticks * _TICK, source=dialect.name)
    cost = told.get("cost")
    if as_dict(cost).get("currency", "USD") != "USD":
        return None
    cost = as_dict(cost).get("total_cost", cost)
    if isinstance(cost, bool) or not isinstance(cost, (int, float)) or not math.isfinite(cost):
        return None
    return Cost(amount=Decimal(str(cost)), source=dialect.name) if cost >= 0 else None


def _first(names: tuple[str, ...], *records: dict[str, Any]) -> int | None:
    for told in records:
        for name in names:
            if name in told and (count := as_count(told[name])) is not None:
                return count
    return None


def _excludes_reasoning(
    incoming: int | None,
    outgoing: int | None,
    reasoning: int | None,
    total: int | None,
    dialect: Dialect,
) -> bool:
    """Whether the output leaves out reasoning; the vendor's own sum is the proof, if it adds up."""
    if not reasoning or outgoing is None:
        return False
    shown = (incoming or 0) + outgoing
    if total in {shown, shown + reasoning}:
        return total != shown
    return dialect.reasoning_excluded
