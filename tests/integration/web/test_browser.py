"""Browsers that read streams, and leave: FastAPI, uvicorn and a vendor, over sockets."""

import contextlib
import gc

import anyio
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from fairlead import OpenAICompatibleProvider, default_pipeline
from fairlead.services.web import to_sse
from tests.support.answers import Answer, event, failure, script, streamed
from tests.support.asgi import Browser, serving
from tests.support.server import CHUNKED, chunk, path

SOON = 1.0
"""Seconds within which the vendor has to see that nobody listens any more."""


@path("/flood/chat/completions")
async def flood(server, peer, request):
    """More than any buffer holds."""
    await peer.send(CHUNKED)
    piece = chunk(event("word " * 2000))
    with contextlib.suppress(OSError):
        while True:
            server.sent += len(piece)
            await peer.send(piece)
    return True


class ClosingResponse(StreamingResponse):
    """Closes its body however it ends."""

    async def __call__(self, scope, receive, send):
        async with self.body_iterator:
            await super().__call__(scope, receive, send)


def application(base_url, response=StreamingResponse, **options):
    """It streams what a vendor says."""

    @contextlib.asynccontextmanager
    async def lifespan(app):
        adapter = OpenAICompatibleProvider(base_url=base_url, model="test")
        async with default_pipeline(adapter, max_retries=0) as app.state.provider:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/ask")
    async def ask():
        body = to_sse(app.state.provider.generate_stream("hi"), **options)
        return response(body, media_type=body.media_type, headers=body.headers)

    return app


@pytest.fixture
def port(server):
    with serving(application(server.url("/v1"))) as port:
        yield port


def stopped(server):
    server.wait_until(lambda: server.requests and server.open_connections == 0, SOON)


def test_a_browser_reads_it_to_its_end(port, server):
    script(streamed("Ah", "oy."))
    with Browser(port, "/ask") as browser:
        head, _, body = browser.read_until(b"event: done").partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200")
    assert b"content-type: text/event-stream" in head
    assert b"cache-control: no-cache" in head
    assert b"x-accel-buffering: no" in head
    assert body.index(b'data: {"text":"Ah"}\n\n') < body.index(b'data: {"text":"oy."}\n\n')
    assert server.open_connections == 1  # kept for the next


def test_a_browser_that_leaves_stops_the_vendor(port, server):
    script(Answer([event("Ah")], ending="stall"))
    with Browser(port, "/ask") as browser:
        browser.read_until(b"Ah")
        assert server.open_connections == 1

    stopped(server)


def test_even_before_the_first_word(port, server):
    script(Answer([], ending="stall"))
    with Browser(port, "/ask") as browser:
        browser.read_until(b"text/event-stream")
        server.wait_until(lambda: server.open_connections == 1)

    stopped(server)


def test_a_browser_that_does_not_read_slows_the_vendor_down_and_stops_it_when_it_leaves(server):
    with (
        serving(application(server.url("/flood"))) as port,
        Browser(port, "/ask", buffer=4096) as browser,
    ):
        browser.read_until(b"word")
        sent = -1
        while sent != server.sent:
            sent = server.sent
            anyio.run(anyio.sleep, 0.2)
        assert sent < 64 * 1024 * 1024
        browser.leave()
        stopped(server)


def test_one_browser_that_leaves_does_not_disturb_another(port, server):
    script(Answer([event("Ah"), event("oy.")], pause=0.2, ending="stall"))
    with Browser(port, "/ask") as one, Browser(port, "/ask") as other:
        one.read_until(b"Ah")
        one.leave()
        other.read_until(b"oy.")
        server.wait_until(lambda: server.open_connections == 1, SOON)


def test_comments_keep_the_connection_alive(server):
    script(Answer([], ending="stall"))
    with serving(application(server.url("/v1"), keep_alive=0.05)) as port:
        with Browser(port, "/ask") as browser:
            browser.read_until(b": keep-alive\n\n")
            assert browser.read_until(b": keep-alive").count(b"data:") == 0
        stopped(server)


def test_an_error_is_an_event(port, server):
    script(failure(429, "slow down, sk-secret", retry_after="7"))
    with Browser(port, "/ask") as browser:
        told = browser.read_until(b"event: error\n")
        told = browser.read_until(b"}\n\n")

    assert b'data: {"status":429,"message":"Too Many Requests","retry_after":7.0}' in told
    assert b"sk-secret" not in told


def test_middleware_between_does_not_hide_that_the_browser_left(server):
    app = application(server.url("/v1"))

    @app.middleware("http")
    async def passing(request, call_next):
        return await call_next(request)

    script(Answer([event("Ah")], ending="stall"))
    with serving(app) as port:
        with Browser(port, "/ask") as browser:
            browser.read_until(b"Ah")
        stopped(server)


@pytest.mark.anyio
@pytest.mark.parametrize("response", [StreamingResponse, ClosingResponse])
async def test_servers_that_tell_of_it_when_something_is_sent(server, response):
    """As ASGI allows since 2.4, instead of a message that somebody has to wait for."""
    script(Answer([event("Ah")], ending="stall"))
    app = application(server.url("/v1"), response, keep_alive=0.05)
    bodies = []

    async def receive():
        await anyio.sleep_forever()

    async def send(message):
        if b"keep-alive" in message.get("body", b""):
            raise OSError
        bodies.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "GET",
        "path": "/ask",
        "query_string": b"",
        "headers": [],
    }
    async with app.router.lifespan_context(app):
        with contextlib.suppress(OSError, ClientDisconnect):
            await app(scope, receive, send)
            pytest.fail("it went on")
        assert len(bodies) == 2
        if response is StreamingResponse:
            gc.collect()  # it is left behind in the traceback of what was raised
        with anyio.fail_after(SOON):
            while server.open_connections:  # noqa: ASYNC110 - another thread's
                await anyio.sleep(0.005)
