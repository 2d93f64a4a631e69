"""The outermost object: closing it."""

from __future__ import annotations

import gc

import anyio
import anyio.lowlevel
import pytest

from fairlead import (
    Decorator,
    FallbackProvider,
    HttpxEngine,
    OfflineProvider,
    OpenAICompatibleProvider,
    Provider,
    ProviderError,
    RefusedError,
    RetryProvider,
    ServerError,
    StreamConsumedError,
    StreamInterruptedError,
    open_provider,
)
from fairlead.decorators.backoff import Backoff
from tests.support.answers import Answer, completion, event, failure, script

pytestmark = pytest.mark.anyio


class Own:
    def __init__(self, error=None):
        self.asked = self.closed = 0
        self.error = error

    async def generate(self, prompt):
        self.asked += 1
        return "hi"

    async def aclose(self):
        self.closed += 1
        await anyio.lowlevel.checkpoint()
        if self.error is not None:
            raise self.error


async def test_it_is_closed_once():
    inner, owned = Own(), Own()
    provider = Provider(inner, owned=[owned])

    await provider.aclose()
    await provider.close()
    async with provider:
        pass

    assert (inner.closed, owned.closed) == (1, 1)


async def test_closed_by_two_tasks_at_once_it_is_closed_once():
    inner = Own()
    provider = Provider(inner)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(provider.aclose)
        tasks.start_soon(provider.aclose)

    assert inner.closed == 1


async def test_used_again_it_is_closed_again():
    inner = Own()
    provider = Provider(inner)
    for _ in range(2):
        async with provider:
            await provider.generate("hi")

    assert inner.closed == 2


async def test_all_that_it_owns_is_closed_although_some_fail():
    inner, first, last = Own(OSError("inner")), Own(OSError("first")), Own()

    with pytest.raises(OSError, match="inner") as caught:
        await Provider(inner, owned=[first, last]).aclose()

    assert (first.closed, last.closed) == (1, 1)
    assert caught.value.__notes__ == ["besides: OSError: first"]


def retrying(server, engine, **backoff):
    target = OpenAICompatibleProvider(base_url=server.url("/v1"), model="m", engine=engine)
    return RetryProvider(target, backoff=Backoff(**{"initial_delay": 0.001, **backoff}))


async def until(done):
    with anyio.fail_after(5):
        while not done():  # noqa: ASYNC110 - another thread's
            await anyio.sleep(0.005)


async def test_a_call_that_runs_when_it_is_closed_fails_and_is_not_repeated(server):
    script(Answer([b""], ending="stall"), completion())
    engine = HttpxEngine()
    provider = Provider(retrying(server, engine), owned=[engine])
    failures = []

    async def ask():
        with pytest.raises(RefusedError, match="was closed") as caught:
            await provider.generate("hi")
        failures.append(caught.value)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await until(lambda: server.requests)
        await provider.aclose()

    assert len(failures) == 1
    assert len(server.requests) == 1
    await until(lambda: not server.open_connections)
    assert not provider.running.here()


async def test_a_call_that_waits_when_it_is_closed_asks_nobody_again(server):
    script(failure(503), completion())
    provider = Provider(retrying(server, None, initial_delay=0.3, jitter=False))

    async def ask():
        with pytest.raises(ProviderError):
            await provider.generate("hi")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await until(lambda: server.requests)
        await anyio.sleep(0.1)
        await provider.aclose()

    assert len(server.requests) == 1
    await until(lambda: not server.open_connections)


async def test_nobody_else_is_asked_when_it_is_closed(server):
    script(Answer([b""], ending="stall"))
    other = Own()
    provider = Provider(FallbackProvider([retrying(server, None), other]))

    async def ask():
        with pytest.raises(RefusedError, match="was closed"):
            await provider.generate("hi")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await until(lambda: server.requests)
        await provider.aclose()

    assert (other.asked, other.closed) == (0, 1)


async def test_a_stream_that_runs_when_it_is_closed_is_interrupted(server):
    script(Answer([event("Hello")], ending="stall"))
    engine = HttpxEngine()
    provider = Provider(retrying(server, engine), owned=[engine])
    stream = await provider.generate_stream("hi")
    assert len(provider.running.here()) == 1

    await provider.aclose()

    with pytest.raises(StreamInterruptedError):
        [word async for word in stream]
    assert not provider.running.here()
    assert len(server.requests) == 1


async def test_it_knows_what_runs(server):
    script(completion())
    async with Provider(retrying(server, None)) as provider:
        await provider.generate("hi")
        assert not provider.running.here()

        script(Answer([event("Hello")], ending="stall"))
        stream = await provider.generate_stream("hi")
        assert len(provider.running.here()) == 1
        stream.cancel()
        assert not provider.running.here()


WORDS = "the provider was closed while this call was running"


class Slow:
    """Never answers by itself."""

    async def generate(self, prompt):
        await anyio.sleep_forever()

    async def generate_stream(self, prompt):
        yield "Hel"
        await anyio.sleep_forever()


def served(server):
    script(Answer([b""], ending="stall"))
    return open_provider("openai-compatible:m", base_url=server.url("/v1"), fallback=["offline"])


def waiting(server):
    script(failure(503), completion())
    target = OpenAICompatibleProvider(base_url=server.url("/v1"), model="m")
    return open_provider(target, retry={"initial_delay": 30, "jitter": False})


KINDS = {
    "loose": lambda _: open_provider(Slow(), fallback=["offline"]),
    "offline": lambda _: open_provider(OfflineProvider(delay=30), fallback=[Own()]),
    "http": served,
    "between two attempts": waiting,
}


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        *((kind, "generate") for kind in KINDS),
        *((kind, "generate_stream") for kind in list(KINDS)[1:]),
    ],
)
async def test_closing_is_told_as_what_it_is(kind, operation, server):
    provider = KINDS[kind](server)
    failures = []

    async def ask():
        with pytest.raises(RefusedError) as caught:
            await getattr(provider, operation)("hi")
        failures.append(caught.value)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await until(provider.running.here)
        await anyio.sleep(0.15)
        await provider.aclose()

    (error,) = failures
    assert type(error) is RefusedError
    assert error.message == WORDS
    assert error.sent
    assert error.verdict.retry == "never"
    assert not error.verdict.counts
    assert error.attempts[-1].outcome in {"abandoned", "waited"}
    assert not provider.running.here()


@pytest.mark.parametrize("target", [Slow, lambda: OfflineProvider(delay=0.05)])
async def test_an_open_stream_is_told_so_too(target):
    provider = open_provider(target())
    stream = await provider.generate_stream("hi")
    async with anyio.create_task_group() as tasks:

        async def read():
            with pytest.raises(StreamInterruptedError, match=WORDS) as caught:
                [word async for word in stream]
            assert type(caught.value.__cause__) is RefusedError
            assert stream.received
            with pytest.raises(StreamConsumedError):
                await stream.collect()

        tasks.start_soon(read)
        await anyio.sleep(0.08)
        await provider.aclose()

    assert not provider.running.here()


async def test_a_failure_while_it_is_closed_is_told_as_closing():
    class Touchy:
        async def generate(self, prompt):
            try:
                await anyio.sleep_forever()
            except BaseException:
                raise ServerError("gone") from None

    provider = Provider(Touchy())

    async def ask():
        with pytest.raises(RefusedError, match=WORDS) as caught:
            await provider.generate("hi")
        assert isinstance(caught.value.__cause__, ServerError)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await until(provider.running.here)
        await anyio.sleep(0.05)
        await provider.aclose()


async def test_a_stream_that_opens_although_it_is_closed_is_interrupted():
    class Stubborn(Decorator):
        async def handle(self, call):
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.1)
                return await call.on(self.inner)

    provider = Provider(Stubborn(OfflineProvider()))

    async def ask():
        # A shield does not hold against the cancellation of a task of asyncio's.
        with pytest.raises((StreamInterruptedError, RefusedError), match=WORDS):
            await provider.generate_stream("hi").collect()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await anyio.sleep(0.05)
        await provider.aclose()


async def test_a_stream_that_is_dropped_is_forgotten():
    provider = Provider(OfflineProvider())
    stream = await provider.generate_stream("hi")
    assert provider.running.here()

    del stream
    gc.collect()

    assert not provider.running.here()


async def test_a_call_that_is_over_is_not_ended_again():
    provider = Provider(OfflineProvider())
    stream = await provider.generate_stream("hi")
    answer = await stream.collect()

    stream.interrupt(ServerError("too late"))
    await provider.aclose()

    assert stream.generation == answer
