"""Keeps what was looked up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...core.prices import Price

MOST = 4096
"""Names that are kept: callers and vendors may come with any number of them."""


class Remembered(ABC):
    """A price book that looks each name up once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Price | None] = {}

    def price(self, provider: str, model: str, /) -> Price | None:
        """That of *model*; None if it is not known."""
        try:
            return self._known[provider, model]
        except KeyError:
            pass
        found = self._look_up(provider, model)
        if len(self._known) >= MOST:
            self._known = {}
        self._known[provider, model] = found
        return found

    def forget(self) -> None:
        """Look everything up anew."""
        self._known = {}

    @abstractmethod
    def _look_up(self, provider: str, model: str) -> Price | None: ...
