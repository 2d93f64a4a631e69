"""The way to a peer as one HTTP connection sees it: dials, keeps time limits, and can be cut."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import httpcore

from ._tls import TlsTransport

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterable

_LARGE = 65_536
"""Bytes that are not worth holding back in order to send fewer packets."""


class Transport(Protocol):
    """Bytes to and from a peer. Only one task waits on it at a time."""

    @property
    def is_quiet(self) -> bool:
        """
        Whether nothing is on its way.

        The peer has been sent everything, and has neither hung up nor sent what nobody has
        received.
        """
        ...

    async def receive(self, max_bytes: int, until: float) -> bytes:
        """
        What has arrived; b"" at the end. Nothing is lost when this is cancelled.

        Raises:
            TimeoutError: Nothing arrived until then, by the event loop's clock.
            OSError: The connection broke, or was killed.
        """
        ...

    async def send(self, data: bytes, until: float) -> None:
        """
        Send, waiting while too much is on its way and the peer says nothing.

        If it does, or the connection breaks, `receive` has it; what has not been sent by then
        is sent while one waits there.

        Raises:
            TimeoutError: As in `receive`.
        """
        ...

    def kill(self) -> None:
        """
        Close now, without waiting; a waiting task fails. Idempotent, and raises nothing.

        In the thread of the event loop, or after its end.
        """
        ...


Dial: TypeAlias = "Callable[[str, int, float], Awaitable[Transport]]"
"""Connects to a host and port until a time; leaves nothing open when it raises."""


class Link(httpcore.AsyncNetworkBackend, httpcore.AsyncNetworkStream):
    """
    Both the network and the stream of one HTTP connection.

    Args:
        dial: How to connect.
        handshakes: How many TLS handshakes make the way to the origin ready.
    """

    def __init__(self, dial: Dial, *, handshakes: int) -> None:
        self._dial = dial
        self._handshakes = handshakes
        self._transport: Transport | None = None
        self._outgoing: list[bytes] = []
        self.killed = False
        self.begin(inf)

    def begin(self, until: float, connect_until: float = inf) -> None:
        """Start an exchange, which may wait until then."""
        self.until = until
        self.connect_until = connect_until
        """When connecting, handshakes and a proxy's consent included, has to be over."""
        self.sent = False
        """Whether anything of the request has gone to the origin."""
        self.received = False
        """Whether anything of the response has come."""
        self.ended = False
        """Whether the peer has hung up."""

    @property
    def is_ready(self) -> bool:
        """Whether the way to the origin is open."""
        return self._transport is not None and not self._handshakes

    @property
    def is_quiet(self) -> bool:
        """Whether the connection can serve a further exchange, as far as one can see."""
        return self._transport is not None and not self.killed and self._transport.is_quiet

    def kill(self) -> None:
        """Close now. Idempotent, from any task of the loop, and raises nothing."""
        self.killed = True
        if self._transport is not None:
            self._transport.kill()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self._transport = await self._dial(host, port, self.connect_until)
        if self.killed:
            self._transport.kill()
        return self

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        tls = TlsTransport(self._connected, ssl_context, server_hostname)
        await tls.handshake(self.connect_until)
        self._transport = tls
        self._handshakes -= 1
        return self

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        until = self.connect_until if self._handshakes else self.until
        if self._outgoing:
            await self._flush(until)
        data = await self._connected.receive(max_bytes, until)
        if not data:
            self.ended = True
        elif not self._handshakes:
            self.received = True
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # Nobody waits for an answer before reading, so head and body can travel together.
        self._outgoing.append(buffer)
        if len(buffer) >= _LARGE:
            await self._flush(self.until)

    async def _flush(self, until: float) -> None:
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        self.sent = not self._handshakes
        await self._connected.send(data, until)

    @property
    def _connected(self) -> Transport:
        assert self._transport is not None  # httpcore connects before anything else
        return self._transport

    async def aclose(self) -> None:
        self.kill()

    def get_extra_info(self, info: str) -> Any:
        return not self.is_quiet if info == "is_readable" else None
