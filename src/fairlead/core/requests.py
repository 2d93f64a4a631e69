"""What is asked, in the one normal form that all adapters and policies read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypedDict, cast

from .caching import CacheControl, CacheWish  # noqa: TC001 - `get_type_hints` reads them
from .errors import InvalidRequestError
from .messages import Message, Part, Prompt, Role, Text, Tool, ToolResult
from .options import (
    EMBED,
    GENERATE,
    KEPT_MESSAGES,
    ResponseFormat,
    check_tool_choice,
    sort_options,
)
from .results import Generation

ToolChoice: TypeAlias = str
"""`"auto"`, `"none"`, `"required"`, or the name of the tool that has to be called."""
Commit: TypeAlias = Literal["text", "any"]


class GenerateOptions(TypedDict, total=False):
    """
    What can be said about a generation. Nothing is sent that is not set; None is not set.

    `timeout` is in seconds, for the whole call; for a stream it ends the opening. `tags`,
    `request_id`, `timeout`, `commit` and `cache` steer fairlead and are never sent.
    """

    model: str | None
    system_prompt: str | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    max_tokens: int | None
    stop_sequences: Sequence[str] | None
    seed: int | None
    frequency_penalty: float | None
    presence_penalty: float | None
    logprobs: int | bool | None
    tools: Sequence[Tool] | None
    tool_choice: ToolChoice | Tool | None
    response_format: ResponseFormat | None
    reasoning_effort: str | None
    timeout: float | None
    commit: Commit | None
    strict: bool | None
    cache: CacheWish | None
    tags: Mapping[str, str] | None
    request_id: str | None
    extra: Mapping[str, Any] | None


class EmbedOptions(TypedDict, total=False):
    """What can be said about embeddings. As for `GenerateOptions`."""

    model: str | None
    dimensions: int | None
    input_type: str | None
    timeout: float | None
    strict: bool | None
    cache: CacheWish | None
    tags: Mapping[str, str] | None
    request_id: str | None
    extra: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    """A generation as it is asked for, whatever the vendor."""

    messages: tuple[Message, ...]
    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop_sequences: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logprobs: int | bool | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: str | None = None
    strict: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema of the requested format."""
        if self.response_format is None:
            return None
        if isinstance(self.response_format, type):
            return self.response_format.model_json_schema()
        return dict(self.response_format)

    @property
    def schema_name(self) -> str:
        """A name for the requested format that every vendor takes."""
        title = str((self.schema or {}).get("title", ""))
        kept = "".join(char if char.isascii() and char.isalnum() else "_" for char in title)
        return kept[:64] or "response"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedRequest:
    """Embeddings as they are asked for, whatever the vendor."""

    texts: tuple[str, ...]
    model: str | None = None
    dimensions: int | None = None
    input_type: str | None = None
    strict: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


def is_plain(request: GenerateRequest | EmbedRequest) -> bool:
    """Whether *request* is words alone, with no option set: nothing that a vendor may not like."""
    if not isinstance(request, GenerateRequest):
        return request == EmbedRequest(texts=request.texts, model=request.model)
    if any(type(part) is not Text for message in request.messages for part in message.parts):
        return False
    return request == GenerateRequest(messages=request.messages, model=request.model)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """What steers fairlead rather than the vendor."""

    timeout: float | None = None
    commit: Commit = "text"
    cache: CacheControl | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    request_id: str = field(default_factory=lambda: os.urandom(8).hex())
    """The caller's own, or one that is made up."""


def generate_request(
    prompt: Prompt, options: Mapping[str, Any]
) -> tuple[GenerateRequest, CallOptions]:
    """
    Normalise what a caller asked for.

    Raises:
        TypeError: An unknown option, or a value of the wrong type.
        InvalidRequestError: A value that makes no sense, such as an empty prompt.
    """
    asked, steering = sort_options(options, GENERATE)
    system = asked.pop("system_prompt", None)
    messages = messages_of(prompt)
    if system is not None:
        messages = (Message.system(system), *messages)
    if "tool_choice" in asked:
        check_tool_choice(asked["tool_choice"], asked.get("tools", ()))
    return GenerateRequest(messages=messages, **asked), CallOptions(**steering)


def embed_request(
    texts: Sequence[str], options: Mapping[str, Any]
) -> tuple[EmbedRequest, CallOptions]:
    """Normalise what a caller wants embedded. Raises as `generate_request` does."""
    if isinstance(texts, (str, bytes)):
        msg = (
            "embed_batch() takes a sequence of texts, and a bare string is none: "
            "use embed(text), or embed_batch([text])"
        )
        raise TypeError(msg)
    if not isinstance(texts, Sequence):
        msg = f"embed_batch() takes a sequence of texts, not {type(texts).__name__}"
        raise TypeError(msg)
    many = tuple(texts)
    for index, text in enumerate(many):
        if not isinstance(text, str):
            msg = f"a text to embed must be a str; number {index} is {type(text).__name__}"
            raise TypeError(msg)
        if not text:
            msg = f"a text to embed must not be empty; number {index} is"
            raise InvalidRequestError(msg)
    asked, steering = sort_options(options, EMBED)
    return EmbedRequest(texts=many, **asked), CallOptions(**steering)


def messages_of(prompt: Prompt) -> tuple[Message, ...]:
    """The turns that *prompt* stands for; see `Prompt`. Raises as `generate_request` does."""
    if isinstance(prompt, str):
        if not prompt or prompt.isspace():
            raise _says_nothing()
        return (Message(Role.USER, prompt),)
    if isinstance(prompt, Message):
        messages: tuple[Message, ...] = (prompt,)
    elif isinstance(prompt, Sequence) and not isinstance(prompt, (bytes, bytearray)):
        messages = tuple(_message_of(turn) for turn in prompt)
    else:
        raise TypeError(_wrong_prompt(prompt))
    if not any(_says_something(part) for message in messages for part in message.parts):
        raise _says_nothing()
    return messages


def _says_nothing() -> InvalidRequestError:
    return InvalidRequestError(
        "the prompt is empty or only white space; there is nothing to answer"
    )


def _says_something(part: Part) -> bool:
    return not isinstance(part, Text) or bool(part.text.strip())


def _message_of(turn: object) -> Message:
    if isinstance(turn, Message):
        return turn
    if isinstance(turn, Generation):
        return turn.message
    if isinstance(turn, ToolResult):
        return Message(Role.TOOL, (turn,))
    if isinstance(turn, str):
        return Message(Role.USER, turn)
    raise TypeError(_wrong_prompt(turn))


def _wrong_prompt(value: object) -> str:
    kind = type(value).__name__
    role = cast("Mapping[str, object]", value).get("role") if isinstance(value, Mapping) else None
    hint = f"; write Message({role!r}, ...) for it, or keep dicts: {KEPT_MESSAGES}" if role else ""
    return (
        "a prompt is a str, a Message, or a sequence of str, Message, Generation and ToolResult, "
        f"not {kind}{hint}"
    )


def parse_response(text: str, response_format: ResponseFormat | None) -> Any:
    """*text* as *response_format* understands it; `ValueError` if it does not, or none is given."""
    if response_format is None:
        msg = "no response_format was requested, so there is nothing to parse the answer as"
        raise ValueError(msg)
    if isinstance(response_format, type):
        return response_format.model_validate_json(text)
    try:
        return json.loads(text)
    except RecursionError:
        msg = "the answer is nested too deeply to be parsed"
        raise ValueError(msg) from None
