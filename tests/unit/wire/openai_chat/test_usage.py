from decimal import Decimal

import pytest

from fairlead.wire.openai_chat import Dialect
from fairlead.wire.openai_chat.usage import decode_cost, decode_usage

SERVER = Dialect(name="server")
XAI = Dialect(name="xai", reasoning_excluded=True, cost=True)


def test_the_normal_form():
    raw = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 80, "cache_write_tokens": 5},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    usage = decode_usage(raw, SERVER)

    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (100, 50, 150)
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (80, 5)
    assert usage.reasoning_tokens == 20
    assert usage.raw == raw


def test_what_some_charge_apart_is_told_where_there_is_any():
    raw = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "num_search_queries": 2,
        "prompt_tokens_details": {"audio_tokens": 60, "cached_tokens_details": {"audio_tokens": 8}},
        "completion_tokens_details": {"audio_tokens": 0},
    }

    assert decode_usage(raw, SERVER).apart == {
        "input_audio": 60,
        "cache_read_audio": 8,
        "web_searches": 2,
    }
    assert decode_usage({"prompt_tokens": 1}, SERVER).apart == {}
    assert decode_usage(
        {"prompt_tokens": 1, "completion_tokens_details": {"audio_tokens": 5}}, SERVER
    ).apart == {"output_audio": 5}


def test_what_is_not_told_is_none():
    usage = decode_usage({"prompt_tokens": 1}, SERVER)

    assert usage.output_tokens is usage.cache_read_tokens is usage.total_tokens is None


@pytest.mark.parametrize("raw", [None, {}, [], "many", 5])
def test_no_usage_is_none(raw):
    assert decode_usage(raw, SERVER) is None


@pytest.mark.parametrize(
    ("total", "output"),
    [
        (334, 322),  # the sum proves that reasoning comes on top
        (14, 2),  # or that it does not
        (None, 322),  # without one the dialect decides
        (999, 322),
    ],
)
def test_reasoning_that_is_left_out_of_the_output_is_added(total, output):
    raw = {
        "prompt_tokens": 12,
        "completion_tokens": 2,
        "total_tokens": total,
        "completion_tokens_details": {"reasoning_tokens": 320},
    }

    assert decode_usage(raw, XAI).output_tokens == output


def test_it_is_added_for_any_vendor_whose_sum_proves_it():
    raw = {
        "prompt_tokens": 12,
        "completion_tokens": 2,
        "total_tokens": 334,
        "completion_tokens_details": {"reasoning_tokens": 320},
    }

    assert decode_usage(raw, SERVER).output_tokens == 322
    assert decode_usage({**raw, "total_tokens": None}, SERVER).output_tokens == 2


@pytest.mark.parametrize(
    ("raw", "amount"),
    [
        ({"cost": 0.5}, "0.5"),
        ({"cost": 0}, "0"),
        ({"cost": {"total_cost": 2.8e-08, "currency": "USD"}}, "2.8e-8"),
        ({"cost_in_usd_ticks": 1_330_500}, "0.00013305"),
    ],
)
def test_a_cost_in_every_spelling(raw, amount):
    assert decode_cost(raw, XAI).amount == Decimal(amount)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"cost": None},
        {"cost": True},
        {"cost": "free"},
        {"cost": -1},
        {"cost": float("nan")},
        {"cost": {"total_cost": 1, "currency": "EUR"}},
    ],
)
def test_a_cost_that_is_not_understood_is_none(raw):
    assert decode_cost(raw, XAI) is None
