"""Answers that are JSON, more or less."""

import math
import pickle
from datetime import date
from decimal import Decimal

import pytest
from pydantic import BaseModel, ConfigDict

from fairlead.core.errors import ResponseParseError
from fairlead.services.parsing import MOST_STARTS, parse_as, parse_json


class Voyage(BaseModel):
    port: str
    days: int = 1


@pytest.mark.parametrize(
    "text, value",
    [
        ('{"a": 1}', {"a": 1}),
        (" [1, 2]\n", [1, 2]),
        ("42", 42),
        ('"words"', "words"),
        ("null", None),
        ("\ufeff{}", {}),
        # Prose and fences round it.
        ('Here it is: {"a": 1}. Anything else?', {"a": 1}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ("Sure!\n\n```\n[1]\n```\nDone.", [1]),
        ('```json {"a": 1} ```', {"a": 1}),
        ('```{"a": 1}```', {"a": 1}),
        ('```JSON5\r\n{"a": 1}\r\n```', {"a": 1}),
        ('```json\n{"a": 1}', {"a": 1}),
        ("```json\n42\n```", 42),
        ('```\n"words"', "words"),
        ('As [1] says, see [2, 3]: {"a": {"b": [1]}}', {"a": {"b": [1]}}),
        ('{"long": "but not in a fence"} and\n```json\n{"a": 1}\n```', {"a": 1}),
        ('```\n{"a": 1}\n```\nor\n```\n{"a": 1, "b": 2}\n```', {"a": 1, "b": 2}),
        ('```json\n{"a": "```\\n[1]\\n```"}\n```', {"a": "```\n[1]\n```"}),
        ('So {"a": "```\\n[1, 2, 3, 4]\\n```"}.', {"a": "```\n[1, 2, 3, 4]\n```"}),
        ('```python\nprint([1, 2])\n```\nprints {"a": 1}', {"a": 1}),
        ('[see below] {"a": 1}', {"a": 1}),
        ("{see [1, 2]}", [1, 2]),
        ('[see {"a": 1}', {"a": 1}),
        ("[1, § 3] says [1, 2]", [1, 2]),
        ('[[page]] {"a": 1, "b": 2}', {"a": 1, "b": 2}),
        # Damage that is a matter of notation.
        ('{"a": [1, 2,], }', {"a": [1, 2]}),
        ('{"a": 1, // one\n "b": /* two */ 2, # three\n}', {"a": 1, "b": 2}),
        ("{'a': 'it\\'s \"so\"'}", {"a": 'it\'s "so"'}),
        ("{'a': True, 'b': False, 'c': None}", {"a": True, "b": False, "c": None}),
        ("{a: 1, $b_2: [{c: 'd'}]}", {"a": 1, "$b_2": [{"c": "d"}]}),
        ('{"a": "two\nlines\tand \\u00e9 \\\\"}', {"a": "two\nlines\tand é \\"}),
        ("{True: 1}", {"True": 1}),
        ('{"a": -1.5e+3}', {"a": -1500.0}),
        ('{"a": "// no comment, # nor this"}', {"a": "// no comment, # nor this"}),
        ("So: {'a': 1,} it is.", {"a": 1}),
    ],
)
def test_a_value_is_found(text, value):
    assert parse_json(text) == value


def test_what_is_no_number_stays_none():
    infinite = parse_json('{"a": [NaN, Infinity, -Infinity,]}')["a"]

    assert math.isnan(infinite[0])
    assert infinite[1:] == [math.inf, -math.inf]


@pytest.mark.parametrize(
    "text, said, position",
    [
        ("", "there is no JSON in the answer", None),
        ("I would rather not.", "there is no JSON in the answer", None),
        ("```python\nprint()\n```", "there is no JSON in the answer", None),
        ("[see below]", "there is no JSON in the answer", None),
        ('{"a": [1, 2] "b": 3}', "line 1, column 14: Expecting ',' delimiter", 13),
        ('So:\n{"a": [1, 2], "b": ', "line 2, column 20: Expecting value", 23),
        ("{'a': 1, 'b': ", "line 1, column 15: Expecting value", 14),
        ('{"a": {"b": 1}, "c": "cut', "line 1, column 22: Expecting value", 21),
        ('{"a": 1 2}', "line 1, column 9: Expecting ',' delimiter", 8),
        ('{"a": tr ue}', "line 1, column 7: Expecting value", 6),
        ('{"a": undefined}', "line 1, column 7: Expecting value", 6),
        ('{"a": "b" "c"}', "line 1, column 11: Expecting ',' delimiter", 10),
        ("{'a': '\\x41'}", "Invalid \\\\escape", 7),
        ('{"a": 1, , "b": 2}', "Expecting property name", 9),
        ('{"a": {"b": 1}, § "c": [1, 2]}', "line 1, column 17", 16),
        ("[1, 2", "line 1, column 6: Expecting ',' delimiter", 5),
        ('["a", "b"}', "Expecting ',' delimiter", 9),
        ('{"a": [1, 2]] ', "Expecting ',' delimiter", 12),
        ("{'a': 1,\n /* what */ 'b': oh}", "line 2, column 18: Expecting value", 26),
    ],
)
def test_damage_is_told_and_no_part_is_taken_for_the_whole(text, said, position):
    with pytest.raises(ResponseParseError, match=said) as caught:
        parse_json(text)

    assert caught.value.position == position


def test_what_comes_after_damage_is_found():
    assert parse_json('{"a": 1 2} was wrong; {"a": 12} is right') == {"a": 12}


def test_depth_has_an_end():
    with pytest.raises(ResponseParseError, match="nested too deeply"):
        parse_json("[" * 100_000 + "]" * 100_000)
    with pytest.raises(ResponseParseError):
        parse_json("[" * 100_000)


def test_brackets_in_prose_are_tried_within_bounds():
    assert parse_json("{ " * (MOST_STARTS - 1) + "[1]") == [1]
    with pytest.raises(ResponseParseError):
        parse_json("{ " * MOST_STARTS + "[1]")


# What breaks off, for those who ask for it.


@pytest.mark.parametrize(
    "text, value",
    [
        ('{"a": 1}', {"a": 1}),
        ("{", {}),
        ("[1, 2", [1, 2]),
        ('Well: {"a": [1, {"b": "cu', {"a": [1, {"b": "cu"}]}),
        ('```json\n{"a": 1, "b', {"a": 1}),
        ('As [1] says: {"a": 1, "b": ', {"a": 1}),
        ("{'a': [1, 2], 'b': 'cu", {"a": [1, 2]}),
        ("[null, [0], -", [None, [0]]),
        ('Done: {"a": 1} and so on', {"a": 1}),
    ],
)
def test_what_is_there_so_far_will_do_where_that_is_asked_for(text, value):
    assert parse_json(text, partial=True) == value


@pytest.mark.parametrize("text", ["", "Well", "```json\n", '{"a": 1 2', '{"a": [1 2], "b": 3}'])
def test_there_may_be_nothing_so_far(text):
    with pytest.raises(ResponseParseError):
        parse_json(text, partial=True)


# Models.


def test_an_answer_is_the_model_that_it_describes():
    assert parse_as(Voyage, 'Here: {"port": "Bergen", "days": "3"}') == Voyage(
        port="Bergen", days=3
    )
    assert parse_as(Voyage, "```\n{port: 'Bergen',}\n```") == Voyage(port="Bergen")


def test_of_several_values_it_is_the_first_that_fits():
    text = '```\n{"something": "else", "that": "is longer"}\n```\n{"port": "Bergen"}'

    assert parse_as(Voyage, text) == Voyage(port="Bergen")


def test_values_are_read_as_json_and_exactly():
    class Exact(BaseModel):
        model_config = ConfigDict(strict=True)
        on: date
        price: Decimal

    said = "{'on': '2026-01-02', 'price': '0.1234567890123456789',}"

    assert parse_as(Exact, said) == Exact(
        on=date(2026, 1, 2), price=Decimal("0.1234567890123456789")
    )


def test_what_is_wrong_is_told_with_where_it_is():
    with pytest.raises(ResponseParseError) as caught:
        parse_as(Voyage, '{"days": "many", "secret": 1}')

    error = caught.value
    assert error.errors == (
        "port: Field required",
        "days: Input should be a valid integer, unable to parse string as an integer",
    )
    assert error.message == f"the answer is no Voyage: {'; '.join(error.errors)}"
    assert "many" not in str(error)


def test_of_several_values_that_do_not_fit_the_likeliest_is_told():
    with pytest.raises(ResponseParseError, match="the value: Input should be"):
        parse_as(Voyage, '```\n[1]\n``` and {"days": "many"}')


def test_no_value_is_no_model():
    with pytest.raises(ResponseParseError, match="there is no JSON"):
        parse_as(Voyage, "Bergen")


def test_its_error_survives_pickling():
    error = ResponseParseError("no", errors=("a: b",), position=3, provider="p")

    again = pickle.loads(pickle.dumps(error))
    assert (again.errors, again.position, again.provider) == (("a: b",), 3, "p")
