"""What fallback, router and hedge have in common: they ask one target after another."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast

from ..core.adapt import Node, adapt
from ..core.bounds import Bounds, bounds_of
from ..core.calls import T
from ..core.checks import check_count, check_function, check_port
from ..core.closing import Closable
from ..core.errors import ConfigurationError, ProviderError
from ..core.plans import ANSWERED_BY, Plan, Target
from ..core.ports import EventLog
from ..core.refusals import NoTargetError
from ..core.requests import EmbedRequest
from ..core.verdicts import Another
from ._base import Policy
from ._targets import (
    PassedOver,
    able,
    adapted,
    all_failed,
    check,
    each,
    of_one_space,
    request_for,
    share_space,
    too_small,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from typing import TypeAlias

    from ..core.calls import Call, Handler, Operation
    from ..core.messages import Prompt
    from ..core.models import ModelInfo
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.results import TokenCount
    from ._targets import Failure

    Children: TypeAlias = Sequence[tuple[Handler, Plan]]
    Step: TypeAlias = tuple[Handler, Target, Call[T]]
    """Whom a call comes to, as whom it is known, and the call as it is asked there."""

logger: logging.Logger = logging.getLogger("fairlead.fallback")
logger.addHandler(logging.NullHandler())


class Dispatcher(Policy):
    """
    Asks its targets until one answers. A subclass says in which order, and how one is asked.

    The arguments are those of `FallbackProvider`.
    """

    layer = "dispatch"
    NAME: ClassVar[str]
    OPTIONS: ClassVar[Mapping[str, Any]] = {
        "max_attempts": None,
        "allow_other_space": False,
        "last_resort": None,
    }
    MAX_REMEMBERED = 1024

    def __init__(
        self,
        targets: Sequence[ProviderPort | LooseProvider],
        /,
        *,
        max_attempts: int = 6,
        allow_other_space: bool = False,
        try_another: Callable[[ProviderError], bool | None] | None = None,
        last_resort: ProviderPort | LooseProvider | None = None,
        log: EventLog | None = None,
    ) -> None:
        kind = type(self).__name__
        if not isinstance(targets, Sequence) or isinstance(targets, str):
            raise ConfigurationError(
                f"{kind} takes a sequence of providers, not {type(targets).__name__}"
            )
        if not targets:
            raise ConfigurationError(f"{kind} needs at least one provider")
        check_count("max_attempts", max_attempts, 1)
        check_function("try_another", try_another)
        check_port("log", log, EventLog)
        self._targets = tuple(adapt(target) for target in targets)
        self._max_attempts = max_attempts
        self._allow_other_space = allow_other_space
        self._try_another = try_another
        self._last_resort = None if last_resort is None else adapt(last_resort)
        self._log = log
        self._logged: set[tuple[str, str]] = set()
        self._parts: list[Plan] = []
        self._joined = Plan(())

    def __repr__(self) -> str:
        return self._built_of(list(self._targets))

    @property
    def targets(self) -> tuple[Node, ...]:
        """What is asked, in the order in which it was given."""
        return self._targets

    @property
    def name(self) -> str:
        """What it does; an answer names the provider that gave it."""
        return self.NAME

    @property
    def model(self) -> ModelInfo:
        """The first target's."""
        return self._targets[0].model

    def count_tokens(self, text: str | Prompt) -> TokenCount:
        """The first target's count."""
        return self._targets[0].count_tokens(text)

    def plan(self, call: Call[Any]) -> Plan:
        """All targets' plans, one after the other."""
        request = call.request
        plain = request.model is None
        asked = call if plain else call.with_(request=replace(request, model=None))
        parts = [target.plan(asked) for target in self._targets]
        if parts != self._parts:
            self._parts, self._joined = parts, Plan.joining(zip(self._targets, parts, strict=True))
        plan = self._joined
        if not plain or request.extra:
            vendors = {target.provider for target in plan}
            plan = plan.map(lambda target: adapted(target, request, vendors))
        if not self._allow_other_space and isinstance(request, EmbedRequest):
            plan = of_one_space(plan)
        return plan

    def bounds(self, operation: Operation) -> Bounds:
        """All targets, one after the other, within the cap; or the last resort."""
        every = [bounds_of(target, operation) for target in self._targets]
        chain = Bounds.joining(every).capped(self._max_attempts)
        if self._last_resort is None:
            return chain
        return chain.either(bounds_of(self._last_resort, operation))

    async def handle(self, call: Call[T]) -> T:
        """Make *call* on one target after the other."""
        # A policy above that knows nothing of dispatchers may plan without their children.
        plan = call.plan if call.plan is not None and call.plan.children else self.plan(call)
        if call.request.model is not None or call.request.extra:
            check(call, plan)
        walk = Walk(call, plan, self._arranged(call, plan), self._limit(call))
        try:
            while (step := walk.following()) is not None:
                try:
                    result = await self._ask(step, walk)
                except ProviderError as error:
                    walk.failed(step[1], error)
                    if not self._goes_on(error):
                        break
                else:
                    try:
                        if walk.passed_over:
                            return self._explained(result, walk.target, walk.passed_over)
                        return result
                    finally:
                        # An earlier error's traceback leads here, and must not keep a stream open.
                        del result
            if walk.failures:
                raise walk.failure()
        finally:
            # The errors' tracebacks lead here, and must not lead back to them.
            if walk.failures:
                walk.forget()
        return self._explained(await self._at_last(call, plan), None, walk.passed_over)

    async def _at_last(self, call: Call[T], plan: Plan) -> T:
        """What the last resort answers, as nobody could be asked."""
        if self._last_resort is None:
            raise _no_target(call, plan)
        own = call.with_(plan=None, request=replace(call.request, model=None, extra={}))
        if call.embeds and not self._allow_other_space:
            spare = self._last_resort.plan(own)
            if not share_space(plan, spare):
                raise _no_target(call, plan, "the last resort: it has another embedding space")
        return await own.on(self._last_resort)

    async def aclose(self) -> None:
        """Close all targets. Idempotent."""
        async with AsyncExitStack() as stack:
            for target in (*self._targets, self._last_resort):
                if isinstance(target, Closable):
                    stack.push_async_callback(target.aclose)

    def _arranged(self, call: Call[Any], plan: Plan) -> Children:
        """The plan's children in the order in which they are to be asked."""
        return plan.children

    def _ask(self, step: Step[T], walk: Walk[T]) -> Coroutine[Any, Any, T]:
        """Make a step."""
        return step[2].on(step[0])

    def _limit(self, call: Call[Any]) -> int:
        """How often providers may have been asked in all when this chain gives up."""
        limit = call.journal.asked + self._max_attempts
        return limit if call.attempt_limit is None else min(limit, call.attempt_limit)

    def _goes_on(self, error: ProviderError) -> bool:
        wish = self._try_another(error) if self._try_another else None
        if wish is not None:
            return wish
        last = each(error)[-1]  # what ended a nested chain ends this one too
        return last.verdict.another not in {Another.NEVER, Another.OPT_IN}

    def _explained(self, result: T, target: Target | None, passed_over: Sequence[PassedOver]) -> T:
        """*result*, with a warning that the first target did not give it."""
        label = "the last resort" if target is None else target.label
        for passed in passed_over:
            key = (label, passed.cause)
            if key not in self._logged and len(self._logged) < self.MAX_REMEMBERED:
                self._logged.add(key)
                self._tell(label, passed.reason)
        reasons = "; ".join(passed.reason for passed in passed_over)
        return cast("T", cast("Any", result).warned(f"{ANSWERED_BY}{label}, as {reasons}"))

    def _tell(self, label: str, reason: str) -> None:
        if self._log is None:
            logger.warning("%s answers because %s", label, reason)
        else:
            fields = {"target": label, "reason": reason}
            self._log.record("warning", "another target answers", fields)


class Walk(Generic[T]):
    """One call's way along the targets. None of them is come to twice."""

    hedged = False
    """Whether a second one was asked beside the first."""
    target: Target | None = None
    """Who is asked, or has answered."""
    first_error: ProviderError | None = None
    """If it was the only one: what else failed did so beside it."""
    _beside: tuple[Failure, ...] = ()

    def __init__(self, call: Call[T], plan: Plan, children: Children, limit: int) -> None:
        self.call = call
        self.plan = plan
        self.limit = limit
        """How often providers may be asked in all."""
        self.failures: list[Failure] = []
        self.passed_over: list[PassedOver] = []
        self._left = iter(children)

    def upcoming(self) -> tuple[Handler, Target] | None:
        """What is to be come to next, of those who can take the request."""
        left = list(self._left)
        self._left = iter(left)
        for child, part in left:
            for target in part.targets:
                if target.cannot is None and too_small(target, self.failures) is None:
                    return child, target
        return None

    def following(self) -> Step[T] | None:
        """The next target that is worth asking, if there is one and time and attempts are left."""
        call = self.call
        for child, whole in self._left:
            part = whole
            if self.failures or part.obstacles:
                part = able(call, part, self.failures, self.passed_over)
            if not part.targets:
                continue
            target = part.targets[0]
            derived = call.with_(plan=part, attempt_limit=self.limit)
            if target.request is not None or call.request.extra:
                derived = derived.with_(request=request_for(part, call, self.plan))
            if self.failures and not (derived.attempts_left and call.deadline.remaining() != 0):
                return None
            self.target = target
            return child, target, derived
        return None

    def failed_beside(self, target: Target, error: ProviderError) -> None:
        """Note that a target failed that was asked along with the one whose failure comes next."""
        self._beside = (*self._beside, (target, error))

    def failed(self, target: Target, error: ProviderError) -> None:
        """Note that the target of a step failed."""
        self.first_error = None if self.failures else error
        beside, self._beside = self._beside, ()
        for tried, failure in ((target, error), *beside):
            self.failures += [(tried, one) for one in each(failure)]
            self.passed_over.append(PassedOver.failed(tried, failure))

    def failure(self) -> ProviderError:
        """The error of the only step that was made, or that of all."""
        return self.first_error or all_failed(self.call, self.failures)

    def forget(self) -> None:
        """Let go of all errors."""
        self.failures.clear()
        self._beside = ()
        self.first_error = None


def _no_target(call: Call[Any], plan: Plan, *others: str) -> NoTargetError:
    waits = [target.retry_after for target in plan if target.retry_after is not None]
    reasons = "; ".join([*(f"{target.label}: {target.obstacle}" for target in plan), *others])
    error = NoTargetError(
        f"no target can be asked: {reasons}", retry_after=min(waits, default=None), sent=False
    )
    error.journal = call.journal
    return error
