"""Ids of tool calls, made legal for a vendor and unambiguous within a request."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Callable


def hashed(id_: str) -> str:
    """A legal id for almost everybody: `call_` and 24 hexadecimal digits."""
    return f"call_{hashlib.sha256(id_.encode(errors='replace')).hexdigest()[:24]}"


def short(id_: str) -> str:
    """A legal id for the rest: nine hexadecimal digits."""
    return hashlib.sha256(id_.encode(errors="replace")).hexdigest()[:9]


class ToolCallIds:
    """
    Rewrites ids, turn by turn: a result gets the id that its call got.

    Vendors repeat ids over turns, leave them empty, or use characters that the next vendor
    refuses. Two calls never share an id; results of calls that had the same are matched in order.

    Args:
        pattern: What the vendor takes, as a regular expression for the whole id.
        legal: Makes a legal id from any text; if there is none, the first of `hashed` and `short`
            whose ids *pattern* takes.
    """

    __slots__ = ("_legal", "_open", "_pattern", "_used")

    def __init__(self, pattern: str, legal: Callable[[str], str] | None = None) -> None:
        self._pattern = re.compile(pattern)
        fits = self._pattern.fullmatch(hashed("")) or not self._pattern.fullmatch(short(""))
        self._legal = legal or (hashed if fits else short)
        self._used: set[str] = set()
        self._open: dict[str, deque[str]] = {}

    def begin_turn(self) -> None:
        """The model speaks again: results that follow answer its new calls."""
        self._open.clear()

    def call(self, id_: str) -> str:
        """The id to send for a call."""
        told = id_ if self._pattern.fullmatch(id_) else self._legal(id_)
        salt = 0
        while told in self._used:
            salt += 1
            told = self._legal(f"{id_}/{salt}")
        self._used.add(told)
        self._open.setdefault(id_, deque()).append(told)
        return told

    def result(self, id_: str) -> str:
        """The id to send with a result."""
        waiting = self._open.get(id_)
        if waiting:
            return waiting.popleft() if len(waiting) > 1 else waiting[0]
        return id_ if self._pattern.fullmatch(id_) else self._legal(id_)
