"""What the exceptions of sockets, TLS, h11, httpcore and httpx mean, as fairlead's own."""

from __future__ import annotations

import os
import socket
import ssl
import sys
from typing import Any, NamedTuple

import httpcore

from ...core.errors import (
    CertificateError,
    FairleadError,
    InvalidRequestError,
    InvalidResponseError,
    ProviderConnectionError,
    ProviderTimeoutError,
)
from ...core.refusals import RateLimitExceededError

_PLAIN = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}
"""OpenSSL's words for an answer that is no TLS."""


class Limits(NamedTuple):
    """How long an exchange may take."""

    connect: float | None
    """Seconds."""
    within: float | None
    """Seconds."""
    until: float
    """When *within* is over, by the event loop's clock."""

    def connect_until(self, now: float) -> float:
        """When connecting has to be over if it begins now."""
        return self.until if self.connect is None else min(self.until, now + self.connect)

    def of_connecting(self) -> float | None:
        """The seconds that a time-out while connecting speaks of."""
        given = [limit for limit in self[:2] if limit is not None]
        return min(given, default=None)


class Situation(NamedTuple):
    """What was going on when something failed."""

    place: str
    """Host and port of the peer, and the proxy on the way."""
    limit: float | None
    """The seconds that it had."""
    is_queued: bool = False
    """Whether the call was waiting for one of our own connections to become free."""
    is_connected: bool = True
    is_sent: bool = True
    has_ended: bool | None = None
    """Whether the peer had hung up; None where only the exception's words tell."""


def translated(error: Exception, at: Situation) -> FairleadError:  # noqa: PLR0911  one per kind
    """The error to raise instead of *error*; it holds nothing of the request."""
    if isinstance(error, FairleadError):
        return error
    httpx = sys.modules.get("httpx")  # there only if a client of the user's or respx is
    if _is_timeout(error, httpx):
        return _timeout(at)
    reason = _reason(error)
    if isinstance(reason, ssl.SSLError):
        return _tls(reason, at)
    if isinstance(error, httpcore.LocalProtocolError) or (
        httpx is not None and isinstance(error, httpx.LocalProtocolError)
    ):
        return InvalidRequestError(
            "the request cannot be written as HTTP; look for blanks, line ends or quotes in the "
            "API key and in headers",
            sent=False,
        )
    if isinstance(error, httpcore.ProxyError):
        return ProviderConnectionError(
            f"the proxy refused to connect to {at.place}: {error}; check the proxy's address, "
            "user name and rules, or list the host in NO_PROXY",
            sent=False,
        )
    if _is_nonsense(error, at, httpx):
        return InvalidResponseError(
            f"what {at.place} sent is not HTTP/1.1: {error}", sent=at.is_sent
        )
    if at.is_connected:
        return ProviderConnectionError(
            f"the connection to {at.place} broke: {_words(reason)}", sent=at.is_sent
        )
    return _unreachable(reason, at)


def _is_timeout(error: Exception, httpx: Any) -> bool:
    if isinstance(error, TimeoutError):
        return error.errno is None  # else the system's own: the peer could not be reached
    return isinstance(error, httpcore.TimeoutException) or (
        httpx is not None and isinstance(error, httpx.TimeoutException)
    )


def _is_nonsense(error: Exception, at: Situation, httpx: Any) -> bool:
    """Whether what came is no HTTP, rather than an HTTP response that was cut."""
    if not isinstance(error, httpcore.RemoteProtocolError) and (
        httpx is None or not isinstance(error, httpx.RemoteProtocolError)
    ):
        return False
    if at.has_ended is None:
        return not any(words in str(error) for words in ("disconnected", "closed connection"))
    return not at.has_ended


def _reason(error: BaseException) -> BaseException:
    """The system's error below the libraries' own; httpcore's pool hides it as a context."""
    below: BaseException | None = error
    while below is not None and not isinstance(below, OSError):
        below = below.__cause__ or below.__context__
    return below or error


def _timeout(at: Situation) -> ProviderTimeoutError | RateLimitExceededError:
    seconds = "the time allowed" if at.limit is None else f"{at.limit:g} s"
    if at.is_queued:
        message = f"no connection to {at.place} became free within {seconds}; all are in use"
        return RateLimitExceededError(message, sent=False)
    if not at.is_connected:
        message = f"no connection to {at.place} within {seconds}; is it reachable from here?"
    else:
        message = f"nothing more came from {at.place} within {seconds}"
    return ProviderTimeoutError(message, limit=at.limit, sent=at.is_sent)


def _tls(error: ssl.SSLError, at: Situation) -> ProviderConnectionError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateError(
            f"the certificate of {at.place} cannot be verified: {error.verify_message}; if it was "
            "issued by an authority of your own, give its file as verify",
            sent=False,
        )
    if error.reason in _PLAIN and not at.is_connected:
        return ProviderConnectionError(
            f"{at.place} does not speak TLS at this port; is it an http:// address?", sent=False
        )
    return ProviderConnectionError(
        f"the TLS connection to {at.place} failed: {error.reason or 'it was cut'}", sent=at.is_sent
    )


def _unreachable(reason: BaseException, at: Situation) -> ProviderConnectionError:
    if isinstance(reason, socket.gaierror):
        message = f"the name of {at.place} cannot be resolved; check the address and the network"
    else:
        message = (
            f"cannot connect to {at.place}: {_words(reason)}; check that it runs and that the "
            "address is right"
        )
    return ProviderConnectionError(message, sent=False)


def _words(reason: BaseException) -> str:
    if isinstance(reason, OSError) and reason.errno and reason.errno > 0:
        return os.strerror(reason.errno).lower()
    return str(reason) or type(reason).__name__
