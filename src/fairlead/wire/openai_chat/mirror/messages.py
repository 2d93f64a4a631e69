"""Messages, as a server reads them."""

from __future__ import annotations

import base64
import binascii
from typing import Any

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
from ...values import as_dict, as_list, as_str

ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
}
AUDIO_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav"}


def decode_message(told: dict[str, Any], place: int) -> Message:
    """
    The message that *told*, number *place* of the request, stands for.

    Raises:
        InvalidRequestError: It is none.
    """
    role = ROLES.get(as_str(told.get("role")))
    if role is None:
        raise InvalidRequestError(f"messages[{place}].role must be one of {', '.join(ROLES)}")
    parts = _content(told.get("content"), place)
    if role is Role.TOOL:
        return Message(role, (_tool_result(told, parts),))
    if role is Role.ASSISTANT:
        parts = _assistant(told, parts)
    return Message(role, parts)


def _tool_result(told: dict[str, Any], parts: list[Part]) -> ToolResult:
    text = "".join(part.text for part in parts if isinstance(part, Text))
    return ToolResult(as_str(told.get("tool_call_id")), text, name=told.get("name"))


def _assistant(told: dict[str, Any], parts: list[Part]) -> list[Part]:
    reasoning = as_str(told.get("reasoning_content"))
    refusal = as_str(told.get("refusal"))
    return [
        *([Reasoning(reasoning)] if reasoning else []),
        *parts,
        *([Refusal(refusal)] if refusal else []),
        *(_tool_call(as_dict(call)) for call in as_list(told.get("tool_calls"))),
    ]


def _tool_call(told: dict[str, Any]) -> ToolCall:
    function = as_dict(told.get("function"))
    return ToolCall(
        as_str(told.get("id")), as_str(function.get("name")), as_str(function.get("arguments"))
    )


def _content(told: object, place: int) -> list[Part]:
    if isinstance(told, str):
        return [Text(told)]
    try:
        return [_part(as_dict(part)) for part in as_list(told)]
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"messages[{place}].content: {error}") from None


def _part(told: dict[str, Any]) -> Part:
    kind = as_str(told.get("type"))
    detail = as_dict(told.get(kind))
    if kind == "text":
        return Text(as_str(told.get("text")))
    if kind == "refusal":
        return Refusal(as_str(told.get("refusal")))
    if kind == "image_url":
        return Image(**located(as_str(detail.get("url"))), detail=detail.get("detail"))
    if kind == "input_audio":
        sound = as_str(detail.get("format"))
        data = base64.b64decode(as_str(detail.get("data")), validate=True)
        return Audio(data=data, media_type=AUDIO_TYPES.get(sound, f"audio/{sound}"))
    if kind == "file":
        return File(**located(as_str(detail.get("file_data"))), name=detail.get("filename"))
    msg = f"parts of type {kind!r} are not understood"
    raise ValueError(msg)


def located(url: str) -> dict[str, Any]:
    """Where a picture or a file is, or what is in it."""
    head, marker, data = url.partition(";base64,")
    if not marker or not head.startswith("data:"):
        return {"url": url or None}
    try:
        content = base64.b64decode(data, validate=True)
    except binascii.Error:
        msg = "a data: address is not valid base64"
        raise ValueError(msg) from None
    return {"data": content, "media_type": head.removeprefix("data:")}
