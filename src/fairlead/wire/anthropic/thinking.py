"""How hard a model is asked to think."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...core.requests import GenerateRequest
    from ..adaptations import Adaptations
    from .rules import ModelRule

BUDGETS = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16_000,
    "xhigh": 24_000,
    "max": 30_000,
}
"""Tokens to think with, for models that are told a number."""
LEAST = 1024
"""Tokens below which the vendor takes no budget."""


def add_thinking(
    body: dict[str, Any],
    request: GenerateRequest,
    rule: ModelRule,
    adaptations: Adaptations,
    *,
    forced: bool,
) -> None:
    """
    Put `thinking` and the effort into *body*, as `reasoning_effort` wants them.

    Args:
        body: With `max_tokens`, which thinking is a part of.
        request: What is asked.
        rule: What the model takes.
        adaptations: Where it is noted what could not be said.
        forced: Whether a tool has to be called, before which no model thinks that is asked to.
    """
    effort = request.reasoning_effort
    if effort is None:
        return
    if effort == "none":
        if rule.thinks == "always":
            adaptations.note("reasoning_effort='none' was left out: this model always thinks")
        elif rule.thinks == "unless_told":
            body["thinking"] = {"type": "disabled"}
        return
    if rule.thinks == "never":
        adaptations.note("reasoning_effort was left out: this model does not take it")
        return
    known = BUDGETS if rule.budget else rule.efforts
    if effort not in known:
        adaptations.note(f"reasoning_effort={effort!r} was left out: this model does not know it")
        return
    if effort in rule.efforts:
        body["output_config"] = {"effort": effort}
    if rule.thinks == "asked":
        if forced:
            adaptations.note("thinking was left out: a tool has to be called at once")
        else:
            _ask(body, effort, rule, adaptations)


def _ask(body: dict[str, Any], effort: str, rule: ModelRule, adaptations: Adaptations) -> None:
    if not rule.budget:
        body["thinking"] = {"type": "adaptive"}
        return
    wanted, most = BUDGETS[effort], body["max_tokens"] - LEAST
    if most < LEAST:
        adaptations.note(
            f"thinking was left out: it takes at least {LEAST} tokens of max_tokens, and leaves as "
            "many to the answer"
        )
        return
    if most < wanted:
        adaptations.note(f"thinking was given {most} tokens: max_tokens has no more")
    body["thinking"] = {"type": "enabled", "budget_tokens": min(wanted, most)}
