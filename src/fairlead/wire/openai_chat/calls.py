"""Tool calls in answers: told apart and put in order, whatever the vendor repeats or leaves out."""

from __future__ import annotations

import json
from typing import Any

from ...core.events import ToolCallDelta
from ..values import as_dict, as_list, as_str


class _Call:
    __slots__ = ("any_arguments", "id", "name", "position")

    def __init__(self, position: int) -> None:
        self.position = position
        self.id = ""
        self.name = ""
        self.any_arguments = False


class CallReader:
    """
    The tool calls of one answer; true once there is one.

    Calls are told apart by `index`; where there is none, or it is the same for all, by id. An
    older `function_call` counts only where there are no `tool_calls`: servers send both.
    """

    __slots__ = ("_by_id", "_by_index", "_calls", "_legacy", "_origin")

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._legacy: _Call | None = None

    def __bool__(self) -> bool:
        return bool(self._calls)

    def read(self, said: dict[str, Any]) -> list[ToolCallDelta]:
        """What *said*, a delta or a message, adds."""
        deltas: list[ToolCallDelta] = []
        for told in map(as_dict, as_list(said.get("tool_calls"))):
            if told:
                function = as_dict(told.get("function"))
                deltas.append(
                    _delta(
                        self._call_of(told, as_str(function.get("name"))),
                        told,
                        function,
                        self._origin,
                    )
                )
        legacy = as_dict(said.get("function_call"))
        if any(legacy.values()) and len(self._calls) == (self._legacy is not None):
            self._legacy = self._legacy or self._new()
            deltas.append(_delta(self._legacy, {}, legacy, self._origin))
        return deltas

    def _call_of(self, told: dict[str, Any], name: str) -> _Call:
        id_, index = as_str(told.get("id")), told.get("index")
        if isinstance(index, int):
            call = self._by_index.get(index)
            if call is None or (call.id and name and id_ not in {"", call.id}):
                call = self._by_index[index] = self._new()
        elif id_:
            call = self._by_id.get(id_) or self._new()
        elif self._calls and (not name or self._repeats(name)):
            call = self._calls[-1]
        else:
            call = self._new()
        if id_:
            self._by_id[id_] = call
        return call

    def _repeats(self, name: str) -> bool:
        return self._calls[-1].name == name and not self._calls[-1].any_arguments

    def _new(self) -> _Call:
        self._calls.append(_Call(len(self._calls)))
        return self._calls[-1]


def _delta(
    call: _Call, told: dict[str, Any], function: dict[str, Any], origin: str
) -> ToolCallDelta:
    """What *told* adds to *call*; its id and name are told once."""
    delta = ToolCallDelta(call.position, arguments=_arguments(function.get("arguments")))
    call.any_arguments = call.any_arguments or bool(delta.arguments)
    if not call.id:
        call.id = as_str(told.get("id"))
        delta.id = call.id or None
    if not call.name:
        call.name = as_str(function.get("name"))
        delta.name = call.name or None
    extra = as_dict(told.get("extra_content"))
    if extra:
        delta.opaque, delta.origin = {"extra_content": extra}, origin
    return delta


def _arguments(told: object) -> str:
    """Some vendors send an object where JSON text belongs."""
    if isinstance(told, dict):
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return as_str(told)
