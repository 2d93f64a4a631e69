"""How streams and answers end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from .errors import OutputTruncatedError, ProviderError
from .events import StreamEnd, StreamStart
from .results import CUT_SHORT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .events import StreamEvent
    from .journal import Outcome
    from .results import Generation
    from .streams import GenerationStream
    from .usage import Cost, Usage

Reckon: TypeAlias = Callable[["Usage", "str | None", Mapping[str, Any]], Union["Cost", None]]
"""What usage of a model comes to, with whatever else the vendor told; None if nobody knows."""


@dataclass(frozen=True, slots=True, eq=False)
class StreamOutcome:
    """How a stream ended: `SUCCEEDED`, `INTERRUPTED` or `ABANDONED`."""

    outcome: Outcome
    error: ProviderError | None
    stream: GenerationStream

    @property
    def generation(self) -> Generation:
        """What had been received."""
        return self.stream.received


def call_all(callbacks: Sequence[Callable[[StreamOutcome], None]], outcome: StreamOutcome) -> None:
    """Call each of them even if one raises."""
    for index, callback in enumerate(callbacks):
        try:
            callback(outcome)
        except BaseException:
            call_all(callbacks[index + 1 :], outcome)
            raise


def is_cut(events: Sequence[StreamEvent]) -> bool:
    """Whether *events* end with an end that is none."""
    last = events[-1] if events else None
    return isinstance(last, StreamEnd) and last.finish_reason in CUT_SHORT


def priced(
    events: Sequence[StreamEvent], reckon: Reckon, model: str | None
) -> Sequence[StreamEvent]:
    """
    *events*, an end of them with what it cost, if it tells usage and no cost.

    Args:
        events: At least one.
        reckon: Says what it cost.
        model: The one that answers, unless they tell another.
    """
    end = events[-1]
    if type(end) is not StreamEnd or end.cost is not None or end.usage is None:
        return events
    for event in events:
        if type(event) is StreamStart:
            model = event.model or model
    return [*events[:-1], replace(end, cost=reckon(end.usage, model, end.details))]


def truncated(generation: Generation) -> OutputTruncatedError | None:
    """The error that *generation* is if half of what was asked for is of no use."""
    metadata = generation.metadata
    if metadata.response_format is None or metadata.finish_reason not in CUT_SHORT:
        return None
    error = OutputTruncatedError(
        "the answer was cut before its response_format was complete; "
        "raise max_tokens, or leave it out",
        provider=metadata.provider,
        model=metadata.model,
        request_id=metadata.vendor_request_id,
        sent=True,
    )
    error.partial = generation
    return error
