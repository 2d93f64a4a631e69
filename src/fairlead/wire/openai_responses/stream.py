"""A streamed answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jiter import from_json

from ..event_stream import EventStreamDecoder
from ..openai_chat.errors import fault_in
from ..openai_chat.stream import DONE
from ..sse import MAX_EVENT_BYTES, ServerSentEvent
from ..values import as_dict, as_str
from .answer import AnswerReader
from .decode import decode_answer, event_fault, response_fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.events import StreamEvent
    from ..faults import Fault
    from ..openai_chat import Dialect

_CLOSING = {"response.completed", "response.incomplete", "response.failed"}


class ResponsesStreamDecoder(EventStreamDecoder):
    """
    A `StreamDecoder` of this format.

    The answer ends with one of three closing events; `[DONE]`, which some servers send after it,
    is none of them.
    """

    __slots__ = ("_dialect", "_reader")

    wanting = "none of response.completed, response.incomplete and response.failed came"

    def __init__(self, dialect: Dialect, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        super().__init__(max_event_bytes=max_event_bytes)
        self._dialect = dialect
        self._reader = AnswerReader(dialect)

    def _read(self, received: list[ServerSentEvent], *, at_end: bool = False) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for event in received:
            try:
                told = as_dict(from_json(event.data))
            except ValueError:
                if event.data.strip() == DONE:
                    continue
                told = as_dict(self._reread(event, at_end=at_end))
            if self.error is None:
                self._event(told, as_str(told.get("type")) or event.event or "", events)
            if self._over():
                break
        return events

    def _whole(self, body: bytes) -> Sequence[StreamEvent]:
        return decode_answer(body, self._dialect)

    def _event(self, told: dict[str, object], name: str, events: list[StreamEvent]) -> None:
        fault: Fault | None = None
        if name == "error":
            fault = event_fault(told)
        elif name in _CLOSING:
            response = as_dict(told.get("response"))
            status = name.removeprefix("response.")
            fault = response_fault({**response, "status": status})
            if fault is None:
                self._reader.count(told)
                events += self._reader.close(response, status)
                self.ended = True
        elif name.startswith("response."):
            self._reader.count(told)
            events += self._reader.read(told, name)
        else:
            fault = fault_in(told)
        if fault is not None:
            self._fail(fault)
