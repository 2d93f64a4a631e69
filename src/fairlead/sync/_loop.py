"""One event loop in a thread of its own, for all synchronous calls of this process."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from typing import Generic, TypeVar

from sniffio import current_async_library_cvar

T = TypeVar("T")

EXIT_SECONDS = 5.0
"""How long the end of the program waits for calls in progress to let go of their connections."""
FORK_SECONDS = 1.0
"""How long a fork waits for the loop to come to a place where it holds no lock."""


class _Loop(asyncio.SelectorEventLoop):
    """
    To a forked child the loop of its parent is closed, which keeps its hands off what they share.

    Without that, a stream that is dropped in the child would be taken off the selector of both.
    """

    _process = 0

    def __init__(self) -> None:
        self._process = os.getpid()
        super().__init__()

    def is_closed(self) -> bool:
        return super().is_closed() or self._process != os.getpid()

    def is_running(self) -> bool:
        return super().is_running() and self._process == os.getpid()


class BackgroundLoop:
    """Runs coroutines for other threads. It lives as long as its process."""

    def __init__(self) -> None:
        self._loop = _Loop()
        self._stop = asyncio.Event()
        self._stopping = False
        self._forking: dict[int, threading.Event] = {}
        self._thread = threading.Thread(target=self._main, name="fairlead.sync", daemon=True)
        self._thread.start()

    def run(self, start: Callable[[], Awaitable[T]]) -> T:
        """
        Await what *start* returns, in the context of the caller, who waits for it.

        If waiting is interrupted, by Ctrl-C say, what is awaited is cancelled.

        Raises:
            RuntimeError: The caller is the loop's own thread, or a process forked since.
        """
        self._check()
        work: _Work[T] = _Work(start)
        context = copy_context()
        context.run(current_async_library_cvar.set, "asyncio")
        try:
            self._loop.call_soon_threadsafe(work.begin, self, context=context)
            return work.future.result()
        except BaseException:
            if not work.future.done():
                self.run_soon(work.cancel)
                self._check()  # it may have been stopped a moment ago
            raise
        finally:
            # Its error's traceback leads here, and must not lead back to it.
            del work

    def run_soon(self, callback: Callable[[], object]) -> None:
        """Run what raises nothing in the loop's thread, from any thread, finalisers included."""
        if self.is_ours:
            with suppress(RuntimeError):  # it has ended, and all that it held with it
                self._loop.call_soon_threadsafe(callback)

    @property
    def is_ours(self) -> bool:
        """Whether it belongs to this process, not to the one that this was forked from."""
        return not self._loop.is_closed()

    @property
    def is_here(self) -> bool:
        """Whether the caller is its thread."""
        return threading.get_ident() == self._thread.ident

    @property
    def is_stopping(self) -> bool:
        """Whether the program ends."""
        return self._stopping

    def _check(self) -> None:
        if self._stopping:
            if threading.current_thread().daemon:
                threading.Event().wait()  # it ends with the program, and without a traceback
            raise RuntimeError("the program is ending: its background event loop has been stopped")
        if not self.is_ours:
            raise RuntimeError(
                "this stream was opened before os.fork(), in the parent process; "
                "ask for a new one in the child"
            )
        if self.is_here:
            raise RuntimeError(
                "a synchronous call from inside fairlead's background event loop would wait for "
                "itself: await the asynchronous method there, such as provider.generate(), or "
                "make the call in a worker thread"
            )

    def stop(self) -> None:
        """Cancel all calls, which closes their connections, and end the thread."""
        self._stopping = True
        self.run_soon(self._stop.set)
        self._thread.join(EXIT_SECONDS)

    def before_fork(self) -> None:
        """
        Hold the thread where it holds no lock: in the child nobody would ever release that.

        Python's locks round each import are the ones that matter.
        """
        if not self.is_here:
            held = threading.Event()
            forked = self._forking[threading.get_ident()] = threading.Event()

            def hold() -> None:
                held.set()
                forked.wait()

            self.run_soon(hold)
            held.wait(FORK_SECONDS)

    def after_fork(self) -> None:
        """Let the thread go on, in the parent."""
        if forked := self._forking.pop(threading.get_ident(), None):
            forked.set()

    def _main(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._until_stopped())

    async def _until_stopped(self) -> None:
        await self._stop.wait()


class _Work(Generic[T]):
    """What one thread waits for."""

    def __init__(self, start: Callable[[], Awaitable[T]]) -> None:
        self.future: Future[T] = Future()
        self._start = start
        self._task: asyncio.Task[None] | None = None

    def begin(self, loop: BackgroundLoop) -> None:
        self._task = asyncio.get_running_loop().create_task(_work(self._start, self.future, loop))

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


async def _work(start: Callable[[], Awaitable[T]], future: Future[T], loop: BackgroundLoop) -> None:
    try:
        future.set_result(await start())
    except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
        # Threads that still wait when the program ends are not woken: all they could do is fail.
        if not loop.is_stopping:
            future.set_exception(error)
    finally:
        del future


_lock = threading.Lock()
_loop: BackgroundLoop | None = None


def background_loop() -> BackgroundLoop:
    """The loop of this process; the first call starts it."""
    global _loop  # noqa: PLW0603 - one per process
    if _loop is None:
        with _lock:
            if _loop is None:
                _loop = BackgroundLoop()
    return _loop


def _stop() -> None:
    if _loop is not None:
        _loop.stop()


def _before_fork() -> None:
    if _loop is not None and not _loop.is_stopping:
        _loop.before_fork()


def _after_fork() -> None:
    if _loop is not None:
        _loop.after_fork()


def _forget() -> None:
    """A forked child has only the thread that forked: it starts anew when it needs a loop."""
    global _lock, _loop
    _lock, _loop = threading.Lock(), None


atexit.register(_stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_forget)
