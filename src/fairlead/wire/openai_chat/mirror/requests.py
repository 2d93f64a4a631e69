"""Requests, as a server reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....core.errors import InvalidRequestError
from ....core.messages import Tool
from ....core.requests import EmbedRequest, GenerateRequest, embed_request, generate_request
from ...served import object_in, wrong_types
from ...values import as_dict, as_list, as_str
from ..dialect import FIELDS
from .messages import decode_message

_OPTIONS: dict[str, str] = {
    "max_completion_tokens": "max_tokens",
    **{name: option for option, name in FIELDS.items() if name and option != "dimensions"},
}
_READ = {
    *("model", "messages", "stream", "stream_options", "tools", "tool_choice"),
    *("response_format", "logprobs", "top_logprobs", *_OPTIONS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedChat:
    """A request for an answer, and how the client wants it."""

    request: GenerateRequest
    stream: bool = False
    include_usage: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedEmbed:
    """A request for vectors, and how the client wants them."""

    request: EmbedRequest
    base64: bool = False


def decode_request(body: bytes) -> ServedChat:
    """
    What *body* asks for. Fields that fairlead has no option for are in `extra`.

    Raises:
        InvalidRequestError: It is no request of this format.
    """
    told = object_in(body)
    messages = as_list(told.get("messages"))
    if not messages:
        msg = "'messages' is required, and must not be empty"
        raise InvalidRequestError(msg)
    options: dict[str, Any] = {
        _OPTIONS[name]: value for name, value in told.items() if name in _OPTIONS
    }
    if isinstance(options.get("stop_sequences"), str):
        options["stop_sequences"] = [options["stop_sequences"]]
    options |= {
        "model": told.get("model"),
        "tools": [_tool(as_dict(tool)) for tool in as_list(told.get("tools"))],
        "tool_choice": _tool_choice(told.get("tool_choice")),
        "response_format": _response_format(as_dict(told.get("response_format"))),
        "logprobs": _logprobs(told),
        "extra": {name: value for name, value in told.items() if name not in _READ},
    }
    prompt = [decode_message(as_dict(message), place) for place, message in enumerate(messages)]
    with wrong_types():
        request, _ = generate_request(prompt, options)
    return ServedChat(
        request=request,
        stream=told.get("stream") is True,
        include_usage=as_dict(told.get("stream_options")).get("include_usage") is True,
    )


def decode_embed_request(body: bytes) -> ServedEmbed:
    """What *body* asks for. Raises as `decode_request` does."""
    told = object_in(body)
    texts = told.get("input")
    read = {"model", "input", "dimensions", "encoding_format"}
    options: dict[str, Any] = {
        "model": told.get("model"),
        "dimensions": told.get("dimensions"),
        "extra": {name: value for name, value in told.items() if name not in read},
    }
    with wrong_types():
        request, _ = embed_request([texts] if isinstance(texts, str) else as_list(texts), options)
    if not request.texts:
        msg = "'input' must be a text or a list of texts, and not empty"
        raise InvalidRequestError(msg)
    return ServedEmbed(request=request, base64=told.get("encoding_format") == "base64")


def _tool(told: dict[str, Any]) -> Tool:
    function = as_dict(told.get("function"))
    name = as_str(function.get("name"))
    if not name:
        msg = "every entry of 'tools' must be a function with a name"
        raise InvalidRequestError(msg)
    parameters = as_dict(function.get("parameters"))
    return Tool(
        name,
        description=function.get("description"),
        strict=function.get("strict"),
        **({"parameters": parameters} if parameters else {}),
    )


def _tool_choice(told: object) -> str | None:
    name = as_dict(as_dict(told).get("function")).get("name")
    return as_str(told) or as_str(name) or None


def _response_format(told: dict[str, Any]) -> dict[str, Any] | None:
    if told.get("type") == "json_object":
        return {"type": "object"}
    return as_dict(as_dict(told.get("json_schema")).get("schema")) or None


def _logprobs(told: dict[str, Any]) -> int | bool | None:
    if not told.get("logprobs"):
        return None
    top = told.get("top_logprobs")
    return top if isinstance(top, int) else True
