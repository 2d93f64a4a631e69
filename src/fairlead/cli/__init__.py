"""The command line: `fairlead …`."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper


def main() -> None:
    """Run the command line and exit with its status."""
    from .failures import FAILED, reported, say

    closed = sys.stdout is None
    _open_what_is_closed()
    if closed:
        say("error: standard output is closed, so there is nowhere to print to")
        sys.exit(FAILED)
    # What the terminal cannot show is escaped rather than lost.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with reported(debug="--debug" in sys.argv[1:]):
        from .app import app

        app(prog_name="fairlead")


def _open_what_is_closed() -> None:
    """
    Lead standard streams that are closed nowhere.

    Python has None for them, which `print` takes for standard output, and the next file or
    socket that is opened would get their number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            stream = open(nowhere, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - for ever
            setattr(sys, name, stream)


if __name__ == "__main__":
    main()
