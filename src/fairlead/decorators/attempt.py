"""Gives one attempt an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from ..core.calls import Operation
from ..core.errors import ProviderTimeoutError
from ..core.journal import Attempt, Outcome
from ..core.limits import TimeLimits
from ._base import Decorator

if TYPE_CHECKING:
    from ..core.calls import Call, T
    from ..core.provider import LooseProvider, ProviderPort


class AttemptTimeoutProvider(Decorator):
    """
    Gives one attempt an end: the least of its own limit and what is left of the deadline.

    A stream's opening is limited; how long it may fall silent afterwards is its adapter's to
    watch, as no policy iterates a stream.

    Args:
        inner: What is asked.
        limits: How long things may take.

    Raises:
        ProviderTimeoutError: From `handle`, when the time is over.
    """

    layer = "attempt"

    def __init__(
        self, inner: ProviderPort | LooseProvider, /, *, limits: TimeLimits | None = None
    ) -> None:
        super().__init__(inner)
        self._limits = limits or TimeLimits()

    async def handle(self, call: Call[T]) -> T:
        """Make *call*, in time."""
        limit = self._limit(call)
        left = call.deadline.remaining()
        if limit is None or (left is not None and left < limit):
            limit = left
        if limit is None:
            return await call.on(self._inner)
        if limit > 0:
            with anyio.move_on_after(limit):
                return await call.on(self._inner)
        # The scope swallows its own cancellation alone, so the time is over.
        raise self._late(call, limit)

    def _late(self, call: Call[Any], limit: float) -> ProviderTimeoutError:
        what = "first content" if call.operation is Operation.STREAM else "answer"
        error = ProviderTimeoutError(
            f"no {what} in time: {limit:g} s",
            limit=limit,
            provider=self.name,
            model=call.request.model or self.model.name,
            sent=None if limit > 0 else False,
        )
        call.journal.record(
            Attempt(
                outcome=Outcome.NOTED,
                provider=self.name,
                model=error.model,
                reason=error.message,
                error=type(error).__name__,
            )
        )
        error.journal = call.journal
        return error

    def _limit(self, call: Call[Any]) -> float | None:
        if call.operation is Operation.STREAM:
            reasoning = call.generation.reasoning_effort not in {None, "none"}
            return self._limits.content(reasoning=reasoning or bool(self.model.reasoning))
        return self._limits.total
