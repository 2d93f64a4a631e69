import pytest

from fairlead.core.errors import InvalidRequestError
from fairlead.wire.values import as_count, as_dict, as_list, as_str, decode_json, encode_json


def test_json_is_compact_utf_8():
    assert encode_json({"a": ["ü", 1, None]}) == '{"a":["ü",1,null]}'.encode()


def test_a_lone_surrogate_is_replaced():
    assert encode_json("a\ud83db") == '"a\ufffdb"'.encode()


def test_two_surrogates_that_belong_together_become_their_character():
    assert encode_json("\ud83d\ude00") == '"😀"'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: {2}}, b"bytes"])
def test_what_json_cannot_say_is_an_invalid_request(value):
    with pytest.raises(InvalidRequestError, match="JSON"):
        encode_json({"extra": value})


def test_a_value_that_holds_itself_is_an_invalid_request():
    value = []
    value.append(value)

    with pytest.raises(InvalidRequestError):
        encode_json(value)


@pytest.mark.parametrize("data", [b"", b"{", b"nul", b"[1,]", b"[DONE]", b"[" * 100_000])
def test_what_is_not_json_is_a_value_error(data):
    with pytest.raises(ValueError, match=r"."):
        decode_json(data)


def test_half_a_surrogate_pair_is_survived():
    assert decode_json(b'{"a":"x\\ud83d"}') == {"a": "x\ufffd"}


def test_bytes_that_are_not_utf_8_are_survived():
    assert decode_json(b'{"a":"x\xff"}') == {"a": "x\ufffd"}


def test_values_of_the_wrong_kind_read_as_empty_ones():
    assert (as_dict([1]), as_list({1: 2}), as_str(5)) == ({}, [], "")


@pytest.mark.parametrize(
    ("value", "count"),
    [(3, 3), (3.0, 3), (0, 0), (True, None), ("3", None), (-1, None), (None, None)],
)
def test_a_count_is_a_number_that_is_not_negative(value, count):
    assert as_count(value) == count


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, 2**70])
def test_a_count_beyond_all_measure_is_none(value):
    assert as_count(value) is None
