"""Messages, as they are sent."""

from __future__ import annotations

import base64
import binascii
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...core.errors import InvalidRequestError, UnsupportedOperationError
from ...core.messages import Image, Reasoning, Refusal, Role, Text, ToolCall, ToolResult
from ..tool_ids import ToolCallIds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...core.messages import File, Message, Part
    from ..adaptations import Adaptations

ORIGIN = "ollama"
"""Marks the thoughts that are given back."""


class MessageEncoder:
    """The messages of one request, in order."""

    def __init__(self, adaptations: Adaptations) -> None:
        self._adaptations = adaptations
        self._encoded: list[dict[str, Any]] = []
        self._names: dict[str, str] = {}

    @cached_property
    def _ids(self) -> ToolCallIds:
        return ToolCallIds(r"[!-~]{1,64}")

    def encode(self, messages: Iterable[Message]) -> list[dict[str, Any]]:
        """
        *messages* in this format's words.

        Raises:
            InvalidRequestError: A tool says something else than results.
            UnsupportedOperationError: A part cannot be said.
        """
        for message in messages:
            results = [part for part in message.parts if isinstance(part, ToolResult)]
            rest = [part for part in message.parts if not isinstance(part, ToolResult)]
            for result in results:
                self._tool_result(result)
            if rest or not results:
                self._message(message.role, rest)
        return self._encoded

    def _message(self, role: Role, parts: Sequence[Part]) -> None:
        if role is Role.TOOL:
            msg = "a message of a tool is made of ToolResult parts and nothing else"
            raise InvalidRequestError(msg)
        if role is Role.ASSISTANT:
            self._assistant(parts)
        else:
            self._say(role.value, parts)

    def _say(self, role: str, parts: Iterable[Part], **more: str) -> None:
        words: list[str] = []
        images: list[str] = []
        for part in parts:
            if isinstance(part, Text):
                words.append(part.text)
            elif isinstance(part, Image):
                images.append(_picture(part))
            else:
                kind = type(part).__name__
                msg = f"a part of type {kind} cannot be said by the {role} to Ollama"
                raise UnsupportedOperationError(msg)
        message: dict[str, Any] = {"role": role, "content": "".join(words)}
        if images:
            message["images"] = images
        self._encoded.append(message | more)

    def _assistant(self, parts: Sequence[Part]) -> None:
        said = [part.text for part in parts if isinstance(part, (Text, Refusal))]
        message: dict[str, Any] = {"role": "assistant", "content": "".join(said)}
        calls: list[dict[str, Any]] = []
        for part in parts:
            if isinstance(part, Reasoning):
                if self._is_own(part):
                    message["thinking"] = message.get("thinking", "") + part.text
            elif isinstance(part, ToolCall):
                if not calls:
                    self._ids.begin_turn()
                calls.append(self._tool_call(part))
            elif not isinstance(part, (Text, Refusal)):
                kind = type(part).__name__.lower()
                self._adaptations.note(f"a part of type {kind} that the model had said was dropped")
        if calls:
            message["tool_calls"] = calls
        self._encoded.append(message)

    def _is_own(self, part: Reasoning) -> bool:
        if part.opaque is None:
            return False
        if part.origin == ORIGIN:
            return True
        self._adaptations.note(
            f"an opaque part of {part.origin or 'unknown origin'} was dropped: only its origin "
            "understands it"
        )
        return False

    def _tool_call(self, call: ToolCall) -> dict[str, Any]:
        try:
            arguments = call.parse()
        except ValueError:
            self._adaptations.note(
                f"the arguments of a call of {call.name} were sent as one text: this format takes "
                "only a JSON object, which they are not"
            )
            arguments = {"arguments": call.arguments}
        self._names[call.id] = call.name
        function = {"name": call.name, "arguments": arguments}
        return {"id": self._ids.call(call.id), "function": function}

    def _tool_result(self, result: ToolResult) -> None:
        """A result, with the tool's name, by which most templates match it."""
        name = result.name or self._names.get(result.call_id)
        parts = self._shown(result)
        call_id = self._ids.result(result.call_id)
        self._say("tool", parts, tool_call_id=call_id, **({"tool_name": name} if name else {}))

    def _shown(self, result: ToolResult) -> Sequence[Text | Image | File]:
        text = f"Error: {result.text}" if result.error else result.text
        content = () if isinstance(result.content, str) else result.content
        return [Text(text), *(part for part in content if not isinstance(part, Text))]


def _picture(image: Image) -> str:
    """The base64 of *image*, which must not be somewhere else."""
    if image.data is not None:
        return base64.b64encode(image.data).decode()
    head, _, data = (image.url or "").partition(";base64,")
    try:
        if head.startswith("data:") and data:
            base64.b64decode(data, validate=True)
            return data
    except binascii.Error:
        pass
    msg = "a picture by address is not taken by Ollama; give its bytes with data= and media_type="
    raise UnsupportedOperationError(msg)
