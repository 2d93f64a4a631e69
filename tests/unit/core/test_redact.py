import time

import pytest

from fairlead.core.redact import shown, without


@pytest.mark.parametrize(
    "secret",
    [
        "sk-abcdefghij0123456789",
        "sk-proj-abc_DEF-0123456789",
        "sk-abc***********wxyz1",
        "gsk_abcdefghij0123456789",
        "xai-abcdefghij0123456789",
        "AIzaSyA-abcdefghij0123456789",
        "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl",
    ],
)
@pytest.mark.parametrize(
    "sentence",
    ["Incorrect API key provided: {}. Find it at https://x.test.", "You sent {} twice", "'{}'"],
)
def test_a_secret_is_masked(secret, sentence):
    message = shown(sentence.format(secret))

    assert secret not in message
    assert "***" in message


@pytest.mark.parametrize(
    "sentence",
    [
        "Authorization: Bearer {}",
        "Incorrect API key provided: {}",
        "cannot reach https://me:{}@models.test/v1",
        "Client(api_key='{}', model='m')",
        "GET /v1/models?key={}&page=1",
        "{{'access_token': '{}', 'model': 'm'}}",
    ],
)
def test_what_stands_where_a_secret_does_is_masked_whatever_it_looks_like(sentence):
    assert "hunter2hunter2" not in shown(sentence.format("hunter2hunter2"))


@pytest.mark.parametrize(
    "message",
    [
        "The model `gpt-5.2-proo` does not exist or you do not have access to it.",
        "Invalid API Key",
        "Use tool-key or task-based names; see key-value pairs.",
        "cannot reach https://models.test:8000/v1 for a@b.test",
    ],
)
def test_ordinary_words_are_left_alone(message):
    assert shown(message) == message


def test_a_message_is_bounded():
    assert len(shown("x" * 10_000)) == 500


def test_a_huge_message_takes_no_time():
    began = time.perf_counter()
    shown("sk-" * 1_000_000)

    assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize("before", range(430, 520))
def test_a_secret_of_our_own_is_not_shown_in_part_where_a_message_is_cut(before):
    secret = "correct-horse-canary4711-battery"  # of no vendor's shape
    told = f"{shown('.' * before + secret + '.' * 100)} (asked http://x)"

    masked = without(told, secret)

    assert all(secret[:size] not in masked for size in range(4, len(secret) + 1))
    assert masked.endswith(" (asked http://x)")
