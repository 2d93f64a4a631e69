"""When a stream commits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from .events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
)


class CommitGate:
    """Decides when a stream commits."""

    MAX_LIFECYCLE = 64
    MAX_REASONING = 4 * 1024 * 1024

    def __init__(self, commit: Literal["text", "any", "end"]) -> None:
        self._commit = commit
        self._lifecycle = 0
        self._reasoning = 0
        self.overflow: str | None = None

    def opens(self, batch: Sequence[StreamEvent]) -> bool:
        """Whether an event of *batch* is one that the reader will be shown, or too much came."""
        for event in batch:
            if isinstance(event, StreamEnd):
                return True
            if isinstance(event, ReasoningDelta) and event.text:
                if self._commit == "any":
                    return True
                self._reasoning += len(event.text)
            elif self._commit != "end" and _shown(event):
                return True
            else:
                self._lifecycle += 1
        if self._commit == "end":
            return False
        if self._lifecycle > self.MAX_LIFECYCLE:
            self.overflow = f"more than {self.MAX_LIFECYCLE} lifecycle events"
        elif self._reasoning > self.MAX_REASONING:
            self.overflow = f"more than {self.MAX_REASONING} characters of reasoning"
        return self.overflow is not None


def _shown(event: StreamEvent) -> bool:
    if isinstance(event, TextDelta):
        return bool(event.text)
    return isinstance(event, (RefusalDelta, ToolCallDelta))
