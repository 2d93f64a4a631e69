import pytest

from fairlead.wire.openai_chat.schemas import closed


def test_objects_are_closed_at_every_depth():
    inner = {"type": "object", "properties": {"x": {"type": "number"}}}
    schema = {
        "type": "object",
        "properties": {
            "one": inner,
            "many": {"type": "array", "items": inner},
            "some": {"anyOf": [inner, {"type": "null"}]},
            "other": {"$ref": "#/$defs/Other", "description": "dropped beside a reference"},
        },
        "$defs": {"Other": inner},
    }
    done = inner | {"required": ["x"], "additionalProperties": False}

    assert closed(schema) == {
        "type": "object",
        "properties": {
            "one": done,
            "many": {"type": "array", "items": done},
            "some": {"anyOf": [done, {"type": "null"}]},
            "other": {"$ref": "#/$defs/Other"},
        },
        "required": ["one", "many", "some", "other"],
        "additionalProperties": False,
        "$defs": {"Other": done},
    }


def test_the_schema_itself_is_not_changed():
    schema = {"type": "object", "properties": {"x": {"default": 1}}}
    closed(schema)

    assert schema == {"type": "object", "properties": {"x": {"default": 1}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "string"}},
        {"type": "object"},
        {"type": "object", "properties": {}, "additionalProperties": True},
        {"type": "object", "properties": {"x": {"type": "object"}}},
        {"type": "object", "properties": {"x": {"oneOf": []}}},
        {"type": "object", "properties": {"x": {"type": "array"}}},
        {"type": "object", "properties": {"x": True}},
        {"type": "object", "properties": {}, "anyOf": []},
    ],
)
def test_what_strict_output_cannot_say_is_not_closed(schema):
    assert closed(schema) is None


def test_a_schema_that_holds_itself_is_not_closed():
    schema = {"type": "object", "properties": {}}
    schema["properties"]["self"] = schema

    assert closed(schema) is None
