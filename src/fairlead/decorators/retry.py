"""Asks the same target again when that makes sense."""

from __future__ import annotations

import random as _random
from typing import TYPE_CHECKING, Any, ClassVar

import anyio

from ..core.checks import check_count, check_function, check_kind
from ..core.errors import ProviderError
from ..core.journal import Attempt, Outcome
from ..core.verdicts import Retry
from ._base import Decorator
from .backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..core.calls import Call, T
    from ..core.provider import LooseProvider, ProviderPort


class RetryProvider(Decorator):
    """
    Repeats what failed for a passing reason, before anything was shown to a stream's reader.

    What is worth repeating is in the error's verdict; how long to wait is the vendor's word, or
    exponential back-off with full jitter. A wait that does not fit the deadline, or is longer
    than `longest_retry_after`, is not waited for: the error is raised with its `retry_after`.

    Args:
        inner: What is asked.
        max_retries: Repeats, not counting the first attempt.
        backoff: How long to wait.
        retry_on: Overrides the verdict: True repeats, False does not, None leaves it.
        random: Numbers from 0 to 1, for the jitter.

    Raises:
        ConfigurationError: An option makes no sense.
    """

    layer = "retry"
    OPTIONS: ClassVar[Mapping[str, Any]] = {"max_retries": None, "backoff": Backoff()}

    def __init__(
        self,
        inner: ProviderPort | LooseProvider,
        /,
        *,
        max_retries: int = 2,
        backoff: Backoff | None = None,
        retry_on: Callable[[ProviderError], bool | None] | None = None,
        random: Callable[[], float] = _random.random,
    ) -> None:
        check_count("max_retries, which counts repeats,", max_retries, 0)
        check_kind("backoff", backoff, Backoff)
        check_function("retry_on", retry_on)
        super().__init__(inner)
        self._max_retries = max_retries
        self._backoff = backoff or Backoff()
        self._retry_on = retry_on
        self._random = random

    async def handle(self, call: Call[T]) -> T:
        """Make *call*, and make it again while that makes sense."""
        repeat = 0
        resent = False
        while True:
            try:
                return await call.on(self._inner)
            except ProviderError as error:
                kind = self._kind(error)
                if kind is Retry.ONCE_IF_SENT and error.sent is not False:
                    if resent:
                        raise
                    resent = True
                if kind in _HOPELESS or repeat >= self._max_retries or not call.attempts_left:
                    raise
                wait = self._wait(call, error, kind, repeat)
                if wait is None:
                    raise
                reason = f"{type(error).__name__}: {error.message}"
            call.journal.record(
                Attempt(
                    outcome=Outcome.WAITED,
                    provider=self.name,
                    model=call.request.model or self.model.name,
                    reason=reason,
                    seconds=wait,
                )
            )
            await anyio.sleep(wait)
            repeat += 1

    def _kind(self, error: ProviderError) -> Retry:
        kind = error.verdict.retry
        wish = self._retry_on(error) if self._retry_on else None
        if wish is None:
            return kind
        if not wish:
            return Retry.NEVER
        return kind if kind is Retry.THROTTLED else Retry.TRANSIENT

    def _wait(self, call: Call[T], error: ProviderError, kind: Retry, repeat: int) -> float | None:
        """Seconds to wait; None if that is too long."""
        if error.retry_after is None:
            wait = self._backoff.delay(repeat, kind, self._random)
        elif error.retry_after > self._backoff.longest_retry_after:
            return None
        else:
            wait = self._backoff.after(error.retry_after, repeat, kind, self._random)
        left = call.deadline.remaining()
        return wait if left is None or wait < left else None


_HOPELESS = frozenset({Retry.NEVER, Retry.NEXT_KEY})
