"""Requests, as a server reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from ....core.errors import InvalidRequestError
from ....core.messages import Message, Role, Tool
from ....core.requests import EmbedRequest, GenerateRequest, embed_request, generate_request
from ...served import object_in, wrong_types
from ...values import as_dict, as_list, as_str
from ..dialect import GEMINI, GeminiDialect
from ..embeddings import TASKS
from ..encode import MODES, OPTIONS
from ..rules import rule_for
from .messages import decode_content, decode_parts

_TARGET = re.compile(r"(?:.*/)?models/(?P<model>[^/:?]+):(?P<verb>\w+)(?:\?.*)?")
_READ = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig"}
_CONFIG = {
    *("responseMimeType", "responseJsonSchema", "responseLogprobs", "logprobs"),
    *("thinkingConfig", *OPTIONS.values()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedGenerate:
    """A request for an answer, and whether the client wants it streamed."""

    request: GenerateRequest
    stream: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedEmbed:
    """A request for vectors, and what the client calls it."""

    request: EmbedRequest
    verb: str


def decode_request(target: str, body: bytes, dialect: GeminiDialect = GEMINI) -> ServedGenerate:
    """
    What *body*, sent to *target*, asks for. Fields that fairlead has no option for are in `extra`.

    Raises:
        InvalidRequestError: It is no request of this format.
    """
    model, verb = _target(target)
    told = object_in(body)
    config = as_dict(told.get("generationConfig"))
    options: dict[str, Any] = {
        option: config[name] for option, name in OPTIONS.items() if name in config
    }
    effort, thinking = _effort(as_dict(config.get("thinkingConfig")), model)
    declared, others = _tools(as_list(told.get("tools")))
    more: dict[str, Any] = {name: value for name, value in told.items() if name not in _READ}
    left = {name: value for name, value in config.items() if name not in _CONFIG} | thinking
    more |= {
        name: value for name, value in (("generationConfig", left), ("tools", others)) if value
    }
    choosing = dict(as_dict(told.get("toolConfig")))
    options |= {
        "model": model,
        "tools": declared,
        "tool_choice": _choice(as_dict(choosing.pop("functionCallingConfig", None))),
        "response_format": _format(config),
        "logprobs": _logprobs(config),
        "reasoning_effort": effort,
        "extra": more | ({"toolConfig": choosing} if choosing else {}),
    }
    with wrong_types():
        request, _ = generate_request(_messages(told, dialect), options)
    return ServedGenerate(request=request, stream=verb == "streamGenerateContent")


def decode_embed_request(target: str, body: bytes) -> ServedEmbed:
    """What *body*, sent to *target*, asks for. Raises as `decode_request` does."""
    model, verb = _target(target)
    told = object_in(body)
    if verb == "predict":
        parameters = dict(as_dict(told.get("parameters")))
        parameters.pop("autoTruncate", None)
        instances = [as_dict(each) for each in as_list(told.get("instances"))]
        texts = [as_str(each.get("content")) for each in instances]
        first: dict[str, Any] = {**parameters, **(instances[0] if instances else {})}
        first["taskType"] = first.pop("task_type", None)
    else:
        each_of = [as_dict(each) for each in as_list(told.get("requests"))] or [told]
        texts = [_text(as_dict(each.get("content"))) for each in each_of]
        first = each_of[0]
    task = as_str(first.get("taskType"))
    ours = {"model", "content", "taskType", "outputDimensionality"}
    names = {word: name for name, word in TASKS.items()}
    options: dict[str, Any] = {
        "model": model,
        "dimensions": first.get("outputDimensionality"),
        "input_type": names.get(task, task.lower()) or None,
        "extra": {name: value for name, value in first.items() if name not in ours},
    }
    with wrong_types():
        request, _ = embed_request(texts, options)
    if not request.texts:
        msg = "there must be at least one text to embed"
        raise InvalidRequestError(msg)
    return ServedEmbed(request=request, verb=verb)


def _target(target: str) -> tuple[str, str]:
    match = _TARGET.fullmatch(target)
    if match is None:
        raise InvalidRequestError(f"{target} names no model and what it is to do")
    return unquote(match["model"]), match["verb"]


def _messages(told: dict[str, Any], dialect: GeminiDialect) -> list[Message]:
    contents = as_list(told.get("contents"))
    if not contents:
        msg = "'contents' is required, and must not be empty"
        raise InvalidRequestError(msg)
    system = as_dict(told.get("systemInstruction"))
    said = [Message(Role.SYSTEM, decode_parts(system, "systemInstruction"))] if system else []
    each = enumerate(contents)
    return [*said, *(decode_content(as_dict(turn), place, dialect) for place, turn in each)]


def _tools(told: list[Any]) -> tuple[list[Tool], list[Any]]:
    """The tools that are the client's, and those that are ours."""
    declared = [
        _tool(as_dict(each))
        for entry in told
        for each in as_list(as_dict(entry).get("functionDeclarations"))
    ]
    return declared, [entry for entry in told if "functionDeclarations" not in as_dict(entry)]


def _tool(told: dict[str, Any]) -> Tool:
    name = as_str(told.get("name"))
    if not name:
        msg = "every entry of 'functionDeclarations' must have a name"
        raise InvalidRequestError(msg)
    parameters = as_dict(told.get("parametersJsonSchema") or told.get("parameters"))
    described = told.get("description")
    if not parameters:
        return Tool(name, description=described)
    return Tool(name, description=described, parameters=parameters)


def _choice(told: dict[str, Any]) -> str | None:
    allowed = as_list(told.get("allowedFunctionNames"))
    if len(allowed) == 1:
        return as_str(allowed[0])
    names = {mode: name for name, mode in MODES.items()}
    return names.get(as_str(told.get("mode")))


def _format(config: dict[str, Any]) -> dict[str, Any] | None:
    schema = as_dict(config.get("responseJsonSchema"))
    if schema or config.get("responseMimeType") != "application/json":
        return schema or None
    return {"type": "object"}


def _logprobs(config: dict[str, Any]) -> int | bool | None:
    if not config.get("responseLogprobs"):
        return None
    top = config.get("logprobs")
    return top if isinstance(top, int) else True


def _effort(told: dict[str, Any], model: str) -> tuple[str | None, dict[str, Any]]:
    """The effort that *told* stands for, and what it says besides."""
    rest = dict(told)
    asked = rest.pop("thinkingLevel", None)
    if asked is None:
        asked = rest.pop("thinkingBudget", None)
    efforts = rule_for(model).efforts
    effort = next((name for name, sent in reversed(list(efforts.items())) if sent == asked), None)
    return effort, {"thinkingConfig": rest} if rest else {}


def _text(content: dict[str, Any]) -> str:
    return "".join(as_str(as_dict(part).get("text")) for part in as_list(content.get("parts")))
