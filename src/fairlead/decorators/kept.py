"""What a cache keeps of answers, and what it makes of them again."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..core.caching import CacheMode
from ..core.collector import Collector
from ..core.commit import CommitGate, size_of
from ..core.events import StreamEnd
from ..core.journal import Attempt, Outcome
from ..core.plans import ANSWERED_BY
from ..core.results import FinishReason, Metadata
from ..core.streams import GenerationStream
from ..core.usage import Cost, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..core.caching import CacheControl
    from ..core.calls import Call
    from ..core.entries import Answer, Entry
    from ..core.events import StreamEvent
    from ..core.plans import Plan, Target
    from ..core.requests import EmbedRequest, GenerateRequest
    from ..core.results import Generation

FREE = Cost(amount=Decimal(0), source="cache")
WHOLE = frozenset({FinishReason.STOP, FinishReason.TOOL_CALLS})
"""The ends of answers that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is done for one call: what the policy says, unless the call does."""

    reads: bool
    writes: bool
    joins: bool
    max_age: float | None
    ttl: float | None

    @classmethod
    def of(
        cls, wish: CacheControl | None, mode: CacheMode, ttl: float | None, *, store: bool
    ) -> Rule:
        """That of a call which wishes *wish*; without a store nothing is read or written."""
        asked = None if wish is None or wish.mode is None else CacheMode(wish.mode)
        decided = asked or mode
        return cls(
            reads=store and decided.reads,
            writes=store and decided.writes,
            joins=(asked or CacheMode.ON).joins,
            max_age=None if wish is None else wish.max_age,
            ttl=ttl if wish is None or wish.ttl is None else wish.ttl,
        )

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.reads or self.writes or self.joins)

    def until(self, now: float) -> float | None:
        """When what is kept now is over."""
        return None if self.ttl is None or self.ttl == float("inf") else now + self.ttl


def deterministic(request: GenerateRequest, defaults: Mapping[str, object]) -> bool:
    """Whether *request* asks for the same answer each time."""

    def asked(name: str) -> object:
        own = getattr(request, name)
        return defaults.get(name) if own is None else own

    return asked("temperature") == 0 or asked("seed") is not None


def answering(
    call: Call[Any], plan: Plan, provider: str
) -> tuple[Target, GenerateRequest | EmbedRequest] | None:
    """Which target of *plan* has answered, and what it was asked; None if that is not certain."""
    able = [target for target in plan if target.cannot is None]
    told = {
        attempt.target
        for attempt in call.journal
        if attempt.outcome is Outcome.SUCCEEDED and attempt.provider == provider
    }
    if told:
        able = [target for target in able if target.identity in told]
        if len(told) > 1:
            return None
    if len({target.identity for target in able}) != 1:
        return None
    return able[0], able[0].request or call.request


class Copy:
    """The events of a stream, as they pass; given up where they are too many."""

    def __init__(self) -> None:
        self.events: list[StreamEvent] = []
        self._left = CommitGate.MAX_ANSWER_BYTES

    def add(self, event: StreamEvent) -> None:
        """Take *event* in."""
        self._left -= size_of(event)
        if self._left >= 0:
            self.events.append(event)

    @property
    def whole(self) -> bool:
        """Whether it is all there, and ended as answers do."""
        end = self.events[-1] if self.events else None
        return self._left >= 0 and isinstance(end, StreamEnd) and end.finish_reason in WHOLE


def own_warnings(warnings: Sequence[str]) -> tuple[str, ...]:
    """Those of *warnings* that belong to the answer, and not to how this one call came by it."""
    return tuple(warning for warning in warnings if not warning.startswith(ANSWERED_BY))


def replayed(call: Call[Any], answer: Answer, now: float) -> Generation | GenerationStream:
    """*answer*, as the one to *call*; the journal tells of it."""
    reason = f"kept {answer.age(now):.0f} s ago"
    tell_hit(call, answer, reason, answer.usage, answer.cost)
    events, end = answer.events, answer.events[-1]
    if isinstance(end, StreamEnd):
        end.cost = FREE  # it was decoded for this call alone
    metadata = Metadata(
        provider=answer.provider,
        model=answer.model,
        vendor_request_id=answer.vendor_request_id,
        request_id=call.options.request_id,
        warnings=answer.warnings,
        cached=True,
        journal=call.journal,
        response_format=call.generation.response_format,
    )
    if call.operation == "generate":
        return Collector(events).generation(metadata)
    return GenerationStream(_Nothing(), metadata, events)


def tell_hit(
    call: Call[Any], entry: Entry, reason: str, usage: Usage | None, cost: Cost | None
) -> None:
    """Let the journal tell of *entry*, and of what it saves."""
    call.journal.record(
        Attempt(
            outcome=Outcome.HIT,
            provider=entry.provider,
            model=entry.model,
            reason=reason,
            usage=usage,
            cost=cost,
            request_id=entry.vendor_request_id,
            id=call.journal.new_id(),
        )
    )


class _Nothing:
    """Where no more events come from."""

    async def read(self) -> Sequence[StreamEvent]:
        """Nothing."""
        return ()

    def abort(self) -> None:
        """Nothing is held."""

    async def aclose(self) -> None:
        """Nothing is held."""
