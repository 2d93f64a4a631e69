"""
What is known of models as the catalogue's file has it: short, and read only when asked for.

It is words: limits such as `w=128000`, and capabilities by their letters, after `+` those that the
source says are there, after `-` those that it says are not. What it does not tell is not there.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...core.models import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

VALUES: Mapping[str, str] = {
    "w": "context_window",
    "o": "max_output_tokens",
    "k": "tokenizer",
}
"""The file's words for what has a value."""
CAPABILITIES: Mapping[str, str] = {
    "i": "images",
    "a": "audio",
    "f": "files",
    "t": "tools",
    "j": "response_format",
    "r": "reasoning",
    "s": "sampling",
}
"""Its letters for what is there or not."""


def read_facts(model: str, written: str) -> ModelInfo:
    """What is known of *model*."""
    told: dict[str, Any] = {}
    for word in written.split():
        if word[0] in "+-":
            told.update((CAPABILITIES[letter], word[0] == "+") for letter in word[1:])
        else:
            kind, _, value = word.partition("=")
            told[VALUES[kind]] = value if kind == "k" else int(value)
    return ModelInfo(name=model, **told)


def write_facts(info: ModelInfo) -> str:
    """The same, as it is read again."""
    told = {letter: getattr(info, fact) for letter, fact in VALUES.items()}
    words = [f"{letter}={value}" for letter, value in told.items() if value is not None]
    for mark, wanted in (("+", True), ("-", False)):
        there = [letter for letter, fact in CAPABILITIES.items() if getattr(info, fact) is wanted]
        words += [mark + "".join(there)] if there else []
    return " ".join(words)


def kin(name: str) -> list[str]:
    """
    The names of models that are the same as that of *name* as far as limits and abilities go.

    A model of a certain day is the one without a day, and one that was fine-tuned is its base.
    """
    names: list[str] = []
    if name.startswith("ft:") and name.count(":") > 1:
        name = ":".join(name.split(":")[:2])
        names.append(name)
    undated = _DAY.sub("", name)
    return names if undated == name else [*names, undated]


def without_refusals(info: ModelInfo) -> ModelInfo:
    """*info* without what it says a model cannot do: a model that is merely called alike may."""
    lacks = {fact: None for fact in CAPABILITIES.values() if getattr(info, fact) is False}
    return replace(info, **lacks) if lacks else info


_DAY = re.compile(r"-20\d\d(-?)(0[1-9]|1[0-2])\1(0[1-9]|[12]\d|3[01])$")
