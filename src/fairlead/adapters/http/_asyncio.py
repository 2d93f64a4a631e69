"""The network under asyncio: one protocol, one future and one timer for each connection."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ENOUGH = 262_144
"""Bytes received and not yet read above which the peer has to wait."""


class AsyncioNetwork:
    """See `Network`."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time
        self.dial = connect

    @property
    def is_over(self) -> bool:
        return self.loop.is_closed()

    def run_in_loop(self, callback: Callable[..., object], *args: Any) -> None:
        if self._is_here() or not self.loop.is_running():
            callback(*args)
            return
        try:
            self.loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # it has been closed in the meantime
            callback(*args)

    def _is_here(self) -> bool:
        try:
            return asyncio.get_running_loop() is self.loop
        except RuntimeError:
            return False

    def call_at(self, when: float, callback: Callable[[], object]) -> Callable[[], object]:
        return self.loop.call_at(when, callback).cancel


class AsyncioTransport(asyncio.Protocol):
    """
    A TCP connection; see `Transport`.

    The timer is not reset for each wait: it is left running, and looks when it fires whether
    the wait that is then on has lasted too long.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        self._loop = loop
        self._socket = sock
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._until = inf
        self._timer: asyncio.TimerHandle | None = None
        self._is_reading = self._is_writable = True
        self._ended = False
        self._error: OSError | None = None

    @property
    def is_quiet(self) -> bool:
        transport = self._transport
        if transport is None or self._ended or self._buffer:
            return False
        return not transport.is_closing() and not transport.get_write_buffer_size()

    async def receive(self, max_bytes: int, until: float) -> bytes:
        buffer = self._buffer
        while not buffer:
            if self._error is not None:
                # Anew each time: one that has been raised keeps the frames that it passed.
                raise type(self._error)(*self._error.args)
            if self._ended:
                return b""
            await self._wait(until)
        data = bytes(buffer[:max_bytes])
        del buffer[:max_bytes]
        if not self._is_reading and self._transport is not None:
            self._is_reading = True
            self._transport.resume_reading()
        return data

    async def send(self, data: bytes, until: float) -> None:
        if self._transport is None or self._ended:
            return  # what the peer has said before it hung up may still be read
        self._transport.write(data)
        while not (self._is_writable or self._ended or self._buffer):
            await self._wait(until)

    async def _wait(self, until: float) -> None:
        if self._loop.time() >= until:  # a flood of bytes wakes each wait before its timer
            raise TimeoutError
        if until < inf and (self._timer is None or self._timer.when() > until):
            self._set_timer(until)
        self._until = until
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _set_timer(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() >= self._until:
            self._waiter.set_exception(TimeoutError())
        elif self._until < inf:
            self._set_timer(self._until)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def kill(self) -> None:
        self._error = self._error or ConnectionAbortedError("we closed the connection")
        self._ended = True
        self._buffer.clear()
        if self._transport is None:
            return
        if self._loop.is_closed():  # and calls nobody any more
            self._socket.close()
            return
        self._transport.abort()
        if self._timer is not None:
            self._timer.cancel()
        self._wake()

    # What asyncio calls:

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are not of that class.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > _ENOUGH and self._is_reading and self._transport is not None:
            self._is_reading = False
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(exc, OSError) and self._error is None:
            self._error = exc
            self._receive_rest()
        self._ended = True
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        self._wake()

    def _receive_rest(self) -> None:
        """Where sending failed, asyncio does not look whether the peer has said why."""
        with suppress(OSError):
            while data := self._socket.recv(_ENOUGH):
                self._buffer += data

    def pause_writing(self) -> None:
        self._is_writable = False

    def resume_writing(self) -> None:
        self._is_writable = True
        self._wake()


async def connect(host: str, port: int, until: float) -> AsyncioTransport:
    """
    Connect to the first address of *host* that answers, until a time of the loop's clock.

    Raises:
        TimeoutError: None did.
        OSError: The name cannot be resolved, or no address can be reached.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout_at(until if until < inf else None):
        addresses = await _resolve(loop, host, port)
        for left in range(len(addresses), 0, -1):
            family, address = addresses[-left]
            share = loop.time() + (until - loop.time()) / left if until < inf else None
            try:
                async with asyncio.timeout_at(share):
                    return await _connect_to(loop, family, address)
            except OSError:  # TimeoutError is one
                if left == 1:
                    raise
    raise AssertionError("getaddrinfo returns an address or raises")


async def _resolve(
    loop: asyncio.AbstractEventLoop, host: str, port: int
) -> Sequence[tuple[int, Any]]:
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [(family, address) for family, _, _, _, address in found]
    return [(socket.AF_INET if version == 4 else socket.AF_INET6, (host, port))]


async def _connect_to(
    loop: asyncio.AbstractEventLoop, family: int, address: Any
) -> AsyncioTransport:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = AsyncioTransport(loop, sock)
        await loop.create_connection(lambda: transport, sock=sock)
    except BaseException:
        sock.close()
        raise
    return transport
