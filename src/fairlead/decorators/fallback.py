"""Asks another target when one cannot answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ..core.adapt import Node, adapt
from ..core.checks import check_count, check_function
from ..core.errors import (
    AllTargetsFailedError,
    ConfigurationError,
    ContextLengthExceededError,
    InvalidRequestError,
    NoTargetError,
    ProviderError,
)
from ..core.journal import Attempt, Outcome
from ..core.plans import Plan, Target
from ..core.provider import Closable
from ..core.verdicts import Another
from ._base import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..core.calls import Call, T
    from ..core.messages import Prompt
    from ..core.models import ModelInfo
    from ..core.ports import EventLog
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.requests import EmbedRequest, GenerateRequest
    from ..core.results import TokenCount

logger: logging.Logger = logging.getLogger("fairlead.fallback")
logger.addHandler(logging.NullHandler())


class FallbackProvider(Policy):
    """
    Asks its targets in order until one answers, before anything was shown to a stream's reader.

    Targets that cannot take the request, or refuse at present, are left out; the journal says
    why. Whether an error leads to the next target is in its verdict. An answer from another
    target than the first carries a warning that says why.

    A call's `model` may only name one of the targets, and `extra` has to be keyed by provider
    where there are several.

    Args:
        targets: Providers, in order; closed by `aclose()`.
        max_attempts: How often providers are asked in all, repeats included.
        allow_other_space: Whether vectors may come from another embedding space than the first
            target's. They cannot be compared with each other.
        try_another: Overrides the verdict: True goes on, False does not, None leaves it.
        last_resort: What answers when no target can be asked at all.
        log: Where it is told, once for each target and cause, that another than the first
            answered; by default the standard logger `fairlead.fallback`.

    Raises:
        ConfigurationError: There are no targets, or an option makes no sense.
        NoTargetError: From a call: none can take it, or all that can refuse it at present.
        AllTargetsFailedError: From a call: several were asked and all failed.
    """

    layer = "dispatch"
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
        if not isinstance(targets, Sequence) or isinstance(targets, str):
            msg = f"FallbackProvider takes a sequence of providers, not {type(targets).__name__}"
            raise ConfigurationError(msg)
        if not targets:
            msg = "FallbackProvider needs at least one provider"
            raise ConfigurationError(msg)
        check_count("max_attempts", max_attempts, 1)
        check_function("try_another", try_another)
        self._targets = tuple(adapt(target) for target in targets)
        self._max_attempts = max_attempts
        self._allow_other_space = allow_other_space
        self._try_another = try_another
        self._last_resort = None if last_resort is None else adapt(last_resort)
        self._log = log
        self._logged: set[tuple[str, str]] = set()
        self._parts: tuple[Plan, ...] = ()
        self._joined = Plan(())

    def __repr__(self) -> str:
        return self._built_of(list(self._targets))

    @property
    def targets(self) -> tuple[Node, ...]:
        """What is asked, in order."""
        return self._targets

    @property
    def name(self) -> str:
        """`fallback`; an answer names the provider that gave it."""
        return "fallback"

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
        parts = tuple([target.plan(asked) for target in self._targets])
        if parts != self._parts:
            self._parts, self._joined = parts, Plan.joining(zip(self._targets, parts, strict=True))
        plan = self._joined
        if not plain or request.extra:
            vendors = {target.provider for target in plan}
            plan = plan.map(lambda target: _adapted(target, request, vendors))
        if call.embeds and not self._allow_other_space:
            plan = _of_one_space(plan)
        return plan

    async def handle(self, call: Call[T]) -> T:
        """Make *call* on one target after the other."""
        # A policy above that knows nothing of dispatchers may plan without their children.
        plan = call.plan if call.plan is not None and call.plan.children else self.plan(call)
        if call.request.model is not None or call.request.extra:
            _check(call, plan)
        limit = self._limit(call)
        failures: list[tuple[Target, ProviderError]] = []
        passed_over: list[_PassedOver] = []
        try:
            for child, part in plan.children:
                able = _able(call, part, failures, passed_over)
                target = able.first
                if target is None:
                    continue
                derived = call.with_(
                    plan=able, request=_request_for(able, call, plan), attempt_limit=limit
                )
                if failures and not (derived.attempts_left and call.deadline.remaining() != 0):
                    break
                try:
                    result = await derived.on(child)
                except ProviderError as error:
                    failures += [(target, each) for each in _each(error)]
                    passed_over.append(_PassedOver.failed(target, error))
                    if not self._goes_on(error):
                        break
                else:
                    return self._explained(result, target, passed_over)
            if failures:
                raise _failure(call, failures)
        finally:
            # The errors' tracebacks lead here, and must not lead back to them.
            failures.clear()
        if self._last_resort is None:
            raise self._no_target(call, plan)
        own = call.with_(plan=None, request=replace(call.request, model=None, extra={}))
        return self._explained(await own.on(self._last_resort), None, passed_over)

    async def aclose(self) -> None:
        """Close all targets. Idempotent."""
        async with AsyncExitStack() as stack:
            for target in (*self._targets, self._last_resort):
                if isinstance(target, Closable):
                    stack.push_async_callback(target.aclose)

    def _limit(self, call: Call[Any]) -> int:
        """How often providers may have been asked in all when this chain gives up."""
        limit = call.journal.asked + self._max_attempts
        return limit if call.attempt_limit is None else min(limit, call.attempt_limit)

    def _goes_on(self, error: ProviderError) -> bool:
        wish = self._try_another(error) if self._try_another else None
        if wish is not None:
            return wish
        last = _each(error)[-1]  # what ended a nested chain ends this one too
        return last.verdict.another not in {Another.NEVER, Another.OPT_IN}

    def _explained(self, result: T, target: Target | None, passed_over: Sequence[_PassedOver]) -> T:
        """*result*, with a warning if the first target did not give it."""
        if not passed_over:
            return result
        label = "the last resort" if target is None else target.label
        for passed in passed_over:
            key = (label, passed.cause)
            if key not in self._logged and len(self._logged) < self.MAX_REMEMBERED:
                self._logged.add(key)
                self._tell(label, passed.reason)
        reasons = "; ".join(passed.reason for passed in passed_over)
        return cast("T", cast("Any", result).warned(f"answered by {label}, as {reasons}"))

    def _tell(self, label: str, reason: str) -> None:
        if self._log is None:
            logger.warning("%s answers because %s", label, reason)
        else:
            fields = {"target": label, "reason": reason}
            self._log.record("warning", "another target answers", fields)

    def _no_target(self, call: Call[Any], plan: Plan) -> NoTargetError:
        waits = [target.retry_after for target in plan if target.retry_after is not None]
        reasons = "; ".join(f"{target.label}: {target.obstacle}" for target in plan)
        error = NoTargetError(
            f"no target can be asked: {reasons}", retry_after=min(waits, default=None), sent=False
        )
        error.journal = call.journal
        return error


@dataclass(frozen=True, slots=True)
class _PassedOver:
    """Why a target before the one that answers did not; logged once for each *cause*."""

    cause: str
    reason: str

    @classmethod
    def failed(cls, target: Target, error: ProviderError) -> _PassedOver:
        label = target.label
        return cls(f"{label} {type(error).__name__}", f"{label} failed: {error.message}")

    @classmethod
    def left_out(cls, target: Target, reason: str) -> _PassedOver:
        said = f"{target.label} was left out: {reason}"
        return cls(said.translate(_NO_DIGITS), said)


_NO_DIGITS = str.maketrans("", "", "0123456789")


def _failure(call: Call[Any], failures: Sequence[tuple[Target, ProviderError]]) -> ProviderError:
    """The error of the only target that was tried, or that of all."""
    errors = [error for _, error in failures]
    if len(errors) == 1:
        return errors[0]
    error = AllTargetsFailedError(f"all {len(errors)} targets failed:", errors=errors)
    error.__cause__ = errors[0]
    error.journal = call.journal
    return error


def _each(error: ProviderError) -> Sequence[ProviderError]:
    """The errors of all targets that a nested chain has tried, or *error* alone."""
    return error.errors if isinstance(error, AllTargetsFailedError) else (error,)


def _adapted(target: Target, request: GenerateRequest | EmbedRequest, vendors: set[str]) -> Target:
    """*target*, asked by its own name and with the extras that are meant for it."""
    cannot = target.cannot
    if request.model is not None:
        if not _names(request.model, target):
            cannot = cannot or f"the call asks for {request.model}"
        request = replace(request, model=target.model.name)
    if request.extra and not request.extra.keys() - vendors:
        request = replace(request, extra=request.extra.get(target.provider, {}))
    return replace(target, request=request, cannot=cannot)


def _check(call: Call[Any], plan: Plan) -> None:
    """Refuse what cannot be meant for several targets."""
    named = call.request.model
    if named is not None and not any(_names(named, target) for target in plan):
        labels = ", ".join(dict.fromkeys(target.label for target in plan))
        msg = f"model={named!r} is none of this chain; it has {labels}"
        raise InvalidRequestError(msg)
    vendors = sorted({target.provider for target in plan})
    if len(vendors) > 1 and call.request.extra.keys() - set(vendors):
        msg = (
            "several providers could answer, so extra must be keyed by provider: "
            f"extra={{{vendors[0]!r}: {{...}}}}; here are {', '.join(vendors)}"
        )
        raise InvalidRequestError(msg)


def _able(
    call: Call[Any],
    part: Plan,
    failures: Sequence[tuple[Target, ProviderError]],
    passed_over: list[_PassedOver],
) -> Plan:
    """*part* without those that are not worth asking now; the journal says why."""
    if not failures and not part.obstacles:
        return part

    def worth_asking(target: Target) -> bool:
        reason = target.obstacle or _too_small(target, failures)
        if reason is None:
            return True
        if call.request.model is None or _names(call.request.model, target):
            passed_over.append(_PassedOver.left_out(target, reason))
        call.journal.record(
            Attempt(
                outcome=Outcome.SKIPPED,
                provider=target.provider,
                model=target.model.name,
                reason=reason,
            )
        )
        return False

    return part.only(worth_asking)


def _request_for(able: Plan, call: Call[Any], plan: Plan) -> GenerateRequest | EmbedRequest:
    """The target's own request; for a nested chain, the call's without the extras of others."""
    request = call.request
    if len(able.targets) == 1:
        return able.targets[0].request or request
    if not request.extra or request.extra.keys() - {target.provider for target in plan}:
        return request
    vendors = {target.provider for target in able}
    kept = {vendor: extra for vendor, extra in request.extra.items() if vendor in vendors}
    return replace(request, extra=kept)


def _names(model: str, target: Target) -> bool:
    name = target.model.name
    return model in {name, f"{target.provider}:{name}", f"{target.provider}/{name}"}


def _of_one_space(plan: Plan) -> Plan:
    """*plan*, those of another embedding space than the first target's marked."""
    first = plan.first
    if first is None:
        return plan
    space = _space(first)

    def marked(target: Target) -> Target:
        if target.cannot or _space(target) == space:
            return target
        return replace(target, cannot=f"another embedding space than {space}")

    return plan.map(marked)


def _space(target: Target) -> str:
    """What its vectors may be compared by; of an unknown model, only with its provider's own."""
    return target.model.name or target.provider


def _too_small(target: Target, failures: Sequence[tuple[Target, ProviderError]]) -> str | None:
    """Why *target* would fail as one before did for want of room; None if it would not."""
    for failed, error in failures:
        if error.verdict.another is Another.LARGER_WINDOW:
            limit = error.limit if isinstance(error, ContextLengthExceededError) else None
            needed, has = limit or failed.model.context_window, target.model.context_window
            what = "window"
        elif error.verdict.another is Another.LARGER_CEILING:
            needed, has = failed.model.max_output_tokens, target.model.max_output_tokens
            what = "output limit"
        else:
            continue
        if has is None or has <= (needed or 0):
            return f"its {what} is not known to be larger than that of {failed.label}"
    return None
