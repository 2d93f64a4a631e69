"""Errors, in Google's shape and in those of what stands before it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..faults import Fault, provider_error
from ..headers import duration
from ..redact import summary
from ..values import as_dict, as_list, as_str, decode_json

if TYPE_CHECKING:
    from ...core.errors import ProviderError
    from ..http import WireResponse

_AGAIN = re.compile(r"retry in ([\dhms.]+?)\.?(?:\s|$|,)", re.IGNORECASE)
_NOTHING_LEFT = re.compile(r"\blimit: 0\b")
_SPENT = "insufficient_quota"
"""The word by which `fault_tables` knows that waiting a little does not help."""
_STATUSES = range(400, 600)
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
    """What *value*, from a successful response, says went wrong."""
    return read_fault(value) if as_dict(value).get("error") else None


def read_fault(value: object) -> Fault:
    """What *value* says went wrong: an object with `error`, alone or in a list."""
    told = as_dict(next(iter(as_list(value)), value))
    error: object = told.get("error", told)
    inner = as_dict(error)
    words = as_str(error) or as_str(inner.get("message")) or as_str(told.get("message"))
    fault = Fault(message=words[:_LENGTH], status=_status(inner.get("code")))
    codes = [as_str(inner.get("status"))]
    for detail in map(as_dict, as_list(inner.get("details"))[:16]):
        _read_detail(detail, fault, codes)
    if _NOTHING_LEFT.search(fault.message):
        codes.insert(0, _SPENT)
    if fault.retry_after is None and (again := _AGAIN.search(fault.message)):
        fault.retry_after = duration(again[1])
    fault.codes = tuple(filter(None, codes))
    fault.code = next(iter(fault.codes), None)
    return fault


def _read_detail(detail: dict[str, Any], fault: Fault, codes: list[str]) -> None:
    reason = as_str(detail.get("reason"))
    if reason:
        codes.insert(0, reason)
    wait = duration(as_str(detail.get("retryDelay")))
    if wait is not None:
        fault.retry_after = wait
    quotas = (as_str(as_dict(each).get("quotaId")) for each in as_list(detail.get("violations")))
    if any("PerDay" in quota for quota in quotas):
        codes.insert(0, _SPENT)


def _status(value: object) -> int | None:
    return value if type(value) is int and value in _STATUSES else None
