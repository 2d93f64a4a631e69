"""`fairlead chat`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .asked import Asked, takes


@takes(Asked)
def chat(
    asked: Asked,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="A conversation to go on with, as /save has written it."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", "-r", help="Go on with FILE, or with the last one.")
    ] = False,
    system: Annotated[
        str | None,
        typer.Option("--system", "-s", metavar="TEXT", help="What the model should keep to."),
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option("--max-tokens", metavar="NUMBER", help="How long an answer may be."),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option("--temperature", "-t", metavar="NUMBER", help="How freely the model chooses."),
    ] = None,
    no_history: Annotated[
        bool,
        typer.Option("--no-history", help="Remember nothing: neither lines nor the conversation."),
    ] = False,
) -> None:
    r"""
    Talk with a model, turn by turn.

    Ctrl-C stops an answer and keeps what came of it; Ctrl-D leaves. A line that ends with \ goes
    on in the next, and three double quotes stand round what has several lines. /help lists the
    commands. From a pipe every line is a turn.

    For example:

      fairlead chat

      fairlead chat --system "Answer in one sentence." --model gpt-5.6-luna

      fairlead chat --resume talk.json

      printf 'My name is Ada.\nWhat is my name?\n' | fairlead chat --offline
    """
    from ..adapters.stores.places import state_folder
    from ..core.requests import GenerateOptions
    from .commands import COMMANDS
    from .conversation import Conversation
    from .lines import editing
    from .talk import Talk

    folder = None if no_history else state_folder()
    last = folder / "last-chat.json" if folder else None
    conversation = Conversation()
    if resume or file is not None:
        conversation = Conversation.load(_resumed(file, last))
    if system is not None:
        conversation.system = system
    options = GenerateOptions(max_tokens=max_tokens, temperature=temperature, timeout=asked.timeout)
    talk = Talk(asked, conversation, options, autosave=last)
    with editing(folder / "history" if folder else None, [f"/{name}" for name in COMMANDS]):
        failed = talk.run()
    if failed:
        sys.exit(1)


def _resumed(file: Path | None, last: Path | None) -> Path:
    from ..core.errors import ConfigurationError

    if file is not None:
        return file
    if last is None:
        msg = "--no-history remembers no conversation; name a file to resume"
        raise ConfigurationError(msg)
    if not last.exists():
        raise ConfigurationError("there is no conversation to resume yet; start one: fairlead chat")
    return last
