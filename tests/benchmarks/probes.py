"""
One measurement in a process of its own; `python -m tests.benchmarks.probes REQUEST`.

REQUEST is JSON: the probe's name, the subject's, the servers' addresses, and whether to be quick.
The figures are printed as one line of JSON.
"""

import asyncio
import contextlib
import gc
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from tests.benchmarks import layers
from tests.benchmarks.clients import client
from tests.benchmarks.payloads import CHUNKS
from tests.benchmarks.servers import Addresses
from tests.benchmarks.streaming_server import PACED

STREAMS = 1_000
FIRST = 20
PAGE = os.sysconf("SC_PAGE_SIZE")


async def alone(subject: str, to: Addresses, quick: bool) -> dict[str, float]:
    """One call after the other."""
    target = client(subject, f"{to.nginx}/json")
    for _ in range(200):
        await target.call()
    times = []
    for _ in range(300 if quick else 1_500):
        began = time.perf_counter()
        await target.call()
        times.append(time.perf_counter() - began)
    await target.aclose()
    return {"us": statistics.median(times) * 1e6}


async def load(subject: str, to: Addresses, quick: bool, concurrency: int) -> dict[str, float]:
    """As many calls as fit into a time, so many at once."""
    target = client(subject, f"{to.nginx}/json")
    await asyncio.gather(*(target.call() for _ in range(concurrency)))
    calls = 0
    over = False

    async def work() -> None:
        nonlocal calls
        while not over:
            await target.call()
            calls += 1

    began, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())
        await asyncio.sleep(1 if quick else 3)
        made, seconds, spent = calls, time.perf_counter() - began, time.process_time() - cpu
        over = True
    await target.aclose()
    return {"per_second": made / seconds, "cpu_us": spent / made * 1e6}


async def burst(subject: str, url: str, quick: bool) -> dict[str, float]:
    """A thousand chunks, as fast as they come."""
    target = client(subject, url)
    times = []
    for _ in range(10 if quick else 40):
        began = time.perf_counter()
        words = 0
        async with target.stream() as stream:
            async for _ in stream:
                words += 1
        times.append(time.perf_counter() - began)
        assert words == CHUNKS, words
    await target.aclose()
    return {"us": statistics.median(times) / CHUNKS * 1e6}


async def big_reads(subject: str, to: Addresses, quick: bool) -> dict[str, float]:
    return await burst(subject, f"{to.nginx}/burst", quick)


async def small_chunks(subject: str, to: Addresses, quick: bool) -> dict[str, float]:
    return await burst(subject, f"{to.streams}/each", quick)


async def paced(subject: str, to: Addresses, quick: bool) -> dict[str, float]:
    """Chunks that arrive one by one: what each of them costs."""
    target = client(subject, f"{to.streams}/paced")
    costs = []
    for _ in range(1 if quick else 2):
        async with target.stream() as stream:
            cpu = time.process_time()
            words = 0
            async for _ in stream:
                words += 1
            costs.append((time.process_time() - cpu) / words)
        assert words == PACED, words
    await target.aclose()
    return {"cpu_us": statistics.median(costs) * 1e6}


async def open_streams(
    subject: str, url: str, quick: bool, authority: str | None = None
) -> dict[str, float]:
    """Memory for each of many streams, open and waiting for their next word."""
    target = client(subject, url, unlimited=True, authority=authority)
    streams = 200 if quick else STREAMS
    async with contextlib.AsyncExitStack() as stack:
        await open_many(target.stream, FIRST, stack)
        gc.collect()
        before = memory()
        await open_many(target.stream, streams - FIRST, stack)
        gc.collect()
        used = memory() - before
    await target.aclose()
    return {"kb": used / (streams - FIRST) / 1024}


async def open_http(subject: str, to: Addresses, quick: bool) -> dict[str, float]:
    return await open_streams(subject, f"{to.streams}/open", quick)


async def open_tls(subject: str, to: Addresses, quick: bool) -> dict[str, float]:
    return await open_streams(subject, f"{to.streams_tls}/open", quick, to.authority)


async def thousand_streams(subject: str, to: Addresses, quick: bool) -> dict[str, float]:
    """CPU for many streams, all open at once, read to their ends and closed."""
    streams = 200 if quick else STREAMS
    target = client(subject, f"{to.streams}/gather-{streams}", unlimited=True)

    async def read() -> None:
        async with target.stream() as stream:
            async for _ in stream:
                pass

    cpu = time.process_time()
    await asyncio.gather(*(read() for _ in range(streams)))
    spent = time.process_time() - cpu
    await target.aclose()
    return {"cpu_us": spent / streams * 1e6}


async def growth(subject: str, to: Addresses, quick: bool) -> dict[str, float]:
    """Memory after many calls, over memory once all pools and caches are warm."""
    target = client(subject, f"{to.nginx}/json")
    calls = 2_000 if quick else 20_000
    for _ in range(1_000 if quick else 5_000):
        await target.call()
    gc.collect()
    before, objects = memory(), len(gc.get_objects())
    for _ in range(calls):
        await target.call()
    gc.collect()
    figures = {
        "kb": (memory() - before) / 1024,
        "objects": len(gc.get_objects()) - objects,
    }
    await target.aclose()
    return figures


async def in_process(subject: str, to: Addresses, quick: bool) -> dict[str, float]:
    """Decorators round an adapter that answers at once."""
    assert subject == "fairlead"
    return await layers.measure(quick=quick)


async def from_cache(subject: str, to: Addresses, quick: bool) -> dict[str, float]:
    """Answers from a cache round an adapter that answers at once."""
    assert subject == "fairlead"
    return await layers.measure_cache(quick=quick)


async def open_many(
    stream: Callable[[], contextlib.AbstractAsyncContextManager[AsyncIterator[str]]],
    count: int,
    stack: contextlib.AsyncExitStack,
) -> None:
    """Open *count* streams, and read the first word of each."""

    async def one() -> None:
        words = await stack.enter_async_context(stream())
        await anext(aiter(words))

    await asyncio.gather(*(one() for _ in range(count)))


def memory() -> int:
    """Bytes of this process that are resident."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


PROBES: dict[str, Callable[[str, Addresses, bool], Awaitable[dict[str, float]]]] = {
    "alone": alone,
    "load-1": lambda *asked: load(*asked, concurrency=1),
    "load-100": lambda *asked: load(*asked, concurrency=100),
    "load-1000": lambda *asked: load(*asked, concurrency=1_000),
    "big-reads": big_reads,
    "small-chunks": small_chunks,
    "paced": paced,
    "open-http": open_http,
    "open-tls": open_tls,
    "thousand-streams": thousand_streams,
    "growth": growth,
    "layers": in_process,
    "cache": from_cache,
}


async def main(asked: dict[str, object]) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    probe = PROBES[str(asked["probe"])]
    addresses = Addresses(**asked["addresses"])
    print(json.dumps(await probe(asked["subject"], addresses, asked["quick"])))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
