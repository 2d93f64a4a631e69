"""Reasoning in answers, in all its spellings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.events import ReasoningDelta
from ..values import as_dict, as_list, as_str

if TYPE_CHECKING:
    from ...core.events import StreamEvent
    from .dialect import Dialect

_SPELLINGS = ("reasoning_content", "reasoning", "thinking")
_FIELDS = frozenset({*_SPELLINGS, "reasoning_details"})


class ReasoningReader:
    """
    The reasoning of one answer.

    The same words may come under several names, and are read once. Where the vendor wants its
    reasoning back, the event that ends a stretch of it carries what has to be given back.
    """

    __slots__ = ("_details", "_dialect", "_signature", "open")

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._details: list[_Detail] = []
        self._signature = ""
        self.open: bool = False

    def read(self, said: dict[str, Any], events: list[StreamEvent]) -> None:
        """Add what *said*, a delta or a message without its empty fields, has of reasoning."""
        if _FIELDS.isdisjoint(said):
            return
        details = as_list(said.get("reasoning_details"))
        text = next((text for name in _SPELLINGS if (text := _words(said.get(name)))), "")
        if self._dialect.reasoning == "reasoning_details":
            for detail in details:
                self._add(as_dict(detail))
        self._say(text or _words(details), events)

    def read_part(self, part: dict[str, Any], events: list[StreamEvent]) -> bool:
        """As `read`, for one part of a list of content; False if it is of another kind."""
        if part.get("type") not in ("thinking", "reasoning"):
            return False
        self._say(_words(part), events)
        self._signature = as_str(part.get("signature")) or self._signature
        return True

    def close(self, events: list[StreamEvent]) -> None:
        """Other words begin: end what is open."""
        if not self.open:
            return
        self.open = False
        field = self._dialect.reasoning
        if field == "reasoning_details":
            if self._details:
                opaque: dict[str, Any] = {field: [detail.whole() for detail in self._details]}
                events.append(ReasoningDelta("", opaque, self._dialect.origin))
            self._details = []
        elif field is not None:
            opaque = {"field": field}
            if self._signature:
                opaque["signature"] = self._signature
                self._signature = ""
            events.append(ReasoningDelta("", opaque, self._dialect.origin))

    def _say(self, text: str, events: list[StreamEvent]) -> None:
        if text:
            self.open = True
            events.append(ReasoningDelta(text))

    def _add(self, detail: dict[str, Any]) -> None:
        self.open = True
        last = self._details[-1] if self._details else None
        if last is None or not last.continued_by(detail):
            last = _Detail()
            self._details.append(last)
        last.add(detail)


class _Detail:
    """One entry of `reasoning_details`, put together from its pieces."""

    __slots__ = ("_facts", "_pieces")

    _JOINED = ("text", "summary", "data")

    def __init__(self) -> None:
        self._facts: dict[str, Any] = {}
        self._pieces: dict[str, list[str]] = {}

    def continued_by(self, detail: dict[str, Any]) -> bool:
        same = all(self._facts.get(name) == detail.get(name) for name in ("type", "index"))
        return same and detail.get("index") is not None

    def add(self, detail: dict[str, Any]) -> None:
        for name, value in detail.items():
            if name in self._JOINED and isinstance(value, str):
                self._pieces.setdefault(name, []).append(value)
            elif value is not None or name not in self._facts:
                self._facts[name] = value

    def whole(self) -> dict[str, Any]:
        return self._facts | {name: "".join(pieces) for name, pieces in self._pieces.items()}


def _words(told: object) -> str:
    """The words in a string, in a part or in a list of parts."""
    if isinstance(told, str):
        return told
    if not told:
        return ""
    return "".join(_part_words(as_dict(part)) for part in as_list(told)) or _part_words(
        as_dict(told)
    )


def _part_words(part: dict[str, Any]) -> str:
    values = (part.get(name) for name in ("text", "thinking", "summary", "content"))
    found = next((value for value in values if value), "")
    if isinstance(found, str):
        return found
    return "".join(as_str(as_dict(piece).get("text")) for piece in as_list(found))
