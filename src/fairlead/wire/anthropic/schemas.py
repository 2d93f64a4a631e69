"""JSON schemas that Anthropic can hold a model to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from ..values import as_dict, as_list

_TAKEN = frozenset(
    {
        *("type", "properties", "required", "items", "anyOf", "allOf", "enum", "const"),
        *("$ref", "$defs", "definitions", "description", "title", "default", "format"),
        *("additionalProperties", "minItems"),
    }
)
_TOLD = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern", "maxItems", "uniqueItems", "examples"),
        *("minProperties", "maxProperties"),
    }
)
"""Words that only the model can be told, in a description."""
_FORMATS = frozenset(
    "date-time time date duration email hostname uri ipv4 ipv6 uuid".split()  # noqa: SIM905
)
_DROPPED = frozenset({"$schema", "$id", "$comment"})
_DEPTH = 64


def held(schema: Mapping[str, Any]) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """
    *schema* as the vendor takes it, and the words that it does not hold the model to.

    None where it cannot be said: it describes maps with free keys, refers to itself, or uses words
    that are not known here.
    """
    told: set[str] = set()
    try:
        fitted = _fitted(schema, told, _DEPTH)
        _check_ends(fitted)
    except _NotHeldError:
        return None, ()
    return fitted, tuple(sorted(told))


class _NotHeldError(Exception):
    pass


def _fitted(schema: object, told: set[str], depth: int) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or depth == 0:
        raise _NotHeldError
    given = dict(cast("Mapping[str, Any]", schema))
    if "oneOf" in given and "anyOf" not in given:
        given["anyOf"] = given.pop("oneOf")
    if not given.keys() <= _TAKEN | _TOLD | _DROPPED:
        raise _NotHeldError
    only_told = {name: given[name] for name in given if _is_told(name, given[name])}
    result = {
        name: _inner(name, value, told, depth)
        for name, value in given.items()
        if name not in only_told and name not in _DROPPED
    }
    if "object" in (given.get("type"), *as_list(given.get("type"))) or "properties" in given:
        if given.get("additionalProperties", False) is not False or "properties" not in given:
            raise _NotHeldError
        result["additionalProperties"] = False
    if only_told:
        told.update(only_told)
        words = ", ".join(f"{name}: {json.dumps(only_told[name])}" for name in sorted(only_told))
        result["description"] = "\n".join(filter(None, (given.get("description"), words)))
    return result


def _is_told(name: str, value: object) -> bool:
    if name == "format":
        return value not in _FORMATS
    return name in _TOLD or (name == "minItems" and value not in (0, 1))


def _inner(name: str, value: object, told: set[str], depth: int) -> Any:
    if name in {"properties", "$defs", "definitions"}:
        return {key: _fitted(each, told, depth - 1) for key, each in as_dict(value).items()}
    if name in {"anyOf", "allOf"}:
        return [_fitted(each, told, depth - 1) for each in as_list(value)]
    return _fitted(value, told, depth - 1) if name == "items" else value


def _check_ends(schema: dict[str, Any]) -> None:
    """Refuse what refers to itself."""
    named: dict[str, Any] = {
        f"#/{word}/{name}": each
        for word in ("$defs", "definitions")
        for name, each in as_dict(schema.get(word)).items()
    }
    uses = {name: _references(each) for name, each in named.items()}
    if not _references(schema) <= uses.keys():
        raise _NotHeldError
    while uses:
        ended = {name for name, others in uses.items() if not others & uses.keys()}
        if not ended:
            raise _NotHeldError
        uses = {name: others for name, others in uses.items() if name not in ended}


def _references(value: object) -> set[str]:
    told = as_dict(value)
    if told:
        own = {told["$ref"]} if isinstance(told.get("$ref"), str) else set[str]()
        return own.union(*map(_references, told.values()))
    return set[str]().union(*map(_references, as_list(value)))
