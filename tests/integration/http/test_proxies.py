from __future__ import annotations

import pytest

from fairlead.adapters.http._proxies import Proxies, Proxy, parse_proxy
from fairlead.core.errors import ConfigurationError

HTTP = Proxy("http", "proxy", 3128)
OTHER = Proxy("http", "other", 80)


def proxies(**environment: str) -> Proxies:
    return Proxies(None, environment)


def test_each_scheme_has_its_own() -> None:
    both = proxies(HTTP_PROXY="http://proxy:3128", https_proxy="other")

    assert both.of("http", "example.com", 80) == HTTP
    assert both.of("https", "example.com", 443) == OTHER


def test_one_for_all_is_used_where_there_is_no_better() -> None:
    both = proxies(ALL_PROXY="other", HTTPS_PROXY="proxy:3128")

    assert both.of("http", "example.com", 80) == OTHER
    assert both.of("https", "example.com", 443) == HTTP


def test_lower_case_wins() -> None:
    assert proxies(http_proxy="proxy:3128", HTTP_PROXY="other").of("http", "a.b", 80) == HTTP


def test_a_cgi_server_does_not_let_its_clients_choose() -> None:
    assert proxies(HTTP_PROXY="proxy:3128", REQUEST_METHOD="GET").of("http", "a.b", 80) is None


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("*", "example.com", 443),
        ("example.com", "example.com", 443),
        ("example.com", "api.example.com", 443),
        (".example.com", "api.example.com", 443),
        ("*.example.com", "api.example.com", 443),
        ("example.com:443", "example.com", 443),
        ("10.1.2.3", "10.1.2.3", 443),
        ("10.0.0.0/8", "10.1.2.3", 443),
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("[::1]:8080", "::1", 8080),
        ("::1", "::1", 443),
        ("other.com, EXAMPLE.com", "example.com", 443),
    ],
)
def test_exceptions_are_heeded(entry: str, host: str, port: int) -> None:
    assert proxies(ALL_PROXY="proxy:3128", NO_PROXY=entry).of("https", host, port) is None


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("", "example.com", 443),
        ("ample.com", "example.com", 443),
        ("example.com:80", "example.com", 443),
        ("10.0.0.0/8", "11.1.2.3", 443),
        ("127.0.0.1:8080", "127.0.0.1", 80),
        ("example.com", "10.1.2.3", 443),
    ],
)
def test_exceptions_cover_nothing_else(entry: str, host: str, port: int) -> None:
    assert proxies(ALL_PROXY="proxy:3128", NO_PROXY=entry).of("https", host, port) == HTTP


def test_the_one_that_is_given_is_always_used() -> None:
    given = Proxies("proxy:3128", {"NO_PROXY": "*", "ALL_PROXY": "other"})

    assert given.of("https", "localhost", 443) == HTTP


def test_credentials_are_decoded_and_not_shown() -> None:
    proxy = parse_proxy("socks5h://me:p%40ss@proxy:1081")

    assert proxy == Proxy("socks5h", "proxy", 1081, (b"me", b"p@ss"))
    assert "p@ss" not in repr(proxy)
    assert "p%40ss" not in repr(proxy)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://me:hunter2@proxy",
        "ftp://me:hunter2@proxy:21",
        "http://",
        "",
        "proxy:port",
        "//",
        "http://[::1",
        "http://me:hunter2@[::1",
        "http://me:hunter2?@proxy",
        "http://me:hunter2@proxy\n",
        "http://me:hunter2@ex\u2100mple.com/",
    ],
)
def test_what_is_no_proxy_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_proxy(url)

    assert "hunter2" not in str(caught.value)
