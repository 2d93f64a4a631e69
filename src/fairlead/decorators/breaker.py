"""Keeps calls from a target that fails, and finds out when it no longer does."""

from __future__ import annotations

import random as _random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ..core.adapter import Adapter
from ..core.bounds import bounds_of
from ..core.calls import find
from ..core.checks import check_function, check_functions, check_kind, check_port
from ..core.errors import ProviderError
from ..core.journal import Attempt, Outcome
from ..core.ports import BreakerStore
from ..core.refusals import CircuitOpenError
from ..core.streams import GenerationStream
from ._base import Decorator
from .breakers import LocalBreakers
from .circuit import BreakerOptions, CircuitBreaker, Permit, State, Transition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..core.bounds import Bounds
    from ..core.calls import Call, Operation, T
    from ..core.outcomes import StreamOutcome
    from ..core.plans import Plan
    from ..core.provider import LooseProvider, ProviderPort


class CircuitBreakerProvider(Decorator):
    """
    Lets no call through to a target that fails, until a probe shows that it is well again.

    Each attempt votes once, a stream when it is closed. There is one breaker for each model that
    calls name, in common for all that ask the same vendor at the same endpoint and have the same
    *store*.

    Args:
        inner: What is asked.
        options: When a breaker opens and closes.
        counts: Overrides the verdict on what is a failure: True, False, or None to leave it.
        random: Numbers from 0 to 1, for the jitter.
        listeners: Are called with each `Transition`, synchronously.
        store: Where breakers are kept; each is as the first that asks for it wants it. By default
            in this object.

    Raises:
        CircuitOpenError: From `handle`, with `retry_after`; nothing was sent.
    """

    layer = "breaker"
    OPTIONS: ClassVar[Mapping[str, Any]] = {"options": BreakerOptions()}

    def __init__(
        self,
        inner: ProviderPort | LooseProvider,
        /,
        *,
        options: BreakerOptions | None = None,
        counts: Callable[[ProviderError], bool | None] | None = None,
        random: Callable[[], float] = _random.random,
        listeners: tuple[Callable[[Transition], None], ...] = (),
        store: BreakerStore[CircuitBreaker] | None = None,
    ) -> None:
        check_kind("options", options, BreakerOptions)
        check_function("counts", counts)
        check_port("store", store, BreakerStore)
        check_functions("listeners", listeners)
        super().__init__(inner)
        self._options = options or BreakerOptions()
        self._counts = counts
        self._random = random
        self._listeners = listeners
        self._own = LocalBreakers()
        self._store: BreakerStore[CircuitBreaker] = self._own if store is None else store
        adapter = find(self._inner, Adapter)
        self._prefix = f"{self.name} {(adapter and adapter.endpoint) or '-'} "

    def breaker(self, model: str | None = None) -> CircuitBreaker:
        """The breaker of *model*, by default that of the provider's own model."""
        return self._breaker(model or self.model.name)

    def _breaker(self, model: str | None, call: Call[Any] | None = None) -> CircuitBreaker:
        name = self._prefix + (model or "-")
        try:
            return self._store.get(name) or self._store.setdefault(name, self._made())
        except Exception as error:  # noqa: BLE001 - whatever it raises, the call goes on
            if call is not None:
                self._lost(call, error)
        return self._own.get(name) or self._own.setdefault(name, self._made())

    def _known(self, model: str | None) -> CircuitBreaker | None:
        name = self._prefix + (model or "-")
        try:
            return self._store.get(name)
        except Exception:  # noqa: BLE001 - a plan raises nothing; the call is going to tell
            return self._own.get(name)

    def _made(self) -> CircuitBreaker:
        return CircuitBreaker(self._options, random=self._random, listeners=self._listeners)

    def _lost(self, call: Call[Any], error: Exception) -> None:
        """The store has failed, which no call has to suffer for."""
        reason = f"the breaker store failed: {type(error).__name__}"
        call.journal.record(
            Attempt(
                outcome=Outcome.NOTED,
                provider=self.name,
                model=call.request.model or self.model.name,
                reason=reason,
            )
        )

    def plan(self, call: Call[Any]) -> Plan:
        """The inner plan, refusing where the breaker would."""
        plan = super().plan(call)
        breaker = self._known(self._model_of(call))
        if breaker is None or breaker.state is State.CLOSED:
            return plan
        wait = breaker.peek(call.now())
        if wait == 0:
            return plan.map(lambda target: replace(target, probes=True))
        refuses = f"the circuit is {breaker.state}"
        return plan.map(lambda target: replace(target, refuses=refuses, retry_after=wait))

    def bounds(self, operation: Operation) -> Bounds:
        """That of what it wraps."""
        return bounds_of(self._inner, operation)

    async def handle(self, call: Call[T]) -> T:
        """Make *call* if the breaker lets it through, and vote on what comes of it."""
        breaker = self._breaker(self._model_of(call), call)
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
        return call.refused(
            CircuitOpenError(
                f"the circuit is {breaker.state}: {self.name} {why}",
                provider=self.name,
                model=call.request.model or self.model.name,
                retry_after=breaker.peek(call.now()) or None,
                sent=False,
            )
        )
