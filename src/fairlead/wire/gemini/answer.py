"""
Reads an answer, whole or in chunks, into events.

Every chunk of a stream is an answer of its own kind with less in it, so there is one reader.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...core.events import ReasoningDelta, StreamEnd, StreamStart, TextDelta, ToolCallDelta
from ...core.results import FinishReason
from ..values import as_dict, as_list, as_str
from .usage import decode_usage

if TYPE_CHECKING:
    from ...core.events import StreamEvent
    from .dialect import GeminiDialect


def _reasons(reason: FinishReason, words: str) -> dict[str, FinishReason]:
    return dict.fromkeys(words.split(), reason)


FINISH_REASONS: dict[str, FinishReason] = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "CONTINUATION": FinishReason.PAUSE,
    **_reasons(
        FinishReason.CONTENT_FILTER,
        """
        SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT
        IMAGE_RECITATION LANGUAGE MODEL_ARMOR ESCALATION
        """,
    ),
    **_reasons(
        FinishReason.ERROR,
        """
        MALFORMED_FUNCTION_CALL MALFORMED_RESPONSE UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS
        MISSING_THOUGHT_SIGNATURE OTHER NO_IMAGE IMAGE_OTHER PUP_LIMITED_DISABLED
        """,
    ),
}
_SERVER_TOOLS = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
_CANDIDATE_DETAILS = {
    "avgLogprobs": "avg_logprobs",
    "citationMetadata": "citations",
    "finishMessage": "finish_message",
    "groundingMetadata": "grounding",
    "safetyRatings": "safety_ratings",
    "urlContextMetadata": "url_context",
    "continuationToken": "continuation_token",
}
_DETAIL_LENGTH = 32 * 1024


class GeminiAnswerReader:
    """
    The state of one answer. Of several candidates it reads the first.

    Attributes:
        finish_reason: Why the answer ended, or why the prompt was blocked, in the vendor's word;
            None before it.
        understood: Whether anything has been read that belongs to an answer.
    """

    __slots__ = (
        "_blocked",
        "_calls",
        "_details",
        "_id",
        "_logprobs",
        "_model",
        "_origin",
        "_server_tools",
        "_usage",
        "_warnings",
        "finish_reason",
        "understood",
    )

    def __init__(self, dialect: GeminiDialect) -> None:
        self.finish_reason: str | None = None
        self.understood: bool = False
        self._origin = dialect.origin
        self._blocked = False
        self._calls = 0
        self._id = ""
        self._model = ""
        self._usage: object = None
        self._details: dict[str, Any] = {}
        self._logprobs: list[dict[str, Any]] = []
        self._server_tools: list[Any] = []
        self._warnings: dict[str, None] = {}

    def read(self, chunk: dict[str, Any]) -> list[StreamEvent]:
        """The events in *chunk*, which is the whole answer or a part of a stream."""
        events: list[StreamEvent] = []
        if not (self._id and self._model):
            self._start(chunk, events)
        for candidate in map(as_dict, as_list(chunk.get("candidates"))):
            if candidate and not candidate.get("index"):
                self.understood = True
                self._candidate(candidate, events)
                break
        feedback = as_dict(chunk.get("promptFeedback"))
        if feedback:
            self._feedback(feedback)
        usage = as_dict(chunk.get("usageMetadata"))
        if usage:
            self._usage = usage
        return events

    def end(self) -> list[StreamEvent]:
        """The last event."""
        usage = as_dict(self._usage)
        for field, name in (("serviceTier", "service_tier"), ("trafficType", "traffic_type")):
            self._keep(name, as_str(usage.get(field)))
        self._keep("server_tools", self._server_tools)
        return [
            StreamEnd(
                self._normal_reason(),
                finish_reason_raw=self.finish_reason,
                usage=decode_usage(usage),
                warnings=tuple(self._warnings),
                logprobs=tuple(self._logprobs),
                details={key: value for key, value in self._details.items() if _is_small(value)},
            )
        ]

    def _start(self, chunk: dict[str, Any], events: list[StreamEvent]) -> None:
        id_, model = as_str(chunk.get("responseId")), as_str(chunk.get("modelVersion"))
        if (id_ and not self._id) or (model and not self._model):
            self._id, self._model = self._id or id_, self._model or model
            events.append(StreamStart(self._id or None, self._model or None))

    def _candidate(self, candidate: dict[str, Any], events: list[StreamEvent]) -> None:
        for part in map(as_dict, as_list(as_dict(candidate.get("content")).get("parts"))):
            self._part(part, events)
        for field in _CANDIDATE_DETAILS.keys() & candidate.keys():
            self._keep(_CANDIDATE_DETAILS[field], candidate[field])
        if "logprobsResult" in candidate:
            self._logprobs += _logprobs(as_dict(candidate["logprobsResult"]))
        reason = as_str(candidate.get("finishReason"))
        if reason:
            self.finish_reason, self._blocked = reason, False

    def _feedback(self, feedback: dict[str, Any]) -> None:
        self._keep("prompt_feedback", feedback)
        reason = as_str(feedback.get("blockReason"))
        if reason:
            self.understood = True
        if reason and self.finish_reason is None:
            self.finish_reason, self._blocked = reason, True

    def _part(self, part: dict[str, Any], events: list[StreamEvent]) -> None:
        if "functionCall" in part:
            self._call(part, events)
        elif part.get("thought") is True and "text" in part:
            events += self._thought(part)
        elif "text" in part:
            events += self._words(part)
        elif part:
            self._other(part, events)

    def _thought(self, part: dict[str, Any]) -> list[StreamEvent]:
        text = as_str(part["text"])
        if "thoughtSignature" not in part:
            return [ReasoningDelta(text)] if text else []
        kept = {name: value for name, value in part.items() if name != "text"}
        return [ReasoningDelta(text, {**kept, "signs": "thought"}, self._origin)]

    def _words(self, part: dict[str, Any]) -> list[StreamEvent]:
        text = as_str(part["text"])
        told: list[StreamEvent] = [TextDelta(text)] if text else []
        signature = part.get("thoughtSignature")
        if signature:
            opaque = {"thoughtSignature": signature, "signs": "text" if text else "nothing"}
            told.append(ReasoningDelta("", opaque, self._origin))
        return told

    def _call(self, part: dict[str, Any], events: list[StreamEvent]) -> None:
        told = as_dict(part["functionCall"])
        kept = {name: value for name, value in part.items() if name != "functionCall"}
        arguments = told.get("args")
        events.append(
            ToolCallDelta(
                self._calls,
                id=as_str(told.get("id")) or None,
                name=as_str(told.get("name")) or None,
                arguments=json.dumps(as_dict(arguments), ensure_ascii=False),
                opaque=kept or None,
                origin=self._origin if kept else None,
            )
        )
        self._calls += 1

    def _other(self, part: dict[str, Any], events: list[StreamEvent]) -> None:
        """What fairlead has no part for goes back with the next request as it came."""
        tool = next((name for name in _SERVER_TOOLS if name in part), None)
        if tool is not None:
            self._server_tools.append({tool: part[tool]})
        elif "inlineData" in part:
            kind = as_str(as_dict(part["inlineData"]).get("mimeType")) or "unknown type"
            self._warnings[
                f"the answer holds {kind}, which is no text: it is in metadata.parts as the opaque "
                "of a Reasoning part, whose 'inlineData' has it in base64"
            ] = None
        events.append(ReasoningDelta("", part, self._origin))

    def _keep(self, name: str, value: object) -> None:
        if value:
            self._details[name] = value

    def _normal_reason(self) -> FinishReason:
        if self._blocked:
            return FinishReason.CONTENT_FILTER
        reason = FINISH_REASONS.get(self.finish_reason or "", FinishReason.UNKNOWN)
        if reason in {FinishReason.STOP, FinishReason.UNKNOWN} and self._calls:
            return FinishReason.TOOL_CALLS
        return reason


def _logprobs(told: dict[str, Any]) -> list[dict[str, Any]]:
    """One entry for each token, in the words of other formats."""
    chosen = [as_dict(entry) for entry in as_list(told.get("chosenCandidates"))]
    tops = [as_dict(entry) for entry in as_list(told.get("topCandidates"))]
    return [
        {
            **_logprob(entry),
            "top_logprobs": [
                _logprob(as_dict(top))
                for top in as_list((tops[place] if place < len(tops) else {}).get("candidates"))
            ],
        }
        for place, entry in enumerate(chosen)
    ]


def _logprob(entry: dict[str, Any]) -> dict[str, Any]:
    return {"token": as_str(entry.get("token")), "logprob": entry.get("logProbability")}


def _is_small(value: object) -> bool:
    return len(repr(value)) <= _DETAIL_LENGTH
