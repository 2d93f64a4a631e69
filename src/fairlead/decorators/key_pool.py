"""Asks one vendor with several keys."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, ClassVar

from ..core.bounds import Bounds, bounds_of
from ..core.checks import check_function, check_port, check_seconds
from ..core.closing import Closable
from ..core.errors import (
    AuthenticationError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
)
from ..core.journal import Attempt, Outcome
from ..core.plans import Plan
from ..core.ports import CooldownStore, EventLog
from ..core.verdicts import KeyFate
from ._base import Policy
from ._pooled import PoolKey, check_alike, fingerprint, pooled
from .keys import GuardedCooldowns, KeyPool, KeyState, Lease, LocalCooldowns

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from ..core.adapt import Node
    from ..core.calls import Call, Operation, T
    from ..core.messages import Prompt
    from ..core.models import ModelInfo
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.results import TokenCount

__all__ = ["KeyPoolProvider", "KeyStatus", "PoolKey", "fingerprint"]

logger: logging.Logger = logging.getLogger("fairlead.key_pool")
logger.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatus:
    """
    How a key does at present.

    Args:
        label: What it is called.
        state: Whether it may be asked with.
        retry_after: Seconds until it may; None if it may, or will not by itself.
        asked: How often it was asked with since it was loaded.
        refused: How often the vendor turned it down: limited, spent or not accepted.
    """

    label: str
    state: KeyState
    retry_after: float | None
    asked: int
    refused: int


class KeyPoolProvider(Policy):
    """
    Asks one vendor with several keys, the least recently used first; one target to all outside.

    What becomes of a key is in the error's verdict. One that is not accepted (401, 403) is dead
    until `reload()`, and the next is asked at once; so it is when an account has nothing left to
    spend, whose keys rest for a quarter of an hour and are then tried by one call. A key that is
    limited (429) rests until the vendor's limit is reset, for that model: the error is raised, and
    the repeat, after its back-off, finds another key.

    Args:
        keys: One provider for each key, or a `PoolKey`; all of the same vendor and model. They
            are closed by `aclose()`.
        cooldown: Seconds that a key is passed over for others if the vendor limits it and does not
            say for how long (LiteLLM: 5).
        quota_cooldown: Seconds that the keys of an account rest that has nothing left to spend.
        next_key: Overrides the verdict: True asks the next key, False lets the key be and raises,
            None leaves it.
        store: Where it is kept until when keys rest. By default in this object.
        log: Where it is told that a key is no longer asked; by default the standard logger
            `fairlead.key_pool`.

    Raises:
        ConfigurationError: There are no keys, they are not those of one target, or an option
            makes no sense.
        AuthenticationError: From a call: all keys are dead.
        QuotaExceededError: From a call: their accounts have nothing left, with `retry_after`.
        RateLimitError: From a call: all rest, with the least `retry_after`; nothing was sent.
    """

    layer = "key-pool"
    OPTIONS: ClassVar[Mapping[str, Any]] = {"cooldown": 5.0, "quota_cooldown": 900.0}

    def __init__(
        self,
        keys: Sequence[PoolKey | ProviderPort | LooseProvider],
        /,
        *,
        cooldown: float = 5.0,
        quota_cooldown: float = 900.0,
        next_key: Callable[[ProviderError], bool | None] | None = None,
        store: CooldownStore | None = None,
        log: EventLog | None = None,
    ) -> None:
        check_seconds("cooldown", cooldown)
        check_seconds("quota_cooldown", quota_cooldown)
        check_function("next_key", next_key)
        check_port("store", store, CooldownStore)
        check_port("log", log, EventLog)
        self._keys, self._targets = pooled(keys)
        self._cooldown = cooldown
        self._quota_cooldown = quota_cooldown
        self._next_key = next_key
        self._log = log
        self._last: tuple[type[ProviderError], str, dict[str, Any]] | None = None
        self._pool = KeyPool(
            self._keys,
            vendor=self.name,
            store=LocalCooldowns() if store is None else GuardedCooldowns(store, self._tell),
            cooldown=cooldown,
            quota_cooldown=quota_cooldown,
        )

    def __repr__(self) -> str:
        return self._built_of(list(self._targets))

    @property
    def targets(self) -> tuple[Node, ...]:
        """The providers, one for each key."""
        return self._targets

    @property
    def name(self) -> str:
        """The vendor's name."""
        return self._targets[0].name

    @property
    def model(self) -> ModelInfo:
        """The model that all of them ask."""
        return self._targets[0].model

    def count_tokens(self, text: str | Prompt) -> TokenCount:
        """The first provider's count."""
        return self._targets[0].count_tokens(text)

    def status(self, model: str | None = None) -> tuple[KeyStatus, ...]:
        """How each key does, for *model*, in the running loop; by default for their own model."""
        now = self.clock()()
        found: list[KeyStatus] = []
        for place, (label, _) in enumerate(self._keys):
            state, until = self._pool.state(place, model or self.model.name, now)
            wait = until - now if state is not KeyState.READY and isfinite(until) else None
            asked, refused = self._pool.counts(place)
            status = KeyStatus(
                label=label, state=state, retry_after=wait, asked=asked, refused=refused
            )
            found.append(status)
        return tuple(found)

    def reload(
        self, keys: Sequence[PoolKey | ProviderPort | LooseProvider] | None = None
    ) -> tuple[Node, ...]:
        """
        Try all keys again that are dead, spent or resting, or take up others in their stead.

        Returns:
            The providers that are no longer asked. They are the caller's to close, once the calls
            that run with them are over.

        Raises:
            ConfigurationError: As when it was built, and nothing has changed.
        """
        before = self._targets
        if keys is not None:
            names, targets = pooled(keys)
            check_alike((before[0], *targets))
            self._keys, self._targets = names, targets
        self._last = None
        self._pool.reload(self._keys)
        return tuple(each for each in before if not any(each is it for it in self._targets))

    def plan(self, call: Call[Any]) -> Plan:
        """That of a key which would be asked; if there is none, when there will be."""
        model, now = self._model_of(call), call.now()
        found: Plan | None = None
        for place, target in enumerate(self._targets):
            if self._pool.state(place, model, now)[0] is KeyState.READY:
                plan = target.plan(call)
                if not plan.obstacles:
                    return _alone(plan)
                found = found or plan
        if found is not None:
            return _alone(found)
        state, wait = self._pool.soonest(model, now)
        plan = _alone(self._targets[0].plan(call))
        refuses = _WHY[state]
        return plan.map(lambda target: replace(target, refuses=refuses, retry_after=wait))

    def bounds(self, operation: Operation) -> Bounds:
        """Each key once."""
        return Bounds.joining([bounds_of(target, operation) for target in self._targets])

    async def handle(self, call: Call[T]) -> T:
        """Make *call* with one key, and with the next if that one is not accepted."""
        pool, model = self._pool, self._model_of(call)
        lease = self._take(call, model, ())
        if lease is None:
            raise self._refusal(call, model)
        tried = {lease.place}
        while True:
            try:
                result = await self._leased(call, lease).on(self._targets[lease.place])
            except ProviderError as error:
                following = self._following(call, lease, error, tried)
                if following is None:
                    raise
                lease = following
            except BaseException:
                pool.release(lease, call.now())
                raise
            else:
                pool.settle(lease)
                return result

    async def aclose(self) -> None:
        """Close the providers of all keys. Idempotent."""
        async with AsyncExitStack() as stack:
            for target in self._targets:
                if isinstance(target, Closable):
                    stack.push_async_callback(target.aclose)

    def _leased(self, call: Call[T], lease: Lease) -> Call[T]:
        """*call*, which goes on from where it may have to wait only while *lease* is of use."""
        return call.with_(holds=lambda: self._pool.holds(lease, call.now()))

    def _take(self, call: Call[Any], model: str | None, but: Container[int]) -> Lease | None:
        return self._pool.take(
            model,
            call.now(),
            suits=lambda place: not self._targets[place].plan(call).obstacles,
            but=but,
        )

    def _following(
        self, call: Call[Any], lease: Lease, error: ProviderError, tried: set[int]
    ) -> Lease | None:
        """The next key, if *error* is worth one. What it says of this one is written down."""
        wish = self._wish(call, lease, error)
        fate = KeyFate.KEPT if wish is False else error.verdict.key
        withdrawn = error.sent is False and not self._pool.holds(lease, call.now())
        if lease.generation != self._pool.generation:
            tried.clear()
        self._record(call, lease, fate, error)
        if fate is KeyFate.RESTS:
            self._hasten(call, lease, error, tried)
        if wish is None:
            wish = withdrawn or fate in _MOVES_ON
        if not wish or not call.attempts_left:
            return None
        following = self._take(call, lease.model, tried)
        if following is not None:
            tried.add(following.place)
            return following
        state, _ = self._pool.soonest(lease.model, call.now())
        if withdrawn or (state in _REFUSALS and state is not _PASSES.get(fate)):
            raise self._refusal(call, lease.model) from error
        return None

    def _wish(self, call: Call[Any], lease: Lease, error: ProviderError) -> bool | None:
        try:
            return self._next_key(error) if self._next_key else None
        except BaseException:
            self._pool.release(lease, call.now())
            raise

    def _record(self, call: Call[Any], lease: Lease, fate: KeyFate, error: ProviderError) -> None:
        """Write down what becomes of the key that *error* came of."""
        cooldown = self._pool.record(lease, fate, call.now(), error.retry_after)
        if cooldown is None:
            return
        label, account = self._keys[lease.place]
        what = f"account {account}" if fate is KeyFate.SPENT else f"key {label}"
        span = "until it is reloaded" if cooldown.seconds == inf else f"for {cooldown.seconds:g} s"
        reason = f"{what} is not asked {span}: {type(error).__name__}"
        self._note(call, Outcome.NOTED, reason)
        if fate is KeyFate.DEAD:
            self._last = _facts(error)
        if cooldown.is_new and fate in _MOVES_ON:
            self._tell("a key is no longer asked", {"provider": self.name, "reason": reason})

    def _hasten(
        self, call: Call[Any], lease: Lease, error: ProviderError, tried: Container[int]
    ) -> None:
        """Let *error*, which one key has to wait for, be repeated when another may be asked."""
        state, wait = self._pool.soonest(lease.model, call.now(), tried)
        if state is KeyState.READY:
            error.retry_after = None
        elif wait is not None and error.retry_after is not None:
            error.retry_after = min(error.retry_after, wait)

    def _refusal(self, call: Call[Any], model: str | None) -> ProviderError:
        """The error for a call that no key may be asked with."""
        state, wait = self._pool.soonest(model, call.now())
        kind, facts = _REFUSALS.get(state, AuthenticationError), dict[str, Any]()
        message = f"no key of {self.name} can be asked: {_WHY[state]}"
        if state is KeyState.DEAD and self._last is not None:
            kind, said, facts = self._last
            message += f"; the last was refused with: {said}"
        error = kind(
            message,
            provider=self.name,
            model=call.request.model or self.model.name,
            retry_after=wait,
            sent=False,
            **facts,
        )
        self._note(call, Outcome.SKIPPED, message, error)
        error.journal = call.journal
        return error

    def _note(
        self,
        call: Call[Any],
        outcome: Outcome,
        reason: str,
        error: ProviderError | None = None,
    ) -> None:
        call.journal.record(
            Attempt(
                outcome=outcome,
                provider=self.name,
                model=call.request.model or self.model.name,
                reason=reason,
                error=None if error is None else type(error).__name__,
                misconfigured=error is not None and error.verdict.misconfigured,
            )
        )

    def _tell(self, event: str, fields: Mapping[str, object]) -> None:
        if self._log is None:
            logger.warning("%s: %s", event, "; ".join(map(str, fields.values())))
        else:
            self._log.record("warning", event, fields)


_MOVES_ON = frozenset({KeyFate.DEAD, KeyFate.SPENT})
_PASSES = {KeyFate.RESTS: KeyState.RESTING, KeyFate.SPENT: KeyState.SPENT}
_WHY = {
    KeyState.RESTING: "the vendor limits how fast they may be used",
    KeyState.SPENT: "their accounts have spent what they may spend",
    KeyState.DEAD: "the vendor does not accept them, and nobody has reloaded them",
}
_REFUSALS: dict[KeyState, type[ProviderError]] = {
    KeyState.RESTING: RateLimitError,
    KeyState.SPENT: QuotaExceededError,
}


def _facts(error: ProviderError) -> tuple[type[ProviderError], str, dict[str, Any]]:
    """What is kept of the error that a key is dead by; not itself, as its traceback holds much."""
    denied = isinstance(error, PermissionDeniedError)
    facts = {"status_code": error.status_code, "code": error.code, "request_id": error.request_id}
    return PermissionDeniedError if denied else AuthenticationError, error.message, facts


def _alone(plan: Plan) -> Plan:
    """*plan* as that of one target: which key leads to it is decided when it is asked."""
    return Plan(plan.targets) if plan.children else plan
