"""What a call answers: plain values that carry `metadata`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Self

from .journal import Attempt, Journal
from .messages import Message, Part, Reasoning, Refusal, Role, Text, ToolCall

if TYPE_CHECKING:
    from .options import ResponseFormat
    from .rates import RateLimits
    from .usage import Cost, Usage


class FinishReason(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    REFUSAL = "refusal"
    PAUSE = "pause"
    CONTEXT_OVERFLOW = "context_overflow"
    CANCELLED = "cancelled"
    ERROR = "error"
    UNKNOWN = "unknown"


CUT_SHORT: Mapping[FinishReason | None, str] = {
    FinishReason.LENGTH: "the answer was cut: it had reached max_tokens or the model's own limit",
    FinishReason.CONTEXT_OVERFLOW: "the answer was cut: the model's context window was full",
}
"""The ends that are none, and what `warnings` says of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """
    What is known of an answer besides its words.

    Small, frozen and picklable; it never holds the raw response.
    """

    provider: str
    model: str | None = None
    """The model that answered, in the vendor's words; else the one that was asked."""
    finish_reason: FinishReason | None = None
    finish_reason_raw: str | None = None
    """The vendor's word for it."""
    usage: Usage | None = None
    cost: Cost | None = None
    response_id: str | None = None
    """The vendor's id of the answer."""
    vendor_request_id: str | None = None
    """The vendor's id of the request, for its support."""
    request_id: str | None = None
    """The caller's id of the call, or the one it was given."""
    parts: tuple[Part, ...] = ()
    """What the answer is made of, text included."""
    warnings: tuple[str, ...] = ()
    """What was changed, dropped or done otherwise than asked, and why."""
    cached: bool = False
    journal: Journal = field(default_factory=Journal, compare=False, repr=False)
    response_format: ResponseFormat | None = field(default=None, repr=False, hash=False)
    logprobs: tuple[Mapping[str, Any], ...] = field(default=(), repr=False, hash=False)
    details: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)
    """Small facts that only this vendor tells, such as citations or a system fingerprint."""
    rate_limits: RateLimits | None = field(default=None, compare=False, repr=False)
    """What the vendor said was left of its rate limits."""

    def with_(self, **facts: Any) -> Metadata:
        """The same, but for *facts*. As `dataclasses.replace`, at half of what that costs."""
        known = dict(zip(_NAMES, _values(self), strict=True))
        return Metadata(**(known | facts))


_NAMES = tuple(each.name for each in fields(Metadata))
_values = attrgetter(*_NAMES)


class Generation(str):
    """
    An answer: its text, with `metadata`.

    It is a `str` in every respect, equality and hash included. Its text is empty, and so it is
    falsy, when a model only calls tools: test `generation.tool_calls` for that.
    """

    __slots__ = ("metadata",)

    metadata: Metadata

    def __new__(cls, text: str, metadata: Metadata) -> Self:
        self = super().__new__(cls, text)
        object.__setattr__(self, "metadata", metadata)
        return self

    def __setattr__(self, name: str, value: object) -> None:
        msg = f"a Generation cannot be changed, so {name!r} cannot be set"
        raise AttributeError(msg)

    def __delattr__(self, name: str) -> None:
        msg = f"a Generation cannot be changed, so {name!r} cannot be deleted"
        raise AttributeError(msg)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.metadata)

    @property
    def usage(self) -> Usage | None:
        """What it consumed, as the vendor told it; attempts that failed are in `attempts`."""
        return self.metadata.usage

    @property
    def cost(self) -> Cost | None:
        """What it cost; None if nobody knows."""
        return self.metadata.cost

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why it ended."""
        return self.metadata.finish_reason

    @property
    def model(self) -> str | None:
        """The model that answered."""
        return self.metadata.model

    @property
    def provider(self) -> str:
        """The provider that answered."""
        return self.metadata.provider

    @property
    def request_id(self) -> str | None:
        """The id of the call."""
        return self.metadata.request_id

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tools that the model wants called."""
        return tuple(part for part in self.metadata.parts if isinstance(part, ToolCall))

    @property
    def reasoning(self) -> str:
        """What the model thought aloud; empty if it did not."""
        return "".join(part.text for part in self.metadata.parts if isinstance(part, Reasoning))

    @property
    def refusal(self) -> str | None:
        """The model's words on why it does not answer."""
        texts = [part.text for part in self.metadata.parts if isinstance(part, Refusal)]
        return "".join(texts) if texts else None

    @property
    def message(self) -> Message:
        """The assistant message that it is, for the next prompt."""
        parts = self.metadata.parts
        return Message(Role.ASSISTANT, parts or ((Text(str(self)),) if self else ()))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was done otherwise than asked, and why."""
        return self.metadata.warnings

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What was done for this answer, oldest first."""
        return self.metadata.journal.attempts

    @property
    def cached(self) -> bool:
        """Whether it comes from a cache."""
        return self.metadata.cached

    def warned(self, *warnings: str) -> Generation:
        """The same answer with *warnings* added."""
        metadata = self.metadata.with_(warnings=(*self.metadata.warnings, *warnings))
        return Generation(str(self), metadata)

    def told_in(self, journal: Journal) -> Generation:
        """The same answer as the one that *journal* tells of."""
        return Generation(str(self), self.metadata.with_(journal=journal))

    @property
    def parsed(self) -> Any:
        """
        The answer as the requested `response_format` understands it, computed at each access.

        Raises:
            ValueError: The text is not valid for the format (a `pydantic.ValidationError` is
                one too), or no format was requested.
        """
        from .requests import parse_response

        return parse_response(str(self), self.metadata.response_format)


class TokenCount(int):
    """A number of tokens; `exact` says whether it is one or an estimate."""

    exact: bool

    def __new__(cls, value: int, *, exact: bool = False) -> Self:
        self = super().__new__(cls, value)
        self.exact = exact
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[int], dict[str, bool]]:
        return (int(self),), {"exact": self.exact}
