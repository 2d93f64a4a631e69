"""Requests, as a server reads them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from ....core.errors import InvalidRequestError
from ....core.messages import (
    Image,
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from ....core.requests import EmbedRequest, GenerateRequest, embed_request, generate_request
from ...served import object_in, wrong_types
from ...values import as_count, as_dict, as_list, as_str, encode_json
from ..encode import EFFORTS, OPTIONS

_OPTIONS = {name: option for option, name in OPTIONS.items()}
_READ = {
    *("model", "messages", "stream", "truncate", "shift", "options", "think", "tools", "format"),
    *("logprobs", "top_logprobs"),
}
_ROLES = {role.value: role for role in Role}
_THINK = {value: effort for effort, value in EFFORTS.items()} | {True: "medium"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedChat:
    """A request for an answer, and how the client wants it."""

    request: GenerateRequest
    stream: bool = True
    num_ctx: int | None = None
    truncate: bool = True


def decode_request(body: bytes) -> ServedChat:
    """
    What *body* asks for. Fields that fairlead has no option for are in `extra`.

    Raises:
        InvalidRequestError: It is no request of this format.
    """
    told = object_in(body)
    below = as_dict(told.get("options"))
    options: dict[str, Any] = {
        _OPTIONS[name]: value for name, value in below.items() if name in _OPTIONS
    }
    others = {name: value for name, value in below.items() if name not in {*_OPTIONS, "num_ctx"}}
    extra = {name: value for name, value in told.items() if name not in _READ}
    if others:
        extra["options"] = others
    think = told.get("think")
    options |= {
        "model": told.get("model"),
        "tools": [_tool(as_dict(tool)) for tool in as_list(told.get("tools"))],
        "response_format": _format(told.get("format")),
        "reasoning_effort": _THINK.get(think) if isinstance(think, (bool, str)) else None,
        "logprobs": told.get("top_logprobs", True) if told.get("logprobs") else None,
        "extra": extra,
    }
    prompt = [_message(as_dict(each), place) for place, each in enumerate(_messages(told))]
    with wrong_types():
        request, _ = generate_request(prompt, options)
    return ServedChat(
        request=request,
        stream=told.get("stream") is not False,
        num_ctx=as_count(below.get("num_ctx")),
        truncate=told.get("truncate") is not False,
    )


def decode_embed_request(body: bytes) -> EmbedRequest:
    """What *body* asks for. Raises as `decode_request` does."""
    told = object_in(body)
    texts = told.get("input")
    read = {"model", "input", "dimensions", "truncate"}
    options: dict[str, Any] = {
        "model": told.get("model"),
        "dimensions": told.get("dimensions"),
        "extra": {name: value for name, value in told.items() if name not in read},
    }
    with wrong_types():
        request, _ = embed_request([texts] if isinstance(texts, str) else as_list(texts), options)
    return request


def _messages(told: dict[str, Any]) -> list[Any]:
    messages = as_list(told.get("messages"))
    if not messages:
        msg = "'messages' is required, and must not be empty"
        raise InvalidRequestError(msg)
    return messages


def _message(told: dict[str, Any], place: int) -> Message:
    role = _ROLES.get(as_str(told.get("role")))
    if role is None:
        raise InvalidRequestError(f"messages[{place}].role must be one of {', '.join(_ROLES)}")
    text = as_str(told.get("content"))
    if role is Role.TOOL:
        return Message(
            role, ToolResult(as_str(told.get("tool_call_id")), text, name=told.get("tool_name"))
        )
    thought = as_str(told.get("thinking"))
    parts: list[Part] = [Reasoning(thought)] if thought else []
    calls = [_call(as_dict(call)) for call in as_list(told.get("tool_calls"))]
    images = [_image(data, place) for data in as_list(told.get("images"))]
    if text or not (calls or images):
        parts.append(Text(text))
    return Message(role, [*parts, *images, *calls])


def _image(data: object, place: int) -> Image:
    try:
        return Image(data=base64.b64decode(as_str(data), validate=True), media_type="image/png")
    except binascii.Error:
        msg = f"messages[{place}].images holds what is not valid base64"
        raise InvalidRequestError(msg) from None


def _call(told: dict[str, Any]) -> ToolCall:
    function = as_dict(told.get("function"))
    arguments = encode_json(as_dict(function.get("arguments"))).decode()
    return ToolCall(as_str(told.get("id")), as_str(function.get("name")), arguments)


def _tool(told: dict[str, Any]) -> Tool:
    function = as_dict(told.get("function"))
    name = as_str(function.get("name"))
    if not name:
        msg = "every entry of 'tools' must be a function with a name"
        raise InvalidRequestError(msg)
    description, parameters = function.get("description"), as_dict(function.get("parameters"))
    return Tool(name, description, parameters) if parameters else Tool(name, description)


def _format(told: object) -> dict[str, Any] | None:
    return {"type": "object"} if told == "json" else as_dict(told) or None
