"""Marks up to which the vendor is to cache a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from ...core.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..adaptations import Adaptations

Block = dict[str, Any]
LIFETIMES = ("5m", "1h")
MOST = 4
"""Marks that one request may have."""
_UNMARKED = frozenset({"thinking", "redacted_thinking"})
"""Blocks that take no mark."""
_SHAPE = (
    "extra={'cache_marks': ...} takes places, or a mapping of places to '5m' or '1h'; a place is "
    "'tools', 'system', 'messages' or the number of a message in the prompt"
)


def set_marks(
    wanted: object,
    tools: Sequence[Block],
    system: Sequence[Block],
    messages: Sequence[Sequence[Block]],
    adaptations: Adaptations,
) -> None:
    """
    Mark the last block of each place that is *wanted*.

    Args:
        wanted: Places, or a mapping of places to lifetimes.
        tools: As they are sent.
        system: The blocks of the system prompt.
        messages: The blocks of each message of the prompt.
        adaptations: Where a place that has nothing to mark is noted.

    Raises:
        InvalidRequestError: It names no places or lifetimes, or too many.
    """
    marks = _marks(wanted)
    if len(marks) > MOST:
        msg = f"extra={{'cache_marks': ...}} has {len(marks)} places, and a prompt takes {MOST}"
        raise InvalidRequestError(msg)
    for place, life in marks.items():
        block = _last(_blocks(place, tools, system, messages))
        if block is None:
            adaptations.note(f"the cache mark at {place!r} was left out: nothing is there to mark")
        else:
            block["cache_control"] = {"type": "ephemeral", "ttl": life}


def _marks(wanted: Any) -> dict[str | int, str]:
    if isinstance(wanted, Mapping):
        told = dict[Any, Any](cast("Any", wanted))
    elif isinstance(wanted, Iterable) and not isinstance(wanted, (str, bytes)):
        told = dict[Any, Any].fromkeys(cast("Any", wanted), LIFETIMES[0])
    else:
        raise InvalidRequestError(_SHAPE)
    for place, life in told.items():
        known = type(place) is int or place in ("tools", "system", "messages")
        if not known or life not in LIFETIMES:
            raise InvalidRequestError(f"{_SHAPE}, not {place!r}: {life!r}")
    return told


def _blocks(
    place: str | int,
    tools: Sequence[Block],
    system: Sequence[Block],
    messages: Sequence[Sequence[Block]],
) -> Sequence[Block]:
    if place == "tools":
        return tools
    if place == "system":
        return system
    if place == "messages":
        return next((blocks for blocks in reversed(messages) if _last(blocks)), ())
    number = cast("int", place)
    return messages[number] if -len(messages) <= number < len(messages) else ()


def _last(blocks: Sequence[Block]) -> Block | None:
    return next((each for each in reversed(blocks) if each.get("type") not in _UNMARKED), None)
