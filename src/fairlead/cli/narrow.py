"""Help that can be read in narrow terminals."""

from __future__ import annotations

import shutil
from functools import partial
from typing import Any

import typer
from typer.core import TyperGroup

LEAST, MOST = 30, 100
"""Columns that help has."""
NARROW = 60
"""Columns below which explanations stand under what they explain, not beside it."""


class Context(typer.Context):
    """What a run knows of itself. Its help is as wide as the terminal."""

    def make_formatter(self) -> Any:
        """What writes the help."""
        width = min(max(shutil.get_terminal_size().columns - 1, LEAST), MOST)
        self.terminal_width: int | None = width
        formatter: Any = super().make_formatter()
        if width < NARROW:
            formatter.write_dl = partial(formatter.write_dl, col_max=0)
        return formatter


class Group(TyperGroup):
    """Several commands, whose help is for narrow terminals too."""

    context_class: Any = Context

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            command.context_class = Context
            summary = " ".join((command.help or "").partition("\n\n")[0].split())
            # What typer shortens by itself ends in the middle of a sentence.
            command.short_help = command.short_help or f"{summary.partition('. ')[0].rstrip('.')}."
        return command
