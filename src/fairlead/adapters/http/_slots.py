"""Requests over connections of our own."""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import httpcore

from ._failures import Limits, Situation, translated
from ._network import running_loop, running_network
from ._pool import Pool, Route
from ._proxies import check_installed
from ._requests import encode
from ._stream import run, run_to_end

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable

    from ...wire.http import WireRequest
    from ._link import Link
    from ._network import Network
    from ._pool import PoolLimits, Slot
    from ._proxies import Proxies
    from ._tls import TlsSettings
    from .address import Address

_GONE = (httpcore.RemoteProtocolError, httpcore.NetworkError, OSError)
"""What using a connection that the server closed while it was idle leads to."""


class SlotExchange:
    """See `Exchange`."""

    def __init__(self, home: Home, slot: Slot, response: httpcore.Response, place: str) -> None:
        self._network = home.network
        self._pool = home.pool
        self._slot = slot
        self._response = response
        self._place = place
        assert isinstance(response.stream, AsyncIterable)
        self._body = slot.body = aiter(response.stream)

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Iterable[tuple[bytes, bytes]]:
        return self._response.headers

    @property
    def body(self) -> AsyncIterator[bytes]:
        return self._body

    @property
    def now(self) -> Callable[[], float]:
        return self._pool.now

    def wait_until(self, until: float) -> None:
        self._slot.link.until = until

    def situation(self, limit: float | None) -> Situation:
        return Situation(self._place, limit, has_ended=self._slot.link.ended)

    async def finish(self) -> None:
        await self._response.aclose()
        self._pool.release(self._slot)

    def abort(self, *, is_reading: bool = False) -> None:
        self._network.run_in_loop(self._pool.discard, self._slot)
        if not is_reading:
            self._network.run_in_loop(run_to_end, self._body)


class Home(NamedTuple):
    """The pool of an event loop."""

    network: Network
    pool: Pool
    guard: AsyncGenerator[None, None]
    """Ends together with the event loop, and closes the pool then."""

    def kill(self) -> None:
        """Close everything, without waiting, and raise nothing."""
        with suppress(Exception):
            run(self.guard.aclose())


class Slots:
    """Opens exchanges over slots, in one pool for each event loop."""

    def __init__(self, limits: PoolLimits, tls: TlsSettings, proxies: Proxies) -> None:
        self._limits = limits
        self._tls = tls
        self._proxies = proxies
        self._homes: dict[object, Home] = {}

    async def open(self, request: WireRequest, address: Address, limits: Limits) -> SlotExchange:
        """
        Send *request* and wait for the head of the response.

        A connection that turns out to have been closed by the server while it was idle is
        replaced, once, by a fresh one.
        """
        proxy = self._proxies.of(address.scheme, address.host, address.port)
        route = Route(address.scheme, address.host, address.port, proxy)
        place = address.place if proxy is None else f"{address.place} (by proxy {proxy.place})"
        message = encode(request, address)
        home = await self._home()
        pool = home.pool
        is_repeat = False
        while True:
            slot: Slot | None = None
            try:
                slot = await pool.acquire(route, limits.until, fresh=is_repeat)
                slot.link.begin(limits.until, limits.connect_until(pool.now()))
                response = await slot.connection.handle_async_request(message)
                if slot.is_used and not slot.link.received:
                    raise ConnectionResetError("a response came before its request")
                return SlotExchange(home, slot, response, place)
            except BaseException as error:
                if slot is not None:
                    pool.discard(slot)
                if not isinstance(error, Exception):
                    raise
                failure = error
            if slot is None or not _was_gone(slot, failure):
                # Out here, lest h11's complaint about a header, which quotes it, be the context.
                told = translated(failure, _situation(slot, place, limits))
                is_told = told is failure or isinstance(failure, httpcore.LocalProtocolError)
                raise told from (None if is_told else failure)
            is_repeat = True

    async def _home(self) -> Home:
        """That of the running event loop."""
        home = self._homes.get(running_loop())
        if home is None:
            self._sweep()
            network = running_network()
            pool = Pool(self._limits, network=network, build=self._build)
            home = Home(network, pool, self._until_loop_ends(network.loop, pool))
            self._homes[network.loop] = home
            await anext(home.guard)
        return home

    async def _until_loop_ends(self, loop: object, pool: Pool) -> AsyncGenerator[None, None]:
        # Event loops close the asynchronous generators begun in them before they end.
        try:
            yield
        finally:
            pool.kill()
            self._homes.pop(loop, None)

    def _sweep(self) -> None:
        """Close the connections of loops that have ended without closing their generators."""
        for home in [home for home in self._homes.values() if home.network.is_over]:
            home.pool.kill()
            del self._homes[home.network.loop]

    async def aclose(self) -> None:
        """Close the connections of the running loop, and those of loops that are gone."""
        self._sweep()
        if home := self._homes.get(running_loop()):
            await home.guard.aclose()

    def kill(self) -> list[str]:
        """Close everything, from any thread; the origins that connections were open to."""
        homes = list(self._homes.values())
        origins = [route.origin for home in homes for route in home.pool.open_routes]
        for home in homes:
            home.network.run_in_loop(home.kill)
        return origins

    def _build(self, route: Route, link: Link) -> httpcore.AsyncConnectionInterface:
        scheme, host, port, proxy = route
        origin = httpcore.Origin(scheme.encode(), host.encode(), port)
        context = self._tls.context if route.handshakes else None
        if proxy is None:
            return httpcore.AsyncHTTPConnection(origin, context, network_backend=link)
        url = httpcore.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port, target="/")
        if proxy.scheme.startswith("socks"):
            check_installed(proxy)
            return httpcore.AsyncSOCKSProxy(
                url, proxy.credentials, context, network_backend=link
            ).create_connection(origin)
        return httpcore.AsyncHTTPProxy(
            url,
            proxy.credentials,
            ssl_context=context,
            proxy_ssl_context=context if proxy.scheme == "https" else None,
            network_backend=link,
        ).create_connection(origin)


def _was_gone(slot: Slot, error: Exception) -> bool:
    """Whether the server had closed the connection before it saw the request."""
    link = slot.link
    gone = isinstance(error, _GONE) and not isinstance(error, TimeoutError)
    return gone and slot.is_used and not link.received


def _situation(slot: Slot | None, place: str, limits: Limits) -> Situation:
    if slot is None:
        return Situation(place, limits.within, is_queued=True, is_connected=False, is_sent=False)
    link = slot.link
    if not link.is_ready:
        return Situation(place, limits.of_connecting(), is_connected=False, is_sent=False)
    return Situation(place, limits.within, is_sent=link.sent, has_ended=link.ended)
