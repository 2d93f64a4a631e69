"""A request for an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ...core.errors import InvalidRequestError
from ..adaptations import Adaptations
from ..codec import Encoded
from ..values import encode_json
from .messages import MessageEncoder

if TYPE_CHECKING:
    from ...core.messages import Tool
    from ...core.requests import GenerateRequest

PATH = "/api/chat"
OPTIONS = {
    "max_tokens": "num_predict",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop_sequences": "stop",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}
"""What Ollama calls the options that stand below `options`."""
EFFORTS: dict[str, bool | str] = {
    "none": False,
    "low": "low",
    "medium": "medium",
    "high": "high",
    "max": "max",
}
"""What `think` says for each reasoning effort."""
_NEAREST = {"minimal": "low", "xhigh": "max"}
_OURS = {
    "model": "model=",
    "messages": "the prompt",
    "stream": "generate_stream()",
    "tools": "tools=",
    "format": "response_format=",
    "think": "reasoning_effort=",
    "logprobs": "logprobs=",
    "top_logprobs": "logprobs=",
}
_OUR_OPTIONS = {name: f"{option}=" for option, name in OPTIONS.items()} | {
    "num_ctx": "the provider's context_window="
}


def encode_generate(request: GenerateRequest, *, num_ctx: int, stream: bool) -> Encoded:
    """
    *request* in this format's words.

    Four things are sent that nobody asked for. `stream`, as the server streams by default.
    `num_ctx`, as its default depends on the memory of the machine, and may be as little as 4,096.
    `truncate` and `shift`, as it would else cut a prompt that is too long, or what an answer leaves
    no room for, without a word.

    Raises:
        UnsupportedOperationError: As `Codec.encode_generate` says.
        InvalidRequestError: `extra` holds what has an option of its own.
    """
    adaptations = Adaptations(strict=request.strict)
    body: dict[str, Any] = {
        "model": request.model,
        "messages": MessageEncoder(adaptations).encode(request.messages),
        "stream": stream,
        "truncate": False,
        "shift": False,
        "options": {"num_ctx": num_ctx, **_options(request)},
    }
    _add_effort(body, request, adaptations)
    _add_tools(body, request, adaptations)
    if request.schema is not None:
        body["format"] = request.schema
    if request.logprobs is not None and request.logprobs is not False:
        body["logprobs"] = True
        if request.logprobs is not True:
            body["top_logprobs"] = request.logprobs
    for name, value in request.extra.items():
        if name == "options" and isinstance(value, Mapping):
            merge(body["options"], cast("Mapping[str, Any]", value), _OUR_OPTIONS)
        else:
            merge(body, {name: value}, {**_OURS, "options": "a mapping of what Ollama takes there"})
    return Encoded(path=PATH, body=encode_json(body), warnings=adaptations.warnings)


def merge(body: dict[str, Any], extra: Mapping[str, Any], ours: Mapping[str, str]) -> None:
    """
    Put *extra* into *body*.

    Raises:
        InvalidRequestError: It holds one of *ours*.
    """
    for name, value in extra.items():
        if name in ours:
            msg = f"extra={{{name!r}: ...}} would overrule what fairlead writes; use {ours[name]}"
            raise InvalidRequestError(msg)
        body[name] = value


def _options(request: GenerateRequest) -> dict[str, Any]:
    values = {name: getattr(request, option) for option, name in OPTIONS.items()}
    return {name: value for name, value in values.items() if value is not None and value != ()}


def _add_effort(body: dict[str, Any], request: GenerateRequest, adaptations: Adaptations) -> None:
    effort = request.reasoning_effort
    if effort is None:
        return
    if effort in _NEAREST:
        nearest = _NEAREST[effort]
        adaptations.note(
            f"reasoning_effort={nearest!r} was sent, the nearest to {effort!r} that Ollama knows"
        )
        effort = nearest
    if effort in EFFORTS:
        body["think"] = EFFORTS[effort]
    else:
        adaptations.note(f"reasoning_effort={effort!r} was left out: Ollama does not know it")


def _add_tools(body: dict[str, Any], request: GenerateRequest, adaptations: Adaptations) -> None:
    choice = request.tool_choice
    if not request.tools:
        if choice is not None:
            adaptations.note("tool_choice was left out: there are no tools to choose from")
        return
    if choice == "none":
        return  # what is not offered is not called
    if choice not in {None, "auto"}:
        adaptations.note("tool_choice was left out: Ollama has no such option")
    if any(tool.strict for tool in request.tools):
        adaptations.note("strict was left out of the tools: Ollama has no such option")
    body["tools"] = [_tool(tool) for tool in request.tools]


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = dict(tool.parameters)
    return {"type": "function", "function": function}
