"""The port between adapters and whatever library moves their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from ...wire.http import WireRequest, WireResponse


class WireStream(Protocol):
    """
    A response whose body is still arriving. One task reads it.

    Whoever holds one calls `abort()` or reads to the end and awaits `aclose()`.
    """

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]:
        """With names in lower case."""
        ...

    def now(self) -> float:
        """The running loop's clock, in seconds."""
        ...

    def read(self, within: float | None) -> Coroutine[Any, Any, bytes]:
        """
        The next bytes, decompressed; b"" at the end of the body.

        Args:
            within: Seconds from now after which it gives up; None waits for ever.

        Raises:
            ProviderTimeoutError: Nothing arrived *within* that time.
            ProviderConnectionError: The connection broke, or the body ended before its end.
            ResponseTooLargeError: More than the engine's limit has been received, as it came or
                decompressed.
        """
        ...

    def abort(self) -> None:
        """
        Close the connection now; a waiting `read()` fails. Idempotent.

        From any task or thread: where another thread runs the event loop, it closes it soon.
        """
        ...

    async def aclose(self) -> None:
        """
        Be done with it.

        The connection is kept if the body has been read to its end, which may still take up to
        0.1 s, else closed. Idempotent, and safe to cancel.
        """
        ...


class HttpEngine(Protocol):
    """
    Moves requests and responses over connections that it owns.

    Connections belong to the event loop that opened them; one engine serves any number of loops,
    one after the other, and any number of tasks of each. HTTP-library exceptions never leave it.
    Every call that raises, cancellation included, leaves no connection behind.
    """

    async def send(
        self, request: WireRequest, *, connect: float | None, within: float | None
    ) -> WireResponse:
        """
        Send *request* and read the whole response.

        Args:
            connect: Seconds to connect, TLS handshake included.
            within: Seconds for everything.

        Raises:
            ProviderTimeoutError: It took too long; `sent` says whether it had been sent.
            ProviderConnectionError: No connection, or it broke; `sent` likewise.
            CertificateError: The server's certificate could not be verified.
            RedirectRefusedError: The server redirects to another origin, or to nowhere.
            ResponseTooLargeError: The body is larger than allowed.
        """
        ...

    async def stream(
        self, request: WireRequest, *, connect: float | None, within: float | None
    ) -> WireStream:
        """Send *request* and read the head of the response, *within* seconds. Raises as `send`."""
        ...

    async def aclose(self) -> None:
        """Close all connections of the running loop, and drop those of loops that are gone."""
        ...
