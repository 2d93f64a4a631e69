"""Asks a second target when the first one is unusually slow."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from ..core.checks import check_function, check_kind, check_port
from ..core.effects import has_effects
from ..core.journal import Attempt, Outcome
from ..core.ports import RetryStore
from ..core.verdicts import Retry
from ._dispatch import Dispatcher
from ._race import Race
from ._targets import PassedOver
from ._tasks import TaskHost
from .hedging import Credit, HedgeOptions, Latencies

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from ..core.calls import Call, Operation, T
    from ..core.plans import Target
    from ..core.provider import LooseProvider, ProviderPort
    from ._dispatch import Step, Walk
    from ._race import Racer


class HedgeProvider(Dispatcher):
    """
    Asks a second target while the first, being slower than it nearly ever is, still works.

    Who answers first wins, a stream when it commits; the other is given up at once, and the
    journal shows what it cost. There is one hedge in a call at most, to the next target that was
    not asked yet, and only if nothing speaks against it: that target's circuit is closed, the
    quota for repeats and the share of hedged calls allow it, and the request has no effects at
    the vendor. A target that fails is followed by the next one, as by a `FallbackProvider`; when
    both racers have failed, the error is that of the first.

    Args:
        targets: Providers, in order; closed by `aclose()`.
        hedging: When a hedge is sent.
        quota: What it is paid from; the one that repeats at the targets are paid from. None is
            not paid for.
        safe: Overrides whether a request may be sent twice: True, False, or None to leave it.
        options: As for `FallbackProvider`.

    Raises:
        ConfigurationError: As for `FallbackProvider`.
    """

    NAME: ClassVar[str] = "hedge"
    OPTIONS: ClassVar[Mapping[str, Any]] = {"hedging": HedgeOptions(), **Dispatcher.OPTIONS}

    def __init__(
        self,
        targets: Sequence[ProviderPort | LooseProvider],
        /,
        *,
        hedging: HedgeOptions | None = None,
        quota: RetryStore | None = None,
        safe: Callable[[Call[Any]], bool | None] | None = None,
        **options: Any,
    ) -> None:
        check_kind("hedging", hedging, HedgeOptions)
        check_function("safe", safe)
        check_port("quota", quota, RetryStore)
        super().__init__(targets, **options)
        self._hedging = hedging or HedgeOptions()
        self._quota = quota
        self._safe = safe
        self._credit = Credit(self._hedging.max_share)
        self._latencies: dict[tuple[int, Operation], Latencies] = {}
        self._host = TaskHost()

    async def aclose(self) -> None:
        """End what is still running, and close all targets. Idempotent."""
        try:
            await self._host.aclose()
        finally:
            await super().aclose()

    def _ask(self, step: Step[T], walk: Walk[T]) -> Coroutine[Any, Any, T]:
        if not walk.failures:
            self._credit.earn()
        delay = self._delay(step, walk)
        return self._alone(step) if delay is None else self._raced(step, walk, delay)

    def _delay(self, step: Step[T], walk: Walk[T]) -> float | None:
        """Seconds after which a hedge may be sent; None if none is."""
        child, _, call = step
        usual = self._latency(child, call).quantile
        if usual is None or not self._credit.enough or walk.hedged:
            return None
        if walk.limit - call.journal.asked < 2 or walk.upcoming() is None:
            return None
        return max(self._hedging.delay, usual) if self._is_safe(walk.call) else None

    def _is_safe(self, call: Call[Any]) -> bool:
        wish = self._safe(call) if self._safe else None
        return not has_effects(call) if wish is None else wish

    def _latency(self, child: object, call: Call[Any]) -> Latencies:
        key = (id(child), call.operation)
        found = self._latencies.get(key)
        if found is None:
            options = self._hedging
            found = Latencies(options.quantile, options.minimum_samples)
            if len(self._latencies) < self.MAX_REMEMBERED:
                self._latencies[key] = found
        return found

    async def _alone(self, step: Step[T]) -> T:
        child, _, call = step
        began = call.now()
        result = await call.on(child)
        self._latency(child, call).add(call.now() - began)
        return result

    async def _raced(self, step: Step[T], walk: Walk[T], delay: float) -> T:
        """The result of whoever has one first."""
        race: Race[T] = Race(self._host, self._learn)
        try:
            first = race.enter(_capped(step))
            await race.wait(delay)
            if first.running and (hedge := self._hedge(race, walk, delay)) is not None:
                race.enter(_capped(hedge))
            while race.winner is None and race.running:
                await race.wait(None)
            return self._decided(race, walk)
        except BaseException:
            race.abandon()
            raise
        finally:
            race.forget()

    def _decided(self, race: Race[T], walk: Walk[T]) -> T:
        first, *others = race.racers
        for other in others:
            if other.error is not None:
                walk.failed_beside(other.target, other.error)
        winner = race.winner
        if winner is None:
            walk.target = first.target
            return first.result()
        walk.target = winner.target
        if winner is not first:
            if self._quota is not None and race.paid:
                with suppress(Exception):
                    self._quota.settle(race.paid)
            walk.passed_over.append(
                PassedOver.failed(first.target, first.error)
                if first.error is not None
                else PassedOver.told(f"{first.target.label} was slower")
            )
        return winner.result()

    def _learn(self, racer: Racer[Any], seconds: float) -> None:
        """Take note of how long it took; who was given up says something if that was long."""
        latency = self._latency(racer.child, racer.call)
        usual = latency.quantile
        if not racer.running or (usual is not None and seconds > usual):
            latency.add(seconds)

    def _hedge(self, race: Race[T], walk: Walk[T], delay: float) -> Step[T] | None:
        """The step to the next target, if nothing speaks against it; the journal says what."""
        coming = walk.upcoming()
        assert coming is not None  # or this were no race
        child, target = coming
        why = self._against(child, target, race, walk.call)
        slow = f"{race.racers[0].target.label} has not answered in {delay:.3g} s"
        walk.call.journal.record(
            Attempt(
                outcome=Outcome.NOTED,
                provider=target.provider,
                model=target.model.name,
                reason=f"hedged, as {slow}" if why is None else f"not hedged: {slow}, but {why}",
            )
        )
        if why is not None:
            return None
        walk.hedged = True
        return walk.following()

    def _against(
        self, child: object, target: Target, race: Race[Any], call: Call[Any]
    ) -> str | None:
        """What speaks against asking *target* now; if nothing does, it is paid for."""
        now = self._at_present(child, target, call)
        obstacle = target.obstacle or now.obstacle
        if obstacle is not None:
            return f"{target.label} is not to be asked: {obstacle}"
        if now.probes:
            return f"{target.label} is only just recovering"
        if call.deadline.remaining() == 0:
            return "no time is left"
        if not self._credit.enough:
            return f"{self._hedging.max_share:.0%} of all calls were hedged already"
        race.paid = self._pay()
        if race.paid is None:
            return "the quota for repeats is used up"
        self._credit.spend()
        return None

    def _pay(self) -> int | None:
        """What a hedge has cost; None if the quota has not so much."""
        with suppress(Exception):  # a store that fails never fails a call
            return 0 if self._quota is None else self._quota.reserve(Retry.TRANSIENT)
        return 0

    def _at_present(self, child: object, target: Target, call: Call[Any]) -> Target:
        """*target* as it would be planned now: much may have happened since it was."""
        parts = [part for other, part in self.plan(call).children if other is child]
        return next((each for part in parts for each in part if each.cannot is None), target)


def _capped(step: Step[T]) -> Step[T]:
    """*step* with one attempt less, so that two who look at the cap at once keep to it."""
    child, target, call = step
    assert call.attempt_limit is not None
    return child, target, call.with_(attempt_limit=call.attempt_limit - 1)
