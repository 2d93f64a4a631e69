"""A streamed answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jiter import from_json

from ...core.events import TextDelta
from ..event_stream import EventStreamDecoder
from ..sse import MAX_EVENT_BYTES, ServerSentEvent
from ..values import as_dict, as_list
from .answer import AnswerReader
from .decode import decode_answer
from .errors import fault_in, read_fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.events import StreamEvent
    from .dialect import Dialect

DONE = b"[DONE]"
_WORDS = {"content", "role"}


class ChatStreamDecoder(EventStreamDecoder):
    """A `StreamDecoder` of this format."""

    __slots__ = ("_dialect", "_reader")

    wanting = "neither a finish reason nor [DONE] came"

    def __init__(self, dialect: Dialect, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        super().__init__(max_event_bytes=max_event_bytes)
        self._dialect = dialect
        self._reader = AnswerReader(dialect)

    def _whole(self, body: bytes) -> Sequence[StreamEvent]:
        return decode_answer(body, self._dialect)

    def _at_end(self) -> list[StreamEvent] | None:
        if self._reader.finish_reason is not None:
            return self._end()
        return None

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
            self._fail(failed)
        else:
            events += self._reader.read(as_dict(chunk))

    def _undecodable(
        self, event: ServerSentEvent, events: list[StreamEvent], *, at_end: bool
    ) -> Any:
        """What *event*, which is not the JSON that it should be, stands for."""
        if event.data.strip() == DONE:
            events += self._end()
            return None
        return self._reread(event, at_end=at_end)

    def _end(self) -> list[StreamEvent]:
        self.ended = True
        return self._reader.end()


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
