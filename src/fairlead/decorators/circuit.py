"""What a circuit breaker is: a state machine, and `call` for functions that are no providers."""

from __future__ import annotations

import random as _random
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar, cast

from ..core.checks import check_count, check_number, check_seconds
from ..core.errors import ProviderError
from ..core.refusals import CircuitOpenError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

P = ParamSpec("P")
R = TypeVar("R")


class State(StrEnum):
    """What a breaker does with calls."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
    ISOLATED = "isolated"
    """Open by hand, until it is closed by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerOptions:
    """
    When a breaker opens and closes. Durations are in seconds.

    Args:
        failure_threshold: Counted failures in a row that open it.
        failure_ratio: Share of failures in the window that opens it.
        minimum_calls: Calls in the window below which the ratio says nothing.
        window: How far back the ratio looks, in 10 steps.
        recovery_timeout: How long it stays open the first time.
        max_recovery_timeout: How long at most, as the time doubles at each re-opening; but never
            shorter than *recovery_timeout*.
        jitter: Share by which that time varies either way.
        half_open_permits: Calls at a time while half-open.
        successes_to_close: Successes while half-open that close it.
        permit_timeout: How long a permit that is not given back stays taken.
    """

    failure_threshold: int = 5
    failure_ratio: float = 0.5
    minimum_calls: int = 10
    window: float = 60.0
    recovery_timeout: float = 30.0
    max_recovery_timeout: float = 300.0
    jitter: float = 0.1
    half_open_permits: int = 1
    successes_to_close: int = 2
    permit_timeout: float = 60.0

    def __post_init__(self) -> None:
        for name in ("failure_threshold", "minimum_calls", "half_open_permits"):
            check_count(name, getattr(self, name), 1)
        check_count("successes_to_close", self.successes_to_close, 1)
        less_than_one = "at least 0 and less than 1"
        check_number("jitter", self.jitter, less_than_one, lambda it: 0 <= it < 1)
        share = "more than 0 and at most 1"
        check_number("failure_ratio", self.failure_ratio, share, lambda it: 0 < it <= 1)
        for name in ("window", "recovery_timeout", "max_recovery_timeout", "permit_timeout"):
            check_seconds(name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class Permit:
    """
    Leave to make one call. Give it back once, with `CircuitBreaker.record` or `release`.

    `generation` counts transitions, so that what was begun before one says nothing after it.
    """

    generation: int
    probe: int | None = None


class Standing(NamedTuple):
    """
    What an open breaker tells others that ask the same target.

    Args:
        seconds: For how long it stays open.
        openings: How often it has opened without closing in between.
    """

    seconds: float
    openings: int


@dataclass(frozen=True, slots=True)
class Transition:
    """A breaker changed its state."""

    before: State
    after: State
    reason: str


class CircuitBreaker:
    """
    The state machine. It awaits nothing and knows no clock: *now* is handed in, in seconds.

    `call` alone looks at a clock, and is for functions; providers stand in a
    `CircuitBreakerProvider`.

    Args:
        options: When it opens and closes.
        failure_threshold: As in *options*, and instead of what stands there.
        recovery_timeout: Likewise.
        clock: Tells `call` the present, in seconds.
        random: Numbers from 0 to 1, for the jitter.
        listeners: Are called with each `Transition`, synchronously.

    Raises:
        ConfigurationError: An option makes no sense.
    """

    STEPS = 10

    def __init__(
        self,
        options: BreakerOptions | None = None,
        *,
        failure_threshold: int | None = None,
        recovery_timeout: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = _random.random,
        listeners: tuple[Callable[[Transition], None], ...] = (),
    ) -> None:
        own = {"failure_threshold": failure_threshold, "recovery_timeout": recovery_timeout}
        given: dict[str, Any] = {name: value for name, value in own.items() if value is not None}
        self._options = replace(options or BreakerOptions(), **given)
        self._clock = clock
        self._random = random
        self._listeners = listeners
        self._state = State.CLOSED
        self._generation = 0
        self._permit = Permit(0)
        self._row = 0
        self._window: deque[_Step] = deque()
        self._opened = 0
        self._open_until = 0.0
        self._probes: dict[int, float] = {}
        self._next_probe = 0
        self._successes = 0

    @property
    def state(self) -> State:
        """Its state as of the last call; an open one turns half-open when it is next asked."""
        return self._state

    def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """
        What *function* gives, if the circuit lets it be called; how that ends is counted.

        Of a function that gives an awaitable, what this gives is awaited likewise, and its end is
        what counts. A `ProviderError` is a failure where its verdict says so, and every other
        exception is one; cancellation says nothing.

        Raises:
            CircuitOpenError: It was not called; `retry_after` says when it may be.
        """
        permit = self.acquire(self._clock())
        if permit is None:
            msg = f"the circuit is {self._state}: the calls before have failed too often"
            after = self.peek(self._clock()) or None
            raise CircuitOpenError(msg, retry_after=after, sent=False)
        with self._voting(permit):
            result = function(*args, **kwargs)
        if isawaitable(result):
            return cast("R", self._awaited(result, permit))
        self.record(permit, failed=False, now=self._clock())
        return result

    async def _awaited(self, result: Awaitable[R], permit: Permit) -> R:
        with self._voting(permit):
            value = await result
        self.record(permit, failed=False, now=self._clock())
        return value

    @contextmanager
    def _voting(self, permit: Permit) -> Generator[None, None, None]:
        """Count what is raised."""
        try:
            yield
        except BaseException as error:
            self.release(permit)
            verdict = isinstance(error, Exception)
            after = None
            if isinstance(error, ProviderError):
                verdict, after = error.verdict.counts, error.retry_after
            if verdict:
                self.record(permit, failed=True, now=self._clock(), retry_after=after)
            raise

    def peek(self, now: float) -> float | None:
        """Seconds until a permit may be had, as far as is known; 0 is now, None is unknown."""
        if self._state is State.CLOSED:
            return 0.0
        if self._state is State.ISOLATED:
            return None
        if self._state is State.OPEN:
            return max(self._open_until - now, 0.0)
        timeout = self._options.permit_timeout
        live = sum(now - at < timeout for at in self._probes.values())
        return 0.0 if live < self._options.half_open_permits else None

    def acquire(self, now: float) -> Permit | None:
        """Leave to make a call; None if there is none at present."""
        if self._state is State.CLOSED:
            return self._permit
        if self._state is State.OPEN and now >= self._open_until:
            self._change(State.HALF_OPEN, "the recovery timeout is over")
        if self._state is not State.HALF_OPEN:
            return None
        timeout = self._options.permit_timeout
        self._probes = {key: at for key, at in self._probes.items() if now - at < timeout}
        if len(self._probes) >= self._options.half_open_permits:
            return None
        self._next_probe += 1
        self._probes[self._next_probe] = now
        return Permit(self._generation, self._next_probe)

    def record(
        self, permit: Permit, *, failed: bool, now: float, retry_after: float | None = None
    ) -> None:
        """
        Give *permit* back with a verdict.

        Args:
            permit: What `acquire` gave.
            failed: Whether the target failed.
            now: The present.
            retry_after: The target's word on when it will be well again; opens for that long,
                but not for longer than `max_recovery_timeout`.
        """
        self.release(permit)
        if permit.generation != self._generation:
            return
        if self._state is State.CLOSED:
            self._count(now, retry_after, failed=failed)
        elif failed:
            self._open(now, "a probe failed", retry_after)
        else:
            self._successes += 1
            if self._successes >= self._options.successes_to_close:
                self._opened = 0
                self._change(State.CLOSED, f"{self._successes} probes succeeded")

    def release(self, permit: Permit) -> None:
        """Give *permit* back without a verdict: cancelled, or nothing learnt. Idempotent."""
        if permit.probe is not None:
            self._probes.pop(permit.probe, None)

    def snapshot(self, now: float) -> Standing | None:
        """What others should know of it, if it is open for a while yet."""
        left = self._open_until - now
        if self._state is not State.OPEN or left <= 0:
            return None
        return Standing(left, self._opened)

    def merge(self, other: Standing, now: float) -> None:
        """
        Open for as long as *other* is, which asks the same target, if that is longer.

        That another lets calls through says nothing: it may not have tried of late. Nor does it
        end an isolation.
        """
        options = self._options
        longest = max(options.max_recovery_timeout, options.recovery_timeout) * (1 + options.jitter)
        until = now + min(other.seconds, longest)
        if self._state is State.ISOLATED or not other.seconds > 0:
            return
        self._opened = max(self._opened, other.openings)
        if self._state is State.OPEN:
            self._open_until = max(self._open_until, until)
        else:
            self._open_until = until
            self._change(State.OPEN, "another has found it failing")

    def isolate(self) -> None:
        """Let nothing through until `close()`."""
        self._change(State.ISOLATED, "by hand")

    def close(self) -> None:
        """Let everything through, and forget what was."""
        self._opened = 0
        self._change(State.CLOSED, "by hand")

    def _count(self, now: float, retry_after: float | None, *, failed: bool) -> None:
        options = self._options
        length = options.window / self.STEPS
        while self._window and self._window[0].at <= now - options.window:
            self._window.popleft()
        if not self._window or now - self._window[-1].at >= length:
            self._window.append(_Step(now))
        self._window[-1].calls += 1
        if not failed:
            self._row = 0
            return
        self._row += 1
        self._window[-1].failures += 1
        calls = sum(step.calls for step in self._window)
        failures = sum(step.failures for step in self._window)
        if self._row >= options.failure_threshold:
            self._open(now, f"{self._row} failures in a row", retry_after)
        elif calls >= options.minimum_calls and failures >= calls * options.failure_ratio:
            self._open(now, f"{failures} of {calls} calls failed", retry_after)

    def _open(self, now: float, reason: str, retry_after: float | None) -> None:
        options = self._options
        # More doublings than this are capped anyway, and a float overflows.
        doubled = options.recovery_timeout * 2.0 ** min(self._opened, 64)
        seconds = min(doubled, max(options.max_recovery_timeout, options.recovery_timeout))
        seconds *= 1 + options.jitter * (2 * self._random() - 1)
        self._opened += 1
        asked = min(retry_after or 0.0, options.max_recovery_timeout)
        self._open_until = now + max(seconds, asked)
        self._change(State.OPEN, reason)

    def _change(self, state: State, reason: str) -> None:
        before, self._state = self._state, state
        self._generation += 1
        self._permit = Permit(self._generation)
        self._row = self._successes = 0
        self._window.clear()
        self._probes.clear()
        for listener in self._listeners:
            listener(Transition(before, state, reason))


@dataclass(slots=True)
class _Step:
    at: float
    calls: int = 0
    failures: int = 0
