"""Work that outlives its caller, on either loop the same, and in several of them."""

import asyncio
import contextlib
import gc
import logging
import threading
import weakref
from contextvars import ContextVar

import anyio
import pytest
import trio
from anyio.lowlevel import checkpoint

from fairlead.decorators._tasks import TaskHost, spawn
from tests.unit.core.fakes import cancelled_at, ways

color = ContextVar("color", default="none")
BACKENDS = ["asyncio", "trio"]


class Work:
    """Waits until it is cancelled, and says so."""

    def __init__(self, *, clean_up=0):
        self.began = anyio.Event()
        self.ended = []
        self.clean_up = clean_up

    async def __call__(self):
        self.began.set()
        try:
            await anyio.sleep_forever()
        finally:
            for _ in range(self.clean_up):
                with contextlib.suppress(BaseException):
                    await checkpoint()
            self.ended.append("ended")


@pytest.mark.anyio
async def test_a_task_outlives_its_starter():
    host, done = TaskHost(), anyio.Event()

    async def work():
        await anyio.sleep(5)
        done.set()

    with anyio.CancelScope() as scope:
        host.spawn(work)
        scope.cancel()
        await checkpoint()
    await done.wait()

    assert anyio.current_time() >= 5


@pytest.mark.anyio
async def test_a_task_runs_in_a_copy_of_its_starters_context():
    host, seen, done = TaskHost(), [], anyio.Event()

    async def work():
        await checkpoint()
        seen.append(color.get())
        color.set("blue")
        done.set()

    token = color.set("red")
    host.spawn(work)
    color.reset(token)
    await done.wait()

    assert (seen, color.get()) == (["red"], "none")


@pytest.mark.anyio
async def test_a_task_is_held_as_long_as_it_runs_and_no_longer():
    host, work = TaskHost(), Work()
    task = host.spawn(work)
    await work.began.wait()
    gc.collect()

    assert not work.ended
    task.cancel()
    await task.ended.wait()
    assert work.ended == ["ended"]
    assert not host._tasks


def test_a_host_is_not_busy_from_the_moment_its_work_has_ended():
    async def main():
        host, done = TaskHost(), asyncio.Event()

        async def ask():
            await done.wait()
            return host.busy

        host.spawn(done.wait)
        await asyncio.sleep(0)
        asked = asyncio.ensure_future(ask())  # is woken in the same turn, and after it
        await asyncio.sleep(0)
        assert host.busy
        done.set()
        assert not await asked

    asyncio.run(main())


@pytest.mark.anyio
async def test_cancelling_twice_or_after_the_end_does_nothing():
    host, work = TaskHost(), Work()
    task = host.spawn(work)
    await work.began.wait()

    for _ in range(2):
        task.cancel()
    await task.ended.wait()
    task.cancel()
    task.cancel_soon()
    await checkpoint()

    assert work.ended == ["ended"]


@pytest.mark.anyio
async def test_a_task_that_has_not_begun_is_begun_and_cancelled_at_its_first_await():
    host, reached = TaskHost(), []

    async def work():
        try:
            await checkpoint()
            reached.append("too far")
        finally:
            reached.append("cleaned up")

    task = host.spawn(work)
    task.cancel()
    await task.ended.wait()

    assert reached == ["cleaned up"]


@pytest.mark.anyio
async def test_another_thread_can_cancel_a_task():
    host, work = TaskHost(), Work()
    task = host.spawn(work)
    await work.began.wait()

    thread = threading.Thread(target=task.cancel_soon)
    thread.start()
    thread.join()
    await task.ended.wait()

    assert work.ended == ["ended"]


@pytest.mark.anyio
async def test_what_a_task_raises_is_told_and_goes_no_further(caplog):
    host = TaskHost()

    async def work():
        await checkpoint()
        raise ValueError("sk-abcdefghij0123456789 is wrong")

    task = host.spawn(work)
    await task.ended.wait()
    await checkpoint()

    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.name == "fairlead.tasks"
    assert record.getMessage().startswith("a task failed: ValueError: ")
    assert "abcdefghij" not in record.getMessage()


@pytest.mark.anyio
async def test_what_a_cancelled_task_raises_instead_is_told(caplog):
    host, began = TaskHost(), anyio.Event()

    async def work():
        began.set()
        try:
            await anyio.sleep_forever()
        finally:
            raise OSError("disk full")

    task = host.spawn(work)
    await began.wait()
    task.cancel()
    await task.ended.wait()

    assert "disk full" in caplog.text


@pytest.mark.anyio
async def test_closing_cancels_all_tasks_and_waits_for_them():
    host, works = TaskHost(), [Work(clean_up=3) for _ in range(3)]
    for work in works:
        host.spawn(work)
    for work in works:
        await work.began.wait()

    await host.aclose()
    await host.aclose()

    assert [work.ended for work in works] == [["ended"]] * 3
    assert not host._tasks


@pytest.mark.anyio
async def test_a_closed_host_can_be_used_again():
    host, work = TaskHost(), Work()
    await host.aclose()

    host.spawn(work)
    await work.began.wait()
    await host.aclose()

    assert work.ended


@pytest.mark.anyio
async def test_closing_that_is_cancelled_has_cancelled_all_the_same():
    for how in ways():
        host, works = TaskHost(), [Work() for _ in range(2)]
        for work in works:
            host.spawn(work)
        await works[-1].began.wait()

        await cancelled_at(host.aclose, 0, how=how)
        while host._tasks:
            await checkpoint()

        assert all(work.ended for work in works)


@pytest.mark.anyio
async def test_a_task_may_close_its_own_host():
    host, ended = TaskHost(), anyio.Event()

    async def work():
        try:
            await host.aclose()
        finally:
            ended.set()

    host.spawn(work)
    await ended.wait()


@pytest.mark.parametrize("backend", BACKENDS)
def test_tasks_end_with_their_loop(backend):
    host, works = TaskHost(), []

    async def main():
        works.append(Work())
        host.spawn(works[-1])
        await works[-1].began.wait()

    for _ in range(3):
        anyio.run(main, backend=backend)

    assert [work.ended for work in works] == [["ended"]] * 3
    assert not host._tasks


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_task_whose_loop_has_ended_can_still_be_cancelled(backend):
    host, tasks = TaskHost(), []

    async def main():
        tasks.append(host.spawn(anyio.sleep_forever))

    anyio.run(main, backend=backend)

    tasks[0].cancel_soon()


def test_nothing_of_a_loop_that_was_closed_without_ending_its_tasks_is_kept(caplog):
    host, kept = TaskHost(), []

    async def main():
        work = Work()
        kept.append(weakref.ref(work))
        host.spawn(work)
        await work.began.wait()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
    kept.append(weakref.ref(loop))
    del loop

    asyncio.run(host.aclose())
    gc.collect()

    assert [ref() for ref in kept] == [None, None]
    assert [it for it in caplog.records if it.name != "asyncio"] == []


def test_a_new_loop_forgets_those_that_were_closed():
    host = TaskHost()

    async def main():
        host.spawn(anyio.sleep_forever)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
    asyncio.run(main())

    assert not host._tasks
    gc.collect()


def test_a_host_of_several_loops_at_once_closes_the_tasks_of_all():
    host, ready, ended = TaskHost(), threading.Barrier(3), []

    async def main():
        work = Work()
        task = host.spawn(work)
        await work.began.wait()
        ready.wait()
        await task.ended.wait()
        ended.extend(work.ended)

    threads = [
        threading.Thread(target=anyio.run, args=[main], kwargs={"backend": backend})
        for backend in BACKENDS
    ]
    for thread in threads:
        thread.start()
    ready.wait()
    asyncio.run(host.aclose())
    for thread in threads:
        thread.join(10)

    assert ended == ["ended", "ended"]


def test_an_exit_ends_asyncio_as_it_does_anywhere():
    host = TaskHost()

    async def work():
        raise SystemExit(3)

    async def main():
        host.spawn(work)
        await asyncio.sleep(9)

    with pytest.raises(SystemExit):
        asyncio.run(main())


def test_a_task_on_trio_as_a_guest_is_trios():
    seen = []

    async def guest():
        host = TaskHost()

        async def work():
            await trio.lowlevel.checkpoint()
            seen.append("ran")

        await host.spawn(work).ended.wait()

    async def main():
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        trio.lowlevel.start_guest_run(
            guest, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=done.set_result
        )
        (await done).unwrap()

    asyncio.run(main())
    assert seen == ["ran"]


@pytest.mark.anyio
async def test_work_of_nobody_in_particular_can_be_cancelled_too():
    work = Work()
    cancel = spawn(work)
    await work.began.wait()

    cancel()
    while not work.ended:
        await checkpoint()
