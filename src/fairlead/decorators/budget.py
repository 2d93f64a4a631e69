"""Keeps calls within what may be spent."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ..core.adapter import Adapter
from ..core.bounds import Amounts, bounds_of
from ..core.budgets import (
    GLOBAL,
    AssumedPrice,
    BudgetAlert,
    BudgetOptions,
    Consumption,
    Shortfall,
    dollars,
    in_unit,
    told,
)
from ..core.calls import find
from ..core.checks import check_functions, check_kind, check_port
from ..core.journal import Attempt, Outcome
from ..core.ports import BudgetStore, EventLog
from ..core.redact import shown
from ..core.refusals import BudgetExceededError
from ..core.streams import GenerationStream
from ._base import Decorator
from .local_budgets import LocalBudgetStore
from .quotes import Quote, Spent, UnboundedError, quote
from .reservations import LostError, Reservation, Reservations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..core.bounds import Bounds
    from ..core.budgets import Claim, Grant
    from ..core.calls import Call, Operation, T
    from ..core.outcomes import StreamOutcome
    from ..core.plans import Target
    from ..core.provider import LooseProvider, ProviderPort
    from .quotes import Rated

MAX_KNOWN = 1024
"""Values of tags that are remembered with what they claim."""
MAX_TOLD = 1024
"""Soft limits that are remembered to have been told of."""


class BudgetProvider(Decorator):
    """
    Reserves what an attempt may come to before it is made, and settles it after.

    A call fits all limits of all scopes that it is in, by its tags, or it is refused and nothing is
    sent. What it may come to are its input and all the output that it may have, at the highest
    rates. Where it sets no `max_tokens`, and not all of that can be had, or nobody knows how much
    it would be, the budget sets one, and says so in the answer's warnings.

    The vendor's own cost settles it, else the price of the usage that it tells. What fails, is cut
    or left settles at its input and what was seen; what was never sent is released, and what the
    vendor has refused counts as a call.

    Args:
        inner: What is asked.
        options: What may be spent.
        store: Where the books are kept; by default in this object. All targets of a pipeline share
            one. `aclose()` writes what is marked, and leaves the store open.
        listeners: Are told, synchronously, of each soft limit that is reached: before the next
            attempt, and once in a window.
        log: Where soft limits and failures of the store are told to.

    Raises:
        BudgetExceededError: From a call; nothing was sent.
    """

    layer = "budget"
    OPTIONS: ClassVar[Mapping[str, Any]] = {"limits": None, "bound": None}

    def __init__(
        self,
        inner: ProviderPort | LooseProvider,
        /,
        *,
        options: BudgetOptions | None = None,
        store: BudgetStore | None = None,
        listeners: tuple[Callable[[BudgetAlert], None], ...] = (),
        log: EventLog | None = None,
    ) -> None:
        check_kind("options", options, BudgetOptions)
        check_port("store", store, BudgetStore)
        check_port("log", log, EventLog)
        check_functions("listeners", listeners)
        super().__init__(inner)
        self._options = options or BudgetOptions()
        limits = self._options.limits
        self._limits = "; ".join(map(str, limits)) or "none"
        self._bound = self._options.bound
        self._reservations = Reservations(LocalBudgetStore() if store is None else store, log)
        self._listeners = listeners
        self._log = log
        self._counts_money = any(limit.money is not None for limit in limits)
        self._counts_tokens = any(limit.tokens is not None for limit in limits)
        self._has_soft = any(limit.soft is not None for limit in limits)
        fixed = (limit.claim({}) for limit in limits if limit.scope == GLOBAL)
        self._fixed = sorted((claim for claim in fixed if claim is not None), key=_key)
        self._tagged = [limit for limit in limits if limit.scope != GLOBAL]
        self._known: dict[tuple[str, ...], Sequence[Claim]] = {}
        """By the values of their tags, what calls have to fit."""
        self._free: dict[Operation, bool] = {}
        self._told_of: OrderedDict[tuple[str, int], None] = OrderedDict()

    def bounds(self, operation: Operation) -> Bounds:
        """As what is inside; under a strict bound no dearer than the least limit for all calls."""
        inside = bounds_of(self._inner, operation)
        limits = [claim.most[0] for claim in self._fixed if claim.most[0] is not None]
        if not limits or self._bound != "strict" or self._options.unpriced == "allow":
            return inside
        most = Amounts(money=dollars(min(limits)))
        return replace(inside, each=inside.each.least(most), all=inside.all.least(most))

    async def handle(self, call: Call[T]) -> T:
        """Make *call*, if there is enough left for it."""
        claims = self._claims(call)
        target = self._target(call) if claims else None
        if target is None:  # no budget of ours, or whoever refuses says so itself, and better
            return await call.on(self._inner)
        warnings: list[str] = []
        quoted = self._quote(call, target, warnings)
        reservation = await self._reserve(call, claims, quoted, warnings)
        if reservation is None:
            return _warned(await call.on(self._inner), warnings)
        after = _After(call, quoted, reservation)
        try:
            most = quoted.affordable(reservation.granted.amount)
            if most is not None:
                call = _capped(call, most, warnings)
            if self._has_soft:
                self._tell(call, claims, reservation.granted)
            result = await call.on(self._inner)
        except BaseException as error:
            after.failed(error)
            raise
        if isinstance(result, GenerationStream):
            result.on_close(after.closed)
            result.finish(self._written)
        else:
            after.answered(result)
            await self._reservations.settle()
        return _warned(result, warnings)

    async def aclose(self) -> None:
        """Write what is marked, and close what is inside. Idempotent."""
        try:
            await self._reservations.aclose()
        finally:
            await super().aclose()

    def _note(self, call: Call[Any], reason: str) -> None:
        """Tell the journal."""
        call.journal.record(
            Attempt(
                outcome=Outcome.NOTED,
                provider=self.name,
                model=self._model_of(call),
                reason=reason,
            )
        )

    async def _written(self, _: StreamOutcome) -> None:
        await self._reservations.settle()

    def _claims(self, call: Call[Any]) -> Sequence[Claim]:
        """What *call* has to fit."""
        if not self._tagged:
            return self._fixed
        tags = call.options.tags
        values = tuple(tags.get(limit.scope, "") for limit in self._tagged)
        known = self._known.get(values)
        if known is None:
            own = [claim for limit in self._tagged if (claim := limit.claim(tags)) is not None]
            known = tuple(sorted([*self._fixed, *own], key=_key))
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[values] = known
        return known

    def _target(self, call: Call[Any]) -> Target | None:
        """Who would answer; None if nobody would at present."""
        return next((each for each in self._inner.plan(call) if not each.obstacle), None)

    def _quote(self, call: Call[Any], target: Target, warnings: list[str]) -> Quote:
        price = self._price(call, target, warnings) if self._counts_money else None
        if price is None and not self._counts_tokens:
            return Quote(None, target.model.tokenizer)
        try:
            return quote(call, target.model, price, self._options)
        except UnboundedError as error:
            raise self._refusal(call, f"a strict budget has no bound for it: {error}") from None

    def _price(self, call: Call[Any], target: Target, warnings: list[str]) -> Rated | None:
        """None if it costs nothing, or what it costs is not counted."""
        if target.price is not None or self._costs_nothing(call.operation):
            return target.price
        unpriced = self._options.unpriced
        if isinstance(unpriced, AssumedPrice):
            return unpriced
        why = f"nobody knows what {target.label} costs"
        if unpriced == "deny":
            raise self._refusal(
                call, f"{why}; give it a price, or say by unpriced= what it is taken for"
            )
        warnings.append(f"{why}, so the budget does not count it")
        return None

    def _costs_nothing(self, operation: Operation) -> bool:
        known = self._free.get(operation)
        if known is None:
            asked = find(self._inner, Adapter)
            known = asked is not None and bounds_of(asked, operation).each.money == 0
            self._free[operation] = known
        return known

    async def _reserve(
        self, call: Call[Any], claims: Sequence[Claim], quoted: Quote, warnings: list[str]
    ) -> Reservation | None:
        """None if the store has failed, and calls are made nevertheless."""
        try:
            made = await self._reservations.reserve(call, claims, quoted)
        except LostError as error:
            allowed = self._options.on_store_failure == "allow"
            self._note(call, f"the budget store failed: {error}")
            if self._log is not None:
                fields = {"provider": self.name, "error": str(error), "allowed": allowed}
                self._log.record("error", "the budget store failed", fields)
            if not allowed:
                raise self._refusal(call, f"its store failed: {error}") from error
            warnings.append(f"no budget was kept for this call, as its store failed: {error}")
            return None
        if isinstance(made, Shortfall):
            raise self._exceeded(call, made)
        return made

    def _tell(self, call: Call[Any], claims: Sequence[Claim], granted: Grant) -> None:
        """Tell of each soft limit that is newly reached."""
        for claim, spent in zip(claims, granted.spent, strict=True):
            soft, most = claim.limit.soft, claim.most
            if soft is None or not any(
                limit is not None and spent[index] >= limit * soft
                for index, limit in enumerate(most)
            ):
                continue
            window = claim.window
            slot = window.slot(granted.at)
            # A rolling window is told of once while the present moment counts in it.
            key = f"{claim.key} {claim.limit}", slot // max(window.reach, 1)
            if key in self._told_of:
                continue
            self._told_of[key] = None
            if len(self._told_of) > MAX_TOLD:
                self._told_of.popitem(last=False)
            self._alert(call, claim, spent, window.gone(slot))

    def _alert(
        self, call: Call[Any], claim: Claim, spent: Consumption, resets: float | None
    ) -> None:
        alert = BudgetAlert(
            scope=claim.scope, limit=claim.limit, spent=spent, resets_at=_time(resets)
        )
        if self._log is not None:
            fields = {"scope": claim.scope, "limit": str(claim.limit), "usd": dollars(spent[0])}
            self._log.record("warning", "a budget's soft limit is reached", fields)
        for listener in self._listeners:
            try:
                listener(alert)
            except Exception as error:  # noqa: BLE001 - what listens fails no call
                self._note(call, f"a listener of the budget failed: {type(error).__name__}")

    def _exceeded(self, call: Call[Any], short: Shortfall) -> BudgetExceededError:
        unit, resets = short.unit, _time(short.resets)
        when = (
            "" if resets is None else f"; some of it comes back at {resets:%Y-%m-%d %H:%M:%S} UTC"
        )
        return self._refusal(
            call,
            f"it may come to {told(short.needed, unit)}; of {told(short.limit, unit)} "
            f"{short.claim.window} for {shown(short.claim.scope)}, {told(short.spent, unit)} "
            f"{_are(short.spent)} spent and {told(short.reserved, unit)} reserved{when}",
            scope=short.claim.scope,
            unit=unit,
            limit=in_unit(short.limit, unit),
            spent=in_unit(short.spent, unit),
            reserved=in_unit(short.reserved, unit),
            needed=in_unit(short.needed, unit),
            resets_at=resets,
            retry_after=short.wait,
        )

    def _refusal(self, call: Call[Any], why: str, **facts: Any) -> BudgetExceededError:
        return call.refused(
            BudgetExceededError(
                f"the budget leaves no room for this call: {why}",
                provider=self.name,
                model=self._model_of(call),
                sent=False,
                **facts,
            )
        )


class _After:
    """What becomes of a reservation once the attempt is over."""

    __slots__ = ("_reservation", "_spent")

    def __init__(self, call: Call[Any], quoted: Quote, reservation: Reservation) -> None:
        self._reservation = reservation
        self._spent = Spent(call, quoted, reservation.granted.amount)

    def answered(self, result: Any) -> None:
        self._reservation.mark(self._spent.by_answer(result))

    def closed(self, outcome: StreamOutcome) -> None:
        self._reservation.mark(self._spent.by_stream(outcome))

    def failed(self, error: BaseException) -> None:
        self._reservation.mark(self._spent.by_error(error))


def _key(claim: Claim) -> str:
    return claim.key


def _capped(call: Call[T], most: int, warnings: list[str]) -> Call[T]:
    """*call* with a `max_tokens` that can be paid."""
    if call.embeds:
        return call
    warnings.append(
        f"max_tokens was set to {most} by the budget, as the call set none: "
        "a longer answer is cut there"
    )
    given = {**call.given, "max_tokens": most}
    return call.with_(request=replace(call.generation, max_tokens=most), given=given)


def _warned(result: T, warnings: list[str]) -> T:
    told_so: Any = result
    return cast("T", told_so.warned(*warnings)) if warnings else result


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _are(amount: int) -> str:
    return "is" if amount == 1 else "are"
