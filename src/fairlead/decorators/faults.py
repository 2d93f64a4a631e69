"""Lets calls fail on purpose, so that applications see before time what they do then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from inspect import isclass
from math import inf
from random import Random
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import anyio

from ..core.adapter import Adapter
from ..core.bounds import Bounds, bounds_of
from ..core.calls import Operation, find
from ..core.checks import check_count, check_number, in_words
from ..core.errors import (
    ConfigurationError,
    InvalidResponseError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
)
from ..core.events import RefusalDelta, StreamEnd, TextDelta, ToolCallDelta
from ..core.journal import Attempt, Outcome
from ..core.messages import Refusal, Text, ToolCall
from ..core.results import Generation
from ..core.streams import GenerationStream
from ._base import Decorator

if TYPE_CHECKING:
    from ..core.calls import Call, T
    from ..core.events import StreamEvent
    from ..core.messages import Part
    from ..core.provider import LooseProvider, ProviderPort


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    What goes wrong with one call. At most one of *error*, *stall*, *cut_after* and *answer*.

    Args:
        error: Raised in place of asking, or its class.
        stall: Whether nothing comes: until the call is cancelled or its time is over.
        cut_after: Ends a stream as a lost connection does, after so many events: 0 is before it
            commits. What arrived together with the next event is lost with it. Of a call that
            is not streamed, the answer is lost.
        answer: `"empty"`, an answer that ends properly and says nothing; `"corrupt"`, one whose
            words are garbled, JSON and arguments of tools included. Vectors are lost either way.
        delay: Seconds before any of that, or before the provider is asked.

    Raises:
        ConfigurationError: It is nothing that can go wrong.
    """

    error: ProviderError | type[ProviderError] | None = None
    stall: bool = False
    cut_after: int | None = None
    answer: Literal["empty", "corrupt"] | None = None
    delay: float = 0.0

    def __post_init__(self) -> None:
        check_number("delay", self.delay, "at least 0 seconds", lambda it: it >= 0)
        if self.error is not None and not _is_error(self.error):
            raise ConfigurationError(f"error must be a ProviderError, not {in_words(self.error)}")
        if self.cut_after is not None:
            check_count("cut_after", self.cut_after, 0)
        if self.answer not in {None, "empty", "corrupt"}:
            raise ConfigurationError(f"answer is empty or corrupt, not {in_words(self.answer)}")
        chosen = [self.error is not None, self.stall, self.cut_after is not None, bool(self.answer)]
        if sum(chosen) > 1:
            raise ConfigurationError("a Fault is one of error, stall, cut_after and answer")


Wrong: TypeAlias = Fault | ProviderError | type[ProviderError] | None
"""What goes wrong with one call; None is nothing."""
Script: TypeAlias = Iterable[Wrong] | Callable[["Call[Any]"], Wrong]


class RandomFaults:
    """
    Chooses what goes wrong by chance; the same seed chooses the same for the same row of calls.

    ::

        RandomFaults({OverloadedError: 0.1, Fault(stall=True): 0.01}, seed=7)

    Args:
        rates: The share of calls that each goes wrong with.
        seed: Where chance begins.

    Raises:
        ConfigurationError: A share is none, or they exceed the whole.
    """

    def __init__(
        self, rates: Mapping[Fault | ProviderError | type[ProviderError], float], *, seed: int
    ) -> None:
        check_count("seed", seed, 0)
        self._rates = [(_fault(wrong), rate) for wrong, rate in rates.items()]
        for _, rate in self._rates:
            check_number("a rate", rate, "between 0 and 1", lambda it: 0 <= it <= 1)
        if sum(rates.values()) > 1 + _ROUNDING:
            raise ConfigurationError("the rates of all faults together exceed 1")
        self._random = Random(seed)  # noqa: S311 - nothing is guarded by it

    def __call__(self, call: Call[Any]) -> Fault | None:
        """What goes wrong with the next call."""
        chance = self._random.random()
        for fault, rate in self._rates:
            chance -= rate
            if chance < 0:
                return fault
        return None


_ROUNDING = 1e-9


class FaultsProvider(Decorator):
    """
    Lets calls fail on purpose, by a script or by chance, for tests of what is built on fairlead.

    It stands next to the adapter, so that all other policies see its faults as the provider's
    own; what it raises in the provider's stead counts as an attempt and stands in the journal.

    Args:
        inner: What is asked when nothing goes wrong.
        faults: What goes wrong: one entry per call, in the order of the calls, and nothing after
            the last; or a function of the `Call`, such as `RandomFaults`. By default nothing.

    Raises:
        ConfigurationError: *faults* is neither.
        ProviderError: From a call, as *faults* say.
    """

    layer = "faults"

    def __init__(
        self, inner: ProviderPort | LooseProvider, /, *, faults: Script | None = None
    ) -> None:
        super().__init__(inner)
        if faults is None or (callable(faults) and not isclass(faults)):
            self._choose = faults
        elif isinstance(faults, Iterable) and not isinstance(faults, str):
            # A script that is a list is checked at once; what is made on the way, call by call.
            script = [_fault(it) for it in faults] if isinstance(faults, list | tuple) else faults
            self._choose = _in_order(iter(script))
        else:
            msg = f"faults is a list of faults or a function, not {in_words(faults)}"
            raise ConfigurationError(msg)

    def bounds(self, operation: Operation) -> Bounds:
        """That of what it wraps, which a delay may exceed."""
        inside = bounds_of(self._inner, operation)
        return inside if self._choose is None else inside.repeated(1, inf)

    async def handle(self, call: Call[T]) -> T:
        """Make *call*, or let it fail."""
        fault = None if self._choose is None else _fault(self._choose(call))
        if fault is None:
            return await call.on(self._inner)
        if fault.delay:
            await self._pass(fault.delay, call)
        if fault.stall:
            await self._pass(inf, call)
        if fault.error is not None:
            error = _raised(fault.error)
            self._record(call, error)
            raise error
        result = await call.on(self._inner)
        if isinstance(result, GenerationStream):
            return cast("T", self._spoilt(call, result, fault))
        if fault.cut_after is not None:
            raise self._told(call, ProviderConnectionError(_LOST, sent=True))
        if fault.answer is None:
            return result
        if isinstance(result, Generation):
            return cast("T", _rewritten(result, fault.answer))
        raise self._told(call, InvalidResponseError(f"the vectors are {fault.answer} on purpose"))

    def _spoilt(self, call: Call[Any], stream: GenerationStream, fault: Fault) -> GenerationStream:
        if fault.cut_after == 0:
            stream.cancel()
            raise self._told(call, ProviderConnectionError(_LOST, sent=True))
        if fault.cut_after is not None:
            cut = _Cut(fault.cut_after)
            stream.transform(cut)
            stream.tee(cut.passed)
        elif fault.answer is not None:
            stream.transform(_Rewriting(fault.answer))
        return stream

    async def _pass(self, seconds: float, call: Call[Any]) -> None:
        """Let time pass, but not beyond what the provider is given."""
        limit = self._limit(call)
        if limit is not None and limit <= seconds:
            await anyio.sleep(limit)
            msg = f"no answer in time: {limit:g} s"
            error = ProviderTimeoutError(msg, limit=limit, sent=True)
            self._record(call, error)
            raise error
        await (anyio.sleep_forever() if seconds == inf else anyio.sleep(seconds))

    def _limit(self, call: Call[Any]) -> float | None:
        """Seconds until whoever is stood in for would give up."""
        adapter = find(self._inner, Adapter)
        limits = None if adapter is None else adapter.limits
        own = None
        if limits is not None:
            streams = call.operation is Operation.STREAM
            own = limits.content(reasoning=bool(self.model.reasoning)) if streams else limits.total
        left = call.deadline.remaining()
        return left if own is None or (left is not None and left < own) else own

    def _record(self, call: Call[Any], error: ProviderError) -> None:
        self._told(call, error)
        call.journal.record(
            Attempt(
                outcome=Outcome.FAILED,
                provider=self.name,
                model=error.model,
                reason=error.message,
                error=type(error).__name__,
                status_code=error.status_code,
                misconfigured=error.verdict.misconfigured,
            )
        )

    def _told(self, call: Call[Any], error: ProviderError) -> ProviderError:
        """*error*, as the provider's own."""
        error.provider = error.provider or self.name
        error.model = error.model or call.request.model or self.model.name
        error.journal = call.journal
        return error


_LOST = "the connection was lost on purpose"


def _in_order(script: Iterator[Wrong]) -> Callable[[Call[Any]], Wrong]:
    return lambda _: next(script, None)


def _is_error(wrong: object) -> bool:
    return isinstance(wrong, ProviderError) or (
        isinstance(wrong, type) and issubclass(wrong, ProviderError)
    )


def _fault(wrong: Wrong) -> Fault | None:
    if wrong is None or isinstance(wrong, Fault):
        return wrong
    if _is_error(wrong):
        return Fault(error=wrong)
    raise ConfigurationError(f"a fault is a Fault, a ProviderError or None, not {in_words(wrong)}")


def _raised(error: ProviderError | type[ProviderError]) -> ProviderError:
    """A copy, as calls write on their errors."""
    if isinstance(error, type):
        return error(f"{error.__name__} on purpose")
    raised = copy(error)
    raised.journal = None
    return raised


class _Cut:
    """
    Passes *count* events on, and fails at the next that arrives after them.

    All events of one read pass a filter before any of them is shown, so failing at the first
    event too many would take those with it that arrived together with it.
    """

    def __init__(self, count: int) -> None:
        self._left = count
        self._over = False

    def feed(self, event: StreamEvent) -> Iterable[StreamEvent]:
        if self._over or (self._left == 0 and isinstance(event, StreamEnd)):
            raise ProviderConnectionError(_LOST, sent=True)
        if self._left == 0:
            return ()
        self._left -= 1
        return (event,)

    def passed(self, event: StreamEvent) -> None:
        """Called for the events of one read once they have all passed."""
        self._over = self._left == 0


class _Rewriting:
    """Makes the words of a stream empty or corrupt."""

    def __init__(self, how: Literal["empty", "corrupt"]) -> None:
        self._how = how

    def feed(self, event: StreamEvent) -> Iterable[StreamEvent]:
        if isinstance(event, TextDelta):
            return () if self._how == "empty" else (TextDelta(_garbled(event.text)),)
        if isinstance(event, RefusalDelta):
            return () if self._how == "empty" else (RefusalDelta(_garbled(event.text)),)
        if isinstance(event, ToolCallDelta):
            if self._how == "empty":
                return ()
            event = copy(event)
            event.arguments = _garbled(event.arguments)
        return (event,)


def _rewritten(answer: Generation, how: Literal["empty", "corrupt"]) -> Generation:
    """*answer*, put together anew from parts that are empty or corrupt."""
    parts: list[Part] = []
    for part in answer.message.parts:
        if not isinstance(part, Text | Refusal | ToolCall):
            parts.append(part)
        elif how == "empty":
            continue
        elif isinstance(part, ToolCall):
            parts.append(replace(part, arguments=_garbled(part.arguments)))
        else:
            parts.append(replace(part, text=_garbled(part.text)))
    text = "".join(part.text for part in parts if isinstance(part, Text))
    return Generation(text, replace(answer.metadata, parts=tuple(parts)))


def _garbled(words: str) -> str:
    """*words* as a broken cable has them: every other character is lost."""
    return "".join("\N{REPLACEMENT CHARACTER}" if at % 2 else it for at, it in enumerate(words))
