"""
JSON, and what was read from it.

A vendor may send anything anywhere, so nothing here raises for a value of the wrong kind: the
readers below answer with an empty one.
"""

from __future__ import annotations

import json
from typing import Any

from jiter import from_json

from ..core.errors import InvalidRequestError

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encode_json(value: object) -> bytes:
    """
    *value* as compact UTF-8. Lone surrogates, which are no characters, become U+FFFD.

    Raises:
        InvalidRequestError: JSON cannot express it.
    """
    try:
        text = _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"the request cannot be written as JSON: {error}"
        raise InvalidRequestError(msg) from None
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def decode_json(data: bytes) -> Any:
    """
    What *data* say. Bytes that are no UTF-8, and lone surrogates, become U+FFFD.

    Raises:
        ValueError: They are not JSON.
    """
    try:
        return from_json(data)
    except ValueError:
        # jiter takes no lone surrogates; some servers cut a pair between two chunks.
        try:
            return from_json(encode_json(json.loads(data.decode(errors="replace"))))
        except (InvalidRequestError, RecursionError) as error:
            raise ValueError(str(error)) from None


def as_dict(value: object) -> dict[str, Any]:
    """*value* if it is a mapping."""
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def as_list(value: object) -> list[Any]:
    """*value* if it is a list."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def as_str(value: object) -> str:
    """*value* if it is a string."""
    return value if isinstance(value, str) else ""


def as_count(value: object) -> int | None:
    """*value* if it is a number of things."""
    if (type(value) is int or type(value) is float) and 0 <= value < 2**63:
        return int(value)
    return None
