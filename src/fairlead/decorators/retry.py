"""Asks the same target again when that makes sense."""

from __future__ import annotations

import random as _random
from typing import TYPE_CHECKING, Any, ClassVar

import anyio

from ..core.bounds import bounds_of
from ..core.checks import check_count, check_function, check_kind, check_port
from ..core.errors import ProviderError
from ..core.journal import Attempt, Outcome
from ..core.ports import RetryStore
from ..core.verdicts import Retry
from ._base import Decorator
from .backoff import Backoff
from .quota import RetryQuota

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..core.bounds import Bounds
    from ..core.calls import Call, Operation, T
    from ..core.provider import LooseProvider, ProviderPort


class RetryProvider(Decorator):
    """
    Repeats what failed for a passing reason, before anything was shown to a stream's reader.

    What is worth repeating is in the error's verdict; how long to wait is the vendor's word, or
    exponential back-off with full jitter. A wait that does not fit the deadline, or is longer
    than `longest_retry_after`, is not waited for: the error is raised with its `retry_after`.

    Each repeat is paid from a quota, before the wait. The cost of the last one comes back if it
    succeeds, and if the call is cancelled while it waits, as nothing was sent; a repeat that is
    cancelled on its way stays paid.

    Args:
        inner: What is asked.
        max_retries: Repeats, not counting the first attempt.
        backoff: How long to wait.
        retry_on: Overrides the verdict: True repeats, False does not, None leaves it.
        quota: What repeats are paid from; by default a `RetryQuota` of its own. Share one among
            all targets.
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
        quota: RetryStore | None = None,
        random: Callable[[], float] = _random.random,
    ) -> None:
        check_count("max_retries, which counts repeats,", max_retries, 0)
        check_kind("backoff", backoff, Backoff)
        check_function("retry_on", retry_on)
        check_port("quota", quota, RetryStore)
        super().__init__(inner)
        self._max_retries = max_retries
        self._backoff = backoff or Backoff()
        self._retry_on = retry_on
        self._quota: RetryStore = RetryQuota() if quota is None else quota
        self._random = random

    def bounds(self, operation: Operation) -> Bounds:
        """What it wraps comes to, with all repeats and the longest waits before them."""
        repeats = self._max_retries
        inside = bounds_of(self._inner, operation)
        return inside.repeated(repeats + 1, self._backoff.longest(repeats))

    async def handle(self, call: Call[T]) -> T:
        """Make *call*, and make it again while that makes sense."""
        repeat = 0
        resent = False
        paid = 0
        while True:
            try:
                result = await call.on(self._inner)
            except ProviderError as error:
                kind = self._kind(error)
                if kind is Retry.ONCE_IF_SENT and error.sent is not False:
                    if resent:
                        raise
                    resent = True
                if kind in _HOPELESS or repeat >= self._max_retries or not call.attempts_left:
                    raise
                wait = self._wait(call, error, kind, repeat)
                if wait is None or (cost := self._pay(call, kind)) is None:
                    raise
                paid = cost
                reason = f"{type(error).__name__}: {error.message}"
            else:
                try:
                    self._settle(call, paid)
                    return result
                finally:
                    # An earlier error's traceback leads here, and must not keep a stream open.
                    del result
            self._note(call, reason, Outcome.WAITED, wait)
            try:
                await anyio.sleep(wait)
            except BaseException:
                self._release(call, paid)
                raise
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
        asked = error.retry_after
        if asked is None:
            wait = self._backoff.delay(repeat, kind, self._random)
        elif asked > self._backoff.longest_retry_after:
            self._note(call, f"not repeated: {self.name} asks to wait for {asked:g} s")
            return None
        else:
            wait = self._backoff.after(asked, repeat, kind, self._random)
        shut = self._shut(call)
        if shut > wait:
            self._note(call, f"not repeated: {self.name} is not to be asked for {shut:.3g} s")
            return None
        left = call.deadline.remaining()
        if left is None or wait < left:
            return wait
        self._note(call, f"not repeated: {left:g} s are left, and the wait is {wait:g} s")
        return None

    def _shut(self, call: Call[T]) -> float:
        """Seconds for which nothing inside will let a call through, as a circuit now open."""
        plan = self._inner.plan(call)
        waits = [target.retry_after or 0.0 for target in plan if target.refuses]
        return min(waits) if waits and len(waits) == len(plan.targets) else 0.0

    def _pay(self, call: Call[T], kind: Retry) -> int | None:
        """What the repeat costs, which is paid; None if that is too much."""
        try:
            cost = self._quota.reserve(kind)
        except Exception as error:  # noqa: BLE001 - whatever it raises, the call goes on
            self._lost(call, error)
            return 0
        if cost is None:
            self._note(call, "not repeated: the retry quota is used up")
        return cost

    def _settle(self, call: Call[T], paid: int) -> None:
        try:
            self._quota.settle(paid)
        except Exception as error:  # noqa: BLE001 - whatever it raises, the call goes on
            self._lost(call, error)

    def _release(self, call: Call[T], paid: int) -> None:
        try:
            self._quota.release(paid)
        except Exception as error:  # noqa: BLE001 - whatever it raises, the call goes on
            self._lost(call, error)

    def _lost(self, call: Call[T], error: Exception) -> None:
        """The store has failed, which no call has to suffer for."""
        self._note(call, f"the retry store failed: {type(error).__name__}")

    def _note(
        self,
        call: Call[T],
        reason: str,
        outcome: Outcome = Outcome.NOTED,
        seconds: float = 0.0,
    ) -> None:
        call.journal.record(
            Attempt(
                outcome=outcome,
                provider=self.name,
                model=call.request.model or self.model.name,
                reason=reason,
                seconds=seconds,
            )
        )


_HOPELESS = frozenset({Retry.NEVER, Retry.NEXT_KEY})
