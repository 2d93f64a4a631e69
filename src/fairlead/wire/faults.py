"""
From what a vendor said went wrong to the error that is raised.

An exact code decides first, then the status, then the vendor's kind of error, and the words of
the message last: they only tell apart what one status stands for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.errors import (
    ContextLengthExceededError,
    InvalidResponseError,
    ProviderError,
    QuotaExceededError,
    ServerError,
)
from ..core.redact import shown
from . import headers as header
from .fault_tables import ANY_STATUS, CODES, KINDS, LIMITS, PHRASES, REQUESTED, STATUSES
from .redact import looks_like_html, summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .fault_tables import Kind


@dataclass(slots=True, kw_only=True)
class Fault:
    """What a vendor said went wrong, whatever shape it was said in."""

    message: str = ""
    code: str | None = None
    """The vendor's own word for it; never just the status again."""
    codes: tuple[str, ...] = ()
    """Every word that could be a code or a kind, most telling first."""
    status: int | None = None
    retry_after: float | None = None


LONG_WAIT = 3600.0
"""Seconds; a vendor that asks for more has run out of something that is counted by the day."""


def provider_error(
    fault: Fault, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> ProviderError:
    """
    The error that *fault* stands for.

    Args:
        fault: What was said.
        status: The status of the response, if it was not a success.
        headers: Those of the response.
    """
    headers = headers or {}
    status = status if status is not None else fault.status
    wait = header.retry_after(headers)
    wait = fault.retry_after if wait is None else wait
    kind = _kind(fault, status, wait)
    details: dict[str, Any] = {
        "status_code": status,
        "code": shown(fault.code, 100) if fault.code else None,
        "request_id": header.request_id(headers),
        "retry_after": wait,
        "should_retry": header.should_retry(headers),
        "sent": True,
    }
    message = shown(fault.message) or "the vendor reported an error without saying which"
    if kind is ContextLengthExceededError:
        details |= {"limit": _number(LIMITS, message), "requested": _number(REQUESTED, message)}
    elif kind is InvalidResponseError:
        details["misconfigured"] = True
    error = kind(message, **details)
    error.rate_limits = header.rate_limits(headers)
    return error


def not_an_answer(body: bytes, content_type: str, *, wanted: str) -> InvalidResponseError:
    """The error for a successful response that is not what was *wanted*."""
    page = "html" in content_type or looks_like_html(body)
    msg = f"expected {wanted} and got {summary(body)}"
    if page:
        msg += "; check the base URL, something else answers there"
    return InvalidResponseError(msg, misconfigured=page, sent=True)


def _kind(fault: Fault, status: int | None, wait: float | None) -> Kind:
    return (
        _by_code(fault, CODES)
        or _by_words(fault, PHRASES.get(status, ()))
        or _by_status(status, wait)
        or _by_code(fault, KINDS)
        or _by_words(fault, ANY_STATUS)
        or ServerError
    )


def _by_code(fault: Fault, table: Mapping[str, Kind]) -> Kind | None:
    return next((table[code.lower()] for code in fault.codes if code.lower() in table), None)


def _by_words(fault: Fault, phrases: Iterable[tuple[re.Pattern[str], Kind]]) -> Kind | None:
    return next((kind for pattern, kind in phrases if pattern.search(fault.message)), None)


def _by_status(status: int | None, wait: float | None) -> Kind | None:
    if status is None:
        return None
    if status == 429 and (wait or 0.0) >= LONG_WAIT:
        return QuotaExceededError
    return STATUSES.get(status) or (ServerError if status >= 500 else InvalidResponseError)


def _number(patterns: Iterable[re.Pattern[str]], message: str) -> int | None:
    for pattern in patterns:
        if match := pattern.search(message):
            return int(match[1].replace(",", ""))
    return None
