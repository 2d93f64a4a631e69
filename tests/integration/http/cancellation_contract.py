"""
Cancelling calls at random moments leaves nothing behind, whatever cancels them.

asyncio's own cancellation is not anyio's: it takes no notice of shields. Hence each way by itself.
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest
from anyio.lowlevel import checkpoint

from fairlead.adapters.http.port import HttpEngine
from tests.integration.http.engine_contract import open_stream, post, send, until
from tests.support.server import TIMEOUT, Server

CONNECTIONS = 10
WAVE = 12
"""Calls at once: two wait for a connection."""

Call = Callable[[], Awaitable[object]]
Storm = Callable[[Call, float], Awaitable[None]]
"""Makes a call, and cancels it after some seconds."""


async def by_scope(call: Call, delay: float) -> None:
    with anyio.move_on_after(delay):
        await call()


async def natively(call: Call, delay: float, times: int = 1) -> None:
    task = asyncio.ensure_future(call())
    await pause(delay)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def natively_twice(call: Call, delay: float) -> None:
    await natively(call, delay, times=2)


async def by_wait_for(call: Call, delay: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(call(), delay)


async def pause(delay: float) -> None:
    """For the first moments of a call, count turns of the event loop rather than time."""
    if delay < 0.0005:
        for _ in range(int(delay * 40_000)):
            await checkpoint()
    else:
        await anyio.sleep(delay)


STORMS: list[tuple[str, str, Storm]] = [
    ("asyncio", "scope", by_scope),
    ("asyncio", "cancel", natively),
    ("asyncio", "cancel-twice", natively_twice),
    ("asyncio", "wait-for", by_wait_for),
    ("trio", "scope", by_scope),
]


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@contextmanager
def without_collector() -> Iterator[None]:
    """The garbage collector would close what was leaked, and hide it."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def cancel_calls(
    engine: HttpEngine, url: str, storm: Storm, *, calls: int, seed: int, longest: float
) -> None:
    """Every other wave finds connections open."""
    moments = random.Random(seed)

    async def read_whole() -> None:
        await engine.send(post(url), connect=TIMEOUT, within=TIMEOUT)

    async def read_stream() -> None:
        stream = await engine.stream(post(url), connect=TIMEOUT, within=TIMEOUT)
        while await stream.read(TIMEOUT):
            pass
        await stream.aclose()

    async def leave_stream() -> None:
        stream = await engine.stream(post(url), connect=TIMEOUT, within=TIMEOUT)
        await stream.read(TIMEOUT)
        await stream.aclose()

    for wave in range(calls // WAVE):
        async with anyio.create_task_group() as tasks:
            for _ in range(WAVE):
                call = moments.choice([read_whole, read_stream, leave_stream])
                delay = moments.choice([0.0005, longest / 2, longest]) * moments.random()
                tasks.start_soon(storm, call, delay)
        if wave % 2:
            await engine.aclose()


@pytest.mark.anyio
class CancellationContract:
    """Override as in `EngineContract`."""

    backends: ClassVar[tuple[str, ...]] = ("asyncio", "trio")

    def make_engine(self, **options: Any) -> HttpEngine:
        raise NotImplementedError

    @pytest.fixture(params=STORMS, ids=lambda storm: f"{storm[0]}-{storm[1]}")
    def storm(self, request: pytest.FixtureRequest) -> Storm:
        backend, _, storm = request.param
        if backend not in self.backends:
            pytest.skip(f"not for {backend}")
        return storm

    @pytest.fixture
    def anyio_backend(self, request: pytest.FixtureRequest) -> str:
        return request.node.callspec.params["storm"][0]

    @pytest.mark.parametrize("port", ["http", "https"])
    async def test_cancelled_calls_leave_nothing(
        self, server: Server, storm: Storm, port: str
    ) -> None:
        await self._withstand(server, storm, port, calls=240)

    @pytest.mark.soak
    @pytest.mark.parametrize("port", ["http", "https"])
    async def test_ten_thousand_cancelled_calls_leave_nothing(
        self, server: Server, storm: Storm, port: str
    ) -> None:
        await self._withstand(server, storm, port, calls=2400)

    async def _withstand(self, server: Server, storm: Storm, port: str, *, calls: int) -> None:
        url = server.url("/dawdle", port=port)
        longest = 0.012 if port == "http" else 0.05
        async with aclosing(self.make_engine(max_connections=CONNECTIONS, verify=False)) as engine:
            await send(engine, url)
            await engine.aclose()
            await until(lambda: server.open_connections == 0)
            with without_collector():
                before = descriptors()
                await cancel_calls(engine, url, storm, calls=calls, seed=calls, longest=longest)
                await self._is_usable(engine, server, url)
                await engine.aclose()
                await until(lambda: server.open_connections == 0 and descriptors() == before)

    async def _is_usable(self, engine: HttpEngine, server: Server, url: str) -> None:
        # As many streams at once as there may be connections: each permit is there.
        streams = []
        with anyio.fail_after(TIMEOUT):
            for _ in range(CONNECTIONS):
                streams.append(await open_stream(engine, url.replace("dawdle", "stalled")))
        await until(lambda: server.open_connections == CONNECTIONS)
        for stream in streams:
            stream.abort()
