"""The commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from . import budget, cache, config, tokens
from .chat import chat
from .count import count
from .embed import embed
from .explain import explain
from .generate import generate
from .group import Commands
from .listing import health, models, providers
from .narrow import Group
from .usage import usage

EXITS = (
    "Exit status: 0, all is well; 1, it failed; 2, the command was not understood; 130, Ctrl-C; "
    "141, whoever read the output has left."
)

app: typer.Typer = typer.Typer(
    cls=Commands,
    epilog=EXITS,
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """
    Ask language models from the command line.

    For example:

      fairlead generate "Why is the sky blue?"
    """


def version(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """
    Print the version.

    For example:

      fairlead version --json
    """
    import platform

    from .. import __version__
    from .output import print_json

    if as_json:
        print_json({"fairlead": __version__, "python": platform.python_version()})
    else:
        print(f"fairlead {__version__}")


_COMMANDS: tuple[Callable[..., None], ...] = (
    generate,
    chat,
    embed,
    count,
    providers,
    models,
    health,
    explain,
    usage,
)
for _command in _COMMANDS:
    app.command()(_command)
app.add_typer(budget.app, name="budget", cls=Group)
app.add_typer(config.app, name="config", cls=Group)
app.add_typer(cache.app, name="cache", cls=Group)
app.add_typer(tokens.app, name="tokens", cls=Group)
app.command()(version)
