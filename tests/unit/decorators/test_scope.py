"""What ends an attempt: on either loop the same, whoever else cancels."""

import asyncio
import math

import anyio
import pytest
import trio

from fairlead.decorators._tasks import scope


async def forever():
    await anyio.sleep(math.inf)


async def timed(function):
    began = anyio.current_time()
    await function()
    return round(anyio.current_time() - began, 6)


@pytest.mark.anyio
@pytest.mark.parametrize("seconds", [None, math.inf, 5])
async def test_what_ends_in_time_is_left_alone(seconds):
    with scope(seconds):
        await anyio.sleep(3)
        answer = "ho"

    assert answer == "ho"
    await anyio.sleep(10)


@pytest.mark.anyio
async def test_what_takes_too_long_is_ended_and_nothing_else():
    async def limited():
        with scope(5):
            await forever()

    assert await timed(limited) == 5.0
    await anyio.sleep(10)


@pytest.mark.anyio
async def test_what_ends_just_in_time_leaves_no_cancellation_behind():
    with scope(5):
        await anyio.sleep(5)

    await anyio.sleep(10)


@pytest.mark.anyio
async def test_another_task_can_cancel_it_at_any_time():
    made = []

    async def waits():
        made.append(it := scope(None))
        with it:
            await forever()
        it.cancel()
        await anyio.sleep(1)

    async with anyio.create_task_group() as group:
        group.start_soon(waits)
        await anyio.sleep(3)
        made[0].cancel()
        made[0].cancel()


@pytest.mark.anyio
async def test_what_cancels_itself_and_leaves_at_once_is_not_cancelled_later():
    it = scope(None)
    with it:
        it.cancel()

    await anyio.sleep(1)


@pytest.mark.anyio
async def test_an_error_in_clean_up_is_raised():
    with pytest.raises(OSError, match="disk full"), scope(5):
        try:
            await forever()
        finally:
            raise OSError("disk full")

    await anyio.sleep(10)


@pytest.mark.anyio
async def test_of_two_that_end_at_once_the_outer_one_counts():
    reached = []
    outer, inner = scope(5), scope(5)
    with outer:
        with inner:
            await forever()
        reached.append(True)

    assert not reached
    await anyio.sleep(10)


@pytest.mark.anyio
async def test_tasks_inside_end_with_it():
    ended = []

    async def child():
        try:
            await forever()
        finally:
            ended.append(anyio.current_time())

    async def limited():
        with scope(5):
            async with anyio.create_task_group() as group:
                group.start_soon(child)
                group.start_soon(child)

    assert await timed(limited) == 5.0
    assert len(ended) == 2


@pytest.mark.anyio
@pytest.mark.parametrize("after", [3, 5])
async def test_a_scope_around_it_that_is_cancelled_catches(after):
    reached = []
    with anyio.move_on_after(after) as outer:
        with scope(5):
            await forever()
        reached.append(True)
        await forever()

    assert outer.cancelled_caught
    assert after == 5 or not reached


@pytest.mark.anyio
async def test_a_task_that_is_cancelled_at_the_same_time_is_cancelled(anyio_backend_name):
    if anyio_backend_name != "asyncio":
        return
    reached = []

    async def limited():
        with scope(5):
            await forever()
        reached.append(True)

    loop = asyncio.get_running_loop()
    for after in (3, 5):
        task = loop.create_task(limited())
        await asyncio.sleep(0)
        loop.call_later(after, task.cancel)

        await asyncio.wait([task])

        assert task.cancelled()
    assert not reached


@pytest.mark.anyio
async def test_a_generator_inside_may_yield_in_a_scope_of_its_own(anyio_backend_name):
    if anyio_backend_name != "asyncio":
        return  # trio lets no scope be left before one that was entered after it

    async def words():
        with anyio.fail_after(30):
            yield "a"
            await anyio.sleep(1)
            yield "b"

    source, told = words(), []
    for _ in range(3):
        with scope(5):
            told.append(await anext(source, None))

    assert told == ["a", "b", None]


def test_it_belongs_to_trio_where_trio_is_a_guest_of_asyncio():
    async def guest():
        with scope(0):
            await trio.sleep_forever()
        return "ho"

    async def host():
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        trio.lowlevel.start_guest_run(
            guest, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=done.set_result
        )
        return (await done).unwrap()

    assert asyncio.run(host()) == "ho"
