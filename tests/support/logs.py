"""A log that keeps what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LEVELS = ("debug", "info", "warning", "error")


class ListLog:
    """Keeps lines of *level* and above, as `(level, event, fields)`."""

    def __init__(self, level: str = "debug") -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []
        self._on = LEVELS[LEVELS.index(level) :] if level in LEVELS else ()

    def is_on(self, level: str, /) -> bool:
        return level in self._on

    def record(self, level: str, event: str, fields: Mapping[str, object], /) -> None:
        assert self.is_on(level), "what nobody reads was put together"
        self.lines.append((level, event, dict(fields)))

    @property
    def told(self) -> list[tuple[str, str]]:
        """Levels and events alone."""
        return [(level, event) for level, event, _ in self.lines]

    def of(self, event: str) -> dict[str, Any]:
        """The fields of the only line of *event*."""
        [fields] = [fields for _, name, fields in self.lines if name == event]
        return fields
