"""What a streamed answer is made of. A plain answer is told in the same words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from .results import FinishReason
    from .usage import Cost, Usage


@dataclass(slots=True)
class StreamStart:
    """The vendor took the request. May come more than once; later facts win."""

    response_id: str | None = None
    model: str | None = None


@dataclass(slots=True)
class TextDelta:
    """Words of the answer."""

    text: str


@dataclass(slots=True)
class ReasoningDelta:
    """
    What the model thinks aloud.

    A delta with `opaque` ends a reasoning part and gives it its opaque record.
    """

    text: str
    opaque: Mapping[str, Any] | None = None
    origin: str | None = None


@dataclass(slots=True)
class RefusalDelta:
    """Words on why the model does not answer."""

    text: str


@dataclass(slots=True)
class ToolCallDelta:
    """
    Part of a tool call.

    `index` tells calls of one answer apart; `id` and `name` come with the first delta of each;
    `arguments` are to be joined.
    """

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    opaque: Mapping[str, Any] | None = None
    origin: str | None = None


@dataclass(slots=True)
class StreamEnd:
    """The format's own end of the answer. Always the last event."""

    finish_reason: FinishReason
    finish_reason_raw: str | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    warnings: tuple[str, ...] = ()
    logprobs: tuple[Mapping[str, Any], ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


StreamEvent: TypeAlias = (
    StreamStart | TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta | StreamEnd
)


class EventSource(Protocol):
    """Where a stream's events come from. One task reads it."""

    async def read(self) -> Sequence[StreamEvent]:
        """
        The next events, at least one, none of them twice; `StreamEnd` is the last of all.

        Raises:
            ProviderError: The stream broke, or ended before its end.
        """
        ...

    def abort(self) -> None:
        """Let go of everything now, from any task; a waiting `read()` fails. Idempotent."""
        ...

    async def aclose(self) -> None:
        """
        Be done with it: after `StreamEnd`, give the connection back if that is quickly done.

        A courtesy after `abort()`. Idempotent, and safe to cancel.
        """
        ...


class EventFilter(Protocol):
    """Changes the events of a stream, without I/O."""

    def feed(self, event: StreamEvent) -> Iterable[StreamEvent]:
        """What the reader is shown in place of *event*; it may hold back and release later."""
        ...
