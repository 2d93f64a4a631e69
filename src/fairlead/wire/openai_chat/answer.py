"""
Reads an answer, whole or in chunks, into events.

A whole answer is one chunk whose `message` stands where a stream has `delta`, so there is one
reader for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.events import RefusalDelta, StreamEnd, StreamStart, TextDelta
from ...core.results import FinishReason
from ..values import as_dict, as_list, as_str
from .calls import CallReader
from .reasoning import ReasoningReader
from .usage import decode_cost, decode_usage

if TYPE_CHECKING:
    from ...core.events import StreamEvent
    from .dialect import Dialect

FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "eos_token": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "tool_use": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
    "refusal": FinishReason.REFUSAL,
    "error": FinishReason.ERROR,
}
_UNDECIDED = {FinishReason.STOP, FinishReason.UNKNOWN}
_DETAILS = frozenset(
    {
        "system_fingerprint",
        "service_tier",
        "provider",
        "citations",
        "moderation",
        "prompt_filter_results",
    }
)
_MESSAGE_DETAILS = frozenset({"annotations"})
_DETAIL_LENGTH = 32 * 1024


class AnswerReader:
    """
    The state of one answer. Of several choices it reads the first.

    Attributes:
        usage: The last record of usage, as it came. Records are never added up.
        finish_reason: The vendor's last word on why the answer ended; None before it.
    """

    __slots__ = (
        "_calls",
        "_details",
        "_dialect",
        "_id",
        "_logprobs",
        "_model",
        "_reasoning",
        "_refused",
        "finish_reason",
        "usage",
    )

    def __init__(self, dialect: Dialect) -> None:
        self.usage: object = None
        self.finish_reason: str | None = None
        self._dialect = dialect
        self._id = ""
        self._model = ""
        self._refused = False
        self._calls = CallReader(dialect.origin)
        self._reasoning = ReasoningReader(dialect)
        self._logprobs: list[dict[str, Any]] = []
        self._details: dict[str, Any] = {}

    @property
    def started(self) -> bool:
        """Whether the answer's id and model are known."""
        return self._id != "" and self._model != ""

    @property
    def reasoning(self) -> bool:
        """Whether reasoning has begun that the next words will end."""
        return self._reasoning.open

    def read(self, chunk: dict[str, Any], *, whole: bool = False) -> list[StreamEvent]:
        """The events in *chunk*, which is the whole answer or a part of a stream."""
        events: list[StreamEvent] = []
        if not self.started:
            self._start(chunk, events)
        for choice in map(as_dict, as_list(chunk.get("choices"))):
            if choice and not choice.get("index"):
                self._choice(choice, events, whole=whole)
                break
        usage = chunk.get("usage") or as_dict(chunk.get("x_groq")).get("usage")
        if usage:
            self.usage = usage
        self._keep(chunk, _DETAILS)
        return events

    def end(self) -> list[StreamEvent]:
        """The last events."""
        events: list[StreamEvent] = []
        self._reasoning.close(events)
        events.append(
            StreamEnd(
                self._normal_reason(),
                finish_reason_raw=self.finish_reason,
                usage=decode_usage(self.usage, self._dialect),
                cost=decode_cost(self.usage, self._dialect),
                logprobs=tuple(self._logprobs),
                details={key: value for key, value in self._details.items() if _is_small(value)},
            )
        )
        return events

    def _start(self, chunk: dict[str, Any], events: list[StreamEvent]) -> None:
        id_, model = as_str(chunk.get("id")), as_str(chunk.get("model"))
        if (id_ and not self._id) or (model and not self._model):
            self._id, self._model = self._id or id_, self._model or model
            events.append(StreamStart(self._id or None, self._model or None))

    def _choice(self, choice: dict[str, Any], events: list[StreamEvent], *, whole: bool) -> None:
        said, other = as_dict(choice.get("delta")), as_dict(choice.get("message"))
        self._message((other or said) if whole else (said or other), events)
        logprobs = as_dict(choice.get("logprobs"))
        if logprobs:
            for name in ("content", "refusal"):
                self._logprobs += [as_dict(entry) for entry in as_list(logprobs.get(name))]
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and (reason or whole):
            self.finish_reason = reason

    def _message(self, said: dict[str, Any], events: list[StreamEvent]) -> None:
        told = {name: value for name, value in said.items() if value}
        self._reasoning.read(told, events)
        self._content(told.get("content"), events)
        self._refusal(told, events)
        if "tool_calls" in told or "function_call" in told:
            calls = self._calls.read(told)
            if calls:
                self._reasoning.close(events)
                events += calls
        self._keep(told, _MESSAGE_DETAILS)

    def _content(self, content: object, events: list[StreamEvent]) -> None:
        if isinstance(content, str):
            if content:
                self._reasoning.close(events)
                events.append(TextDelta(content))
            return
        for part in as_list(content):
            if isinstance(part, str):
                self._content(part, events)
            elif not self._reasoning.read_part(as_dict(part), events):
                self._content(as_str(as_dict(part).get("text")), events)
                self._refusal(as_dict(part), events)

    def _refusal(self, said: dict[str, Any], events: list[StreamEvent]) -> None:
        refusal = as_str(said.get("refusal"))
        if refusal:
            self._refused = True
            self._reasoning.close(events)
            events.append(RefusalDelta(refusal))

    def _keep(self, told: dict[str, Any], names: frozenset[str]) -> None:
        for name in names.intersection(told):
            if told[name]:
                self._details[name] = told[name]

    def _normal_reason(self) -> FinishReason:
        reason = FINISH_REASONS.get((self.finish_reason or "").lower(), FinishReason.UNKNOWN)
        if reason in _UNDECIDED and self._calls:
            return FinishReason.TOOL_CALLS
        if reason in _UNDECIDED and self._refused:
            return FinishReason.REFUSAL
        return reason


def _is_small(value: object) -> bool:
    return len(repr(value)) <= _DETAIL_LENGTH
