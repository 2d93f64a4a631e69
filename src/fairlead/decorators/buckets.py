"""How much may still be asked: token buckets, and the store that keeps them in this process."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.rates import Allowance, Amount, Rate, RateLimits, Rates

TICK = 1e-6
"""Seconds; what is due within so little is due: no clock here is finer after a day."""
MINUTE = 60.0


class TokenBucket:
    """
    The generic cell rate algorithm: one moment says it all, that at which the bucket is full.

    No lock and no clock of its own; whoever asks brings the present. More may be taken than is
    there, as for what turns out to be larger than was thought; then nobody gets any until that has
    flowed back.

    Args:
        per_second: How much flows in.
        capacity: How much it holds, and so how much may be had at once.
    """

    __slots__ = ("_full_at", "capacity", "per_second")

    def __init__(self, per_second: float, capacity: float) -> None:
        self.per_second: float = per_second
        self.capacity: float = capacity
        self._full_at = float("-inf")

    def level(self, now: float) -> float:
        """How much is in it; negative where too much was taken."""
        return self.capacity - max(self._full_at - now, 0.0) * self.per_second

    def wait(self, amount: float, now: float) -> float:
        """
        Seconds until *amount* is there, at least 0.

        For more than it holds: until so much has flowed in, as several need one after the other.
        """
        wait = (amount - self.capacity) / self.per_second
        if self._full_at > now:
            wait += self._full_at - now
        return wait if wait > TICK else 0.0

    def due(self, amount: float, now: float) -> float:
        """Seconds until *amount* is there, or as much as can ever be there at once."""
        wait = self._full_at - now
        if wait <= 0.0:  # it is full, as most are
            return 0.0
        if amount < self.capacity:
            wait -= (self.capacity - amount) / self.per_second
        return wait if wait > TICK else 0.0

    def take(self, amount: float, now: float) -> None:
        """Take *amount*, whether it is there or not; a negative one is put back."""
        self._full_at = max(self._full_at, now) + amount / self.per_second

    def overwrite(self, level: float, now: float) -> None:
        """Let it hold *level*, if it can hold so much."""
        self._full_at = now + max(self.capacity - level, 0.0) / self.per_second

    def retune(self, per_second: float, capacity: float, now: float) -> None:
        """Let it flow and hold otherwise from now on; what is missing stays missing."""
        missing = self.capacity - self.level(now)
        self.per_second, self.capacity = per_second, capacity
        self._full_at = now + missing / per_second

    def shift(self, seconds: float) -> None:
        """Follow a clock that was set by so much."""
        self._full_at += seconds


@dataclass(slots=True)
class _Kind:
    """What is kept for requests, or for tokens."""

    bucket: TokenBucket | None = None
    """None as long as no limit is known."""
    pending: int = 0
    """Reserved by calls that the vendor has not answered yet, and may not have counted."""

    def settle(self, reserved: int, used: int, now: float) -> None:
        # An account that was forgotten meanwhile knows of nothing that is on its way.
        self.pending = self.pending - reserved if reserved < self.pending else 0
        if used != reserved and self.bucket is not None:
            self.bucket.take(used - reserved, now)

    def shift(self, seconds: float) -> None:
        if self.bucket is not None:
            self.bucket.shift(seconds)

    def hear(self, own: Rate | None, told: Allowance, now: float, *, learn: bool) -> float:
        """
        Take over what the vendor tells; seconds for which nothing is to be had.

        What is on its way to the vendor is still to come off what it says is left.
        """
        if told.remaining is None or (own is None and not learn):
            return 0.0
        if own is None and told.limit:
            self._learn(told.limit, told, now)
        if self.bucket is not None:
            left: float = told.remaining - self.pending
            if own is not None and (told.limit is None or told.limit > own.capacity):
                # It counts something else, and can only say that less is left than we know of.
                left = min(left, self.bucket.level(now))
            self.bucket.overwrite(left, now)
        if told.remaining > 0 or told.reset is None:
            return 0.0
        # Of what comes back by and by, the first part; if nobody says of how much, the last.
        return told.reset / told.limit if told.limit else told.reset

    def _learn(self, limit: int, told: Allowance, now: float) -> None:
        per_second = limit / MINUTE
        gone = limit - (told.remaining or 0)
        # As resets are told in whole seconds, a pace is read off only if there is much to go by.
        if told.reset and gone > limit / 2:
            per_second = gone / told.reset
        if self.bucket is None:
            self.bucket = TokenBucket(per_second, limit)
        else:
            self.bucket.retune(per_second, limit, now)

    def empty(self, now: float) -> None:
        if self.bucket is not None:
            self.bucket.overwrite(min(self.bucket.level(now), 0.0), now)


@dataclass(slots=True)
class Account:
    """What is kept under one key."""

    requests: _Kind = field(default_factory=_Kind)
    tokens: _Kind = field(default_factory=_Kind)
    shut_until: float = float("-inf")
    seen: float = float("-inf")
    """When it was asked last."""

    def take(self, need: Amount, now: float) -> float:
        """Take *need* and return 0, or say how many seconds to wait."""
        if now < self.seen:
            self.follow(now)
        self.seen = now
        requests, tokens, many = self.requests, self.tokens, need[1]
        calls, words = requests.bucket, tokens.bucket
        wait = self.shut_until - now
        if calls is not None:
            wait = max(wait, calls.due(1, now))
        if many and words is not None:
            wait = max(wait, words.due(many, now))
        if wait > TICK:
            return wait
        requests.pending += 1
        if calls is not None:
            calls.take(1, now)
        if many:
            tokens.pending += many
            if words is not None:
                words.take(many, now)
        return 0.0

    def settle(self, reserved: Amount, used: Amount, now: float) -> None:
        """Correct what was *reserved* to what was *used*."""
        self.requests.settle(reserved[0], used[0], now)
        if reserved[1] or used[1]:
            self.tokens.settle(reserved[1], used[1], now)

    def shut(self, until: float) -> None:
        """Let nothing be had until then."""
        self.shut_until = max(self.shut_until, until)

    def follow(self, now: float) -> None:
        """Where a new event loop has a new clock, no time has passed."""
        back = now - self.seen
        self.requests.shift(back)
        self.tokens.shift(back)
        self.shut_until += back


class LocalRateStore:
    """
    Keeps rates in this process; several policies may share it. It never suspends.

    It keeps *most_keys* keys, and forgets the one that was asked for longest ago.
    """

    def __init__(self, *, most_keys: int = 1024) -> None:
        self._accounts: OrderedDict[str, Account] = OrderedDict()
        self._most_keys = most_keys

    async def reserve(self, key: str, rates: Rates, need: Amount, now: float, /) -> float:
        """As `take`. See `RateStore`."""
        return self.take(key, rates, need, now)

    def take(self, key: str, rates: Rates, need: Amount, now: float, /) -> float:
        """Take *need* and return 0, or say how many seconds to wait."""
        return self.account(key, rates).take(need, now)

    def peek(self, key: str, rates: Rates, need: Amount, now: float, /) -> float:
        """Seconds until so much can be had, one after the other. See `RateStore`."""
        account = self.account(key, rates)
        if now < account.seen:
            account.follow(now)
            account.seen = now
        waits = [max(account.shut_until - now, 0.0)]
        for kind, amount in ((account.requests, need.requests), (account.tokens, need.tokens)):
            if kind.bucket is not None:
                waits.append(kind.bucket.wait(amount, now))
        return max(waits)

    def settle(self, key: str, reserved: Amount, used: Amount, now: float, /) -> None:
        """Correct what was *reserved* to what was *used*. See `RateStore`."""
        account = self._accounts.get(key)
        if account is not None:
            account.settle(reserved, used, now)

    def observe(
        self,
        key: str,
        rates: Rates,
        told: RateLimits | None,
        now: float,
        /,
        *,
        empty_for: float | None = None,
    ) -> None:
        """Note what the vendor has told. See `RateStore`."""
        account = self.account(key, rates)
        if told is not None:
            for kind, own, said in (
                (account.requests, rates.requests, told.requests),
                (account.tokens, rates.tokens, told.tokens),
            ):
                if said is not None:
                    account.shut(now + kind.hear(own, said, now, learn=rates.learn))
        if empty_for is not None:
            account.requests.empty(now)
            account.tokens.empty(now)
            account.shut(now + empty_for)

    def account(self, key: str, rates: Rates) -> Account:
        """What is kept under *key*; who has it may use it as long as it wants."""
        account = self._accounts.get(key)
        if account is not None:
            self._accounts.move_to_end(key)
            return account
        account = self._accounts[key] = Account()
        for kind, rate in ((account.requests, rates.requests), (account.tokens, rates.tokens)):
            if rate is not None:
                kind.bucket = TokenBucket(*rate)
        if len(self._accounts) > self._most_keys:
            self._accounts.popitem(last=False)
        return account
