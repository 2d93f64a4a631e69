"""
The page of all commands, made of their own help.

`python -m tests.integration.cli.reference` writes it.
"""

from collections.abc import Iterator
from pathlib import Path

import typer
from typer.testing import CliRunner

from fairlead.cli.app import app

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "command-line.md"
HEAD = """\
# Command line

What `--help` says of every command. How they are used stands in
[a page of its own](../how-to/use-the-command-line.md).
"""


def commands() -> Iterator[tuple[str, ...]]:
    """The words of every command, the program's own first."""
    yield ()
    for name, command in typer.main.get_command(app).commands.items():
        yield (name,)
        yield from ((name, below) for below in getattr(command, "commands", ()))


def help_of(words: tuple[str, ...], columns: int = 80) -> str:
    done = CliRunner().invoke(
        app, [*words, "--help"], prog_name="fairlead", env={"COLUMNS": str(columns)}
    )
    assert done.exit_code == 0, done.output
    return done.output.rstrip() + "\n"


def page() -> str:
    parts = [
        f"## {' '.join(['fairlead', *words])}\n\n```text\n{help_of(words)}```\n"
        for words in commands()
    ]
    return "\n".join([HEAD, *parts])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
