"""The default engine: httpcore, which is the lower half of httpx, over slots of our own."""

from __future__ import annotations

import os
import warnings
from math import inf
from typing import TYPE_CHECKING

import anyio

from ...core.errors import ProviderError, RedirectRefusedError
from ...wire.http import ERROR, WireResponse
from ._failures import Limits
from ._options import check_count, check_flag, check_seconds, check_type
from ._pool import PoolLimits
from ._proxies import Proxies
from ._requests import MAX_REDIRECTS, redirected
from ._slots import Slots
from ._stream import BodyStream
from ._tls import TlsSettings
from .address import check_address

if TYPE_CHECKING:
    import httpx

    from ...wire.http import WireRequest
    from ._tls import Certificate, Verify


class HttpxEngine:
    """
    Sends requests over HTTP/1.1, one connection for each call in progress; see `HttpEngine`.

    Connections are opened when needed, kept while idle, and closed by `aclose()` or together
    with their event loop. After `aclose()` it can be used again.

    Args:
        verify: Whom to trust: the authorities of the system and of certifi (True), a file or
            folder of authorities, an `ssl.SSLContext`, or anybody (False).
        cert: The client's certificate: a PEM file that holds its key too, or the files of
            certificate and key and, if it has one, the key's password.
        proxy: The address of a proxy for all requests.
        trust_env: Whether the proxies that the environment names are used if *proxy* is None.
        max_connections: How many may be open at once in one event loop; further calls queue.
        max_idle: How many are kept while nobody uses them.
        keepalive_expiry: For how many seconds they are kept.
        max_response_bytes: How large a response may be, both as it comes and decompressed.
        allow_plain_http: Whether plain http may leave this machine and its private network.
        client: A client of your own to send everything with. It stays yours to close, and
            connections, certificates and proxies are its business.

    Raises:
        ConfigurationError: A number, the address of a proxy or the file of a certificate is of
            no use.
        TypeError: An option is of another type.
    """

    def __init__(
        self,
        *,
        verify: Verify = True,
        cert: Certificate | None = None,
        proxy: str | None = None,
        trust_env: bool = True,
        max_connections: int = 1000,
        max_idle: int = 1000,
        keepalive_expiry: float = 60.0,
        max_response_bytes: int = 64 * 1024 * 1024,
        allow_plain_http: bool = False,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        check_count("max_connections", max_connections, least=1)
        check_count("max_idle", max_idle, least=0)
        check_count("max_response_bytes", max_response_bytes, least=1)
        check_seconds("keepalive_expiry", keepalive_expiry)
        check_flag("trust_env", trust_env)
        check_flag("allow_plain_http", allow_plain_http)
        self._max_bytes = max_response_bytes
        self._allow_plain_http = allow_plain_http
        if client is not None:
            import httpx

            from ._client import ClientExchanges

            check_type("client", client, httpx.AsyncClient, "an httpx.AsyncClient")
            self._exchanges: Slots | ClientExchanges = ClientExchanges(client)
        else:
            self._exchanges = Slots(
                PoolLimits(
                    max_connections=max_connections,
                    max_idle=max_idle,
                    keepalive_expiry=keepalive_expiry,
                ),
                TlsSettings(verify, cert),
                Proxies(proxy, os.environ if trust_env else None),
            )

    async def send(
        self, request: WireRequest, *, connect: float | None, within: float | None
    ) -> WireResponse:
        limits = _limits(connect, within)
        stream = await self._open(request, limits)
        pieces: list[bytes] = []
        try:
            while piece := await stream.read_until(limits.until, limit=within):
                pieces.append(piece)
        except ProviderError:
            if stream.status < ERROR:  # else the status says more than the body that broke
                raise
        return WireResponse(status=stream.status, headers=stream.headers, body=b"".join(pieces))

    async def stream(
        self, request: WireRequest, *, connect: float | None, within: float | None
    ) -> BodyStream:
        return await self._open(request, _limits(connect, within))

    async def _open(self, request: WireRequest, limits: Limits) -> BodyStream:
        address = check_address(request.url, self._allow_plain_http)
        for _ in range(MAX_REDIRECTS + 1):
            exchange = await self._exchanges.open(request, address, limits)
            try:
                stream = BodyStream(exchange, max_bytes=self._max_bytes)
                to = redirected(request.method, address, stream.status, stream.headers)
            except BaseException:
                exchange.abort()
                raise
            if to is None:
                return stream
            await stream.aclose()
            address = to
        raise RedirectRefusedError(
            f"{address.place} redirected more than {MAX_REDIRECTS} times; check the base URL",
            sent=True,
        )

    async def aclose(self) -> None:
        await self._exchanges.aclose()

    def __del__(self) -> None:
        exchanges = getattr(self, "_exchanges", None)
        if exchanges is not None and (origins := exchanges.kill()):
            warnings.warn(_unclosed(origins), ResourceWarning, source=self, stacklevel=2)


def _unclosed(origins: list[str]) -> str:
    different = sorted(set(origins))
    others = f" and {len(different) - 1} more origins" if len(different) > 1 else ""
    count = "an open connection" if len(origins) == 1 else f"{len(origins)} open connections"
    return (
        f"a provider or HttpxEngine was dropped with {count} to {different[0]}{others}; use it in "
        "`async with`, or await its aclose()"
    )


def _limits(connect: float | None, within: float | None) -> Limits:
    until = inf if within is None else anyio.current_time() + within
    return Limits(connect, within, until)
