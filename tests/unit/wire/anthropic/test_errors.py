"""Errors by their status, code and words."""

import pytest

from fairlead.core.errors import (
    AuthenticationError,
    ContextLengthExceededError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from fairlead.wire.anthropic import AnthropicCodec
from tests.support.chat import response

LOW = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing"
LIMIT = "You have reached your specified API usage limits. You will regain access on 2026-12-01"


def error(status, kind, message="no", details=None, **headers):
    told = {"type": kind, "message": message}
    if details is not None:
        told["details"] = details
    body = {"type": "error", "error": told, "request_id": "req_1"}
    return AnthropicCodec().decode_error(response(body, status, **headers))


@pytest.mark.parametrize(
    ("status", "kind", "message", "expected"),
    [
        (400, "invalid_request_error", "temperature: Extra inputs", InvalidRequestError),
        (400, "invalid_request_error", LOW, QuotaExceededError),
        (400, "invalid_request_error", LIMIT, QuotaExceededError),
        (401, "authentication_error", "invalid x-api-key", AuthenticationError),
        (402, "billing_error", "no", QuotaExceededError),
        (403, "permission_error", "no", PermissionDeniedError),
        (404, "not_found_error", "model: claude-x", ModelNotFoundError),
        (409, "conflict_error", "no", ServerError),
        (413, "request_too_large", "no", ContextLengthExceededError),
        (429, "rate_limit_error", "no", RateLimitError),
        (500, "api_error", "Internal server error", ServerError),
        (504, "timeout_error", "no", ServerError),
        (529, "overloaded_error", "Overloaded", OverloadedError),
        (200, "overloaded_error", "Overloaded", OverloadedError),
    ],
)
def test_kinds(status, kind, message, expected):
    found = error(status, kind, message)

    assert type(found) is expected
    assert found.code == kind
    assert found.message == message
    assert found.request_id == "req_1"


def test_a_prompt_that_is_too_long():
    message = "prompt is too long: 210000 tokens > 200000 maximum"
    found = error(400, "invalid_request_error", message)

    assert type(found) is ContextLengthExceededError
    assert (found.requested, found.limit) == (210_000, 200_000)


@pytest.mark.parametrize("code", ["enforced_spend_limit_reached", "contract_spend_limit_reached"])
def test_a_limit_of_spending_is_no_limit_of_rate(code):
    found = error(429, "rate_limit_error", details={"error_code": code})

    assert type(found) is QuotaExceededError
    assert found.code == code


def test_headers():
    found = error(
        429,
        "rate_limit_error",
        retry_after="7",
        x_should_retry="true",
        request_id="req_2",
        anthropic_ratelimit_requests_limit="50",
        anthropic_ratelimit_requests_remaining="0",
        anthropic_ratelimit_requests_reset="2026-11-21T12:00:30Z",
        date="Sat, 21 Nov 2026 12:00:00 GMT",
    )

    assert found.retry_after == 7
    assert found.should_retry is True
    assert found.request_id == "req_2"
    assert (found.rate_limits.requests.remaining, found.rate_limits.requests.reset) == (0, 30)


@pytest.mark.parametrize("body", [b"<html><title>Bad Gateway</title>", b""])
def test_a_body_that_is_no_json(body):
    found = AnthropicCodec().decode_error(response(body, 502))

    assert type(found) is ServerError
    assert found.message.startswith("HTTP 502 with")
    assert found.request_id is None
