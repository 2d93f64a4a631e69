"""Answers, as a server writes them."""

from __future__ import annotations

import base64
from array import array
from typing import TYPE_CHECKING, Any

from ....core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from ....core.results import FinishReason
from ...values import encode_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ....core.embeddings import Embedding
    from ....core.errors import ProviderError
    from ....core.events import StreamEvent
    from ....core.messages import ToolCall
    from ....core.results import Generation
    from ....core.usage import Usage

_FINISH_REASONS = {
    FinishReason.LENGTH: "length",
    FinishReason.CONTEXT_OVERFLOW: "length",
    FinishReason.TOOL_CALLS: "tool_calls",
    FinishReason.CONTENT_FILTER: "content_filter",
    FinishReason.ERROR: "error",
}
"""Everything else is `stop`; a refusal is told by its own field."""


def encode_generation(generation: Generation, *, created: int = 0) -> bytes:
    """The body of a whole answer. *created* is in seconds since 1970."""
    metadata = generation.metadata
    message: dict[str, Any] = {
        "role": "assistant",
        "content": str(generation) or None,
        "refusal": generation.refusal,
    }
    if generation.reasoning:
        message["reasoning_content"] = generation.reasoning
    if generation.tool_calls:
        message["tool_calls"] = [_call(call) for call in generation.tool_calls]
    body: dict[str, Any] = {
        "id": metadata.response_id or "",
        "object": "chat.completion",
        "created": created,
        "model": metadata.model or "",
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": _logprobs(metadata.logprobs),
                "finish_reason": _finish_reason(metadata.finish_reason),
            }
        ],
    }
    if metadata.usage is not None:
        body["usage"] = _usage(metadata.usage)
    return encode_json(body)


class StreamEncoder:
    """
    Writes the events of one answer as server-sent events.

    Args:
        response_id: The answer's id, until a `StreamStart` tells another.
        model: The model's name, likewise.
        created: Seconds since 1970.
        include_usage: Whether the client asked for usage.
    """

    def __init__(
        self,
        *,
        response_id: str = "",
        model: str = "",
        created: int = 0,
        include_usage: bool = False,
    ) -> None:
        self._facts = {
            "id": response_id,
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
        }
        self._include_usage = include_usage
        self._started = False

    def encode_event(self, event: StreamEvent) -> bytes:
        """The bytes to send for *event*; there may be none."""
        if isinstance(event, StreamStart):
            self._facts["id"] = event.response_id or self._facts["id"]
            self._facts["model"] = event.model or self._facts["model"]
            return b"" if self._started else self._delta({})
        if isinstance(event, StreamEnd):
            return self._end(event)
        return self._delta(_delta(event))

    def encode_error(self, error: ProviderError) -> bytes:
        """The bytes that end a stream that failed."""
        return _event(encode_error(error))

    def _delta(self, delta: dict[str, Any], **choice: Any) -> bytes:
        if not self._started:
            self._started = True
            delta = {"role": "assistant", "content": "", **delta}
        elif not delta and not choice:
            return b""
        return self._chunk([{"index": 0, "delta": delta, "finish_reason": None, **choice}])

    def _end(self, end: StreamEnd) -> bytes:
        last: dict[str, Any] = {"finish_reason": _finish_reason(end.finish_reason)}
        if end.logprobs:
            last["logprobs"] = _logprobs(end.logprobs)
        sent = [self._delta({}, **last)]
        if self._include_usage and end.usage is not None:
            sent.append(self._chunk([], usage=_usage(end.usage)))
        return b"".join([*sent, _event(b"[DONE]")])

    def _chunk(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        return _event(encode_json({**self._facts, "choices": choices, **more}))


def encode_error(error: ProviderError) -> bytes:
    """The body of a response that fails; its status is the gateway's of `error.verdict`."""
    told = {
        "message": error.message,
        "type": type(error).__name__,
        "param": None,
        "code": error.code,
    }
    return encode_json({"error": told})


def encode_embeddings(
    vectors: Iterable[Embedding],
    *,
    model: str,
    usage: Usage | None = None,
    base64_floats: bool = False,
) -> bytes:
    """The body of an answer of *vectors*."""
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _packed(vector) if base64_floats else vector.tolist(),
        }
        for index, vector in enumerate(vectors)
    ]
    body: dict[str, Any] = {"object": "list", "data": data, "model": model}
    if usage is not None:
        body["usage"] = {"prompt_tokens": usage.input_tokens, "total_tokens": usage.total_tokens}
    return encode_json(body)


def _delta(event: StreamEvent) -> dict[str, Any]:
    if isinstance(event, TextDelta):
        return {"content": event.text}
    if isinstance(event, ReasoningDelta):
        return {"reasoning_content": event.text} if event.text else {}
    if isinstance(event, RefusalDelta):
        return {"refusal": event.text}
    return {"tool_calls": [_call_delta(event)]} if isinstance(event, ToolCallDelta) else {}


def _call_delta(event: ToolCallDelta) -> dict[str, Any]:
    function: dict[str, Any] = {"arguments": event.arguments}
    told: dict[str, Any] = {"index": event.index, "function": function}
    if event.id is not None:
        told |= {"id": event.id, "type": "function"}
    if event.name is not None:
        function["name"] = event.name
    return told


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _finish_reason(reason: FinishReason | None) -> str | None:
    return _FINISH_REASONS.get(reason, "stop") if reason is not None else None


def _logprobs(entries: Iterable[Any]) -> dict[str, Any] | None:
    content = [dict(entry) for entry in entries]
    return {"content": content} if content else None


def _usage(usage: Usage) -> dict[str, Any]:
    prompt = {
        "cached_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
    }
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": _known(prompt),
        "completion_tokens_details": _known({"reasoning_tokens": usage.reasoning_tokens}),
    }


def _known(counts: dict[str, int | None]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count is not None}


def _packed(vector: Embedding) -> str:
    return base64.b64encode(array("f", vector).tobytes()).decode()


def _event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"
