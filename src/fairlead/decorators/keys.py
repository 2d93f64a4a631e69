"""Which of several keys to ask with: a state machine without keys, which knows them by labels."""

from __future__ import annotations

from collections import OrderedDict
from enum import StrEnum
from math import inf, isfinite
from typing import TYPE_CHECKING, NamedTuple

from ..core.verdicts import KeyFate

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from ..core.ports import CooldownStore

PROBE_SECONDS = 60.0
"""After which a probe that nobody has heard of again no longer keeps others away."""


class KeyState(StrEnum):
    """Whether a key may be asked with."""

    READY = "ready"
    RESTING = "resting"
    """The vendor has limited how fast it may be used, and has said until when."""
    SPENT = "spent"
    """Its account has nothing left to spend, or is being tried again by another call."""
    DEAD = "dead"


class LocalCooldowns:
    """
    A `CooldownStore` in this process.

    It keeps *capacity* names; of more, those that are over soonest are forgotten.
    """

    __slots__ = ("_capacity", "_until")

    def __init__(self, *, capacity: int = 4096) -> None:
        self._capacity = capacity
        self._until: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._until)

    def until(self, name: str, /) -> float:
        """See `CooldownStore`."""
        return self._until.get(name, -inf)

    def rest(self, name: str, until: float, /) -> None:
        """See `CooldownStore`."""
        self._until[name] = max(self.until(name), until)
        if len(self._until) > self._capacity:
            del self._until[min(self._until, key=self._until.__getitem__)]

    def wake(self, name: str, /) -> None:
        """See `CooldownStore`."""
        below = f"{name}/"
        for known in [it for it in self._until if it == name or it.startswith(below)]:
            del self._until[known]

    def snapshot(self, now: float) -> dict[str, float]:
        """
        How many seconds from *now*, the event loop's time, what rests is to rest yet.

        What rests for good is left out: whoever has reloaded it would be told of it for ever.
        """
        left = {name: until - now for name, until in self._until.items()}
        return {name: seconds for name, seconds in left.items() if 0 < seconds < inf}

    def merge(self, others: Mapping[str, float], now: float) -> None:
        """Let rest what rests elsewhere, by another's `snapshot`, and no shorter than it does."""
        for name, seconds in others.items():
            self.rest(name, now + seconds)


class GuardedCooldowns:
    """
    A store that may fail: it knows of no cooldown then, and no call has to suffer for it.

    Args:
        store: That store.
        tell: Is told, once for each class of error.
    """

    def __init__(
        self, store: CooldownStore, tell: Callable[[str, Mapping[str, object]], None]
    ) -> None:
        self._store = store
        self._tell = tell
        self._told: set[type] = set()

    def until(self, name: str, /) -> float:
        """See `CooldownStore`."""
        try:
            return self._store.until(name)
        except Exception as error:  # noqa: BLE001 - whatever it raises, the call goes on
            self._lost(error)
            return -inf

    def rest(self, name: str, until: float, /) -> None:
        """See `CooldownStore`."""
        try:
            self._store.rest(name, until)
        except Exception as error:  # noqa: BLE001 - as above
            self._lost(error)

    def wake(self, name: str, /) -> None:
        """See `CooldownStore`."""
        try:
            self._store.wake(name)
        except Exception as error:  # noqa: BLE001 - as above
            self._lost(error)

    def _lost(self, error: Exception) -> None:
        if type(error) not in self._told:  # once of a kind: it may be asked in every call
            self._told.add(type(error))
            self._tell("the cooldown store failed", {"error": type(error).__name__})


class Lease(NamedTuple):
    """
    The right to ask once with the key at *place*.

    Args:
        place: Which of the keys.
        model: What for.
        generation: How often the keys had been reloaded before.
        probe: If it is to show whether the account may spend again: until when others keep away.
    """

    place: int
    model: str | None
    generation: int
    probe: float | None = None


class Cooldown(NamedTuple):
    """How many seconds a key, or its account, is not asked; `inf` is for good."""

    seconds: float
    is_new: bool
    """Whether it was asked until now."""


class _Key:
    __slots__ = ("account", "asked", "dead", "label", "refused")

    def __init__(self, vendor: str, label: str, account: str) -> None:
        self.label = label
        self.dead = f"{vendor}/key/{label}"
        self.account = f"{vendor}/account/{account}"
        self.asked = 0
        self.refused = 0

    def model(self, name: str | None) -> str:
        return f"{self.dead}/{name}"


class KeyPool:
    """
    Least recently used first; a key whose vendor limits it rests, one that is refused is dead.

    `now` is the event loop's time. A limit that came without an end is a guess: such a key is only
    passed over for better ones.

    Args:
        keys: Label and account of each.
        vendor: Whose they are, which sets them apart in a store that others use too.
        store: Where it is kept until when they rest.
        cooldown: Seconds that a key is passed over whose vendor did not say how long it is limited.
        quota_cooldown: Seconds that the keys of an account rest that has nothing left to spend.
    """

    def __init__(
        self,
        keys: Sequence[tuple[str, str]],
        *,
        vendor: str,
        store: CooldownStore,
        cooldown: float = 5.0,
        quota_cooldown: float = 900.0,
    ) -> None:
        self._vendor = vendor
        self._store = store
        self._guesses = LocalCooldowns()
        self._cooldown = cooldown
        self._quota_cooldown = quota_cooldown
        self._generation = 0
        self._take_up(keys)

    def _take_up(self, keys: Sequence[tuple[str, str]]) -> None:
        self._keys = [_Key(self._vendor, label, account) for label, account in keys]
        self._order = OrderedDict.fromkeys(range(len(keys)))

    @property
    def generation(self) -> int:
        """How often the keys were reloaded."""
        return self._generation

    def reload(self, keys: Sequence[tuple[str, str]]) -> None:
        """Begin anew with *keys*; what comes of calls from before says nothing about them."""
        known = self._keys
        self._generation += 1
        self._guesses = LocalCooldowns()
        self._take_up(keys)
        for name in {name for key in (*known, *self._keys) for name in (key.dead, key.account)}:
            self._store.wake(name)

    def state(self, place: int, model: str | None, now: float) -> tuple[KeyState, float]:
        """Whether the key at *place* may be asked for *model*, and when it may at the earliest."""
        key, store = self._keys[place], self._store
        if store.until(key.dead) > now:
            return KeyState.DEAD, inf
        resting, spent = store.until(key.model(model)), store.until(key.account)
        if spent > now and spent >= resting:
            return KeyState.SPENT, spent
        return (KeyState.RESTING, resting) if resting > now else (KeyState.READY, now)

    def soonest(
        self, model: str | None, now: float, but: Container[int] = ()
    ) -> tuple[KeyState, float | None]:
        """The best state of any key *but* some, and the seconds until that one may be asked."""
        best, least = KeyState.DEAD, inf
        for place in range(len(self._keys)):
            if place in but:
                continue
            state, until = self.state(place, model, now)
            if until < least:
                best, least = state, until
        return best, (least - now if isfinite(least) else None)

    def take(
        self,
        model: str | None,
        now: float,
        *,
        suits: Callable[[int], bool] = lambda _: True,
        but: Container[int] = (),
    ) -> Lease | None:
        """
        The key to ask with; None if none may be.

        Args:
            model: What for.
            now: The present.
            suits: Whether what stands behind the key at a place would let a call through; one
                that would not is the last choice.
            but: Not these.
        """
        guessed: tuple[float, int] | None = None
        unsuited: int | None = None
        for place in self._order:
            if place in but or self.state(place, model, now)[0] is not KeyState.READY:
                continue
            until = self._guesses.until(self._keys[place].model(model)) if self._guesses else -inf
            if not suits(place):
                unsuited = place if unsuited is None else unsuited
            elif until <= now:
                return self._lease(place, model, now)
            elif guessed is None or until < guessed[0]:
                guessed = until, place
        chosen = unsuited if guessed is None else guessed[1]
        return None if chosen is None else self._lease(chosen, model, now)

    def _lease(self, place: int, model: str | None, now: float) -> Lease:
        key = self._keys[place]
        key.asked += 1
        self._order.move_to_end(place)
        probe = None
        if self._store.until(key.account) > -inf:  # it was spent; this call finds out
            probe = now + PROBE_SECONDS
            self._store.rest(key.account, probe)
        return Lease(place, model, self._generation, probe)

    def holds(self, lease: Lease, now: float) -> bool:
        """Whether a call with it that has waited meanwhile is still worth sending."""
        if lease.generation != self._generation or self._probes(lease):
            return True
        return self.state(lease.place, lease.model, now)[0] not in {KeyState.DEAD, KeyState.SPENT}

    def settle(self, lease: Lease) -> None:
        """A call with it succeeded."""
        if self._probes(lease):
            self._store.wake(self._keys[lease.place].account)

    def release(self, lease: Lease, now: float) -> None:
        """A call with it came to nothing that says anything about the key."""
        if self._probes(lease):
            account = self._keys[lease.place].account
            self._store.wake(account)
            self._store.rest(account, now)  # the next call finds out

    def _probes(self, lease: Lease) -> bool:
        """Whether *lease* is the one that others of its account wait for."""
        if lease.probe is None or lease.generation != self._generation:
            return False
        return self._store.until(self._keys[lease.place].account) == lease.probe

    def record(
        self, lease: Lease, fate: KeyFate, now: float, retry_after: float | None = None
    ) -> Cooldown | None:
        """A call with it failed. What comes of that, if anything does."""
        if fate is not KeyFate.SPENT:
            self.release(lease, now)
        if fate is KeyFate.KEPT or lease.generation != self._generation:
            return None
        key = self._keys[lease.place]
        key.refused += 1
        if fate is KeyFate.RESTS:
            if not retry_after:
                self._guesses.rest(key.model(lease.model), now + self._cooldown)
                return Cooldown(self._cooldown, is_new=False)
            return self._rest(key.model(lease.model), retry_after, now)
        if fate is KeyFate.DEAD:
            return self._rest(key.dead, inf, now)
        return self._rest(key.account, max(self._quota_cooldown, retry_after or 0.0), now)

    def _rest(self, name: str, seconds: float, now: float) -> Cooldown:
        is_new = self._store.until(name) <= now
        self._store.rest(name, now + seconds)
        return Cooldown(seconds, is_new=is_new)

    def counts(self, place: int) -> tuple[int, int]:
        """How often the key at *place* was asked with, and how often it was turned down."""
        key = self._keys[place]
        return key.asked, key.refused
