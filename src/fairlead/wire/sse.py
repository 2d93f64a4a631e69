"""
Server-sent events, read from bytes.

Lines are split on bytes and decoded after: U+2028, U+0085 and their like inside a line are text.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..core.errors import ResponseTooLargeError

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""Inline images exceed one MiB."""

_BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class ServerSentEvent:
    """One event. Its data stay bytes, for a JSON parser to read."""

    data: bytes
    event: str | None = None


class SSEParser:
    """
    Splits a body, however it is cut, into events.

    Comments, ids and retry times are dropped. What is kept is bounded by *max_event_bytes*.
    """

    __slots__ = (
        "_at_start",
        "_data",
        "_event",
        "_held",
        "_limit",
        "_partial",
        "_skip_lf",
        "error",
    )

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.error: ResponseTooLargeError | None = None
        """Set once an event or a line exceeds the limit; nothing is read after it."""
        self._limit = max_event_bytes
        self._at_start = True
        self._skip_lf = False
        self._partial: list[bytes] = []
        """Pieces of the unfinished line."""
        self._data: list[bytes] = []
        """Data lines of the unfinished event."""
        self._event: str | None = None
        self._held = 0
        """The size of both."""

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """The events that *data* completes."""
        if self.error is not None:
            return []
        data = self._normalised(data)
        end = data.rfind(b"\n")
        if end < 0:
            self._hold(data)
            return []
        lines, rest = data[:end], data[end + 1 :]
        if self._partial:
            self._held -= sum(map(len, self._partial))
            lines = b"".join([*self._partial, lines])
            self._partial.clear()
        events = self._read(lines)
        if rest:
            self._hold(rest)
        return events

    def finish(self) -> list[ServerSentEvent]:
        """The event that the end of the body completes; its blank line is not insisted on."""
        if self.error is not None:
            return []
        lines = b"".join([*self._partial, b"\n"])
        self._partial.clear()
        return self._read(lines)

    def _normalised(self, data: bytes) -> bytes:
        """*data* with every line ended by a single line feed."""
        if self._at_start:
            data = b"".join([*self._partial, data])
            self._partial.clear()
            self._held = 0
            if len(data) < len(_BOM) and _BOM.startswith(data):
                return data
            self._at_start = False
            data = data.removeprefix(_BOM)
        if self._skip_lf and data:
            self._skip_lf = False
            data = data.removeprefix(b"\n")
        if b"\r" in data:
            self._skip_lf = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data

    def _read(self, lines: bytes) -> list[ServerSentEvent]:
        """The events that end in *lines*, which are whole, the last one without its line feed."""
        events: list[ServerSentEvent] = []
        data, event = self._data, self._event
        before, held = len(data), self._held
        for line in lines.split(b"\n"):
            if line[:6] == b"data: ":
                data.append(line[6:])
            elif not line:
                if data:
                    whole = data[0] if len(data) == 1 else b"\n".join(data)
                    events.append(ServerSentEvent(whole, event))
                    data.clear()
                    self._held = before = 0
                event = None
            else:
                name, _, value = line.partition(b":")
                if name == b"data":
                    data.append(value)
                elif name == b"event":
                    event = value.removeprefix(b" ").decode(errors="replace") or None
        self._event = event
        if held + len(lines) > self._limit:
            events = self._within_limit(events)
        if data:
            self._grow(sum(len(line) + 1 for line in data[before:]))
        return events

    def _within_limit(self, events: list[ServerSentEvent]) -> list[ServerSentEvent]:
        for position, event in enumerate(events):
            if len(event.data) > self._limit:
                self._grow(len(event.data))
                return events[:position]
        return events

    def _hold(self, data: bytes) -> None:
        self._partial.append(data)
        self._grow(len(data))

    def _grow(self, size: int) -> None:
        self._held += size
        if self._held > self._limit:
            self._partial.clear()
            self._data.clear()
            msg = f"a server-sent event is larger than the {self._limit:,} bytes allowed"
            self.error = ResponseTooLargeError(msg)
