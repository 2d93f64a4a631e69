"""Streamed answers, as a server writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....core.collector import Collector
from ....core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from ....core.results import Metadata
from ...openai_chat.mirror import encode_error
from ...values import as_dict, as_str, decode_json, encode_json
from .answers import encode_output, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ....core.errors import ProviderError
    from ....core.events import StreamEvent

_DELTAS: dict[type[Any], tuple[str, str]] = {
    TextDelta: ("message", "response.output_text.delta"),
    RefusalDelta: ("message", "response.refusal.delta"),
    ReasoningDelta: ("reasoning", "response.reasoning_summary_text.delta"),
    ToolCallDelta: ("function_call", "response.function_call_arguments.delta"),
}


class StreamEncoder:
    """
    Writes the events of one answer as server-sent events.

    Words go out as they come; what an item is as a whole stands in the closing event.

    Args:
        response_id: The answer's id, until a `StreamStart` tells another.
        model: The model's name, likewise.
        created: Seconds since 1970.
    """

    def __init__(self, *, response_id: str = "", model: str = "", created: int = 0) -> None:
        self._facts: dict[str, Any] = {"id": response_id, "model": model, "created_at": created}
        self._number = 0
        self._started = False
        self._kind: type[Any] | None = None
        self._phase: str | None = None
        self._items = 0
        self._calls: dict[int, int] = {}
        self._told = Collector()

    def encode_event(self, event: StreamEvent) -> bytes:
        """The bytes to send for *event*; there may be none."""
        self._told.add(event)
        if isinstance(event, StreamStart):
            self._facts["id"] = event.response_id or self._facts["id"]
            self._facts["model"] = event.model or self._facts["model"]
            return self._start()
        if isinstance(event, StreamEnd):
            return self._start() + self._end(event)
        if isinstance(event, ToolCallDelta):
            return self._start() + self._call(event)
        return self._start() + self._words(event)

    def encode_error(self, error: ProviderError) -> bytes:
        """The bytes that end a stream that failed."""
        return self._event("error", **decode_json(encode_error(error))["error"])

    def _start(self) -> bytes:
        if self._started:
            return b""
        self._started = True
        facts = {"object": "response", **self._facts, "status": "in_progress"}
        return self._event("response.created", response=facts)

    def _words(self, event: TextDelta | ReasoningDelta | RefusalDelta) -> bytes:
        sent = b""
        if event.text:
            kind, name = _DELTAS[type(event)]
            if self._kind is not type(event):
                self._kind = type(event)
                sent = self._added(kind)
            sent += self._event(name, output_index=self._items - 1, delta=event.text)
        if isinstance(event, ReasoningDelta) and event.opaque is not None:
            sent += self._record(event.opaque)
            self._kind = None
        return sent

    def _record(self, opaque: Mapping[str, Any]) -> bytes:
        """An item that is given back as it is, or what is known of the message that follows."""
        self._phase = opaque.get("phase")
        item = as_dict(opaque.get("item"))
        if not item:
            return b""
        kind = as_str(item.get("type"))
        sent = b"" if self._kind is ReasoningDelta else self._added(kind)
        index = self._items - 1
        return sent + self._event("response.output_item.done", output_index=index, item=item)

    def _call(self, event: ToolCallDelta) -> bytes:
        sent = b""
        index = self._calls.get(event.index)
        if index is None:
            self._kind = None
            index = self._calls[event.index] = self._items
            named = {"call_id": event.id or "", "name": event.name or "", "arguments": ""}
            sent = self._added("function_call", id=f"fc_{index}", **named)
        if event.arguments:
            name = _DELTAS[ToolCallDelta][1]
            sent += self._event(name, output_index=index, delta=event.arguments)
        return sent

    def _added(self, kind: str, **fields: Any) -> bytes:
        index = self._items
        self._items += 1
        if kind == "message" and self._phase:
            fields["phase"], self._phase = self._phase, None
        item = {"type": kind, **fields}
        return self._event("response.output_item.added", output_index=index, item=item)

    def _end(self, end: StreamEnd) -> bytes:
        parts = self._told.generation(Metadata(provider="")).metadata.parts
        output = encode_output(parts, end.logprobs)
        response = whole(self._facts, output, end.finish_reason, end.usage)
        return self._event(f"response.{response['status']}", response=response)

    def _event(self, name: str, **fields: Any) -> bytes:
        told = {"type": name, "sequence_number": self._number, **fields}
        self._number += 1
        return (
            b"event: " + name.encode() + b"\ndata: " + encode_json({**told, "type": name}) + b"\n\n"
        )
