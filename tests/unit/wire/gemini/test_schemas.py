"""Schemas in the part of the language that Google takes."""

import pytest

from fairlead.core.errors import UnsupportedOperationError
from fairlead.wire.adaptations import Adaptations
from fairlead.wire.gemini.schemas import adapted


def told(schema, *, strict=False):
    adaptations = Adaptations(strict=strict)
    return adapted(schema, "it", adaptations), adaptations.warnings


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        ({"const": 3}, {"enum": [3]}),
        ({"const": 3, "enum": [3, 4]}, {"enum": [3, 4]}),
        ({"type": "string", "default": "x", "examples": []}, {"type": "string"}),
        ({"allOf": [{"type": "string"}], "title": "T"}, {"type": "string", "title": "T"}),
        ({"definitions": {"A": {"type": "null"}}}, {"$defs": {"A": {"type": "null"}}}),
        ({"$ref": "#/definitions/A", "title": "gone"}, {"$ref": "#/$defs/A"}),
        (
            {"$ref": "#/$defs/A", "$defs": {"A": {"const": 1}}},
            {"$ref": "#/$defs/A", "$defs": {"A": {"enum": [1]}}},
        ),
        (
            {"type": "array", "items": {"const": 1}, "prefixItems": [True]},
            {"type": "array", "items": {"enum": [1]}, "prefixItems": [True]},
        ),
        (
            {"properties": {"pattern": {"const": 1}}, "additionalProperties": False},
            {"properties": {"pattern": {"enum": [1]}}, "additionalProperties": False},
        ),
        ({"anyOf": [{"const": 1}], "oneOf": []}, {"anyOf": [{"enum": [1]}], "oneOf": []}),
    ],
)
def test_what_can_be_said_is_said(schema, sent):
    assert told(schema) == (sent, ())


def test_what_cannot_be_said_is_left_out_and_told():
    sent, warnings = told(
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "x"}}, "not": {}}
    )

    assert sent == {"type": "object", "properties": {"a": {"type": "string"}}}
    assert [warning.split(" ")[0] for warning in warnings] == ["'pattern'", "'not'"]


def test_several_of_all_of_are_left_out():
    sent, warnings = told({"allOf": [{"type": "string"}, {"type": "null"}]})

    assert sent == {}
    assert warnings


def test_strict_leaves_nothing_out():
    with pytest.raises(UnsupportedOperationError, match="'pattern' was left out"):
        told({"pattern": "x"}, strict=True)


def test_the_caller_s_schema_is_not_changed():
    schema = {"const": 1, "allOf": [{"a": 1}], "definitions": {}}
    told(schema)

    assert schema == {"const": 1, "allOf": [{"a": 1}], "definitions": {}}


def test_a_schema_has_a_bottom():
    schema = {"type": "null"}
    for _ in range(70):
        schema = {"items": schema}

    with pytest.raises(UnsupportedOperationError, match="nested too deeply"):
        told(schema)
