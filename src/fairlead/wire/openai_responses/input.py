"""Messages of a request, as the items of this format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ...core.errors import UnsupportedOperationError
from ...core.messages import (
    Audio,
    File,
    Image,
    Media,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from ..openai_chat.messages import MessageEncoder, data_url, encode_part
from ..values import as_dict
from .answer import origin
from .output import CALL, CALLS, CUSTOM_CALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...core.messages import Part
    from ..adaptations import Adaptations
    from ..openai_chat import Dialect
    from ..openai_chat.rules import ModelRule


class InputEncoder(MessageEncoder):
    """The messages of one request, in order. As for Chat Completions, but item by item."""

    def __init__(self, dialect: Dialect, rule: ModelRule, adaptations: Adaptations) -> None:
        super().__init__(dialect, rule, adaptations)
        self._origin = origin(dialect)
        self._travels: dict[str, Mapping[str, Any]] = {}
        """By the id of a call, what has to be said of its result too."""

    def _say(self, role: str, parts: Sequence[Part]) -> None:
        self._encoded.append({"role": role, "content": _content(parts, role)})

    def _assistant(self, parts: Sequence[Part]) -> None:
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
            self._speak(said, phase)
            said, phase = [], None
            if isinstance(part, Reasoning):
                phase = self._hand_back(part)
            else:
                self._encoded.append(self._tool_call(cast("ToolCall", part)))
        self._speak(said, phase)
        if not parts:
            self._encoded.append({"role": "assistant", "content": ""})
        self._drop_unfollowed()

    def _speak(self, said: Sequence[Text | Refusal], phase: str | None) -> None:
        if not said:
            return
        item: dict[str, Any] = {"role": "assistant"}
        if any(isinstance(part, Refusal) for part in said):
            # Refusals have a place only in a message as the model itself writes it.
            content = [_output(part) for part in said]
            item |= {"type": "message", "status": "completed", "content": content}
        else:
            item["content"] = "".join(part.text for part in said)
        self._encoded.append(item if phase is None else item | {"phase": phase})

    def _hand_back(self, part: Reasoning) -> str | None:
        """Give an opaque record back; what it says of the message that follows is returned."""
        if not self._understood(part.origin):
            return None
        record = part.opaque or {}
        if item := as_dict(record.get("item")):
            self._encoded.append(item)
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
        self._encoded.append(item)

    def _drop_unfollowed(self) -> None:
        """Leave out reasoning at a turn's end, which is refused: an answer was cut there."""
        while self._encoded and self._encoded[-1].get("type") == "reasoning":
            self._encoded.pop()
            self._adaptations.note(
                "reasoning that nothing follows was left out: the vendor refuses it"
            )


def _content(parts: Sequence[Part], role: str) -> str | list[dict[str, Any]]:
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [_part(part, role) for part in parts] or ""


def _output(part: Text | Refusal) -> dict[str, Any]:
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    return {"type": "output_text", "text": part.text, "annotations": []}


def _part(part: Part, role: str) -> dict[str, Any]:
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
