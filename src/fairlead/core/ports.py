"""What the core asks of the outside: one small protocol each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

Level: TypeAlias = Literal["debug", "info", "warning", "error"]


class Tokenizer(Protocol):
    """Counts tokens exactly, without I/O; loaded before it is handed over."""

    @property
    def family(self) -> str:
        """The name that `ModelInfo.tokenizer` gives it."""
        ...

    def count(self, text: str) -> int:
        """The tokens of *text*."""
        ...


class Tokenizers(Protocol):
    """The tokenizers that are at hand. A plain dictionary of them by family is one."""

    def get(self, family: str, /) -> Tokenizer | None:
        """That of *family*; None if it is not there, or not yet. At once, without I/O."""
        ...


class EventLog(Protocol):
    """
    Where policies tell what happens.

    It never raises, and never waits for anything but the application's own log handlers.
    """

    def is_on(self, level: Level, /) -> bool:
        """Whether anybody reads what is recorded at *level*; asked before it is put together."""
        ...

    def record(self, level: Level, event: str, fields: Mapping[str, object], /) -> None:
        """Write down that *event* happened, in a few words, and what is known of it."""
        ...
