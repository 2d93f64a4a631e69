"""A streamed answer: one JSON object per line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import InvalidResponseError, ProviderError, ResponseTooLargeError
from ..faults import not_an_answer
from ..sse import MAX_EVENT_BYTES
from ..values import as_dict, decode_json
from .answer import AnswerReader
from .errors import error_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.events import StreamEvent


class OllamaStreamDecoder:
    """A `StreamDecoder` of this format. Lines are split at line feeds, and decoded after."""

    __slots__ = ("_held", "_limit", "_partial", "_reader", "_said", "ended", "error")

    def __init__(self, *, max_line_bytes: int = MAX_EVENT_BYTES) -> None:
        self.error: ProviderError | None = None
        self.ended: bool = False
        self._limit = max_line_bytes
        self._partial: list[bytes] = []
        self._held = 0
        self._reader = AnswerReader()
        self._said = False

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """The events that *data* completes."""
        if self._over():
            return ()
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = b"".join([*self._partial, lines[0]])
            self._partial.clear()
            self._held = 0
        events = self._read(lines)
        self._partial.append(rest)
        self._held += len(rest)
        if self._held > self._limit and not self._over():
            self.error = self._too_large()
        return events

    def finish(self) -> Sequence[StreamEvent]:
        """The events that the end of the body completes; its line feed is not insisted on."""
        if self._over():
            return ()
        events = self._read([b"".join(self._partial)])
        if not self._over():
            msg = "the stream ended before the answer did: nothing said that it was done"
            if not self._said:
                msg = "the server answered with an empty body"
            self.error = InvalidResponseError(msg, sent=True)
        return events

    def _over(self) -> bool:
        return self.ended or self.error is not None

    def _read(self, lines: Sequence[bytes]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for line in lines:
            if len(line) > self._limit:
                self.error = self._too_large()
            elif line.strip():
                self._line(line, events)
            if self._over():
                break
        return events

    def _line(self, line: bytes, events: list[StreamEvent]) -> None:
        try:
            told: object = decode_json(line)
        except ValueError:
            told = None
        read = as_dict(told)
        if read.get("error"):
            self.error = error_of(told)
        elif read:
            self._said = True
            events += self._reader.read(read)
            self.ended = read.get("done") is True
        elif self._said:
            self.error = InvalidResponseError("a line of the stream is no JSON object", sent=True)
        else:
            self.error = not_an_answer(line, "", wanted="an answer of Ollama's")

    def _too_large(self) -> ResponseTooLargeError:
        msg = f"a line of the answer is larger than the {self._limit:,} bytes allowed"
        return ResponseTooLargeError(msg)
