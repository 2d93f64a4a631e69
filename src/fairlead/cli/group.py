"""The command `fairlead` itself: finds the command that is meant, and reports what goes wrong."""

from __future__ import annotations

import shlex
import sys
from difflib import get_close_matches
from typing import Any

from .failures import reported
from .narrow import Group


class Commands(Group):
    """Its commands. A question in place of one is told where it belongs."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that *args* begin with."""
        word = args[0]
        known = self.list_commands(ctx)
        if not word.startswith("-") and not get_close_matches(word, known, n=1):
            ctx.fail(
                f"there is no command {word!r}; to ask a model, write:\n\n"
                f"  fairlead generate {shlex.join(args)}"
            )
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """
        Run the command that is meant.

        Exceptions are reported here and not further out, where typer has its own ways: a reader
        that has left is an ordinary failure to it.
        """
        with reported(debug="--debug" in sys.argv[1:]):
            return super().invoke(ctx)
