"""Texts that match a simple regular expression."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

_CLASSES = {
    "d": string.digits,
    "w": string.ascii_lowercase + string.digits + "_",
    "s": " ",
    "D": string.ascii_lowercase,
    "W": "-",
    "S": string.ascii_lowercase,
    "n": "\n",
    "t": "\t",
    "r": "\r",
}
_PRINTABLE = string.ascii_lowercase + string.digits + string.ascii_uppercase + "_-.,:/@ "

MAX_REPEATS = 1000

T = TypeVar("T")
Writer = Callable[[], str]


class UnknownPatternError(Exception):
    """The pattern uses more than is understood here."""


def sample(pattern: str, random: Random, more: int = 0) -> str:
    """
    A text that *pattern* is likely to match; the caller has to check it.

    Understood are literals, classes, escapes, groups, alternatives, repetition, `^` and `$`.

    Args:
        pattern: The regular expression.
        random: Where choices come from.
        more: How often what may be repeated is repeated beyond its least.

    Raises:
        UnknownPatternError: It uses more than that.
    """
    reader = _Reader(pattern, random, more)
    write = reader.alternatives()
    if reader.rest:
        raise UnknownPatternError(pattern)
    return write()


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str, random: Random, more: int) -> None:
        self.rest = pattern
        self._random = random
        self._more = more

    def alternatives(self) -> Writer:
        branches = [self._sequence()]
        while self._took("|"):
            branches.append(self._sequence())

        def write() -> str:
            return self._pick(branches)()

        return write

    def _sequence(self) -> Writer:
        writers: list[Writer] = []
        while self.rest and self.rest[0] not in "|)":
            writers.append(self._repeated(self._atom()))
        return lambda: "".join(write() for write in writers)

    def _repeated(self, write: Writer) -> Writer:
        low, high = 1, 1
        if self._took("*"):
            low, high = 0, self._more
        elif self._took("+"):
            low, high = 1, 1 + self._more
        elif self._took("?"):
            low, high = 0, min(self._more, 1)
        elif self.rest.startswith("{") and "}" in self.rest:
            low, high = self._counted()
        self._took("?")  # lazy or not, the text is the same
        return lambda: "".join(write() for _ in range(max(low, high)))

    def _counted(self) -> tuple[int, int]:
        inside, self.rest = self.rest[1:].split("}", 1)
        least, comma, most = inside.partition(",")
        if not least.isdecimal() or (most and not most.isdecimal()):
            raise UnknownPatternError(inside)
        low = int(least)
        if low > MAX_REPEATS:
            raise UnknownPatternError(inside)
        highest = int(most) if most else (low + self._more if comma else low)
        return low, min(highest, low + self._more)

    def _atom(self) -> Writer:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return self._one_of(self._class())
        if char == "\\":
            return self._one_of(self._escaped())
        if char == ".":
            return self._one_of(string.ascii_lowercase)
        if char in "^$":
            return str
        return lambda: char

    def _group(self) -> Writer:
        if self._took("?") and not self._took(":"):
            if not self._took("P<") and (not self.rest.startswith("<") or self.rest[1:2] in "=!"):
                raise UnknownPatternError("(?")
            self.rest = self.rest.partition(">")[2]
        write = self.alternatives()
        if not self._took(")"):
            raise UnknownPatternError("(")
        return write

    def _class(self) -> str:
        negated = self._took("^")
        chars = ""
        while not chars or not self.rest.startswith("]"):
            char = self._next()
            found = self._escaped() if char == "\\" else char
            if len(found) == 1 and self.rest[:1] == "-" and self.rest[1:2] not in {"", "]"}:
                self.rest = self.rest[1:]
                last = self._next()
                found = "".join(map(chr, range(ord(found), min(ord(last), ord(found) + 255) + 1)))
            chars += found
        self.rest = self.rest[1:]
        return "".join(c for c in _PRINTABLE if c not in chars) if negated else chars

    def _escaped(self) -> str:
        char = self._next()
        if char not in _CLASSES and char.isascii() and char.isalnum():
            raise UnknownPatternError(f"\\{char}")
        return _CLASSES.get(char, char)

    def _one_of(self, chars: str) -> Writer:
        if not chars:
            raise UnknownPatternError("[]")
        return lambda: self._pick(chars)

    def _pick(self, choices: Sequence[T]) -> T:
        return choices[int(self._random.random() * len(choices))]

    def _took(self, start: str) -> bool:
        taken = self.rest.startswith(start)
        if taken:
            self.rest = self.rest[len(start) :]
        return taken

    def _next(self) -> str:
        if not self.rest:
            raise UnknownPatternError("it ends too early")
        char, self.rest = self.rest[0], self.rest[1:]
        return char
