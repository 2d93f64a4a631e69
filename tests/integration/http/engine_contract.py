"""What every HTTP engine has to do, against a real server. One subclass for each engine."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import tracemalloc
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest
import trio
from anyio.lowlevel import checkpoint

from fairlead.adapters.http.port import HttpEngine, WireStream
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
from fairlead.core.refusals import RateLimitExceededError
from fairlead.core.verdicts import Retry
from fairlead.wire.http import WireRequest, WireResponse
from tests.support.server import TIMEOUT, Server

SECRET = "sk-very-secret"
SHORT = 0.1
"""Seconds until a limit strikes, where a test waits for one."""


def post(url: str, body: bytes = b"{}", **headers: str) -> WireRequest:
    return WireRequest(url=url, headers={"authorization": f"Bearer {SECRET}", **headers}, body=body)


async def send(engine: HttpEngine, url: str, body: bytes = b"{}", **headers: str) -> WireResponse:
    return await engine.send(post(url, body, **headers), connect=TIMEOUT, within=TIMEOUT)


async def open_stream(engine: HttpEngine, url: str) -> WireStream:
    return await engine.stream(post(url), connect=TIMEOUT, within=TIMEOUT)


async def read_all(stream: WireStream) -> bytes:
    pieces = []
    while piece := await stream.read(TIMEOUT):
        pieces.append(piece)
    return b"".join(pieces)


async def until(condition: Any, seconds: float = 1.0) -> None:
    """Wait for what happens in the server's thread."""
    with anyio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110  another thread has no event to set
            await anyio.sleep(0.002)


def while_the_loop_sleeps(callback: Callable[[], object]) -> None:
    """Call it in another thread, and soon, but with nothing else to wake the loop."""
    threading.Timer(0.02, callback).start()


@pytest.mark.anyio
class EngineContract:
    """Override `make_engine`, and `backends` where an engine does not run under trio."""

    backends: ClassVar[tuple[str, ...]] = ("asyncio", "trio")

    def make_engine(self, **options: Any) -> HttpEngine:
        raise NotImplementedError

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request: pytest.FixtureRequest) -> str:
        if request.param not in self.backends:
            pytest.skip(f"not for {request.param}")
        return str(request.param)

    @pytest.fixture
    def authority(self, server: Server, tmp_path: Path) -> str:
        """The file of the certificate authority that the server's certificate is from."""
        file = tmp_path / "authority.pem"
        server.authority.cert_pem.write_to_path(str(file))
        return str(file)

    # Requests and responses

    async def test_a_response_is_what_the_server_sent(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            response = await send(engine, server.url(), b'{"a": 1}')

        assert response.status == 200
        assert response.body == b'{"a": 1}'
        assert response.headers["content-type"] == "application/json"

    async def test_a_request_arrives_as_it_was_given(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            await send(engine, server.url("/echo?a=b%20c"), b"body", **{"X-Mine": "yes"})

        (request,) = server.requests
        assert (request.method, request.target, request.body) == ("POST", "/echo?a=b%20c", b"body")
        assert request.headers["x-mine"] == "yes"
        assert request.headers["authorization"] == f"Bearer {SECRET}"
        assert request.headers["content-length"] == "4"
        assert request.headers["host"] == f"127.0.0.1:{server.ports['http']}"

    async def test_a_get_has_no_body(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            request = WireRequest(method="GET", url=server.url())
            await engine.send(request, connect=TIMEOUT, within=TIMEOUT)

        assert server.requests[0].method == "GET"
        assert "content-length" not in server.requests[0].headers

    async def test_a_body_of_megabytes_goes_both_ways(self, server: Server) -> None:
        body = b"0123456789" * 500_000
        async with aclosing(self.make_engine()) as engine:
            response = await send(engine, server.url(), body)

        assert response.body == body

    async def test_a_body_may_end_with_its_connection(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            assert (await send(engine, server.url("/until-close"))).body == b"everything"

    async def test_an_error_status_is_a_response(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            target = "/redirect?status=400&to=nowhere"
            assert (await send(engine, server.url(target))).status == 400

    async def test_a_header_that_http_cannot_carry_is_refused_without_quoting_it(
        self, server: Server
    ) -> None:
        async with aclosing(self.make_engine()) as engine:
            for value in (f"{SECRET}\n", f"\u201c{SECRET}\u201d"):
                with pytest.raises(InvalidRequestError) as caught:
                    await send(engine, server.url(), key=value)

                chain = [caught.value, caught.value.__cause__, caught.value.__context__]
                assert SECRET not in repr(chain)
                assert caught.value.sent is False

    # Streams

    async def test_a_stream_yields_its_body_and_then_nothing(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            stream = await open_stream(engine, server.url("/pieces"))

            assert stream.status == 200
            assert stream.headers["content-type"] == "text/event-stream"
            assert await read_all(stream) == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
            assert await stream.read(TIMEOUT) == b""
            await stream.aclose()
            await stream.aclose()
            stream.abort()

    async def test_a_piece_is_there_before_the_next_is_sent(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            stream = await open_stream(engine, server.url("/stalled"))
            assert await stream.read(TIMEOUT) == b"data: 0\n\n"
            stream.abort()

    async def test_a_slow_reader_makes_the_server_wait(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            stream = await open_stream(engine, server.url("/endless"))
            await stream.read(TIMEOUT)
            sent = -1
            while sent != server.sent:
                sent = server.sent
                await anyio.sleep(0.05)
            assert sent < 20_000_000  # the system's own buffers are of some megabytes

            read = 0
            while read < 2 * sent:
                read += len(await stream.read(TIMEOUT))
            stream.abort()

    async def test_abort_closes_at_once(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            for read_before in (False, True):
                stream = await open_stream(engine, server.url("/stalled"))
                if read_before:
                    await stream.read(TIMEOUT)
                stream.abort()
                stream.abort()
                await until(lambda: server.open_connections == 0)

                with pytest.raises(ProviderConnectionError):
                    await stream.read(TIMEOUT)

    async def test_a_dropped_stream_closes_at_once(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            stream = await open_stream(engine, server.url("/stalled"))
            await stream.read(TIMEOUT)
            del stream

            await until(lambda: server.open_connections == 0)

    async def test_abort_from_another_task_ends_a_waiting_read(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            stream = await open_stream(engine, server.url("/stalled"))
            await stream.read(TIMEOUT)
            async with anyio.create_task_group() as tasks:

                async def abort() -> None:
                    await anyio.sleep(0.01)
                    stream.abort()

                tasks.start_soon(abort)
                with pytest.raises(ProviderConnectionError) as caught:
                    await stream.read(TIMEOUT)

            assert not isinstance(caught.value, ProviderTimeoutError)
            await until(lambda: server.open_connections == 0)

    @pytest.mark.parametrize("how", ["drop", "collect", "abort"])
    async def test_a_stream_let_go_in_another_thread_frees_its_connection(
        self, server: Server, how: str
    ) -> None:
        """Garbage is collected in whatever thread happens to allocate."""
        async with aclosing(self.make_engine(max_connections=1)) as engine:
            streams = [await open_stream(engine, server.url("/stalled"))]
            await streams[0].read(TIMEOUT)

            def let_go() -> None:
                stream = streams.pop()
                if how == "abort":
                    stream.abort()
                elif how == "collect":
                    cycle: list[object] = [stream]
                    cycle.append(cycle)
                    del stream, cycle
                    gc.collect()

            async def wait_for_turn() -> None:
                await engine.send(post(server.url()), connect=None, within=None)

            with anyio.fail_after(TIMEOUT):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(wait_for_turn)
                    await anyio.wait_all_tasks_blocked()
                    while_the_loop_sleeps(let_go)

    async def test_a_stream_aborted_in_another_thread_ends_a_waiting_read(
        self, server: Server
    ) -> None:
        async with aclosing(self.make_engine()) as engine:
            stream = await open_stream(engine, server.url("/stalled"))
            await stream.read(TIMEOUT)
            while_the_loop_sleeps(stream.abort)
            with anyio.fail_after(TIMEOUT), pytest.raises(ProviderConnectionError) as caught:
                await stream.read(None)

            assert not isinstance(caught.value, ProviderTimeoutError)
            await until(lambda: server.open_connections == 0)

    async def test_a_cancelled_read_closes_at_once(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            stream = await open_stream(engine, server.url("/stalled"))
            await stream.read(TIMEOUT)
            with anyio.move_on_after(0.01):
                await stream.read(TIMEOUT)

            await until(lambda: server.open_connections == 0)
            with pytest.raises(ProviderConnectionError):
                await stream.read(TIMEOUT)

    # Connections

    async def test_a_connection_is_used_again(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            for _ in range(3):
                await send(engine, server.url())
                await read_all(await open_stream(engine, server.url("/pieces")))

        assert server.connections == 1

    async def test_closing_a_stream_keeps_its_connection_if_only_the_end_is_missing(
        self, server: Server
    ) -> None:
        async with aclosing(self.make_engine()) as engine:
            for _ in range(3):
                stream = await open_stream(engine, server.url("/unfinished?pause=0.02"))
                await stream.read(TIMEOUT)
                await stream.aclose()

        assert server.connections == 1

    async def test_closing_a_stream_does_not_wait_long_for_its_end(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            stream = await open_stream(engine, server.url("/unfinished"))
            await stream.read(TIMEOUT)
            started = time.monotonic()
            await stream.aclose()

            assert time.monotonic() - started < 0.5
            await until(lambda: server.open_connections == 0)

    async def test_a_connection_that_was_closed_while_idle_is_replaced(
        self, server: Server
    ) -> None:
        async with aclosing(self.make_engine()) as engine:
            for _ in range(20):
                assert (await send(engine, server.url("/closing"), b"1")).body == b"1"

        assert len(server.requests) == 20

    async def test_a_request_that_met_a_closed_connection_is_sent_again_once(
        self, server: Server
    ) -> None:
        async with aclosing(self.make_engine()) as engine:
            await send(engine, server.url("/only-once"), b"1")
            assert (await send(engine, server.url("/only-once"), b"2")).body == b"2"
            assert [request.body for request in server.requests] == [b"1", b"2", b"2"]

            with pytest.raises(ProviderConnectionError) as caught:
                await send(engine, server.url("/never"), b"3")

        assert caught.value.sent is True
        assert [request.body for request in server.requests[3:]] == [b"3", b"3"]

    async def test_it_is_sent_again_over_a_fresh_connection(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(send, engine, server.url("/only-once"))
            await send(engine, server.url("/only-once"), b"again")

        assert [request.body for request in server.requests[3:]] == [b"again", b"again"]

    async def test_a_request_over_a_fresh_connection_is_not_sent_again(
        self, server: Server
    ) -> None:
        async with aclosing(self.make_engine()) as engine:
            with pytest.raises(ProviderConnectionError):
                await send(engine, server.url("/never"))

        assert len(server.requests) == 1

    async def test_a_response_that_came_before_its_request_is_not_believed(
        self, server: Server
    ) -> None:
        async with aclosing(self.make_engine()) as engine:
            await send(engine, server.url("/more-than-asked"))
            assert (await send(engine, server.url(), b"mine")).body == b"mine"

    async def test_a_thousand_calls_at_once(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine, anyio.create_task_group() as tasks:
            answers = []

            async def call(number: int) -> None:
                response = await engine.send(
                    post(server.url(), b"%d" % number), connect=30, within=30
                )
                answers.append(int(response.body))

            for number in range(1000):
                tasks.start_soon(call, number)

        assert sorted(answers) == list(range(1000))

    async def test_no_more_connections_than_allowed_and_first_come_first_served(
        self, server: Server
    ) -> None:
        async with aclosing(self.make_engine(max_connections=2)) as engine:
            order = []

            async def call(number: int) -> None:
                await send(engine, server.url(), b"%d" % number)
                order.append(number)

            streams = [await open_stream(engine, server.url("/stalled")) for _ in range(2)]
            async with anyio.create_task_group() as tasks:
                for number in range(5):
                    tasks.start_soon(call, number)
                    await checkpoint()
                await anyio.sleep(0.02)
                assert server.connections == 2
                assert order == []
                streams[0].abort()
            streams[1].abort()

        assert order == [0, 1, 2, 3, 4]

    async def test_a_cancelled_waiter_takes_nothing(self, server: Server) -> None:
        async with aclosing(self.make_engine(max_connections=1)) as engine:
            stream = await open_stream(engine, server.url("/stalled"))
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(send, engine, server.url())
                await anyio.sleep(0.01)
                tasks.cancel_scope.cancel()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(send, engine, server.url())
                await anyio.sleep(0.01)
                stream.abort()  # and the waiter is cancelled together with its turn
                tasks.cancel_scope.cancel()

            assert (await send(engine, server.url(), b"free")).body == b"free"

    async def test_waiting_for_a_connection_is_within_the_limit(self, server: Server) -> None:
        async with aclosing(self.make_engine(max_connections=1)) as engine:
            stream = await open_stream(engine, server.url("/stalled"))
            with pytest.raises(RateLimitExceededError, match="in use") as caught:
                await engine.send(post(server.url()), connect=TIMEOUT, within=SHORT)
            stream.abort()

        assert caught.value.sent is False
        assert not caught.value.verdict.counts

    async def test_an_idle_connection_makes_room_for_another_origin(self, server: Server) -> None:
        async with aclosing(self.make_engine(max_connections=1)) as engine:
            await send(engine, server.url())
            other = server.url().replace("127.0.0.1", "localhost")
            assert (await send(engine, other, b"1")).body == b"1"
            await until(lambda: server.open_connections == 1)

    async def test_idle_connections_are_closed_when_their_time_is_over(
        self, server: Server
    ) -> None:
        async with aclosing(self.make_engine(keepalive_expiry=SHORT)) as engine:
            for _ in range(2):
                async with anyio.create_task_group() as tasks:
                    for pause in (0, 0.01):  # the second is idle a little later
                        tasks.start_soon(send, engine, server.url(f"/pieces?pause={pause}"))
                await until(lambda: server.open_connections == 0)

        assert server.connections == 4

    async def test_aclose_closes_everything_and_may_be_repeated(self, server: Server) -> None:
        engine = self.make_engine()
        await send(engine, server.url())
        stream = await open_stream(engine, server.url("/stalled"))
        await engine.aclose()
        await engine.aclose()

        await until(lambda: server.open_connections == 0)
        with pytest.raises(ProviderConnectionError):
            await read_all(stream)

    def test_several_event_loops_one_after_the_other(self, server: Server) -> None:
        engine = self.make_engine()

        async def call() -> bytes:
            return (await send(engine, server.url(), b"1")).body

        for _ in range(3):
            assert asyncio.run(call()) == b"1"
            if "trio" in self.backends:
                assert trio.run(call) == b"1"
            server.wait_until(lambda: server.open_connections == 0)

    # Time

    async def test_connecting_has_its_limit(self, server: Server) -> None:
        async with aclosing(self.make_engine(verify=False)) as engine:
            with pytest.raises(ProviderTimeoutError, match="no connection") as caught:
                await engine.send(post(server.url(port="mute")), connect=SHORT, within=TIMEOUT)

            assert (caught.value.limit, caught.value.sent) == (SHORT, False)
            await until(lambda: server.open_connections == 0)

    async def test_the_head_of_a_response_has_its_limit(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            for method in (engine.send, engine.stream):
                with pytest.raises(ProviderTimeoutError) as caught:
                    await method(post(server.url("/silent")), connect=TIMEOUT, within=SHORT)

                assert (caught.value.limit, caught.value.sent) == (SHORT, True)
                await until(lambda: server.open_connections == 0)

    async def test_a_whole_response_has_one_limit(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            with pytest.raises(ProviderTimeoutError) as caught:
                await engine.send(post(server.url("/comments")), connect=TIMEOUT, within=SHORT)

            assert caught.value.limit == SHORT
            await until(lambda: server.open_connections == 0)

    async def test_each_read_has_a_limit_of_its_own(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            stream = await open_stream(engine, server.url("/stalled"))
            await stream.read(TIMEOUT)
            started = time.monotonic()
            with pytest.raises(ProviderTimeoutError) as caught:
                await stream.read(SHORT)
            waited = time.monotonic() - started

            assert SHORT <= waited < SHORT + 0.5
            assert (caught.value.limit, caught.value.sent) == (SHORT, True)
            await until(lambda: server.open_connections == 0)

    async def test_a_longer_limit_after_a_shorter_one_holds(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            stream = await open_stream(engine, server.url("/pieces?n=5&pause=0.06"))
            for within in (TIMEOUT, 0.1, TIMEOUT, None):
                assert await stream.read(within)
            stream.abort()

    # Answers that come before the request has been sent

    @pytest.mark.parametrize("then", ["stall", "close", "reset"])
    @pytest.mark.parametrize("port", ["http", "https"])
    async def test_a_server_may_refuse_what_it_has_not_read(
        self, server: Server, port: str, then: str
    ) -> None:
        async with aclosing(self.make_engine(verify=False)) as engine:
            url = server.url(f"/too-large?then={then}", port=port)
            for _ in range(3):
                response = await send(engine, url, bytes(20_000_000))
                assert (response.status, response.body) == (413, b"too large")
            assert server.connections == 3

    @pytest.mark.parametrize("port", ["http", "https"])
    async def test_an_early_answer_does_not_cut_the_request(
        self, server: Server, port: str
    ) -> None:
        async with aclosing(self.make_engine(verify=False)) as engine:
            url = server.url("/early-head", port=port)
            for _ in range(2):
                assert (await send(engine, url, bytes(20_000_000))).body == b"got 20000000"

        assert server.connections == 1

    # What servers do wrong

    @pytest.mark.parametrize("path", ["/short", "/unchunked", "/reset"])
    async def test_a_body_that_is_cut_is_an_error(self, server: Server, path: str) -> None:
        async with aclosing(self.make_engine()) as engine:
            with pytest.raises(ProviderConnectionError) as caught:
                await send(engine, server.url(path))
            assert caught.value.sent is True

            with pytest.raises(ProviderConnectionError):
                await read_all(await open_stream(engine, server.url(path)))

            await until(lambda: server.open_connections == 0)

    @pytest.mark.parametrize("path", ["/garbage", "/long-head"])
    async def test_what_is_no_http_is_an_error(self, server: Server, path: str) -> None:
        async with aclosing(self.make_engine()) as engine:
            with pytest.raises(InvalidResponseError):
                await send(engine, server.url(path))

            await until(lambda: server.open_connections == 0)

    async def test_nobody_listens(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            with pytest.raises(ProviderConnectionError, match=r"127\.0\.0\.1:1\b") as caught:
                await send(engine, "http://127.0.0.1:1/")

        assert caught.value.sent is False
        assert SECRET not in str(caught.value)

    async def test_a_response_without_end_is_refused(self, server: Server) -> None:
        async with aclosing(self.make_engine(max_response_bytes=1_000_000)) as engine:
            with pytest.raises(ResponseTooLargeError):
                await send(engine, server.url("/endless"))
            with pytest.raises(ResponseTooLargeError):
                await read_all(await open_stream(engine, server.url("/endless")))

            await until(lambda: server.open_connections == 0)

    # Compression

    @pytest.mark.parametrize("how", ["gzip", "members", "deflate", "raw"])
    async def test_compressed_responses_are_undone(self, server: Server, how: str) -> None:
        async with aclosing(self.make_engine()) as engine:
            url = server.url(f"/compressed?how={how}&times=100000")
            assert (await send(engine, url)).body == b"some text " * 100_000

        assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"

    async def test_a_bomb_is_refused(self, server: Server) -> None:
        async with aclosing(self.make_engine(max_response_bytes=1_000_000)) as engine:
            bomb = post(server.url("/compressed?how=gzip&times=3000000"))
            stream = await engine.stream(bomb, connect=TIMEOUT, within=TIMEOUT)
            tracemalloc.start()
            try:
                with pytest.raises(ResponseTooLargeError):
                    await read_all(stream)
                assert tracemalloc.get_traced_memory()[1] < 5_000_000
            finally:
                tracemalloc.stop()

    async def test_compressed_nothing_without_end_is_refused(self, server: Server) -> None:
        async with aclosing(self.make_engine(max_response_bytes=1_000_000)) as engine:
            with pytest.raises(ResponseTooLargeError):
                await send(engine, server.url("/empty-members"))

    @pytest.mark.parametrize("status", [401, 429, 500])
    async def test_an_error_that_cannot_be_read_is_still_that_error(
        self, server: Server, status: int
    ) -> None:
        async with aclosing(self.make_engine()) as engine:
            url = server.url(f"/answer?status={status}&encoding=br")
            response = await send(engine, url)
            assert (response.status, response.body) == (status, b"")
            stream = await open_stream(engine, url)
            assert (stream.status, await read_all(stream)) == (status, b"")

        assert server.connections == 1

    async def test_compression_that_nobody_asked_for_is_an_error(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            with pytest.raises(InvalidResponseError, match="br"):
                await send(engine, server.url("/compressed?how=br"))

            await until(lambda: server.open_connections == 0)

    async def test_what_is_not_compressed_as_it_says_is_an_error(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            with pytest.raises(InvalidResponseError):
                await send(engine, server.url("/compressed?how=wrong"))
            with pytest.raises(ProviderConnectionError):
                await send(engine, server.url("/compressed?how=cut"))

    # Redirects

    async def test_a_redirect_within_the_origin_keeps_method_and_body(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            response = await send(engine, server.url("/redirect?status=308&to=/echo"), b"body")

        assert response.body == b"body"
        assert [request.method for request in server.requests] == ["POST", "POST"]

    async def test_a_redirect_to_another_origin_is_refused(self, server: Server) -> None:
        elsewhere = server.url().replace("127.0.0.1", "localhost")
        async with aclosing(self.make_engine()) as engine:
            with pytest.raises(RedirectRefusedError, match="localhost") as caught:
                await send(engine, server.url(f"/redirect?to={elsewhere}?key={SECRET}"))

            await until(lambda: server.open_connections == 0)
        assert SECRET not in str(caught.value)
        assert len(server.requests) == 1

    @pytest.mark.parametrize("status", [301, 302, 303])
    async def test_a_redirect_that_would_lose_the_body_is_refused(
        self, server: Server, status: int
    ) -> None:
        async with aclosing(self.make_engine()) as engine:
            with pytest.raises(RedirectRefusedError, match="base URL"):
                await send(engine, server.url(f"/redirect?status={status}&to=/echo"))

    @pytest.mark.parametrize("status", [300, 302, 304, 307, 399])
    async def test_a_redirect_to_nowhere_is_refused(self, server: Server, status: int) -> None:
        async with aclosing(self.make_engine()) as engine:
            for method in (engine.send, engine.stream):
                request = post(server.url(f"/answer?status={status}&encoding=br"))
                with pytest.raises(RedirectRefusedError, match="base URL") as caught:
                    await method(request, connect=TIMEOUT, within=TIMEOUT)

                assert caught.value.status_code == status
                assert caught.value.verdict.retry is Retry.NEVER
                assert caught.value.verdict.misconfigured

    async def test_redirects_without_end_are_refused(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            with pytest.raises(RedirectRefusedError, match="more than 5"):
                await send(engine, server.url("/redirect"))

    # TLS

    async def test_certificates_are_verified(self, server: Server, authority: str) -> None:
        async with aclosing(self.make_engine()) as engine:
            with pytest.raises(CertificateError, match="cannot be verified") as caught:
                await send(engine, server.url(port="https"))
            assert caught.value.sent is False

            await until(lambda: server.open_connections == 0)
        async with aclosing(self.make_engine(verify=authority)) as engine:
            for _ in range(2):
                response = await send(engine, server.url(port="https"), b"x" * 300_000)
                assert response.body == b"x" * 300_000
        assert server.connections == 1
        async with aclosing(self.make_engine(verify=False)) as engine:
            assert (await send(engine, server.url(port="https"))).status == 200

    async def test_a_certificate_for_another_name_is_refused(
        self, server: Server, authority: str
    ) -> None:
        url = server.url(port="https").replace("127.0.0.1", "localhost")
        async with aclosing(self.make_engine(verify=authority)) as engine:
            with pytest.raises(CertificateError):
                await send(engine, url)

    async def test_streams_over_tls(self, server: Server, authority: str) -> None:
        async with aclosing(self.make_engine(verify=authority)) as engine:
            stream = await open_stream(engine, server.url("/pieces", port="https"))
            assert await read_all(stream) == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
            stream = await open_stream(engine, server.url("/stalled", port="https"))
            await stream.read(TIMEOUT)
            with pytest.raises(ProviderTimeoutError):
                await stream.read(SHORT)

            await until(lambda: server.open_connections == 0)

    async def test_a_stale_connection_is_replaced_over_tls(
        self, server: Server, authority: str
    ) -> None:
        async with aclosing(self.make_engine(verify=authority)) as engine:
            for _ in range(2):
                assert (await send(engine, server.url("/only-once", port="https"))).status == 200

        assert len(server.requests) == 3

    async def test_a_client_certificate_is_shown(
        self, server: Server, authority: str, tmp_path: Path
    ) -> None:
        file = tmp_path / "client.pem"
        server.authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(
            str(file)
        )
        url = server.url(port="mutual")
        async with aclosing(self.make_engine(verify=authority, cert=str(file))) as engine:
            assert (await send(engine, url)).status == 200
        async with aclosing(self.make_engine(verify=authority)) as engine:
            with pytest.raises(ProviderConnectionError):
                await send(engine, url)

    async def test_https_to_a_port_without_tls(self, server: Server) -> None:
        async with aclosing(self.make_engine()) as engine:
            url = server.url("/garbage", port="http").replace("http:", "https:")
            with pytest.raises(ProviderConnectionError):
                await engine.send(post(url), connect=SHORT, within=TIMEOUT)

    # Proxies

    async def test_the_environments_proxies_are_used(
        self, server: Server, authority: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        proxy = f"http://user:pass@127.0.0.1:{server.ports['proxy']}"
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        async with aclosing(self.make_engine(verify=authority)) as engine:
            assert (await send(engine, server.url(), b"1")).body == b"1"
            for _ in range(2):
                assert (await send(engine, server.url(port="https"), b"2")).body == b"2"

        plain, tunnel = server.proxied
        assert plain[:2] == ("POST", server.url())
        assert tunnel[:2] == ("CONNECT", f"127.0.0.1:{server.ports['https']}")
        assert plain[2]["proxy-authorization"] == tunnel[2]["proxy-authorization"]
        assert "authorization" not in tunnel[2]
        assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"

    async def test_a_proxy_may_be_reached_over_tls(self, server: Server, authority: str) -> None:
        proxy = f"https://user:pass@127.0.0.1:{server.ports['tls-proxy']}"
        async with aclosing(self.make_engine(proxy=proxy, verify=authority)) as engine:
            assert (await send(engine, server.url(), b"1")).body == b"1"
            for _ in range(2):
                answer = await send(engine, server.url(port="https"), b"2" * 300_000)
                assert answer.body == b"2" * 300_000

        assert [method for method, *_ in server.proxied] == ["POST", "CONNECT"]
        async with aclosing(self.make_engine(proxy=proxy)) as engine:
            with pytest.raises(CertificateError):
                await send(engine, server.url(port="https"))

    @pytest.mark.parametrize("port", ["http", "https"])
    async def test_a_proxy_may_speak_socks(self, server: Server, authority: str, port: str) -> None:
        pytest.importorskip("socksio")
        proxy = f"socks5://user:pass@127.0.0.1:{server.ports['socks']}"
        async with aclosing(self.make_engine(proxy=proxy, verify=authority)) as engine:
            for _ in range(2):
                assert (await send(engine, server.url(port=port), b"1")).body == b"1"

        address = f"127.0.0.1:{server.ports[port]}"
        assert server.proxied == [("SOCKS", address, {"login": "user:pass"})]

    async def test_no_proxy_is_heeded(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
        for variable, trust_env in (("127.0.0.0/8", True), ("", False)):
            monkeypatch.setenv("NO_PROXY", variable)
            async with aclosing(self.make_engine(trust_env=trust_env)) as engine:
                assert (await send(engine, server.url(), b"1")).body == b"1"

    async def test_a_proxy_may_be_given(self, server: Server, authority: str) -> None:
        proxy = f"http://127.0.0.1:{server.ports['proxy']}"
        async with aclosing(self.make_engine(proxy=proxy, verify=authority)) as engine:
            assert (await send(engine, server.url(port="https"), b"1")).body == b"1"
            assert len(server.proxied) == 1

            refused = server.url(port="https").replace("127.0.0.1", "localhost")
            with pytest.raises(ProviderConnectionError, match="proxy") as caught:
                await send(engine, refused)

        assert caught.value.sent is False

    # Addresses

    @pytest.mark.parametrize(
        "url", ["http://api.example.com/v1", "api.example.com/v1", "ftp://127.0.0.1/", "https:///"]
    )
    async def test_addresses_of_no_use_are_refused(self, url: str) -> None:
        async with aclosing(self.make_engine()) as engine:
            with pytest.raises(ConfigurationError):
                await send(engine, url)
