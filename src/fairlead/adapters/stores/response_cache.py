"""A cache to be used by hand."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from ...core.checks import check_count, check_seconds

if TYPE_CHECKING:
    from collections.abc import Callable


class ResponseCache:
    """
    Keeps answers, or anything, under keys of your own, in this process.

    ::

        cache = ResponseCache(ttl=3600)
        answer = await cache.get("greeting")
        if answer is None:
            answer = await provider.generate("Say hello")
            await cache.set("greeting", answer)

    A key has to tell all that the answer depends on; `CacheProvider` makes such keys by itself.

    Args:
        ttl: Seconds that an entry is kept for; None is for good.
        max_entries: How many there may be; what was used longest ago makes room.
        clock: Seconds, from any start.

    Raises:
        ConfigurationError: An argument makes no sense.
    """

    def __init__(
        self,
        ttl: float | None = None,
        *,
        max_entries: int = 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if ttl is not None:
            check_seconds("ttl", ttl, infinite=True)
        check_count("max_entries", max_entries, 1)
        self._ttl = ttl
        self._max_entries = max_entries
        self._clock = clock
        self._entries: OrderedDict[str, tuple[Any, float]] = OrderedDict()

    async def get(self, key: str) -> Any:
        """What was set under *key*; None if nothing was, or its time is over."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        value, began = entry
        if self._ttl is not None and self._clock() - began >= self._ttl:
            self._entries.pop(key, None)
            return None
        self._entries.move_to_end(key)
        return value

    async def set(self, key: str, value: Any) -> None:
        """Keep *value* under *key*, in place of what was there."""
        self._entries[key] = (value, self._clock())
        self._entries.move_to_end(key)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    async def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
