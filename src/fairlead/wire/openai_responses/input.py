"""Messages of a request, as the items of this format."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...core.errors import InvalidRequestError, UnsupportedOperationError
from ...core.messages import (
    Audio,
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
from ..openai_chat.messages import data_url, encode_part
from ..tool_ids import ToolCallIds
from ..values import as_dict
from .answer import origin
from .output import CALL, CALLS, CUSTOM_CALL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeAlias

    from ...core.messages import Message
    from ..adaptations import Adaptations
    from ..openai_chat import Dialect
    from ..openai_chat.rules import ModelRule

    _Spoken: TypeAlias = Text | Image | Audio | File | Reasoning | Refusal | ToolCall


class InputEncoder:
    """The messages of one request, in order."""

    def __init__(self, dialect: Dialect, rule: ModelRule, adaptations: Adaptations) -> None:
        self._dialect = dialect
        self._origin = origin(dialect)
        self._adaptations = adaptations
        self._system = "developer" if rule.developer else "system"
        self._items: list[dict[str, Any]] = []
        self._travels: dict[str, Mapping[str, Any]] = {}
        """By the id of a call, what has to be said of its result too."""

    @cached_property
    def _ids(self) -> ToolCallIds:
        return ToolCallIds(self._dialect.tool_call_id)

    def encode(self, messages: Iterable[Message]) -> list[dict[str, Any]]:
        """
        *messages* in this format's words.

        Raises:
            InvalidRequestError: A tool says something else than results.
            UnsupportedOperationError: A part cannot be said, and the rest would mean another
                thing without it.
        """
        for message in messages:
            results = [part for part in message.parts if isinstance(part, ToolResult)]
            rest = [part for part in message.parts if not isinstance(part, ToolResult)]
            for result in results:
                self._tool_result(result)
            if rest or not results:
                self._message(message.role, rest)
        return self._items

    def _message(self, role: Role, parts: Sequence[_Spoken]) -> None:
        if role is Role.ASSISTANT:
            self._assistant(parts)
        elif role is Role.TOOL:
            msg = "a message of a tool is made of ToolResult parts and nothing else"
            raise InvalidRequestError(msg)
        else:
            name = self._system if role is Role.SYSTEM else role.value
            self._items.append({"role": name, "content": _content(parts, name)})

    def _assistant(self, parts: Sequence[_Spoken]) -> None:
        """What the model said, item by item; a part of several texts is one message."""
        if any(isinstance(part, ToolCall) for part in parts):
            self._ids.begin_turn()
        said: list[Text | Refusal] = []
        phase: str | None = None
        for part in parts:
            if isinstance(part, (Text, Refusal)):
                said.append(part)
                continue
            if isinstance(part, Media):
                kind = type(part).__name__.lower()
                self._adaptations.note(f"a part of type {kind} that the model had said was dropped")
                continue
            if isinstance(part, Reasoning) and part.opaque is None:
                continue
            self._say(said, phase)
            said, phase = [], None
            if isinstance(part, Reasoning):
                phase = self._give_back(part)
            else:
                self._items.append(self._tool_call(part))
        self._say(said, phase)
        if not parts:
            self._items.append({"role": "assistant", "content": ""})
        self._drop_unfollowed()

    def _say(self, said: Sequence[Text | Refusal], phase: str | None) -> None:
        if not said:
            return
        item: dict[str, Any] = {"role": "assistant"}
        if any(isinstance(part, Refusal) for part in said):
            # Refusals have a place only in a message as the model itself writes it.
            content = [_output(part) for part in said]
            item |= {"type": "message", "status": "completed", "content": content}
        else:
            item["content"] = "".join(part.text for part in said)
        self._items.append(item if phase is None else item | {"phase": phase})

    def _give_back(self, part: Reasoning) -> str | None:
        """Give an opaque record back; what it says of the message that follows is returned."""
        if not self._understood(part.origin):
            return None
        record = part.opaque or {}
        if item := as_dict(record.get("item")):
            self._items.append(item)
        return record.get("phase")

    def _tool_call(self, call: ToolCall) -> dict[str, Any]:
        opaque: Mapping[str, Any] = {}
        if call.opaque is not None and self._understood(call.origin):
            opaque = call.opaque
        kind = CUSTOM_CALL if opaque.get("type") == CUSTOM_CALL else CALL
        id_ = self._ids.call(call.id)
        self._travels[id_] = opaque
        said = call.arguments or ("{}" if kind == CALL else "")
        named = {"type": kind, "call_id": id_, "name": call.name, CALLS[kind]: said}
        return {**opaque, **named}

    def _tool_result(self, result: ToolResult) -> None:
        output: str | list[dict[str, Any]] = (
            f"Error: {result.text}" if result.error else result.text
        )
        if not isinstance(result.content, str) and any(
            isinstance(part, Media) for part in result.content
        ):
            told = ([Text("Error:")] if result.error else []) + list(result.content)
            output = [_part(part, "tool") for part in told]
        id_ = self._ids.result(result.call_id)
        travels = self._travels.get(id_, {})
        kind = CUSTOM_CALL if travels.get("type") == CUSTOM_CALL else CALL
        item: dict[str, Any] = {"type": f"{kind}_output", "call_id": id_, "output": output}
        if "caller" in travels:
            item["caller"] = travels["caller"]
        self._items.append(item)

    def _understood(self, whose: str | None) -> bool:
        if whose == self._origin:
            return True
        self._adaptations.note(
            f"an opaque part of {whose or 'unknown origin'} was dropped: only its origin "
            "understands it"
        )
        return False

    def _drop_unfollowed(self) -> None:
        """Leave out reasoning at a turn's end, which is refused: an answer was cut there."""
        while self._items and self._items[-1].get("type") == "reasoning":
            self._items.pop()
            self._adaptations.note(
                "reasoning that nothing follows was left out: the vendor refuses it"
            )


def _content(parts: Sequence[_Spoken], role: str) -> str | list[dict[str, Any]]:
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [_part(part, role) for part in parts] or ""


def _output(part: Text | Refusal) -> dict[str, Any]:
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    return {"type": "output_text", "text": part.text, "annotations": []}


def _part(part: _Spoken, role: str) -> dict[str, Any]:
    """One part of what somebody other than the model says."""
    if isinstance(part, Text):
        return {"type": "input_text", "text": part.text}
    if isinstance(part, Image):
        # The format insists on `detail`; "auto" is what it means everywhere else to leave it out.
        url = part.url or data_url(part)
        return {"type": "input_image", "image_url": url, "detail": part.detail or "auto"}
    if isinstance(part, File):
        return {"type": "input_file", **_file(part)}
    if isinstance(part, Audio):
        return encode_part(part, role)
    msg = f"a part of type {type(part).__name__} cannot be said by the {role} in this format"
    raise UnsupportedOperationError(msg)


def _file(part: File) -> dict[str, Any]:
    if part.url is not None and not part.url.startswith("data:"):
        return {"file_url": part.url}
    return {"filename": part.name or "file", "file_data": part.url or data_url(part)}
