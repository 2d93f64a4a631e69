"""Requests over a user's own `httpx.AsyncClient`."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING

import anyio
import httpx
import sniffio

from ._failures import Limits, Situation, translated
from ._network import running_network
from ._requests import encoded_headers
from ._stream import run, run_to_end

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from ...wire.http import WireRequest
    from .address import Address


class ClientExchange:
    """See `Exchange`."""

    def __init__(self, response: httpx.Response, place: str) -> None:
        self._response = response
        self._place = place
        self._body = _TimedBody(response.aiter_raw())
        self._network = running_network()
        self._library = sniffio.current_async_library()
        self._closing: asyncio.Task[None] | None = None

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Iterable[tuple[bytes, bytes]]:
        return self._response.headers.raw

    @property
    def body(self) -> AsyncIterator[bytes]:
        return self._body

    @property
    def now(self) -> Callable[[], float]:
        return anyio.current_time

    def wait_until(self, until: float) -> None:
        self._body.until = until

    def situation(self, limit: float | None) -> Situation:
        return Situation(self._place, limit)

    async def finish(self) -> None:
        await self._response.aclose()

    def abort(self, *, is_reading: bool = False) -> None:
        # Only the socket can be closed without waiting.
        with suppress(Exception):
            stream = self._response.extensions["network_stream"]
            stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        if not is_reading:  # else the failing read closes the response
            self._network.run_in_loop(self._close)

    def _close(self) -> None:
        """Tell the client's pool."""
        with suppress(Exception):
            if self._library == "trio":
                import trio

                trio.lowlevel.spawn_system_task(self._close_in_task)
            elif asyncio.current_task() is None:
                self._closing = asyncio.create_task(self._close_in_task())
            else:
                # All that it awaits are checkpoints, which can be passed over under asyncio.
                run(self._response.aclose())
                run_to_end(self._body)

    async def _close_in_task(self) -> None:
        self._body.until = 0.0
        with suppress(Exception):  # httpx's generators end well only by an error from below
            while True:
                await anext(self._body)
        with suppress(Exception):
            await self._response.aclose()


class _TimedBody:
    def __init__(self, raw: AsyncIterator[bytes]) -> None:
        self._raw = raw
        self.until = inf

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        with anyio.fail_after(self.until - anyio.current_time()):
            return await anext(self._raw)


class ClientExchanges:
    """
    Opens exchanges with a client, which stays its owner's.

    Stock clients lose connections of their pool when asyncio cancels a call; that is why this
    is not how the engine works by itself.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def open(self, request: WireRequest, address: Address, limits: Limits) -> ClientExchange:
        """Send *request* and wait for the head of the response."""
        message = self._client.build_request(
            request.method,
            f"{address.origin}{address.target}",
            headers=encoded_headers(request, address),
            content=request.body,
            timeout=httpx.Timeout(None, connect=limits.connect),
        )
        try:
            with anyio.fail_after(limits.until - anyio.current_time()):
                response = await self._client.send(message, stream=True, follow_redirects=False)
        except Exception as error:  # noqa: BLE001  translated below
            failure = error
        else:
            return ClientExchange(response, address.place)
        connected = not isinstance(failure, (httpx.ConnectError, httpx.ConnectTimeout))
        limit = limits.within if connected else limits.of_connecting()
        at = Situation(address.place, limit, is_connected=connected, is_sent=connected)
        # Raised out here, as h11's complaint about a header quotes the header.
        cause = None if isinstance(failure, httpx.LocalProtocolError) else failure
        raise translated(failure, at) from cause

    async def aclose(self) -> None:
        """Nothing: the client is not ours."""

    def kill(self) -> list[str]:
        """Nothing: the client is not ours."""
        return []
