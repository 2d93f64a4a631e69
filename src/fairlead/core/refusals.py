"""What fairlead itself refuses to do, rather than a provider; a branch of the tree in `errors`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import ProviderError

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal


class RefusedError(ProviderError):
    """We refused, not the provider; `sent` says whether something had been sent."""


class CircuitOpenError(RefusedError):
    """The circuit breaker keeps calls from a failing target."""


class RateLimitExceededError(RefusedError):
    """Our own limit on how fast or how much at once is reached."""


class BudgetExceededError(RefusedError):
    """
    The call could cost more than is left, or nobody knows what it could cost.

    Args:
        scope: Whose budget it is, such as `user=ann`.
        unit: What is counted: `USD`, `tokens` or `calls`.
        limit: How much of it may be spent.
        spent: How much is, settled for good.
        reserved: How much calls under way may come to.
        needed: How much this call may come to.
        resets_at: When something of it comes back; None is never.
    """

    def __init__(
        self,
        message: str,
        *,
        scope: str | None = None,
        unit: str | None = None,
        limit: Decimal | int | None = None,
        spent: Decimal | int | None = None,
        reserved: Decimal | int | None = None,
        needed: Decimal | int | None = None,
        resets_at: datetime | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message, **details)
        self.scope = scope
        self.unit = unit
        self.limit = limit
        self.spent = spent
        self.reserved = reserved
        self.needed = needed
        self.resets_at = resets_at


class DeadlineExceededError(RefusedError):
    """The time for the whole call is over."""


class GuardrailError(RefusedError):
    """A guardrail stopped the prompt or the answer."""


class NoTargetError(RefusedError):
    """No target can take the request, or all that could refuse it at present."""


class ToolRoundsExceededError(RefusedError):
    """The model still wanted tools called after as many rounds as were allowed."""
