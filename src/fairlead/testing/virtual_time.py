"""
Time that jumps.

When nothing is left to do but wait, the clock jumps to the next timer: `anyio.sleep(3600)` returns
at once, and timers still fire in order. Code that waits by the event loop's clock, as fairlead
does throughout, cannot tell the difference. Real sockets and threads can: the clock may jump while
they work.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping
from importlib.util import find_spec
from math import inf, nextafter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

CENTURY = 100 * 365 * 86_400.0
"""Virtual seconds after which whoever still waits is taken to wait for ever."""


class DeadlockError(RuntimeError):
    """Everything waits for something that nothing will bring about."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """
    An asyncio event loop whose time jumps, for tests: `asyncio.Runner(loop_factory=...)`.

    Args:
        patience: Real seconds for which it waits for sockets and threads when no timer is set.

    Raises:
        DeadlockError: From whatever runs it: all tasks wait, no timer is set, and nothing came
            from outside within *patience*.
    """

    def __init__(self, *, patience: float = 1.0) -> None:
        self._virtual_time = 0.0
        super().__init__(_JumpingSelector(self, patience))

    def time(self) -> float:
        """Seconds since the loop was made, by its own clock."""
        return self._virtual_time

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the threads in real time; by the loop's, any *timeout* is over at once."""
        await super().shutdown_default_executor()

    def jump(self, seconds: float) -> None:
        """Let *seconds* go by."""
        # And the least bit more: far out, a timer that is due exactly now would be rounded into
        # the future, again and again.
        self._virtual_time = nextafter(self._virtual_time + seconds, inf)


class _JumpingSelector(selectors.BaseSelector):
    """Asks a real selector, and in place of waiting lets the loop's time jump."""

    def __init__(self, loop: VirtualTimeLoop, patience: float) -> None:
        self._loop = loop
        self._patience = patience
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            ready = self._real.select(self._patience)
            if not ready:
                msg = "all tasks wait, and no timer is set that could wake one of them"
                raise DeadlockError(msg)
            return ready
        ready = self._real.select(0)
        if not ready and timeout > 0:
            if self._loop.time() > CENTURY:
                msg = "all tasks have waited for a hundred virtual years"
                raise DeadlockError(msg)
            self._loop.jump(timeout)
        return ready

    def register(
        self, fileobj: FileDescriptorLike, events: int, data: Any = None
    ) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(
        self, fileobj: FileDescriptorLike, events: int, data: Any = None
    ) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


BACKENDS: tuple[str, ...] = ("asyncio", "trio") if find_spec("trio") else ("asyncio",)
"""The names of the event loops that are installed."""


def virtual_time_backend(name: str) -> tuple[str, dict[str, Any]]:
    """What anyio's `anyio_backend` fixture has to give so that the loop *name* has virtual time."""
    if name == "asyncio":
        return name, {"loop_factory": VirtualTimeLoop}
    from trio.testing import MockClock

    return name, {"clock": MockClock(autojump_threshold=0)}
