"""
Connections of one event loop, each in a slot that one call at a time uses alone.

httpcore's own pool looks at all its connections for each request, and loses some when asyncio
cancels a task. Here taking and returning cost the same however many there are, and giving a
slot up is one synchronous call.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import anyio

from ._link import Link
from .address import Address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpcore

    from ._network import Network
    from ._proxies import Proxy


class Route(NamedTuple):
    """What a connection is good for."""

    scheme: str
    host: str
    port: int
    proxy: Proxy | None

    @property
    def handshakes(self) -> int:
        """How many times TLS is negotiated on the way."""
        return (self.scheme == "https") + (self.proxy is not None and self.proxy.scheme == "https")

    @property
    def origin(self) -> str:
        """Scheme, host and port of the origin."""
        return Address(self.scheme, self.host, self.port, "").origin


@dataclass(eq=False, slots=True)
class Slot:
    """One connection, which need not have been opened yet."""

    route: Route
    link: Link
    connection: httpcore.AsyncConnectionInterface
    expires_at: float = -inf
    """By the event loop's clock, set whenever it becomes idle."""
    body: AsyncIterator[bytes] | None = None
    """Held where it is no garbage while it is in use: trio warns of a generator that is."""

    @property
    def is_used(self) -> bool:
        """Whether an earlier call has been made over its connection."""
        return self.expires_at > -inf


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """How many connections may be open and idle, and for how many seconds the latter."""

    max_connections: int
    max_idle: int
    keepalive_expiry: float


class _Waiter:
    __slots__ = ("granted", "wake")

    def __init__(self) -> None:
        self.granted = False
        self.wake = anyio.Event()


class Pool:
    """
    Hands out slots, and keeps those that are idle.

    Args:
        limits: How many connections.
        network: The event loop's.
        build: Makes the HTTP connection of a route over a link.
    """

    def __init__(
        self,
        limits: PoolLimits,
        *,
        network: Network,
        build: Callable[[Route, Link], httpcore.AsyncConnectionInterface],
    ) -> None:
        self.now = network.now
        self._limits = limits
        self._network = network
        self._build = build
        self._permits = limits.max_connections
        self._is_closed = False
        self._waiters: OrderedDict[_Waiter, None] = OrderedDict()
        self._busy: set[Slot] = set()
        self._idle: OrderedDict[Slot, None] = OrderedDict()
        """Coldest first."""
        self._free: dict[Route, deque[Slot]] = {}
        """The same slots by route, coldest first."""
        self._cancel_timer: Callable[[], object] | None = None

    @property
    def is_closed(self) -> bool:
        """Whether it has been killed."""
        return self._is_closed

    @property
    def open_connections(self) -> int:
        """How many slots there are, in use and idle."""
        return len(self._busy) + len(self._idle)

    @property
    def open_routes(self) -> list[Route]:
        """Where the slots lead, in use and idle."""
        return [slot.route for slot in (*self._busy, *self._idle)]

    async def acquire(self, route: Route, until: float, *, fresh: bool = False) -> Slot:
        """
        Take a slot for *route*, first come, first served.

        Whoever gets it gives it back by `release` or `discard`.

        Args:
            route: Where to.
            until: When waiting for one is over.
            fresh: Take none whose connection is open already.

        Raises:
            TimeoutError: All were in use until then.
            ConnectionError: The pool has been closed.
        """
        if self._permits:
            self._permits -= 1
        else:
            await self._wait(until)
        try:
            if self._is_closed:
                raise ConnectionAbortedError("the engine was closed")
            slot = (None if fresh else self._warm(route)) or self._new(route)
        except BaseException:
            self._return_permit()
            raise
        self._busy.add(slot)
        return slot

    async def _wait(self, until: float) -> None:
        waiter = _Waiter()
        self._waiters[waiter] = None
        self._grant()  # a stream may have been collected just now
        try:
            with anyio.fail_after(until - self.now()):
                await waiter.wake.wait()
        except BaseException:
            if waiter.granted:
                self._return_permit()
            self._waiters.pop(waiter, None)
            raise

    def _return_permit(self) -> None:
        self._permits += 1
        self._grant()

    def _grant(self) -> None:
        while self._permits and self._waiters:
            self._permits -= 1
            waiter, _ = self._waiters.popitem(last=False)
            waiter.granted = True
            waiter.wake.set()

    def _warm(self, route: Route) -> Slot | None:
        free = self._free.get(route, ())
        now = self.now()
        while free:
            slot = free[-1]
            self._forget(slot)
            if slot.link.is_quiet and slot.expires_at > now:
                return slot
            slot.link.kill()
        return None

    def _new(self, route: Route) -> Slot:
        while self._idle and self.open_connections >= self._limits.max_connections:
            self._drop_coldest()
        link = Link(self._network.dial, handshakes=route.handshakes)
        return Slot(route, link, self._build(route, link))

    def release(self, slot: Slot) -> None:
        """Give back a slot whose exchange has ended as it should."""
        if self._is_closed or not slot.connection.is_idle() or not slot.link.is_quiet:
            self.discard(slot)
        elif slot in self._busy:
            self._busy.remove(slot)
            slot.expires_at = self.now() + self._limits.keepalive_expiry
            self._idle[slot] = None
            self._free.setdefault(slot.route, deque()).append(slot)
            if len(self._idle) > self._limits.max_idle:
                self._drop_coldest()
            if self._cancel_timer is None:
                self._set_timer()
            self._return_permit()

    def discard(self, slot: Slot) -> None:
        """Close the connection of a slot and give back its permit. Idempotent, synchronous."""
        slot.link.kill()
        if slot in self._busy:
            self._busy.remove(slot)
            self._return_permit()

    def _set_timer(self) -> None:
        when = next(iter(self._idle)).expires_at if self._idle else inf
        if when < inf:
            self._cancel_timer = self._network.call_at(when, self._drop_expired)

    def _drop_expired(self) -> None:
        self._cancel_timer = None
        now = self.now()
        while self._idle and next(iter(self._idle)).expires_at <= now:
            self._drop_coldest()
        self._set_timer()

    def _drop_coldest(self) -> None:
        slot = next(iter(self._idle))
        self._forget(slot)
        slot.link.kill()

    def _forget(self, slot: Slot) -> None:
        del self._idle[slot]
        free = self._free[slot.route]
        # Slots leave at either end: the warmest for use, the coldest to be closed.
        _ = free.pop() if free[-1] is slot else free.popleft()
        if not free:
            del self._free[slot.route]

    def kill(self) -> None:
        """Close everything; calls in progress fail. Final, idempotent, synchronous."""
        self._is_closed = True
        if self._cancel_timer is not None:
            self._cancel_timer()
        while self._idle:
            self._drop_coldest()
        for slot in tuple(self._busy):
            self.discard(slot)
