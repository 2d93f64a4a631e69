"""A whole answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..faults import not_an_answer, provider_error
from ..values import as_dict, as_list, decode_json
from .answer import AnswerReader
from .errors import fault_in, read_fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...core.events import StreamEvent
    from .dialect import Dialect


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
    content_type = headers.get("content-type", "")
    try:
        told: object = decode_json(body)
    except ValueError:
        raise not_an_answer(body, content_type, wanted="a message") from None
    message = as_dict(next(iter(as_list(told)), told))
    fault = fault_in(message)
    if fault is None and not isinstance(message.get("content"), list):
        fault = read_fault(message)
        if not fault.message:
            raise not_an_answer(body, content_type, wanted="a message")
    if fault is not None:
        raise provider_error(fault, headers=headers)
    reader = AnswerReader(dialect)
    return reader.message(message) + reader.end()
