"""What is wrong with a setting, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.checks import nearest
from ..core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .sources import Source


@dataclass(frozen=True, slots=True)
class Mistake:
    """
    One thing that is wrong; `str` says all of it in one line, and never a secret.

    Args:
        source: Where: the file and the line, the variable, the argument; `source.name` is the key.
        problem: What is wrong; continues a sentence that begins with the key.
        nearest: The known name that was perhaps meant.
    """

    source: Source
    problem: str
    nearest: str | None = None

    def __str__(self) -> str:
        hint = f"; did you mean {self.nearest}?" if self.nearest else ""
        return f"{self.source.subject} {self.problem}{hint}"


class RefusedError(Exception):
    """Carries mistakes to the edge of this package, where they become a `ConfigurationError`."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__(*mistakes)
        self.mistakes = mistakes


def unknown(source: Source, known: Iterable[str]) -> Mistake:
    """The mistake of a name that nobody knows."""
    name = source.name.rpartition(".")[2]
    return Mistake(source, "is not known", nearest(name, known))


def as_error(mistakes: Sequence[Mistake]) -> ConfigurationError:
    """One error that lists every mistake, a line each."""
    if len(mistakes) == 1:
        return ConfigurationError(str(mistakes[0]))
    ordered = sorted(mistakes, key=lambda each: (each.source.place or "", each.source.line or 0))
    lines = "".join(f"\n  {mistake}" for mistake in ordered)
    return ConfigurationError(f"{len(mistakes)} mistakes in the settings:{lines}")
