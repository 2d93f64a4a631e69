"""Reads an answer, whole or in pieces, into events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.events import StreamEnd, StreamStart
from ...core.results import FinishReason
from ..values import as_dict, as_list, as_str
from .blocks import ANSWER_TOOL, AnswerBlock, CallBlock, OpaqueBlock, TextBlock, ThinkingBlock
from .usage import contradictions, decode_usage, merged, service_tier

if TYPE_CHECKING:
    from ...core.events import StreamEvent
    from .blocks import Block
    from .dialect import Dialect

FINISH_REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.REFUSAL,
    "pause_turn": FinishReason.PAUSE,
    "compaction": FinishReason.PAUSE,
    "model_context_window_exceeded": FinishReason.CONTEXT_OVERFLOW,
}
_UNDECIDED = {FinishReason.STOP, FinishReason.UNKNOWN}
_DETAILS = ("stop_sequence", "stop_details", "container", "context_management", "diagnostics")
_DETAIL_LENGTH = 32 * 1024


class AnswerReader:
    """
    The state of one answer.

    Attributes:
        usage: The record of usage, as far as it has been told.
    """

    __slots__ = (
        "_answered",
        "_calls",
        "_citations",
        "_details",
        "_dialect",
        "_open",
        "_reason",
        "_server_tools",
        "usage",
    )

    def __init__(self, dialect: Dialect) -> None:
        self.usage: dict[str, Any] = {}
        self._dialect = dialect
        self._open: dict[int | None, Block] = {}
        self._calls = 0
        self._answered = False
        self._reason: str | None = None
        self._citations: list[dict[str, Any]] = []
        self._server_tools: list[dict[str, Any]] = []
        self._details: dict[str, Any] = {}

    def message(self, told: dict[str, Any]) -> list[StreamEvent]:
        """The events of a message: all of it, or what a stream begins with."""
        events: list[StreamEvent] = []
        id_, model = as_str(told.get("id")), as_str(told.get("model"))
        if id_ or model:
            events.append(StreamStart(id_ or None, model or None))
        for position, block in enumerate(as_list(told.get("content"))):
            events += self.begin(position, as_dict(block))
            events += self.stop(position)
        self.progress(told, told.get("usage"))
        return events

    def begin(self, index: int | None, told: dict[str, Any]) -> list[StreamEvent]:
        """A block begins."""
        events = self.stop(index)
        block = self._open[index] = self._block(told)
        return events + block.begin()

    def add(self, index: int | None, delta: dict[str, Any]) -> list[StreamEvent]:
        """A block goes on; one of words needs no beginning."""
        block = self._open.get(index)
        if block is None:
            if delta.get("type") != "text_delta":
                return []
            block = self._open[index] = TextBlock({}, self._citations)
        return block.add(delta)

    def stop(self, index: int | None) -> list[StreamEvent]:
        """A block ends."""
        block = self._open.pop(index, None)
        return [] if block is None else block.end()

    def progress(self, told: dict[str, Any], usage: object) -> None:
        """What is known now of the answer as a whole."""
        self._reason = as_str(told.get("stop_reason")) or self._reason
        self.usage = merged(self.usage, usage)
        self._details.update({name: told[name] for name in _DETAILS if told.get(name)})

    def end(self) -> list[StreamEvent]:
        """The last events."""
        events = [event for index in list(self._open) for event in self.stop(index)]
        events.append(
            StreamEnd(
                self._normal_reason(),
                finish_reason_raw=self._reason,
                usage=decode_usage(self.usage),
                warnings=contradictions(self.usage),
                details=self._all_details(),
            )
        )
        return events

    def _block(self, told: dict[str, Any]) -> Block:
        kind, origin = told.get("type"), self._dialect.origin
        if kind == "text":
            return TextBlock(told, self._citations)
        if kind == "thinking":
            return ThinkingBlock(told, origin)
        if kind != "tool_use":
            return OpaqueBlock(told, origin, self._server_tools)
        if told.get("name") == ANSWER_TOOL:
            self._answered = True
            return AnswerBlock(told)
        self._calls += 1
        return CallBlock(told, self._calls - 1, origin)

    def _normal_reason(self) -> FinishReason:
        reason = FINISH_REASONS.get((self._reason or "").lower(), FinishReason.UNKNOWN)
        if reason in _UNDECIDED and self._calls:
            return FinishReason.TOOL_CALLS
        if reason is FinishReason.TOOL_CALLS and self._answered and not self._calls:
            return FinishReason.STOP
        return reason

    def _all_details(self) -> dict[str, Any]:
        found = {
            **self._details,
            "service_tier": service_tier(self.usage),
            "inference_geo": self.usage.get("inference_geo"),
            "citations": self._citations,
            "server_tools": self._server_tools,
        }
        return {
            name: value
            for name, value in found.items()
            if value and len(repr(value)) <= _DETAIL_LENGTH
        }
