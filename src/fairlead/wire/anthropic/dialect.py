"""How servers that speak Messages differ, as data."""

from __future__ import annotations

from dataclasses import dataclass

FIRST = "2023-06-01"
CURRENT = "2026-10-21"
VERSIONS = (CURRENT, FIRST)
"""What `anthropic-version` may say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """
    One vendor's way of speaking Messages.

    Args:
        name: The vendor's, for origins of opaque parts.
        version: Of the format; from 2026-10-21 on no model takes sampling options.
        tool_call_id: What it takes as the id of a tool call, as a regular expression.
    """

    name: str
    version: str = FIRST
    tool_call_id: str = r"[A-Za-z0-9_-]{1,64}"

    @property
    def origin(self) -> str:
        """Marks opaque parts that only this vendor understands."""
        return f"anthropic:{self.name}"

    @property
    def sampling(self) -> bool:
        """Whether this version has sampling options at all."""
        return self.version < CURRENT


ANTHROPIC = Dialect(name="anthropic", version=CURRENT)
"""api.anthropic.com itself."""
