"""How long things may take."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .checks import check_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """
    How long one attempt may take, in seconds; None is no limit.

    A reasoning model thinks longer before it speaks, hence the second pair of values.
    """

    connect: float | None = 10.0
    first_content: float | None = 120.0
    idle: float | None = 60.0
    total: float | None = 600.0
    """Of a request that is not streamed."""
    reasoning_first_content: float | None = 600.0
    reasoning_idle: float | None = 300.0

    def __post_init__(self) -> None:
        for entry in fields(self):
            seconds = getattr(self, entry.name)
            if seconds is not None:
                check_seconds(entry.name, seconds, infinite=True)

    def content(self, *, reasoning: bool) -> float | None:
        """Until the first content of an answer."""
        return self.reasoning_first_content if reasoning else self.first_content

    def silence(self, *, reasoning: bool) -> float | None:
        """Between two events of a stream; comments that keep a connection alive are none."""
        return self.reasoning_idle if reasoning else self.idle
