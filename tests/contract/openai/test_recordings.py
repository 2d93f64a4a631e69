"""Answers in OpenAI's own words, written by hand, for whoever wants to be OpenAI in a test."""

from pathlib import Path

import pytest

from fairlead.core.errors import (
    AuthenticationError,
    ContextLengthExceededError,
    InvalidResponseError,
    ModelNotFoundError,
    OverloadedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    UnsupportedOperationError,
)
from fairlead.core.requests import EmbedRequest
from fairlead.core.results import FinishReason
from fairlead.wire.openai_chat import OpenAIChatCodec
from tests.support.chat import events_of, generation, plain, response

RECORDINGS = Path(__file__).parent / "recordings"
ERRORS = {
    "400_context": ContextLengthExceededError,
    "400_unsupported": UnsupportedOperationError,
    "401_key": AuthenticationError,
    "404_model": ModelNotFoundError,
    "429_quota": QuotaExceededError,
    "429_rate": RateLimitError,
    "500_server": ServerError,
    "503_overloaded": OverloadedError,
}


def read(name):
    return (RECORDINGS / name).read_bytes()


def streamed(name):
    events, error = events_of(read(name))
    return generation(events), error


@pytest.mark.parametrize("name", ["text", "tools"])
def test_a_stream_tells_what_the_plain_answer_does(name):
    told, error = streamed(f"{name}.sse")
    whole = plain(read(f"{name}.json"))

    assert error is None
    assert told == whole
    assert told.metadata == whole.metadata
    assert told.usage.total_tokens == 18


def test_text():
    assert plain(read("text.json")) == "Hold the line."


def test_tools():
    told = plain(read("tools.json"))

    assert [(call.name, call.parse()) for call in told.tool_calls] == [
        ("tide", {"harbour": "Whitby"}),
        ("wind", {}),
    ]
    assert told.finish_reason is FinishReason.TOOL_CALLS


def test_a_refusal():
    told, error = streamed("refusal.sse")

    assert error is None
    assert told.refusal == "I can't help with that."


@pytest.mark.parametrize(
    ("name", "kind"), [("error_in_stream", ServerError), ("cut", InvalidResponseError)]
)
def test_a_stream_that_fails(name, kind):
    told, error = streamed(f"{name}.sse")

    assert "Hold the line.".startswith(told)
    assert told
    assert type(error) is kind


@pytest.mark.parametrize("name", ["embeddings", "embeddings_base64"])
def test_embeddings(name):
    request = EmbedRequest(texts=("a", "b"), model="text-embedding-3-small")
    decoded = OpenAIChatCodec().decode_embed(response(read(f"{name}.json")), request)

    assert [vector.tolist() for vector in decoded.vectors] == [[0.5, -0.25, 0.125], [1, 0, -1]]


def test_every_error_is_listed():
    assert {path.stem for path in RECORDINGS.glob("errors/*.json")} == ERRORS.keys()


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    body = read(f"errors/{name}.json")
    error = OpenAIChatCodec().decode_error(response(body, int(name[:3])))

    assert type(error) is ERRORS[name]
    assert "sk-made" not in str(error)
