"""The command line: `fairlead …`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its status."""
    from .app import app
    from .failures import reported

    with reported(debug="--debug" in sys.argv[1:]):
        app(prog_name="fairlead")


if __name__ == "__main__":
    main()
