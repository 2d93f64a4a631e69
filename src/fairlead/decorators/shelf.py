"""Where a cache keeps its entries: a store that may be slow or broken, at no call's expense."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ._tasks import scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from ..core.calls import Call
    from ..core.ports import CacheStore
    from ._tasks import Hosted, TaskHost

    Lost: TypeAlias = Callable[[str, Call[Any] | None], None]

PATIENCE = 0.25
"""Seconds that reading may take; it is a miss then."""
WRITE_PATIENCE = 5.0
"""Seconds that writing may take; nobody waits for it."""
MAX_WRITES = 256
"""Writes under way at a time; what comes on top is not kept."""


class Shelf:
    """
    A store, and what is on its way there, which is found as if it had arrived.

    Args:
        store: The store.
        host: Runs what writes.
        lost: Is told why something could not be read or kept, and for which call.
    """

    def __init__(self, store: CacheStore, host: TaskHost, lost: Lost) -> None:
        self._store = store
        self._host = host
        self._lost = lost
        self._at_once = getattr(store, "at_once", False) is True
        self._coming: dict[str, bytes] = {}
        self._writes: set[Hosted] = set()

    async def get(self, keys: Sequence[str], call: Call[Any] | None = None) -> Mapping[str, bytes]:
        """What is there under *keys*; nothing if the store does not answer in time."""
        coming = {key: self._coming[key] for key in keys if key in self._coming}
        if len(coming) == len(keys):
            return coming
        return {**await self._read(keys, call), **coming}

    async def _read(self, keys: Sequence[str], call: Call[Any] | None) -> Mapping[str, bytes]:
        try:
            if self._at_once:
                return await self._store.get(keys)
            with scope(PATIENCE):
                return await self._store.get(keys)
            self._lost(f"the store took more than {PATIENCE:g} s", call)
        except Exception as error:  # noqa: BLE001 - whatever it is, a store fails no call
            self._lost(f"the store failed: {type(error).__name__}", call)
        return {}

    def set(self, entries: Mapping[str, bytes], until: float | None) -> None:
        """Let *entries* be kept, in a task; where no loop runs any more they are not."""
        if self._at_once:
            self._write_now(entries, until)
            return
        if len(self._writes) >= MAX_WRITES:
            self._lost("the store does not keep up", None)
            return
        self._coming.update(entries)
        with suppress(RuntimeError):
            self._spawn(entries, until)
            return
        self._arrived(entries)

    def _write_now(self, entries: Mapping[str, bytes], until: float | None) -> None:
        """For a store that waits for nothing, so that its first step is its last."""
        writing = self._store.set(entries, until)
        try:
            writing.send(None)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - as above
            self._lost(f"the store failed: {type(error).__name__}", None)
            return
        writing.close()
        self._lost("the store waits, though it says that it does not", None)

    def _spawn(self, entries: Mapping[str, bytes], until: float | None) -> None:
        async def write() -> None:
            try:
                with scope(WRITE_PATIENCE):
                    await self._store.set(entries, until)
                    return
                self._lost("the store took too long to write", None)
            except Exception as error:  # noqa: BLE001 - as above
                self._lost(f"the store failed: {type(error).__name__}", None)
            finally:
                self._arrived(entries)
                self._writes.discard(task)

        task = self._host.spawn(write)
        self._writes.add(task)

    def _arrived(self, entries: Mapping[str, bytes]) -> None:
        """They are where they will be; later ones under the same keys are still on their way."""
        for key, data in entries.items():
            if self._coming.get(key) is data:
                del self._coming[key]

    async def settle(self) -> None:
        """Wait, but not long, until what is on its way from the running loop has arrived."""
        with scope(WRITE_PATIENCE):
            for task in [task for task in self._writes if task.is_here]:
                await task.ended.wait()
