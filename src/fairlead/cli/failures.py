"""What a person sees when something goes wrong."""

from __future__ import annotations

import os
import re
import signal
import sys
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..core.errors import FairleadError, ProviderError
from ..core.results import Generation as Answer
from .output import columns, print_json, printable

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

FAILED = 1
"""The exit status of whatever went wrong; typer's for what it cannot understand is 2."""
INTERRUPTED = 128 + signal.SIGINT
"""After Ctrl-C, as in any shell."""
PIPE_CLOSED = 128 + getattr(signal, "SIGPIPE", 13)
"""Whoever read the output has left, as in any shell."""

_WORDS = (
    (r"give api_(?:key|token)=", "name the variable that holds it with --api-key-env"),
    (r"give (?:access_token|project)=, or set", "set"),
    (r"give model=", "give --model"),
    (r"give base_url=", "give its address with --base-url"),
    (r"model=('[^']*')", r"--model \1"),
    (r"or name it in code", "or name it with --fallback"),
    (r"\(allow_plain_http=True, --allow-plain-http\)", "with --allow-plain-http"),
    (r"(?<![\w.])max_tokens(?= must )", "--max-tokens"),
    (r"(?<![\w.])(temperature|timeout|dimensions)(?= must )", r"--\1"),
    (r"give the provider one, or name the variable", "name the variable"),
    (r" on the command line\b", ""),
)
"""The library's words for what is an option here."""
_SECONDS = re.compile(r"\d+\.\d{4,}(?= (?:s|seconds)\b)")


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
        say(f"error: {in_words(error)}")
        sys.exit(FAILED)
    except KeyboardInterrupt:
        if debug:
            raise
        sys.exit(INTERRUPTED)


@contextmanager
def told_as_json(wanted: bool) -> Generator[None]:
    """Print what goes wrong as JSON too, if that is *wanted*; it passes on."""
    try:
        yield
    except FairleadError as error:
        if wanted:
            print_json(error_as_json(error))
        raise


def error_as_json(error: FairleadError) -> dict[str, Any]:
    """What programs are told of *error*, beside what had arrived before it."""
    from .answers import attempts_as_json, generation_as_json

    at_provider = error if isinstance(error, ProviderError) else None
    arrived = at_provider and at_provider.partial
    wait = at_provider.retry_after if at_provider else None
    return {
        **(generation_as_json(arrived) if isinstance(arrived, Answer) else {}),
        "error": {
            "type": type(error).__name__,
            "message": in_words(error),
            "status": at_provider and at_provider.status_code,
            "retry_after": None if wait is None else round(wait, 3),
            "provider": at_provider and at_provider.provider,
            "attempts": attempts_as_json(at_provider.attempts if at_provider else ()),
        },
    }


def in_words(error: BaseException) -> str:
    """*error* in one line, with the options by which it can be helped."""
    first, *others = str(error).split("\n  ")
    joined = f"{first.rstrip(':')}: {'; '.join(others)}" if others else first
    return printable(plainly(joined))


def plainly(message: str) -> str:
    """*message* in the words of the command line, seconds with three digits at most."""
    for words, ours in _WORDS:
        message = re.sub(words, ours, message)
    return _SECONDS.sub(lambda found: f"{float(found[0]):.3f}", message)


def say(line: str) -> None:
    """Tell the person *line*, beside the answer; in a terminal it is wrapped between words."""
    told = f"fairlead: {printable(line)}"
    width = columns(sys.stderr) if sys.stderr.isatty() else None
    if width is not None:
        told = textwrap.fill(told, max(width, 20), break_on_hyphens=False)
    print(told, file=sys.stderr, flush=True)


def warn(*warnings: str) -> None:
    """Say each of *warnings* in a line of its own."""
    for warning in warnings:
        say(f"warning: {plainly(warning)}")


def _give_up_stdout() -> None:
    """Where no more can be written, keep the interpreter from trying once more at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
