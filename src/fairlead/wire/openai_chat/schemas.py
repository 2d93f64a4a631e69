"""JSON schemas that a vendor can hold a model to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ..values import as_dict, as_list, as_str

_DROPPED = {"default", "examples", "title", "$schema"}
_TAKEN = _DROPPED | {
    *("type", "properties", "required", "additionalProperties", "items", "anyOf", "enum"),
    *("const", "$ref", "$defs", "definitions", "description", "format", "pattern"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minItems", "maxItems"),
}
_DEPTH = 64


def closed(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """
    *schema* as strict structured output wants it: every object closed, every property required.

    Whatever fits the result fits *schema* too. None where that cannot be said: it describes maps
    with free keys, or uses words that strict output does not have.
    """
    if schema.get("type") != "object" or "anyOf" in schema:
        return None
    try:
        return _closed(schema, _DEPTH)
    except _NotClosableError:
        return None


class _NotClosableError(Exception):
    pass


def _closed(schema: object, depth: int) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or depth == 0 or not set(cast("Any", schema)) <= _TAKEN:
        raise _NotClosableError
    told = dict(cast("Mapping[str, Any]", schema))
    if "$ref" in told:
        return {"$ref": told["$ref"], **_definitions(told, depth)}
    result = {name: value for name, value in told.items() if name not in _DROPPED}
    if "object" in (told.get("type"), *as_list(told.get("type"))) or "properties" in told:
        if told.get("additionalProperties", False) is not False or "properties" not in told:
            raise _NotClosableError
        properties = as_dict(told["properties"])
        result["properties"] = {name: _closed(each, depth - 1) for name, each in properties.items()}
        result["required"] = list(properties)
        result["additionalProperties"] = False
    if "items" in told:
        result["items"] = _closed(told["items"], depth - 1)
    elif "array" in as_str(told.get("type")):
        raise _NotClosableError
    if "anyOf" in told:
        result["anyOf"] = [_closed(each, depth - 1) for each in as_list(told["anyOf"])]
    return result | _definitions(told, depth)


def _definitions(told: dict[str, Any], depth: int) -> dict[str, Any]:
    return {
        name: {key: _closed(each, depth - 1) for key, each in as_dict(told[name]).items()}
        for name in ("$defs", "definitions")
        if name in told
    }
