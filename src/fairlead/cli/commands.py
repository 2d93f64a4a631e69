"""What a person can do in a conversation, besides talking."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..core.errors import ConfigurationError
from ..core.messages import Role
from .conversation import Conversation
from .failures import say
from .output import print_table

if TYPE_CHECKING:
    from ..sync import SyncProvider
    from .talk import Talk


def name_of(provider: SyncProvider) -> str:
    """Who answers, and with which model."""
    return ":".join(part for part in (provider.name, provider.model.name) if part)


class Command(NamedTuple):
    """A line that begins with its name and a slash."""

    run: Callable[[Talk, str], None]
    argument: str
    help: str


def _help(_: Talk, __: str) -> None:
    rows = [(f"/{name} {each.argument}", each.help) for name, each in COMMANDS.items()]
    print_table(("", ""), rows, file=sys.stderr)


def _system(talk: Talk, argument: str) -> None:
    if argument:
        talk.conversation.system = None if argument == "-" else argument
    else:
        say(f"system: {talk.conversation.system or 'none'}")


def _model(talk: Talk, argument: str) -> None:
    if argument:
        talk.change(argument)
    else:
        say(f"talking with {name_of(talk.provider)}")


def _clear(talk: Talk, _: str) -> None:
    talk.conversation.messages.clear()
    talk.last = None
    talk.keep()
    say("the conversation is empty")


def _undo(talk: Talk, _: str) -> None:
    message = talk.conversation.undo()
    talk.keep()
    say(f"taken back: {message.text}" if message else "there is nothing to take back")


def _retry(talk: Talk, _: str) -> None:
    messages = talk.conversation.messages
    said = [each for each in messages if each.role is Role.USER]
    if talk.last is None or (said and said[-1] is talk.last):
        talk.last = talk.conversation.undo() or talk.last
    if talk.last is None:
        say("there is nothing to ask again")
    else:
        talk.say(talk.last)


def _file(name: str, argument: str) -> Path:
    if not argument:
        raise ConfigurationError(f"/{name} needs the name of a file")
    return Path(argument).expanduser()


def _save(talk: Talk, argument: str) -> None:
    path = _file("save", argument)
    talk.conversation.save(path)
    say(f"saved to {path}")


def _load(talk: Talk, argument: str) -> None:
    path = _file("load", argument)
    talk.conversation = Conversation.load(path)
    talk.last = None
    talk.keep()
    say(f"{len(talk.conversation.messages)} messages of {path}")


def _tokens(talk: Talk, _: str) -> None:
    prompt = talk.conversation.prompt
    count = talk.provider.count_tokens(prompt) if prompt else None
    window = talk.provider.max_context_size
    how = "" if count is None or count.exact else ", estimated"
    say(f"{int(count or 0)} tokens{how}{f', of {window}' if window else ''}")


def _quit(talk: Talk, _: str) -> None:
    talk.left = True


COMMANDS: dict[str, Command] = {
    "help": Command(_help, "", "show these commands"),
    "system": Command(_system, "TEXT", "what the model should keep to; - for nothing"),
    "model": Command(_model, "NAME", "let another model, or vendor:model, answer"),
    "clear": Command(_clear, "", "forget what has been said"),
    "undo": Command(_undo, "", "take back the last turn and its answer"),
    "retry": Command(_retry, "", "ask the last turn again"),
    "save": Command(_save, "FILE", "write the conversation to a file: .json or .jsonl"),
    "load": Command(_load, "FILE", "go on with the conversation in a file"),
    "tokens": Command(_tokens, "", "count the tokens of the conversation"),
    "quit": Command(_quit, "", "leave"),
}
