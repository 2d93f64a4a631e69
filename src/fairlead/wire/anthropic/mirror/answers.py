"""Answers, as a server writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ....core.errors import (
    AuthenticationError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
)
from ....core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from ....core.messages import Reasoning, Refusal, Text, ToolCall
from ....core.results import FinishReason
from ...values import as_dict, encode_json

if TYPE_CHECKING:
    from ....core.errors import ProviderError
    from ....core.events import StreamEvent
    from ....core.messages import Part
    from ....core.results import Generation
    from ....core.usage import Usage

_REASONS = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.CONTENT_FILTER: "refusal",
    FinishReason.REFUSAL: "refusal",
    FinishReason.PAUSE: "pause_turn",
    FinishReason.CONTEXT_OVERFLOW: "model_context_window_exceeded",
}
_KINDS: tuple[tuple[type[ProviderError], str], ...] = (
    (AuthenticationError, "authentication_error"),
    (PermissionDeniedError, "permission_error"),
    (ModelNotFoundError, "not_found_error"),
    (QuotaExceededError, "billing_error"),
    (RateLimitError, "rate_limit_error"),
    (OverloadedError, "overloaded_error"),
    (InvalidRequestError, "invalid_request_error"),
)


def encode_generation(generation: Generation) -> bytes:
    """The body of a plain answer."""
    metadata = generation.metadata
    blocks = [block for part in generation.message.parts if (block := _block(part)) is not None]
    return encode_json(
        {
            **_head(metadata.response_id, metadata.model),
            "content": blocks,
            "stop_reason": _reason(metadata.finish_reason),
            "stop_sequence": None,
            "usage": _usage(metadata.usage),
        }
    )


class StreamEncoder:
    """
    Writes the events of one answer as server-sent events.

    Args:
        response_id: The answer's id, until a `StreamStart` tells another.
        model: The model's name, likewise.
    """

    def __init__(self, *, response_id: str = "", model: str = "") -> None:
        self._id = response_id
        self._model = model
        self._started = False
        self._index = -1
        self._open: dict[tuple[str, int], int] = {}
        """The index of each open block, by its kind and the place of its call."""

    def encode_event(self, event: StreamEvent) -> bytes:
        """The bytes to send for *event*; there may be none."""
        if isinstance(event, StreamStart):
            self._id, self._model = event.response_id or self._id, event.model or self._model
            return self._start()
        before = self._start()
        if isinstance(event, StreamEnd):
            return before + self._end(event)
        if isinstance(event, ReasoningDelta):
            return before + self._thought(event)
        if isinstance(event, ToolCallDelta):
            return before + self._call(event)
        return before + self._said(event)

    def encode_error(self, error: ProviderError) -> bytes:
        """The bytes that end a stream that failed."""
        return b"event: error\ndata: " + encode_error(error) + b"\n\n"

    def _start(self) -> bytes:
        if self._started:
            return b""
        self._started = True
        message: dict[str, Any] = {
            **_head(self._id, self._model),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        return _event("message_start", message=message)

    def _said(self, event: TextDelta | RefusalDelta) -> bytes:
        if not event.text:
            return b""
        words = ("text", 0)
        opening = self._turn_to(words, {"type": "text", "text": ""})
        return opening + self._delta(words, "text_delta", text=event.text)

    def _thought(self, event: ReasoningDelta) -> bytes:
        block = dict(as_dict((event.opaque or {}).get("block")))
        if block and block.get("type") != "thinking":
            return self._turn_to(("opaque", self._index), block) + self._close()
        if not (event.text or block):
            return b""
        thought = ("thinking", 0)
        sent = self._turn_to(thought, {"type": "thinking", "thinking": "", "signature": ""})
        if event.text:
            sent += self._delta(thought, "thinking_delta", thinking=event.text)
        if block:
            signature = block.get("signature", "")
            sent += self._delta(thought, "signature_delta", signature=signature) + self._close()
        return sent

    def _call(self, event: ToolCallDelta) -> bytes:
        call = ("tool_use", event.index)
        block: dict[str, Any] = {
            **(event.opaque or {}),
            "type": "tool_use",
            "id": event.id or f"call_{event.index}",
            "name": event.name or "",
            "input": {},
        }
        sent = self._turn_to(call, block)
        if event.arguments:
            sent += self._delta(call, "input_json_delta", partial_json=event.arguments)
        return sent

    def _turn_to(self, key: tuple[str, int], block: dict[str, Any]) -> bytes:
        """Begin a block; calls may be told side by side, and nothing else."""
        if key in self._open:
            return b""
        beside = key[0] == "tool_use" and all(kind == "tool_use" for kind, _ in self._open)
        sent = b"" if beside else self._close()
        self._index += 1
        self._open[key] = self._index
        return sent + _event("content_block_start", index=self._index, content_block=block)

    def _delta(self, key: tuple[str, int], kind: str, **told: str) -> bytes:
        delta = {"type": kind, **told}
        return _event("content_block_delta", index=self._open[key], delta=delta)

    def _close(self) -> bytes:
        indexes = list(self._open.values())
        self._open.clear()
        return b"".join(_event("content_block_stop", index=index) for index in indexes)

    def _end(self, end: StreamEnd) -> bytes:
        delta = {"stop_reason": _reason(end.finish_reason), "stop_sequence": None}
        sent = [self._close(), _event("message_delta", delta=delta, usage=_usage(end.usage))]
        return b"".join([*sent, _event("message_stop")])


def encode_error(error: ProviderError) -> bytes:
    """The body of a response that fails; its status is the gateway's of `error.verdict`."""
    kind = next((word for kind, word in _KINDS if isinstance(error, kind)), "api_error")
    return encode_json({"type": "error", "error": {"type": kind, "message": error.message}})


def _head(response_id: str | None, model: str | None) -> dict[str, Any]:
    return {
        "id": response_id or "",
        "type": "message",
        "role": "assistant",
        "model": model or "",
    }


def _block(part: Part) -> dict[str, Any] | None:
    if isinstance(part, (Text, Refusal)):
        return {"type": "text", "text": part.text}
    if isinstance(part, ToolCall):
        told = {"type": "tool_use", "id": part.id, "name": part.name, "input": _input(part)}
        return {**told, **(part.opaque or {})}
    if not isinstance(part, Reasoning):
        return None
    block = dict(as_dict((part.opaque or {}).get("block")))
    if block.get("type", "thinking") != "thinking":
        return block
    return {"type": "thinking", "thinking": part.text, "signature": "", **block}


def _input(call: ToolCall) -> Any:
    try:
        return json.loads(call.arguments or "{}")
    except ValueError:
        return {}


def _reason(reason: FinishReason | None) -> str | None:
    return _REASONS.get(reason, "end_turn") if reason is not None else None


def _usage(usage: Usage | None) -> dict[str, Any]:
    """The format insists on counts; those that nobody knows are 0."""
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0}
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    counts = {
        "input_tokens": (usage.input_tokens or 0) - cached,
        "output_tokens": usage.output_tokens or 0,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
    }
    told: dict[str, Any] = {name: count for name, count in counts.items() if count is not None}
    hour = usage.apart.get("cache_write_1h", 0)
    if hour:
        rest = (usage.cache_write_tokens or 0) - hour
        told["cache_creation"] = {
            "ephemeral_5m_input_tokens": rest,
            "ephemeral_1h_input_tokens": hour,
        }
    if usage.reasoning_tokens is not None:
        told["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return told


def _event(kind: str, **told: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + encode_json({"type": kind, **told}) + b"\n\n"
