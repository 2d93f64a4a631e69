"""The items that an answer is made of, told apart whatever the vendor repeats or leaves out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..values import as_dict, as_list, as_str, encode_json

MESSAGE = "message"
REASONING = "reasoning"
CALL = "function_call"
CUSTOM_CALL = "custom_tool_call"
CALLS = {CALL: "arguments", CUSTOM_CALL: "input"}
"""Calls that the caller has to answer, and where their arguments stand."""


@dataclass(slots=True)
class Item:
    """One item, as far as it has been told."""

    kind: str
    position: int
    """Its place among all."""
    id: str = ""
    said: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """What has been handed on, by the channel it belongs to."""
    named: bool = False
    """Whether a call's id and name, or a message's phase, have been handed on."""
    settled: bool = False
    """Whether it has been told as a whole."""
    closed: bool = False
    """Whether the closing event has named it."""

    def rest(self, channel: str, whole: str) -> str | None:
        """What *whole* has beyond what was said; None if it contradicts that."""
        said = "".join(self.said.get(channel, ()))
        return whole[len(said) :] if whole.startswith(said) else None


class Items:
    """
    The items of one answer.

    Events name theirs by `output_index`, by id, by both or by nothing. The closing event may give
    them other ids; then they are the same in their order.
    """

    __slots__ = ("_all", "_by_id", "_by_index")

    def __init__(self) -> None:
        self._all: list[Item] = []
        self._by_index: dict[int, Item] = {}
        self._by_id: dict[str, Item] = {}

    @property
    def unchecked(self) -> bool:
        """Whether something was said of which nobody has said what it is as a whole."""
        return any(item.said and not item.settled for item in self._all)

    def find(self, told: dict[str, Any], kind: str) -> Item:
        """The item of *kind* that the event *told* is about."""
        index = told.get("output_index")
        if isinstance(index, int):
            item = self._by_index.get(index)
        elif id_ := _id(told):
            item = self._by_id.get(id_)
        else:
            item = next((each for each in reversed(self._all) if each.kind == kind), None)
        if item is None or item.kind != kind:
            item = self._new(kind, _id(told))
            if isinstance(index, int):
                self._by_index[index] = item
        return item

    def begin(self, told: dict[str, Any], kind: str) -> Item:
        """The item that the event *told* announces."""
        item = self._by_id.get(_id(told))
        if item is None or item.kind != kind:
            item = self._new(kind, _id(told))
        if isinstance(index := told.get("output_index"), int):
            self._by_index[index] = item
        return item

    def close(self, told: dict[str, Any], kind: str) -> Item:
        """The item of *kind* that *told*, an entry of the whole output, is."""
        item = self._by_id.get(as_str(told.get("id")))
        if item is None or item.kind != kind or item.closed:
            open_ = (each for each in self._all if each.kind == kind and not each.closed)
            item = next(open_, None) or self._new(kind, as_str(told.get("id")))
        item.closed = True
        return item

    def _new(self, kind: str, id_: str) -> Item:
        item = Item(kind, len(self._all), id_)
        self._all.append(item)
        if id_:
            self._by_id[id_] = item
        return item


def _id(told: dict[str, Any]) -> str:
    return as_str(told.get("item_id")) or as_str(as_dict(told.get("item")).get("id"))


def words(parts: object, kind: str, name: str = "text") -> str:
    """The words of those *parts* that are of *kind*."""
    told = map(as_dict, as_list(parts))
    return "".join(as_str(part.get(name)) for part in told if part.get("type") == kind)


def thoughts(item: dict[str, Any]) -> str:
    """The words of a reasoning item; a summary that repeats its content is read once."""
    summary = words(item.get("summary"), "summary_text")
    content = words(item.get("content"), "reasoning_text")
    return summary if summary == content else summary + content


def arguments(value: object) -> str:
    """Some servers send an object where JSON text belongs."""
    told = as_dict(value)
    return encode_json(told).decode() if told else as_str(value)
