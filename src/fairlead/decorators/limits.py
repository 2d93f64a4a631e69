"""Keeps calls within the limits of a vendor, or of a machine of one's own."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

import anyio

from ..core.bounds import bounds_of
from ..core.checks import check_kind, check_port
from ..core.journal import Outcome
from ..core.ports import RateStore
from ..core.refusals import RateLimitExceededError
from ..core.streams import GenerationStream
from ._base import Decorator
from .buckets import LocalRateStore
from .lane import Lane, LimitOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.bounds import Bounds
    from ..core.calls import Call, Operation, T
    from ..core.provider import LooseProvider, ProviderPort
    from .line import Ticket

PATIENCE = 0.25
"""Seconds that a store which is not in this process may take; it is left out then."""


class LimitProvider(Decorator):
    """
    Lets calls wait, first come, first served, until the limits allow them.

    A call takes a place, one request and the tokens that it is expected to need all at once, or
    none of it; what it is expected to need is corrected when it is known. It waits only if its
    deadline allows, and not at all for what the provider would refuse anyway. Each model that
    calls name has limits of its own.

    Args:
        inner: What is asked.
        options: The limits.
        key: Whose limits they are, where several policies share a store: the name of an account
            or of an API key, never the key itself. By default the provider's name.
        store: Where rates are kept. By default in this object.

    Raises:
        RateLimitExceededError: From a call, with `retry_after` where it is known; nothing was
            sent.
    """

    layer = "limits"
    OPTIONS: ClassVar[Mapping[str, Any]] = {"options": LimitOptions()}
    MAX_MODELS = 256

    def __init__(
        self,
        inner: ProviderPort | LooseProvider,
        /,
        *,
        options: LimitOptions | None = None,
        key: str | None = None,
        store: RateStore | None = None,
    ) -> None:
        check_kind("options", options, LimitOptions)
        check_kind("key", key, str)
        check_port("store", store, RateStore)
        super().__init__(inner)
        self._options = options or LimitOptions()
        self._key = key or self.name
        self._store = LocalRateStore() if store is None else store
        self._lanes: OrderedDict[str | None, Lane] = OrderedDict()

    async def handle(self, call: Call[T]) -> T:
        """Make *call* when it is its turn."""
        lane = self._lane(call)
        ticket = lane.ticket(call, self.model)
        if not lane.starts(call, ticket):
            await self._wait(call, lane, ticket)
        try:
            result = await call.on(self._inner)
        except BaseException as error:
            lane.failed(call, ticket, error)
            raise
        if isinstance(result, GenerationStream):
            lane.opened(call, ticket, result.metadata)
            result.on_close(partial(lane.closed, call, ticket))
        else:
            whole: Any = result
            lane.done(call, ticket, whole)
        return result

    def bounds(self, operation: Operation) -> Bounds:
        """As what is inside, and any wait that the deadline allows."""
        inside = bounds_of(self._inner, operation)
        if inside.waits is None or self._options.max_queued == 0:
            return inside
        return replace(inside, waits=inf)

    async def _wait(self, call: Call[Any], lane: Lane, ticket: Ticket) -> None:
        """Return when *ticket* runs."""
        line = lane.line
        if lane.never(call, ticket):
            raise self._refusal(call, "it needs more tokens than may ever be had at once")
        if not line.join(ticket):
            raise self._refusal(
                call, f"{len(line)} calls wait already", lane.peek(call, line.needed)
            )
        began: float | None = None
        waiting = call
        if self._options.max_wait is not None:
            waiting = call.with_(deadline=call.deadline.within(self._options.max_wait))
        try:
            while (wait := await self._look(call, lane, ticket)) != 0.0:
                if ticket.woken:
                    continue
                if self._in_vain(call):
                    break  # whoever refuses says so itself, and better
                if wait is None and began is None:
                    sure = lane.peek(call, line.needed)
                else:
                    sure = wait or 0.0
                began = call.now() if began is None else began
                await self._pause(waiting, lane, ticket, wait, sure)
            if began is not None:
                lane.note(call, Outcome.WAITED, "it was not yet its turn", call.now() - began)
        except BaseException:
            line.leave(ticket)
            raise
        line.start(ticket)

    async def _look(self, call: Call[Any], lane: Lane, ticket: Ticket) -> float | None:
        """0 if what *ticket* needs was taken; else seconds to wait, None until it is woken."""
        ticket.woken = False
        if not lane.line.free or not lane.line.is_first(ticket):
            return None
        now = call.now()
        wait = lane.look(ticket, now)
        if wait is not None:
            return wait
        try:
            with self.scope(PATIENCE):
                return await lane.ask(ticket, now)
            lane.note(call, Outcome.NOTED, f"the rate store took more than {PATIENCE:g} s")
        except Exception as error:  # noqa: BLE001 - whatever it is, a store fails no call
            lane.lost(call, error)
        return 0.0

    async def _pause(
        self, call: Call[Any], lane: Lane, ticket: Ticket, wait: float | None, sure: float
    ) -> None:
        """
        Wait until *ticket* is woken, or *wait* is over.

        Refused at once if nobody may wait, or *sure* seconds do not fit the deadline; when the
        deadline comes; and when there is nothing left to wait for.
        """
        left = call.deadline.remaining()
        if not lane.line.may_wait:
            raise self._refusal(call, "it would have to wait", sure)
        if left is not None and sure >= left:
            raise self._refusal(call, f"it may wait for {left:g} s", sure)
        event = anyio.Event()
        ticket.wake = event.set
        limits = [limit for limit in (wait, left) if limit is not None]
        if limits:
            with self.scope(min(limits)):
                await event.wait()
        else:
            await event.wait()
        ticket.wake = None
        if call.deadline.remaining() == 0:
            why = "it may wait no longer"
            raise self._refusal(call, why, lane.peek(call, lane.line.needed))
        if not call.holds():
            raise self._refusal(call, "its key is not asked any more")

    def _in_vain(self, call: Call[Any]) -> bool:
        """Whether what is inside would refuse *call* at present, so that it waits for nothing."""
        targets = self._inner.plan(call).targets
        return bool(targets) and all(target.obstacle for target in targets)

    def _lane(self, call: Call[Any]) -> Lane:
        model = self._model_of(call)
        lane = self._lanes.get(model)
        if lane is not None:
            self._lanes.move_to_end(model)
            return lane
        lane = self._lanes[model] = Lane(
            self._options, self._store, key=self._key, provider=self.name, model=model
        )
        if len(self._lanes) > self.MAX_MODELS:
            self._lanes.popitem(last=False)
        return lane

    def _refusal(
        self, call: Call[Any], why: str, retry_after: float | None = None
    ) -> RateLimitExceededError:
        return call.refused(
            RateLimitExceededError(
                f"our own limits for {self.name} leave no room for this call: {why}",
                provider=self.name,
                model=self._model_of(call),
                retry_after=retry_after or None,
                sent=False,
            )
        )
