"""A whole answer, and the errors inside of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..faults import Fault, not_an_answer, provider_error
from ..openai_chat.errors import fault_in, read_fault
from ..values import as_dict, as_str, decode_json
from .answer import AnswerReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...core.events import StreamEvent
    from ..openai_chat import Dialect


def decode_answer(
    body: bytes, dialect: Dialect, headers: Mapping[str, str] | None = None
) -> Sequence[StreamEvent]:
    """
    The events of *body*, a successful response.

    Raises:
        ProviderError: It tells of an error.
        InvalidResponseError: It is no answer.
    """
    headers = headers or {}
    try:
        told = as_dict(decode_json(body))
    except ValueError:
        told = {}
    fault = response_fault(told)
    if fault is None and not ("output" in told or told.get("object") == "response"):
        fault = read_fault(told)
        if not fault.message:
            content_type = headers.get("content-type", "")
            raise not_an_answer(body, content_type, wanted="a response")
    if fault is not None:
        raise provider_error(fault, headers=headers)
    return AnswerReader(dialect).close(told)


def response_fault(response: dict[str, Any]) -> Fault | None:
    """What *response* says went wrong."""
    ended = as_str(response.get("status"))
    # The word for how an answer ended would be taken for the code of its error.
    said = {name: value for name, value in response.items() if not (ended and name == "status")}
    fault = fault_in(said)
    if fault is None and ended == "failed":
        fault = Fault(message="the vendor says that the response failed, and not why")
    return fault


def event_fault(told: dict[str, Any]) -> Fault:
    """What *told*, an `error` event, says went wrong: in itself, or under `error`."""
    inner = told.get("error")
    return read_fault(
        inner or {name: value for name, value in told.items() if name not in {"type", "error"}}
    )
