"""What goes out, and where a redirect may send it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpcore

from ...core.errors import ConfigurationError, InvalidRequestError, RedirectRefusedError
from ...wire.http import ERROR
from ._decoding import ACCEPTED
from .address import check_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...wire.http import WireRequest
    from .address import Address

MAX_REDIRECTS = 5
_REDIRECTION = range(300, ERROR)
_REDIRECTS = (301, 302, 303, 307, 308)
_KEEP_METHOD = (307, 308)


def encoded_headers(request: WireRequest, address: Address) -> list[tuple[bytes, bytes]]:
    """
    All headers to send; the request's own come last and replace ours.

    Raises:
        InvalidRequestError: One holds characters beyond ASCII.
    """
    headers = {
        b"host": address.place.encode("ascii"),
        b"accept": b"*/*",
        b"accept-encoding": ACCEPTED,
        b"user-agent": b"fairlead",
    }
    if request.body or request.method not in ("GET", "HEAD"):
        headers[b"content-length"] = b"%d" % len(request.body)
    refused = ""
    for name, value in request.headers.items():
        try:
            headers[name.lower().encode("ascii")] = value.encode("ascii")
        except UnicodeEncodeError:
            refused = name
    if refused:  # outside of the handler: the exception above holds the value
        raise InvalidRequestError(
            f"the header {refused.encode('ascii', 'replace').decode()!r} holds characters that "
            "HTTP does not allow; look for typographic quotes or blanks in the API key",
            sent=False,
        )
    return list(headers.items())


def encode(request: WireRequest, address: Address) -> httpcore.Request:
    """The request in httpcore's words. Raises as `encoded_headers`."""
    return httpcore.Request(
        request.method,
        httpcore.URL(
            scheme=address.scheme, host=address.host, port=address.port, target=address.target
        ),
        headers=encoded_headers(request, address),
        content=request.body,
    )


def redirected(
    method: str, address: Address, status: int, headers: Mapping[str, str]
) -> Address | None:
    """
    Where a response redirects the request to, always of the same origin; None if it does not.

    Raises:
        RedirectRefusedError: It redirects to nowhere, to another origin, to what is no address, or
            would turn a POST into a GET.
    """
    if status not in _REDIRECTION:
        return None
    location = headers.get("location")
    if status not in _REDIRECTS or not location:
        raise RedirectRefusedError(
            f"{address.place} answers with HTTP {status}, which is no answer, and does not say "
            "where there is one; check the base URL",
            status_code=status,
            sent=True,
        )
    try:
        url = urljoin(f"{address.origin}{address.target}", location)
        to = check_address(url, allow_plain_http=True)
    except (ConfigurationError, ValueError):
        raise RedirectRefusedError(
            f"{address.place} redirects (HTTP {status}) to what is no web address; check the "
            "base URL",
            status_code=status,
            sent=True,
        ) from None
    if to.origin != address.origin:
        raise RedirectRefusedError(
            f"{address.origin} redirects to {to.origin}, where credentials must not follow; if "
            "that is the provider, make it the base URL",
            status_code=status,
            sent=True,
        )
    if status not in _KEEP_METHOD and method not in ("GET", "HEAD"):
        raise RedirectRefusedError(
            f"{address.place} answers a {method} with HTTP {status} to {to.origin}"
            f"{to.target.partition('?')[0]}, which would lose its body; correct the base URL",
            status_code=status,
            sent=True,
        )
    return to
