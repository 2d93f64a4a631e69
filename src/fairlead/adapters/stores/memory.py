"""Answers kept in this process."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from ...core.checks import check_count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAX_BYTES = 64 * 1024 * 1024
OVERHEAD = 200
"""Bytes that an entry takes besides its key and its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStats:
    """How full a store is: its entries, and the bytes that they take."""

    entries: int
    bytes: int
    max_bytes: int


class MemoryCache:
    """
    A `CacheStore` in memory. What was used longest ago makes room for what is new.

    Any number of event loops and threads may use it.

    Args:
        max_bytes: What all entries may take together; larger ones are not kept.
        time: The present in Unix seconds.

    Raises:
        ConfigurationError: *max_bytes* is no size.
    """

    at_once: bool = True

    def __init__(
        self, *, max_bytes: int = MAX_BYTES, time: Callable[[], float] = time.time
    ) -> None:
        check_count("max_bytes", max_bytes, 1)
        self._max_bytes = max_bytes
        self._time = time
        self._entries: OrderedDict[str, tuple[bytes, float | None]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._entries)} entries, {self._bytes:,} bytes>"

    async def get(self, keys: Sequence[str], /) -> Mapping[str, bytes]:
        """What is there under *keys*."""
        found: dict[str, bytes] = {}
        now = self._time()
        with self._lock:
            for key in keys:
                entry = self._entries.get(key)
                if entry is None:
                    continue
                data, until = entry
                if until is not None and now >= until:
                    self._forget(key)
                else:
                    self._entries.move_to_end(key)
                    found[key] = data
        return found

    async def set(self, entries: Mapping[str, bytes], until: float | None, /) -> None:
        """Keep *entries* until then."""
        with self._lock:
            for key, data in entries.items():
                self._forget(key)
                if _size(key, data) <= self._max_bytes:
                    self._entries[key] = (data, until)
                    self._bytes += _size(key, data)
            while self._bytes > self._max_bytes:
                self._forget(next(iter(self._entries)))

    async def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    async def stats(self) -> CacheStats:
        """How full it is."""
        return CacheStats(entries=len(self._entries), bytes=self._bytes, max_bytes=self._max_bytes)

    async def aclose(self) -> None:
        """There is nothing to close."""

    def _forget(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= _size(key, entry[0])


def _size(key: str, data: bytes) -> int:
    return len(key) + len(data) + OVERHEAD
