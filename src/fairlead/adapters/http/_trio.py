"""The network under trio."""

from __future__ import annotations

import socket
from math import inf
from typing import cast

import httpcore
import trio


class TrioTransport:
    """A TCP connection; see `Transport`."""

    __slots__ = ("_socket", "_stream")

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._socket: trio.socket.SocketType = stream.get_extra_info("socket")

    @property
    def is_quiet(self) -> bool:
        return self._socket.fileno() != -1 and not self._socket.is_readable()

    async def receive(self, max_bytes: int, until: float) -> bytes:
        return await self._stream.read(max_bytes, _seconds(until))

    async def send(self, data: bytes, until: float) -> None:
        await self._stream.write(data, _seconds(until))

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


def _seconds(until: float) -> float | None:
    return None if until == inf else max(0.0, until - trio.current_time())
