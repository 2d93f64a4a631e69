"""Turns that a person types, or that a pipe holds."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

PROMPT, MORE = "> ", "… "
QUOTES = '"""'
REMEMBERED = 1000
"""Lines of the history."""


def is_typed() -> bool:
    """Whether a person types."""
    return sys.stdin.isatty()


def turn() -> str:
    """
    What is said next. A backslash at the end of a line, or `QUOTES` round several, join lines.

    Raises:
        EOFError: Nothing is.
        ConfigurationError: It is no text, or a pipe ends inside of `QUOTES`.
    """
    line = _line(PROMPT)
    if line.lstrip().startswith(QUOTES):
        return _quoted(line.lstrip().removeprefix(QUOTES))
    lines = [line]
    while lines[-1].endswith("\\"):
        lines[-1] = lines[-1].removesuffix("\\")
        try:
            lines.append(_line(MORE))
        except EOFError:
            break
    return "\n".join(lines)


def _quoted(line: str) -> str:
    lines: list[str] = []
    while not line.rstrip().endswith(QUOTES):
        lines.append(line)
        try:
            line = _line(MORE)
        except EOFError:
            if is_typed():  # Ctrl-D ends it
                return "\n".join(lines).strip("\n")
            msg = f"{QUOTES} is opened and never closed"
            raise ConfigurationError(msg) from None
    return "\n".join([*lines, line.rstrip().removesuffix(QUOTES)]).strip("\n")


def _line(prompt: str) -> str:
    if is_typed() and sys.stdout.isatty():
        return input(prompt)
    if is_typed():  # the answers go elsewhere, and prompts do not belong there
        print(prompt, end="", file=sys.stderr, flush=True)
    line = sys.stdin.buffer.readline()
    if not line:
        raise EOFError
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        msg = f"a line of standard input is not UTF-8 text (at byte {error.start})"
        raise ConfigurationError(msg) from error


@contextmanager
def editing(history: Path | None, words: Sequence[str]) -> Generator[None]:
    """
    Let lines be edited, and completed with *words*; without readline they are only read.

    Args:
        history: Where they are remembered; None is nowhere.
        words: What the first word of a line may be completed to.
    """
    try:
        import readline
    except ImportError:  # not every platform has it
        yield
        return
    if not is_typed():
        yield
        return

    def complete(text: str, state: int) -> str | None:
        matches = [word for word in words if text and word.startswith(text)]
        return f"{matches[state]} " if state < len(matches) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" \t\n")
    is_libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
    readline.set_history_length(REMEMBERED)
    if history is not None:
        with suppress(OSError):
            readline.read_history_file(history)
    try:
        yield
    finally:
        if history is not None:
            with suppress(OSError):
                history.parent.mkdir(parents=True, exist_ok=True)
                history.touch(mode=0o600)
                readline.write_history_file(history)
