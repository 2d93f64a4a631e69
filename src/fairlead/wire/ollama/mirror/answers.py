"""Answers, as a server writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....core.events import ReasoningDelta, RefusalDelta, StreamStart, TextDelta, ToolCallDelta
from ....core.messages import ToolCall
from ....core.results import FinishReason
from ...values import as_dict, decode_json, encode_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ....core.embeddings import Embedding
    from ....core.errors import ProviderError
    from ....core.events import StreamEnd, StreamEvent
    from ....core.results import Generation
    from ....core.usage import Usage

_EPOCH = "1970-01-01T00:00:00Z"


def encode_generation(generation: Generation, *, created_at: str = _EPOCH) -> bytes:
    """The body of a plain answer."""
    metadata = generation.metadata
    message: dict[str, Any] = {
        "role": "assistant",
        "content": str(generation) or generation.refusal or "",
    }
    if generation.reasoning:
        message["thinking"] = generation.reasoning
    if generation.tool_calls:
        message["tool_calls"] = [_call(call) for call in generation.tool_calls]
    body = {"model": metadata.model or "", "created_at": created_at, "message": message}
    reason = _done_reason(metadata.finish_reason)
    return encode_json({**body, **_done(reason, metadata.usage, metadata.logprobs)})


class StreamEncoder:
    """
    Writes the events of one answer as lines.

    Args:
        model: The model's name, until a `StreamStart` tells another.
        created_at: The time that each line tells.
    """

    def __init__(self, *, model: str = "", created_at: str = _EPOCH) -> None:
        self._facts = {"model": model, "created_at": created_at}
        self._calls: dict[int, ToolCall] = {}

    def encode_event(self, event: StreamEvent) -> bytes:
        """The bytes to send for *event*; there may be none. Calls are sent whole, at the end."""
        if isinstance(event, StreamStart):
            self._facts["model"] = event.model or self._facts["model"]
            return b""
        if isinstance(event, ToolCallDelta):
            begun = self._calls.get(event.index, ToolCall("", "", ""))
            self._calls[event.index] = ToolCall(
                event.id or begun.id, event.name or begun.name, begun.arguments + event.arguments
            )
            return b""
        if isinstance(event, ReasoningDelta):
            return self._line({"content": "", "thinking": event.text}) if event.text else b""
        if isinstance(event, (TextDelta, RefusalDelta)):
            return self._line({"content": event.text})
        return self._end(event)

    def encode_error(self, error: ProviderError) -> bytes:
        """The bytes that end a stream that failed."""
        return encode_error(error) + b"\n"

    def _end(self, end: StreamEnd) -> bytes:
        calls = [_call(call) for _, call in sorted(self._calls.items())]
        said = self._line({"content": "", "tool_calls": calls}) if calls else b""
        done = _done(_done_reason(end.finish_reason), end.usage, end.logprobs)
        return said + self._line({"content": ""}, **done)

    def _line(self, message: dict[str, Any], **more: Any) -> bytes:
        told = {"message": {"role": "assistant", **message}, "done": False, **more}
        return encode_json({**self._facts, **told}) + b"\n"


def encode_error(error: ProviderError) -> bytes:
    """The body of a response that fails; a stream has no other place for its status."""
    status = {} if error.status_code is None else {"status": error.status_code}
    return encode_json({"error": error.message, **status})


def encode_embeddings(
    vectors: Iterable[Embedding], *, model: str, usage: Usage | None = None
) -> bytes:
    """The body of an answer of *vectors*."""
    told = {"model": model, "embeddings": [vector.tolist() for vector in vectors]}
    return encode_json({**told, **_counts(usage)})


def _done(reason: str, usage: Usage | None, logprobs: Iterable[Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"done": True, "done_reason": reason, **_counts(usage)}
    entries = [dict(entry) for entry in logprobs]
    return {**told, "logprobs": entries} if entries else told


def _done_reason(reason: FinishReason | None) -> str:
    return "length" if reason is FinishReason.LENGTH else "stop"


def _counts(usage: Usage | None) -> dict[str, int]:
    if usage is None:
        return {}
    counts = {"prompt_eval_count": usage.input_tokens, "eval_count": usage.output_tokens}
    return {name: count for name, count in counts.items() if count is not None}


def _call(call: ToolCall) -> dict[str, Any]:
    try:
        arguments = as_dict(decode_json(call.arguments.encode(errors="replace") or b"{}"))
    except ValueError:
        arguments = {"arguments": call.arguments}
    return {"id": call.id, "function": {"name": call.name, "arguments": arguments}}
