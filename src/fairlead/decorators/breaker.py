"""Keeps calls from a target that fails, and finds out when it no longer does."""

from __future__ import annotations

import random as _random
from collections import OrderedDict, deque
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ..core.errors import CircuitOpenError, ConfigurationError, ProviderError
from ..core.journal import Attempt, Outcome
from ..core.streams import GenerationStream
from ._base import Decorator

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.calls import Call, T
    from ..core.plans import Plan
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.streams import StreamOutcome


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
        max_recovery_timeout: How long at most; the time doubles at each re-opening.
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
        for name in _COUNTS:
            if getattr(self, name) < 1:
                msg = f"{name} must be at least 1, not {getattr(self, name)}"
                raise ConfigurationError(msg)
        if not 0 <= self.jitter < 1:
            msg = f"jitter must be at least 0 and less than 1, not {self.jitter}"
            raise ConfigurationError(msg)
        if not 0 < self.failure_ratio <= 1:
            msg = f"failure_ratio must be more than 0 and at most 1, not {self.failure_ratio}"
            raise ConfigurationError(msg)
        for name in ("window", "recovery_timeout", "max_recovery_timeout", "permit_timeout"):
            if getattr(self, name) <= 0:
                msg = f"{name} must be more than 0 seconds, not {getattr(self, name)}"
                raise ConfigurationError(msg)


_COUNTS = ("failure_threshold", "minimum_calls", "half_open_permits", "successes_to_close")


@dataclass(frozen=True, slots=True)
class Permit:
    """
    Leave to make one call. Give it back once, with `CircuitBreaker.record` or `release`.

    `generation` counts transitions, so that what was begun before one says nothing after it.
    """

    generation: int
    probe: int | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """A breaker changed its state."""

    before: State
    after: State
    reason: str


class CircuitBreaker:
    """
    The state machine. It awaits nothing and knows no clock: *now* is handed in, in seconds.

    Args:
        options: When it opens and closes.
        random: Numbers from 0 to 1, for the jitter.
        listeners: Are called with each `Transition`, synchronously.
    """

    STEPS = 10

    def __init__(
        self,
        options: BreakerOptions | None = None,
        *,
        random: Callable[[], float] = _random.random,
        listeners: tuple[Callable[[Transition], None], ...] = (),
    ) -> None:
        self._options = options or BreakerOptions()
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
        seconds = min(doubled, options.max_recovery_timeout)
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


class CircuitBreakerProvider(Decorator):
    """
    Lets no call through to a target that fails, until a probe shows that it is well again.

    Each attempt votes once, a stream when it is closed. There is one breaker for each model that
    calls name.

    Args:
        inner: What is asked.
        options: When a breaker opens and closes.
        counts: Overrides the verdict on what is a failure: True, False, or None to leave it.
        random: Numbers from 0 to 1, for the jitter.
        listeners: Are called with each `Transition`, synchronously.

    Raises:
        CircuitOpenError: From `handle`, with `retry_after`; nothing was sent.
    """

    layer = "breaker"
    MAX_BREAKERS = 256

    def __init__(
        self,
        inner: ProviderPort | LooseProvider,
        /,
        *,
        options: BreakerOptions | None = None,
        counts: Callable[[ProviderError], bool | None] | None = None,
        random: Callable[[], float] = _random.random,
        listeners: tuple[Callable[[Transition], None], ...] = (),
    ) -> None:
        super().__init__(inner)
        self._options = options or BreakerOptions()
        self._counts = counts
        self._random = random
        self._listeners = listeners
        self._breakers: OrderedDict[str | None, CircuitBreaker] = OrderedDict()

    def breaker(self, model: str | None = None) -> CircuitBreaker:
        """The breaker of *model*, by default that of the provider's own model."""
        return self._breaker(model or self.model.name)

    def _breaker(self, model: str | None) -> CircuitBreaker:
        breaker = self._breakers.get(model)
        if breaker is not None:
            self._breakers.move_to_end(model)
            return breaker
        breaker = self._breakers[model] = CircuitBreaker(
            self._options, random=self._random, listeners=self._listeners
        )
        if len(self._breakers) > self.MAX_BREAKERS:
            self._breakers.popitem(last=False)
        return breaker

    def _model_of(self, call: Call[Any]) -> str | None:
        """The model that would answer *call*, however the call spells it."""
        asked = call.request.model
        if asked is None:
            return self.model.embedding_model if call.embeds else self.model.name
        for separator in ":/":
            asked = asked.removeprefix(self.name + separator)
        return asked

    def plan(self, call: Call[Any]) -> Plan:
        """The inner plan, refusing where the breaker would."""
        plan = super().plan(call)
        breaker = self._breakers.get(self._model_of(call))
        if breaker is None or breaker.state is State.CLOSED:
            return plan
        wait = breaker.peek(call.now())
        if wait == 0:
            return plan
        refuses = f"the circuit is {breaker.state}"
        return plan.map(lambda target: replace(target, refuses=refuses, retry_after=wait))

    async def handle(self, call: Call[T]) -> T:
        """Make *call* if the breaker lets it through, and vote on what comes of it."""
        breaker = self._breaker(self._model_of(call))
        permit = breaker.acquire(call.now())
        if permit is None:
            raise self._refusal(call, breaker)
        try:
            result = await call.on(self._inner)
        except ProviderError as error:
            self._vote(call, breaker, permit, error)
            raise
        except BaseException:
            breaker.release(permit)
            raise
        if isinstance(result, GenerationStream):
            # First content frees the probe's place; only the close of the stream votes.
            breaker.release(permit)

            def closed(outcome: StreamOutcome) -> None:
                if outcome.outcome is not Outcome.ABANDONED:
                    self._vote(call, breaker, permit, outcome.error)

            result.on_close(closed)
        else:
            breaker.record(permit, failed=False, now=call.now())
        return result

    def _vote(
        self,
        call: Call[Any],
        breaker: CircuitBreaker,
        permit: Permit,
        error: ProviderError | None,
    ) -> None:
        # First of all, as a predicate may raise.
        breaker.release(permit)
        if error is None:
            breaker.record(permit, failed=False, now=call.now())
            return
        wish = self._counts(error) if self._counts else None
        if error.verdict.counts if wish is None else wish:
            after = error.retry_after
            breaker.record(permit, failed=True, now=call.now(), retry_after=after)

    def _refusal(self, call: Call[Any], breaker: CircuitBreaker) -> CircuitOpenError:
        by_hand = breaker.state is State.ISOLATED
        why = "was taken out by hand" if by_hand else "has failed too often of late"
        error = CircuitOpenError(
            f"the circuit is {breaker.state}: {self.name} {why}",
            provider=self.name,
            model=call.request.model or self.model.name,
            retry_after=breaker.peek(call.now()) or None,
            sent=False,
        )
        call.journal.record(
            Attempt(
                outcome=Outcome.SKIPPED,
                provider=self.name,
                model=error.model,
                reason=error.message,
                error=type(error).__name__,
            )
        )
        error.journal = call.journal
        return error
