"""Conversations in files: JSON, or JSONL with a message on each line."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, cast

from ..core.errors import ConfigurationError
from ..core.messages import (
    Audio,
    File,
    Image,
    Message,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from .prompts import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ..core.messages import Part

KINDS: dict[str, Callable[..., Part]] = {
    "text": Text,
    "image": Image,
    "audio": Audio,
    "file": File,
    "reasoning": Reasoning,
    "refusal": Refusal,
    "tool_call": ToolCall,
    "tool_result": ToolResult,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


@dataclass(slots=True)
class Conversation:
    """What has been said, and what the model should keep to."""

    messages: list[Message] = field(default_factory=list[Message])
    system: str | None = None

    @property
    def prompt(self) -> list[Message]:
        """All of it."""
        return [*([Message.system(self.system)] if self.system else []), *self.messages]

    def undo(self) -> Message | None:
        """Take back the last turn of the user and what answered it; None if there is none."""
        while self.messages:
            last = self.messages.pop()
            if last.role is Role.USER:
                return last
        return None

    def save(self, path: Path) -> None:
        """
        Write it to *path*, which nobody else may read; as JSONL where its name says so.

        Raises:
            ConfigurationError: It cannot be written.
        """
        messages = [encoded(message) for message in self.prompt]
        if path.suffix == ".jsonl":
            text = "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in messages)
        else:
            text = json.dumps({"messages": messages}, ensure_ascii=False, indent=2) + "\n"
        fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(fresh, "w", encoding="utf-8", opener=_private) as file:
                file.write(text)
            fresh.replace(path)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink()
            msg = f"{path} cannot be written: {error.strerror or error}"
            raise ConfigurationError(msg) from error

    @classmethod
    def load(cls, path: Path) -> Conversation:
        """
        The conversation in *path*.

        Raises:
            ConfigurationError: There is none.
        """
        text = read_text(path)
        try:
            if path.suffix == ".jsonl":
                listed: Any = [json.loads(line) for line in text.splitlines() if line.strip()]
            else:
                listed = json.loads(text)["messages"]
            messages = [decoded(each) for each in listed]
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            msg = f"{path} holds no conversation: {type(error).__name__}: {error}"
            raise ConfigurationError(msg) from error
        system = "\n\n".join(each.text for each in messages if each.role is Role.SYSTEM)
        return cls([each for each in messages if each.role is not Role.SYSTEM], system or None)


def encoded(message: Message) -> dict[str, Any]:
    """*message* as JSON writes it; one that is only words has them as `content`."""
    if [type(part) for part in message.parts] == [Text]:
        return {"role": str(message.role), "content": message.text}
    return {"role": str(message.role), "parts": [_part(part) for part in message.parts]}


def decoded(told: Mapping[str, Any]) -> Message:
    """
    The message that `encoded` wrote; also those of Chat Completions that are only words.

    Raises:
        ValueError: It is none; also `LookupError` and `TypeError`.
    """
    if "parts" in told:
        return Message(told["role"], _parts(told["parts"]))
    content = told["content"]
    if not isinstance(content, str):
        msg = "the content of a message must be text"
        raise TypeError(msg)
    return Message(told["role"], content)


def _part(part: Part) -> dict[str, Any]:
    values = {entry.name: getattr(part, entry.name) for entry in fields(part)}
    if isinstance(part, ToolResult):
        values |= {"call": part.call_id, "name": part.tool}
        if not isinstance(part.content, str):
            values["content"] = [_part(inner) for inner in part.content]
    if values.get("data") is not None:
        values["data"] = b64encode(values["data"]).decode()
    told = {name: value for name, value in values.items() if value is not None}
    return {"type": _NAMES[type(part)], **told}


def _parts(told: Iterable[Mapping[str, Any]]) -> tuple[Part, ...]:
    parts: list[Part] = []
    for each in told:
        values = dict(each)
        kind = KINDS[values.pop("type")]
        if "data" in values:
            values["data"] = b64decode(values["data"], validate=True)
        if isinstance(values.get("content"), list):
            values["content"] = _parts(cast("list[Mapping[str, Any]]", values["content"]))
        parts.append(kind(**values))
    return tuple(parts)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
