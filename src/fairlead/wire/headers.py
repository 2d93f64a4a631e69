"""What the headers of a response say about trying again."""

from __future__ import annotations

import math
import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REQUEST_IDS = ("x-request-id", "request-id", "apim-request-id", "x-debug-trace-id")
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")


def request_id(headers: Mapping[str, str]) -> str | None:
    """The vendor's id of the request."""
    for name in REQUEST_IDS:
        if told := headers.get(name):
            return told
    return None


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """The vendor's explicit word, if there is one."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())


def retry_after(
    headers: Mapping[str, str], *, now: Callable[[], float] = time.time
) -> float | None:
    """
    Seconds after which a repeat makes sense.

    The first of the three headers that names a positive time wins, so that a `retry-after-ms`
    of 0 does not hide a `retry-after`. A date counts from the response's own `date`.

    Args:
        headers: Their names in lower case.
        now: The wall clock, asked only for a date in a response that has none itself.
    """
    told = [
        _seconds(headers.get("retry-after-ms"), 0.001),
        _seconds(headers.get("x-ms-retry-after-ms"), 0.001),
        _seconds(headers.get("retry-after")),
        _until(headers.get("retry-after"), headers.get("date"), now),
    ]
    known = [seconds for seconds in told if seconds is not None]
    return next(filter(None, known), 0.0 if known else None)


def duration(text: str) -> float | None:
    """Seconds in a duration such as `23s`, `6m0s`, `10h17m5.7s` or `120ms`."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        return None
    hours, minutes, seconds, millis = (float(group or 0) for group in match.groups())
    return hours * 3600 + minutes * 60 + seconds + millis / 1000


def _seconds(value: str | None, scale: float = 1.0) -> float | None:
    try:
        seconds = float(value or "") * scale
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _until(value: str | None, date: str | None, now: Callable[[], float]) -> float | None:
    then = _timestamp(value)
    if then is None:
        return None
    here = _timestamp(date)
    return max(0.0, then - (now() if here is None else here))


def _timestamp(value: str | None) -> float | None:
    if not value:
        return None
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
