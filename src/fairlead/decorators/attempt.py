"""Gives one attempt an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..core.bounds import Bounds, bounds_of
from ..core.calls import Operation
from ..core.checks import check_kind
from ..core.limits import TimeLimits
from ._base import Decorator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.calls import Call, T
    from ..core.provider import LooseProvider, ProviderPort


class AttemptTimeoutProvider(Decorator):
    """
    Gives one attempt an end: the least of its own limit and what is left of the deadline.

    The limit is a value, as the deadline is: whoever asks a provider keeps it. A stream's opening
    is limited; how long it may fall silent afterwards is its adapter's to watch, as no policy
    iterates a stream.

    Args:
        inner: What is asked.
        limits: How long things may take.

    Raises:
        ProviderTimeoutError: From a call, when the time is over.
    """

    layer = "attempt"
    OPTIONS: ClassVar[Mapping[str, Any]] = {"limits": TimeLimits()}

    def __init__(
        self, inner: ProviderPort | LooseProvider, /, *, limits: TimeLimits | None = None
    ) -> None:
        check_kind("limits", limits, TimeLimits)
        super().__init__(inner)
        self._limits = limits or TimeLimits()

    def bounds(self, operation: Operation) -> Bounds:
        """That of what it wraps, over by the limit."""
        limit = self._limits.total
        if operation is Operation.STREAM:
            limit = self._limits.content(reasoning=bool(self.model.reasoning))
        return bounds_of(self._inner, operation).within(limit)

    async def handle(self, call: Call[T]) -> T:
        """Make *call*, in time."""
        limit, left = self._limit(call), call.deadline.remaining()
        if limit is not None and (left is None or limit < left):
            call = call.with_(deadline=call.deadline.within(limit))
        return await call.on(self._inner)

    def _limit(self, call: Call[Any]) -> float | None:
        if call.operation is Operation.STREAM:
            reasoning = call.generation.reasoning_effort not in {None, "none"}
            return self._limits.content(reasoning=reasoning or bool(self.model.reasoning))
        return self._limits.total
