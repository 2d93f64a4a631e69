"""What all mirrors have in common when they read a request."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from ..core.errors import InvalidRequestError
from .values import as_dict, decode_json


@contextmanager
def wrong_types() -> Generator[None, None, None]:
    """What is a caller's `TypeError` in a program is a client's mistake here."""
    try:
        yield
    except TypeError as error:
        raise InvalidRequestError(str(error)) from None


def object_in(body: bytes) -> dict[str, Any]:
    """
    The object that *body* is.

    Raises:
        InvalidRequestError: It is none, or an empty one.
    """
    try:
        told = as_dict(decode_json(body))
    except ValueError:
        told = {}
    if not told:
        msg = "the body of the request is no JSON object"
        raise InvalidRequestError(msg)
    return told
