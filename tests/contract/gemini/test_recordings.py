"""Answers in Gemini's own words, written by hand, for whoever wants to be Gemini in a test."""

from pathlib import Path

import pytest

from fairlead.core.errors import (
    AuthenticationError,
    ContextLengthExceededError,
    InvalidRequestError,
    InvalidResponseError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from fairlead.core.requests import EmbedRequest
from fairlead.core.results import FinishReason
from fairlead.wire.gemini import GeminiCodec
from tests.support.gemini import events_of, generation, plain, response

RECORDINGS = Path(__file__).parent / "recordings"
ERRORS = {
    "400_argument": InvalidRequestError,
    "400_context": ContextLengthExceededError,
    "400_key": AuthenticationError,
    "400_region": PermissionDeniedError,
    "403_denied": PermissionDeniedError,
    "404_model": ModelNotFoundError,
    "429_day": QuotaExceededError,
    "429_minute": RateLimitError,
    "500_internal": ServerError,
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
    assert (told.usage.output_tokens, told.usage.total_tokens) == (7, 18)


def test_one_list_is_a_stream_too():
    told, error = streamed("list.json")

    assert error is None
    assert told == plain(read("list.json")) == plain(read("text.json")) == "Hold the line."


def test_tools():
    told = plain(read("tools.json"))

    assert [(call.id, call.name, call.parse()) for call in told.tool_calls] == [
        ("call_0", "tide", {"harbour": "Whitby"}),
        ("call_1", "wind", {}),
    ]
    assert told.tool_calls[0].opaque == {"thoughtSignature": "c2ln"}
    assert told.reasoning == "Let me see."
    assert told.finish_reason is FinishReason.TOOL_CALLS


def test_a_blocked_prompt():
    told = plain(read("blocked.json"))

    assert told == ""
    assert told.finish_reason is FinishReason.CONTENT_FILTER


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("error_in_stream", OverloadedError),
        ("raw_error_in_stream", OverloadedError),
        ("cut", InvalidResponseError),
    ],
)
def test_a_stream_that_fails(name, kind):
    told, error = streamed(f"{name}.sse")

    assert "Hold the line.".startswith(told)
    assert told
    assert type(error) is kind


def test_embeddings():
    request = EmbedRequest(texts=("a", "b"), model="gemini-embedding-2")
    decoded = GeminiCodec().decode_embed(response(read("embeddings.json")), request)

    assert [vector.tolist() for vector in decoded.vectors] == [[0.5, -0.25, 0.125], [1, 0, -1]]


def test_every_error_is_listed():
    assert {path.stem for path in RECORDINGS.glob("errors/*.json")} == ERRORS.keys()


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    body = read(f"errors/{name}.json")
    error = GeminiCodec().decode_error(response(body, int(name[:3])))

    assert type(error) is ERRORS[name]
    assert error.retry_after == {"429_day": 41, "429_minute": 23}.get(name)
