"""Saying in few words what a body is that is not what it should be."""

from __future__ import annotations

import re

from ..core.redact import shown

_TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)


def summary(body: bytes) -> str:
    """One line on a body that is not JSON; a page is named by its title and never quoted."""
    if not body.strip():
        return "an empty body"
    text = body[:20_000].decode(errors="replace").lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        title = _TITLE.search(text)
        name = f" titled {' '.join(title[1].split())!r}" if title else ""
        return f"an HTML page{name}" if looks_like_html(body) else f"an XML document{name}"
    return repr(shown(" ".join(text.split()), 200))


def looks_like_html(body: bytes) -> bool:
    """Whether *body* begins as a page does."""
    start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<!--", b"<center"))
