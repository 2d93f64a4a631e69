"""What the policies make of each error: the one table that they all read."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from .errors import (
    AllTargetsFailedError,
    AuthenticationError,
    CertificateError,
    ContentFilteredError,
    ContextLengthExceededError,
    InvalidRequestError,
    InvalidResponseError,
    ModelNotFoundError,
    OutputTruncatedError,
    OverloadedError,
    PermissionDeniedError,
    PromptTruncatedError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitError,
    RedirectRefusedError,
    ResponseParseError,
    ResponseTooLargeError,
    ServerError,
    StreamConsumedError,
    StreamInterruptedError,
    UnsupportedOperationError,
)
from .refusals import (
    BudgetExceededError,
    CircuitOpenError,
    DeadlineExceededError,
    GuardrailError,
    NoTargetError,
    RateLimitExceededError,
    RefusedError,
    ToolRoundsExceededError,
)


class Retry(StrEnum):
    """Whether the same target is worth asking again."""

    NEVER = "never"
    TRANSIENT = "transient"
    THROTTLED = "throttled"
    """Only if the wait that the vendor asks for fits."""
    ONCE_IF_SENT = "once-if-sent"
    """The vendor may have worked on it, and billed it: at most one repeat if it was sent."""
    NEXT_KEY = "next-key"
    """Not with the same credentials."""


class Another(StrEnum):
    """Whether another target is worth asking."""

    NEVER = "never"
    ALWAYS = "always"
    LARGER_WINDOW = "larger-window"
    LARGER_CEILING = "larger-ceiling"
    OPT_IN = "opt-in"


class KeyFate(StrEnum):
    """What becomes of the API key that a call was made with."""

    KEPT = "kept"
    RESTS = "rests"
    """Not asked with until the vendor's limit is reset."""
    SPENT = "spent"
    """Nor any other key of its account, for a while."""
    DEAD = "dead"
    """Not asked with again until somebody reloads the keys."""


class Verdict(NamedTuple):
    """What the policies make of an error."""

    retry: Retry
    another: Another
    counts: bool
    """Whether the circuit breaker counts it as a failure of the target."""
    http: int
    """The status that a gateway answers with."""
    misconfigured: bool = False
    """Whether it speaks of a mistake in the set-up, which health and `explain` show."""
    key: KeyFate = KeyFate.KEPT


_N, _T = Retry.NEVER, Retry.TRANSIENT
MISCONFIGURED = Verdict(_N, Another.ALWAYS, counts=False, http=502, misconfigured=True)

VERDICTS: dict[type, Verdict] = {
    ProviderError: Verdict(_N, Another.ALWAYS, True, 502),
    AuthenticationError: Verdict(Retry.NEXT_KEY, Another.ALWAYS, False, 500, True, KeyFate.DEAD),
    PermissionDeniedError: Verdict(Retry.NEXT_KEY, Another.ALWAYS, False, 500, True, KeyFate.DEAD),
    ModelNotFoundError: Verdict(_N, Another.ALWAYS, False, 404, True),
    QuotaExceededError: Verdict(_N, Another.ALWAYS, False, 429, key=KeyFate.SPENT),
    InvalidRequestError: Verdict(_N, Another.OPT_IN, False, 400, True),
    ContextLengthExceededError: Verdict(_N, Another.LARGER_WINDOW, False, 400),
    UnsupportedOperationError: Verdict(_N, Another.ALWAYS, False, 400),
    ContentFilteredError: Verdict(_N, Another.OPT_IN, False, 400),
    RateLimitError: Verdict(Retry.THROTTLED, Another.ALWAYS, False, 429, key=KeyFate.RESTS),
    OverloadedError: Verdict(_T, Another.ALWAYS, True, 503),
    ServerError: Verdict(_T, Another.ALWAYS, True, 502),
    ProviderConnectionError: Verdict(_T, Another.ALWAYS, True, 502),
    ProviderTimeoutError: Verdict(Retry.ONCE_IF_SENT, Another.ALWAYS, True, 504),
    CertificateError: MISCONFIGURED,
    RedirectRefusedError: MISCONFIGURED,
    InvalidResponseError: Verdict(_T, Another.ALWAYS, True, 502),
    ResponseTooLargeError: MISCONFIGURED,
    PromptTruncatedError: Verdict(_N, Another.LARGER_WINDOW, False, 400),
    OutputTruncatedError: Verdict(_N, Another.LARGER_CEILING, False, 502),
    ResponseParseError: Verdict(_N, Another.ALWAYS, False, 502),
    StreamInterruptedError: Verdict(_N, Another.NEVER, True, 502),
    StreamConsumedError: Verdict(_N, Another.NEVER, False, 500),
    CircuitOpenError: Verdict(_N, Another.ALWAYS, False, 503),
    RateLimitExceededError: Verdict(_N, Another.ALWAYS, False, 429),
    BudgetExceededError: Verdict(_N, Another.NEVER, False, 402),
    DeadlineExceededError: Verdict(_N, Another.NEVER, False, 504),
    GuardrailError: Verdict(_N, Another.NEVER, False, 400),
    NoTargetError: Verdict(_N, Another.ALWAYS, False, 503),
    ToolRoundsExceededError: Verdict(_N, Another.NEVER, False, 502),
    RefusedError: Verdict(_N, Another.NEVER, False, 503),
    AllTargetsFailedError: Verdict(_N, Another.ALWAYS, False, 502),
}
"""One row per class; a class without one has that of its nearest base."""

_BY_STATUS = (ServerError, ProviderTimeoutError)
STATUS_VERDICTS: dict[int | None, Verdict] = {
    408: Verdict(_T, Another.ALWAYS, False, 504),
    409: Verdict(_T, Another.ALWAYS, False, 502),
    501: MISCONFIGURED,
    505: MISCONFIGURED,
}
"""Statuses whose row differs from that of the class they are raised as."""


def verdict_on(error: ProviderError) -> Verdict:
    """That of the table, and of the vendor where it said explicitly whether to retry."""
    row = next(VERDICTS[base] for base in type(error).__mro__ if base in VERDICTS)
    if error.status_code in STATUS_VERDICTS and isinstance(error, _BY_STATUS):
        row = STATUS_VERDICTS[error.status_code]
    if error.should_retry is True and row.retry in {Retry.NEVER, Retry.NEXT_KEY}:
        return row._replace(retry=Retry.TRANSIENT)
    if error.should_retry is False:
        return row._replace(retry=Retry.NEVER)
    return row
