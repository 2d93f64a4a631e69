"""Answers, as a server writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from ....core.messages import Reasoning, ToolCall
from ....core.results import FinishReason
from ...adaptations import Adaptations
from ...values import encode_json
from ..dialect import GEMINI, GeminiDialect, known
from ..messages import MessageEncoder
from ..rules import ANY_MODEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ....core.embeddings import Embedding
    from ....core.errors import ProviderError
    from ....core.events import StreamEvent
    from ....core.messages import Part
    from ....core.results import Generation
    from ....core.usage import Usage

_FINISH_REASONS = {
    FinishReason.LENGTH: "MAX_TOKENS",
    FinishReason.CONTEXT_OVERFLOW: "MAX_TOKENS",
    FinishReason.CONTENT_FILTER: "SAFETY",
    FinishReason.PAUSE: "CONTINUATION",
    FinishReason.ERROR: "OTHER",
}
"""Everything else is `STOP`."""
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def encode_generation(generation: Generation, dialect: GeminiDialect = GEMINI) -> bytes:
    """The body of a whole answer."""
    metadata = generation.metadata
    candidate: dict[str, Any] = {
        "content": {"role": "model", "parts": _parts(generation.message.parts, dialect)},
        "finishReason": _finish_reason(metadata.finish_reason),
        "index": 0,
    }
    logprobs = _logprobs(metadata.logprobs)
    if logprobs:
        candidate["logprobsResult"] = logprobs
    body: dict[str, Any] = {
        "candidates": [candidate],
        **_facts(metadata.response_id, metadata.model),
    }
    if metadata.usage is not None:
        body["usageMetadata"] = _usage(metadata.usage)
    return encode_json(body)


class StreamEncoder:
    """
    Writes the events of one answer as server-sent events.

    A call is written when it is whole, as this format has it.

    Args:
        response_id: The answer's id, until a `StreamStart` tells another.
        model: The model's name, likewise.
        dialect: Whose opaque parts are handed on.
    """

    def __init__(
        self, *, response_id: str = "", model: str = "", dialect: GeminiDialect = GEMINI
    ) -> None:
        self._id = response_id
        self._model = model
        self._dialect = dialect
        self._calls: dict[int, list[ToolCallDelta]] = {}

    def encode_event(self, event: StreamEvent) -> bytes:
        """The bytes to send for *event*; there may be none."""
        if isinstance(event, ToolCallDelta):
            sent = b"" if event.index in self._calls else self._whole_calls()
            self._calls.setdefault(event.index, []).append(event)
            return sent
        return self._whole_calls() + self._told(event)

    def encode_error(self, error: ProviderError) -> bytes:
        """The bytes that end a stream that failed."""
        return _event(encode_error(error))

    def _told(self, event: StreamEvent) -> bytes:
        if isinstance(event, StreamStart):
            self._id = event.response_id or self._id
            self._model = event.model or self._model
            return b""
        if isinstance(event, TextDelta | RefusalDelta):
            return self._chunk([{"text": event.text}])
        if isinstance(event, ReasoningDelta):
            return self._reasoning(event)
        return self._end(event) if isinstance(event, StreamEnd) else b""

    def _reasoning(self, event: ReasoningDelta) -> bytes:
        if event.opaque is None:
            return self._chunk([{"text": event.text, "thought": True}]) if event.text else b""
        parts = _parts([Reasoning(event.text, event.opaque, event.origin)], self._dialect)
        return self._chunk(parts) if parts else b""

    def _whole_calls(self) -> bytes:
        if not self._calls:
            return b""
        calls: list[Part] = []
        for index, deltas in self._calls.items():
            last = next((each for each in reversed(deltas) if each.opaque is not None), None)
            calls.append(
                ToolCall(
                    next((each.id for each in deltas if each.id), f"call_{index}"),
                    next((each.name for each in deltas if each.name), ""),
                    "".join(each.arguments for each in deltas),
                    None if last is None else last.opaque,
                    None if last is None else last.origin,
                )
            )
        self._calls = {}
        return self._chunk(_parts(calls, self._dialect))

    def _chunk(self, parts: list[dict[str, Any]]) -> bytes:
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
        return _event(encode_json({"candidates": [candidate], **_facts(self._id, self._model)}))

    def _end(self, end: StreamEnd) -> bytes:
        candidate: dict[str, Any] = {
            "content": {"role": "model", "parts": [{"text": ""}]},
            "finishReason": _finish_reason(end.finish_reason),
            "index": 0,
        }
        logprobs = _logprobs(end.logprobs)
        if logprobs:
            candidate["logprobsResult"] = logprobs
        body: dict[str, Any] = {"candidates": [candidate], **_facts(self._id, self._model)}
        if end.usage is not None:
            body["usageMetadata"] = _usage(end.usage)
        return _event(encode_json(body))


def encode_error(error: ProviderError) -> bytes:
    """The body of a response that fails; it names the status that the error came with."""
    status = error.status_code or error.verdict.http
    details: list[dict[str, Any]] = []
    if error.code:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        details.append({"@type": kind, "reason": error.code})
    if error.retry_after is not None:
        kind = "type.googleapis.com/google.rpc.RetryInfo"
        details.append({"@type": kind, "retryDelay": f"{error.retry_after:g}s"})
    told = {
        "code": status,
        "message": error.message,
        "status": _STATUSES.get(status, "INTERNAL"),
        **({"details": details} if details else {}),
    }
    return encode_json({"error": told})


def encode_embeddings(
    vectors: Sequence[Embedding], *, verb: str, usage: Usage | None = None
) -> bytes:
    """The body of an answer of *vectors* to what the client calls *verb*."""
    values = [{"values": vector.tolist()} for vector in vectors]
    body: dict[str, Any] = {"embeddings": values}
    if verb == "predict":
        body = {"predictions": [{"embeddings": each} for each in values]}
    elif verb == "embedContent":
        body = {"embedding": values[0]}
    if usage is not None:
        body["usageMetadata"] = _usage(usage)
    return encode_json(body)


def _parts(parts: Iterable[Part], dialect: GeminiDialect) -> list[dict[str, Any]]:
    """*parts* of an answer, thoughts that may be read included."""
    encoder = MessageEncoder(dialect, ANY_MODEL, Adaptations(strict=False))
    said: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, Reasoning) and part.opaque is None:
            said.append({"text": part.text, "thought": True})
        else:
            encoder.add(part, said)
    return said


def _facts(response_id: str | None, model: str | None) -> dict[str, object]:
    told = (("modelVersion", model), ("responseId", response_id))
    return {name: value for name, value in told if value}


def _finish_reason(reason: FinishReason | None) -> str:
    return _FINISH_REASONS.get(reason or FinishReason.STOP, "STOP")


def _logprobs(entries: Iterable[Any]) -> dict[str, Any]:
    told = [dict(entry) for entry in entries]
    if not told:
        return {}
    return {
        "chosenCandidates": [_logprob(entry) for entry in told],
        "topCandidates": [
            {"candidates": [_logprob(dict(top)) for top in entry.get("top_logprobs", ())]}
            for entry in told
        ],
    }


def _logprob(entry: dict[str, Any]) -> dict[str, Any]:
    return {"token": entry.get("token"), "logProbability": entry.get("logprob")}


def _usage(usage: Usage) -> dict[str, Any]:
    shown = usage.output_tokens
    if shown is not None:
        shown -= usage.reasoning_tokens or 0
    counts = (
        ("promptTokenCount", usage.input_tokens),
        ("cachedContentTokenCount", usage.cache_read_tokens),
        ("candidatesTokenCount", shown),
        ("thoughtsTokenCount", usage.reasoning_tokens),
        ("totalTokenCount", usage.total_tokens),
    )
    return known(counts)


def _event(data: bytes) -> bytes:
    return b"data: " + data + b"\r\n\r\n"
