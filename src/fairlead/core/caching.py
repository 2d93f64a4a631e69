"""What a call may say about caches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from .checks import check_number
from .errors import ConfigurationError


class CacheMode(StrEnum):
    """What a cache does for a call."""

    OFF = "off"
    """Nothing: it is neither read nor written, and no other call's answer is shared."""
    ON = "on"
    READ_ONLY = "read_only"
    WRITE_ONLY = "write_only"
    """What is kept is not looked at, and is written anew."""
    REFRESH = "refresh"
    """As `write_only`, and the answer of a call that began earlier is not shared either."""

    @property
    def reads(self) -> bool:
        """Whether a kept answer will do."""
        return self in {CacheMode.ON, CacheMode.READ_ONLY}

    @property
    def writes(self) -> bool:
        """Whether the answer is kept."""
        return self in {CacheMode.ON, CacheMode.WRITE_ONLY, CacheMode.REFRESH}

    @property
    def joins(self) -> bool:
        """Whether the answer of another call that is under way will do."""
        return self not in {CacheMode.OFF, CacheMode.REFRESH}


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheControl:
    """
    What one call wishes of the cache: the option `cache`.

    It is an explicit wish, so that the call need not ask for determinism in any other way.

    Args:
        mode: In place of the cache's own, a `CacheMode` or its name; `"off"` bypasses it.
        max_age: Seconds that a kept answer may be old; older ones are asked for anew.
        ttl: Seconds that the answer is kept for, in place of the cache's own; `inf` is for good.

    Raises:
        ConfigurationError: There is no such mode, or a time makes no sense.
    """

    mode: CacheMode | str | None = None
    max_age: float | None = None
    ttl: float | None = None

    def __post_init__(self) -> None:
        if self.mode is not None:
            object.__setattr__(self, "mode", cache_mode("mode", self.mode))
        for name, seconds in (("max_age", self.max_age), ("ttl", self.ttl)):
            if seconds is not None:
                check_age(name, seconds)


CacheWish: TypeAlias = CacheControl | CacheMode | str | bool | Mapping[str, Any]
"""
How a call says it: a `CacheControl` or its fields in a mapping, a mode, True for the cache's own
mode, or False for `"off"`.
"""


def cache_control(wish: CacheWish) -> CacheControl:
    """
    *wish* as one value.

    Raises:
        TypeError: It is none.
        ConfigurationError: As for `CacheControl`.
    """
    if isinstance(wish, CacheControl):
        return wish
    if isinstance(wish, bool):
        return CacheControl() if wish else CacheControl(mode=CacheMode.OFF)
    if isinstance(wish, str):
        return CacheControl(mode=wish)
    if not isinstance(wish, Mapping):
        modes = ", ".join(repr(mode.value) for mode in CacheMode)
        msg = f"cache must be True, False, {modes} or a CacheControl, not {type(wish).__name__}"
        raise TypeError(msg)
    unknown = wish.keys() - {"mode", "max_age", "ttl"}
    if unknown:
        names = ", ".join(sorted(map(str, unknown)))
        msg = f"cache has no {names}; it takes mode, max_age and ttl"
        raise TypeError(msg)
    return CacheControl(**wish)


def cache_mode(name: str, value: object) -> CacheMode:
    """*value* as a mode; a `ConfigurationError` that speaks of *name* if it is none."""
    try:
        return CacheMode(str(value))
    except ValueError:
        modes = ", ".join(repr(mode.value) for mode in CacheMode)
        raise ConfigurationError(f"{name} must be one of {modes}, not {value!r}") from None


def check_age(name: str, value: object) -> None:
    """Refuse what is no time that something may be kept for."""
    check_number(name, value, "at least 0 seconds", lambda it: it >= 0, infinite=True)
