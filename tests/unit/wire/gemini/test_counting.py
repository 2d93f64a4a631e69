"""Tokens, counted by the vendor."""

import json

import pytest

from fairlead.core.errors import InvalidResponseError, ModelNotFoundError
from fairlead.core.requests import generate_request
from fairlead.wire.gemini import GEMINI, VERTEX, GeminiCodec
from tests.support.gemini import response

CONTENTS = [{"role": "user", "parts": [{"text": "Hello"}]}]


def asked(dialect):
    request, _ = generate_request("Hello", {"model": "gemini-x", "system_prompt": "Be."})
    told = GeminiCodec(dialect).encode_count(request)
    assert told.path == f"/{dialect.folder}/gemini-x:countTokens"
    return json.loads(told.body)


def test_the_question():
    whole = {"contents": CONTENTS, "systemInstruction": {"parts": [{"text": "Be."}]}}

    assert asked(GEMINI) == {"generateContentRequest": {"model": "models/gemini-x", **whole}}
    assert asked(VERTEX) == whole


def test_the_answer():
    count = GeminiCodec().decode_count(response({"totalTokens": 31, "promptTokensDetails": []}))

    assert count == 31
    assert count.exact


@pytest.mark.parametrize("told", [{}, {"totalTokens": "x"}, b"so"])
def test_no_answer(told):
    with pytest.raises(InvalidResponseError):
        GeminiCodec().decode_count(response(told))


def test_an_error():
    with pytest.raises(ModelNotFoundError):
        GeminiCodec().decode_count(response({"error": {"code": 404, "message": "no"}}))
