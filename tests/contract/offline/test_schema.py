import datetime as dt
import json
import re
import uuid
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from random import Random
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import AwareDatetime, BaseModel, Field, IPvAnyAddress, TypeAdapter
from pydantic.networks import AnyUrl

from fairlead.adapters.providers.offline.schema import instance
from fairlead.core.errors import UnsupportedOperationError
from tests.contract.offline.schemas import schemas


def valid(schema, value) -> bool:
    """By an independent judge. To it as to us, formats are annotations."""
    return Draft202012Validator(schema).is_valid(value)


def made(schema, seed=0):
    value = instance(schema, Random(seed))
    value = json.loads(json.dumps(value))
    assert valid(schema, value), (schema, value)
    return value


@settings(max_examples=400)
@given(schemas, st.integers())
def test_an_instance_is_valid_or_there_is_none(schema, seed):
    try:
        value = instance(schema, Random(seed))
    except UnsupportedOperationError:
        return

    assert valid(schema, json.loads(json.dumps(value)))


@settings(max_examples=200)
@given(schemas)
def test_the_same_seed_makes_the_same_instance(schema):
    def attempt():
        try:
            return instance(schema, Random(1))
        except UnsupportedOperationError as error:
            return str(error)

    assert attempt() == attempt()


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 30, "maxLength": 31},
        {"type": "string", "maxLength": 0},
        {"type": "string", "pattern": r"^[A-Z]{3}-\d{4}$"},
        {"type": "string", "pattern": r"^(?:\+\d{1,3} )?\(?\d{3}\)?[ -]\d{4}$"},
        {"type": "string", "pattern": "^[a-z]+$", "minLength": 12, "maxLength": 12},
        {"type": "string", "pattern": "^(?P<first>a|b)[^a-z]$"},
        {"type": "string", "pattern": "b", "minLength": 5},
        {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5},
        {"type": "integer", "minimum": 10, "multipleOf": 7},
        {"type": "integer", "multipleOf": 1.5},
        {"type": "integer", "maximum": -1000},
        {"type": "number", "minimum": 0.1, "exclusiveMaximum": 0.1000001},
        {"type": "number", "minimum": 1, "multipleOf": 0.1},
        {"enum": [1, "one", None]},
        {"enum": [False], "type": "boolean"},
        {"const": {"deep": [1, None]}},
        {"type": ["null", "integer"], "minimum": 3},
        {"type": "array", "uniqueItems": True, "items": {"enum": [1, 2, 3]}, "minItems": 3},
        {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True, "minItems": 2},
        {"type": "array", "prefixItems": [{"const": 1}, {"const": 2}], "items": False},
        {"type": "array", "items": False},
        {"type": "array", "contains": {"type": "integer"}, "items": {"type": "integer"}},
        {"type": "object", "minProperties": 3, "additionalProperties": {"type": "integer"}},
        {"type": "object", "propertyNames": {"enum": ["a", "b"]}, "minProperties": 2},
        {"type": "object", "patternProperties": {"^x-": {"type": "null"}}, "minProperties": 1},
        {
            "type": "object",
            "patternProperties": {"^x[0-9]$": {"type": "null"}},
            "additionalProperties": False,
            "minProperties": 2,
        },
        {"type": "object", "required": ["a", "b"], "maxProperties": 2, "properties": {"c": {}}},
        {"properties": {"a": {"type": "null"}}},
        {"items": {"type": "integer"}, "minItems": 1},
        {"minimum": 5},
        {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 3}]},
        {"allOf": [{"type": "number"}, {"type": "integer"}, {"multipleOf": 4}, {"multipleOf": 6}]},
        {"allOf": [{"properties": {"a": {"type": "integer"}}}, {"required": ["a"]}]},
        {"oneOf": [{"type": "integer"}, {"type": "number"}]},
        {"oneOf": [{"type": "integer", "multipleOf": 2}, {"type": "integer", "multipleOf": 3}]},
        {"anyOf": [{"not": {}}, {"type": "null"}]},
        {"anyOf": [{"minimum": 5}, {"minimum": 9}], "type": "integer", "maximum": 6},
        {"type": "integer", "anyOf": [{"type": "string"}, {"minimum": 7}]},
        {"not": {"type": "string"}, "type": ["string", "integer"]},
        {"if": {"type": "string"}, "then": {"maxLength": 3}, "type": "string", "maxLength": 2},
        {"dependentRequired": {"a": ["b"]}, "properties": {"a": {}, "b": {}}, "type": "object"},
        {"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "integer"}}},
        {"definitions": {"x": {"type": "null"}}, "$ref": "#/definitions/x"},
        {"type": "object", "properties": {"me": {"$ref": "#"}}, "additionalProperties": False},
        {"examples": ["2+2"], "type": "string", "pattern": "^[0-9+]+$"},
    ],
    ids=str,
)
def test_a_schema_has_an_instance(schema):
    for seed in range(5):
        made(schema, seed)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "integer", "minimum": 5, "maximum": 4}, "nothing was found"),
        ({"type": "string", "enum": []}, "nothing was found"),
        ({"not": {}}, "nothing was found"),
        ({"allOf": [{"const": 1}, {"const": 2}]}, "nothing was found"),
        ({"type": "string", "pattern": r"^(a)\1$"}, "pattern|nothing|\\\\1"),
        ({"type": "string", "pattern": "(?=a)b"}, r"\(\?"),
        ({"type": "string", "pattern": "["}, "pattern"),
        ({"type": "string", "minLength": 10**9}, "characters"),
        ({"type": "array", "minItems": 10**9}, "items"),
        ({"type": "object", "minProperties": 10**9}, "properties"),
        ({"$ref": "https://example.com/schema"}, "points out"),
        ({"$ref": "#/nowhere"}, "points at nothing"),
        ({"$ref": "#anchor"}, "anchor"),
        ({"$ref": "#"}, "do not end"),
        ({"$dynamicRef": "#x"}, "not understood"),
        (
            {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
            "nothing|nested|intricate",
        ),
        ({"type": "array", "items": {"enum": [1]}, "uniqueItems": True, "minItems": 2}, "nothing"),
        ({"type": "elephant"}, "no type"),
        ({"type": "object", "properties": 5}, "no JSON schema"),
        ({"anyOf": [{"$ref": "#"}]}, "nothing|nested|itself"),
    ],
    ids=str,
)
def test_where_there_is_none_an_error_says_why(schema, why):
    with pytest.raises(UnsupportedOperationError, match=why):
        instance(schema, Random(0))


@pytest.mark.parametrize(
    "kind",
    [
        AwareDatetime,
        dt.date,
        dt.time,
        dt.timedelta,
        uuid.UUID,
        AnyUrl,
        IPv4Address,
        IPv6Address,
        IPvAnyAddress,
    ],
)
@pytest.mark.parametrize("seed", range(10))
def test_a_format_is_kept_to(kind, seed):
    described = TypeAdapter(kind)
    value = instance(described.json_schema(), Random(seed))

    assert described.validate_json(json.dumps(value))


def test_an_address_for_mail_looks_like_one():
    value = made({"type": "string", "format": "email"})

    assert re.fullmatch(r"[a-z0-9]+@example\.com", value)


def test_optional_properties_are_made_too():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "null"}}}

    assert made(schema).keys() == {"a", "b"}


def test_other_seeds_make_other_instances():
    schema = {"type": "string", "format": "uuid"}

    assert len({made(schema, seed) for seed in range(10)}) == 10


def test_a_wide_recursive_schema_stays_small():
    schema = {
        "$defs": {"n": {"properties": {f"p{i}": {"$ref": "#/$defs/n"} for i in range(30)}}},
        "$ref": "#/$defs/n",
    }

    assert len(json.dumps(made(schema))) < 100_000


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Leaf(BaseModel):
    kind: Literal["leaf"]
    weight: float = Field(gt=0, lt=1)


class Branch(BaseModel):
    kind: Literal["branch"]
    left: "Tree"
    right: "Tree"


Tree = Annotated[Leaf | Branch, Field(discriminator="kind")]


class Everything(BaseModel, extra="forbid"):
    tree: Branch
    pair: tuple[int, str]
    some: set[Colour]
    by_name: dict[str, int]
    by_colour: dict[Colour, bool]
    when: dt.datetime
    day: dt.date
    took: dt.timedelta
    id: uuid.UUID
    code: str = Field(pattern=r"^[A-Z]{3}-\d{4}$")
    tenths: float = Field(multiple_of=0.1, ge=1)
    price: Decimal = Field(max_digits=5, decimal_places=2)
    note: str | None = Field(default=None, max_length=5)
    friends: list["Everything"] = []


@pytest.mark.parametrize("seed", range(20))
def test_a_pydantic_class_accepts_its_instance(seed):
    value = instance(Everything.model_json_schema(), Random(seed))

    assert Everything.model_validate_json(json.dumps(value))
