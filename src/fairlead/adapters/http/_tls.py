"""TLS: the context of an engine, and TLS as a layer over any transport."""

from __future__ import annotations

import os
import ssl
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ...core.errors import ConfigurationError
from ._options import check_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._link import Transport

Verify: TypeAlias = "bool | str | os.PathLike[str] | ssl.SSLContext"
Certificate: TypeAlias = "str | os.PathLike[str] | tuple[str, str] | tuple[str, str, str]"

_PATH = (str, os.PathLike)
_RECORDS = 65_536
"""Bytes asked of the transport at a time: four full records."""


class TlsSettings:
    """
    Whom to trust, and who we are. The context takes 22 ms to build, so it is built on first use.

    Args:
        verify: A file or folder of certificate authorities, a context of your own, or False.
        certificate: The client's own: a PEM file with both, or certificate, key and password.

    Raises:
        ConfigurationError: A file does not exist.
        TypeError: What should be one is something else.
    """

    def __init__(self, verify: Verify, certificate: Certificate | None) -> None:
        self._verify = verify
        self._certificate = certificate
        files = [] if isinstance(verify, (bool, ssl.SSLContext)) else [verify]
        for file in files:
            check_type("verify", file, _PATH, "True, False, a path or an ssl.SSLContext")
        for file in [*files, *_files(certificate)]:
            if not Path(file).exists():
                raise ConfigurationError(f"there is no certificate file {os.fspath(file)!r}")

    @cached_property
    def context(self) -> ssl.SSLContext:
        """Shared by all connections of the engine."""
        try:
            context = _trusting(self._verify)
            if isinstance(self._certificate, tuple):
                context.load_cert_chain(*self._certificate)
            elif self._certificate is not None:
                context.load_cert_chain(self._certificate)
        except OSError as error:  # ssl.SSLError is one
            raise ConfigurationError(
                f"the certificates given as verify or cert cannot be read: {error}"
            ) from error
        return context


def _files(certificate: Certificate | None) -> Sequence[str | os.PathLike[str]]:
    if certificate is None:
        return ()
    parts = certificate if isinstance(certificate, tuple) else (certificate,)
    expected = "a path, or a tuple of two paths and, if it has one, the key's password"
    for part in parts:
        check_type("cert", part, _PATH, expected)
    if not 1 <= len(parts) <= 3:
        raise ConfigurationError(f"cert must be {expected}, not {len(parts)} of them")
    return parts[:2]


def _trusting(verify: Verify) -> ssl.SSLContext:
    if isinstance(verify, ssl.SSLContext):
        return verify
    if not isinstance(verify, bool):
        folder = Path(verify).is_dir()
        return ssl.create_default_context(
            cafile=None if folder else verify, capath=verify if folder else None
        )
    if verify:
        import httpcore

        return httpcore.default_ssl_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class TlsTransport:
    """
    TLS over a transport, by way of memory.

    asyncio's own holds 256 KB for each connection. This one serves both event loops, and TLS
    inside TLS.
    """

    __slots__ = ("_incoming", "_inner", "_outgoing", "_tls")

    def __init__(self, inner: Transport, context: ssl.SSLContext, host: str | None) -> None:
        self._inner = inner
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    @property
    def is_quiet(self) -> bool:
        return self._inner.is_quiet and not self._incoming.pending and not self._tls.pending()

    async def handshake(self, until: float) -> None:
        """Raises `ssl.SSLError`, or what the transport raises."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush(until)
                if not await self._fill(until):
                    raise ConnectionResetError("it hung up during the TLS handshake") from None
            else:
                return await self._flush(until)

    async def receive(self, max_bytes: int, until: float) -> bytes:
        while True:
            try:
                data = self._tls.read(max_bytes)
            except ssl.SSLWantReadError:
                await self._flush(until)  # an answer to a key update
                if not await self._fill(until):
                    return b""
            except ssl.SSLZeroReturnError:
                return b""
            else:
                return data + self._rest(max_bytes - len(data))

    def _rest(self, max_bytes: int) -> bytes:
        pieces: list[bytes] = []
        while max_bytes and (self._incoming.pending or self._tls.pending()):
            try:
                piece = self._tls.read(max_bytes)
            except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                break
            pieces.append(piece)
            max_bytes -= len(piece)
        return b"".join(pieces)

    async def send(self, data: bytes, until: float) -> None:
        self._tls.write(data)
        await self._flush(until)

    async def _fill(self, until: float) -> int:
        return self._incoming.write(await self._inner.receive(_RECORDS, until))

    async def _flush(self, until: float) -> None:
        if self._outgoing.pending:
            await self._inner.send(self._outgoing.read(), until)

    def kill(self) -> None:
        self._inner.kill()
