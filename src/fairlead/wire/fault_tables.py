"""What vendors' codes, statuses and words for errors stand for."""

from __future__ import annotations

import re
from typing import TypeAlias

from ..core.errors import (
    AuthenticationError,
    ContentFilteredError,
    ContextLengthExceededError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    UnsupportedOperationError,
)

Kind: TypeAlias = type[ProviderError]
Phrases: TypeAlias = tuple[tuple[re.Pattern[str], Kind], ...]


def _rows(*rows: tuple[Kind, str]) -> dict[str, Kind]:
    return {code: kind for kind, codes in rows for code in codes.split()}


CODES: dict[str, Kind] = _rows(
    (
        ContextLengthExceededError,
        """
        context_length_exceeded exceed_context_size_error context_window_exceeded
        tokens_limit_reached max_tokens_per_request request_too_large
        """,
    ),
    (
        QuotaExceededError,
        """
        insufficient_quota credit_balance_exhausted organization_spend_limit_exceeded
        project_spend_limit_exceeded organization_usage_limit_exceeded billing_error
        enforced_spend_limit_reached billing_hard_limit_reached billing_not_active
        insufficient_balance contract_spend_limit_reached
        """,
    ),
    (
        AuthenticationError,
        """
        invalid_api_key incorrect_api_key api_key_invalid invalid_authentication
        authentication_error unauthorized
        """,
    ),
    (ModelNotFoundError, "model_not_found deploymentnotfound deployment_not_found unknown_model"),
    (
        ContentFilteredError,
        """
        content_filter content_policy_violation content_policy_violation_error
        responsibleaipolicyviolation data_inspection_failed bio_policy cyber_policy
        misalignment_policy_violation image_content_policy_violation
        """,
    ),
    (UnsupportedOperationError, "unsupported_parameter unsupported_value"),
    (OverloadedError, "server_is_overloaded overloaded_error engine_overloaded slow_down"),
)
"""Codes, in lower case, that mean the same with any status."""

KINDS: dict[str, Kind] = _rows(
    (
        InvalidRequestError,
        """
        invalid_request_error badrequesterror invalid_argument bad_request invalid_prompt
        data_residency_mismatch invalid_image invalid_image_format invalid_base64_image
        invalid_image_url invalid_image_mode image_too_large image_too_small image_parse_error
        image_file_too_large unsupported_image_media_type empty_image_file
        failed_to_download_image image_file_not_found
        """,
    ),
    (PermissionDeniedError, "permission_error permission_denied forbidden"),
    (ModelNotFoundError, "not_found_error not_found"),
    (RateLimitError, "rate_limit_exceeded rate_limit_error resource_exhausted too_many_requests"),
    (OverloadedError, "service_unavailable_error unavailable unavailable_error"),
    (ServerError, "server_error internal_error internal_server_error api_error internal"),
)
"""Codes and kinds that a status says better; they count where there is none."""

STATUSES: dict[int, Kind] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: QuotaExceededError,
    403: PermissionDeniedError,
    404: ModelNotFoundError,
    408: ProviderTimeoutError,
    409: ServerError,
    410: ModelNotFoundError,
    413: ContextLengthExceededError,
    422: InvalidRequestError,
    429: RateLimitError,
    503: OverloadedError,
    529: OverloadedError,
}
"""What a status stands for; any other 5xx is a `ServerError`, any other 4xx a set-up mistake."""


def _pattern(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


_CONTEXT = _pattern(
    r"maximum (?:context|prompt|input) length",
    r"context (?:length|window|size)\b.{0,40}exceed",
    r"exceed\w*.{0,60}(?:context (?:length|window|size)|maximum number of tokens)",
    r"(?:prompt|input) is too long",
    r"prompt too long",
    r"too large for model with",
    r"request too large for",
    r"too many tokens",
    r"reduce the length of (?:the |your )?(?:messages|prompt|input)",
    r"input token count.{0,40}exceeds",
    r"input length exceeds",
    r"`inputs` tokens \+ `max_new_tokens` must be",
    r"total number of tokens in the prompt cannot exceed",
)
_KEY = _pattern(
    r"(?:incorrect|invalid|bad|missing) api[ _-]?key", r"api[ _-]?key (?:not valid|is invalid)"
)
_QUOTA = _pattern(
    r"credit balance is too low",
    r"insufficient (?:balance|credits|quota|funds)",
    r"out of credits",
    r"used all (?:available|your) credits",
    r"(?:monthly|spending|spend) limit",
    r"reached your specified API usage limits",
    r"PerDay",
)
_FILTER = _pattern(
    r"content management policy",
    r"content[ _-]?filter",
    r"violat\w+ (?:our |the )?(?:usage|content) (?:guidelines|polic)",
    r"(?:flagged|rejected|blocked) (?:by|as) .{0,40}(?:safety|moderation|violating)",
)
_MODEL = _pattern(
    r"model\b.{0,100}(?:does not exist|not found|is not available|has been deprecated)",
    r"(?:not a valid|invalid|unknown|no such) model",
)
_REGION = _pattern(r"user location is not supported", r"not available in your country")
_RATE = _pattern(r"rate limit", r"too many requests")
_OVERLOAD = _pattern(r"overloaded", r"currently unavailable", r"at capacity")

PHRASES: dict[int | None, Phrases] = {
    400: (
        (_CONTEXT, ContextLengthExceededError),
        (_KEY, AuthenticationError),
        (_QUOTA, QuotaExceededError),
        (_FILTER, ContentFilteredError),
        (_MODEL, ModelNotFoundError),
        (_REGION, PermissionDeniedError),
    ),
    403: ((_QUOTA, QuotaExceededError), (_FILTER, ContentFilteredError)),
    422: ((_CONTEXT, ContextLengthExceededError), (_MODEL, ModelNotFoundError)),
    429: ((_CONTEXT, ContextLengthExceededError), (_QUOTA, QuotaExceededError)),
}
"""What the words tell apart where a status stands for several things."""

ANY_STATUS: Phrases = (
    (_CONTEXT, ContextLengthExceededError),
    (_FILTER, ContentFilteredError),
    (_KEY, AuthenticationError),
    (_QUOTA, QuotaExceededError),
    (_RATE, RateLimitError),
    (_OVERLOAD, OverloadedError),
)
LIMITS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"maximum (?:context|prompt|input) length (?:is|of) ([\d,]+)",
        r"(?:context size|context window|context length) (?:\(|of )?([\d,]+)",
        r">\s*([\d,]+) maximum",
        r"tokens allowed \(?([\d,]+)",
        r"with ([\d,]+) maximum context length",
        r"cannot exceed ([\d,]+)",
        r"must be <= ([\d,]+)",
        r"max ([\d,]+) tokens",
        r"\blimit:? ([\d,]+)",
    )
)
REQUESTED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:you )?requested:? (?:about )?([\d,]+)",
        r"(?:contains|resulted in|received|request has|given:) ([\d,]+)",
        r"request \(([\d,]+) tokens",
        r"too long: ([\d,]+) tokens",
        r"token count \(?([\d,]+)",
        r"([\d,]+) input tokens",
    )
)
