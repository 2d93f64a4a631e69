"""JSON schemas that answers are held to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from ..adapters.providers.offline.validity import UnknownSchemaError, is_valid
from ..core.errors import ConfigurationError, InvalidResponseError
from .prompts import read_text

if TYPE_CHECKING:
    from pathlib import Path

    from ..core.results import Generation


def read_schema(path: Path) -> dict[str, Any]:
    """
    The JSON schema in *path*.

    Raises:
        ConfigurationError: There is none.
    """
    try:
        schema: object = json.loads(read_text(path))
    except ValueError as error:
        raise ConfigurationError(f"{path} is no JSON: {error}") from error
    if not isinstance(schema, dict):
        raise ConfigurationError(f"{path} is no JSON schema: that is an object")
    return cast("dict[str, Any]", schema)


def validated(generation: Generation, schema: dict[str, Any]) -> Any:
    """
    The value that *generation* is, valid for *schema*.

    What the schema says that is not understood here is left to the vendor.

    Raises:
        InvalidResponseError: It is no JSON, or not valid.
    """
    try:
        value: Any = generation.parsed
    except ValueError as error:
        raise _unfit(generation, f"is no JSON: {error}") from error
    try:
        fits = is_valid(value, schema, schema)
    except UnknownSchemaError:
        return value
    if not fits:
        raise _unfit(generation, "is not valid for the schema")
    return value


def _unfit(generation: Generation, why: str) -> InvalidResponseError:
    return InvalidResponseError(
        f"the answer {why}", provider=generation.provider, model=generation.model
    )
