"""What a person sees when something goes wrong."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..core.errors import FairleadError
from .output import columns, printable

if TYPE_CHECKING:
    from collections.abc import Generator

FAILED = 1
"""The exit status of whatever went wrong; typer's for what it cannot understand is 2."""
INTERRUPTED = 128 + signal.SIGINT
"""After Ctrl-C, as in any shell."""
PIPE_CLOSED = 128 + getattr(signal, "SIGPIPE", 13)
"""Whoever read the output has left, as in any shell."""


@contextmanager
def reported(*, debug: bool) -> Generator[None]:
    """Turn exceptions into one line on stderr, and an exit status; all of it with *debug*."""
    try:
        yield
    except (FairleadError, OSError, UnicodeError) as error:
        if isinstance(error, OSError):
            _give_up_stdout()
        if isinstance(error, BrokenPipeError):
            sys.exit(PIPE_CLOSED)
        if debug:
            raise
        say(f"error: {error}")
        sys.exit(FAILED)
    except KeyboardInterrupt:
        if debug:
            raise
        sys.exit(INTERRUPTED)


def say(line: str) -> None:
    """Tell the person *line*, beside the answer; in a terminal it is wrapped between words."""
    told = f"fairlead: {printable(line)}"
    width = columns(sys.stderr) if sys.stderr.isatty() else None
    if width is not None:
        told = textwrap.fill(told, max(width, 20), break_on_hyphens=False)
    print(told, file=sys.stderr, flush=True)


def _give_up_stdout() -> None:
    """Where no more can be written, keep the interpreter from trying once more at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
