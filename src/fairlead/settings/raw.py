"""Everything that was said about the settings, by whom, before anybody asks what it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING

from .sources import Setting, frozen, section_of

if TYPE_CHECKING:
    from .sources import Section


@dataclass(frozen=True, slots=True)
class Tree:
    """One layer that names settings by dotted keys: the arguments, or a file."""

    root: Setting

    def at(self, path: str) -> Setting | None:
        """What stands at *path*, or the plain value that stands in the way to it."""
        here = self.root
        for name in path.split(".") if path else ():
            section = section_of(here)
            if section is None:
                return here
            if name not in section:
                return None
            here = section[name]
        return here


@dataclass(frozen=True, slots=True)
class Variables:
    """One layer that names settings as variables: an environment, `.env`, a Python module."""

    settings: Section = field(repr=False)
    """By the variable's name in upper case."""


@dataclass(frozen=True, slots=True)
class RawSettings:
    """
    What was given, with its sources; immutable, and nothing of it validated.

    Its repr masks what may be a secret, and shows nothing of the environment.

    Args:
        layers: The highest precedence first.
    """

    layers: tuple[Tree | Variables, ...]

    @property
    def variables(self) -> tuple[Section, ...]:
        """What is named by variables, the highest precedence first."""
        return tuple(layer.settings for layer in self.layers if isinstance(layer, Variables))

    def section(self, path: str = "") -> Section:
        """
        What arguments and files say below the dotted *path*, "" being the root.

        The value of a section below it is again such a mapping. Variables are not in it: which
        of them belongs to which key is known to the models alone.
        """
        found = [layer.at(path) for layer in self.layers if isinstance(layer, Tree)]
        sections = [section for section in map(section_of, found) if section is not None]
        return reduce(_over, sections, frozen({}))


def _over(higher: Section, lower: Section) -> Section:
    merged = {**lower, **higher}
    for name in higher.keys() & lower.keys():
        above, below = section_of(higher[name]), section_of(lower[name])
        if above is not None and below is not None:
            merged[name] = Setting(_over(above, below), higher[name].source)
    return frozen(merged)
