"""What Google's models take, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from .dialect import bare

PENALTIES = frozenset({"frequency_penalty", "presence_penalty"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GeminiRule:
    """
    What the models of one pattern take. Each is itself alone, and so quick to look up by.

    Args:
        pattern: Matches the whole name of a model.
        refuses: Options that are never taken, unless they are 0.
        efforts: What is sent for each reasoning effort that it knows: a level of thinking, or the
            tokens that it may think for. Empty for a model that cannot be told.
        thinks: Whether it thinks unless told not to.
        signed: Whether a tool call has to go back with a signature.
        formats_with_tools: Whether it takes tools and a format together.
        formats: Whether it can be held to a format at all.
        system: Whether it takes a system prompt.
        media_from_tools: Whether results of tools may hold more than words.
    """

    pattern: str
    refuses: frozenset[str] = frozenset()
    efforts: Mapping[str, str | int] = field(default_factory=dict[str, "str | int"])
    thinks: bool = False
    signed: bool = False
    formats_with_tools: bool = False
    formats: bool = True
    system: bool = True
    media_from_tools: bool = False


def _levels(least: str, *, medium: str = "MEDIUM") -> Mapping[str, str | int]:
    return MappingProxyType(
        {
            "none": least,
            "minimal": least,
            "low": "LOW",
            "medium": medium,
            "high": "HIGH",
            "xhigh": "XHIGH",
        }
    )


def _budgets(least: int) -> Mapping[str, str | int]:
    # The tokens that Google's own OpenAI-compatible API takes these words for.
    return MappingProxyType(
        {"none": least, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
    )


def _gemini3(pattern: str, efforts: Mapping[str, str | int]) -> GeminiRule:
    return GeminiRule(
        pattern=pattern,
        refuses=PENALTIES,
        efforts=efforts,
        thinks=True,
        signed=True,
        formats_with_tools=True,
        media_from_tools=True,
    )


def _gemini25(pattern: str, efforts: Mapping[str, str | int], *, thinks: bool) -> GeminiRule:
    return GeminiRule(pattern=pattern, refuses=PENALTIES, efforts=efforts, thinks=thinks)


RULES = (
    GeminiRule(pattern=r"gemma-.*", formats=False, system=False),
    GeminiRule(pattern=r".*-tts.*|.*-live.*|.*embedding.*", refuses=PENALTIES),
    GeminiRule(pattern=r"gemini-(1|2\.0).*"),
    _gemini25(r"gemini-2\.5-flash-lite.*", _budgets(0), thinks=False),
    _gemini25(r"gemini-2\.5-flash-image.*", {}, thinks=False),
    _gemini25(r"gemini-2\.5-flash.*", _budgets(0), thinks=True),
    _gemini25(r"gemini-2\..*", _budgets(128), thinks=True),
    _gemini3(r"gemini-3-pro.*", _levels("LOW", medium="HIGH")),
    _gemini3(r"gemini-3\.1-pro.*|gemini-pro-latest", _levels("LOW")),
    _gemini3(r"gemini-.*", _levels("MINIMAL")),
)
"""Most telling first; a name that nobody has seen yet is taken for the newest Gemini's."""
ANY_MODEL = GeminiRule(pattern=".*", formats_with_tools=True, media_from_tools=True)


@lru_cache(maxsize=256)
def rule_for(model: str) -> GeminiRule:
    """The first of `RULES` that fits *model*, whatever folder it is in."""
    name = bare(model)
    return next((rule for rule in RULES if re.fullmatch(rule.pattern, name)), ANY_MODEL)
