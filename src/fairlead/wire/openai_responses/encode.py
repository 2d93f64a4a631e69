"""A request for an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...core.errors import InvalidRequestError
from ..adaptations import Adaptations
from ..codec import Encoded
from ..openai_chat.encode import Limits, asked_effort, encode_format, merge_extra
from ..openai_chat.rules import rule_for
from ..values import as_list, encode_json
from .input import InputEncoder

if TYPE_CHECKING:
    from ...core.messages import Tool
    from ...core.requests import GenerateRequest
    from ..openai_chat import Dialect
    from ..openai_chat.rules import ModelRule

PATH = "/responses"
OPTIONS: dict[str, str | None] = {
    "max_tokens": "max_output_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": None,
    "stop_sequences": None,
    "seed": None,
    "frequency_penalty": None,
    "presence_penalty": None,
}
"""What the format calls the options; None is what it does not have."""
ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"
_CHOICES = {"auto", "none", "required"}
_OURS: dict[str | None, str] = {
    "model": "model=",
    "input": "the prompt",
    "stream": "generate_stream()",
    "tool_choice": "tool_choice=",
    "top_logprobs": "logprobs=",
    **{name: f"{option}=" for option, name in OPTIONS.items() if name},
}
_OURS_WITHIN: dict[str, dict[str | None, str]] = {
    "reasoning": {"effort": "reasoning_effort="},
    "text": {"format": "response_format="},
}
_LISTS = ("include", "tools")
"""Fields in which what the caller wants besides stands after what fairlead writes."""


def encode_generate(request: GenerateRequest, dialect: Dialect, *, stream: bool) -> Encoded:
    """
    *request* in this format's words.

    Two things are sent that nobody asked for. `store: false`, because the vendor keeps every
    answer otherwise; and to models that reason the wish for their reasoning in encrypted form,
    because they cannot go on from it otherwise where nothing is stored.

    Raises:
        UnsupportedOperationError: As `Codec.encode_generate` says.
        InvalidRequestError: `extra` holds what has an option of its own.
    """
    adaptations = Adaptations(strict=request.strict)
    rule = rule_for(request.model or "", dialect.rules)
    items = InputEncoder(dialect, rule, adaptations).encode(request.messages)
    body: dict[str, Any] = {"model": request.model, "input": items, "store": False}
    if rule.effort is not None:
        body["include"] = [ENCRYPTED]
    effort = asked_effort(request, rule, adaptations)
    if effort is not None:
        body["reasoning"] = {"effort": effort}
    _add_options(body, request, rule, effort or rule.effort, adaptations)
    if request.tools:
        body["tools"] = [encode_tool(tool) for tool in request.tools]
    told = encode_format(request, dialect, adaptations)
    if told is not None:
        body["text"] = {"format": told}
    if stream:
        body["stream"] = True
    _add_extra(body, request.extra)
    _add_choice(body, request.tool_choice, adaptations)
    return Encoded(path=PATH, body=encode_json(body), warnings=adaptations.warnings)


def encode_tool(tool: Tool) -> dict[str, Any]:
    """
    *tool* in this format's words.

    Here a tool is strict if nothing is said, and most schemas are refused then; so it is said.
    """
    told: dict[str, Any] = {"type": "function", "name": tool.name}
    if tool.description is not None:
        told["description"] = tool.description
    return {**told, "parameters": dict(tool.parameters), "strict": tool.strict or False}


def _add_options(
    body: dict[str, Any],
    request: GenerateRequest,
    rule: ModelRule,
    effort: str | None,
    adaptations: Adaptations,
) -> None:
    limits = Limits(rule, reasons=effort not in {None, "none"})
    for option, name in OPTIONS.items():
        value = getattr(request, option)
        if value is None or value == ():
            continue
        reason = limits.against(option, value)
        if name is None:
            reason = "the Responses format has no such option"
        if reason is not None or name is None:
            adaptations.note(f"{option} was left out: {reason}")
        else:
            body[name] = value
    if request.logprobs is None or request.logprobs is False:
        return
    if (reason := limits.against("logprobs", None)) is not None:
        adaptations.note(f"logprobs was left out: {reason}")
        return
    body["include"] = [*body.get("include", ()), LOGPROBS]
    if request.logprobs is not True:
        body["top_logprobs"] = request.logprobs


def _add_choice(body: dict[str, Any], choice: str | None, adaptations: Adaptations) -> None:
    if choice is None:
        return
    if not body.get("tools"):
        adaptations.note("tool_choice was left out: there are no tools to choose from")
    elif choice in _CHOICES:
        body["tool_choice"] = choice
    else:
        body["tool_choice"] = {"type": "function", "name": choice}


def _add_extra(body: dict[str, Any], extra: Mapping[str, Any]) -> None:
    """Put *extra* into *body*: into what stands there already, where it is a part of that."""
    plain = dict(extra)
    for name in _LISTS:
        if name in plain:
            more = _of_kind(name, plain.pop(name), (list, tuple), "a list")
            body[name] = [*as_list(body.get(name)), *more]
    for name, ours in _OURS_WITHIN.items():
        if name in plain:
            more = _of_kind(name, plain.pop(name), (Mapping,), "a mapping")
            within: dict[str, Any] = body.setdefault(name, {})
            merge_extra(within, more, ours)
    merge_extra(body, plain, _OURS)


def _of_kind(name: str, value: Any, kinds: tuple[type, ...], wanted: str) -> Any:
    if isinstance(value, kinds):
        return value
    raise InvalidRequestError(f"extra={{{name!r}: ...}} must be {wanted} in the Responses format")
