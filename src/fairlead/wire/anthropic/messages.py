"""Messages of a request."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from ...core.errors import InvalidRequestError, UnsupportedOperationError
from ...core.messages import (
    File,
    Image,
    Media,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from ..tool_ids import ToolCallIds
from ..values import as_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...core.messages import Message, Part
    from ..adaptations import Adaptations
    from .dialect import Dialect

Block = dict[str, Any]


class MessageEncoder:
    """
    The messages of one request.

    Attributes:
        system: The blocks of the system prompt.
        turns: The turns, of users and of the model in alternation, each with its blocks.
        blocks: The blocks that each message of the prompt has become, by its number.
    """

    def __init__(self, dialect: Dialect, adaptations: Adaptations) -> None:
        self.system: list[Block] = []
        self.turns: list[tuple[str, list[Block]]] = []
        self.blocks: list[list[Block]] = []
        self._dialect = dialect
        self._adaptations = adaptations
        self._ids = ToolCallIds(dialect.tool_call_id)

    def add(self, messages: Iterable[Message]) -> None:
        """
        Say *messages* in this format's words.

        Raises:
            InvalidRequestError: A tool says something else than results.
            UnsupportedOperationError: A part cannot be said, and the rest would mean another
                thing without it.
        """
        for message in messages:
            blocks = self._message(message.role, message.parts)
            self.blocks.append(blocks)
            if message.role is Role.SYSTEM:
                if self.turns and blocks:
                    self._adaptations.note(
                        "what the system says amid the conversation was moved before it: this "
                        "format has no other place for it"
                    )
                self.system += blocks
            elif blocks:
                self._turn("assistant" if message.role is Role.ASSISTANT else "user", blocks)

    def _turn(self, role: str, blocks: list[Block]) -> None:
        """Turns of one speaker are one turn, and results of tools come first in it."""
        if not self.turns or self.turns[-1][0] != role:
            self.turns.append((role, list(blocks)))
            return
        said = self.turns[-1][1]
        said += blocks
        if any(block["type"] == "tool_result" for block in blocks):
            said.sort(key=lambda block: block["type"] != "tool_result")

    def _message(self, role: Role, parts: Sequence[Part]) -> list[Block]:
        if role is Role.ASSISTANT:
            return self._assistant(parts)
        results = [part for part in parts if isinstance(part, ToolResult)]
        rest = [part for part in parts if not isinstance(part, ToolResult)]
        if role is Role.TOOL and rest:
            msg = "a message of a tool is made of ToolResult parts and nothing else"
            raise InvalidRequestError(msg)
        said = [self._part(part, role) for part in rest if not _is_blank(part)]
        return [*(self._result(result) for result in results), *said]

    def _assistant(self, parts: Sequence[Part]) -> list[Block]:
        if any(isinstance(part, ToolCall) for part in parts):
            self._ids.begin_turn()
        blocks: list[Block] = []
        for part in parts:
            if isinstance(part, (Text, Refusal)):
                if not _is_blank(part):
                    blocks.append({"type": "text", "text": part.text})
            elif isinstance(part, ToolCall):
                blocks.append(self._call(part))
            elif isinstance(part, Reasoning):
                blocks += self._give_back(part)
            else:
                kind = type(part).__name__.lower()
                self._adaptations.note(f"a part of type {kind} that the model had said was dropped")
        return blocks

    def _call(self, call: ToolCall) -> Block:
        try:
            arguments = call.parse()
        except ValueError:
            arguments = {"INVALID_JSON": call.arguments}
            self._adaptations.note(
                f"the arguments of a call of {call.name!r}, which are no JSON object, were sent "
                "as the text in one: this format takes nothing else"
            )
        block: Block = {
            "type": "tool_use",
            "id": self._ids.call(call.id),
            "name": call.name,
            "input": arguments,
        }
        if call.opaque is not None and self._understood(call.origin):
            block |= call.opaque
        return block

    def _give_back(self, part: Reasoning) -> list[Block]:
        """What the vendor has to be told again of what it has said."""
        if part.opaque is None or not self._understood(part.origin):
            return []
        block = dict(as_dict(part.opaque.get("block")))
        if block.get("type") == "thinking":
            block["thinking"] = part.text
        return [block] if block else []

    def _understood(self, origin: str | None) -> bool:
        if origin == self._dialect.origin:
            return True
        self._adaptations.note(
            f"an opaque part of {origin or 'unknown origin'} was dropped: only its origin "
            "understands it"
        )
        return False

    def _result(self, result: ToolResult) -> Block:
        block: Block = {"type": "tool_result", "tool_use_id": self._ids.result(result.call_id)}
        if isinstance(result.content, str):
            block["content"] = result.content
        else:
            block["content"] = [
                self._part(part, Role.TOOL) for part in result.content if not _is_blank(part)
            ]
        if result.error:
            block["is_error"] = True
        return block

    def _part(self, part: Part, role: Role) -> Block:
        """One part of what somebody other than the model says."""
        if isinstance(part, Text):
            return {"type": "text", "text": part.text}
        if isinstance(part, Image) and role is not Role.SYSTEM:
            if part.detail is not None:
                self._adaptations.note("the detail of a picture was left out: there is no such")
            return {"type": "image", "source": _source(part)}
        if isinstance(part, File) and role is not Role.SYSTEM:
            block: Block = {"type": "document", "source": _document(part)}
            if part.name is not None:
                block["title"] = part.name
            return block
        msg = f"a part of type {type(part).__name__} cannot be said by the {role} in this format"
        raise UnsupportedOperationError(msg)


def _is_blank(part: Part) -> bool:
    """Whether it is words and says nothing; the vendor refuses those."""
    return isinstance(part, (Text, Refusal)) and not part.text.strip()


def _source(media: Media) -> Block:
    media_type, data = _embedded(media)
    if data is None:
        return {"type": "url", "url": media.url}
    encoded = base64.b64encode(data).decode()
    return {"type": "base64", "media_type": media_type, "data": encoded}


def _document(file: File) -> Block:
    media_type, data = _embedded(file)
    if data is None or media_type == "application/pdf":
        return _source(file)
    if media_type.startswith("text/"):
        text = data.decode(errors="replace")
        return {"type": "text", "media_type": "text/plain", "data": text}
    msg = f"a File of type {media_type or 'unknown'} is not taken by this format: PDF and text are"
    raise UnsupportedOperationError(msg)


def _embedded(media: Media) -> tuple[str, bytes | None]:
    """The media type and the bytes of *media*; no bytes where they are somewhere else."""
    if media.data is not None:
        return (media.media_type or "").partition(";")[0], media.data
    head, marker, data = (media.url or "").partition(",")
    if not marker or not head.startswith("data:"):
        return "", None
    try:
        content = base64.b64decode(data, validate=True)
    except binascii.Error:
        content = b""
    if not head.endswith(";base64") or not content:
        raise InvalidRequestError("a data: address must hold base64, and not be empty")
    return head.removeprefix("data:").partition(";")[0], content
