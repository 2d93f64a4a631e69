"""
Reads an answer, event by event or whole.

The closing event of a stream carries the whole answer, so there is one reader for both: of what
has been told already it tells nothing again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from ...core.results import FinishReason
from ..openai_chat.usage import decode_cost
from ..values import as_dict, as_list, as_str
from .output import (
    CALL,
    CALLS,
    CUSTOM_CALL,
    MESSAGE,
    REASONING,
    Item,
    Items,
    arguments,
    thoughts,
    words,
)
from .usage import decode_usage

if TYPE_CHECKING:
    from ...core.events import StreamEvent
    from ..openai_chat import Dialect

_TEXT, _REFUSAL, _THOUGHT, _ARGUMENTS = "text", "refusal", "thought", "arguments"
_DELTAS = {
    "response.output_text.delta": (MESSAGE, _TEXT),
    "response.refusal.delta": (MESSAGE, _REFUSAL),
    "response.reasoning_text.delta": (REASONING, _THOUGHT),
    "response.reasoning_summary_text.delta": (REASONING, _THOUGHT),
    "response.function_call_arguments.delta": (CALL, _ARGUMENTS),
    "response.custom_tool_call_input.delta": (CUSTOM_CALL, _ARGUMENTS),
}
_WHOLES = {
    "response.output_text.done": (MESSAGE, _TEXT, "text"),
    "response.refusal.done": (MESSAGE, _REFUSAL, "refusal"),
    "response.reasoning_text.done": (REASONING, _THOUGHT, "text"),
    "response.reasoning_summary_text.done": (REASONING, _THOUGHT, "text"),
    "response.function_call_arguments.done": (CALL, _ARGUMENTS, "arguments"),
    "response.custom_tool_call_input.done": (CUSTOM_CALL, _ARGUMENTS, "input"),
}
"""Events that repeat what deltas have said; some servers send no deltas."""
_INCOMPLETE = {
    "max_output_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
    "steered": FinishReason.PAUSE,
}
_STATUSES = {
    "completed": FinishReason.STOP,
    "failed": FinishReason.ERROR,
    "cancelled": FinishReason.ERROR,
}
_PENDING = {"queued", "in_progress"}
_DETAILS = (
    "service_tier",
    "incomplete_details",
    "content_filters",
    "moderation",
    "tool_usage",
)
_TRAVELS = ("namespace", "caller")
"""What has to be given back with a call."""
_SMALL = 32 * 1024

_GAP = "the numbers of the stream's events leave some out, so words of the answer may be missing"
_CONTRADICTION = "the answer as it was streamed is not the one that the vendor says it is"
_LATER = "the vendor works on the answer in the background, and has not given it yet"


class AnswerReader:
    """
    The state of one answer.

    Attributes:
        status: The vendor's word for how the answer ended; None before its end.
    """

    __slots__ = (
        "_annotations",
        "_calls",
        "_dialect",
        "_gap",
        "_id",
        "_items",
        "_logprobs",
        "_model",
        "_next",
        "_refused",
        "_response",
        "_server",
        "_warnings",
        "status",
    )

    def __init__(self, dialect: Dialect) -> None:
        self.status: str | None = None
        self._dialect = dialect
        self._id = ""
        self._model = ""
        self._refused = False
        self._calls: dict[int, int] = {}
        self._items = Items()
        self._response: dict[str, Any] = {}
        self._annotations: list[dict[str, Any]] = []
        self._logprobs: list[dict[str, Any]] = []
        self._server: list[dict[str, Any]] = []
        self._warnings: dict[str, None] = {}
        self._next: int | None = None
        self._gap = False

    @property
    def origin(self) -> str:
        """Marks opaque parts that only this vendor understands, in this format."""
        return origin(self._dialect)

    def count(self, told: dict[str, Any]) -> None:
        """See whether events were left out before *told*; servers that do not number have none."""
        number = told.get("sequence_number")
        if isinstance(number, int):
            self._gap = self._gap or (self._next is not None and number > self._next)
            self._next = number + 1

    def read(self, told: dict[str, Any], name: str) -> list[StreamEvent]:
        """The events in *told*, which is the event *name* of a stream and does not close it."""
        events: list[StreamEvent] = []
        if name in _DELTAS:
            kind, channel = _DELTAS[name]
            self._say(self._items.find(told, kind), channel, as_str(told.get("delta")), events)
        elif name in _WHOLES:
            kind, channel, field = _WHOLES[name]
            item = self._items.find(told, kind)
            if channel not in item.said:
                self._say(item, channel, as_str(told.get(field)), events)
        elif name in {"response.output_item.added", "response.output_item.done"}:
            entry = as_dict(told.get("item"))
            kind = as_str(entry.get("type"))
            if kind and name.endswith("added"):
                self._announce(self._items.begin(told, kind), entry, events)
            elif kind:
                self._settle(self._items.find(told, kind), entry, events)
        elif "response" in told:
            self._start(as_dict(told["response"]), events)
        return events

    def close(self, response: dict[str, Any], status: str | None = None) -> list[StreamEvent]:
        """The last events: those in *response*, the whole answer, that have not been told yet."""
        events: list[StreamEvent] = []
        self._start(response, events)
        for entry in map(as_dict, as_list(response.get("output"))):
            if kind := as_str(entry.get("type")):
                self._settle(self._items.close(entry, kind), entry, events)
        self.status = as_str(response.get("status")) or status
        if self.status in _PENDING:
            self._warnings[_LATER] = None
        if self._gap and (self._items.unchecked or _CONTRADICTION in self._warnings):
            self._warnings[_GAP] = None
        self._response = response
        events.append(self._end())
        return events

    def _end(self) -> StreamEnd:
        details = {name: self._response.get(name) for name in _DETAILS}
        details["annotations"] = self._annotations
        details["server_tools"] = [item for item in self._server if _is_small(item)]
        usage = self._response.get("usage")
        return StreamEnd(
            self._normal_reason(),
            finish_reason_raw=self.status,
            usage=decode_usage(usage, self._dialect),
            cost=decode_cost(usage, self._dialect),
            warnings=tuple(self._warnings),
            logprobs=tuple(self._logprobs),
            details={key: value for key, value in details.items() if value and _is_small(value)},
        )

    def _start(self, response: dict[str, Any], events: list[StreamEvent]) -> None:
        id_, model = as_str(response.get("id")), as_str(response.get("model"))
        if (id_ and not self._id) or (model and not self._model):
            self._id, self._model = self._id or id_, self._model or model
            events.append(StreamStart(self._id or None, self._model or None))

    def _say(self, item: Item, channel: str, text: str, events: list[StreamEvent]) -> None:
        if not text:
            return
        item.said.setdefault(channel, []).append(text)
        if channel == _TEXT:
            events.append(TextDelta(text))
        elif channel == _THOUGHT:
            events.append(ReasoningDelta(text))
        elif channel == _REFUSAL:
            self._refused = True
            events.append(RefusalDelta(text))
        else:
            events.append(ToolCallDelta(self._call(item), arguments=text))

    def _call(self, item: Item) -> int:
        """The place of *item* among the calls."""
        return self._calls.setdefault(item.position, len(self._calls))

    def _announce(self, item: Item, entry: dict[str, Any], events: list[StreamEvent]) -> None:
        """What has to be told of *item* before its words."""
        if item.kind in CALLS:
            id_ = as_str(entry.get("call_id")) or as_str(entry.get("id"))
            name = as_str(entry.get("name"))
            if name and not item.named:
                item.named = True
                events.append(ToolCallDelta(self._call(item), id_ or None, name))
        elif item.kind == MESSAGE and not (item.said or item.named):
            phase = as_str(entry.get("phase"))
            if phase:
                item.named = True
                events.append(ReasoningDelta("", {"phase": phase}, self.origin))

    def _settle(self, item: Item, entry: dict[str, Any], events: list[StreamEvent]) -> None:
        """What *entry*, which is *item* as a whole, has that was not told yet."""
        if item.settled:
            return
        item.settled = True
        self._announce(item, entry, events)
        if item.kind == MESSAGE:
            self._settle_message(item, entry, events)
        elif item.kind == REASONING:
            self._fill(item, _THOUGHT, thoughts(entry), events)
            if entry.get("encrypted_content"):
                self._keep(entry, events)
        elif item.kind in CALLS:
            self._fill(item, _ARGUMENTS, arguments(entry.get(CALLS[item.kind])), events)
            travels = {name: entry[name] for name in _TRAVELS if _matters(entry.get(name))}
            if item.kind == CUSTOM_CALL:
                travels["type"] = CUSTOM_CALL
            if travels:
                call = self._call(item)
                events.append(ToolCallDelta(call, opaque=travels, origin=self.origin))
        else:
            self._server.append(entry)
            if entry.get("encrypted_content") or _is_small(entry):
                self._keep(entry, events)

    def _settle_message(self, item: Item, entry: dict[str, Any], events: list[StreamEvent]) -> None:
        parts = as_list(entry.get("content"))
        self._fill(item, _TEXT, words(parts, "output_text"), events)
        self._fill(item, _REFUSAL, words(parts, "refusal", "refusal"), events)
        for part in map(as_dict, parts):
            self._annotations += map(as_dict, as_list(part.get("annotations")))
            self._logprobs += map(as_dict, as_list(part.get("logprobs")))

    def _fill(self, item: Item, channel: str, whole: str, events: list[StreamEvent]) -> None:
        rest = item.rest(channel, whole)
        if rest is not None:
            self._say(item, channel, rest, events)
        elif whole and channel != _THOUGHT:
            self._warnings[_CONTRADICTION] = None

    def _keep(self, entry: dict[str, Any], events: list[StreamEvent]) -> None:
        """Have *entry* given back with the next request."""
        kept = {name: value for name, value in entry.items() if name != "status" or value}
        events.append(ReasoningDelta("", {"item": kept}, self.origin))

    def _normal_reason(self) -> FinishReason:
        if self.status == "incomplete":
            reason = as_str(as_dict(self._response.get("incomplete_details")).get("reason"))
            return _INCOMPLETE.get(reason, FinishReason.UNKNOWN)
        reason = _STATUSES.get(self.status or "", FinishReason.UNKNOWN)
        if reason is FinishReason.ERROR:
            return reason
        if self._calls:
            return FinishReason.TOOL_CALLS
        return FinishReason.REFUSAL if self._refused else reason


def origin(dialect: Dialect) -> str:
    """Marks opaque parts that only this vendor understands, in this format."""
    return f"openai_responses:{dialect.name}"


def _matters(value: object) -> bool:
    return bool(value) and value != {"type": "direct"}


def _is_small(value: object) -> bool:
    return len(repr(value)) <= _SMALL
