from __future__ import annotations

import pytest

from fairlead.adapters.http.address import Address, check_address
from fairlead.core.errors import ConfigurationError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://api.example.com/v1", Address("https", "api.example.com", 443, "/v1")),
        ("HTTPS://API.Example.COM", Address("https", "api.example.com", 443, "/")),
        ("https://example.com:8443/a?b=c#d", Address("https", "example.com", 8443, "/a?b=c")),
        (
            "https://bücher.example/ä",
            Address("https", "xn--bcher-kva.example", 443, "/%C3%A4"),
        ),
        ("https://[2001:DB8::1]:444/", Address("https", "2001:db8::1", 444, "/")),
        ("https://e.com/m/a%2Fb:go", Address("https", "e.com", 443, "/m/a%2Fb:go")),
    ],
)
def test_the_parts_of_an_address(url: str, address: Address) -> None:
    assert check_address(url) == address


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8080",
        "127.9.9.9",
        "10.0.0.7",
        "192.168.1.1",
        "172.16.0.1",
        "[::1]:1234",
        "[fd00::1]",
        "[fe80::1]",
        "localhost:11434",
        "ollama",
        "gpu-box:8000",
        "printer.local",
        "host.docker.internal",
        "metadata.internal.",
    ],
)
def test_plain_http_may_go_to_what_is_near(host: str) -> None:
    assert check_address(f"http://{host}/v1").scheme == "http"


@pytest.mark.parametrize(
    "host",
    ["api.example.com", "8.8.8.8", "[2606:4700::1]", "localhost.example.com", "internal.example"],
)
def test_plain_http_to_elsewhere_has_to_be_allowed(host: str) -> None:
    with pytest.raises(ConfigurationError, match="allow_plain_http"):
        check_address(f"http://{host}/")

    assert check_address(f"http://{host}/", True).scheme == "http"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("api.example.com/v1", "'https://api.example.com/v1'"),
        ("localhost:1234/v1", "'http://localhost:1234/v1'"),
        ("127.0.0.1:8000", "'http://127.0.0.1:8000'"),
        ("[::1]:8000", "'http://[::1]:8000'"),
        ("", "no address"),
        ("/v1", "no address"),
        ("?x=1", "no address"),
        ("ftp://example.com/", "https://"),
        ("https://", "no host"),
        ("https:///v1", "no host"),
        ("https://[::1/?key=hunter2", "no address"),
        ("https://user:hunter2@[::1/", "no address"),
        ("//user:hunter2@", "no address"),
        ("https://user:hunter2?!@example.com/", "port"),
        ("ftp://example.com/?to=a@b&key=hunter2", "'ftp://...'"),
        ("https://user:hunter2@ex\u2100mple.com/", "no address"),
        ("ftp://user:a://hunter2@example.com/", "https://"),
        ("?key=hunter2", "no address"),
        ("https://example.com:99999/", "port"),
        ("https://example.com:http/", "port"),
        ("https://user:hunter2@example.com/", "API key"),
    ],
)
def test_what_is_no_address_is_refused(url: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_address(url, True)

    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "character", [" ", "\r", "\n", "\t", "\0", "\x7f", "\xa0", "\u200b", "\u2028"]
)
@pytest.mark.parametrize(
    "url",
    ["%shttps://a.b/v1", "https://a%s.b/v1", "https://a.b/v%s1?k=hunter2", "https://a.b/v1%s"],
)
def test_what_cannot_be_seen_is_refused(url: str, character: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be seen") as caught:
        check_address(url % character, True)

    assert str(caught.value).isprintable()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", [5, None, b"https://a.b", ["https://a.b"]])
def test_an_address_is_a_str(url: object) -> None:
    with pytest.raises(TypeError, match=f"an address must be a str .* not {type(url).__name__}"):
        check_address(url)  # type: ignore[arg-type]


def test_a_query_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_address("http://api.example.com/v1?key=hunter2")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://example.com/", "example.com"),
        ("http://localhost:8000/", "localhost:8000"),
        ("http://[::1]:80/", "[::1]"),
        ("https://[::1]:80/", "[::1]:80"),
    ],
)
def test_a_place_names_the_port_where_it_is_not_the_usual_one(url: str, place: str) -> None:
    assert check_address(url).place == place
