"""A request for an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ...core.errors import InvalidRequestError
from ..adaptations import Adaptations
from ..codec import Encoded
from ..values import as_dict, as_list, as_str, encode_json
from .messages import MessageEncoder
from .rules import rule_for
from .schemas import adapted

if TYPE_CHECKING:
    from ...core.messages import Tool
    from ...core.requests import GenerateRequest
    from .dialect import GeminiDialect
    from .rules import GeminiRule

OPTIONS = {
    "max_tokens": "maxOutputTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "stop_sequences": "stopSequences",
    "seed": "seed",
    "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
}
MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
MOST_STOPS = 5
_OURS: dict[str, str] = {
    "contents": "the prompt",
    "systemInstruction": "system_prompt=",
    **{name: f"{option}=" for option, name in OPTIONS.items()},
    "responseLogprobs": "logprobs=",
    "logprobs": "logprobs=",
    "responseMimeType": "response_format=",
    "responseSchema": "response_format=",
    "responseJsonSchema": "response_format=",
    "functionDeclarations": "tools=",
    "functionCallingConfig": "tool_choice=",
    "thinkingBudget": "reasoning_effort=",
    "thinkingLevel": "reasoning_effort=",
}
"""Fields that fairlead writes, wherever they stand, and what to use for them."""
_MERGED = {"generationConfig", "toolConfig", "thinkingConfig"}
"""Objects that hold fields of ours beside those of others."""


def encode_generate(request: GenerateRequest, dialect: GeminiDialect, *, stream: bool) -> Encoded:
    """
    *request* in this format's words.

    Raises:
        UnsupportedOperationError: As `Codec.encode_generate` says.
        InvalidRequestError: `extra` holds what has an option of its own.
    """
    adaptations = Adaptations(strict=request.strict)
    model = request.model or ""
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return Encoded(
        path=dialect.path(model, verb),
        body=encode_json(body_of(request, dialect, adaptations)),
        warnings=adaptations.warnings,
    )


def body_of(
    request: GenerateRequest, dialect: GeminiDialect, adaptations: Adaptations
) -> dict[str, Any]:
    """What is sent for *request*. Raises as `encode_generate`."""
    rule = rule_for(request.model or "")
    messages = MessageEncoder(dialect, rule, adaptations)
    body: dict[str, Any] = {"contents": messages.encode(request.messages)}
    config = _config(request, rule, adaptations)
    config |= _format(request, rule, body["contents"], adaptations)
    if messages.system:
        body["systemInstruction"] = {"parts": messages.system}
    _add_tools(body, request, adaptations)
    if config:
        body["generationConfig"] = config
    merge_extra(body, request.extra)
    return body


def merge_extra(body: dict[str, Any], extra: Mapping[str, Any]) -> None:
    """
    Put *extra* into *body*: field by field, and the vendor's own tools beside the caller's.

    Raises:
        InvalidRequestError: It holds what fairlead writes.
    """
    for name, value in extra.items():
        if name in _OURS:
            msg = f"extra={{{name!r}: ...}} would overrule what fairlead writes; use {_OURS[name]}"
            raise InvalidRequestError(msg)
        if name in _MERGED and isinstance(value, Mapping):
            inner = dict(as_dict(body.get(name)))
            merge_extra(inner, cast("Mapping[str, Any]", value))
            body[name] = inner
        elif name == "tools":
            for tool in as_list(value):
                merge_extra({}, as_dict(tool))
            body[name] = [*as_list(body.get(name)), *as_list(value)]
        else:
            body[name] = value


def _config(request: GenerateRequest, rule: GeminiRule, adaptations: Adaptations) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for option, name in OPTIONS.items():
        value = getattr(request, option)
        if value is None or value == ():
            continue
        if option in rule.refuses and value != 0:
            adaptations.note(f"{option} was left out: this model does not take it")
        else:
            config[name] = value
    if len(request.stop_sequences) > MOST_STOPS:
        adaptations.note(f"of stop_sequences the first {MOST_STOPS} were sent: no more fit")
        config["stopSequences"] = request.stop_sequences[:MOST_STOPS]
    if request.logprobs is not None and request.logprobs is not False:
        config["responseLogprobs"] = True
        if request.logprobs is not True:
            config["logprobs"] = request.logprobs
    thinking = _thinking(request.reasoning_effort, rule, adaptations)
    if thinking:
        config["thinkingConfig"] = thinking
    return config


def _thinking(
    effort: str | None, rule: GeminiRule, adaptations: Adaptations
) -> dict[str, Any] | None:
    """How much the model is to think."""
    if effort is None or (effort == "none" and not rule.efforts):
        return None
    told = rule.efforts.get(effort)
    if told is None:
        why = "this model does not know it" if rule.efforts else "this model does not take it"
        adaptations.note(f"reasoning_effort={effort!r} was left out: {why}")
        return None
    if effort == "none" and told != 0:
        adaptations.note(
            f"reasoning_effort='none' was sent as {told!r}, the least there is: this model always "
            "thinks"
        )
    return {"thinkingLevel": told} if isinstance(told, str) else {"thinkingBudget": told}


def _add_tools(body: dict[str, Any], request: GenerateRequest, adaptations: Adaptations) -> None:
    choice = request.tool_choice
    if not request.tools:
        if choice is not None:
            adaptations.note("tool_choice was left out: there are no tools to choose from")
        return
    declared = [_declaration(tool, adaptations) for tool in request.tools]
    body["tools"] = [{"functionDeclarations": declared}]
    if choice in {None, "auto"} and any(tool.strict for tool in request.tools):
        config: dict[str, Any] = {"mode": "VALIDATED"}
    elif choice is None:
        return
    elif choice in MODES:
        config = {"mode": MODES[choice]}
    else:
        config = {"mode": "ANY", "allowedFunctionNames": [choice]}
    body["toolConfig"] = {"functionCallingConfig": config}


def _declaration(tool: Tool, adaptations: Adaptations) -> dict[str, Any]:
    declared: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        declared["description"] = tool.description
    what = f"the tool {tool.name!r}"
    declared["parametersJsonSchema"] = adapted(tool.parameters, what, adaptations)
    return declared


def _format(
    request: GenerateRequest,
    rule: GeminiRule,
    contents: list[dict[str, Any]],
    adaptations: Adaptations,
) -> dict[str, Any]:
    """How the model is held to the format that was asked for."""
    schema = request.schema
    if schema is None:
        return {}
    if not rule.formats or (request.tools and not rule.formats_with_tools):
        why = "together with tools" if rule.formats else "of any kind"
        adaptations.note(
            f"response_format was asked for in words: this model cannot be held to a format {why}"
        )
        described = json.dumps(schema, ensure_ascii=False)
        words = f"Answer with nothing but JSON that fits this schema:\n{described}"
        contents.append({"role": "user", "parts": [{"text": words}]})
        return {}
    config: dict[str, Any] = {"responseMimeType": "application/json"}
    if as_str(schema.get("type")) != "object" or schema.keys() - {"type"}:
        config["responseJsonSchema"] = adapted(schema, "response_format", adaptations)
    return config
