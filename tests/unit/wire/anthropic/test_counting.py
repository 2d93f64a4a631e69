"""The vendor's own count of a prompt, and what the format does not have."""

import json

import pytest

from fairlead.core.errors import InvalidResponseError, ServerError, UnsupportedOperationError
from fairlead.core.messages import Message, Tool
from fairlead.core.requests import EmbedRequest, GenerateRequest
from fairlead.wire.anthropic import AnthropicCodec
from tests.support.chat import response

CODEC = AnthropicCodec()


def test_what_counts_is_sent_and_nothing_else():
    request = GenerateRequest(
        messages=(Message.system("Be brief"), Message.user("Hi")),
        model="claude-sonnet-4-5",
        max_tokens=9000,
        stop_sequences=("END",),
        reasoning_effort="low",
        tools=(Tool("now"),),
        extra={"service_tier": "auto"},
    )
    told = CODEC.encode_count(request)

    assert told.path == "/messages/count_tokens"
    assert json.loads(told.body).keys() == {"model", "system", "messages", "tools", "thinking"}


def test_the_count():
    assert CODEC.decode_count(response({"input_tokens": 12})) == 12


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", InvalidResponseError),
        ({"tokens": 3}, InvalidResponseError),
        ({"type": "error", "error": {"type": "api_error", "message": "no"}}, ServerError),
    ],
)
def test_what_is_none(body, kind):
    with pytest.raises(kind):
        CODEC.decode_count(response(body))


def test_there_are_no_embeddings():
    request = EmbedRequest(texts=("a",), model="m")

    with pytest.raises(UnsupportedOperationError, match="no embeddings"):
        CODEC.encode_embed(request)
    with pytest.raises(UnsupportedOperationError, match="no embeddings"):
        CODEC.decode_embed(response({}), request)


def test_a_stream_tells_everything():
    assert CODEC.lossless_stream
