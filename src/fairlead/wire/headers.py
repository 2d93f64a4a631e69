"""What the headers of a response say about trying again, and about what may still be asked."""

from __future__ import annotations

import math
import re
import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeAlias

from ..core.rates import Allowance, RateLimits

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


_Names: TypeAlias = tuple[str, str, str]
_REQUESTS: tuple[_Names, ...] = (
    # What is left, of how much, and until when. OpenAI, Azure and Groq; Mistral; Anthropic.
    ("x-ratelimit-remaining-requests", "x-ratelimit-limit-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-req-minute", "x-ratelimit-limit-req-minute", ""),
    (
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-reset",
    ),
)
_TOKENS: tuple[_Names, ...] = (
    ("x-ratelimit-remaining-tokens", "x-ratelimit-limit-tokens", "x-ratelimit-reset-tokens"),
    # Mistral and Cerebras, whose limits by the day are not those of any one minute.
    (
        "x-ratelimit-remaining-tokens-minute",
        "x-ratelimit-limit-tokens-minute",
        "x-ratelimit-reset-tokens-minute",
    ),
)
_PARTS: tuple[_Names, _Names] = (
    # Anthropic's two limits; its `-tokens-` is whichever of them is the tighter at the moment.
    (
        "anthropic-ratelimit-input-tokens-remaining",
        "anthropic-ratelimit-input-tokens-limit",
        "anthropic-ratelimit-input-tokens-reset",
    ),
    (
        "anthropic-ratelimit-output-tokens-remaining",
        "anthropic-ratelimit-output-tokens-limit",
        "anthropic-ratelimit-output-tokens-reset",
    ),
)
LONGEST_RESET = 86_400.0
"""Seconds; what is further away is a date in disguise, or of no use to anybody who waits."""


def rate_limits(
    headers: Mapping[str, str], *, now: Callable[[], float] = time.time
) -> RateLimits | None:
    """
    What the vendor says is left of its rate limits; None if it says nothing.

    Args:
        headers: Their names in lower case.
        now: The wall clock, asked only for a date in a response that has none itself.
    """
    requests = _first(headers, _REQUESTS, now)
    tokens = _first(headers, _TOKENS, now)
    if tokens is None:
        tokens = _together(*(_allowance(headers, names, now) for names in _PARTS))
    return None if requests is None and tokens is None else RateLimits(requests, tokens)


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


def _first(
    headers: Mapping[str, str], names: tuple[_Names, ...], now: Callable[[], float]
) -> Allowance | None:
    for each in names:
        told = _allowance(headers, each, now)
        if told is not None:
            return told
    return None


def _allowance(
    headers: Mapping[str, str], names: _Names, now: Callable[[], float]
) -> Allowance | None:
    left = headers.get(names[0])
    if left is None:
        return None
    told = headers.get(names[1])
    remaining, limit, reset = _whole(left), _whole(told), _reset(headers, names[2], now)
    # Azure says -1 or 0 for what it does not know; nobody has a limit of nothing.
    unknown = limit == 0 or (told is not None and limit is None)
    unknown = unknown or (remaining == 0 and limit is None and reset is None)
    return None if remaining is None or unknown else Allowance(limit, remaining, reset)


def _together(one: Allowance | None, other: Allowance | None) -> Allowance | None:
    """Two limits as one: what is left of both, and nothing as soon as either is used up."""
    if one is None or other is None:
        return one or other
    spent = [each for each in (one, other) if each.remaining == 0]
    resets = [each.reset for each in spent or (one, other) if each.reset is not None]
    known = one.limit is not None and other.limit is not None
    return Allowance(
        (one.limit or 0) + (other.limit or 0) if known else None,
        0 if spent else (one.remaining or 0) + (other.remaining or 0),
        max(resets, default=None),
    )


def _whole(value: str | None) -> int | None:
    """A count that is at least 0."""
    number = _seconds(value)
    return None if number is None else int(number)


def _reset(headers: Mapping[str, str], name: str, now: Callable[[], float]) -> float | None:
    told = headers.get(name)
    if told is None:
        return None
    seconds = _seconds(told)
    if seconds is None:
        seconds = duration(told)
    if seconds is None and (then := _moment(told)) is not None:
        here = _timestamp(headers.get("date"))
        seconds = max(0.0, then - (now() if here is None else here))
    return seconds if seconds is not None and seconds <= LONGEST_RESET else None


def _moment(value: str) -> float | None:
    """A date as RFC 3339 writes it; one without its offset could be anywhere."""
    try:
        then = datetime.fromisoformat(value.strip())
        return None if then.tzinfo is None else then.timestamp()
    except (ValueError, OverflowError):
        return None
