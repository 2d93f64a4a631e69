"""One text for all that means the same, and its digest: what caches know things by."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from hashlib import sha256
from json import encoder as _json_encoder
from operator import attrgetter
from typing import Any, cast

SCHEMA = 1
"""Of the keys; what was kept under another one is not found again."""


def digest(*values: object) -> str:
    """
    The SHA-256 of *values* in canonical JSON, in hexadecimal.

    The order of a mapping's keys is no part of it. Bytes and what stands in a secret's place in
    *values* cannot be told from it.

    Raises:
        TypeError: There is no JSON for one of them.
    """
    return sha256(canonical((SCHEMA, *values)).encode()).hexdigest()


def canonical(value: object) -> str:
    """*value* in JSON: keys in order, each kind of value named. Raises as `digest` does."""
    try:
        return _encode(value)
    except (ValueError, RecursionError) as error:
        msg = f"there is no canonical form of it: {error}"
        raise TypeError(msg) from error


def number(value: float | None) -> float | None:
    """The same number, written in one way: 0 for 0.0."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < _EXACT
    return int(cast("float", value)) if whole else value


_EXACT = 2.0**53
"""From here on not every whole number is a float."""


def _plain(value: object) -> Any:
    """*value*, which JSON has no word for, in other words."""
    kind = type(value)
    told = _getters.get(kind)
    if told is not None:
        return [kind.__name__, *told(value)]
    if isinstance(value, Mapping):
        return dict(cast("Any", value))
    if isinstance(value, bytes):
        return ["bytes", len(value), sha256(value).hexdigest()]
    describe = getattr(value, "model_json_schema", None)
    if isinstance(value, type) and callable(describe):
        return describe()
    if not is_dataclass(value) or isinstance(value, type):
        msg = f"there is no canonical form of a {kind.__name__}"
        raise TypeError(msg)
    if len(_getters) < MAX_KINDS:
        _getters[kind] = _getter(kind)
    return [kind.__name__, *_getter(kind)(value)]


_getters: dict[type, Callable[[Any], Any]] = {}
MAX_KINDS = 256
"""Data classes of which it is remembered how they are told."""


def _getter(kind: type[Any]) -> Callable[[Any], Any]:
    """What gives the values of all fields of a data class, as a tuple."""
    names = [each.name for each in fields(kind)]
    return attrgetter(*names) if len(names) > 1 else _Single(names[0])


class _Single:
    """As `attrgetter`, for one name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, value: object) -> tuple[Any]:
        return (getattr(value, self._name),)


def _encoder() -> Callable[[Any], str]:
    """Encodes; where Python has it in C, by one that is made once and not for each value."""
    make: Any = getattr(_json_encoder, "c_make_encoder", None)
    if make is None:
        return json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain).encode
    # No markers: what is nested without end ends in a RecursionError. No indent, keys sorted.
    words = _json_encoder.encode_basestring_ascii
    parts: Callable[[Any, int], tuple[str, ...]] = make(
        None, _plain, words, None, ":", ",", True, False, True
    )
    return lambda value: "".join(parts(value, 0))


_encode = _encoder()
