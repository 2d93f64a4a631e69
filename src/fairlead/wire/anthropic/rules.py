"""What Anthropic's models take, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

ALL_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})
LONGEST_ANSWER = 32_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelRule:
    """
    What the models of one pattern take. Each is itself alone, and so quick to look up by.

    Args:
        pattern: Matches the whole name of a model, with hyphens for dots.
        thinks: Whether it thinks: always, unless it is told not to, if it is asked to, or never.
        budget: Whether it is told how many tokens to think with; else it decides by itself.
        efforts: The efforts that it knows.
        sampling: Whether it takes temperature, top_p and top_k.
        both: Whether it takes temperature and top_p together.
        prefill: Whether the last word may be the model's own, for it to go on from there.
        forced: Whether it can be made to call a tool.
        native: Whether it can be held to a schema, of an answer or of a tool's arguments.
        window: Tokens that prompt and answer may have together, if that is known.
        longest: Tokens that an answer may have, if that is known.
        tokenizer: The family of its tokenizer, for estimates.
        answer: The `max_tokens` to send where nobody sets one; the vendor insists on it.
    """

    pattern: str
    thinks: Literal["always", "unless_told", "asked", "never"] = "asked"
    budget: bool = False
    efforts: frozenset[str] = frozenset()
    sampling: bool = True
    both: bool = True
    prefill: bool = True
    forced: bool = True
    native: bool = True
    window: int | None = None
    longest: int | None = None
    tokenizer: str | None = None
    answer: int = LONGEST_ANSWER


def _new(
    pattern: str, thinks: Literal["always", "unless_told", "asked"], *, forced: bool = True
) -> ModelRule:
    return ModelRule(
        pattern=pattern,
        thinks=thinks,
        efforts=ALL_EFFORTS,
        sampling=False,
        prefill=False,
        forced=forced,
        window=1_000_000,
        longest=128_000,
        tokenizer="claude_v4_7",
    )


def _old(
    pattern: str,
    longest: int | None,
    *,
    thinks: Literal["asked", "never"] = "asked",
    efforts: str = "",
    both: bool = True,
    native: bool = False,
) -> ModelRule:
    return ModelRule(
        pattern=pattern,
        thinks=thinks,
        budget=True,
        efforts=frozenset(efforts.split()),
        both=both,
        native=native,
        window=200_000,
        longest=longest,
        tokenizer="claude_v3",
        answer=min(longest or LONGEST_ANSWER, LONGEST_ANSWER),
    )


def _opus46(pattern: str, longest: int | None) -> ModelRule:
    return ModelRule(
        pattern=pattern,
        efforts=ALL_EFFORTS - {"xhigh"},
        both=False,
        prefill=False,
        window=1_000_000,
        longest=longest,
        tokenizer="claude_v3",
    )


RULES = (
    _new(r"claude-(fable|mythos)-5([-@]\d{8})?", "always"),
    _new(r"claude-(fable|mythos)-.*", "always", forced=False),
    _new(r"claude-(opus|sonnet)-5-5.*", "always", forced=False),
    _new(r"claude-haiku-5.*", "unless_told"),
    _new(r"claude-(opus|sonnet)-5([-@]\d{8}|-latest)?", "unless_told"),
    _new(r"claude-opus-4-[78].*", "asked"),
    _opus46(r"claude-opus-4-6.*", 128_000),
    _opus46(r"claude-sonnet-4-6.*", None),
    _old(r"claude-opus-4-5.*", 64_000, efforts="low medium high", both=False, native=True),
    _old(r"claude-(sonnet|haiku)-4-5.*", 64_000, both=False, native=True),
    _old(r"claude-opus-4-1.*", 32_000, both=False),
    _old(r"claude-opus-4([-@]\d{8}|-0)?", 32_000),
    _old(r"claude-sonnet-4([-@]\d{8}|-0)?", 64_000),
    _old(r"claude-3-7-.*", 64_000),
    _old(r"claude-3-5-.*", 8192, thinks="never"),
    _old(r"claude-3-.*", 4096, thinks="never"),
    _new(r"claude-[a-z].*", "always", forced=False),
)
"""Most telling first. A name that is newer than this is taken for the newest."""
ANY_MODEL = ModelRule(pattern=".*", budget=True, native=False, answer=4096)
"""Whatever else a server may have that speaks Messages."""


@lru_cache(maxsize=256)
def rule_for(model: str) -> ModelRule:
    """The first rule that fits *model*, whoever's name or region stands before its own."""
    name = model.lower().replace(".", "-")
    name = name[max(name.find("claude-"), 0) :]
    return next((rule for rule in RULES if re.fullmatch(rule.pattern, name)), ANY_MODEL)
