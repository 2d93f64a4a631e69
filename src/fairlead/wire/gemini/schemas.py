"""JSON schemas in the part of the language that Google takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ...core.errors import UnsupportedOperationError
from ..values import as_dict, as_list, as_str

if TYPE_CHECKING:
    from ..adaptations import Adaptations

_TAKEN = frozenset(
    {
        *("$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum"),
        *("items", "prefixItems", "minItems", "maxItems", "minimum", "maximum", "anyOf"),
        *("oneOf", "properties", "additionalProperties", "required", "propertyOrdering"),
    }
)
_REMARKS = frozenset(
    {
        *("default", "examples", "example", "$schema", "$comment", "deprecated", "readOnly"),
        *("writeOnly", "discriminator"),
    }
)
"""Words that bind nobody: left out without a word."""
_LISTS = ("anyOf", "oneOf", "prefixItems")
_DEPTH = 64


def adapted(schema: Mapping[str, Any], what: str, adaptations: Adaptations) -> dict[str, Any]:
    """
    *schema* as Google takes it.

    What can be said otherwise is; what cannot is left out, with a warning that names *what* the
    schema is of.

    Raises:
        UnsupportedOperationError: It is nested too deeply, or nothing may be left out.
    """
    return as_dict(_Adapter(what, adaptations).adapt(schema, _DEPTH))


class _Adapter:
    def __init__(self, what: str, adaptations: Adaptations) -> None:
        self._what = what
        self._adaptations = adaptations

    def adapt(self, schema: object, depth: int) -> Any:
        if not isinstance(schema, Mapping):
            return schema  # true or false, for anything or nothing
        if depth == 0:
            raise UnsupportedOperationError(f"the schema of {self._what} is nested too deeply")
        told = _said_otherwise(dict(cast("Mapping[str, Any]", schema)))
        if "$ref" in told:
            kept = {"$ref": as_str(told["$ref"]).replace("#/definitions/", "#/$defs/")}
            return kept | self._named(told, "$defs", depth)
        result: dict[str, Any] = {}
        for word, value in told.items():
            if word in {"properties", "$defs"}:
                result |= self._named(told, word, depth)
            elif word in {"items", "additionalProperties"}:
                result[word] = self.adapt(value, depth - 1)
            elif word in _LISTS:
                result[word] = [self.adapt(each, depth - 1) for each in as_list(value)]
            elif word in _TAKEN:
                result[word] = value
            elif word not in _REMARKS:
                self._adaptations.note(
                    f"{word!r} was left out of the schema of {self._what}: Google does not hold a "
                    "model to it"
                )
        return result

    def _named(self, told: dict[str, Any], word: str, depth: int) -> dict[str, Any]:
        if word not in told:
            return {}
        named = as_dict(told[word])
        return {word: {name: self.adapt(each, depth - 1) for name, each in named.items()}}


def _said_otherwise(told: dict[str, Any]) -> dict[str, Any]:
    """*told*, with words that mean the same and are taken."""
    if "const" in told:
        told.setdefault("enum", [told.pop("const")])
    if "definitions" in told:
        told["$defs"] = {**as_dict(told.pop("definitions")), **as_dict(told.get("$defs"))}
    several = as_list(told.get("allOf"))
    if len(several) == 1:
        del told["allOf"]
        told = {**as_dict(several[0]), **told}
    return told
