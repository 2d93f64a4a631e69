"""How streams and answers end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import OutputTruncatedError, ProviderError
from .events import StreamEnd
from .results import CUT_SHORT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .events import StreamEvent
    from .journal import Outcome
    from .results import Generation
    from .streams import GenerationStream


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
