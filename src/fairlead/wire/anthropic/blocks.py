"""The blocks of an answer, begun, continued and ended; whole ones are just that at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from ...core.events import ReasoningDelta, TextDelta, ToolCallDelta
from ..values import as_dict, as_list, as_str, decode_json

if TYPE_CHECKING:
    from ...core.events import StreamEvent

ANSWER_TOOL = "fairlead_answer"
"""The tool by which a model answers in a given shape that cannot be held to it otherwise."""
_CARRIED = ("caller", "toolset_name")
"""What has to travel with a call."""


class Block(Protocol):
    """A block of content that is being told."""

    def begin(self) -> list[StreamEvent]:
        """What its beginning tells."""
        ...

    def add(self, delta: dict[str, Any]) -> list[StreamEvent]:
        """What *delta* adds."""
        ...

    def end(self) -> list[StreamEvent]:
        """What its end tells."""
        ...


class TextBlock:
    """Words of the answer, and what they are taken from."""

    def __init__(self, told: dict[str, Any], citations: list[dict[str, Any]]) -> None:
        self._told = told
        self._citations = citations

    def begin(self) -> list[StreamEvent]:
        self._citations += map(as_dict, as_list(self._told.get("citations")))
        return self.add(self._told)

    def add(self, delta: dict[str, Any]) -> list[StreamEvent]:
        citation = as_dict(delta.get("citation"))
        if citation:
            self._citations.append(citation)
        text = as_str(delta.get("text"))
        return [TextDelta(text)] if text else []

    def end(self) -> list[StreamEvent]:
        return []


class ThinkingBlock:
    """Reasoning, and the signature without which it cannot be given back."""

    def __init__(self, told: dict[str, Any], origin: str) -> None:
        self._told = told
        self._origin = origin
        self._signature: list[str] = []

    def begin(self) -> list[StreamEvent]:
        return self.add(self._told)

    def add(self, delta: dict[str, Any]) -> list[StreamEvent]:
        self._signature.append(as_str(delta.get("signature")))
        text = as_str(delta.get("thinking"))
        return [ReasoningDelta(text)] if text else []

    def end(self) -> list[StreamEvent]:
        block = {"type": "thinking", "signature": "".join(self._signature)}
        return [ReasoningDelta("", {"block": block}, self._origin)]


class CallBlock:
    """A tool call, whose arguments come in pieces or with its beginning."""

    def __init__(self, told: dict[str, Any], position: int, origin: str) -> None:
        self._told = told
        self._position = position
        self._origin = origin
        self._any = False

    def begin(self) -> list[StreamEvent]:
        told = self._told
        delta = ToolCallDelta(
            self._position, as_str(told.get("id")) or None, as_str(told.get("name")) or None
        )
        carried = {name: told[name] for name in _CARRIED if told.get(name)}
        if as_dict(carried.get("caller")).get("type") == "direct":
            del carried["caller"]
        if carried:
            delta.opaque, delta.origin = carried, self._origin
        return [delta]

    def add(self, delta: dict[str, Any]) -> list[StreamEvent]:
        piece = as_str(delta.get("partial_json"))
        self._any = self._any or bool(piece)
        return [ToolCallDelta(self._position, arguments=piece)] if piece else []

    def end(self) -> list[StreamEvent]:
        return [] if self._any else [ToolCallDelta(self._position, arguments=_input(self._told))]


class AnswerBlock:
    """The answer itself, given as the arguments of a tool that stands for it."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self._any = False

    def begin(self) -> list[StreamEvent]:
        return []

    def add(self, delta: dict[str, Any]) -> list[StreamEvent]:
        piece = as_str(delta.get("partial_json"))
        self._any = self._any or bool(piece)
        return [TextDelta(piece)] if piece else []

    def end(self) -> list[StreamEvent]:
        return [] if self._any else [TextDelta(_input(self._told))]


class OpaqueBlock:
    """
    Whatever else there is: redacted thoughts, what the vendor's own tools did, a compaction.

    It is kept whole, to be given back as it is.
    """

    def __init__(self, told: dict[str, Any], origin: str, called: list[dict[str, Any]]) -> None:
        self._told = dict(told)
        self._origin = origin
        self._called = called
        self._input: list[str] = []

    def begin(self) -> list[StreamEvent]:
        return []

    def add(self, delta: dict[str, Any]) -> list[StreamEvent]:
        self._input.append(as_str(delta.get("partial_json")))
        for name, value in delta.items():
            if isinstance(value, str) and name not in {"type", "partial_json"}:
                self._told[name] = as_str(self._told.get(name)) + value
        return []

    def end(self) -> list[StreamEvent]:
        if any(self._input):
            self._told["input"] = _parsed("".join(self._input))
        if as_str(self._told.get("type")).endswith("_tool_use"):
            self._called.append({name: self._told.get(name) for name in ("id", "name", "input")})
        return [ReasoningDelta("", {"block": self._told}, self._origin)]


def _input(told: dict[str, Any]) -> str:
    return json.dumps(as_dict(told.get("input")), ensure_ascii=False)


def _parsed(text: str) -> Any:
    try:
        return decode_json(text.encode(errors="replace"))
    except ValueError:
        return {}
