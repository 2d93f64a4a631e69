"""What is said: messages, the parts they are made of, and tools."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, Union, cast

from .errors import InvalidRequestError
from .redact import shown

if TYPE_CHECKING:
    from .results import Generation


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Text:
    """Words."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """
    Bytes with a media type, or the address where the vendor finds them.

    Args:
        data: The bytes themselves.
        url: An http(s) or data address, fetched by the vendor and never by fairlead.
        media_type: Such as `image/png`; needed with `data`.
    """

    data: bytes | None = field(default=None, repr=False)
    url: str | None = None
    media_type: str | None = None

    def __post_init__(self) -> None:
        kind = type(self).__name__
        if (self.data is None) == (self.url is None):
            msg = f"{kind} takes either data= or url=, and exactly one of them"
            raise TypeError(msg)
        if self.data is not None and self.media_type is None:
            msg = f"{kind}(data=...) needs media_type=, such as 'image/png'"
            raise TypeError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(Media):
    """A picture. `detail` is the vendor's word for how closely it should look."""

    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio(Media):
    """Sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File(Media):
    """A document, such as a PDF."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Reasoning:
    """
    What a model thought before it answered.

    Args:
        text: The words of it that may be read; can be empty.
        opaque: The vendor's own record, to be given back unchanged in the next request.
        origin: The wire format and vendor that understand `opaque`; for any other it is dropped.
    """

    text: str
    opaque: Mapping[str, Any] | None = field(default=None, repr=False, hash=False)
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The model's words on why it does not answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """
    A model's wish that a tool be called.

    Args:
        id: Names the call, so that its result can be matched.
        name: The tool's name.
        arguments: JSON text exactly as the model wrote it, which is not always valid.
        opaque: The vendor's own record that has to travel with the call.
        origin: As for `Reasoning`.
    """

    id: str
    name: str
    arguments: str
    opaque: Mapping[str, Any] | None = field(default=None, repr=False, hash=False)
    origin: str | None = None

    def parse(self) -> dict[str, Any]:
        """
        The arguments as a mapping; no arguments at all are an empty one.

        Raises:
            ValueError: They are not a JSON object.
        """
        try:
            parsed = json.loads(self.arguments or "{}")
        except RecursionError:
            parsed = None
        if not isinstance(parsed, dict):
            msg = f"the arguments of {self.name!r} are no JSON object: {self.arguments[:80]!r}"
            raise ValueError(msg)  # noqa: TRY004 - the model's mistake, not the caller's
        return cast("dict[str, Any]", parsed)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """
    What a tool answered.

    Args:
        call: The call that it answers, or the id of that call.
        content: The answer, as text or as parts.
        error: Whether the tool failed.
        name: The tool's name; taken from `call` if that is a `ToolCall`.
    """

    call: ToolCall | str
    content: str | tuple[Text | Image | File, ...]
    error: bool = False
    name: str | None = None

    @property
    def call_id(self) -> str:
        """The id of the call that it answers."""
        return self.call if isinstance(self.call, str) else self.call.id

    @property
    def tool(self) -> str | None:
        """The tool's name, if it is known."""
        return self.name or (None if isinstance(self.call, str) else self.call.name)

    @property
    def text(self) -> str:
        """The answer's words."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if isinstance(part, Text))


Part: TypeAlias = Text | Image | Audio | File | Reasoning | Refusal | ToolCall | ToolResult
PARTS = (Text, Image, Audio, File, Reasoning, Refusal, ToolCall, ToolResult)


@dataclass(frozen=True, slots=True, init=False)
class Message:
    """One turn of a conversation: who speaks, and the parts of what is said."""

    role: Role
    parts: tuple[Part, ...]

    def __init__(self, role: Role | str, content: str | Part | Iterable[Part]) -> None:
        try:
            known = Role(role)
        except ValueError:
            msg = f"{role!r} is no role; expected one of {', '.join(Role)}"
            raise TypeError(msg) from None
        object.__setattr__(self, "role", known)
        object.__setattr__(self, "parts", _parts(content))

    @classmethod
    def system(cls, content: str | Part | Iterable[Part]) -> Message:
        """What the model should keep to."""
        return cls(Role.SYSTEM, content)

    @classmethod
    def user(cls, *content: str | Part) -> Message:
        """What the user says: `Message.user("What is this?", Image(url=...))`."""
        return cls(
            Role.USER, [Text(str(part)) if isinstance(part, str) else part for part in content]
        )

    @classmethod
    def assistant(cls, content: str | Part | Iterable[Part]) -> Message:
        """What the model said."""
        return cls(Role.ASSISTANT, content)

    @property
    def text(self) -> str:
        """The words of it, other parts left out."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls among its parts."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


def _parts(content: str | Part | Iterable[Part]) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Text(str(content)),)
    if isinstance(content, PARTS):
        return (content,)
    parts = tuple(content) if isinstance(content, Iterable) else (content,)
    for part in parts:
        if not isinstance(part, PARTS):
            names = ", ".join(kind.__name__ for kind in PARTS)
            msg = f"a message is made of str or {names}, not {type(part).__name__}"
            raise TypeError(msg)
    return parts


@dataclass(frozen=True, slots=True)
class Tool:
    """
    Something the model may ask to have called.

    Args:
        name: 1 to 64 letters, digits, `_` or `-` suit every vendor; some take 128, `.` and `:`.
        description: What it does and when to use it, for the model.
        parameters: JSON schema of the arguments, an object; none means no arguments.
        strict: Whether the vendor should hold the model to the schema.
    """

    name: str
    description: str | None = None
    parameters: Mapping[str, Any] = field(
        default_factory=lambda: {"type": "object", "properties": {}}, hash=False
    )
    strict: bool | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            msg = f"the name of a tool must be a str, not {type(self.name).__name__}"
            raise TypeError(msg)
        if not _TOOL_NAME.fullmatch(self.name):
            msg = (
                f"{shown(repr(self.name), 80)} is no name for a tool: it takes 1 to 64 letters, "
                "digits, '_' or '-'"
            )
            raise InvalidRequestError(msg)
        if not isinstance(self.parameters, Mapping):
            kind = type(self.parameters).__name__
            msg = f"the parameters of {self.name!r} must be a JSON schema, a mapping, not {kind}"
            raise TypeError(msg)


_TOOL_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
"""What at least one vendor takes."""

Turn: TypeAlias = Union[str, Message, "Generation", ToolResult]
Prompt: TypeAlias = str | Message | Sequence[Turn]
"""
What a model is asked. A string is one user turn. In a sequence, a `Generation` is its assistant
message and any other string a user turn, so `[*history, generation, ToolResult(...)]` is the
next prompt.
"""
