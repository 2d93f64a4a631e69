"""Requests, as a server reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....core.errors import InvalidRequestError
from ....core.messages import Message, Role, Tool
from ....core.requests import GenerateRequest, generate_request
from ...values import as_dict, as_list, as_str, decode_json
from .messages import decode_message, decode_text

_OPTIONS = ("max_tokens", "temperature", "top_p", "top_k", "stop_sequences")
_READ = frozenset(
    {
        *("model", "messages", "system", "stream", "tools", "tool_choice", "output_config"),
        *_OPTIONS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedMessages:
    """A request for an answer, and how the client wants it."""

    request: GenerateRequest
    stream: bool = False


def decode_request(body: bytes, *, origin: str | None = None) -> ServedMessages:
    """
    What *body* asks for. Fields that fairlead has no option for are in `extra`.

    Args:
        body: As it came.
        origin: Whose opaque parts the client gives back; without it they are left out.

    Raises:
        InvalidRequestError: It is no request of this format.
    """
    told = _object(body)
    prompt = _system(told.get("system"))
    messages = as_list(told.get("messages"))
    if not messages:
        msg = "'messages' is required, and must not be empty"
        raise InvalidRequestError(msg)
    for place, message in enumerate(messages):
        prompt += decode_message(as_dict(message), place, origin)
    config = dict(as_dict(told.get("output_config")))
    shape = as_dict(config.pop("format", None))
    effort = config.pop("effort", None)
    extra = {name: value for name, value in told.items() if name not in _READ}
    extra |= {"output_config": config} if config else {}
    mine, others = _tools(as_list(told.get("tools")))
    extra |= {"tools": others} if others else {}
    choice = as_dict(told.get("tool_choice"))
    if "disable_parallel_tool_use" in choice:
        extra["disable_parallel_tool_use"] = choice["disable_parallel_tool_use"]
    options: dict[str, Any] = {
        **{name: told[name] for name in _OPTIONS if name in told},
        "model": told.get("model"),
        "tools": mine,
        "tool_choice": _tool_choice(choice) if mine else None,
        "response_format": as_dict(shape.get("schema")) or None,
        "reasoning_effort": effort,
        "extra": extra,
    }
    try:
        request, _ = generate_request(prompt, options)
    except TypeError as error:
        raise InvalidRequestError(str(error)) from None
    return ServedMessages(request=request, stream=told.get("stream") is True)


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = as_dict(decode_json(body))
    except ValueError:
        told = {}
    if not told:
        msg = "the body of the request is no JSON object"
        raise InvalidRequestError(msg)
    return told


def _system(told: object) -> list[Message]:
    parts = decode_text(told)
    return [Message(Role.SYSTEM, parts)] if parts else []


def _tools(told: list[Any]) -> tuple[list[Tool], list[dict[str, Any]]]:
    """The client's own tools, and those of the vendor, which have a type."""
    mine: list[Tool] = []
    others: list[dict[str, Any]] = []
    for tool in map(as_dict, told):
        if as_str(tool.get("type")) not in {"", "custom"}:
            others.append(tool)
            continue
        name = as_str(tool.get("name"))
        if not name:
            msg = "every entry of 'tools' must have a name"
            raise InvalidRequestError(msg)
        parameters = as_dict(tool.get("input_schema"))
        mine.append(
            Tool(
                name,
                description=tool.get("description"),
                strict=tool.get("strict"),
                **({"parameters": parameters} if parameters else {}),
            )
        )
    return mine, others


def _tool_choice(told: dict[str, Any]) -> str | None:
    kind = as_str(told.get("type"))
    if kind == "any":
        return "required"
    return as_str(told.get("name")) if kind == "tool" else kind or None
