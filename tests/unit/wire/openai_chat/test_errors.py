"""Error bodies of every shape."""

import json

import pytest

from fairlead.core.errors import (
    AuthenticationError,
    ContentFilteredError,
    ContextLengthExceededError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from fairlead.wire.openai_chat import OpenAIChatCodec
from tests.support.chat import response


def decode(body, status=400, **headers):
    return OpenAIChatCodec().decode_error(response(body, status, **headers))


def test_openais_shape():
    error = decode(
        {"error": {"message": "No", "type": "t", "param": None, "code": "c"}}, x_request_id="r"
    )

    assert type(error) is InvalidRequestError
    assert (error.message, error.code, error.status_code, error.request_id) == ("No", "c", 400, "r")


def test_a_code_that_only_repeats_the_status_is_none():
    assert decode({"error": {"message": "No", "code": 429}}, 429).code is None
    assert decode({"error": {"message": "No", "code": "429"}}, 429).code is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": "No"}, "No"),
        ({"error": {"message": "No"}}, "No"),
        ({"message": "No", "type": "x"}, "No"),
        ({"object": "error", "message": "No", "code": 40}, "No"),
        ({"detail": "No"}, "No"),
        ({"detail": {"message": "No"}}, "No"),
        ({"errors": [{"message": "No"}, {"message": "never"}]}, "No; never"),
        ([{"error": {"message": "No", "code": 400}}], "No"),
        ("No", "No"),
        (
            {"detail": [{"loc": ["body", "top_p"], "msg": "too big", "type": "range"}]},
            "body.top_p: too big",
        ),
    ],
)
def test_the_message_is_found_in_every_shape(body, message):
    assert decode(body).message == message


def test_a_page_is_named_and_not_quoted():
    error = decode(b"<html><title>502 Bad Gateway</title><p>secret words", 502)

    assert type(error) is ServerError
    assert error.message == "HTTP 502 with an HTML page titled '502 Bad Gateway'"


def test_a_body_that_is_not_json_is_quoted_briefly():
    assert decode(b"upstream\nfailed " + b"x" * 1_000, 503).message.startswith(
        "HTTP 503 with 'upstream failed xxx"
    )


def test_an_empty_body():
    assert decode(b"", 503).message == "HTTP 503 with an empty body"


def test_json_without_a_message_is_quoted_briefly():
    assert "{'a': 1}" in decode({"a": 1}).message.replace('"', "'")


def test_a_long_message_is_cut():
    assert len(decode({"error": {"message": "x" * 100_000}}).message) == 500


def test_a_key_that_the_vendor_repeats_is_masked():
    error = decode(
        {
            "error": {
                "message": "Incorrect API key provided: sk-abcdefgh12345678. See https://x.test.",
                "code": "invalid_api_key",
            }
        },
        401,
    )

    assert type(error) is AuthenticationError
    assert "abcdefgh" not in str(error)
    assert "https://x.test" in error.message


def test_a_body_nested_without_end_is_survived():
    body = {}
    for _ in range(100):
        body = {"error": body, "message": "deep"}

    assert decode(body).message == "deep"


def test_azures_filter():
    error = decode(
        {
            "error": {
                "message": "The response was filtered",
                "code": "content_filter",
                "status": 400,
                "innererror": {"code": "ResponsibleAIPolicyViolation"},
            }
        }
    )

    assert type(error) is ContentFilteredError


def test_what_another_vendor_said_is_passed_on():
    raw = json.dumps({"error": {"message": "maximum context length is 10 tokens"}})
    error = decode(
        {"error": {"code": 400, "message": "Provider returned error", "metadata": {"raw": raw}}}
    )

    assert type(error) is ContextLengthExceededError
    assert error.message == "Provider returned error; maximum context length is 10 tokens"
    assert error.limit == 10


def test_what_another_vendor_said_as_text_is_passed_on():
    error = decode({"error": {"code": 429, "message": "x", "metadata": {"raw": "{busy"}}}, 429)

    assert error.message == "x; {busy"


def test_the_wait_is_found_in_the_details():
    body = {
        "error": {
            "code": 429,
            "message": "quota",
            "status": "RESOURCE_EXHAUSTED",
            "details": [
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "23s"},
            ],
        }
    }
    error = decode(body, 429)

    assert type(error) is RateLimitError
    assert error.retry_after == 23.0


def test_a_daily_quota_is_spent_whatever_wait_is_told():
    violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}
    body = {
        "error": {
            "code": 429,
            "message": "quota",
            "details": [{"violations": [violation]}, {"retryDelay": "23s"}],
        }
    }

    assert type(decode(body, 429)) is QuotaExceededError


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached. Please try again in 7m12.5s. Visit x", 432.5),
        ("Rate limit reached. Please try again in 6ms.", 0.006),
        ("Please retry in 10h17m5.7s.", 37_025.7),
        ("Please try again in a while", None),
    ],
)
def test_the_wait_is_found_in_the_message_last(message, seconds):
    error = decode({"error": {"message": message}}, 429)

    assert error.retry_after == (None if seconds is None else pytest.approx(seconds))


def test_a_header_says_better_how_long_to_wait():
    body = {"error": {"message": "Please try again in 20s."}}

    assert decode(body, 429, retry_after="3").retry_after == 3.0


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "model_not_found", ModelNotFoundError),
        (429, "insufficient_quota", QuotaExceededError),
        (403, None, PermissionDeniedError),
        (503, "server_is_overloaded", OverloadedError),
    ],
)
def test_status_and_code_decide(status, code, kind):
    assert type(decode({"error": {"message": "x", "code": code}}, status)) is kind


def test_the_vendors_word_on_retrying_is_obeyed():
    error = decode({"error": {"message": "x"}}, 400, x_should_retry="true")

    assert error.verdict.retry == "transient"


def test_a_quota_by_the_minute_is_a_rate_limit():
    violation = {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}
    body = {"error": {"code": 429, "message": "quota", "details": [{"violations": [violation]}]}}

    assert type(decode(body, 429)) is RateLimitError
