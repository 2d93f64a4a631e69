import re

from fairlead.wire.tool_ids import ToolCallIds


def test_a_legal_id_stays():
    ids = ToolCallIds(r"\w+")

    assert (ids.call("call_1"), ids.result("call_1")) == ("call_1", "call_1")


def test_an_illegal_id_is_rewritten_for_call_and_result_alike():
    ids = ToolCallIds(r"\w{1,40}")
    told = ids.call("functions.weather:0")

    assert told == ids.result("functions.weather:0")
    assert told.startswith("call_")
    assert told == ToolCallIds(r"\w{1,40}").call("functions.weather:0")


def test_an_id_used_in_an_earlier_turn_is_made_another():
    ids = ToolCallIds(r"\w+")
    first = ids.call("0")
    ids.begin_turn()
    second = ids.call("0")

    assert first != second
    assert ids.result("0") == second


def test_results_of_calls_with_one_id_are_matched_in_order():
    ids = ToolCallIds(r"\w+")
    calls = [ids.call(""), ids.call("")]

    assert len(set(calls)) == 2
    assert [ids.result(""), ids.result("")] == calls


def test_an_id_is_as_short_as_it_has_to_be():
    ids = ToolCallIds("[A-Za-z0-9]{9}")
    told = [ids.call("functions.weather:0"), ids.call("functions.weather:1")]

    assert all(re.fullmatch("[a-z0-9]{9}", id_) for id_ in told)
    assert told == [ids.result("functions.weather:0"), ids.result("functions.weather:1")]


def test_where_no_id_of_ours_is_legal_the_long_one_is_taken():
    assert ToolCallIds("x").call("y").startswith("call_")


def test_a_result_without_a_call_gets_a_legal_id():
    ids = ToolCallIds(r"\w+")

    assert ids.result("known") == "known"
    assert ids.result("a b").startswith("call_")
