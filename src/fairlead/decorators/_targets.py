"""Which targets of a plan are worth asking, and with what; nothing here asks anybody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..core.errors import (
    AllTargetsFailedError,
    ContextLengthExceededError,
    InvalidRequestError,
    ProviderError,
)
from ..core.journal import Attempt, Outcome
from ..core.verdicts import Another

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from ..core.calls import Call
    from ..core.plans import Plan, Target
    from ..core.requests import EmbedRequest, GenerateRequest

    Failure: TypeAlias = tuple[Target, ProviderError]


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Why a target before the one that answers did not; logged once for each *cause*."""

    cause: str
    reason: str

    @classmethod
    def failed(cls, target: Target, error: ProviderError) -> PassedOver:
        """It was asked, and failed."""
        label = target.label
        return cls(f"{label} {type(error).__name__}", f"{label} failed: {error.message}")

    @classmethod
    def left_out(cls, target: Target, reason: str) -> PassedOver:
        """It was not asked."""
        return cls.told(f"{target.label} was left out: {reason}")

    @classmethod
    def told(cls, reason: str) -> PassedOver:
        """For a *reason* that is the same, whatever its numbers."""
        return cls(reason.translate(_NO_DIGITS), reason)


_NO_DIGITS = str.maketrans("", "", "0123456789")


def adapted(target: Target, request: GenerateRequest | EmbedRequest, vendors: set[str]) -> Target:
    """*target*, asked by its own name and with the extras that are meant for it."""
    cannot = target.cannot
    if request.model is not None:
        if not names(request.model, target):
            cannot = cannot or f"the call asks for {request.model}"
        request = replace(request, model=target.model.name)
    if request.extra and not request.extra.keys() - vendors:
        request = replace(request, extra=request.extra.get(target.provider, {}))
    return replace(target, request=request, cannot=cannot)


def check(call: Call[Any], plan: Plan) -> None:
    """Refuse what cannot be meant for several targets."""
    named = call.request.model
    if named is not None and not any(names(named, target) for target in plan):
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


def able(
    call: Call[Any],
    part: Plan,
    failures: Sequence[Failure],
    passed_over: list[PassedOver],
) -> Plan:
    """*part* without those that are not worth asking now; the journal says why."""

    def worth_asking(target: Target) -> bool:
        reason = target.obstacle or too_small(target, failures)
        if reason is None:
            return True
        if call.request.model is None or names(call.request.model, target):
            passed_over.append(PassedOver.left_out(target, reason))
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


def request_for(part: Plan, call: Call[Any], plan: Plan) -> GenerateRequest | EmbedRequest:
    """The target's own request; for a nested chain, the call's without the extras of others."""
    request = call.request
    if len(part.targets) == 1:
        return part.targets[0].request or request
    if not request.extra or request.extra.keys() - {target.provider for target in plan}:
        return request
    vendors = {target.provider for target in part}
    kept = {vendor: extra for vendor, extra in request.extra.items() if vendor in vendors}
    return replace(request, extra=kept)


def names(model: str, target: Target) -> bool:
    """Whether *model*, however it is spelled, is that of *target*."""
    name = target.model.name
    return model in {name, f"{target.provider}:{name}", f"{target.provider}/{name}"}


def of_one_space(plan: Plan) -> Plan:
    """*plan*, those of another embedding space than the first target's marked."""
    first = plan.first
    if first is None:
        return plan
    space = _space(first)

    def marked(target: Target) -> Target:
        if target.cannot or _space(target) == space:
            return target
        other = f"another embedding space than {space}; allow_other_space=True lets it answer"
        return replace(target, cannot=other)

    return plan.map(marked)


def share_space(plan: Plan, other: Plan) -> bool:
    """Whether vectors of the first targets of both can be compared."""
    return [_space(target) for target in plan][:1] == [_space(target) for target in other][:1]


def _space(target: Target) -> str:
    """What its vectors may be compared by; of an unknown model, only with its provider's own."""
    return target.model.name or target.provider


def too_small(target: Target, failures: Sequence[Failure]) -> str | None:
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


def each(error: ProviderError) -> Sequence[ProviderError]:
    """The errors of all targets that a nested chain has tried, or *error* alone."""
    return error.errors if isinstance(error, AllTargetsFailedError) else (error,)


def all_failed(call: Call[Any], failures: Iterable[Failure]) -> AllTargetsFailedError:
    """The error of all targets together."""
    errors = [error for _, error in failures]
    error = AllTargetsFailedError(f"all {len(errors)} targets failed:", errors=errors)
    error.__cause__ = errors[0]
    error.journal = call.journal
    return error
