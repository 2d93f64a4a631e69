import time

import pytest

from fairlead.wire.redact import shown, summary


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


@pytest.mark.parametrize("sentence", ["Authorization: Bearer {}", "Incorrect API key provided: {}"])
def test_what_stands_where_a_secret_does_is_masked_whatever_it_looks_like(sentence):
    assert "hunter2" not in shown(sentence.format("hunter2"))


@pytest.mark.parametrize(
    "message",
    [
        "The model `gpt-5.2-proo` does not exist or you do not have access to it.",
        "Invalid API Key",
        "Use tool-key or task-based names; see key-value pairs.",
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


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty body"),
        (b" \n", "an empty body"),
        (b"upstream  connect\nerror", "'upstream connect error'"),
        (
            b"<!DOCTYPE html><title>502 Bad\n Gateway</title>..",
            "an HTML page titled '502 Bad Gateway'",
        ),
        (b"<html><body>secret words</body></html>", "an HTML page"),
        (b"<Error><Code>Denied</Code></Error>", "an XML document"),
    ],
)
def test_a_body_that_is_not_json_is_summarised(body, words):
    assert summary(body) == words
