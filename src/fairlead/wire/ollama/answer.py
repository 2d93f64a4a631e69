"""Reads an answer, whole or in lines, into events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...core.events import ReasoningDelta, StreamEnd, StreamStart, TextDelta, ToolCallDelta
from ...core.results import FinishReason
from ...core.usage import Usage
from ..values import as_count, as_dict, as_list, as_str
from .messages import ORIGIN

if TYPE_CHECKING:
    from ...core.events import StreamEvent

FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "": FinishReason.ERROR,
}
_MEASURES = ("_count", "_duration")


class AnswerReader:
    """The state of one answer."""

    __slots__ = ("_calls", "_logprobs", "_model", "_thinking")

    def __init__(self) -> None:
        self._model = ""
        self._thinking = False
        self._calls = 0
        self._logprobs: list[dict[str, Any]] = []

    def read(self, line: dict[str, Any]) -> list[StreamEvent]:
        """The events in *line*; the last of all if it says that it is done."""
        events: list[StreamEvent] = []
        model = as_str(line.get("model"))
        if model and not self._model:
            self._model = model
            events.append(StreamStart(None, model))
        # What a completion without a chat has says the same at the top.
        said = as_dict(line.get("message")) or {**line, "content": line.get("response")}
        self._said(said, events)
        self._logprobs += [as_dict(entry) for entry in as_list(line.get("logprobs"))]
        if line.get("done") is True:
            self._close(events)
            events.append(self._end(line))
        return events

    def _said(self, said: dict[str, Any], events: list[StreamEvent]) -> None:
        thought, text = as_str(said.get("thinking")), as_str(said.get("content"))
        if thought:
            self._thinking = True
            events.append(ReasoningDelta(thought))
        if text:
            self._close(events)
            events.append(TextDelta(text))
        for call in map(as_dict, as_list(said.get("tool_calls"))):
            self._call(call, events)

    def _call(self, call: dict[str, Any], events: list[StreamEvent]) -> None:
        function = as_dict(call.get("function"))
        if not function:
            return
        self._close(events)
        id_ = as_str(call.get("id")) or None
        name = as_str(function.get("name"))
        arguments = _arguments(function.get("arguments"))
        events.append(ToolCallDelta(self._calls, id_, name, arguments))
        self._calls += 1

    def _close(self, events: list[StreamEvent]) -> None:
        """Other words begin: what was thought is to be given back."""
        if self._thinking:
            self._thinking = False
            events.append(ReasoningDelta("", {"field": "thinking"}, ORIGIN))

    def _end(self, line: dict[str, Any]) -> StreamEnd:
        raw = line.get("done_reason")
        reason = FinishReason.UNKNOWN
        if isinstance(raw, str):
            reason = FINISH_REASONS.get(raw, FinishReason.UNKNOWN)
        if self._calls and reason in {FinishReason.STOP, FinishReason.UNKNOWN}:
            reason = FinishReason.TOOL_CALLS
        return StreamEnd(
            reason,
            finish_reason_raw=raw if isinstance(raw, str) else None,
            usage=decode_usage(line),
            logprobs=tuple(self._logprobs),
        )


def decode_usage(told: dict[str, Any]) -> Usage | None:
    """What *told* says of tokens and time. The prompt's are left out where it was cached."""
    raw = {name: value for name, value in told.items() if name.endswith(_MEASURES)}
    if not raw:
        return None
    return Usage(
        # The server leaves out a zero: what was cached altogether is not counted, not nothing.
        input_tokens=as_count(raw.get("prompt_eval_count")) or None,
        output_tokens=as_count(raw.get("eval_count")),
        raw=raw,
    )


def _arguments(told: object) -> str:
    """An object as a rule; JSON text is taken as it is."""
    if isinstance(told, dict):
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return as_str(told)
