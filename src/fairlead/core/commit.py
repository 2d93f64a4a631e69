"""When a stream commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from .errors import ResponseTooLargeError
from .events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
)


class CommitGate:
    """
    Decides when a stream commits, and bounds what is held until then.

    What is held is counted in UTF-8 bytes of all words of the events, opaque records included,
    and `PER_EVENT` for each event.
    """

    MAX_LIFECYCLE = 64
    MAX_LIFECYCLE_BYTES = 256 * 1024
    MAX_REASONING_BYTES = 4 * 1024 * 1024
    MAX_ANSWER_BYTES = 64 * 1024 * 1024
    """Of a stream that commits at its end, all of which is held."""
    PER_EVENT = 64

    def __init__(self, commit: Literal["text", "any", "end"]) -> None:
        self._commit = commit
        self._lifecycle = 0
        self._lifecycle_bytes = 0
        self._reasoning_bytes = 0
        self._answer_bytes = 0
        self.overflow: str | None = None

    def opens(self, batch: Sequence[StreamEvent]) -> bool:
        """
        Whether an event of *batch* is one that the reader will be shown, or too much came.

        Raises:
            ResponseTooLargeError: A stream that commits at its end is too large to be held.
        """
        for event in batch:
            if isinstance(event, StreamEnd) or self._shows(event):
                return True
            self._count(event)
        if self._commit == "end":
            if self._answer_bytes > self.MAX_ANSWER_BYTES:
                msg = f"an answer of more than {self.MAX_ANSWER_BYTES} bytes is not held"
                raise ResponseTooLargeError(msg)
        elif self._lifecycle > self.MAX_LIFECYCLE:
            self.overflow = f"more than {self.MAX_LIFECYCLE} lifecycle events"
        elif self._lifecycle_bytes > self.MAX_LIFECYCLE_BYTES:
            self.overflow = f"more than {self.MAX_LIFECYCLE_BYTES} bytes of lifecycle events"
        elif self._reasoning_bytes > self.MAX_REASONING_BYTES:
            self.overflow = f"more than {self.MAX_REASONING_BYTES} bytes of reasoning"
        return self.overflow is not None

    def _shows(self, event: StreamEvent) -> bool:
        if self._commit == "end":
            return False
        if isinstance(event, TextDelta):
            return bool(event.text)
        if isinstance(event, ReasoningDelta):
            return self._commit == "any" and bool(event.text)
        return isinstance(event, (RefusalDelta, ToolCallDelta))

    def _count(self, event: StreamEvent) -> None:
        size = size_of(event)
        if self._commit == "end":
            self._answer_bytes += size
        elif isinstance(event, ReasoningDelta) and (event.text or event.opaque):
            self._reasoning_bytes += size
        else:
            self._lifecycle += 1
            self._lifecycle_bytes += size


def size_of(event: StreamEvent) -> int:
    """What *event* counts for where events are held."""
    return CommitGate.PER_EVENT + sum(_bytes(getattr(event, name)) for name in event.__slots__)


def _bytes(value: Any) -> int:
    """UTF-8 bytes of all text in *value*, JSON as decoded."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode(errors="surrogatepass"))
    if isinstance(value, Mapping):
        entries = cast("Mapping[object, object]", value)
        return sum(_bytes(key) + _bytes(entry) for key, entry in entries.items())
    if isinstance(value, (list, tuple)):
        return sum(map(_bytes, cast("Sequence[object]", value)))
    return 0
