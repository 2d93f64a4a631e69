import asyncio
import socket
import time

import anyio
import anyio.to_thread
import pytest

from fairlead.testing import DeadlockError, VirtualTimeLoop


@pytest.mark.anyio
@pytest.mark.virtual_time
class TestOnBothLoops:
    async def test_sleeping_takes_no_time(self):
        real, virtual = time.perf_counter(), anyio.current_time()
        await anyio.sleep(30 * 86_400)

        assert time.perf_counter() - real < 5
        assert anyio.current_time() - virtual == pytest.approx(30 * 86_400)

    async def test_timers_fire_in_order(self):
        fired = []

        async def fire(after):
            await anyio.sleep(after)
            fired.append((after, round(anyio.current_time() - began, 6)))

        began = anyio.current_time()
        async with anyio.create_task_group() as group:
            for after in (3600, 1, 60.5, 0, 7200):
                group.start_soon(fire, after)

        assert fired == [(0, 0), (1, 1), (60.5, 60.5), (3600, 3600), (7200, 7200)]

    async def test_time_stands_still_while_there_is_work(self):
        began = anyio.current_time()
        for _ in range(100):
            await anyio.lowlevel.checkpoint()

        assert anyio.current_time() == began

    async def test_scopes_end_in_virtual_time(self):
        with anyio.move_on_after(600) as scope:
            await anyio.sleep_forever()

        assert scope.cancelled_caught

    async def test_each_test_has_a_clock_of_its_own(self):
        assert anyio.current_time() < 1


def run(main, patience=0.01):
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(patience=patience)) as runner:
        return runner.run(main())


def test_waiting_for_nothing_is_a_deadlock():
    with pytest.raises(DeadlockError, match="no timer is set"):
        run(lambda: asyncio.Event().wait())


def test_sleeping_for_ever_is_a_deadlock():
    with pytest.raises(DeadlockError, match="hundred virtual years"):
        run(anyio.sleep_forever)


def test_a_thread_is_waited_for():
    async def main():
        return await asyncio.to_thread(lambda: 5)

    assert run(main, patience=10) == 5


def test_sockets_are_served():
    async def main():
        here, there = socket.socketpair()
        here.setblocking(False)
        there.setblocking(False)
        with here, there:
            loop = asyncio.get_running_loop()
            receiving = asyncio.create_task(loop.sock_recv(here, 5))
            await loop.sock_sendall(there, b"hello")
            return await receiving

    assert run(main, patience=10) == b"hello"


def test_the_clock_does_not_jump_while_a_socket_is_ready():
    async def main():
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        here.setblocking(False)
        with here, there:
            later = asyncio.create_task(asyncio.sleep(100))
            receiving = asyncio.create_task(loop.sock_recv(here, 5))
            await asyncio.sleep(0)
            there.send(b"hello")
            await receiving
            received_at = loop.time()
            await later
        return received_at, loop.time()

    assert run(main) == (pytest.approx(0), pytest.approx(100))


def test_rounding_does_not_stop_the_clock_far_out():
    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(1e9 + 0.1)
        began = loop.time()
        await asyncio.sleep(1.5)
        return loop.time() - began

    assert run(main) == pytest.approx(1.5)
