from __future__ import annotations

import gc
import subprocess
import sys
import threading
from textwrap import dedent

import anyio
import pytest

import fairlead
from fairlead import (
    ConfigurationError,
    Embedding,
    Embeddings,
    ProviderFactory,
    create_provider,
    get_provider,
    reset_provider_cache,
)
from fairlead.facade import shared
from tests.support.answers import Answer, completion, event, script

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def fresh(monkeypatch, anyio_backend):
    monkeypatch.setenv("FAIRLEAD_SAFE_DEFAULT_PROVIDER", "stub")
    await reset_provider_cache()
    yield
    await reset_provider_cache()


def test_all_who_ask_for_the_same_get_the_same():
    assert get_provider() is get_provider()
    assert get_provider() is get_provider(fallback=True)
    assert get_provider("offline") is not get_provider("null")


def test_two_ways_of_asking_for_the_same_share_it_too():
    assert get_provider("stub") is get_provider("offline", fallback=False)


async def test_after_a_reset_the_settings_are_read_anew(monkeypatch):
    before = get_provider()
    monkeypatch.setenv("FAIRLEAD_PROVIDER", "null")

    assert get_provider() is before
    await reset_provider_cache()
    assert await get_provider().generate("hi") == ""


async def test_a_reset_closes_the_connections(server, monkeypatch):
    script(completion())
    monkeypatch.setenv("OPENAI_BASE_URL", server.url("/v1"))
    monkeypatch.setenv("OPENAI_MODEL", "m")
    await get_provider().generate("hi")
    assert server.open_connections == 1

    await reset_provider_cache()

    with anyio.fail_after(2):
        while server.open_connections:  # noqa: ASYNC110 - another thread's
            await anyio.sleep(0.005)


async def test_the_functions_ask_it():
    assert await fairlead.complete("hi") == await fairlead.acomplete("hi")
    assert isinstance(await fairlead.embed("a text"), Embedding)
    assert isinstance(await fairlead.aembed(["a text", "another"]), Embeddings)


async def test_the_functions_share_one_pipeline():
    await fairlead.complete("hi")
    await fairlead.embed("hi")

    assert len(shared._cache._built) == 1


def test_a_mistake_is_not_remembered(monkeypatch):
    with pytest.raises(ConfigurationError):
        get_provider("nobody")
    with pytest.raises(ConfigurationError):
        get_provider("nobody")


async def test_threads_get_the_same():
    found = []

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(
                anyio.to_thread.run_sync, lambda: found.append(get_provider("null", False))
            )

    assert len({id(provider) for provider in found}) == 1


async def test_the_factory_builds_anew():
    one, other = ProviderFactory.create("offline", "mine"), ProviderFactory.create("offline")

    assert one is not other
    assert one.model.name == "mine"
    assert (await create_provider("null").generate("hi")) == ""
    assert ProviderFactory.create_provider().name == "offline"


async def test_the_facades_other_names():
    provider = get_provider()

    assert await provider.complete("hi") == await provider.acomplete("hi")
    assert await provider.aembed("hi") == await provider.embed("hi")
    assert len(await provider.aembed(["hi", "ho"])) == 2
    assert provider.max_context_size is None
    assert provider.cost_per_1k_tokens is None


def openai_at(server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", server.url("/v1"))
    monkeypatch.setenv("OPENAI_MODEL", "m")
    monkeypatch.setenv("PROVIDER_INITIAL_DELAY", "0.001")


async def until(done):
    with anyio.fail_after(5):
        while not done():  # noqa: ASYNC110 - another thread's
            await anyio.sleep(0.005)


async def test_a_reset_lets_calls_end(server, monkeypatch):
    openai_at(server, monkeypatch)
    script(Answer(completion("whole").pieces, content_type="application/json", pause=0.2))
    answers = []

    async def ask():
        answers.append(await get_provider().generate("hi"))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await until(lambda: server.requests)
        await reset_provider_cache()
        assert answers == ["whole"]

    assert len(server.requests) == 1
    await until(lambda: not server.open_connections)


async def test_a_reset_lets_calls_of_a_forgotten_one_end(server, monkeypatch):
    openai_at(server, monkeypatch)
    script(Answer(completion("whole").pieces, content_type="application/json", pause=0.2))
    answers = []

    async def ask():
        answers.append(await get_provider().generate("hi"))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await until(lambda: server.requests)
        for number in range(shared.MOST):
            get_provider("null", False, model=str(number))
        await reset_provider_cache()
        assert answers == ["whole"]


async def test_a_reset_lets_streams_end(server, monkeypatch):
    openai_at(server, monkeypatch)
    script(Answer([event("Hel"), event("lo", "stop"), b"data: [DONE]\n\n"], pause=0.1))
    stream = await get_provider().generate_stream("hi")
    words = []

    async def read():
        words.extend([word async for word in stream])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await reset_provider_cache()
        assert words == ["Hel", "lo"]

    assert len(server.requests) == 1


async def test_calls_of_another_event_loop_go_on(server, monkeypatch, anyio_backend_name):
    openai_at(server, monkeypatch)
    script(Answer(completion("whole").pieces, content_type="application/json", pause=0.5))
    answers, held = [], []

    async def ask():
        held.append(get_provider())  # to be there until its event loop has closed its connections
        answers.append(await held[0].generate("hi"))

    other = threading.Thread(target=lambda: anyio.run(ask, backend=anyio_backend_name))
    other.start()
    await until(lambda: server.requests)
    await reset_provider_cache()

    assert not answers
    await anyio.to_thread.run_sync(other.join)
    assert answers == ["whole"]


async def test_a_reset_without_patience_ends_calls_and_asks_nobody_again(server, monkeypatch):
    openai_at(server, monkeypatch)
    script(Answer([b""], ending="stall"), completion())
    failures = []

    async def ask():
        with pytest.raises(fairlead.RefusedError, match="was closed") as caught:
            await get_provider().generate("hi")
        failures.append(caught.value)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await until(lambda: server.requests)
        with anyio.move_on_after(0.05):
            await reset_provider_cache()

    assert len(failures) == 1
    assert len(server.requests) == 1
    await until(lambda: not server.open_connections)


@pytest.mark.virtual_time
async def test_a_reset_waits_no_longer_than_it_says():
    provider = get_provider("offline", False)
    stream = await provider.generate_stream("hi")
    began = anyio.current_time()

    await reset_provider_cache()

    assert anyio.current_time() - began == pytest.approx(30, abs=0.1)
    stream.cancel()


def test_what_was_asked_for_longest_ago_is_forgotten():
    first = get_provider("null", False, model="0")
    for number in range(1, shared.MOST):
        get_provider("null", False, model=str(number))
    assert get_provider("null", False, model="0") is first

    second = get_provider("null", False, model="1")
    get_provider("null", False, model="0")
    for number in range(shared.MOST, 2 * shared.MOST - 1):
        get_provider("null", False, model=str(number))
    assert get_provider("null", False, model="0") is first
    assert get_provider("null", False, model="1") is not second


def test_however_many_are_asked_for_few_are_held(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    for number in range(3 * shared.MOST):
        get_provider("openai", False, model=f"m{number}")
    gc.collect()

    assert len(shared._cache._built) == shared.MOST
    assert len(shared._cache._asked_for) == shared.MOST
    assert len(shared._cache._alive) == shared.MOST
    assert len(shared._cache._engines) == 1


async def test_a_forgotten_one_goes_on_and_is_closed_by_a_reset(server, monkeypatch):
    openai_at(server, monkeypatch)
    script(completion())
    held = get_provider()
    for number in range(shared.MOST + 1):
        get_provider("null", False, model=str(number))

    assert get_provider() is not held
    assert await held.generate("hi") == "Hello."
    await reset_provider_cache()

    await until(lambda: not server.open_connections)


@pytest.fixture
def router(tmp_path, monkeypatch):
    """A vendor whose providers ask a shared one, as a package brings it."""
    source = """
        import fairlead
        from fairlead.adapters.providers.offline.settings import Settings

        def create(settings, *, name, limits, engine):
            return fairlead.get_provider("offline", False)
    """
    (tmp_path / "a_router.py").write_text(dedent(source))
    info = tmp_path / "a_router-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: a_router\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fairlead.providers]\na-router = a_router\n")
    return tmp_path


def run(code, **how):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(code)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        **how,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_a_vendor_may_ask_for_a_shared_one_while_it_is_built(router):
    code = """
        import asyncio, fairlead
        async def main():
            print(await fairlead.get_provider("a-router", False).generate("hi"))
            await fairlead.reset_provider_cache()
        asyncio.run(main())
    """

    assert "offline" in run(code, env={"PYTHONPATH": str(router)})


@pytest.mark.skipif(not hasattr(sys, "getdlopenflags"), reason="there is no fork")
def test_after_a_fork_all_are_built_anew():
    code = """
        import os, threading, warnings
        import fairlead
        from fairlead.facade import shared

        warnings.simplefilter("ignore", DeprecationWarning)  # of threads and fork
        before = fairlead.get_provider("offline", False)
        held = threading.Event()
        done = threading.Event()

        def build():
            with shared._building:
                held.set()
                done.wait()

        threading.Thread(target=build, daemon=True).start()
        held.wait()
        child = os.fork()
        if child == 0:
            after = fairlead.get_provider("offline", False)
            os._exit(0 if after is not before else 1)
        done.set()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status == 0, status
        assert fairlead.get_provider("offline", False) is before
    """

    run(code)


def test_a_reset_closes_all_although_one_fails(tmp_path):
    code = """
        import asyncio, fairlead

        async def main():
            fairlead.get_provider("a-door:bad", False)
            fairlead.get_provider("a-door:good", False)
            try:
                await fairlead.reset_provider_cache()
            except OSError as error:
                print("raised", error)

        asyncio.run(main())
    """
    source = """
        class Door:
            def __init__(self, *, model="m"):
                self.model = model
            async def generate(self, prompt):
                return ""
            async def aclose(self):
                print("closed", self.model)
                if self.model == "bad":
                    raise OSError("stuck")
    """
    (tmp_path / "a_door.py").write_text(dedent(source))
    info = tmp_path / "a_door-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: a_door\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fairlead.providers]\na-door = a_door:Door\n")

    told = run(code, env={"PYTHONPATH": str(tmp_path)}).splitlines()

    assert sorted(told) == ["closed bad", "closed good", "raised stuck"]
