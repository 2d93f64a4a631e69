"""Which addresses a request may go to. Pure; nothing is resolved in order to decide."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from ...core.errors import ConfigurationError
from ._options import check_type

_PORTS = {"http": 80, "https": 443}
_LOCAL_SUFFIXES = (".local", ".internal", ".localhost")
_KEPT = "%/?:@!$&'()*+,;=~-._[]"
"""What a request target may hold as it is."""


class Address(NamedTuple):
    """Where a request goes."""

    scheme: str
    host: str
    """In ASCII and lower case, an IPv6 literal without its brackets."""
    port: int
    target: str
    """Path and query."""

    @property
    def place(self) -> str:
        """Host and port, as a person or a Host header names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.place}"


def check_address(
    url: str,
    allow_plain_http: bool = False,  # noqa: FBT001, FBT002  the two make a sentence
) -> Address:
    """
    The parts of *url*.

    Raises:
        ConfigurationError: It is no absolute http or https address, or plain http to a host
            that is not evidently near: a loopback or private literal, `localhost`, a name
            without a dot, `*.local`, `*.internal`.
        TypeError: It is no str.
    """
    check_type("an address", url, str, "a str such as 'https://api.example.com/v1'")
    return _checked(url, allow_plain_http)


@lru_cache(maxsize=512)
def _checked(url: str, allow_plain_http: bool) -> Address:  # noqa: FBT001
    shown = without_secrets(url)
    if not is_visible(url):
        raise ConfigurationError(
            f"the address {shown!r} holds a space, a line break or another character that cannot "
            "be seen; write it without"
        )
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError(_no_address(shown)) from None
    if not parts.scheme or "://" not in url:
        raise ConfigurationError(_without_scheme(shown))
    if parts.scheme not in _PORTS:
        raise ConfigurationError(f"{shown!r} is no address for HTTP; it must begin with https://")
    host = _ascii(parts.hostname or "", shown)
    if "@" in parts.netloc:
        raise ConfigurationError(
            f"the address {shown!r} holds a user name or password; set the API key instead"
        )
    if parts.scheme == "http" and not allow_plain_http and not _is_near(host):
        raise ConfigurationError(
            f"{shown!r} is plain http to a public host, where anybody on the way can read along; "
            "use https://, or allow it (allow_plain_http=True, --allow-plain-http)"
        )
    try:
        port = parts.port or _PORTS[parts.scheme]
    except ValueError:
        raise ConfigurationError(f"the port of {shown!r} is no number below 65,536") from None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme, host, port, quote(target, safe=_KEPT))


def is_visible(url: str) -> bool:
    """Whether one can see every character; what cannot be seen was copied by mistake."""
    return url.isprintable() and " " not in url


def without_secrets(url: str) -> str:
    """What may be shown of *url*: neither a query, nor what stands before an `@`."""
    bare = url.partition("?")[0].partition("#")[0]
    scheme, separator, rest = bare.partition("://") if "://" in bare else ("", "", bare)
    if "@" in url[len(bare) :]:  # of a password with a question mark, perhaps
        rest = "..."
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def _no_address(shown: str) -> str:
    return f"{shown!r} is no address; write 'https://api.example.com/v1', say"


def _without_scheme(shown: str) -> str:
    bare = shown.lstrip("/")
    host = bare.partition("/")[0].rpartition(":")[0] or bare.partition("/")[0]
    if not host or not (host[0].isalnum() or host[0] == "[") or shown.startswith("/"):
        return _no_address(shown)
    scheme = "http" if _is_near(host.strip("[]")) else "https"
    return f"the address lacks its scheme; write {f'{scheme}://{bare}'!r}, say"


def _ascii(host: str, shown: str) -> str:
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not name or any(character <= " " for character in name):
        raise ConfigurationError(f"the address {shown!r} names no host")
    return name.lower()


def _is_near(host: str) -> bool:
    host = host.rstrip(".")
    try:
        literal = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_SUFFIXES)
    return literal.is_loopback or literal.is_private or literal.is_link_local
