"""Scripts for `ScriptedProvider`."""

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Any

from fairlead.core.calls import Call


def endless(answers: Sequence[Any]) -> Iterator[Any]:
    """*answers*, the last one over and over."""
    return chain(answers[:-1], repeat(answers[-1]))


def whatever(call: Call[Any]) -> list[Any]:
    """An answer to any call."""
    if call.embeds:
        return [[float(len(text)), float(ord(text[0]))] for text in call.embedding.texts]
    return ["What ", "you ", "say."]
