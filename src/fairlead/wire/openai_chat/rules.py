"""What OpenAI's own models do not take, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

SAMPLING = frozenset({"temperature", "top_p", "logprobs"})
PENALTIES = frozenset({"frequency_penalty", "presence_penalty"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelRule:
    """
    What the models of one pattern do not take. Each is itself alone, and so quick to look up by.

    Args:
        pattern: Matches the whole name of a model.
        refuses: Options that are never taken.
        refuses_reasoning: Options that are taken only while the model does not reason.
        effort: The reasoning effort if none is asked for; None for a model that never reasons.
        refuses_efforts: Reasoning efforts that are not taken.
        tools_or_reasoning: Whether tools are taken only while the model does not reason.
        developer: Whether system messages are the developer's here.
    """

    pattern: str
    refuses: frozenset[str] = frozenset()
    refuses_reasoning: frozenset[str] = frozenset()
    effort: str | None = None
    refuses_efforts: frozenset[str] = frozenset()
    tools_or_reasoning: bool = False
    developer: bool = False


ANY_MODEL = ModelRule(pattern=".*")


@lru_cache(maxsize=256)
def rule_for(model: str, rules: tuple[ModelRule, ...]) -> ModelRule:
    """The first of *rules* that fits *model*, whatever organisation stands before its name."""
    name = model.rpartition("/")[2].lower()
    fitting = (rule for rule in rules if re.fullmatch(rule.pattern, name))
    return next(fitting, ANY_MODEL)


def _gpt5(
    pattern: str, effort: str, *, efforts: str, tools_or_reasoning: bool = False
) -> ModelRule:
    return ModelRule(
        pattern=pattern,
        refuses=PENALTIES | {"stop_sequences"},
        refuses_reasoning=SAMPLING,
        effort=effort,
        refuses_efforts=frozenset(efforts.split()),
        tools_or_reasoning=tools_or_reasoning,
        developer=True,
    )


_DATE = r"(-\d{4}-\d\d-\d\d)?"
OPENAI_RULES = (
    ModelRule(pattern=r"gpt-5(\.\d+)?-chat.*", refuses=frozenset({"reasoning_effort"})),
    _gpt5(rf"gpt-5\.1{_DATE}", "none", efforts="minimal xhigh max"),
    _gpt5(rf"gpt-5\.2{_DATE}", "none", efforts="minimal max"),
    _gpt5(rf"gpt-5\.4(-mini|-nano)?{_DATE}", "none", efforts="minimal", tools_or_reasoning=True),
    _gpt5(r"gpt-6-astra.*", "medium", efforts="none minimal", tools_or_reasoning=True),
    _gpt5(r"gpt-(5\.[4-9]|5\.\d\d|[6-9]).*", "medium", efforts="minimal", tools_or_reasoning=True),
    _gpt5(r"gpt-5\.1.*", "medium", efforts="minimal"),
    _gpt5(r"gpt-5\..*", "medium", efforts="minimal"),
    _gpt5(r"gpt-5.*", "medium", efforts="none xhigh max"),
    ModelRule(
        pattern=r"o\d.*",
        refuses=SAMPLING | PENALTIES | {"stop_sequences"},
        effort="medium",
        refuses_efforts=frozenset({"none", "minimal", "xhigh", "max"}),
        developer=True,
    ),
    ModelRule(pattern=r"(gpt-[34]|chatgpt).*", refuses=frozenset({"reasoning_effort"})),
)
"""Most telling first. What a model has by default is what makes its sampling options a 400."""
