"""Whether a JSON value is valid for a JSON schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import isfinite
from typing import Any, TypeAlias, cast
from urllib.parse import unquote

Schema: TypeAlias = Mapping[str, Any] | bool

UNKNOWN = frozenset(
    {"$dynamicRef", "$recursiveRef", "unevaluatedItems", "unevaluatedProperties"}
    | {"dependentSchemas", "dependencies"}
)
"""Keywords that may forbid something, and that are not understood here."""


class UnknownSchemaError(Exception):
    """The schema uses what is not understood here."""


def resolve(reference: str, root: Schema) -> Schema:
    """
    What *reference* points at, within *root*.

    Raises:
        UnknownSchemaError: It points out of it, or at nothing.
    """
    if not reference.startswith("#"):
        raise UnknownSchemaError(f"$ref {reference!r} points out of the schema")
    found: Any = root
    for step in reference.removeprefix("#").split("/")[1:]:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(name) if isinstance(found, list) else name]
        except (KeyError, ValueError, IndexError, TypeError):
            raise UnknownSchemaError(f"$ref {reference!r} points at nothing") from None
    if reference != "#" and not reference.startswith("#/"):
        raise UnknownSchemaError(f"$ref {reference!r} is an anchor")
    return cast("Schema", found)


def canonical(value: Any) -> str:
    """A text that is equal for equal JSON values."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        members = cast("Mapping[object, object]", value)
        return {str(key): _plain(item) for key, item in members.items()}
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[object]", value)
        return [_plain(item) for item in items]
    return value


def is_valid(value: Any, schema: Schema, root: Schema) -> bool:
    """
    Whether *value* is valid for *schema*, whose references point into *root*.

    Formats are not checked, as JSON Schema has it by default.

    Raises:
        UnknownSchemaError: Nobody here can tell.
    """
    if isinstance(schema, bool):
        return schema
    if unknown := sorted(UNKNOWN & schema.keys()):
        raise UnknownSchemaError(f"{unknown[0]} is not understood")
    return all(_checks(value, schema, root))


def _checks(value: Any, schema: Mapping[str, Any], root: Schema) -> Iterator[bool]:
    if schema.get("nullable") is True and value is None:
        return
    yield from _combined(value, schema, root)
    if "type" in schema:
        yield any(_is_type(value, name) for name in types_of(schema))
    if "enum" in schema:
        yield canonical(value) in map(canonical, schema["enum"])
    if "const" in schema:
        yield canonical(value) == canonical(schema["const"])
    if isinstance(value, str):
        yield schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        if "pattern" in schema:
            yield compiled(schema["pattern"]).search(value) is not None
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _number(value, schema)
    elif isinstance(value, list):
        items = cast("list[object]", value)
        yield from _array(items, schema, root)
    elif isinstance(value, dict):
        members = cast("dict[str, object]", value)
        yield from _object(members, schema, root)


def _combined(value: Any, schema: Mapping[str, Any], root: Schema) -> Iterator[bool]:
    def fits(other: Schema) -> bool:
        return is_valid(value, other, root)

    if "$ref" in schema:
        yield fits(resolve(schema["$ref"], root))
    yield all(map(fits, schema.get("allOf", ())))
    if "anyOf" in schema:
        yield any(map(fits, schema["anyOf"]))
    if "oneOf" in schema:
        yield sum(map(fits, schema["oneOf"])) == 1
    if "not" in schema:
        yield not fits(schema["not"])
    if "if" in schema:
        yield fits(schema.get("then" if fits(schema["if"]) else "else", True))


def types_of(schema: Mapping[str, Any]) -> list[str]:
    """The types that *schema* names."""
    named = schema.get("type", [])
    return [named] if isinstance(named, str) else list(named)


def compiled(pattern: str) -> re.Pattern[str]:
    """
    *pattern* as Python understands it.

    Raises:
        UnknownSchemaError: It does not.
    """
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UnknownSchemaError(f"the pattern {pattern!r} is not understood: {error}") from None


_TYPES: dict[str, type] = {"null": type(None), "string": str, "array": list, "object": dict}


def _is_type(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if isinstance(value, (int, float)):
        return name == "number" or (name == "integer" and value == int(value))
    return name in _TYPES and isinstance(value, _TYPES[name])


def _number(value: float, schema: Mapping[str, Any]) -> Iterator[bool]:
    low, low_open, high, high_open = bounds(schema)
    yield isfinite(value)
    yield low is None or value > low or (value == low and not low_open)
    yield high is None or value < high or (value == high and not high_open)
    if step := schema.get("multipleOf"):
        yield Fraction(str(value)) % Fraction(str(step)) == 0
        yield float(value / step).is_integer()  # as most validators calculate


def bounds(
    schema: Mapping[str, Any],
) -> tuple[float | None, bool, float | None, bool]:
    """The lower bound, whether it is excluded itself, and the same of the upper one."""
    found: list[Any] = []
    for inclusive, exclusive, tighter in (
        ("minimum", "exclusiveMinimum", max),
        ("maximum", "exclusiveMaximum", min),
    ):
        limit, outside = schema.get(inclusive), schema.get(exclusive)
        if isinstance(outside, bool):  # draft 4 and OpenAPI 3.0
            limit, outside = (None, limit) if outside else (limit, None)
        both = [bound for bound in (limit, outside) if bound is not None]
        bound = tighter(both) if both else None
        found += [bound, bound is not None and bound == outside]
    return found[0], found[1], found[2], found[3]


def _array(value: list[Any], schema: Mapping[str, Any], root: Schema) -> Iterator[bool]:
    yield schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
    yield all(is_valid(item, item_schema(schema, i), root) for i, item in enumerate(value))
    if schema.get("uniqueItems"):
        yield len(set(map(canonical, value))) == len(value)
    if "contains" in schema:
        found = sum(is_valid(item, schema["contains"], root) for item in value)
        yield schema.get("minContains", 1) <= found <= schema.get("maxContains", found)


def item_schema(schema: Mapping[str, Any], index: int) -> Schema:
    """The schema of the item at *index*; before 2020 `items` could be the list of them."""
    listed: Sequence[Schema] = schema.get("prefixItems", ())
    rest: Any = schema.get("items", True)
    if isinstance(rest, list):
        listed, rest = cast("list[Schema]", rest), schema.get("additionalItems", True)
    return listed[index] if index < len(listed) else cast("Schema", rest)


def _object(value: dict[str, Any], schema: Mapping[str, Any], root: Schema) -> Iterator[bool]:
    yield schema.get("minProperties", 0) <= len(value)
    yield len(value) <= schema.get("maxProperties", len(value))
    yield all(name in value for name in schema.get("required", ()))
    for name, item in value.items():
        yield all(is_valid(item, each, root) for each in property_schemas(schema, name))
        yield is_valid(name, schema.get("propertyNames", True), root)
    for name, others in schema.get("dependentRequired", {}).items():
        yield name not in value or all(other in value for other in others)


def property_schemas(schema: Mapping[str, Any], name: str) -> list[Schema]:
    """The schemas that a property of that *name* has to be valid for."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    found = [properties[name]] if name in properties else []
    patterns: Mapping[str, Schema] = schema.get("patternProperties", {})
    found += [each for pattern, each in patterns.items() if compiled(pattern).search(name)]
    return found or [schema.get("additionalProperties", True)]
