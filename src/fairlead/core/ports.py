"""What the core asks of the outside: one small protocol each."""

from __future__ import annotations

from typing import Protocol


class Tokenizer(Protocol):
    """Counts tokens exactly, without I/O; loaded before it is handed over."""

    @property
    def family(self) -> str:
        """The name that `ModelInfo.tokenizer` gives it."""
        ...

    def count(self, text: str) -> int:
        """The tokens of *text*."""
        ...
