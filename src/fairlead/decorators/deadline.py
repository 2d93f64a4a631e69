"""Gives a call an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..core.bounds import Bounds, bounds_of
from ..core.calls import Operation
from ..core.checks import check_seconds
from ..core.errors import ProviderError, ProviderTimeoutError
from ..core.refusals import DeadlineExceededError
from ._base import Decorator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.calls import Call, T
    from ..core.provider import LooseProvider, ProviderPort


class DeadlineProvider(Decorator):
    """
    Gives a call an end, over all attempts and targets.

    The deadline is a value: attempts and waits cut themselves at it. What fails because it is
    over becomes `DeadlineExceededError`. The option `timeout` brings it forward.

    Args:
        inner: What is asked.
        total: Seconds for `generate` and `embed*`; None is no end. Streams have none, as the
            time that their reader takes does not count; their opening has *opening*.
        opening: Seconds until a stream commits; None is no end.

    Raises:
        ConfigurationError: A time makes no sense.
    """

    layer = "deadline"
    OPTIONS: ClassVar[Mapping[str, Any]] = {"total": None, "opening": None}

    def __init__(
        self,
        inner: ProviderPort | LooseProvider,
        /,
        *,
        total: float | None = 600.0,
        opening: float | None = None,
    ) -> None:
        for name, seconds in (("total", total), ("opening", opening)):
            if seconds is not None:
                check_seconds(name, seconds, infinite=True)
        super().__init__(inner)
        self._total = total
        self._opening = opening

    def bounds(self, operation: Operation) -> Bounds:
        """That of what it wraps, over by the deadline."""
        streams = operation is Operation.STREAM
        inside = bounds_of(self._inner, operation)
        return inside.within(self._opening if streams else self._total)

    async def handle(self, call: Call[T]) -> T:
        """Make *call*, by its deadline."""
        streams = call.operation is Operation.STREAM
        if call.options.timeout is None:
            call.deadline.tighten(self._opening if streams else self._total)
        try:
            return await call.on(self._inner)
        except ProviderError as error:
            if call.deadline.remaining() != 0 or not _is_timeout(error):
                raise
            raise _exceeded(call, error) from error


def _exceeded(call: Call[Any], error: ProviderError) -> DeadlineExceededError:
    exceeded = DeadlineExceededError(
        f"the time for the whole call is over; at last: {error.message}",
        provider=error.provider,
        model=error.model,
        sent=call.journal.asked > 0,
    )
    exceeded.journal = call.journal
    return exceeded


def _is_timeout(error: ProviderError) -> bool:
    """Whether *error* came of a limit of time, here or at any of several targets."""
    errors = getattr(error, "errors", ())
    return isinstance(error, ProviderTimeoutError) or any(map(_is_timeout, errors))
