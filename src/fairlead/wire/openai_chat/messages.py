"""Messages of a request."""

from __future__ import annotations

import base64
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
from ..tool_ids import ToolCallIds
from ..values import as_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...core.messages import Message, Part
    from ..adaptations import Adaptations
    from .dialect import Dialect
    from .rules import ModelRule

AUDIO_FORMATS = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
}


class MessageEncoder:
    """The messages of one request, in order."""

    def __init__(self, dialect: Dialect, rule: ModelRule, adaptations: Adaptations) -> None:
        self._dialect = dialect
        self._origin = dialect.origin
        self._adaptations = adaptations
        self._system = "developer" if rule.developer else "system"
        self._held: list[Part] = []
        self._encoded: list[dict[str, Any]] = []

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
                self._release()
                self._message(message.role, rest)
        self._release()
        return self._encoded

    def _message(self, role: Role, parts: Sequence[Part]) -> None:
        if role is Role.ASSISTANT:
            self._assistant(parts)
        elif role is Role.TOOL:
            msg = "a message of a tool is made of ToolResult parts and nothing else"
            raise InvalidRequestError(msg)
        else:
            self._say(self._system if role is Role.SYSTEM else role.value, parts)

    def _say(self, role: str, parts: Sequence[Part]) -> None:
        content: str | list[dict[str, Any]]
        if len(parts) == 1 and isinstance(parts[0], Text):
            content = parts[0].text
        else:
            media = self._dialect.media
            content = [encode_part(part, role, media) for part in parts] or ""
        self._encoded.append({"role": role, "content": content})

    def _assistant(self, parts: Sequence[Part]) -> None:
        message: dict[str, Any] = {"role": "assistant", "content": None}
        refusal = "".join(part.text for part in parts if isinstance(part, Refusal))
        calls = [part for part in parts if isinstance(part, ToolCall)]
        words = Text if self._dialect.refusals else (Text, Refusal)
        texts = [part.text for part in parts if isinstance(part, words)]
        if texts or not (calls or refusal):
            message["content"] = "".join(texts)
        if refusal and self._dialect.refusals:
            message["refusal"] = refusal
        for part in parts:
            if isinstance(part, Reasoning):
                self._give_back(part, message)
            elif isinstance(part, Media):
                kind = type(part).__name__.lower()
                self._adaptations.note(f"a part of type {kind} that the model had said was dropped")
        thoughts = message.pop("thinking", None)
        if thoughts:
            message["content"] = [*thoughts, *({"type": "text", "text": text} for text in texts)]
        if calls:
            self._ids.begin_turn()
            message["tool_calls"] = [self._tool_call(call) for call in calls]
        self._encoded.append(message)

    def _tool_call(self, call: ToolCall) -> dict[str, Any]:
        function = {"name": call.name, "arguments": call.arguments or "{}"}
        encoded = {"id": self._ids.call(call.id), "type": "function", "function": function}
        if call.opaque is not None and self._understood(call.origin):
            encoded |= call.opaque
        return encoded

    def _give_back(self, part: Reasoning, message: dict[str, Any]) -> None:
        """Put reasoning into the field that the vendor wants it back in."""
        field = self._dialect.reasoning
        if part.opaque is None or not self._understood(part.origin) or field is None:
            return
        if field == "reasoning_details":
            message[field] = message.get(field, []) + as_list(part.opaque.get(field))
        elif field == "thinking":
            thought = {"type": "thinking", "thinking": [{"type": "text", "text": part.text}]}
            signature = part.opaque.get("signature")
            signed = {"signature": signature} if signature else {}
            message[field] = [*message.get(field, []), thought | signed]
        else:
            message[field] = message.get(field, "") + part.text

    def _understood(self, origin: str | None) -> bool:
        if origin == self._origin:
            return True
        self._adaptations.note(
            f"an opaque part of {origin or 'unknown origin'} was dropped: only its origin "
            "understands it"
        )
        return False

    def _tool_result(self, result: ToolResult) -> None:
        """A result; pictures and files have no place in it and follow from the user."""
        content = f"Error: {result.text}" if result.error else result.text
        media = [part for part in result.content if isinstance(part, (Image, File))]
        if media:
            self._adaptations.note(
                "pictures and files of a tool's result were sent as the user's: this format "
                "takes only text from tools"
            )
            self._held += media
        call_id = self._ids.result(result.call_id)
        self._encoded.append({"role": "tool", "tool_call_id": call_id, "content": content})

    def _release(self) -> None:
        """Say what had to wait, because results must follow their calls without a break."""
        if self._held:
            self._say("user", self._held)
            self._held = []


def encode_part(part: Part, role: str, media: str = "openai") -> dict[str, Any]:
    """One part of what somebody other than the model says, in the words of `Dialect.media`."""
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Image) and role != Role.SYSTEM:
        image = {"url": part.url or data_url(part)}
        if part.detail is not None:
            image["detail"] = part.detail
        return {"type": "image_url", "image_url": image}
    if isinstance(part, Audio):
        media_type, data = _embedded(part)
        if media == "mistral":
            return {"type": "input_audio", "input_audio": data}
        kind = AUDIO_FORMATS.get(media_type) or media_type.rpartition("/")[2]
        return {"type": "input_audio", "input_audio": {"data": data, "format": kind}}
    if isinstance(part, File):
        if media == "mistral":
            named = {"document_name": part.name} if part.name else {}
            return {"type": "document_url", "document_url": part.url or data_url(part), **named}
        _embedded(part)
        file = {"filename": part.name or "file", "file_data": part.url or data_url(part)}
        return {"type": "file", "file": file}
    msg = f"a part of type {type(part).__name__} cannot be said by the {role} in this format"
    raise UnsupportedOperationError(msg)


def data_url(media: Media) -> str:
    """The bytes of *media* as an address."""
    return f"data:{media.media_type};base64,{base64.b64encode(media.data or b'').decode()}"


def _embedded(media: Media) -> tuple[str, str]:
    """The media type and the base64 of *media*, which must not be somewhere else."""
    if media.data is not None:
        return media.media_type or "", base64.b64encode(media.data).decode()
    head, _, data = (media.url or "").partition(";base64,")
    if not data or not head.startswith("data:"):
        msg = (
            f"{type(media).__name__} by address is not taken by this format; "
            "give its bytes with data= and media_type="
        )
        raise UnsupportedOperationError(msg)
    return head.removeprefix("data:").partition(";")[0], data
