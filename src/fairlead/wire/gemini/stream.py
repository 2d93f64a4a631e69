"""A streamed answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...core.errors import InvalidResponseError, ProviderError, ResponseTooLargeError
from ..faults import not_an_answer, provider_error
from ..sse import MAX_EVENT_BYTES, SSEParser
from ..values import as_dict, decode_json
from .answer import GeminiAnswerReader
from .errors import fault_in
from .objects import ObjectScanner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...core.events import StreamEvent
    from .dialect import GeminiDialect

WANTED = "an answer of generateContent"
_BLANK = b"\xef\xbb\xbf \t\r\n"
_RAW = re.compile(rb"[\r\n]\{")
"""An object that stands at the start of a line, as no event does: an error that nobody framed."""


class GeminiStreamDecoder:
    """
    A `StreamDecoder` of this format.

    Server-sent events, one list in pieces, a plain answer, an error between two events that is no
    event: all are understood. The answer has ended when the body has, as facts may follow the
    reason for its end.
    """

    __slots__ = (
        "_at_line_start",
        "_limit",
        "_objects",
        "_page",
        "_parser",
        "_reader",
        "_undecided",
        "ended",
        "error",
    )

    def __init__(self, dialect: GeminiDialect, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.error: ProviderError | None = None
        self.ended: bool = False
        self._limit = max_event_bytes
        self._parser = SSEParser(max_event_bytes=max_event_bytes)
        self._objects: ObjectScanner | None = None
        self._page: bytearray | None = None
        self._reader = GeminiAnswerReader(dialect)
        self._at_line_start = True
        self._undecided = True

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """The events that *data* completes."""
        if self._over():
            return ()
        if self._undecided:
            self._decide(data)
        if self._page is not None:
            self._hold(data, self._page)
            return ()
        events: list[StreamEvent] = []
        if self._objects is None:
            data = self._events(data, events)
        if self._objects is not None and not self._over():
            self._read(self._objects.feed(data), events)
            self.error = self.error or self._objects.error
        return events

    def finish(self) -> Sequence[StreamEvent]:
        """The events that the end of the body completes."""
        if self._over():
            return ()
        if self._page is not None:
            self.error = not_an_answer(bytes(self._page), "", wanted=WANTED)
            return ()
        events: list[StreamEvent] = []
        cut = self._objects is not None and self._objects.unfinished
        self._read((event.data for event in self._parser.finish()), events, at_end=True)
        if self._over():
            return events
        if self._reader.finish_reason is not None and not cut:
            self.ended = True
            return events + self._reader.end()
        msg = "the stream ended before the answer did: no finishReason came"
        if self._undecided:
            msg = "the vendor answered a stream with an empty body"
        self.error = InvalidResponseError(msg, sent=True)
        return events

    def _over(self) -> bool:
        return self.ended or self.error is not None

    def _events(self, data: bytes, events: list[StreamEvent]) -> bytes:
        """Read the events in *data*; what is returned is none of them, but an object."""
        place = len(data)
        if self._at_line_start and data.startswith(b"{"):
            place = 0
        elif raw := _RAW.search(data):
            place = raw.start() + 1
        data, rest = data[:place], data[place:]
        if rest:
            self._objects = ObjectScanner(self._limit)
        elif data:
            self._at_line_start = data.endswith((b"\n", b"\r"))
        self._read((event.data for event in self._parser.feed(data)), events)
        self.error = self.error or self._parser.error
        return rest

    def _read(
        self, received: Iterable[bytes], events: list[StreamEvent], *, at_end: bool = False
    ) -> None:
        for data in received:
            try:
                chunk = as_dict(decode_json(data))
            except ValueError:
                if data.strip() and not at_end:
                    self.error = InvalidResponseError(
                        "a chunk of the stream is not JSON", sent=True
                    )
                    return
                continue
            fault = fault_in(chunk)
            if fault is not None:
                self.error = provider_error(fault)
                return
            events += self._reader.read(chunk)

    def _decide(self, data: bytes) -> None:
        start = data.lstrip(_BLANK)[:1]
        if not start:
            return
        self._undecided = False
        if start in b"{[":
            self._objects = ObjectScanner(self._limit)
        elif start == b"<":
            self._page = bytearray()

    def _hold(self, data: bytes, page: bytearray) -> None:
        page += data
        if len(page) > self._limit:
            msg = f"the answer is larger than the {self._limit:,} bytes allowed"
            self.error = ResponseTooLargeError(msg)
            self._page = None
