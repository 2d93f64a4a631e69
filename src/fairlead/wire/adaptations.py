"""What had to be said otherwise than asked."""

from __future__ import annotations

from ..core.errors import UnsupportedOperationError


class Adaptations:
    """Collects warnings while a request is encoded; under *strict* the first one is an error."""

    __slots__ = ("_strict", "_warnings")

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._warnings: dict[str, None] = {}

    def note(self, warning: str) -> None:
        """
        *warning* says what was changed and why. Said twice, it is kept once.

        Raises:
            UnsupportedOperationError: The request is strict.
        """
        if self._strict:
            raise UnsupportedOperationError(f"{warning} (and strict=True allows no change)")
        self._warnings[warning] = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was noted, in order."""
        return tuple(self._warnings)
