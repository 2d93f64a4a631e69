"""Two JSON schemas as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import gcd
from typing import Any

from .validity import Schema, canonical, types_of


def merged(one: Mapping[str, Any], other: Schema) -> dict[str, Any]:
    """What asks for both, as nearly as one schema can say it; `enum` is empty where nothing can."""
    if isinstance(other, bool):
        return dict(one) if other else {**one, "enum": []}
    both = {**one, **other}
    for keyword in one.keys() & other.keys():
        merge = _MERGES.get(keyword)
        if merge is not None:
            both[keyword] = merge(one[keyword], other[keyword])
    if "const" in one and "const" in other and canonical(one["const"]) != canonical(other["const"]):
        both["enum"] = []
        del both["const"]
    return both


def _types(one: Any, other: Any) -> list[str]:
    ours, theirs = types_of({"type": one}), types_of({"type": other})
    found = [kind for kind in ours if kind in theirs]
    for few, many in ((ours, theirs), (theirs, ours)):
        if "integer" in few and "number" in many and "integer" not in found:
            found.append("integer")
    return found


def _members(one: list[Any], other: list[Any]) -> list[Any]:
    known = set(map(canonical, other))
    return [value for value in one if canonical(value) in known]


def _union(one: list[Any], other: list[Any]) -> list[Any]:
    return list(dict.fromkeys([*one, *other]))


def _each(one: Mapping[str, Schema], other: Mapping[str, Schema]) -> dict[str, Schema]:
    shared = {name: _all_of(one[name], other[name]) for name in one.keys() & other.keys()}
    return {**one, **other, **shared}


def _all_of(one: Schema, other: Schema) -> Schema:
    return {"allOf": [one, other]}


def _cross(one: list[Schema], other: list[Schema]) -> list[Schema]:
    return [_all_of(ours, theirs) for ours in one for theirs in other]


def _multiple(one: float, other: float) -> float:
    ours, theirs = Fraction(str(one)), Fraction(str(other))
    below = ours.denominator * theirs.denominator
    first, second = int(ours * below), int(theirs * below)
    both = Fraction(first * second // gcd(first, second), below)
    return int(both) if both.denominator == 1 else float(both)


_MERGES: dict[str, Callable[[Any, Any], Any]] = {
    "type": _types,
    "enum": _members,
    "required": _union,
    "allOf": lambda one, other: [*one, *other],
    "anyOf": _cross,
    "oneOf": _cross,
    "properties": _each,
    "patternProperties": _each,
    "items": _all_of,
    "additionalProperties": _all_of,
    "propertyNames": _all_of,
    "multipleOf": _multiple,
    "uniqueItems": lambda one, other: one or other,
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
}
