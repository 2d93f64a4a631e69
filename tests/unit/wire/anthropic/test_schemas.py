"""Schemas that a model can be held to."""

import pytest

from fairlead.wire.anthropic.schemas import held

STRING = {"type": "string"}


def of(**properties):
    return {"type": "object", "properties": properties}


def closed(**properties):
    return {**of(**properties), "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "fitted"),
    [
        (STRING, STRING),
        (of(a=STRING), closed(a=STRING)),
        ({**of(a=of(b=STRING)), "$schema": "x"}, closed(a=closed(b=STRING))),
        ({"properties": {}}, {"properties": {}, "additionalProperties": False}),
        ({**of(), "type": ["object", "null"]}, {**closed(), "type": ["object", "null"]}),
        ({"oneOf": [STRING, of()]}, {"anyOf": [STRING, closed()]}),
        ({"allOf": [of()]}, {"allOf": [closed()]}),
        (
            {"type": "array", "items": of(), "minItems": 1},
            {"type": "array", "items": closed(), "minItems": 1},
        ),
        ({**STRING, "format": "date"}, {**STRING, "format": "date"}),
        (
            {**of(a={"$ref": "#/$defs/A"}), "$defs": {"A": of(b=STRING)}},
            {**closed(a={"$ref": "#/$defs/A"}), "$defs": {"A": closed(b=STRING)}},
        ),
        (
            {"$ref": "#/definitions/A", "definitions": {"A": STRING}},
            {"$ref": "#/definitions/A", "definitions": {"A": STRING}},
        ),
    ],
)
def test_objects_are_closed(schema, fitted):
    assert held(schema) == (fitted, ())


def test_what_the_model_can_only_be_told():
    schema = of(
        a={"type": "integer", "minimum": 1, "maximum": 9, "description": "A digit"},
        b={"type": "array", "items": STRING, "minItems": 2},
        c={"type": "string", "format": "phone"},
    )

    assert held(schema) == (
        closed(
            a={"type": "integer", "description": "A digit\nmaximum: 9, minimum: 1"},
            b={"type": "array", "items": STRING, "description": "minItems: 2"},
            c={"type": "string", "description": 'format: "phone"'},
        ),
        ("format", "maximum", "minItems", "minimum"),
    )


def _deep(levels):
    schema = STRING
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {**of(), "additionalProperties": STRING},
        {"not": STRING},
        {"anyOf": [STRING], "oneOf": [STRING]},
        of(a=True),
        {**of(a={"$ref": "#/$defs/A"}), "$defs": {"A": of(a={"$ref": "#/$defs/A"})}},
        {
            **of(a={"$ref": "#/$defs/A"}),
            "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}},
        },
        of(a={"$ref": "#"}),
        _deep(65),
    ],
)
def test_what_cannot_be_said(schema):
    assert held(schema) == (None, ())


def test_definitions_that_use_each_other_may_end():
    schema = {
        **of(a={"$ref": "#/$defs/A"}),
        "$defs": {"A": of(b={"$ref": "#/$defs/B"}), "B": STRING},
    }

    assert held(schema)[0] is not None
