"""Answers in Anthropic's own words, written by hand, for whoever wants to be it in a test."""

from pathlib import Path

import pytest

from fairlead.core.errors import (
    AuthenticationError,
    ContextLengthExceededError,
    InvalidRequestError,
    InvalidResponseError,
    ModelNotFoundError,
    OverloadedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from fairlead.core.results import FinishReason
from fairlead.wire.anthropic import AnthropicCodec
from tests.support.chat import generation, response
from tests.support.messages import events_of, plain

RECORDINGS = Path(__file__).parent / "recordings"
ERRORS = {
    "400_context": ContextLengthExceededError,
    "400_credit": QuotaExceededError,
    "400_sampling": InvalidRequestError,
    "401_key": AuthenticationError,
    "404_model": ModelNotFoundError,
    "413_large": ContextLengthExceededError,
    "429_rate": RateLimitError,
    "429_spend": QuotaExceededError,
    "500_server": ServerError,
    "529_overloaded": OverloadedError,
}


def read(name):
    return (RECORDINGS / name).read_bytes()


def streamed(name):
    events, error = events_of(read(name))
    return generation(events), error


@pytest.mark.parametrize("name", ["text", "tools", "search"])
def test_a_stream_tells_what_the_plain_answer_does(name):
    told, error = streamed(f"{name}.sse")
    whole = plain(read(f"{name}.json"))

    assert error is None
    assert told == whole
    assert told.metadata == whole.metadata
    assert told.usage.input_tokens == 152
    assert told.usage.apart["cache_write_1h"] == 40


def test_text():
    assert plain(read("text.json")) == "Hold the line."


def test_tools():
    told = plain(read("tools.json"))

    assert [(call.name, call.parse()) for call in told.tool_calls] == [
        ("tide", {"harbour": "Whitby"}),
        ("wind", {}),
    ]
    assert told.reasoning == "Two harbours."
    assert told.finish_reason is FinishReason.TOOL_CALLS


def test_a_search():
    told = plain(read("search.json"))

    assert told == "High tide is at six."
    assert told.usage.apart["web_searches"] == 1
    assert told.metadata.details["citations"][0]["title"] == "Tides"
    assert told.metadata.details["server_tools"][0]["input"] == {"query": "tide"}


def test_a_refusal():
    told = plain(read("refusal.json"))

    assert told.finish_reason is FinishReason.REFUSAL
    assert told.metadata.details["stop_details"]["category"] == "cyber"


@pytest.mark.parametrize(
    ("name", "kind"), [("error_in_stream", OverloadedError), ("cut", InvalidResponseError)]
)
def test_a_stream_that_fails(name, kind):
    told, error = streamed(f"{name}.sse")

    assert told == "Hold"
    assert type(error) is kind


def test_a_count():
    assert AnthropicCodec().decode_count(response(read("count.json"))) == 12


def test_every_error_is_listed():
    assert {path.stem for path in RECORDINGS.glob("errors/*.json")} == ERRORS.keys()


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    body = read(f"errors/{name}.json")
    error = AnthropicCodec().decode_error(response(body, int(name[:3])))

    assert type(error) is ERRORS[name]
    assert error.request_id == "req_011made"
