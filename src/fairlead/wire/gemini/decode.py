"""A whole answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.errors import InvalidResponseError
from ..faults import not_an_answer, provider_error
from ..values import as_dict, as_list, decode_json
from .answer import GeminiAnswerReader
from .errors import fault_in
from .stream import WANTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.events import StreamEvent
    from ..http import WireResponse
    from .dialect import GeminiDialect


def decode_answer(response: WireResponse, dialect: GeminiDialect) -> Sequence[StreamEvent]:
    """
    The events of *response*, a successful one.

    Raises:
        ProviderError: It tells of an error.
        InvalidResponseError: It is no answer, or one without an end.
    """
    told: object = read_body(response, WANTED)
    reader = GeminiAnswerReader(dialect)
    events: list[StreamEvent] = []
    for chunk in as_list(told) or [told]:
        events += reader.read(as_dict(chunk))
    if reader.finish_reason is None:
        if not reader.understood:
            raise _not_understood(response, WANTED)
        msg = "the answer has neither a finishReason nor a blockReason, so it may be cut"
        raise InvalidResponseError(msg, sent=True)
    return events + reader.end()


def read_body(response: WireResponse, wanted: str) -> Any:
    """
    What the body of a successful *response* says.

    Raises:
        ProviderError: It tells of an error.
        InvalidResponseError: It is not JSON, let alone what was *wanted*.
    """
    try:
        told: Any = decode_json(response.body)
    except ValueError:
        raise _not_understood(response, wanted) from None
    for chunk in as_list(told) or [told]:
        fault = fault_in(chunk)
        if fault is not None:
            raise provider_error(fault, headers=response.headers)
    return told


def _not_understood(response: WireResponse, wanted: str) -> InvalidResponseError:
    return not_an_answer(response.body, response.headers.get("content-type", ""), wanted=wanted)
