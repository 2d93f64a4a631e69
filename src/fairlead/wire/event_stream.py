"""What the streams of all formats have in common that are made of server-sent events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from ..core.errors import InvalidResponseError, ProviderError, ResponseTooLargeError
from .faults import Fault, provider_error
from .sse import MAX_EVENT_BYTES, ServerSentEvent, SSEParser
from .values import decode_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.events import StreamEvent

_BLANK = b"\xef\xbb\xbf \t\r\n"
_BEGINNINGS = (b"data:", b"event:", b": ", b"id:", b"retry:")


def is_stream(body: bytes) -> bool:
    """Whether *body* begins as server-sent events do."""
    return body.lstrip().startswith(_BEGINNINGS)


class EventStreamDecoder(ABC):
    """
    A `StreamDecoder` that lacks what its format alone knows.

    A server that answers without streaming, with an error or with a page, is understood too: a
    body that begins as JSON or as markup is read as a whole when it ends.
    """

    __slots__ = ("_limit", "_parser", "_plain", "_undecided", "ended", "error")

    wanting: ClassVar[str] = ""
    """What has not come where the body ends before the answer does."""

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.error: ProviderError | None = None
        self.ended: bool = False
        self._limit = max_event_bytes
        self._parser = SSEParser(max_event_bytes=max_event_bytes)
        self._undecided = True
        self._plain: bytearray | None = None

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """The events that *data* completes."""
        if self._over():
            return ()
        if self._undecided:
            self._decide(data)
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
        if self._over():
            return events
        if (last := self._at_end()) is not None:
            self.ended = True
            return events + last
        msg = f"the stream ended before the answer did: {self.wanting}"
        if self._undecided:
            msg = "the vendor answered a stream with an empty body"
        self.error = InvalidResponseError(msg, sent=True)
        return events

    def drain(self, body: bytes) -> Sequence[StreamEvent]:
        """All events of a *body* that is there already; raises what `error` would be."""
        events = [*self.feed(body), *self.finish()]
        if self.error is not None:
            raise self.error
        return events

    @abstractmethod
    def _read(self, received: list[ServerSentEvent], *, at_end: bool = False) -> list[StreamEvent]:
        """The events in *received*, up to an error or the end."""

    @abstractmethod
    def _whole(self, body: bytes) -> Sequence[StreamEvent]:
        """The events of a whole answer; raises what `Codec.decode_generate` does."""

    def _at_end(self) -> list[StreamEvent] | None:
        """The last events, where the end of the body may stand for that of the answer."""
        return None

    def _over(self) -> bool:
        return self.ended or self.error is not None

    def _fail(self, fault: Fault) -> None:
        """The vendor says what went wrong: the stream ends here."""
        self.error = provider_error(fault)

    def _reread(self, event: ServerSentEvent, *, at_end: bool) -> Any:
        """What *event* says, which was no JSON at first sight."""
        data = event.data.strip()
        try:
            return decode_json(data)
        except ValueError:
            pass
        name = event.event or "message"
        if name == "error":
            self._fail(Fault(message=data.decode(errors="replace")))
        elif data and not at_end and name.startswith(("message", "response.")):
            self.error = InvalidResponseError("a chunk of the stream is not JSON", sent=True)
        return None

    def _decide(self, data: bytes) -> None:
        start = data.lstrip(_BLANK)[:1]
        if start:
            self._undecided = False
            self._plain = bytearray() if start in b"{[<" else None

    def _hold(self, data: bytes, body: bytearray) -> None:
        body += data
        if len(body) > self._limit:
            msg = f"the answer is larger than the {self._limit:,} bytes allowed"
            self.error = ResponseTooLargeError(msg)
            self._plain = None

    def _finish_plain(self, body: bytes) -> Sequence[StreamEvent]:
        try:
            events = self._whole(body)
        except ProviderError as error:
            self.error = error
            return ()
        self.ended = True
        return events
