"""
Everything fairlead raises, and what each policy makes of it.

::

    FairleadError
    ├── ConfigurationError
    ├── StoreError
    ├── TemplateError
    └── ProviderError
        ├── AuthenticationError
        ├── PermissionDeniedError
        ├── ModelNotFoundError
        ├── QuotaExceededError
        ├── InvalidRequestError
        │   ├── ContextLengthExceededError
        │   └── UnsupportedOperationError
        ├── ContentFilteredError
        ├── RateLimitError
        ├── OverloadedError
        ├── ServerError
        ├── ProviderConnectionError
        │   ├── ProviderTimeoutError
        │   ├── CertificateError
        │   └── RedirectRefusedError
        ├── InvalidResponseError
        │   ├── ResponseTooLargeError
        │   ├── PromptTruncatedError
        │   ├── OutputTruncatedError
        │   └── ResponseParseError
        ├── StreamInterruptedError
        ├── StreamConsumedError
        ├── RefusedError                    we refused; `sent` says whether something had been sent
        │   ├── CircuitOpenError
        │   ├── RateLimitExceededError
        │   ├── BudgetExceededError
        │   ├── DeadlineExceededError
        │   ├── GuardrailError
        │   ├── NoTargetError
        │   └── ToolRoundsExceededError
        └── AllTargetsFailedError

Wrong types and unknown options are `TypeError`, as anywhere in Python.

Retry, fallback, breaker, hedge, key pool and gateway ask `ProviderError.verdict` and nothing
else; the verdicts are the table in `fairlead.core.verdicts`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .journal import Attempt, Journal
    from .rates import RateLimits
    from .results import Generation
    from .usage import Usage
    from .verdicts import Verdict


class FairleadError(Exception):
    """The base class of everything that fairlead raises."""


class ConfigurationError(FairleadError):
    """Something cannot be built as it was asked for. Raised while building, not while calling."""


class StoreError(FairleadError):
    """A store of ours cannot be read or written now: a full disk, a lock, a damaged file."""


class TemplateError(FairleadError):
    """A prompt's template cannot be filled in with these values."""


class ProviderError(FairleadError):
    """
    A call failed. The base class of everything that a call raises.

    Holds no request body and no secret, so it is safe to log.

    Args:
        message: What went wrong, and where it can be known what to do.
        provider: The name of the provider that failed.
        model: The model that was asked.
        status_code: The HTTP status, if one was received.
        code: The vendor's own word for the error.
        request_id: The vendor's id of the request, for its support.
        retry_after: Seconds after which a repeat makes sense, if anybody said so.
        should_retry: The vendor's explicit word on whether to retry; overrides the verdict.
        sent: Whether the request had been sent; None where nobody knows.
    """

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        model: str | None = None,
        status_code: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        should_retry: bool | None = None,
        sent: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.model = model
        self.status_code = status_code
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.should_retry = should_retry
        self.sent = sent
        self.rate_limits: RateLimits | None = None
        self.partial: Any = None
        """What was answered before: a `Generation`, or vectors by the place of their texts."""
        self.journal: Journal | None = None

    @property
    def message(self) -> str:
        """What went wrong, without the details that `str()` appends."""
        return str(self.args[0])

    @property
    def attempts(self) -> Sequence[Attempt]:
        """What was tried before this was raised, oldest first."""
        return self.journal.attempts if self.journal is not None else ()

    @property
    def verdict(self) -> Verdict:
        """What the policies make of this error."""
        from .verdicts import verdict_on

        return verdict_on(self)

    def __str__(self) -> str:
        details = [
            ":".join(part for part in (self.provider, self.model) if part),
            f"HTTP {self.status_code}" if self.status_code is not None else "",
            self.code or "",
            f"request {self.request_id}" if self.request_id else "",
            f"retry after {self.retry_after:g} s" if self.retry_after is not None else "",
        ]
        shown = ", ".join(detail for detail in details if detail)
        return f"{self.message} [{shown}]" if shown else self.message


class AuthenticationError(ProviderError):
    """The vendor does not accept the credentials."""


class PermissionDeniedError(ProviderError):
    """The credentials are known but may not do this."""


class ModelNotFoundError(ProviderError):
    """The vendor has no such model, or no such address."""


class QuotaExceededError(ProviderError):
    """The account has spent what it may spend. Waiting for seconds does not help."""


class InvalidRequestError(ProviderError):
    """The request is not one that can be answered; asking again as it is does not help."""


class ContextLengthExceededError(InvalidRequestError):
    """
    The prompt does not fit the model.

    Args:
        limit: The size of the model's window in tokens, if it was told.
        requested: The size of the request in tokens, if it was told.
    """

    def __init__(
        self,
        message: str,
        *,
        limit: int | None = None,
        requested: int | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message, **details)
        self.limit = limit
        self.requested = requested


class UnsupportedOperationError(InvalidRequestError):
    """The provider or the model cannot do what was asked."""


class ContentFilteredError(ProviderError):
    """The vendor's filter stopped the prompt or the whole answer."""


class RateLimitError(ProviderError):
    """The vendor limits how fast it may be asked."""


class OverloadedError(ProviderError):
    """The vendor has more to do than it can."""


class ServerError(ProviderError):
    """The vendor failed."""


class ProviderConnectionError(ProviderError):
    """The provider could not be reached, or the connection broke."""


class ProviderTimeoutError(ProviderConnectionError):
    """
    The provider took too long.

    Args:
        limit: The seconds it was given.
    """

    def __init__(self, message: str, *, limit: float | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.limit = limit

    @property
    def verdict(self) -> Verdict:
        """What the policies make of it: given less than 5 s, the target is not to blame."""
        verdict = super().verdict
        if self.limit is not None and self.limit < SHORT_LIMIT:
            return verdict._replace(counts=False)
        return verdict


SHORT_LIMIT = 5.0
"""Seconds; a timeout of an attempt that was given less is not held against the target."""


class CertificateError(ProviderConnectionError):
    """The server's certificate could not be verified."""


class RedirectRefusedError(ProviderConnectionError):
    """The server redirects to where the request must not go."""


class InvalidResponseError(ProviderError):
    """
    The answer is not what the format promises, or it ends before its end.

    Args:
        misconfigured: Whether it looks like the answer of something else altogether,
            a proxy's page say, so that asking again cannot help.
    """

    def __init__(self, message: str, *, misconfigured: bool = False, **details: Any) -> None:
        super().__init__(message, **details)
        self.misconfigured = misconfigured

    @property
    def verdict(self) -> Verdict:
        """What the policies make of it."""
        from .verdicts import MISCONFIGURED

        return MISCONFIGURED if self.misconfigured else super().verdict


class ResponseTooLargeError(InvalidResponseError):
    """The answer is larger than allowed."""


class PromptTruncatedError(InvalidResponseError):
    """The server silently cut the prompt."""


class OutputTruncatedError(InvalidResponseError):
    """The answer was cut where only a whole one is of use."""


class ResponseParseError(InvalidResponseError):
    """
    The answer is not what was to be read from it.

    Args:
        errors: What is wrong with its values, each with where it is.
        position: Where its text is damaged, in characters from its start.
    """

    def __init__(
        self,
        message: str,
        *,
        errors: tuple[str, ...] = (),
        position: int | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message, **details)
        self.errors: tuple[str, ...] = errors
        self.position = position


class StreamInterruptedError(ProviderError):
    """
    A stream failed after its reader was shown something; its cause says why. Nothing retries it.

    Args:
        partial: What had been received.
    """

    def __init__(self, message: str, *, partial: Generation, **details: Any) -> None:
        super().__init__(message, **details)
        self.partial: Generation = partial

    @property
    def usage(self) -> Usage | None:
        """What had been consumed, as far as it was told."""
        return self.partial.usage

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), partial=self.partial), self.args, self.__dict__


class StreamConsumedError(ProviderError):
    """A stream was used a second time. Ask for a new one."""


class AllTargetsFailedError(ProviderError):
    """
    Several targets were tried and all failed. Its cause is the error of the first.

    Args:
        errors: One error per target, in the order in which they were tried.
    """

    def __init__(
        self, message: str, *, errors: Sequence[ProviderError] = (), **details: Any
    ) -> None:
        waits = [error.retry_after for error in errors if error.retry_after is not None]
        details.setdefault("retry_after", min(waits, default=None))
        super().__init__(message, **details)
        self.errors: tuple[ProviderError, ...] = tuple(errors)

    @property
    def verdict(self) -> Verdict:
        """What the policies make of it: a gateway answers as for its cause."""
        verdict = super().verdict
        return verdict._replace(http=self.errors[0].verdict.http) if self.errors else verdict

    def __str__(self) -> str:
        return "".join([super().__str__(), *(f"\n  {error}" for error in self.errors)])
