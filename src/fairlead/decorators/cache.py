"""Gives answers again that were given before, and lets those who ask the same share one."""

from __future__ import annotations

import logging
import time as _time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ..core.bounds import bounds_of
from ..core.cache_keys import generation_key
from ..core.caching import CacheMode, cache_mode, check_age
from ..core.checks import check_function, check_kind, check_port
from ..core.collector import events_of
from ..core.effects import has_effects
from ..core.entries import Answer
from ..core.events import StreamEnd
from ..core.journal import Attempt, Outcome
from ..core.ports import CacheStore
from ..core.results import Generation
from ..core.streams import GenerationStream
from ._base import Decorator
from ._tasks import TaskHost
from .flights import Flights
from .kept import WHOLE, Copy, Rule, answering, deterministic, own_warnings, replayed
from .shelf import Shelf
from .vectors import KeptVectors

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from ..core.bounds import Bounds
    from ..core.caching import CacheControl
    from ..core.calls import Call, Operation, T
    from ..core.events import StreamEvent
    from ..core.outcomes import StreamOutcome
    from ..core.plans import Plan
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.requests import GenerateRequest
    from ..core.results import Metadata

logger: logging.Logger = logging.getLogger("fairlead.cache")
logger.addHandler(logging.NullHandler())


class CacheProvider(Decorator):
    """
    Answers from a store what was asked before, and asks once for all who ask at the same time.

    Only what is exactly the same is: all of the request, the target's model, address and defaults.
    Generations take part where the call asks for determinism, by a temperature of 0, a seed, or
    the option `cache`; vectors always do, each text by itself. What leaves something behind at the
    vendor never does. An answer is kept if it is whole, ended by itself or by tool calls, and
    replayed as the stream that it was.

    A slow or broken store is one that has nothing.

    Args:
        inner: What is asked; a dispatcher stands inside, never outside.
        store: Where answers are kept; it stays whoever built it to close. None keeps nothing.
        mode: What is done for calls that do not say.
        ttl: Seconds that answers are kept for; None is for as long as there is room.
        namespace: Answers of other namespaces are not seen.
        single_flight: Whether calls that ask the same at the same time share an answer.
        together: What of a call has to be equal for it to share one, besides what it asks; by
            default its tags, as budgets go by them.
        time: The present in Unix seconds.

    Raises:
        ConfigurationError: An option makes no sense.
    """

    layer = "cache"
    OPTIONS: ClassVar[Mapping[str, Any]] = {
        "store": None,
        "mode": CacheMode.ON,
        "ttl": None,
        "namespace": "",
        "single_flight": True,
    }

    def __init__(
        self,
        inner: ProviderPort | LooseProvider,
        /,
        *,
        store: CacheStore | None = None,
        mode: CacheMode | str = CacheMode.ON,
        ttl: float | None = None,
        namespace: str = "",
        single_flight: bool = True,
        together: Callable[[Call[Any]], Hashable] | None = None,
        time: Callable[[], float] = _time.time,
    ) -> None:
        check_port("store", store, CacheStore)
        if ttl is not None:
            check_age("ttl", ttl)
        check_kind("namespace", namespace, str)
        check_function("together", together)
        super().__init__(inner)
        self._store = store
        self._mode = cache_mode("mode", mode)
        self._ttl = ttl
        self._namespace = namespace
        self._single_flight = single_flight
        self._together = together or _tags
        self._time = time
        self._host = TaskHost()
        self._shelf = None if store is None else Shelf(store, self._host, self._lost)
        self._flights = Flights(self._host)
        self._usual = self._rule(None)
        self._told: set[str] = set()
        self._vectors = KeptVectors(self._inner, self._shelf, namespace, time, self._shared)

    def bounds(self, operation: Operation) -> Bounds:
        """As what is inside: nothing may be there."""
        return bounds_of(self._inner, operation)

    async def aclose(self) -> None:
        """Let arrive what is on its way to the store, end what runs, close what it wraps."""
        try:
            if self._shelf is not None:
                await self._shelf.settle()
        finally:
            try:
                await self._host.aclose()
            finally:
                await super().aclose()

    async def handle(self, call: Call[T]) -> T:
        """Make *call*, or find its answer."""
        wish = call.options.cache
        rule = self._usual if wish is None else self._rule(wish)
        if rule.idle or has_effects(call):
            return await call.on(self._inner)
        plan = call.plan or self._inner.plan(call)
        if call.embeds:
            return cast("T", await self._vectors.answer(call.with_(plan=plan), plan, rule))
        key = self._key(call, plan)
        if key is None:
            return await call.with_(plan=plan).on(self._inner)
        if rule.reads and (kept := await self._kept(call, key, rule)) is not None:
            return cast("T", replayed(call, kept, self._time()))
        call = call.with_(plan=plan)

        async def fetch(shared: Call[T]) -> T:
            return await self._fetch(shared, plan, rule)

        return await self._shared(key, call, rule, fetch)

    def _rule(self, wish: CacheControl | None) -> Rule:
        return Rule.of(wish, self._mode, self._ttl, store=self._shelf is not None)

    def _key(self, call: Call[Any], plan: Plan) -> str | None:
        """What the answer to *call* is kept under; None if it takes no part."""
        target = plan.first
        if target is None:
            return None
        request = cast("GenerateRequest", target.request or call.request)
        if call.options.cache is None and not deterministic(request, target.defaults):
            return None
        return generation_key(target, request, self._namespace)

    async def _kept(self, call: Call[Any], key: str, rule: Rule) -> Answer | None:
        assert self._shelf is not None  # or nothing were read
        data = (await self._shelf.get((key,), call)).get(key)
        if data is None:
            return None
        try:
            answer = Answer.decode(data)
        except ValueError as error:
            self._lost(f"what the store has cannot be read: {error}", call)
            return None
        return answer if answer.fresh(self._time(), rule.max_age) else None

    async def _shared(
        self, key: str, call: Call[T], rule: Rule, fetch: Callable[[Call[T]], Any]
    ) -> T:
        """What *fetch* brings for *call*, or for another that is the same."""
        if not (self._single_flight and rule.joins):
            return cast("T", await fetch(call))
        same = (key, call.operation, call.options.commit, self._together(call))
        return await self._flights.join(same, call, fetch)

    async def _fetch(self, call: Call[T], plan: Plan, rule: Rule) -> T:
        """Ask, and let the answer be kept."""
        result = await call.on(self._inner)
        if not rule.writes:
            return result
        if isinstance(result, Generation):
            if result.finish_reason in WHOLE:
                self._keep(call, plan, rule, events_of(result), result.metadata)
        elif isinstance(result, GenerationStream):
            self._copy(call, plan, rule, result)
        return result

    def _copy(self, call: Call[Any], plan: Plan, rule: Rule, stream: GenerationStream) -> None:
        copy = Copy()

        def closed(outcome: StreamOutcome) -> None:
            if outcome.outcome is Outcome.SUCCEEDED and copy.whole:
                metadata = outcome.generation.metadata
                self._keep(call, plan, rule, copy.events, metadata)

        stream.tee(copy.add)
        stream.on_close(closed)

    def _keep(
        self,
        call: Call[Any],
        plan: Plan,
        rule: Rule,
        events: Sequence[StreamEvent],
        metadata: Metadata,
    ) -> None:
        """Let what was answered be kept, under the key of who has answered it."""
        answered = None if metadata.cached else answering(call, plan, metadata.provider)
        if answered is None:
            return
        target, request = answered
        key = generation_key(target, cast("Any", request), self._namespace)
        if key is None:
            return
        events = _of_the_answer(events)
        now = self._time()
        answer = Answer(
            at=now,
            until=rule.until(now),
            provider=metadata.provider,
            model=metadata.model,
            usage=metadata.usage,
            cost=metadata.cost,
            vendor_request_id=metadata.vendor_request_id,
            warnings=_besides(own_warnings(metadata.warnings), events),
            events=events,
        )
        try:
            data = answer.encode()
        except (TypeError, ValueError) as error:
            self._lost(f"an answer cannot be kept: {error}", call)
            return
        assert self._shelf is not None  # or nothing were written
        self._shelf.set({key: data}, answer.until)

    def _lost(self, reason: str, call: Call[Any] | None = None) -> None:
        """The store is of no use, which no call has to suffer for."""
        if call is not None:
            call.journal.record(
                Attempt(outcome=Outcome.NOTED, provider=self.name, reason=f"cache: {reason}")
            )
        if reason not in self._told and len(self._told) < MAX_TOLD:
            self._told.add(reason)
            logger.warning("the cache is left out: %s", reason)


MAX_TOLD = 64
"""Different reasons that are logged, each once."""


def _of_the_answer(events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
    """*events* without warnings on how one call came by them."""
    end = events[-1]
    if not isinstance(end, StreamEnd) or not end.warnings:
        return events
    return [*events[:-1], replace(end, warnings=own_warnings(end.warnings))]


def _besides(warnings: Sequence[str], events: Sequence[StreamEvent]) -> tuple[str, ...]:
    """Those of *warnings* that the answer's end does not tell."""
    end = events[-1]
    told = end.warnings if isinstance(end, StreamEnd) else ()
    return tuple(warning for warning in warnings if warning not in told)


def _tags(call: Call[Any]) -> Hashable:
    return frozenset(call.options.tags.items())
