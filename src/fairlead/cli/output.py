"""What is printed besides answers: tables that fit the terminal, and JSON."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "  "
LEAST = 24
"""Columns that the last column of a table is not made narrower than."""


def print_json(value: Any) -> None:
    """*value* as indented JSON."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str), flush=True)


def printable(text: str) -> str:
    """*text* in one line, without what would steer a terminal."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def bold(text: str) -> str:
    """*text*, in bold where that can be seen."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
        return text
    return f"\x1b[1m{text}\x1b[0m"


def columns(file: TextIO | None = None) -> int | None:
    """How wide the terminal is; None where nobody looks, so that lines stay whole."""
    if not (file or sys.stdout).isatty() and "COLUMNS" not in os.environ:
        return None
    return shutil.get_terminal_size().columns


def print_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, file: TextIO | None = None
) -> None:
    """
    *rows* side by side where they fit, the last column wrapped; else one below the other.

    Args:
        heads: The names of the columns; none of them are no line.
        rows: The first value of each is what it is about.
        file: Where it is printed; standard output, if this does not say.
    """
    width = columns(file)
    cells = [[printable(cell) for cell in row] for row in rows]
    lined = [[*heads], *cells] if any(heads) else cells
    widths = [max(map(len, column)) for column in zip(*lined, strict=True)]
    before = sum(widths[:-1]) + len(GAP) * (len(widths) - 1)
    if width is not None and before + min(widths[-1], LEAST) > width:
        for row in cells:
            _print_record(heads, row, width, file)
        return
    last = widths[-1] if width is None else min(widths[-1], width - before)
    for index, row in enumerate(lined):
        lines = textwrap.wrap(row[-1], max(last, 1), break_on_hyphens=False) or [""]
        start = GAP.join(cell.ljust(size) for cell, size in zip(row, widths[:-1], strict=False))
        first = f"{start}{GAP}{lines[0]}".rstrip()
        print(bold(first) if any(heads) and not index else first, file=file)
        for line in lines[1:]:
            print(" " * before + line, file=file)


def _print_record(
    heads: Sequence[str], row: Sequence[str], width: int, file: TextIO | None
) -> None:
    print(bold(row[0]), file=file)
    for head, cell in zip(heads[1:], row[1:], strict=True):
        if cell:
            print(
                textwrap.fill(
                    f"{head}: {cell}" if head else cell,
                    max(width, 10),
                    initial_indent="  ",
                    subsequent_indent="    ",
                    break_on_hyphens=False,
                ),
                file=file,
            )
