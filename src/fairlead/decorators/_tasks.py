"""What belongs to the running event loop. No other policy module knows which loops there are."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import sniffio

if TYPE_CHECKING:
    from asyncio import Task, TimerHandle
    from collections.abc import Awaitable, Callable

    from ..core.calls import Clock, Scope


def loop_clock() -> Clock:
    """The running loop's clock. Asking it costs a tenth of what asking anyio for the time does."""
    import asyncio

    try:  # a quarter of the cost of asking sniffio first
        return asyncio.get_running_loop().time
    except RuntimeError:
        sniffio.current_async_library()  # says clearly that no loop runs, if none does
    import trio

    return trio.current_time


def scope(seconds: float | None) -> Scope:
    """
    Ends what runs inside it after *seconds*, or when it is cancelled.

    On asyncio it is no scope of anyio's, because those have to be left in the reverse of the order
    in which they are entered: a generator that yields inside one of its own would trip over it.
    """
    import asyncio

    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return anyio.move_on_after(seconds) if task is None else _TaskScope(task, seconds)


class _TaskScope:
    """Cancels its task once, as `asyncio.timeout` does, and takes that cancellation back."""

    __slots__ = ("_before", "_delivered", "_inside", "_seconds", "_task", "_timer")

    def __init__(self, task: Task[Any], seconds: float | None) -> None:
        self._task = task
        self._seconds = seconds
        self._timer: TimerHandle | None = None
        self._inside = False
        self._delivered = False

    def __enter__(self) -> None:
        self._inside = True
        self._before = self._task.cancelling()
        if self._seconds is not None:
            self._timer = self._task.get_loop().call_later(self._seconds, self._deliver)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, *_: object
    ) -> bool:
        self._inside = False
        if self._timer is not None:
            self._timer.cancel()
        if not self._delivered:
            return False
        from asyncio import CancelledError

        # Somebody else has cancelled the task too if there is more to take back.
        alone = self._task.uncancel() <= self._before
        return alone and isinstance(error, CancelledError)

    def cancel(self) -> None:
        # Not at once: what is cancelled while it runs may have left before it notices.
        self._task.get_loop().call_soon(self._deliver)

    def _deliver(self) -> None:
        if self._inside and not self._delivered:
            self._delivered = True
            self._task.cancel()


def spawn(work: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """
    Run *work*, which must not raise, in a task that outlives the caller; returns its cancel.

    It runs in a copy of the caller's context. It may be cancelled from any thread, and even after
    its loop has ended: finalisers do.
    """
    around = anyio.CancelScope()
    if sniffio.current_async_library() == "asyncio":
        import asyncio

        loop = asyncio.get_running_loop()
        task = loop.create_task(_inside(around, work))
        _running.add(task)
        task.add_done_callback(_running.discard)
        soon: Callable[[Callable[[], None]], object] = loop.call_soon_threadsafe
    else:
        import trio

        trio.lowlevel.spawn_system_task(_inside, around, work)
        soon = trio.lowlevel.current_trio_token().run_sync_soon

    def cancel() -> None:
        with suppress(RuntimeError):
            soon(around.cancel)

    return cancel


async def _inside(around: anyio.CancelScope, work: Callable[[], Awaitable[None]]) -> None:
    with around:
        await work()


_running: set[object] = set()
"""What asyncio itself holds only weakly."""
