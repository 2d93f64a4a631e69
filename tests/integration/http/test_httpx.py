from __future__ import annotations

import asyncio
import gc
import json
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from importlib.util import find_spec
from math import inf
from typing import Any

import anyio
import httpx
import pytest
import respx
import trio
import trio.testing

from fairlead.adapters.http._network import running_network
from fairlead.adapters.http.httpx import HttpxEngine
from fairlead.adapters.http.port import WireStream
from fairlead.core.errors import (
    CertificateError,
    ConfigurationError,
    InvalidRequestError,
    InvalidResponseError,
    ProviderConnectionError,
    ProviderTimeoutError,
    RedirectRefusedError,
    ResponseTooLargeError,
)
from fairlead.testing import VirtualTimeLoop
from tests.integration.http.cancellation_contract import CancellationContract
from tests.integration.http.engine_contract import (
    SHORT,
    EngineContract,
    open_stream,
    post,
    send,
    until,
    while_the_loop_sleeps,
)
from tests.support.server import TIMEOUT, Server


class TestHttpxEngine(EngineContract):
    def make_engine(self, **options: Any) -> HttpxEngine:
        return HttpxEngine(**options)


class TestHttpxEngineCancelled(CancellationContract):
    def make_engine(self, **options: Any) -> HttpxEngine:
        return HttpxEngine(**options)


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of what the stock pool leaks
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_stock_pool_does_not_survive_what_the_engine_does(server: Server) -> None:
    """Else the tests of cancellation would prove nothing."""
    url = server.url()

    async def cancel(call: Callable[[], Awaitable[object]]) -> None:
        tasks = [asyncio.ensure_future(call()) for _ in range(300)]
        await asyncio.sleep(0)
        for first in range(0, 300, 10):
            for task in tasks[first : first + 10]:
                task.cancel()
            await asyncio.sleep(0)
        await asyncio.wait(tasks)

    limits = httpx.Limits(max_connections=10)
    async with httpx.AsyncClient(limits=limits, timeout=httpx.Timeout(5, pool=0.2)) as client:
        await cancel(lambda: client.post(url, content=b"{}"))
        with pytest.raises(httpx.PoolTimeout):
            await client.post(url, content=b"{}")
    async with aclosing(HttpxEngine(max_connections=10)) as engine:
        await cancel(lambda: send(engine, url))
        assert (await send(engine, url)).status == 200
    gc.collect()


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@respx.mock
async def test_respx_intercepts_it() -> None:
    route = respx.post("https://api.example.com/v1").respond(json={"a": 1}, headers={"x": "y"})
    async with aclosing(HttpxEngine()) as engine:
        request = post("https://api.example.com/v1", b"body")
        response = await engine.send(request, connect=1, within=1)
        stream = await engine.stream(request, connect=1, within=1)
        assert await stream.read(1) == response.body
        await stream.aclose()

        assert json.loads(response.body) == {"a": 1}
        assert response.headers["x"] == "y"
        assert route.calls.last.request.content == b"body"
        assert route.calls.last.request.headers["host"] == "api.example.com"

        route.mock(side_effect=httpx.ConnectTimeout)
        with pytest.raises(ProviderTimeoutError):
            await engine.send(request, connect=1, within=1)
        route.mock(side_effect=httpx.ConnectError)
        with pytest.raises(ProviderConnectionError):
            await engine.send(request, connect=1, within=1)


def test_importing_it_imports_neither_httpx_nor_asyncio() -> None:
    """Both take longer to import than everything else that a first call needs."""
    code = (
        "import sys; before = set(sys.modules); import fairlead.adapters.http.httpx; "
        "assert not {'httpx', 'asyncio'} & (set(sys.modules) - before)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("runner", [asyncio.run, trio.run])
def test_an_engine_that_is_dropped_closes_its_connections_and_warns(
    server: Server, runner: Callable[..., None]
) -> None:
    origin = server.url("")

    async def main() -> None:
        engine = HttpxEngine()
        await send(engine, server.url())
        with pytest.warns(ResourceWarning, match=f"an open connection to {origin};.*aclose"):
            del engine
        await until(lambda: server.open_connections == 0)

    runner(main) if runner is trio.run else runner(main())


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_an_engine_may_be_dropped_in_another_thread(server: Server) -> None:
    engines = [HttpxEngine(max_connections=1)]
    stream = await open_stream(engines[0], server.url("/stalled"))
    await stream.read(TIMEOUT)
    async with anyio.create_task_group() as tasks:

        async def read() -> None:
            with pytest.raises(ProviderConnectionError):
                await stream.read(TIMEOUT)

        tasks.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        with pytest.warns(ResourceWarning, match="an open connection"):
            await anyio.to_thread.run_sync(engines.clear)
    await until(lambda: server.open_connections == 0)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_what_a_peer_said_before_it_broke_the_connection_is_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = await running_network().dial(*listener.getsockname(), inf)
        await transport.send(b"question", inf)
        peer, _ = listener.accept()
        peer.sendall(b"no")
        peer.close()  # with something unread, which makes it a RST
        await transport.send(b"question", inf)

        assert await transport.receive(100, inf) == b"no"
        assert not transport.is_quiet
        transport.kill()


async def keep_idle(server: Server, let_pass: Callable[[float], Awaitable[None]]) -> None:
    async with aclosing(HttpxEngine(keepalive_expiry=60)) as engine:
        for _ in range(3):
            await engine.send(post(server.url()), connect=None, within=None)
            await let_pass(59)
        assert server.connections == server.open_connections == 1

        await let_pass(1)
        server.wait_until(lambda: server.open_connections == 0)


def test_idle_connections_live_as_long_as_they_are_told_to_on_asyncio(server: Server) -> None:
    async def let_pass(seconds: float) -> None:
        await asyncio.sleep(seconds)
        for _ in range(5):
            await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(keep_idle(server, let_pass))


def test_idle_connections_live_as_long_as_they_are_told_to_on_trio(server: Server) -> None:
    clock = trio.testing.MockClock()

    async def let_pass(seconds: float) -> None:
        clock.jump(seconds)
        await trio.testing.wait_all_tasks_blocked()

    trio.run(keep_idle, server, let_pass, clock=clock)


@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")  # asyncio's own
def test_a_loop_that_ends_without_closing_its_generators_leaves_no_connection(
    server: Server,
) -> None:
    engine = HttpxEngine()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(send(engine, server.url()))
    stream = loop.run_until_complete(open_stream(engine, server.url("/stalled")))
    loop.run_until_complete(stream.read(TIMEOUT))
    loop.close()
    stream.abort()

    asyncio.run(send(engine, server.url()))
    server.wait_until(lambda: server.open_connections == 0)
    del loop, stream
    gc.collect()


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("max_connections", 0, "at least 1, not 0"),
        ("max_connections", -1, "at least 1, not -1"),
        ("max_idle", -1, "at least 0, not -1"),
        ("max_response_bytes", 0, "at least 1, not 0"),
        ("max_response_bytes", -5, "at least 1, not -5"),
        ("keepalive_expiry", -0.5, "at least 0 seconds, not -0.5"),
        ("keepalive_expiry", float("nan"), "at least 0 seconds, not nan"),
        ("proxy", "socks9://me:hunter2@proxy", "proxy.example:3128"),
        ("proxy", "", "proxy.example:3128"),
    ],
)
def test_values_without_sense_are_refused(option: str, value: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{option.partition('_')[0]}.*{says}") as caught:
        HttpxEngine(**{option: value})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("max_connections", 1.5, "an int"),
        ("max_connections", "5", "an int"),
        ("max_connections", True, "an int"),
        ("max_connections", None, "an int"),
        ("max_idle", 2.0, "an int"),
        ("max_response_bytes", 1e6, "an int"),
        ("max_response_bytes", "1", "an int"),
        ("keepalive_expiry", "60", "a number of seconds"),
        ("keepalive_expiry", True, "a number of seconds"),
        ("keepalive_expiry", None, "a number of seconds"),
        ("trust_env", "no", "True or False"),
        ("allow_plain_http", "false", "True or False"),
        ("allow_plain_http", 1, "True or False"),
        ("verify", None, "True, False, a path"),
        ("verify", 0, "True, False, a path"),
        ("cert", 5, "a path"),
        ("cert", ("a.pem", None), "a path"),
        ("proxy", 5, "a str"),
        ("client", httpx.Client, "an httpx.AsyncClient"),
    ],
)
def test_options_of_another_type_are_refused(option: str, value: Any, expected: str) -> None:
    with pytest.raises(TypeError, match=f"^{option} must be .*{expected}.*, not "):
        HttpxEngine(**{option: value})


@pytest.mark.parametrize("value", [0, 0.0, 1, float("inf")])
def test_any_number_of_seconds_may_be_kept(value: float) -> None:
    HttpxEngine(keepalive_expiry=value, max_idle=0)


def test_a_certificate_is_one_to_three_paths() -> None:
    for cert in ((), ("a", "b", "c", "d")):
        with pytest.raises(ConfigurationError, match="cert"):
            HttpxEngine(cert=cert)  # type: ignore[arg-type]


@pytest.mark.skipif(find_spec("socksio") is not None, reason="socksio is installed")
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_without_its_package_socks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = "socks5://me:hunter2@127.0.0.1:1"
    with pytest.raises(ConfigurationError, match=r"httpx\[socks\]") as caught:
        HttpxEngine(proxy=proxy)
    assert "hunter2" not in str(caught.value)

    monkeypatch.setenv("ALL_PROXY", proxy)
    async with aclosing(HttpxEngine()) as engine:
        with pytest.raises(ConfigurationError, match=r"httpx\[socks\]"):
            await send(engine, "http://localhost:1/")


def test_certificate_files_have_to_exist() -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.pem"):
        HttpxEngine(verify="nowhere.pem")
    with pytest.raises(ConfigurationError, match=r"nowhere\.key"):
        HttpxEngine(cert=(__file__, "nowhere.key"))


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_certificate_files_have_to_hold_certificates() -> None:
    async with aclosing(HttpxEngine(cert=__file__)) as engine:
        with pytest.raises(ConfigurationError, match="cannot be read"):
            await send(engine, "https://localhost:1/")


def test_a_stream_may_be_dropped_after_its_loop(server: Server) -> None:
    engine = HttpxEngine()

    async def main() -> WireStream:
        stream = await open_stream(engine, server.url("/stalled"))
        await stream.read(TIMEOUT)
        return stream

    for run in (lambda: asyncio.run(main()), lambda: trio.run(main)):
        streams = [run(), run()]
        server.wait_until(lambda: server.open_connections == 0)
        streams.pop().abort()
        thread = threading.Thread(target=streams.clear)
        thread.start()
        thread.join()


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
class TestClientOfOnesOwn:
    @pytest.fixture
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(headers={"x-mine": "yes"}) as client:
            yield client

    async def test_it_sends_everything_and_stays_open(
        self, client: httpx.AsyncClient, server: Server
    ) -> None:
        async with aclosing(HttpxEngine(client=client)) as engine:
            assert (await send(engine, server.url(), b"1")).body == b"1"
            compressed = await send(engine, server.url("/compressed?how=gzip"))
            assert compressed.body == b"some text " * 1000
            stream = await open_stream(engine, server.url("/unfinished?pause=0.01"))
            await stream.read(TIMEOUT)
            await stream.aclose()

        assert server.requests[0].headers["x-mine"] == "yes"
        assert server.connections == 1
        assert not client.is_closed

    async def test_limits_hold(self, client: httpx.AsyncClient, server: Server) -> None:
        engine = HttpxEngine(client=client, max_response_bytes=100_000)
        with pytest.raises(ProviderTimeoutError) as caught:
            await engine.send(post(server.url("/silent")), connect=TIMEOUT, within=SHORT)
        assert (caught.value.limit, caught.value.sent) == (SHORT, True)

        stream = await open_stream(engine, server.url("/stalled"))
        await stream.read(TIMEOUT)
        with pytest.raises(ProviderTimeoutError) as caught:
            await stream.read(SHORT)
        assert caught.value.limit == SHORT

        with pytest.raises(ResponseTooLargeError):
            await send(engine, server.url("/endless"))
        await until(lambda: server.open_connections == 0)

    async def test_abort_closes_at_once_and_gives_the_clients_connection_back(
        self, server: Server
    ) -> None:
        limits = httpx.Limits(max_connections=1)
        timeout = httpx.Timeout(5, pool=1)
        async with httpx.AsyncClient(limits=limits, timeout=timeout) as client:
            engine = HttpxEngine(client=client)
            for _ in range(3):
                stream = await open_stream(engine, server.url("/stalled"))
                await stream.read(TIMEOUT)
                stream.abort()
                await until(lambda: server.open_connections == 0)

    async def test_a_stream_let_go_in_another_thread_gives_its_connection_back(
        self, server: Server
    ) -> None:
        limits = httpx.Limits(max_connections=1)
        timeout = httpx.Timeout(5, pool=1)
        async with httpx.AsyncClient(limits=limits, timeout=timeout) as client:
            engine = HttpxEngine(client=client)
            for _ in range(3):
                streams = [await open_stream(engine, server.url("/stalled"))]
                await streams[0].read(TIMEOUT)
                while_the_loop_sleeps(streams.clear)
                await until(lambda: server.open_connections == 0)

    async def test_failures_are_fairleads(self, client: httpx.AsyncClient, server: Server) -> None:
        engine = HttpxEngine(client=client)
        with pytest.raises(ProviderConnectionError, match="cannot connect") as caught:
            await send(engine, "http://127.0.0.1:1/")
        assert caught.value.sent is False
        with pytest.raises(CertificateError):
            await send(engine, server.url(port="https"))
        with pytest.raises(ProviderConnectionError):
            await send(engine, server.url("/short"))
        with pytest.raises(RedirectRefusedError):
            await send(engine, server.url("/redirect?to=https://example.com/"))
        with pytest.raises(InvalidResponseError):
            await send(engine, server.url("/garbage"))
        with pytest.raises(InvalidRequestError):
            await send(engine, server.url(), key="blank\n")
