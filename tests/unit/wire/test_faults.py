"""Which error a vendor's words stand for."""

import pytest

from fairlead.core.errors import (
    AuthenticationError,
    ContentFilteredError,
    ContextLengthExceededError,
    InvalidRequestError,
    InvalidResponseError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    UnsupportedOperationError,
)
from fairlead.wire.faults import Fault, provider_error


def kind(message="", *codes, status=None, **facts):
    return type(provider_error(Fault(message=message, codes=codes, **facts), status=status))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (402, QuotaExceededError),
        (403, PermissionDeniedError),
        (404, ModelNotFoundError),
        (405, InvalidResponseError),
        (408, ProviderTimeoutError),
        (409, ServerError),
        (413, ContextLengthExceededError),
        (418, InvalidResponseError),
        (422, InvalidRequestError),
        (429, RateLimitError),
        (500, ServerError),
        (501, ServerError),
        (502, ServerError),
        (503, OverloadedError),
        (504, ServerError),
        (520, ServerError),
        (529, OverloadedError),
        (302, InvalidResponseError),
    ],
)
def test_a_status_decides_where_nothing_else_is_known(status, error):
    assert kind(status=status) is error


def test_any_other_4xx_is_a_mistake_in_the_set_up():
    assert provider_error(Fault(), status=405).verdict.misconfigured


@pytest.mark.parametrize(
    "code",
    [
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "enforced_spend_limit_reached",
    ],
)
@pytest.mark.parametrize("status", [429, 403])
def test_a_spent_account_is_known_by_its_code(code, status):
    assert kind("You have reached your limit", code, status=status) is QuotaExceededError


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("context_length_exceeded", 400, ContextLengthExceededError),
        ("exceed_context_size_error", 400, ContextLengthExceededError),
        ("invalid_api_key", 400, AuthenticationError),
        ("model_not_found", 400, ModelNotFoundError),
        ("content_filter", 400, ContentFilteredError),
        ("content_policy_violation", 400, ContentFilteredError),
        ("DeploymentNotFound", 404, ModelNotFoundError),
        ("unsupported_value", 400, UnsupportedOperationError),
        ("server_is_overloaded", 503, OverloadedError),
        ("rate_limit_exceeded", 429, RateLimitError),
    ],
)
def test_an_exact_code_decides_before_the_status(code, status, error):
    assert kind("", code, status=status) is error


def test_a_kind_of_error_does_not_overrule_the_status():
    assert kind("Unauthorized", "api_error", status=401) is AuthenticationError


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("server_error", ServerError),
        ("rate_limit_exceeded", RateLimitError),
        ("invalid_request_error", InvalidRequestError),
        ("service_unavailable_error", OverloadedError),
    ],
)
def test_a_kind_of_error_decides_where_there_is_no_status(code, error):
    assert kind("", code) is error


def test_the_status_that_a_body_names_counts_where_the_response_succeeded():
    assert kind("Provider returned error", status=None) is ServerError
    assert type(provider_error(Fault(status=429))) is RateLimitError


def test_words_decide_where_nothing_else_does():
    assert kind("Rate limit reached, slow down") is RateLimitError
    assert kind("The engine is overloaded") is OverloadedError
    assert kind("something odd") is ServerError


def test_a_server_error_that_mentions_a_policy_stays_one():
    assert kind("violates usage policies; context length", status=500) is ServerError


@pytest.mark.parametrize(
    ("message", "status", "limit", "requested"),
    [
        (
            (
                "This model's maximum context length is 8192 tokens. However, you requested 10000 "
                "tokens (9000 in the messages, 1000 in the completion)."
            ),
            400,
            8192,
            10000,
        ),
        (
            (
                "This model's maximum context length is 4,096 tokens. However, your messages "
                "resulted in 5,000 tokens."
            ),
            400,
            4096,
            5000,
        ),
        ("prompt is too long: 210000 tokens > 200000 maximum", 400, 200_000, 210_000),
        (
            "request (6003 tokens) exceeds the available context size (1024 tokens)",
            400,
            1024,
            6003,
        ),
        (
            (
                "The input token count (1200000) exceeds the maximum number of tokens allowed "
                "(1048576)."
            ),
            400,
            1_048_576,
            1_200_000,
        ),
        (
            (
                "Prompt contains 50000 tokens and 0 draft tokens, too large for model with 32768 "
                "maximum context length"
            ),
            400,
            32_768,
            50_000,
        ),
        (
            "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
            400,
            131_072,
            200_000,
        ),
        ("Your input exceeds the context window of this model.", 400, None, None),
        ("input length exceeds the context length", 400, None, None),
        (
            "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 50000.",
            429,
            30_000,
            50_000,
        ),
        ("too many tokens: cannot exceed 4081 - received 6000", 400, 4081, 6000),
    ],
)
def test_a_prompt_that_is_too_long_is_known_by_its_words(message, status, limit, requested):
    error = provider_error(Fault(message=message), status=status)

    assert isinstance(error, ContextLengthExceededError)
    assert (error.limit, error.requested) == (limit, requested)


@pytest.mark.parametrize(
    ("message", "status", "error"),
    [
        ("Incorrect API key provided: sk-12***89.", 400, AuthenticationError),
        ("API key not valid. Please pass a valid API key.", 400, AuthenticationError),
        ("Your credit balance is too low to access the API.", 400, QuotaExceededError),
        # Gemini says so of a limit by the minute too; OpenAI has a code for the other.
        ("You exceeded your current quota, please check your plan", 429, RateLimitError),
        ("xyz/none is not a valid model ID", 400, ModelNotFoundError),
        ("Content violates usage guidelines.", 403, ContentFilteredError),
        ("The response was filtered by the content management policy", 400, ContentFilteredError),
    ],
)
def test_words_tell_apart_what_one_status_stands_for(message, status, error):
    assert kind(message, status=status) is error


def test_a_wait_of_hours_means_that_a_daily_quota_is_spent():
    assert kind("quota", status=429, retry_after=37_000.0) is QuotaExceededError


def test_what_the_headers_say_is_kept():
    headers = {"retry-after": "3", "x-request-id": "req_1", "x-should-retry": "false"}
    error = provider_error(Fault(message="slow"), status=429, headers=headers)

    assert (error.retry_after, error.request_id, error.should_retry) == (3.0, "req_1", False)
    assert error.sent


def test_an_error_without_words_has_a_message():
    assert provider_error(Fault()).message
