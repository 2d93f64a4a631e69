"""
Makes an instance of a JSON schema.

Understood are `type` (lists of types too), `enum`, `const`, `properties`, `required`,
`additionalProperties`, `patternProperties`, `propertyNames`, `items`, `prefixItems`, lengths and
bounds of every kind, `multipleOf`, `uniqueItems`, `pattern` as far as `patterns` goes, the usual
formats, `anyOf`, `oneOf`, `allOf`, `$ref` within the schema, recursive ones too, and `nullable`.
What `not`, `if`, `contains` and `dependentRequired` ask is checked, not aimed at. Every instance
is checked against the whole schema before it is handed out; where none is found, or the schema
says what is not understood, that is an error rather than an instance that may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from random import Random
from typing import Any

from ....core.errors import UnsupportedOperationError
from .merging import merged
from .patterns import UnknownPatternError
from .scalars import ImpossibleError, number, text
from .validity import (
    Schema,
    UnknownSchemaError,
    canonical,
    is_valid,
    item_schema,
    property_schemas,
    resolve,
    types_of,
)

MAX_DEPTH = 24
MAX_ITEMS = 10_000
MAX_VALUES = 2_000
"""Values in one instance beyond which nothing optional is added."""
MAX_TRIES = 20_000
RICHNESS = 2
"""Levels beyond the fewest possible that optional values may take."""
_NOVELTY = 200
"""Tries to make an item that differs from those before it."""


def instance(schema: Mapping[str, Any], random: Random) -> Any:
    """
    A JSON value that is valid for *schema*, the same for the same state of *random*.

    Raises:
        UnsupportedOperationError: None was found; see the module for what is understood.
    """
    try:
        return _Maker(schema, random).whole()
    except (ImpossibleError, UnknownSchemaError, UnknownPatternError) as error:
        raise _unsupported(str(error)) from error
    except RecursionError as error:
        raise _unsupported("it refers to itself without end") from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _unsupported(f"it is no JSON schema ({error})") from error


def _unsupported(reason: str) -> UnsupportedOperationError:
    return UnsupportedOperationError(
        f"the offline provider cannot make an instance of the schema: {reason}"
    )


class _Maker:
    """Makes values for the parts of one schema."""

    def __init__(self, root: Mapping[str, Any], random: Random) -> None:
        self._root = root
        self._random = random
        self._made = 0
        self._tries = 0

    def whole(self) -> Any:
        """A value for the whole schema, somewhat richer than the simplest."""
        depth, plain = self._simplest()
        self._made = self._tries = 0
        try:
            return self._value(self._root, depth + RICHNESS)
        except ImpossibleError:
            return plain

    def _simplest(self) -> tuple[int, Any]:
        """A value of the least depth that will do, and that depth."""
        for depth in range(MAX_DEPTH):
            try:
                return depth, self._value(self._root, depth)
            except ImpossibleError:
                continue
        return MAX_DEPTH, self._value(self._root, MAX_DEPTH)

    def _value(self, schema: Schema, depth: int) -> Any:
        """A value for *schema* with at most *depth* levels below it."""
        self._tries += 1
        if self._tries > MAX_TRIES:
            raise ImpossibleError("it is too intricate")
        if depth < 0:
            raise ImpossibleError("it is nested too deep")
        for candidate in self._candidates(schema, depth):
            if is_valid(candidate, schema, self._root):
                self._made += 1
                return candidate
        raise ImpossibleError(f"nothing was found for {str(schema)[:200]}")

    def _candidates(self, schema: Schema, depth: int) -> Iterator[Any]:
        flat = self._flat(schema)
        if "const" in flat:
            yield flat["const"]
            return
        if "enum" in flat:
            start = self._below(len(flat["enum"]))
            yield from [*flat["enum"][start:], *flat["enum"][:start]]
            return
        branches = flat.pop("anyOf", None) or flat.pop("oneOf", None)
        if branches:
            for branch in branches:
                try:
                    yield self._value(merged(flat, branch), depth - 1)
                except ImpossibleError:
                    continue
            return
        yield from flat.get("examples", ())
        for kind in _kinds(flat):
            for rich in (True, False):
                try:
                    yield self._of_kind(kind, flat, depth, rich=rich)
                except ImpossibleError:
                    continue

    def _flat(self, schema: Schema) -> dict[str, Any]:
        """*schema* without references and `allOf` at its top."""
        flat = merged({}, schema)
        for _ in range(MAX_DEPTH):
            parts: list[Schema] = list(flat.pop("allOf", ()))
            if "$ref" in flat:
                parts.append(resolve(flat.pop("$ref"), self._root))
            if not parts:
                return flat
            flat = reduce(merged, parts, flat)
        raise UnknownSchemaError("its references do not end")

    def _of_kind(self, kind: str, flat: Mapping[str, Any], depth: int, *, rich: bool) -> Any:
        if kind == "null":
            return None
        if kind == "boolean":
            return self._below(2) == 1
        if kind == "object":
            return self._object(flat, depth, rich=rich)
        if kind == "array":
            return self._array(flat, depth, rich=rich)
        if kind == "string":
            return text(flat, self._random)
        if kind in {"integer", "number"}:
            return number(flat, self._random, integral=kind == "integer")
        raise UnknownSchemaError(f"{kind!r} is no type")

    def _object(self, flat: Mapping[str, Any], depth: int, *, rich: bool) -> dict[str, Any]:
        required = flat.get("required", ())
        room = flat.get("maxProperties", MAX_ITEMS)
        made: dict[str, Any] = {}
        for name in dict.fromkeys([*flat.get("properties", ()), *required]):
            if name in required:
                made[name] = self._property(flat, name, depth)
            elif rich and len({*made, *required}) < room and self._made < MAX_VALUES:
                try:
                    made[name] = self._property(flat, name, depth)
                except ImpossibleError:
                    continue
        is_map = isinstance(flat.get("additionalProperties"), Mapping)
        is_map = (is_map or "patternProperties" in flat) and not flat.get("properties")
        wanted = max(flat.get("minProperties", 0), 1 if rich and is_map else 0)
        if wanted > MAX_ITEMS:
            raise UnknownSchemaError(f"it asks for {wanted} properties")
        while len(made) < min(wanted, room):
            name = self._new_name(flat, made)
            made[name] = self._property(flat, name, depth)
        return made

    def _property(self, flat: Mapping[str, Any], name: str, depth: int) -> Any:
        first, *others = property_schemas(flat, name)
        return self._value({"allOf": [first, *others]} if others else first, depth - 1)

    def _new_name(self, flat: Mapping[str, Any], made: Mapping[str, Any]) -> str:
        names: Schema = flat.get("propertyNames", True)
        patterns = flat.get("patternProperties")
        if patterns and flat.get("additionalProperties") is False:
            names = merged({"pattern": next(iter(patterns))}, names)
        for index in range(len(made) + 1, len(made) + _NOVELTY):
            plain = f"key{index}"
            name = plain if names is True else self._value(merged({"type": "string"}, names), 1)
            if name not in made:
                return str(name)
        raise ImpossibleError("there are not enough names for properties")

    def _array(self, flat: Mapping[str, Any], depth: int, *, rich: bool) -> list[Any]:
        low, room = flat.get("minItems", 0), flat.get("maxItems", MAX_ITEMS)
        if low > MAX_ITEMS:
            raise UnknownSchemaError(f"it asks for {low} items")
        wanted = min(max(low, len(flat.get("prefixItems", ())), 2), room) if rich else low
        made: list[Any] = []
        known: set[str] = set()
        while len(made) < wanted:
            try:
                item = self._item(flat, len(made), depth, known)
            except ImpossibleError:
                if len(made) < low:
                    raise
                break
            made.append(item)
            if len(made) >= low and self._made > MAX_VALUES:
                break
        return made

    def _item(self, flat: Mapping[str, Any], index: int, depth: int, known: set[str]) -> Any:
        for _ in range(_NOVELTY):
            item = self._value(item_schema(flat, index), depth - 1)
            key = canonical(item)
            if not flat.get("uniqueItems") or key not in known:
                known.add(key)
                return item
        raise ImpossibleError("there are not enough different items")

    def _below(self, end: int) -> int:
        return int(self._random.random() * end)


def _kinds(flat: Mapping[str, Any]) -> list[str]:
    """The types to try, null last; without `type`, what the other keywords speak of."""
    kinds = types_of(flat)
    if "type" not in flat:
        kinds = [kind for kind, words in _SPOKEN_OF.items() if words & flat.keys()] or ["string"]
    if flat.get("nullable") is True:
        kinds = [*kinds, "null"]
    return sorted(kinds, key=lambda kind: kind == "null")


_SPOKEN_OF = {
    "object": {"properties", "required", "additionalProperties", "minProperties"}
    | {"patternProperties", "propertyNames"},
    "array": {"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "string": {"minLength", "maxLength", "pattern", "format"},
}
