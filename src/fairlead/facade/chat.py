"""Requests and answers as clients of Chat Completions know them, for gateways."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ..core.errors import InvalidRequestError
from ..core.requests import GenerateRequest
from ..wire.openai_chat.mirror import decode_request, encode_generation
from ..wire.values import decode_json, encode_json

if TYPE_CHECKING:
    from ..core.messages import Message
    from ..core.requests import GenerateOptions
    from ..core.results import Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCompletionRequest:
    """
    What a client of Chat Completions asks for, field by field.

    It can be the body of a FastAPI endpoint, where a field that it does not know is refused
    rather than dropped. What is None is not sent.

    Args:
        messages: The conversation, as that format writes it.
        model: Who is to answer; by default the provider's own model.
        stream: Must be false for `chat_completion`, which answers whole.
        extra: Fields of the vendor's that are not listed here.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    messages: list[dict[str, Any]]
    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning_effort: str | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    stream: bool = False
    extra: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCompletionResponse:
    """
    An answer as Chat Completions writes it: `response.choices[0]["message"]["content"]`.

    Args:
        id: The vendor's id of the answer; else that of the call.
        model: The model that answered.
        created: When, in seconds since 1970.
        choices: One, with `message`, `finish_reason` and `logprobs`.
        usage: `prompt_tokens`, `completion_tokens`, `total_tokens` and their details; None if
            nobody told.
        provider: Who answered.
        warnings: What was done otherwise than asked, and why.
    """

    id: str
    model: str
    created: int
    choices: list[dict[str, Any]]
    usage: dict[str, Any] | None = None
    provider: str = ""
    warnings: tuple[str, ...] = ()
    object: str = "chat.completion"


def prompt_of(request: ChatCompletionRequest) -> tuple[tuple[Message, ...], GenerateOptions]:
    """
    The prompt and the options that *request* stands for.

    Raises:
        InvalidRequestError: It is no request of this format, or wants a stream.
    """
    if request.stream:
        msg = "chat_completion() answers whole; use generate_stream() for a stream"
        raise InvalidRequestError(msg)
    told = {name: getattr(request, name) for name in _FIELDS}
    told = {name: value for name, value in told.items() if value is not None}
    asked = decode_request(encode_json({**request.extra, **told})).request
    options = {name: value for name in _OPTIONS if (value := getattr(asked, name)) not in _UNSET}
    return asked.messages, cast("GenerateOptions", options)


def response_of(generation: Generation, *, created: int) -> ChatCompletionResponse:
    """*generation* in this format's words; *created* is in seconds since 1970."""
    told = decode_json(encode_generation(generation, created=created))
    return ChatCompletionResponse(
        id=told["id"] or generation.request_id or "",
        model=told["model"],
        created=created,
        choices=told["choices"],
        usage=_with_total(told.get("usage")),
        provider=generation.provider,
        warnings=generation.warnings,
    )


def _with_total(usage: dict[str, Any] | None) -> dict[str, Any] | None:
    """*usage*, with the sum where the vendor told only what it is the sum of."""
    if usage is None or usage["total_tokens"] is not None:
        return usage
    parts = usage["prompt_tokens"], usage["completion_tokens"]
    return usage if None in parts else {**usage, "total_tokens": sum(parts)}


_FIELDS = [
    entry.name for entry in fields(ChatCompletionRequest) if entry.name not in {"extra", "stream"}
]
_UNSET: tuple[object, ...] = (None, (), {})
_OPTIONS = [
    entry.name for entry in fields(GenerateRequest) if entry.name not in {"messages", "strict"}
]
