"""Which proxy a request goes through."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from ...core.errors import ConfigurationError
from ._options import check_type
from .address import is_visible, without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


class Proxy(NamedTuple):
    """Where a proxy listens, and who we are to it. Its repr shows no password."""

    scheme: str
    host: str
    port: int
    credentials: tuple[bytes, bytes] | None = None

    @property
    def place(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"Proxy({self.scheme}://{self.place})"


def parse_proxy(url: str) -> Proxy:
    """
    The proxy at *url*; without a scheme it is an http one.

    Raises:
        ConfigurationError: It is no http, https, socks5 or socks5h address.
    """
    url = url if "://" in url else f"http://{url}"
    with suppress(KeyError, ValueError):
        return _parsed(url)
    raise ConfigurationError(
        f"the proxy {without_secrets(url)!r} has no known scheme, host and port; "
        "write 'http://proxy.example:3128', say"
    )


def _parsed(url: str) -> Proxy:
    parts = urlsplit(url)
    usual_port = _PORTS[parts.scheme]
    if not parts.hostname or not is_visible(url):
        raise ValueError
    credentials = None
    if parts.username is not None:
        password = unquote(parts.password or "")
        credentials = unquote(parts.username).encode(), password.encode()
    return Proxy(parts.scheme, parts.hostname, parts.port or usual_port, credentials)


def check_installed(proxy: Proxy) -> None:
    """
    Refuse a SOCKS proxy where nothing is installed that speaks to it.

    Raises:
        ConfigurationError: That is so.
    """
    if proxy.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ConfigurationError(
            f"the proxy {proxy.scheme}://{proxy.place} needs the package socksio; "
            "run pip install 'httpx[socks]'"
        )


class Proxies:
    """
    The proxies that the environment names, or one for everything.

    Args:
        proxy: The address of the one.
        environment: Where to look up `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`,
            the lower-case names first.
    """

    def __init__(
        self, proxy: str | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self._always = None
        if proxy is not None:
            check_type("proxy", proxy, str, "the address of a proxy as a str")
            self._always = parse_proxy(proxy)
            check_installed(self._always)
        self._by_scheme: dict[str, Proxy] = {}
        self._except: tuple[str, ...] = ()
        if self._always is None and environment is not None:
            self._read(environment)

    def _read(self, environment: Mapping[str, str]) -> None:
        def value(name: str) -> str:
            return environment.get(name) or environment.get(name.upper()) or ""

        # A CGI server passes on a request's own "Proxy:" header as HTTP_PROXY.
        names = {"https": "https_proxy"}
        if "REQUEST_METHOD" not in environment:
            names["http"] = "http_proxy"
        for scheme, name in names.items():
            if url := value(name) or value("all_proxy"):
                self._by_scheme[scheme] = parse_proxy(url)
        entries = (entry.strip().lower() for entry in value("no_proxy").split(","))
        self._except = tuple(entry for entry in entries if entry)

    def of(self, scheme: str, host: str, port: int) -> Proxy | None:
        """The proxy for an origin; None where the way is direct."""
        if self._always is not None:
            return self._always
        if any(_covers(entry, host, port) for entry in self._except):
            return None
        return self._by_scheme.get(scheme)


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        name, _, entry_port = entry.removeprefix("*").lstrip(".").partition(":")
        named = host == name or host.endswith(f".{name}")
        return named and entry_port in ("", str(port))
    if entry in (f"{host}:{port}", f"[{host}]:{port}", f"[{host}]"):
        return True
    try:
        return literal in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
