"""Items of a request, as a server reads them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from ....core.errors import InvalidRequestError
from ....core.messages import (
    Audio,
    File,
    Image,
    Message,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from ...openai_chat.mirror.messages import AUDIO_TYPES, ROLES, located
from ...values import as_dict, as_list, as_str
from ..output import CALLS, CUSTOM_CALL

if TYPE_CHECKING:
    from collections.abc import Iterable

_OUTPUTS = {f"{kind}_output" for kind in CALLS}
_TRAVELS = ("namespace", "caller")


def decode_items(told: Iterable[dict[str, Any]], origin: str) -> list[Message]:
    """
    The messages that the items *told* stand for; what the model said at a stretch is one.

    Args:
        told: The items.
        origin: That of what only the vendor understands.

    Raises:
        InvalidRequestError: One is no item.
    """
    messages: list[Message] = []
    for place, item in enumerate(told):
        message = _message(item, origin, place)
        if messages and message.role is messages[-1].role is Role.ASSISTANT:
            message = Message(Role.ASSISTANT, (*messages.pop().parts, *message.parts))
        messages.append(message)
    return messages


def _message(item: dict[str, Any], origin: str, place: int) -> Message:
    kind = as_str(item.get("type")) or "message"
    if kind in _OUTPUTS:
        output = item.get("output")
        content = output if isinstance(output, str) else tuple(_content(output, place))
        return Message(Role.TOOL, ToolResult(as_str(item.get("call_id")), content))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    if kind in CALLS:
        return Message(Role.ASSISTANT, _call(item, kind, origin))
    if kind != "message":
        return Message(Role.ASSISTANT, Reasoning("", {"item": item}, origin))
    role = ROLES.get(as_str(item.get("role")))
    if role is None:
        raise InvalidRequestError(f"input[{place}].role must be one of {', '.join(ROLES)}")
    parts = _content(item.get("content"), place)
    if phase := item.get("phase"):
        parts.insert(0, Reasoning("", {"phase": phase}, origin))
    return Message(role, tuple(parts))


def _call(item: dict[str, Any], kind: str, origin: str) -> ToolCall:
    opaque = {name: item[name] for name in _TRAVELS if item.get(name)}
    if kind == CUSTOM_CALL:
        opaque["type"] = CUSTOM_CALL
    said = (as_str(item.get("call_id")), as_str(item.get("name")), as_str(item.get(CALLS[kind])))
    return ToolCall(*said, opaque, origin) if opaque else ToolCall(*said)


def _content(told: object, place: int) -> list[Part]:
    if isinstance(told, str):
        return [Text(told)]
    try:
        return [_part(as_dict(part)) for part in as_list(told)]
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"input[{place}].content: {error}") from None


def _part(told: dict[str, Any]) -> Part:
    kind = as_str(told.get("type"))
    if kind in {"input_text", "output_text"}:
        return Text(as_str(told.get("text")))
    if kind == "refusal":
        return Refusal(as_str(told.get("refusal")))
    if kind == "input_image":
        detail = told.get("detail")
        return Image(
            **located(as_str(told.get("image_url"))), detail=None if detail == "auto" else detail
        )
    if kind == "input_file":
        where = as_str(told.get("file_data")) or as_str(told.get("file_url"))
        return File(**located(where), name=told.get("filename"))
    if kind == "input_audio":
        sound = as_dict(told.get("input_audio"))
        data = base64.b64decode(as_str(sound.get("data")), validate=True)
        spoken = as_str(sound.get("format"))
        return Audio(data=data, media_type=AUDIO_TYPES.get(spoken, f"audio/{spoken}"))
    msg = f"parts of type {kind!r} are not understood"
    raise ValueError(msg)
