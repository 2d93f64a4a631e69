"""What travels over HTTP, and nothing about how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ERROR = 400
"""The first status that is an error."""


@dataclass(slots=True, kw_only=True)
class WireRequest:
    """A request, ready to be sent. `url` is absolute; a repr shows neither headers nor body."""

    method: str = "POST"
    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes = field(default=b"", repr=False)
    warnings: tuple[str, ...] = ()
    """What it does not say of what was asked, and why; it is not sent."""


@dataclass(slots=True, kw_only=True)
class WireResponse:
    """A whole response. The names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
