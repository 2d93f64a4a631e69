"""Checks what an engine is built with."""

from __future__ import annotations

from ...core.errors import ConfigurationError


def check_type(name: str, value: object, kinds: type | tuple[type, ...], expected: str) -> None:
    """Refuse what is none of *kinds*; a bool is no number."""
    is_stray_bool = isinstance(value, bool) and kinds in (int, (int, float))
    if is_stray_bool or not isinstance(value, kinds):
        raise TypeError(f"{name} must be {expected}, not {type(value).__name__}")


def check_flag(name: str, value: object) -> None:
    """Refuse what is neither True nor False."""
    check_type(name, value, bool, "True or False")


def check_count(name: str, value: int, *, least: int) -> None:
    """Refuse what is no whole number, or less than *least*."""
    check_type(name, value, int, "an int")
    if value < least:
        raise ConfigurationError(f"{name} must be at least {least}, not {value}")


def check_seconds(name: str, value: float) -> None:
    """Refuse what is no number of seconds; infinitely many are allowed."""
    check_type(name, value, (int, float), "a number of seconds")
    if not value >= 0:  # NaN is not
        raise ConfigurationError(f"{name} must be at least 0 seconds, not {value}")
