"""Errors in Google's words."""

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
from fairlead.wire.gemini import GeminiCodec
from tests.support.gemini import response


def error(status, message="no", *, word="", details=(), wrap=False):
    told = {"error": {"code": status, "message": message, "status": word, "details": list(details)}}
    return GeminiCodec().decode_error(response([told] if wrap else told, status))


RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"}


def quota(name):
    return {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": name}],
    }


@pytest.mark.parametrize(
    ("status", "word", "kind"),
    [
        (400, "INVALID_ARGUMENT", InvalidRequestError),
        (401, "UNAUTHENTICATED", AuthenticationError),
        (403, "PERMISSION_DENIED", PermissionDeniedError),
        (404, "NOT_FOUND", ModelNotFoundError),
        (429, "RESOURCE_EXHAUSTED", RateLimitError),
        (499, "CANCELLED", InvalidResponseError),
        (500, "INTERNAL", ServerError),
        (503, "UNAVAILABLE", OverloadedError),
        (504, "DEADLINE_EXCEEDED", ServerError),
    ],
)
@pytest.mark.parametrize("wrap", [False, True])
def test_statuses(status, word, kind, wrap):
    found = error(status, word=word, wrap=wrap)

    assert type(found) is kind
    assert found.status_code == status
    assert found.code == word


def test_a_bad_key_is_a_400():
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
    found = error(400, "It is bad.", word="INVALID_ARGUMENT", details=details)

    assert type(found) is AuthenticationError
    assert found.code == "API_KEY_INVALID"


def test_a_bad_key_is_known_by_its_words_too():
    assert (
        type(error(400, "API key not valid. Please pass a valid API key.")) is AuthenticationError
    )


def test_a_region_that_is_not_served_is_no_mistake_of_the_request():
    found = error(
        400, "User location is not supported for the API use.", word="FAILED_PRECONDITION"
    )

    assert type(found) is PermissionDeniedError


def test_a_rate_limit_tells_its_wait_in_the_body():
    found = error(
        429,
        word="RESOURCE_EXHAUSTED",
        details=[quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"), RETRY, "?"],
    )

    assert type(found) is RateLimitError
    assert found.retry_after == 34.4


@pytest.mark.parametrize(
    ("message", "details"),
    [
        ("no", [quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), RETRY]),
        ("no", [{"retryDelay": "36617s"}]),
        ("Quota exceeded. Please retry in 10h17m5.7s.", []),
        ("Quota exceeded for metric: x, limit: 0, model: gemini-3-pro", [RETRY]),
    ],
)
def test_what_is_spent_for_the_day_is_a_quota(message, details):
    assert type(error(429, message, details=details)) is QuotaExceededError


def test_a_wait_in_words():
    found = error(429, "Quota exceeded, limit: 10\nPlease retry in 22.5s.")

    assert type(found) is RateLimitError
    assert found.retry_after == 22.5


def test_a_prompt_that_is_too_long():
    words = (
        "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576)."
    )
    found = error(400, words)

    assert type(found) is ContextLengthExceededError
    assert (found.limit, found.requested) == (1_048_576, 1_048_577)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "HTTP 502 with an empty body"),
        (b"<html><title>Bad gateway</title>", "an HTML page titled 'Bad gateway'"),
        ({"error": "upstream is gone"}, "upstream is gone"),
        ({"message": "upstream is gone"}, "upstream is gone"),
        ([], "HTTP 502 with"),
    ],
)
def test_other_shapes(body, words):
    found = GeminiCodec().decode_error(response(body, 502))

    assert type(found) is ServerError
    assert words in str(found)


def test_a_status_that_is_none():
    found = GeminiCodec().decode_error(response({"error": {"code": "x", "message": "no"}}, 500))

    assert found.status_code == 500
