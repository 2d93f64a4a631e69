"""A request for an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ...core.errors import InvalidRequestError, UnsupportedOperationError
from ..adaptations import Adaptations
from ..codec import Encoded
from ..openai_chat.encode import merge_extra
from ..values import as_dict, encode_json
from .caching import set_marks
from .formats import shape_of
from .messages import MessageEncoder
from .options import add_sampling
from .rules import rule_for
from .thinking import add_thinking
from .tools import choice_of, encode_tool, is_forced, own_tools

if TYPE_CHECKING:
    from ...core.requests import GenerateRequest
    from .dialect import Dialect
    from .formats import Shape
    from .rules import ModelRule

PATH = "/messages"
_OURS: dict[str | None, str] = {
    "model": "model=",
    "messages": "the prompt",
    "system": "system_prompt=",
    "stream": "generate_stream()",
    "max_tokens": "max_tokens=",
    "temperature": "temperature=",
    "top_p": "top_p=",
    "top_k": "top_k=",
    "stop_sequences": "stop_sequences=",
    "tool_choice": "tool_choice=",
}
"""Fields that fairlead writes, and what to use for them."""
_READ = ("cache_marks", "disable_parallel_tool_use", "tools", "output_config")
"""What of `extra` has its place inside of another field."""


def encode_generate(request: GenerateRequest, dialect: Dialect, *, stream: bool) -> Encoded:
    """
    *request* in this format's words.

    Raises:
        UnsupportedOperationError: As `Codec.encode_generate` says.
        InvalidRequestError: `extra` holds what has an option of its own, or what makes no sense.
    """
    body, warnings = body_of(request, dialect)
    if stream:
        body["stream"] = True
    return Encoded(path=PATH, body=encode_json(body), warnings=warnings)


def body_of(request: GenerateRequest, dialect: Dialect) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The fields that say *request*, and what had to be changed for it. Raises as above."""
    adaptations = Adaptations(strict=request.strict)
    rule = rule_for(request.model or "")
    shape = shape_of(request, rule, adaptations)
    prompt = MessageEncoder(dialect, adaptations)
    prompt.add(request.messages)
    if shape.words is not None:
        prompt.system.append({"type": "text", "text": shape.words})
    _check_last(prompt.turns, rule)
    # The vendor insists on a limit.
    body: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens or rule.answer,
    }
    tools = [encode_tool(tool, rule, adaptations) for tool in request.tools]
    tools += own_tools(request.extra.get("tools"))
    if shape.tool is not None:
        tools.append(shape.tool)
    choice = choice_of(request, shape, rule, adaptations)
    if "cache_marks" in request.extra:
        marks = request.extra["cache_marks"]
        set_marks(marks, tools, prompt.system, prompt.blocks, adaptations)
    if prompt.system:
        body["system"] = _plain(prompt.system)
    body["messages"] = [{"role": role, "content": _plain(said)} for role, said in prompt.turns]
    if tools:
        body["tools"] = tools
    if choice is not None:
        body["tool_choice"] = choice
    add_thinking(body, request, rule, adaptations, forced=is_forced(choice))
    _add_extra(body, request, shape)
    add_sampling(body, request, rule, dialect, adaptations)
    return body, adaptations.warnings


def _plain(said: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """One text without anything else is said without a block around it."""
    if len(said) == 1 and said[0].keys() == {"type", "text"}:
        return cast("str", said[0]["text"])
    return said


def _check_last(turns: list[tuple[str, list[dict[str, Any]]]], rule: ModelRule) -> None:
    """Refuse a conversation that ends with words of the model which it would have to go on from."""
    if not turns:
        raise InvalidRequestError("the prompt has nothing but what the system says")
    role, said = turns[-1]
    if role != "assistant":
        return
    last = said[-1]
    if last["type"] != "text":
        return  # What the vendor's own tools began is taken up again.
    if not rule.prefill:
        msg = "the prompt ends with words of the model, and this one does not go on from its own"
        raise UnsupportedOperationError(msg)
    last["text"] = last["text"].rstrip()  # What ends with a space is refused.


def _add_extra(body: dict[str, Any], request: GenerateRequest, shape: Shape) -> None:
    """What the caller wants besides, and the shape, which shares a field with it."""
    extra = request.extra
    ours = dict(_OURS)
    if "thinking" in body:
        ours["thinking"] = "reasoning_effort="
    merge_extra(body, {name: extra[name] for name in extra if name not in _READ}, ours)
    config = dict(as_dict(body.get("output_config")))
    if shape.format is not None:
        config["format"] = shape.format
    told = extra.get("output_config", {})
    if not isinstance(told, Mapping):
        raise InvalidRequestError("extra={'output_config': ...} must be a mapping")
    named = {"format": "response_format=", "effort": "reasoning_effort="}
    taken: dict[str | None, str] = {name: named[name] for name in config}
    merge_extra(config, cast("Mapping[str, Any]", told), taken)
    if config:
        body["output_config"] = config
