"""A conversation as it goes on: turns, answers and commands."""

from __future__ import annotations

import sys
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

import anyio

from ..assembly.vendors import is_known
from ..core.errors import ConfigurationError, FairleadError
from ..core.messages import Message
from ..settings import load
from ..sync import SyncProvider
from . import lines
from .answers import print_event, tell
from .choice import opened
from .commands import COMMANDS, name_of
from .failures import in_words, say

if TYPE_CHECKING:
    from pathlib import Path

    from ..core.requests import GenerateOptions
    from ..core.results import Generation
    from .asked import Asked
    from .conversation import Conversation


class Talk:
    """
    Talks with a person, or with a pipe that holds turns.

    Connections are kept from turn to turn.

    Args:
        asked: Who answers.
        conversation: What has been said before.
        options: What holds for every answer.
        autosave: Where the conversation is kept after every turn; None is nowhere.
    """

    def __init__(
        self,
        asked: Asked,
        conversation: Conversation,
        options: GenerateOptions,
        *,
        autosave: Path | None,
    ) -> None:
        self.conversation = conversation
        self.last: Message | None = None
        """The user's last turn, answered or not."""
        self.left = False
        self._asked = asked
        self._options = options
        self._autosave = autosave
        self.provider: SyncProvider = _opened(asked)
        """Who answers."""

    def run(self) -> bool:
        """Talk until the person leaves; returns whether a turn of a pipe failed."""
        try:
            if not lines.is_typed():
                return self._piped()
            say(f"talking with {name_of(self.provider)}; /help lists commands, Ctrl-D leaves")
            self._typed()
            return False
        finally:
            self.provider.close()

    def _typed(self) -> None:
        while not self.left:
            try:
                self.take(lines.turn())
            except EOFError:
                print(file=sys.stderr)
                return
            except KeyboardInterrupt:
                print(file=sys.stderr)
            except FairleadError as error:
                say(f"error: {in_words(error)}")

    def _piped(self) -> bool:
        while not self.left:
            try:
                self.take(lines.turn())
            except EOFError:
                return False
            except FairleadError as error:
                say(f"error: {in_words(error)}")
                return True
        return False

    def take(self, text: str) -> None:
        """
        Do what a line says: a command, or a turn.

        Raises:
            FairleadError: It could not be done.
        """
        if text.startswith("/") and not text.startswith("//"):
            name, _, argument = text.removeprefix("/").partition(" ")
            found = COMMANDS.get(name)
            if found is None:
                near = get_close_matches(name, COMMANDS, n=1, cutoff=0.4)
                hint = f"did you mean /{near[0]}?" if near else "/help lists all"
                raise ConfigurationError(f"there is no command /{name}; {hint}")
            found.run(self, argument.strip())
        elif text.strip():
            self.say(Message.user(text.removeprefix("/") if text.startswith("//") else text))

    def say(self, message: Message) -> None:
        """
        Take a turn of the user, and print the answer to it.

        What has arrived of an answer that is interrupted stays in the conversation.

        Raises:
            ProviderError: There is no answer.
            KeyboardInterrupt: The person stopped it.
        """
        self.last = message
        prompt = [*self.conversation.prompt, message]
        with self.provider.generate_stream(prompt, **self._options) as stream:
            try:
                for event in stream.events():
                    print_event(event)
            except BaseException:
                stream.cancel()
                if stream.generation:
                    print(flush=True)
                raise
            finally:
                self._take_in(message, stream.generation)
        tell(stream.generation)

    def _take_in(self, message: Message, generation: Generation) -> None:
        if generation.message.parts:
            self.conversation.messages += [message, generation.message]
            self.keep()

    def keep(self) -> None:
        """Keep the conversation as it is now, for `--resume`; where that fails, it is said once."""
        if self._autosave is None:
            return
        try:
            self.conversation.save(self._autosave)
        except ConfigurationError as error:
            self._autosave = None
            say(f"warning: the conversation is not kept: {error}")

    def change(self, name: str) -> None:
        """
        Let another model answer, or another provider.

        Raises:
            FairleadError: It cannot be asked; the present one goes on.
        """
        before = name.partition(":")[0]
        if before in load(file=self._asked.config).section("providers") or is_known(before):
            # What was said about the one before, its key above all, is not meant for this one.
            asked = replace(
                self._asked,
                provider=name,
                model=None,
                base_url=None,
                api_key_env=None,
                offline=False,
            )
        else:
            asked = replace(self._asked, model=name)
        provider = _opened(asked)
        self.provider.close()
        self._asked, self.provider = asked, provider
        say(f"talking with {name_of(provider)}")


def _opened(asked: Asked) -> SyncProvider:
    return SyncProvider(anyio.run(opened, asked))
