"""Requests, as a server reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....core.errors import InvalidRequestError
from ....core.messages import Message, Role, Tool
from ....core.requests import GenerateRequest, generate_request
from ...openai_chat import OPENAI, Dialect
from ...served import object_in, wrong_types
from ...values import as_dict, as_list, as_str
from ..answer import origin
from ..encode import ENCRYPTED, LOGPROBS, OPTIONS
from .items import decode_items

_OPTIONS = {name: option for option, name in OPTIONS.items() if name}
_READ = {
    *("model", "input", "instructions", "stream", "tools", "tool_choice", "top_logprobs"),
    *("include", "reasoning", "text", *_OPTIONS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedResponse:
    """A request for an answer, and how the client wants it."""

    request: GenerateRequest
    stream: bool = False


def decode_request(body: bytes, dialect: Dialect = OPENAI) -> ServedResponse:
    """
    What *body* asks for. Fields that fairlead has no option for are in `extra`.

    Raises:
        InvalidRequestError: It is no request of this format.
    """
    told = object_in(body)
    said = told.get("input")
    if not said:
        msg = "'input' is required, and must not be empty"
        raise InvalidRequestError(msg)
    items = [{"role": "user", "content": said}] if isinstance(said, str) else as_list(said)
    prompt = decode_items(map(as_dict, items), origin(dialect))
    if instructions := as_str(told.get("instructions")):
        prompt.insert(0, Message(Role.SYSTEM, instructions))
    tools = [as_dict(tool) for tool in as_list(told.get("tools"))]
    choice = told.get("tool_choice")
    options: dict[str, Any] = {
        **{_OPTIONS[name]: value for name, value in told.items() if name in _OPTIONS},
        "model": told.get("model"),
        "tools": [_tool(tool) for tool in tools if tool.get("type") == "function"],
        "tool_choice": as_str(choice) or as_str(as_dict(choice).get("name")) or None,
        "response_format": _schema(as_dict(as_dict(told.get("text")).get("format"))),
        "reasoning_effort": as_dict(told.get("reasoning")).get("effort"),
        "logprobs": _logprobs(told),
        "extra": _extra(told, [tool for tool in tools if tool.get("type") != "function"]),
    }
    with wrong_types():
        request, _ = generate_request(prompt, options)
    return ServedResponse(request=request, stream=told.get("stream") is True)


def _extra(told: dict[str, Any], tools: list[dict[str, Any]]) -> dict[str, Any]:
    extra = {name: value for name, value in told.items() if name not in _READ}
    if extra.get("store") is False:
        del extra["store"]
    for name, ours in {"reasoning": "effort", "text": "format"}.items():
        rest = {key: value for key, value in as_dict(told.get(name)).items() if key != ours}
        if rest:
            extra[name] = rest
    include = [each for each in as_list(told.get("include")) if each not in {ENCRYPTED, LOGPROBS}]
    return extra | ({"include": include} if include else {}) | ({"tools": tools} if tools else {})


def _tool(told: dict[str, Any]) -> Tool:
    name = as_str(told.get("name"))
    if not name:
        msg = "every function in 'tools' must have a name"
        raise InvalidRequestError(msg)
    parameters = as_dict(told.get("parameters"))
    return Tool(
        name,
        description=told.get("description"),
        strict=told.get("strict"),
        **({"parameters": parameters} if parameters else {}),
    )


def _schema(told: dict[str, Any]) -> dict[str, Any] | None:
    if told.get("type") == "json_object":
        return {"type": "object"}
    return as_dict(told.get("schema")) or None


def _logprobs(told: dict[str, Any]) -> int | bool | None:
    if LOGPROBS not in as_list(told.get("include")):
        return None
    top = told.get("top_logprobs")
    return top if isinstance(top, int) else True
