"""A request for an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.errors import InvalidRequestError, UnsupportedOperationError
from ..adaptations import Adaptations
from ..codec import Encoded
from ..values import encode_json
from .messages import MessageEncoder
from .rules import rule_for
from .schemas import closed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...core.messages import Tool
    from ...core.requests import GenerateRequest
    from .dialect import Dialect
    from .rules import ModelRule

PATH = "/chat/completions"
_OPTIONS = (
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "seed",
    "frequency_penalty",
    "presence_penalty",
)
_CHOICES = {"auto", "none", "required"}
_OURS: dict[str | None, str] = {
    "model": "model=",
    "messages": "the prompt",
    "stream": "generate_stream()",
    "stream_options": "nothing: usage is asked for anyway",
    "tools": "tools=",
    "tool_choice": "tool_choice=",
    "response_format": "response_format=",
    "logprobs": "logprobs=",
    "top_logprobs": "logprobs=",
    "max_completion_tokens": "max_tokens=",
}
"""Fields that fairlead writes whatever the vendor calls its options, and what to use for them."""


def encode_generate(request: GenerateRequest, dialect: Dialect, *, stream: bool) -> Encoded:
    """
    *request* in this format's words.

    Raises:
        UnsupportedOperationError: As `Codec.encode_generate` says.
        InvalidRequestError: `extra` holds what has an option of its own.
    """
    adaptations = Adaptations(strict=request.strict)
    rule = rule_for(request.model or "", dialect.rules)
    messages = MessageEncoder(dialect, rule, adaptations)
    body: dict[str, Any] = {"model": request.model, "messages": messages.encode(request.messages)}
    effort = _effort(request, dialect, rule, adaptations)
    if effort is not None:
        body["reasoning_effort"] = effort
    reasons = (effort or rule.effort) not in {None, "none"}
    _add_options(body, request, dialect, Limits(rule, reasons=reasons), adaptations)
    _add_tools(body, request, adaptations)
    _add_format(body, request, dialect, adaptations)
    if stream:
        body["stream"] = True
        if dialect.usage_in_stream and not dialect.usage_unasked:
            body["stream_options"] = {"include_usage": True}  # else no usage is told at all
    if request.extra:
        options = (*_OPTIONS, "reasoning_effort")
        spelled = {dialect.field(option): f"{option}=" for option in options}
        merge_extra(body, request.extra, _OURS | spelled)
    return Encoded(path=PATH, body=encode_json(body), warnings=adaptations.warnings)


def merge_extra(
    body: dict[str, Any], extra: Mapping[str, Any], ours: Mapping[str | None, str]
) -> None:
    """
    Put *extra* into *body*.

    Args:
        body: What has been written so far.
        extra: What the caller wants besides.
        ours: Fields that fairlead writes, and what to use for them.

    Raises:
        InvalidRequestError: It holds one of *ours*.
    """
    for name, value in extra.items():
        if name in ours:
            msg = f"extra={{{name!r}: ...}} would overrule what fairlead writes; use {ours[name]}"
            raise InvalidRequestError(msg)
        body[name] = value


class Limits:
    """What a model does not take in one request."""

    def __init__(self, rule: ModelRule, *, reasons: bool) -> None:
        self._rule = rule
        self._reasons = reasons

    def against(self, option: str, value: object) -> str | None:
        """Why *option* cannot be sent."""
        if option in self._rule.refuses and not (option == "temperature" and value == 1):
            return "this model does not take it"
        if option in self._rule.refuses_reasoning and self._reasons and value != 1:
            return "this model takes it only with reasoning_effort='none'"
        return None


def asked_effort(
    request: GenerateRequest, rule: ModelRule, adaptations: Adaptations, *, taken: bool = True
) -> str | None:
    """
    The reasoning effort that was asked for, as far as the model knows it.

    Args:
        request: What is asked.
        rule: What the model does not take.
        adaptations: Where it is said that the effort is left out.
        taken: Whether the vendor takes any.
    """
    effort = request.reasoning_effort
    if effort is None:
        return None
    if not taken or "reasoning_effort" in rule.refuses:
        adaptations.note("reasoning_effort was left out: this model does not take it")
        return None
    if effort in rule.refuses_efforts:
        adaptations.note(f"reasoning_effort={effort!r} was left out: this model does not know it")
        return None
    return effort


def _effort(
    request: GenerateRequest, dialect: Dialect, rule: ModelRule, adaptations: Adaptations
) -> str | None:
    """The reasoning effort to send."""
    taken = dialect.field("reasoning_effort") is not None
    effort = asked_effort(request, rule, adaptations, taken=taken)
    if not (request.tools and rule.tools_or_reasoning):
        return effort
    if (effort or rule.effort) == "none":
        return effort
    if effort is not None or "none" in rule.refuses_efforts:
        msg = (
            f"{request.model} takes tools over Chat Completions only with "
            "reasoning_effort='none'; set that, or use the Responses format"
        )
        raise UnsupportedOperationError(msg)
    adaptations.note(
        f"reasoning_effort='none' was sent: {request.model} takes tools over Chat Completions "
        "only so; the Responses format has both"
    )
    return "none"


def _add_options(
    body: dict[str, Any],
    request: GenerateRequest,
    dialect: Dialect,
    limits: Limits,
    adaptations: Adaptations,
) -> None:
    for option in _OPTIONS:
        value = getattr(request, option)
        if value is None or value == ():
            continue
        name = dialect.field(option)
        reason = limits.against(option, value)
        if name is None:
            reason = f"{dialect.name} has no such option"
        if reason is not None or name is None:
            adaptations.note(f"{option} was left out: {reason}")
        else:
            body[name] = value
    if request.logprobs is None or request.logprobs is False:
        return
    reason = limits.against("logprobs", None)
    if reason is not None:
        adaptations.note(f"logprobs was left out: {reason}")
        return
    body["logprobs"] = True
    if request.logprobs is not True:
        body["top_logprobs"] = request.logprobs


def _add_tools(body: dict[str, Any], request: GenerateRequest, adaptations: Adaptations) -> None:
    choice = request.tool_choice
    if request.tools:
        body["tools"] = [encode_tool(tool) for tool in request.tools]
        if choice is not None:
            named = {"type": "function", "function": {"name": choice}}
            body["tool_choice"] = choice if choice in _CHOICES else named
    elif choice is not None:
        adaptations.note("tool_choice was left out: there are no tools to choose from")


def encode_tool(tool: Tool) -> dict[str, Any]:
    """*tool* in this format's words."""
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = dict(tool.parameters)
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _add_format(
    body: dict[str, Any], request: GenerateRequest, dialect: Dialect, adaptations: Adaptations
) -> None:
    told = encode_format(request, dialect, adaptations)
    if told is None:
        return
    kind = told.pop("type")
    body["response_format"] = {"type": kind, kind: told} if told else {"type": kind}


def encode_format(
    request: GenerateRequest, dialect: Dialect, adaptations: Adaptations
) -> dict[str, Any] | None:
    """The format that is asked for; None for words as they come."""
    schema = request.schema
    if schema is None:
        return None
    if not dialect.json_schema:
        adaptations.note(
            f"the schema of response_format was left out: {dialect.name} can be held to JSON only"
        )
        return {"type": "json_object"}
    strict = closed(schema)
    told = {"type": "json_schema", "name": request.schema_name, "schema": strict or schema}
    return told if strict is None else told | {"strict": True}
