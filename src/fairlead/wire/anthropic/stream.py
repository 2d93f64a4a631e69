"""A streamed answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jiter import from_json

from ...core.errors import InvalidResponseError, ProviderError, ResponseTooLargeError
from ..faults import Fault, provider_error
from ..sse import MAX_EVENT_BYTES, ServerSentEvent, SSEParser
from ..values import as_count, as_dict, decode_json
from .answer import AnswerReader
from .decode import decode_answer
from .errors import fault_in, read_fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.events import StreamEvent
    from .dialect import Dialect

_BLANK = b"\xef\xbb\xbf \t\r\n"
_OUR_EVENTS = frozenset(
    {
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
        *("message_delta", "message_stop", "message", None),
    }
)
"""Of any other event it does not matter what it says."""


class MessagesStreamDecoder:
    """
    A `StreamDecoder` of this format.

    A server that answers without streaming, with an error or with a page, is understood too: a
    body that begins as JSON or as markup is read as a whole when it ends.
    """

    __slots__ = ("_begun", "_dialect", "_limit", "_parser", "_plain", "_reader", "ended", "error")

    def __init__(self, dialect: Dialect, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.error: ProviderError | None = None
        self.ended: bool = False
        self._dialect = dialect
        self._limit = max_event_bytes
        self._parser = SSEParser(max_event_bytes=max_event_bytes)
        self._reader = AnswerReader(dialect)
        self._begun = False
        self._plain: bytearray | None = None

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """The events that *data* completes."""
        if self._over():
            return ()
        if not self._begun and (start := data.lstrip(_BLANK)[:1]):
            self._begun = True
            self._plain = bytearray() if start in b"{[<" else None
        if self._plain is not None:
            self._hold(data, self._plain)
            return ()
        events = self._read(self._parser.feed(data))
        if not self.ended:
            self.error = self.error or self._parser.error
        return events

    def finish(self) -> Sequence[StreamEvent]:
        """The events that the end of the body completes."""
        if self._over():
            return ()
        if self._plain is not None:
            return self._finish_plain(bytes(self._plain))
        events = self._read(self._parser.finish(), at_end=True)
        if not self._over():
            msg = "the stream ended before the answer did: no message_stop came"
            if not self._begun:
                msg = "the vendor answered a stream with an empty body"
            self.error = InvalidResponseError(msg, sent=True)
        return events

    def _over(self) -> bool:
        return self.ended or self.error is not None

    def _read(self, received: list[ServerSentEvent], *, at_end: bool = False) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for event in received:
            try:
                told: Any = from_json(event.data)
            except ValueError:
                told = self._undecodable(event, at_end=at_end)
            if told is not None:
                self._event(told, event.event, events)
            if self._over():
                break
        return events

    def _event(self, event: object, name: str | None, events: list[StreamEvent]) -> None:
        told, reader = as_dict(event), self._reader
        kind, index = told.get("type"), as_count(told.get("index"))
        if kind == "content_block_delta":
            events += reader.add(index, as_dict(told.get("delta")))
        elif kind == "content_block_start":
            events += reader.begin(index, as_dict(told.get("content_block")))
        elif kind == "content_block_stop":
            events += reader.stop(index)
        elif kind == "message_start":
            events += reader.message(as_dict(told.get("message")))
        elif kind == "message_delta":
            delta = as_dict(told.get("delta"))
            reader.progress({**told, **delta}, told.get("usage"))
        elif kind == "message_stop":
            self.ended = True
            events += reader.end()
        elif name == "error":
            self.error = provider_error(read_fault(event))
        elif (fault := fault_in(told)) is not None:
            self.error = provider_error(fault)

    def _undecodable(self, event: ServerSentEvent, *, at_end: bool) -> Any:
        """What *event*, which is not the JSON that it should be, stands for."""
        data = event.data.strip()
        try:
            return decode_json(data)
        except ValueError:
            pass
        if event.event == "error":
            self.error = provider_error(Fault(message=data.decode(errors="replace")))
        elif data and data != b"[DONE]" and not at_end and event.event in _OUR_EVENTS:
            self.error = InvalidResponseError("an event of the stream is not JSON", sent=True)
        return None

    def _hold(self, data: bytes, body: bytearray) -> None:
        body += data
        if len(body) > self._limit:
            msg = f"the answer is larger than the {self._limit:,} bytes allowed"
            self.error = ResponseTooLargeError(msg)
            self._plain = None

    def _finish_plain(self, body: bytes) -> Sequence[StreamEvent]:
        try:
            events = decode_answer(body, self._dialect)
        except ProviderError as error:
            self.error = error
            return ()
        self.ended = True
        return events
