"""A whole answer, and what is no answer."""

from decimal import Decimal

import pytest

from fairlead.core.errors import InvalidResponseError, RateLimitError, ServerError
from fairlead.core.events import StreamEnd
from fairlead.core.messages import Reasoning, Refusal, Text, ToolCall
from fairlead.core.requests import EmbedRequest
from fairlead.core.results import FinishReason
from fairlead.wire.openai_chat import Dialect
from fairlead.wire.openai_responses import OpenAIResponsesCodec
from tests.support.chat import response
from tests.support.responses import ORIGIN, body, call, closing, message, plain, sse, thought


def test_all_that_an_answer_is_made_of():
    refusal = {"type": "refusal", "refusal": "Not that."}
    told = plain(
        body(
            thought(encrypted_content="e"),
            message("One."),
            {"type": "message", "content": [refusal]},
            call(),
        )
    )

    assert told == "One."
    assert told.metadata.parts == (
        Reasoning("Hm.", {"item": thought(encrypted_content="e")}, ORIGIN),
        Text("One."),
        Refusal("Not that."),
        ToolCall("call-fc-1", "tide", "{}"),
    )
    assert told.finish_reason is FinishReason.TOOL_CALLS
    assert (told.model, told.metadata.response_id) == ("tiny", "resp-1")


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_an_answer_that_is_still_worked_on(status):
    told = plain(body(status=status))

    assert told == ""
    assert told.finish_reason is FinishReason.UNKNOWN
    assert told.metadata.finish_reason_raw == status
    assert "background" in told.warnings[0]


def test_an_answer_that_was_cancelled():
    assert plain(body(message(), status="cancelled")).finish_reason is FinishReason.ERROR


def test_an_answer_without_a_status():
    told = body(message())
    del told["status"]

    assert plain(told).finish_reason is FinishReason.UNKNOWN
    assert plain(told).metadata.finish_reason_raw is None


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        ({"error": {"message": "slow", "code": "rate_limit_exceeded"}}, RateLimitError, "slow"),
        (body(status="failed", error={"message": "m", "code": "server_error"}), ServerError, "m"),
        (body(status="failed"), ServerError, "not why"),
        ({"detail": "no such thing"}, ServerError, "no such thing"),
        ({}, InvalidResponseError, "expected a response"),
        ([], InvalidResponseError, "expected a response"),
        (b"", InvalidResponseError, "empty body"),
        (b"{half", InvalidResponseError, "expected a response"),
        (b"<html><title>Hi</title>", InvalidResponseError, "check the base URL"),
    ],
)
def test_what_is_no_answer(told, kind, words):
    with pytest.raises(kind, match=words):
        plain(told)


def test_an_error_has_the_id_of_its_request():
    with pytest.raises(ServerError) as caught:
        plain(body(status="failed"), x_request_id="req-1")

    assert caught.value.request_id == "req-1"


def test_an_empty_answer_is_one():
    assert plain({"output": [], "status": "completed"}) == ""


def test_a_server_that_streams_unasked_is_understood():
    assert plain(sse(closing(message()))) == "Hello."


def test_a_stream_that_fails_unasked_raises():
    with pytest.raises(ServerError, match="broke"):
        plain(sse({"type": "error", "message": "It broke."}))


def test_what_the_vendor_says_it_cost():
    usage = {"input_tokens": 1, "output_tokens": 1, "cost_in_usd_ticks": 20_000_000_000}
    told = plain(body(message(), usage=usage), dialect=Dialect(name="xai", cost=True))

    assert told.cost.amount == Decimal(2)


def test_small_facts_are_kept():
    told = plain(body(message(), content_filters=[{"blocked": False}], moderation=None))

    assert told.metadata.details == {"content_filters": [{"blocked": False}]}


def test_embeddings_are_those_of_chat_completions():
    codec = OpenAIResponsesCodec()
    request = EmbedRequest(texts=("a",), model="m")
    answer = response({"data": [{"index": 0, "embedding": [0.5]}], "model": "m"})

    assert codec.encode_embed(request).path == "/embeddings"
    assert list(codec.decode_embed(answer, request).vectors[0]) == [0.5]


def test_a_stream_loses_nothing():
    assert OpenAIResponsesCodec().lossless_stream


def test_a_plain_answer_ends_as_a_stream_does():
    events = OpenAIResponsesCodec().decode_generate(response(body(message())))

    assert isinstance(events[-1], StreamEnd)


def test_errors_are_those_of_chat_completions():
    told = {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}
    error = OpenAIResponsesCodec().decode_error(response(told, 429, retry_after="7"))

    assert type(error) is RateLimitError
    assert error.retry_after == 7
