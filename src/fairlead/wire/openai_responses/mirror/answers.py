"""Answers, as a server writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....core.messages import Reasoning, Refusal, Text, ToolCall
from ....core.results import FinishReason
from ...values import as_dict, encode_json
from ..output import CALL, CALLS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ....core.messages import Part
    from ....core.results import Generation
    from ....core.usage import Usage

_INCOMPLETE = {
    FinishReason.LENGTH: "max_output_tokens",
    FinishReason.CONTEXT_OVERFLOW: "max_output_tokens",
    FinishReason.CONTENT_FILTER: "content_filter",
    FinishReason.PAUSE: "steered",
}
"""Everything else is complete."""


def encode_generation(generation: Generation, *, created: int = 0) -> bytes:
    """The body of a whole answer. *created* is in seconds since 1970."""
    metadata = generation.metadata
    facts = {"id": metadata.response_id or "", "model": metadata.model or "", "created_at": created}
    output = encode_output(generation.message.parts, metadata.logprobs)
    return encode_json(whole(facts, output, metadata.finish_reason, metadata.usage))


def whole(
    facts: Mapping[str, Any],
    output: list[dict[str, Any]],
    reason: FinishReason | None,
    usage: Usage | None,
) -> dict[str, Any]:
    """A response that has ended."""
    cut = _INCOMPLETE.get(reason) if reason is not None else None
    return {
        "object": "response",
        **facts,
        "status": "incomplete" if cut else "completed",
        "error": None,
        "incomplete_details": {"reason": cut} if cut else None,
        "output": output,
        "usage": None if usage is None else _usage(usage),
    }


def encode_output(
    parts: Iterable[Part], logprobs: Iterable[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """*parts* as items; the first words of all carry *logprobs*."""
    items: list[dict[str, Any]] = []
    phase: str | None = None
    entries = [dict(entry) for entry in logprobs]
    for part in parts:
        item = _item(part, len(items))
        if isinstance(part, Reasoning) and part.opaque and "phase" in part.opaque:
            phase = part.opaque["phase"]
            continue
        if item is None:
            continue
        if isinstance(part, Text) and entries:
            item["content"][0]["logprobs"] = entries
            entries = []
        if item["type"] == "message" and phase:
            item["phase"], phase = phase, None
        items.append(item)
    return items


def _item(part: Part, place: int) -> dict[str, Any] | None:
    if isinstance(part, Text):
        return _message({"type": "output_text", "text": part.text, "annotations": []}, place)
    if isinstance(part, Refusal):
        return _message({"type": "refusal", "refusal": part.text}, place)
    if isinstance(part, Reasoning):
        if part.opaque and (item := as_dict(part.opaque.get("item"))):
            return item
        summary = [{"type": "summary_text", "text": part.text}] if part.text else []
        return {"type": "reasoning", "id": f"rs_{place}", "summary": summary}
    if isinstance(part, ToolCall):
        opaque = dict(part.opaque or {})
        kind = opaque.pop("type", CALL)
        named = {"type": kind, "id": f"fc_{place}", "call_id": part.id, "name": part.name}
        return {**named, CALLS[kind]: part.arguments, "status": "completed", **opaque}
    return None


def _message(content: dict[str, Any], place: int) -> dict[str, Any]:
    return {
        "type": "message",
        "id": f"msg_{place}",
        "role": "assistant",
        "status": "completed",
        "content": [content],
    }


def _usage(usage: Usage) -> dict[str, Any]:
    read = {
        "cached_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
    }
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "input_tokens_details": _known(read),
        "output_tokens_details": _known({"reasoning_tokens": usage.reasoning_tokens}),
    }


def _known(counts: dict[str, int | None]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count is not None}
