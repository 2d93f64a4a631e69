from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import httpx
import pytest
import respx
import trio

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
from tests.integration.http.cancellation_contract import CancellationContract
from tests.integration.http.engine_contract import (
    SHORT,
    EngineContract,
    open_stream,
    post,
    send,
    until,
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

        assert response.body == b'{"a":1}'
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


def test_an_engine_that_is_dropped_closes_its_connections_and_warns(server: Server) -> None:
    async def main() -> None:
        engine = HttpxEngine()
        await send(engine, server.url())
        with pytest.warns(ResourceWarning, match="1 open connection"):
            del engine
        await until(lambda: server.open_connections == 0)

    asyncio.run(main())
    trio.run(main)


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


def test_no_connection_at_all_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        HttpxEngine(max_connections=0)


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
        stream = run()
        server.wait_until(lambda: server.open_connections == 0)
        stream.abort()
        del stream


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
