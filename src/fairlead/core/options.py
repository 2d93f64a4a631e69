"""Checks each option that a caller gives: unknown, of the wrong type, or without sense."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

from .caching import CacheControl, cache_control
from .checks import LARGEST, in_words
from .errors import ConfigurationError, InvalidRequestError
from .messages import Tool


@runtime_checkable
class SchemaModel(Protocol):
    """A class that describes itself as a JSON schema and reads JSON, as pydantic models do."""

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        """The JSON schema of an instance."""
        ...

    @classmethod
    def model_validate_json(cls, json_data: str) -> Any:
        """The instance that *json_data* describes, or a `ValueError`."""
        ...


ResponseFormat: TypeAlias = Mapping[str, Any] | type[SchemaModel]
Check: TypeAlias = Callable[[str, Any], Any]


def sort_options(
    options: Mapping[str, Any], checks: Mapping[str, Check]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Check *options*, and tell what is asked of the vendor from what steers fairlead.

    Raises as `fairlead.core.requests.generate_request` does.
    """
    asked: dict[str, Any] = {}
    steering: dict[str, Any] = {}
    for name, value in options.items():
        check = checks.get(name)
        if check is None:
            raise TypeError(_unknown_option(name, checks))
        if value is not None:
            (steering if name in _STEERING else asked)[name] = check(name, value)
    return asked, steering


def _unknown_option(name: str, known: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    aliases = {"max_output_tokens": "max_tokens", "max_completion_tokens": "max_tokens"}
    aliases |= {"stop": "stop_sequences", "system": "system_prompt", "stream": "generate_stream()"}
    if known is EMBED:
        aliases = {"task_type": "input_type", "output_dimensionality": "dimensions"}
    near = aliases.get(name) or next(iter(get_close_matches(name, known, n=1)), None)
    hint = f"did you mean {near!r}?" if near else f"known are {', '.join(sorted(known))}."
    if name in GENERATE:
        hint = "it is one of generate(), not of embeddings."
    elif name == "messages" and known is GENERATE:
        hint = f"the prompt comes first, as Message objects; to keep dicts: {KEPT_MESSAGES}."
    return f"unknown option {name!r}; {hint} What only one vendor knows goes into extra="


def _wrong(name: str, expected: str, value: object) -> TypeError:
    return TypeError(f"{name} must be {expected}, not {type(value).__name__}")


def _string(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(name, "a str", value)
    if not value:
        msg = f"{name} must not be empty; leave it out if it is not wanted"
        raise InvalidRequestError(msg)
    return value


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, "True or False", value)
    return value


def _number(low: float, high: float) -> Check:
    def check(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _wrong(name, "a number", value)
        if not (low <= value <= high and abs(value) <= LARGEST):
            bounds = f"from {low:g} to {high:g}" if high < INFINITE else _AT_LEAST[low]
            msg = f"{name} must be {bounds}, not {in_words(value)}"
            raise InvalidRequestError(msg)
        return value

    return check


def _integer(low: int | None) -> Check:
    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong(name, "an int", value)
        if low is not None and value < low:
            msg = f"{name} must be at least {low}, not {in_words(value)}"
            raise InvalidRequestError(msg)
        return value

    return check


def _logprobs(name: str, value: Any) -> int | bool:
    return value if isinstance(value, bool) else _integer(0)(name, value)


def _strings(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise _wrong(name, "a sequence of str", value)
    return tuple(_string(name, item) for item in cast("Sequence[object]", value))


def _tools(name: str, value: Any) -> tuple[Tool, ...]:
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        raise _wrong(name, "a sequence of Tool", value)
    tools: list[Tool] = []
    for tool in cast("Sequence[object]", value):
        if not isinstance(tool, Tool):
            raise _wrong(name, "a sequence of Tool", tool)
        tools.append(tool)
    names = [tool.name for tool in tools]
    if len(set(names)) < len(names):
        msg = f"{name} must have different names, not {', '.join(names)}"
        raise InvalidRequestError(msg)
    return tuple(tools)


def _choice(name: str, value: Any) -> str:
    return value.name if isinstance(value, Tool) else _string(name, value)


def check_tool_choice(choice: str, tools: Sequence[Tool]) -> None:
    """Refuse a *choice* that *tools* do not allow."""
    names = [tool.name for tool in tools]
    if choice not in {"auto", "none", "required", *names}:
        offered = ", ".join(repr(name) for name in names) or "none"
        msg = f"tool_choice={choice!r} names no tool of this call; offered: {offered}"
        raise InvalidRequestError(msg)
    if choice not in {"auto", "none"} and not tools:
        msg = f"tool_choice={choice!r} needs tools="
        raise InvalidRequestError(msg)


def _format(name: str, value: Any) -> ResponseFormat:
    described = isinstance(value, type) and isinstance(value, SchemaModel)
    if not described and not isinstance(value, Mapping):
        raise _wrong(name, "a JSON schema, or a class with model_json_schema()", value)
    if isinstance(value, Mapping):
        kind = cast("Mapping[str, Any]", value).get("type")
        if kind in ("json_object", "json_schema", "text"):
            msg = f"{name} is the JSON schema itself, without {{'type': {kind!r}}} around it"
            raise InvalidRequestError(msg)
    return cast("ResponseFormat", value)


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(name, "a mapping", value)
    return cast("Mapping[str, Any]", value)


def check_tags(name: str, value: Any) -> Mapping[str, str]:
    """*value*, if all of it is `str`; else a `TypeError`."""
    for item in (entry for pair in _mapping(name, value).items() for entry in pair):
        if not isinstance(item, str):
            raise _wrong(name, "a mapping of str to str", item)
    tags: Mapping[str, str] = value
    return tags


def _commit(name: str, value: Any) -> str:
    if _string(name, value) not in {"text", "any"}:
        msg = f"{name} must be 'text' or 'any', not {value!r}"
        raise InvalidRequestError(msg)
    return str(value)


def _timeout(name: str, value: Any) -> float:
    """Infinite is allowed: that is how a caller takes away a limit that is on by default."""
    seconds = value if value == INFINITE else _number(0.0, INFINITE)(name, value)
    if not seconds:
        msg = f"{name} must be more than 0 seconds"
        raise InvalidRequestError(msg)
    return float(seconds)


def _cache(_name: str, value: Any) -> CacheControl:
    try:
        return cache_control(value)
    except ConfigurationError as error:
        msg = f"cache: {error}"
        raise InvalidRequestError(msg) from None


KEPT_MESSAGES = "provider.chat_completion(ChatCompletionRequest(messages=...))"
"""The way for messages in Chat Completions' shape."""
INFINITE = float("inf")
_AT_LEAST = {0.0: "a finite number, at least 0", -INFINITE: "a finite number"}
_STEERING_CHECKS: dict[str, Check] = {
    "timeout": _timeout,
    "commit": _commit,
    "cache": _cache,
    "tags": check_tags,
    "request_id": _string,
}
_STEERING = frozenset(_STEERING_CHECKS)
GENERATE: dict[str, Check] = {
    "model": _string,
    "system_prompt": _string,
    "temperature": _number(0.0, INFINITE),
    "top_p": _number(0.0, 1.0),
    "top_k": _integer(0),
    "max_tokens": _integer(1),
    "stop_sequences": _strings,
    "seed": _integer(None),
    "frequency_penalty": _number(-INFINITE, INFINITE),
    "presence_penalty": _number(-INFINITE, INFINITE),
    "logprobs": _logprobs,
    "tools": _tools,
    "tool_choice": _choice,
    "response_format": _format,
    "reasoning_effort": _string,
    "strict": _boolean,
    "extra": _mapping,
    **_STEERING_CHECKS,
}
EMBED: dict[str, Check] = {
    "model": _string,
    "dimensions": _integer(1),
    "input_type": _string,
    "strict": _boolean,
    "extra": _mapping,
    **{name: check for name, check in _STEERING_CHECKS.items() if name != "commit"},
}
