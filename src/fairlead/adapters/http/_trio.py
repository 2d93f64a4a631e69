"""The network under trio."""

from __future__ import annotations

import socket
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any, cast

import httpcore
import trio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_BROKEN = (OSError, trio.ClosedResourceError)


class TrioNetwork:
    """See `Network`."""

    is_over = False

    def __init__(self) -> None:
        self.loop = trio.lowlevel.current_trio_token()
        self.now = trio.current_time
        self.dial = connect

    def run_in_loop(self, callback: Callable[..., object], *args: Any) -> None:
        if self._is_here():
            callback(*args)
            return
        try:
            self.loop.run_sync_soon(callback, *args)
        except trio.RunFinishedError:
            callback(*args)

    def _is_here(self) -> bool:
        try:
            return trio.lowlevel.current_trio_token() is self.loop
        except RuntimeError:
            return False

    def call_at(self, when: float, callback: Callable[[], object]) -> Callable[[], object]:
        scope = trio.CancelScope()

        async def wait() -> None:
            with scope, suppress(Exception):  # it would end the whole run
                await trio.sleep_until(when)
                callback()

        trio.lowlevel.spawn_system_task(wait)
        return scope.cancel


class TrioTransport:
    """A TCP connection; see `Transport`."""

    __slots__ = ("_socket", "_stream", "_unsent")

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._socket: trio.socket.SocketType = stream.get_extra_info("socket")
        self._unsent = memoryview(b"")

    @property
    def is_quiet(self) -> bool:
        is_open = self._socket.fileno() != -1
        return is_open and not self._unsent and not self._socket.is_readable()

    async def receive(self, max_bytes: int, until: float) -> bytes:
        await self._send_rest(until)
        return await self._stream.read(max_bytes, _seconds(until))

    async def send(self, data: bytes, until: float) -> None:
        if self._unsent:
            self._unsent = memoryview(bytes(self._unsent) + data)
        else:
            self._unsent = memoryview(data)
            await _within(until, self._send_some)
        await self._send_rest(until)

    async def _send_some(self) -> None:
        sent = await self._socket.send(self._unsent)
        self._unsent = self._unsent[sent:]

    async def _send_rest(self, until: float) -> None:
        """Send what is left, until the peer says something."""
        if self._unsent:
            await _within(until, self._send_until_answered)

    async def _send_until_answered(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._wait_for_answer, nursery.cancel_scope)
            with suppress(*_BROKEN):
                while self._unsent:
                    await self._send_some()
            nursery.cancel_scope.cancel()

    async def _wait_for_answer(self, sending: trio.CancelScope) -> None:
        with suppress(*_BROKEN):
            await trio.lowlevel.wait_readable(self._socket)
        sending.cancel()

    def kill(self) -> None:
        try:
            self._socket.close()
        except RuntimeError:  # outside of the run that opened it
            if self._socket.fileno() != -1:
                socket.close(self._socket.detach())


async def connect(host: str, port: int, until: float) -> TrioTransport:
    """Connect until a time of trio's clock; raises as httpcore's backend does."""
    # httpcore leaves open what it is where trio is not installed.
    network = cast("httpcore.AsyncNetworkBackend", httpcore.TrioBackend())
    return TrioTransport(await network.connect_tcp(host, port, _seconds(until)))


async def _within(until: float, send: Callable[[], Awaitable[None]]) -> None:
    """Send until then; where the connection breaks, what the peer has said may still be read."""
    with trio.CancelScope(deadline=until) as scope, suppress(*_BROKEN):
        await send()
    if scope.cancelled_caught:
        raise TimeoutError


def _seconds(until: float) -> float | None:
    return None if until == inf else max(0.0, until - trio.current_time())
