"""What belongs to the running event loop. No other policy module knows which loops there are."""

from __future__ import annotations

import logging
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import anyio
import sniffio

from ..core.redact import shown

if TYPE_CHECKING:
    from asyncio import Task, TimerHandle
    from collections.abc import Awaitable, Callable

    import trio

    from ..core.calls import Clock, Scope

logger: logging.Logger = logging.getLogger("fairlead.tasks")
logger.addHandler(logging.NullHandler())


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


class TaskHost:
    """
    Runs the work of one policy object that outlives the caller who started it.

    It can be used in any number of loops, one after the other or at once. A task runs in a copy
    of its starter's context; what it raises is logged and goes no further; it ends with its loop
    at the latest.
    """

    __slots__ = ("_tasks",)

    def __init__(self) -> None:
        self._tasks: dict[object, set[Hosted]] = {}

    def spawn(self, work: Callable[[], Awaitable[None]]) -> Hosted:
        """Run *work* in a task of its own."""
        task = Hosted(work, self._forget)
        if task.home not in self._tasks:
            self._forget_the_dead()
        self._tasks.setdefault(task.home, set()).add(task)
        return task

    @property
    def busy(self) -> bool:
        """Whether a task of it is under way in the running loop."""
        return home() in self._tasks

    async def aclose(self) -> None:
        """Cancel all tasks, and wait until those of the running loop have ended. Idempotent."""
        self._forget_the_dead()
        here = home() if self._tasks else None
        ours = list(self._tasks.get(here, ()))
        for task in [task for tasks in list(self._tasks.values()) for task in list(tasks)]:
            if task.home is here:
                task.cancel()
            else:
                task.cancel_soon()
        for task in ours:
            await task.ended.wait()

    def _forget(self, task: Hosted) -> None:
        tasks = self._tasks.get(task.home, set())
        tasks.discard(task)
        if not tasks:  # nor is the loop to be kept alive
            self._tasks.pop(task.home, None)

    def _forget_the_dead(self) -> None:
        """Those whose loop was closed without ending them."""
        for dead in [each for each in list(self._tasks) if is_over(each)]:
            self._tasks.pop(dead, None)


class Hosted:
    """One task of a `TaskHost`."""

    __slots__ = (
        "_begun",
        "_cancel",
        "_cancelled",
        "_forget",
        "_soon",
        "_task",
        "_work",
        "ended",
        "home",
    )

    def __init__(
        self, work: Callable[[], Awaitable[None]], forget: Callable[[Hosted], None]
    ) -> None:
        self._forget = forget
        self._work = work
        self._begun = self._cancelled = False
        self.ended: anyio.Event = anyio.Event()
        self.home: object = home()
        self._task: Task[None] | None = None
        """Held here, as asyncio itself holds it only weakly."""
        if sniffio.current_async_library() == "asyncio":
            import asyncio

            # A scope of anyio's would be kept, with all inside, if the loop were just closed.
            loop = asyncio.get_running_loop()
            self._task = loop.create_task(self._run())
            self._task.add_done_callback(self._over)
            self._cancel: Callable[[], object] = self._task.cancel
            self._soon: Callable[[Callable[[], None]], object] = loop.call_soon_threadsafe
        else:
            import trio

            around = trio.CancelScope()
            self._cancel = around.cancel
            self._soon = trio.lowlevel.current_trio_token().run_sync_soon
            trio.lowlevel.spawn_system_task(self._inside, around, context=copy_context())

    def cancel(self) -> None:
        """
        Cancel it at once, from its own loop. Idempotent.

        Its work is begun in any case, so that it can clean up.
        """
        if not self._cancelled and not self.ended.is_set():
            self._cancelled = True
            if self._begun:
                with suppress(RuntimeError):  # its loop may be gone
                    self._cancel()

    @property
    def is_here(self) -> bool:
        """Whether it belongs to the running loop."""
        return self.home is home()

    def cancel_soon(self) -> None:
        """Cancel it, from any thread and even after its loop has ended: finalisers do."""
        with suppress(RuntimeError):
            self._soon(self.cancel)

    async def _inside(self, around: trio.CancelScope) -> None:
        try:
            with around:
                await self._run()
        finally:
            self._over()

    async def _run(self) -> None:
        self._begun = True
        if self._cancelled:
            self._cancel()
        try:
            await self._work()
        except Exception as error:  # noqa: BLE001 - nobody waits for it, and trio would stop all
            kind, words = type(error).__name__, shown(str(error))
            logger.error("a task failed: %s: %s", kind, words)  # noqa: TRY400 - no secrets
        finally:
            self._forget(self)  # not a turn of the loop later: who asks then starts another

    def _over(self, _task: object = None) -> None:
        self._forget(self)
        self.ended.set()


def home() -> object:
    """What stands for the running loop."""
    if sniffio.current_async_library() == "asyncio":
        import asyncio

        return asyncio.get_running_loop()
    import trio

    return trio.lowlevel.current_trio_token()


def is_over(loop: object) -> bool:
    """Whether the loop was closed; a trio run ends its tasks itself."""
    is_closed = getattr(loop, "is_closed", None)
    return is_closed is not None and bool(is_closed())


def spawn(work: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """
    Run *work* in a task that outlives the caller; returns its cancel.

    For those who are no policy, as `TaskHost` is for those who are. It may be cancelled from any
    thread, and even after its loop has ended: finalisers do.
    """
    return _nobodys.spawn(work).cancel_soon


_nobodys = TaskHost()
