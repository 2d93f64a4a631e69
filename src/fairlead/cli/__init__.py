"""The command line: `fairlead …`."""

from __future__ import annotations

import sys
from io import TextIOWrapper


def main() -> None:
    """Run the command line and exit with its status."""
    from .failures import reported

    # What the terminal cannot show is escaped rather than lost.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with reported(debug="--debug" in sys.argv[1:]):
        from .app import app

        app(prog_name="fairlead")


if __name__ == "__main__":
    main()
