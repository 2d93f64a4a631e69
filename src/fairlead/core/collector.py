"""Puts events together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from .messages import Part, Reasoning, Refusal, Text, ToolCall
from .results import CUT_SHORT, FinishReason, Generation, Metadata

if TYPE_CHECKING:
    from .events import StreamEvent


class Collector:
    """Puts events together to the generation that they tell."""

    __slots__ = ("_calls", "_end", "_kind", "_open", "_parts", "_start")

    def __init__(self, events: Iterable[StreamEvent] = ()) -> None:
        self._parts: list[Part | int] = []
        self._calls: dict[int, _Call] = {}
        self._kind: type[Text | Reasoning | Refusal] | None = None
        self._open: list[str] = []
        self._start = StreamStart()
        self._end: StreamEnd | None = None
        for event in events:
            self.add(event)

    @property
    def ended(self) -> bool:
        """Whether `StreamEnd` has been added."""
        return self._end is not None

    @property
    def model(self) -> str | None:
        """The model that answers, once it is told."""
        return self._start.model

    def add(self, event: StreamEvent) -> None:
        """Take *event* in."""
        if isinstance(event, TextDelta):
            self._words(Text, event.text)
        elif isinstance(event, ReasoningDelta):
            self._words(Reasoning, event.text)
            if event.opaque is not None:
                self._turn_to(Reasoning)
                text = "".join(self._open)
                self._parts.append(Reasoning(text, event.opaque, event.origin))
                self._kind, self._open = None, []
        elif isinstance(event, ToolCallDelta):
            self._tool_call(event)
        elif isinstance(event, RefusalDelta):
            self._words(Refusal, event.text)
        elif isinstance(event, StreamStart):
            self._start.response_id = event.response_id or self._start.response_id
            self._start.model = event.model or self._start.model
        else:
            self._end = event

    def generation(
        self, metadata: Metadata, *, finish_reason: FinishReason | None = None
    ) -> Generation:
        """
        What has been told so far.

        Args:
            metadata: What is known besides the events.
            finish_reason: Why it ended, if its own end has not been told.
        """
        parts = self._all_parts()
        told = self._end or StreamEnd(finish_reason or FinishReason.UNKNOWN)
        warnings = (*metadata.warnings, *told.warnings)
        if (cut := CUT_SHORT.get(told.finish_reason)) and cut not in warnings:
            warnings = (*warnings, cut)
        return Generation(
            "".join([part.text for part in parts if isinstance(part, Text)]),
            metadata.with_(
                model=self._start.model or metadata.model,
                response_id=self._start.response_id or metadata.response_id,
                finish_reason=told.finish_reason,
                finish_reason_raw=told.finish_reason_raw,
                usage=told.usage,
                cost=told.cost,
                parts=parts,
                warnings=warnings,
                logprobs=told.logprobs,
                details=told.details,
            ),
        )

    def _words(self, kind: type[Text | Reasoning | Refusal], text: str) -> None:
        if text:
            self._turn_to(kind)
            self._open.append(text)

    def _turn_to(self, kind: type[Text | Reasoning | Refusal]) -> None:
        if kind is not self._kind:
            self._flush()
            self._kind = kind

    def _flush(self) -> None:
        if self._kind is not None:
            self._parts.append(self._kind("".join(self._open)))
        self._kind, self._open = None, []

    def _tool_call(self, event: ToolCallDelta) -> None:
        call = self._calls.get(event.index)
        if call is None:
            self._flush()
            call = self._calls[event.index] = _Call()
            self._parts.append(event.index)
        call.id = event.id or call.id
        call.name = event.name or call.name
        call.arguments.append(event.arguments)
        if event.opaque is not None:
            call.opaque, call.origin = event.opaque, event.origin

    def _all_parts(self) -> tuple[Part, ...]:
        parts = [self._calls[p].part(p) if isinstance(p, int) else p for p in self._parts]
        if self._kind is not None:
            parts.append(self._kind("".join(self._open)))
        return tuple(parts)


def events_of(generation: Generation) -> tuple[StreamEvent, ...]:
    """What *generation* is told by, for a `Collector` to put together again."""
    metadata = generation.metadata
    told: list[StreamEvent] = [StreamStart(metadata.response_id, metadata.model)]
    for index, part in enumerate(generation.message.parts):
        if isinstance(part, Text):
            told.append(TextDelta(part.text))
        elif isinstance(part, Reasoning):
            told.append(ReasoningDelta(part.text, part.opaque, part.origin))
        elif isinstance(part, Refusal):
            told.append(RefusalDelta(part.text))
        elif isinstance(part, ToolCall):
            known = (part.id, part.name, part.arguments, part.opaque, part.origin)
            told.append(ToolCallDelta(index, *known))
    end = StreamEnd(
        metadata.finish_reason or FinishReason.UNKNOWN,
        metadata.finish_reason_raw,
        usage=metadata.usage,
        cost=metadata.cost,
        warnings=metadata.warnings,
        logprobs=metadata.logprobs,
        details=metadata.details,
    )
    return (*told, end)


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list[str])
    opaque: Mapping[str, Any] | None = None
    origin: str | None = None

    def part(self, index: int) -> ToolCall:
        return ToolCall(
            self.id or f"call_{index}",
            self.name,
            "".join(self.arguments),
            self.opaque,
            self.origin,
        )
