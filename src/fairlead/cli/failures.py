"""What a person sees when something goes wrong."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..core.errors import FairleadError

if TYPE_CHECKING:
    from collections.abc import Generator

FAILED = 1
INTERRUPTED = 128 + signal.SIGINT
PIPE_CLOSED = 128 + getattr(signal, "SIGPIPE", 13)


@contextmanager
def reported(*, debug: bool) -> Generator[None]:
    """Turn exceptions into one line on stderr, and an exit status; all of it with *debug*."""
    try:
        yield
    except (FairleadError, OSError, UnicodeError) as error:
        if isinstance(error, BrokenPipeError):
            _silence_stdout()
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
    """Tell the person *line*, beside the answer."""
    shown = "".join(char if char.isprintable() else " " for char in line)
    print("fairlead:", " ".join(shown.split()), file=sys.stderr, flush=True)


def _silence_stdout() -> None:
    """Nobody reads any more: keep the interpreter from flushing into a closed pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
