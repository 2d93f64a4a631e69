"""Errors in the many shapes that servers of this format give them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..faults import Fault, provider_error
from ..headers import duration
from ..redact import summary
from ..values import as_dict, as_list, as_str, decode_json

if TYPE_CHECKING:
    from ...core.errors import ProviderError
    from ..http import WireResponse

_MESSAGES = ("message", "detail", "error", "msg", "title", "error_description")
_CODES = ("code", "error_code", "type", "status", "reason")
_AGAIN = re.compile(r"(?:try again|retry) in (?=\d)([\dhms.]+?)\.?(?:\s|$|,)", re.IGNORECASE)
_STATUSES = range(400, 600)
_DEPTH = 5
_LENGTH = 4000


def decode_error(response: WireResponse) -> ProviderError:
    """The error that a response with an unsuccessful status stands for."""
    try:
        fault = read_fault(decode_json(response.body))
    except ValueError:
        fault = Fault()
    if not fault.message:
        fault.message = f"HTTP {response.status} with {summary(response.body)}"
    return provider_error(fault, status=response.status, headers=response.headers)


def fault_in(value: object) -> Fault | None:
    """What *value*, from a successful response, says went wrong, in itself or in a choice."""
    told = as_dict(value)
    if told.get("error") or told.get("object") == "error":
        return read_fault(told)
    for choice in as_list(told.get("choices")):
        if as_dict(choice).get("error"):
            return read_fault(choice)
    return None


def read_fault(value: object) -> Fault:
    """
    What *value* says went wrong.

    An object, a string or a list of either, under `error`, `detail`, `errors` or bare. What a
    vendor passes on from another, as text under `metadata.raw`, is read the same way.
    """
    fault = Fault()
    codes: list[str] = []
    messages: list[str] = []
    for told in _levels(value, _DEPTH):
        if isinstance(told, str):
            messages.append(told)
            continue
        _read_level(told, fault, codes)
    fault.message = "; ".join(dict.fromkeys(message for message in messages if message))[:_LENGTH]
    fault.code = codes[0] if codes else None
    fault.codes = tuple(codes)
    if fault.retry_after is None and (again := _AGAIN.search(fault.message)):
        fault.retry_after = duration(again[1])
    return fault


def _levels(value: object, depth: int) -> Iterator[dict[str, Any] | str]:
    """The objects and messages in *value*, outermost first."""
    if depth == 0:
        return
    if isinstance(value, str):
        yield value
    for item in as_list(value)[:8]:
        yield from _levels(item, depth - 1)
    told = as_dict(value)
    if not told:
        return
    yield told
    location = ".".join(str(step) for step in as_list(told.get("loc")))
    for name in _MESSAGES:
        inner = told.get(name)
        if location and isinstance(inner, str):
            inner = f"{location}: {inner}"
        yield from _levels(inner, depth - 1)
    yield from _levels(told.get("errors"), depth - 1)
    yield from _levels(as_dict(told.get("innererror")), depth - 1)
    yield from _levels(_passed_on(as_dict(told.get("metadata")).get("raw")), depth - 1)
    for detail in as_list(told.get("details"))[:8]:
        yield as_dict(detail)


def _passed_on(raw: object) -> object:
    text = as_str(raw)
    if text[:1] not in {"{", "["}:
        return text
    try:
        return decode_json(text.encode(errors="replace"))
    except ValueError:
        return text


def _read_level(told: dict[str, Any], fault: Fault, codes: list[str]) -> None:
    for name in ("status_code", "code", "status", "error_code"):
        status = _status(told.get(name))
        fault.status = fault.status or status
    words = (told.get(name) for name in _CODES)
    codes += [str(word) for word in words if _is_word(word)]
    wait = duration(as_str(told.get("retryDelay")))
    if wait is not None:
        fault.retry_after = wait
    for violation in as_list(told.get("violations"))[:8]:
        if "PerDay" in as_str(as_dict(violation).get("quotaId")):
            codes.insert(0, "insufficient_quota")


def _is_word(value: object) -> bool:
    """Whether *value* is a vendor's word for an error, and not just the status again."""
    known = isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""
    return known and _status(value) is None


def _status(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
        value = int(value)
    known = isinstance(value, int) and not isinstance(value, bool) and value in _STATUSES
    return value if known and isinstance(value, int) else None
