"""Texts and numbers for a JSON schema."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, floor
from random import Random
from typing import Any

from .patterns import sample
from .validity import UnknownSchemaError, bounds, compiled, is_valid

MAX_LENGTH = 100_000
SPREAD = 100
"""How far numbers without a bound lie from the other bound, or from zero."""
_TRIES = 64


class ImpossibleError(Exception):
    """No value was found; another choice further up may help."""


def text(flat: Mapping[str, Any], random: Random) -> str:
    """A text of the format or pattern that *flat* asks for, and of its length if that can be."""
    low, high = flat.get("minLength", 0), flat.get("maxLength", MAX_LENGTH)
    if low > MAX_LENGTH:
        raise UnknownSchemaError(f"it asks for {low} characters")
    form = _FORMATS.get(flat.get("format", ""))
    if form is not None:
        return form(random)
    if "pattern" in flat:
        return _patterned(flat["pattern"], low, high, random)
    plain = f"offline {int(random.random() * 1000)}"
    if len(plain) > high:
        plain = "".join(_LETTERS[int(random.random() * 26)] for _ in range(high))
    return plain.ljust(low, "x")


def _patterned(pattern: str, low: int, high: int, random: Random) -> str:
    expression = compiled(pattern)
    for more in range(max(low, _TRIES)):
        found = sample(pattern, random, more)
        for candidate in (found, found.ljust(low, "x"), found.rjust(low, "x")):
            if low <= len(candidate) <= high and expression.search(candidate):
                return candidate
    raise ImpossibleError(f"nothing was found for the pattern {pattern!r}")


def number(flat: Mapping[str, Any], random: Random, *, integral: bool) -> float:
    """A number within the bounds that *flat* gives."""
    step = Fraction(str(flat.get("multipleOf", 1 if integral else 0)))
    if integral:
        step = Fraction(step.numerator)  # the least multiple of it that is whole
    low, low_open, high, high_open = bounds(flat)
    if not step:
        return _between(low, high, flat, random)
    first = None if low is None else ceil(Fraction(str(low)) / step)
    if first is not None and low_open and first * step == Fraction(str(low)):
        first += 1
    last = None if high is None else floor(Fraction(str(high)) / step)
    if last is not None and high_open and last * step == Fraction(str(high)):
        last -= 1
    if first is None:
        first = last - SPREAD if last is not None and last < 0 else 0
    if last is None:
        last = first + SPREAD
    for _ in range(_TRIES):
        multiple = (first + int(random.random() * (last - first + 1))) * step
        found = int(multiple) if multiple.denominator == 1 else float(multiple)
        if is_valid(found, flat, flat):
            return found
    raise ImpossibleError(f"nothing was found from {low} to {high}")


def _between(
    low: float | None, high: float | None, flat: Mapping[str, Any], random: Random
) -> float:
    if low is None:
        low = high - SPREAD if high is not None and high < 0 else 0
    if high is None:
        high = low + SPREAD
    middle = low + random.random() * (high - low)
    for found in (round(middle, 2), middle, (low + high) / 2, low):
        if is_valid(found, flat, flat):
            return found
    raise ImpossibleError(f"nothing was found from {low} to {high}")


def _address(random: Random) -> str:
    return f"offline{int(random.random() * 1000)}@example.com"


def _uuid(random: Random) -> str:
    return str(uuid.UUID(bytes=bytes(int(random.random() * 256) for _ in range(16)), version=4))


def _date(random: Random) -> str:
    return f"2024-{1 + int(random.random() * 12):02}-{1 + int(random.random() * 28):02}"


def _time(random: Random) -> str:
    return f"{int(random.random() * 24):02}:{int(random.random() * 60):02}:00Z"


def _host(random: Random) -> str:
    return f"host{int(random.random() * 1000)}.example.com"


def _url(random: Random) -> str:
    return f"https://example.com/{int(random.random() * 1000)}"


def _path(random: Random) -> str:
    return f"/offline/{int(random.random() * 1000)}"


_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_FORMATS: dict[str, Callable[[Random], str]] = {
    "date-time": lambda random: f"{_date(random)}T{_time(random)}",
    "date": _date,
    "time": _time,
    "duration": lambda random: f"PT{1 + int(random.random() * 59)}M",
    "email": _address,
    "idn-email": _address,
    "hostname": _host,
    "idn-hostname": _host,
    "ipv4": lambda random: f"192.0.2.{int(random.random() * 256)}",
    "ipv6": lambda random: f"2001:db8::{1 + int(random.random() * 9999)}",
    "ipvanyaddress": lambda random: f"192.0.2.{int(random.random() * 256)}",
    "uri": _url,
    "iri": _url,
    "uri-reference": _url,
    "uuid": _uuid,
    "uuid4": _uuid,
    "json-pointer": _path,
    "regex": lambda _random: "^offline$",
    "json-string": lambda random: str(int(random.random() * 1000)),
}
"""What each format may look like; other formats are plain texts."""
