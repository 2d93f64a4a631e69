"""
Vectors without a model, by signed feature hashing (Weinberger et al., 2009).

Each word and each run of three to five characters of a text adds or subtracts one at a place that
its hash names; texts that share many of them have vectors that point the same way. They know
spelling, not meaning.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from math import sqrt

REVISION = "1"
"""Raised when the same text would get another vector."""

_WORD_WEIGHT = 2.0
_WORD = re.compile(r"\w+")


def vector(text: str, *, model: str, dimensions: int) -> list[float]:
    """The vector of *text*, of length 1; *model* makes a space of its own."""
    values = [0.0] * dimensions
    salt = blake2b(model.encode(), digest_size=16).digest()
    for (feature, weight), count in Counter(_features(text)).items():
        digest = blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8, key=salt).digest()
        number = int.from_bytes(digest, "little")
        place = (number >> 1) % dimensions
        values[place] += weight * sqrt(count) * (1 if number & 1 else -1)
    length = sqrt(sum(value * value for value in values))
    if not length:  # all features took each other away
        values[0] = length = 1.0
    return [value / length for value in values]


def _features(text: str) -> Iterator[tuple[str, float]]:
    """Words and runs of characters, with their weights."""
    words = _WORD.findall(text.casefold()) or [text]
    for word in words:
        yield f"word:{word}", _WORD_WEIGHT
        framed = f"<{word}>"
        for size in (3, 4, 5):
            for start in range(len(framed) - size + 1):
                yield framed[start : start + size], 1.0
