"""Whole JSON objects out of bytes that come in pieces, whatever stands between them."""

from __future__ import annotations

import re

from ...core.errors import ResponseTooLargeError

_OUTSIDE = re.compile(rb'["{}]')
_INSIDE = re.compile(rb'["\\]')


class ObjectScanner:
    """
    Splits a list of objects, or objects one after the other, into the objects.

    What is kept is bounded by *limit* bytes.
    """

    __slots__ = ("_at", "_depth", "_held", "_in_string", "_limit", "_start", "error")

    def __init__(self, limit: int) -> None:
        self.error: ResponseTooLargeError | None = None
        """Set once an object exceeds the limit; nothing that comes after it makes sense."""
        self._limit = limit
        self._held = bytearray()
        self._at = 0
        self._start = 0
        self._depth = 0
        self._in_string = False

    @property
    def unfinished(self) -> bool:
        """Whether an object has begun and not ended."""
        return self._depth > 0

    def feed(self, data: bytes) -> list[bytes]:
        """The objects that *data* completes."""
        self._held += data
        found: list[bytes] = []
        while (match := self._next()) is not None:
            if self._step(match.group(), match.end()):
                found.append(bytes(self._held[self._start : self._at]))
        self._forget()
        if len(self._held) > self._limit:
            self._held.clear()
            msg = f"a part of the answer is larger than the {self._limit:,} bytes allowed"
            self.error = ResponseTooLargeError(msg)
        return found

    def _next(self) -> re.Match[bytes] | None:
        """The next sign that matters; None if it is not here yet."""
        pattern = _INSIDE if self._in_string else _OUTSIDE
        match = pattern.search(self._held, self._at)
        if match is None:
            self._at = len(self._held)
        elif match.group() == b"\\" and match.end() == len(self._held):
            self._at = match.start()
            return None
        return match

    def _step(self, sign: bytes, end: int) -> bool:
        """Go on after *sign*; True if it ends an object."""
        self._at = end
        if sign == b"\\":
            self._at += 1
        elif sign == b'"':
            self._in_string = not self._in_string
        elif sign == b"{":
            if self._depth == 0:
                self._start = end - 1
            self._depth += 1
        elif self._depth:
            self._depth -= 1
            return self._depth == 0
        return False

    def _forget(self) -> None:
        """Let go of what has been read."""
        done = self._start if self._depth else self._at
        del self._held[:done]
        self._start -= done
        self._at -= done
