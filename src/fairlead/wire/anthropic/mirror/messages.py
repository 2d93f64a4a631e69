"""Messages, as a server reads them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from ....core.errors import InvalidRequestError
from ....core.messages import (
    File,
    Image,
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from ...values import as_dict, as_list, as_str

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_CARRIED = ("caller", "toolset_name")


def decode_text(told: object) -> list[Part]:
    """The words of a system prompt, a string or a list of blocks."""
    if isinstance(told, str):
        return [Text(told)] if told else []
    return [Text(as_str(as_dict(block).get("text"))) for block in as_list(told)]


def decode_message(told: dict[str, Any], place: int, origin: str | None) -> list[Message]:
    """
    The messages that *told*, number *place* of the request, stands for.

    Results of tools are messages of their own.

    Raises:
        InvalidRequestError: It is none.
    """
    role = _ROLES.get(as_str(told.get("role")))
    if role is None:
        raise InvalidRequestError(f"messages[{place}].role must be one of {', '.join(_ROLES)}")
    content = told.get("content")
    if isinstance(content, str):
        return [Message(role, content)]
    try:
        parts = [
            part
            for block in as_list(content)
            if (part := _part(as_dict(block), origin)) is not None
        ]
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"messages[{place}].content: {error}") from None
    results = [part for part in parts if isinstance(part, ToolResult)]
    rest = [part for part in parts if not isinstance(part, ToolResult)]
    said = [Message(role, rest)] if rest or not results else []
    return [*(Message(Role.TOOL, result) for result in results), *said]


def _part(told: dict[str, Any], origin: str | None) -> Part | None:
    """What a block stands for; None for an opaque one whose origin is not known."""
    kind = as_str(told.get("type"))
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(told)
    if kind == "tool_use":
        return _call(told, origin)
    if not kind:
        msg = "every part must have a type"
        raise ValueError(msg)
    return None if origin is None else _opaque(kind, told, origin)


def _opaque(kind: str, told: dict[str, Any], origin: str) -> Reasoning:
    if kind != "thinking":
        return Reasoning("", {"block": told}, origin)
    block = {"type": kind, "signature": as_str(told.get("signature"))}
    return Reasoning(as_str(told.get("thinking")), {"block": block}, origin)


def _call(told: dict[str, Any], origin: str | None) -> ToolCall:
    arguments = json.dumps(as_dict(told.get("input")), ensure_ascii=False)
    call = (as_str(told.get("id")), as_str(told.get("name")), arguments)
    carried = {name: told[name] for name in _CARRIED if told.get(name)}
    return ToolCall(*call, carried, origin) if carried and origin else ToolCall(*call)


def _result(told: dict[str, Any]) -> ToolResult:
    content: object = told.get("content", "")
    if not isinstance(content, str):
        parts = [_part(as_dict(block), None) for block in as_list(content)]
        content = tuple(part for part in parts if isinstance(part, (Text, Image, File)))
    return ToolResult(as_str(told.get("tool_use_id")), content, error=told.get("is_error") is True)


def _located(source: dict[str, Any]) -> dict[str, Any]:
    """Where a picture or a file is, or what is in it."""
    kind, data = as_str(source.get("type")), as_str(source.get("data"))
    if kind == "url":
        return {"url": as_str(source.get("url")) or None}
    if kind == "text":
        return {"data": data.encode(), "media_type": "text/plain"}
    if kind != "base64":
        msg = f"a source of type {kind!r} is not understood"
        raise ValueError(msg)
    try:
        content = base64.b64decode(data, validate=True)
    except binascii.Error:
        msg = "the data of a source are not valid base64"
        raise ValueError(msg) from None
    return {"data": content, "media_type": as_str(source.get("media_type"))}


_READERS: dict[str, Callable[[dict[str, Any]], Part]] = {
    "text": lambda told: Text(as_str(told.get("text"))),
    "image": lambda told: Image(**_located(as_dict(told.get("source")))),
    "document": lambda told: File(**_located(as_dict(told.get("source"))), name=told.get("title")),
    "tool_result": _result,
}
