"""Making a vendor's words fit to be shown: bounded, on one subject, without secrets."""

from __future__ import annotations

import re

LIMIT = 500
"""Characters of a message; a vendor's may quote the whole request."""

_MASK = "***"
_SECRETS = re.compile(
    r"""
      (?<= \bBearer\ ) \S+
    | (?<= key\ provided:\ ) [^\s,;]*[^\s,;.]
    | (?<= key:\ ) [^\s,;]{8,}
    | \b (?: sk | pk | rk | gsk | xai | hf | pplx | csk | fw | nvapi | tgp | key | r8 )
      [-_] (?= [\w*-]* [\d*] ) [\w*-]{8,}
    | \b AIza [\w-]{10,}
    | \b eyJ [\w-]+ \. [\w-]+ (?: \. [\w-]* )?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)


def shown(message: str, limit: int = LIMIT) -> str:
    """*message* with secrets masked and at most *limit* characters."""
    # Cut generously before masking: the pattern must not run over megabytes.
    masked = _SECRETS.sub(_MASK, message[: 4 * limit])
    return masked if len(masked) <= limit else f"{masked[: limit - 1]}…"


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
