"""A streamed answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jiter import from_json

from ...core.errors import InvalidResponseError, ProviderError, ResponseTooLargeError
from ...core.events import TextDelta
from ..faults import Fault, provider_error
from ..sse import MAX_EVENT_BYTES, ServerSentEvent, SSEParser
from ..values import as_dict, as_list, decode_json
from .answer import AnswerReader
from .decode import decode_answer
from .errors import fault_in, read_fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.events import StreamEvent
    from .dialect import Dialect

DONE = b"[DONE]"
_WORDS = {"content", "role"}
_BLANK = b"\xef\xbb\xbf \t\r\n"


class ChatStreamDecoder:
    """
    A `StreamDecoder` of this format.

    A server that answers without streaming, with an error or with a page, is understood too: a
    body that begins as JSON or as markup is read as a whole when it ends.
    """

    __slots__ = (
        "_dialect",
        "_limit",
        "_parser",
        "_plain",
        "_reader",
        "_undecided",
        "ended",
        "error",
    )

    def __init__(self, dialect: Dialect, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.error: ProviderError | None = None
        self.ended: bool = False
        self._dialect = dialect
        self._limit = max_event_bytes
        self._parser = SSEParser(max_event_bytes=max_event_bytes)
        self._reader = AnswerReader(dialect)
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
        if self._reader.finish_reason is not None:
            events += self._end()
            return events
        msg = "the stream ended before the answer did: neither a finish reason nor [DONE] came"
        if self._undecided:
            msg = "the vendor answered a stream with an empty body"
        self.error = InvalidResponseError(msg, sent=True)
        return events

    def _over(self) -> bool:
        return self.ended or self.error is not None

    def _read(self, received: list[ServerSentEvent], *, at_end: bool = False) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        reader = self._reader
        quick = reader.started and not reader.reasoning
        for event in received:
            try:
                chunk = from_json(event.data)
            except ValueError:
                chunk = self._undecodable(event, events, at_end=at_end)
            if quick and (text := _only_words(chunk)) is not None and event.event is None:
                if text:
                    events.append(TextDelta(text))
                continue
            if self._over():
                break
            self._chunk(chunk, event, events)
            if self._over():
                break
            quick = reader.started and not reader.reasoning
        return events

    def _chunk(self, chunk: object, event: ServerSentEvent, events: list[StreamEvent]) -> None:
        if isinstance(chunk, list):
            chunk = next(iter(as_list(chunk)), None)  # pyright: ignore[reportUnknownArgumentType]
        failed = fault_in(chunk) or (read_fault(chunk) if event.event == "error" else None)
        if failed is not None:
            self.error = provider_error(failed)
        else:
            events += self._reader.read(as_dict(chunk))

    def _undecodable(
        self, event: ServerSentEvent, events: list[StreamEvent], *, at_end: bool
    ) -> Any:
        """What *event*, which is not the JSON that it should be, stands for."""
        data = event.data.strip()
        if data == DONE:
            events += self._end()
            return None
        try:
            return decode_json(data)
        except ValueError:
            pass
        if event.event == "error":
            self.error = provider_error(Fault(message=data.decode(errors="replace")))
        elif data and not at_end and event.event in {None, "message"}:
            self.error = InvalidResponseError("a chunk of the stream is not JSON", sent=True)
        return None

    def _end(self) -> list[StreamEvent]:
        self.ended = True
        return self._reader.end()

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
            events = decode_answer(body, self._dialect)
        except ProviderError as error:
            self.error = error
            return ()
        self.ended = True
        return events


def _only_words(chunk: Any) -> str | None:
    """The words of a chunk that tells nothing else, as most do."""
    try:
        (choice,) = chunk["choices"]
        delta = choice["delta"]
        text = delta["content"]
        if (
            type(text) is str
            and (len(delta) == 1 or not any(delta[name] for name in delta.keys() - _WORDS))
            and choice.get("finish_reason") is None
            and not choice.get("index")
            and not choice.get("logprobs")
            and not chunk.get("usage")
            and not chunk.get("error")
        ):
            return text
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    return None
