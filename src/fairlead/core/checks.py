"""Checks of what constructors are given; calls check their options in `options`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence

from .errors import ConfigurationError
from .redact import shown


def check_count(name: str, value: object, least: int) -> None:
    """Refuse what is no whole number of at least *least*."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(name, "an int", value)
    if value < least:
        raise _wrong(name, f"at least {least}", value)


def check_number(
    name: str,
    value: object,
    expected: str,
    fits: Callable[[float], bool],
    *,
    infinite: bool = False,
) -> None:
    """Refuse what is no number that *fits*; *expected* says in words which do."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong(name, "a number", value)
    if not fits(value):
        raise _wrong(name, expected, value)
    if not infinite and abs(value) > LARGEST:
        raise _wrong(name, "a finite number", value)


def check_seconds(name: str, value: object, *, infinite: bool = False) -> None:
    """Refuse what is no time."""
    check_number(name, value, "more than 0 seconds", lambda it: it > 0, infinite=infinite)


def check_kind(name: str, value: object, kind: type) -> None:
    """Refuse what is neither None nor of *kind*."""
    if value is not None and not isinstance(value, kind):
        raise _wrong(name, f"of {kind.__name__}, or None", value)


def check_function(name: str, value: object) -> None:
    """Refuse what is neither None nor a function."""
    if value is not None and not callable(value):
        raise _wrong(name, "a function", value)


def check_functions(name: str, values: Sequence[object]) -> None:
    """Refuse what is no sequence of functions."""
    if not (isinstance(values, Sequence) and all(map(callable, values))):
        raise _wrong(name, "a sequence of functions", values)


def check_port(name: str, value: object, port: type) -> None:
    """Refuse what is neither None nor an object with anything that *port*, a protocol, has."""
    asked = [each for each in vars(port) if not each.startswith("_")]
    fits = not isinstance(value, type) and any(hasattr(value, each) for each in asked)
    if value is not None and not fits:
        names = ", ".join(asked)
        raise _wrong(name, f"of the port {port.__name__}, with {names}, or None", value)


def check_path(name: str, value: object) -> None:
    """Refuse what names no file."""
    if not isinstance(value, (str, os.PathLike)):
        raise _wrong(name, "a path", value)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that *name* resembles most, whatever its case, if it resembles any."""
    from difflib import get_close_matches

    by_lower = {candidate.lower(): candidate for candidate in known}
    matches = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.65)
    return by_lower[matches[0]] if matches else None


def in_words(value: object) -> str:
    """*value* for a message: as `repr`, but bounded and without secrets."""
    if isinstance(value, int) and abs(value) > LARGEST:
        return f"a number of {value.bit_length()} bits"
    return shown(repr(value), 80)


def _wrong(name: str, expected: str, value: object) -> ConfigurationError:
    return ConfigurationError(f"{name} must be {expected}, not {in_words(value)}")


LARGEST = sys.float_info.max
"""Of all numbers that a float can hold."""
