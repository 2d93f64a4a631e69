"""Which models are better asked in this format than over Chat Completions."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from ..openai_chat.rules import rule_for

if TYPE_CHECKING:
    from ..openai_chat import Dialect

_ONLY_HERE = re.compile(
    r"(o\d|gpt-\d+(\.\d+)?)(-mini)?-(pro|codex|deep-research)\b.*|(codex|computer-use)-.*"
)


@lru_cache(maxsize=256)
def prefers_responses(model: str, dialect: Dialect) -> bool:
    """
    Whether *model* is to be asked in this format.

    It is where it takes tools over Chat Completions only while it does not reason, and where it
    cannot be asked over Chat Completions at all.
    """
    if rule_for(model, dialect.rules).tools_or_reasoning:
        return True
    return bool(dialect.rules) and bool(_ONLY_HERE.fullmatch(model.rpartition("/")[2].lower()))
