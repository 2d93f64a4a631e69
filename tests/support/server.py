"""
A real HTTP server in a thread of its own, whose paths misbehave in every way that matters.

It knows HTTP only as far as the tests need it, so that it can break the rules.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import random
import socket
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import parse_qs, urlsplit

import trustme

TIMEOUT = 5.0
"""Seconds after which a test gives up on what should have happened long before."""


@dataclass(frozen=True)
class Received:
    """A request, and which of the server's connections it came over."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int
    number: int
    """How many requests had come over that connection before."""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {key: values[-1] for key, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass(eq=False)
class Peer:
    """A connection that a client has opened."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    requests: int = 0

    async def read(self) -> Received | None:
        """The next request; None if the client has hung up."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):
            return None
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, target, _ = first.split(" ")
        pairs = (line.split(":", 1) for line in lines)
        headers = {name.lower(): value.strip() for name, value in pairs}
        request = Received(method, target, headers, b"", self.number, self.requests)
        self.requests += 1
        return request if request.path in EARLY else await self.with_body(request)

    async def with_body(self, request: Received) -> Received:
        length = int(request.headers.get("content-length", 0))
        return replace(request, body=await self.reader.readexactly(length))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(
        self, body: bytes = b"", *, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        fields = {"content-length": str(len(body)), **(headers or {})}
        await self.send(head(status, fields) + body)

    async def until_gone(self) -> None:
        """Wait until the client hangs up."""
        while await self.reader.read(65_536):
            pass

    def reset(self) -> None:
        """Hang up with a RST."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


def head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


CHUNKED = head(200, {"transfer-encoding": "chunked", "content-type": "text/event-stream"})
LAST_CHUNK = b"0\r\n\r\n"

Handler = Callable[["Server", Peer, Received], Awaitable[bool | None]]
"""Answers a request; returns True if the connection is to be closed."""
HANDLERS: dict[str, Handler] = {}
EARLY: set[str] = set()
"""Paths whose handlers begin before the body of the request has been read."""


def path(name: str, *, early: bool = False) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS[name] = handler
        if early:
            EARLY.add(name)
        return handler

    return register


@path("/echo")
async def echo(server: Server, peer: Peer, request: Received) -> None:
    await peer.answer(request.body, headers={"content-type": "application/json"})


@path("/pieces")
async def pieces(server: Server, peer: Peer, request: Received) -> None:
    """Chunks that each wait until the client has got the one before."""
    await peer.send(CHUNKED)
    for number in range(int(request.query.get("n", "3"))):
        await peer.send(chunk(b"data: %d\n\n" % number))
        await asyncio.sleep(float(request.query.get("pause", "0")))
    await peer.send(LAST_CHUNK)


@path("/comments")
async def comments(server: Server, peer: Peer, request: Received) -> None:
    """Keep-alive comments and nothing else, for ever."""
    await peer.send(CHUNKED)
    with contextlib.suppress(OSError):
        while True:
            await peer.send(chunk(b": ping\n\n"))
            await asyncio.sleep(0.02)


@path("/unfinished")
async def unfinished(server: Server, peer: Peer, request: Received) -> None:
    """All that is to be said, but the end of the body only after a while, or never."""
    await peer.send(CHUNKED + chunk(b"data: [DONE]\n\n"))
    if pause := request.query.get("pause"):
        await asyncio.sleep(float(pause))
        await peer.send(LAST_CHUNK)
    else:
        await peer.until_gone()


@path("/silent")
async def silent(server: Server, peer: Peer, request: Received) -> bool:
    await peer.until_gone()
    return True


@path("/stalled")
async def stalled(server: Server, peer: Peer, request: Received) -> bool:
    """A head and a little of the body."""
    await peer.send(CHUNKED + chunk(b"data: 0\n\n"))
    await peer.until_gone()
    return True


@path("/short")
async def short(server: Server, peer: Peer, request: Received) -> bool:
    await peer.send(head(200, {"content-length": "100"}) + b"half")
    return True


@path("/unchunked")
async def unchunked(server: Server, peer: Peer, request: Received) -> bool:
    await peer.send(CHUNKED + chunk(b"half"))
    return True


@path("/reset")
async def reset(server: Server, peer: Peer, request: Received) -> bool:
    await peer.send(CHUNKED + chunk(b"data: 0\n\n"))
    await asyncio.sleep(0.02)
    peer.reset()
    return True


@path("/until-close")
async def until_close(server: Server, peer: Peer, request: Received) -> bool:
    await peer.send(head(200, {"connection": "close"}) + b"everything")
    return True


@path("/endless")
async def endless(server: Server, peer: Peer, request: Received) -> bool:
    await peer.send(CHUNKED)
    block = chunk(b"x" * 65_536)
    with contextlib.suppress(OSError):
        while True:
            server.sent += len(block)
            await peer.send(block)
    return True


@path("/compressed")
async def compressed(server: Server, peer: Peer, request: Received) -> None:
    how = request.query["how"]
    text = b"some text " * int(request.query.get("times", "1000"))
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = {
        "gzip": lambda: gzip.compress(text),
        "members": lambda: gzip.compress(text[:500]) + gzip.compress(text[500:]),
        "deflate": lambda: zlib.compress(text),
        "raw": lambda: raw.compress(text) + raw.flush(),
        "cut": lambda: gzip.compress(text)[:-20],
        "wrong": lambda: b"\x1f\x8b\x08 this is no gzip",
        "br": lambda: text,
    }[how]()
    encoding = {"members": "gzip", "raw": "deflate", "cut": "gzip", "wrong": "gzip"}.get(how, how)
    await peer.answer(body, headers={"content-encoding": encoding})


@path("/too-large", early=True)
async def too_large(server: Server, peer: Peer, request: Received) -> bool:
    """Refuse a request before its body has been read, and read no further."""
    await peer.answer(b"too large", status=413)
    while request.query["then"] == "stall" and not server.lets_go:  # noqa: ASYNC110  another thread's
        await asyncio.sleep(0.002)
    if request.query["then"] != "close":
        peer.reset()
    return True


@path("/early-head", early=True)
async def early_head(server: Server, peer: Peer, request: Received) -> None:
    """Say something at once, but read the whole body all the same."""
    await peer.send(b"HTTP/1.1 102 Processing\r\n\r\n" + CHUNKED + chunk(b"got "))
    await asyncio.sleep(0.02)
    whole = await peer.with_body(request)
    await peer.send(chunk(b"%d" % len(whole.body)) + LAST_CHUNK)


@path("/empty-members")
async def empty_members(server: Server, peer: Peer, request: Received) -> bool:
    """Compressed nothing, for ever."""
    await peer.send(head(200, {"transfer-encoding": "chunked", "content-encoding": "gzip"}))
    block = chunk(gzip.compress(b"") * 3000)
    with contextlib.suppress(OSError):
        while True:
            await peer.send(block)
    return True


@path("/answer")
async def answer(server: Server, peer: Peer, request: Received) -> None:
    """With any status and content-encoding."""
    headers = {"content-encoding": request.query["encoding"]} if "encoding" in request.query else {}
    status = int(request.query["status"])
    await peer.answer(b"" if status == 304 else b"words", status=status, headers=headers)


@path("/redirect")
async def redirect(server: Server, peer: Peer, request: Received) -> None:
    """To itself, unless it is told where."""
    status = int(request.query.get("status", "307"))
    to = request.query.get("to", request.target)
    await peer.answer(b"elsewhere", status=status, headers={"location": to})


@path("/closing")
async def closing(server: Server, peer: Peer, request: Received) -> bool:
    """Answer as if the connection stayed open, and close it."""
    await peer.answer(request.body)
    return True


@path("/only-once")
async def only_once(server: Server, peer: Peer, request: Received) -> bool | None:
    """Hang up on the second request of a connection without a word."""
    if request.number:
        return True
    return await echo(server, peer, request)


@path("/never")
async def never(server: Server, peer: Peer, request: Received) -> bool:
    return True


@path("/more-than-asked")
async def more_than_asked(server: Server, peer: Peer, request: Received) -> None:
    """An answer, and another one to a question that nobody has asked."""
    await peer.send(
        (head(200, {"content-length": "1"}) + b"1")
        + (head(200, {"content-length": "7"}) + b"unasked")
    )


@path("/garbage")
async def garbage(server: Server, peer: Peer, request: Received) -> bool:
    await peer.send(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n")
    await peer.until_gone()
    return True


@path("/continuing")
async def continuing(server: Server, peer: Peer, request: Received) -> bool:
    """Heads that announce a head, for ever."""
    with contextlib.suppress(OSError):
        while True:
            await peer.send(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)
    return True


@path("/long-head")
async def long_head(server: Server, peer: Peer, request: Received) -> bool:
    with contextlib.suppress(OSError):
        await peer.send(head(200, {"x-long": "x" * 1_000_000}))
        await peer.until_gone()
    return True


@path("/dawdle")
async def dawdle(server: Server, peer: Peer, request: Received) -> None:
    """A little of everything, so that a cancellation may meet any state."""
    await asyncio.sleep(server.random.random() * 0.003)
    await peer.send(CHUNKED)
    for _ in range(server.random.randrange(4)):
        await peer.send(chunk(b"data: 1\n\n"))
        await asyncio.sleep(server.random.random() * 0.002)
    await peer.send(LAST_CHUNK)


class Server:
    """
    Listens on ports of its own for plain HTTP, for TLS, for TLS with client certificates, as a
    proxy over plain HTTP, over TLS and by SOCKS5, and on one, `mute`, that accepts connections
    and says nothing.
    """

    def __init__(self) -> None:
        self.authority = trustme.CA()
        self.requests: list[Received] = []
        self.proxied: list[tuple[str, str, dict[str, str]]] = []
        self.random = random.Random(1)
        self.sent = 0
        self.lets_go = False
        """Whether those hang up that do not read, and so cannot see that their client has."""
        self.connections = 0
        self.open_connections = 0
        self.ports: dict[str, int] = {}
        self._numbers = itertools.count(1)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="test-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(TIMEOUT)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(TIMEOUT)

    def url(self, path: str = "/echo", *, port: str = "http") -> str:
        scheme = "http" if port == "http" else "https"
        return f"{scheme}://127.0.0.1:{self.ports[port]}{path}"

    def reset_counts(self) -> None:
        self.lets_go = True
        self.wait_until(lambda: self.open_connections == 0)
        self.lets_go = False
        self.requests.clear()
        self.proxied.clear()
        self.connections = self.sent = 0

    def wait_until(self, condition: Callable[[], bool], seconds: float = TIMEOUT) -> None:
        """For what happens in the server's thread; not for long, and not in an event loop."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.002)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(lambda *_: None)
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        plain, tls, mutual = None, self._tls(), self._tls()
        mutual.verify_mode = ssl.CERT_REQUIRED
        self.authority.configure_trust(mutual)
        listeners = [
            ("http", self._talk, plain),
            ("https", self._talk, tls),
            ("mutual", self._talk, mutual),
            ("proxy", self._pass_on, plain),
            ("tls-proxy", self._pass_on, self._tls()),
            ("socks", self._tunnel, plain),
            ("mute", self._say_nothing, plain),
        ]
        async with contextlib.AsyncExitStack() as stack:
            for name, talk, context in listeners:
                listener = await asyncio.start_server(
                    self._accepting(talk), "127.0.0.1", 0, ssl=context, backlog=2048
                )
                await stack.enter_async_context(listener)
                self.ports[name] = listener.sockets[0].getsockname()[1]
            self._ready.set()
            await self._stop.wait()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("127.0.0.1").configure_cert(context)
        return context

    def _accepting(
        self, talk: Callable[[Peer], Awaitable[None]]
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        async def accepted(peer: Peer) -> None:
            self.connections += 1
            self.open_connections += 1
            try:
                await talk(peer)
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                peer.writer.close()
                with contextlib.suppress(OSError, asyncio.CancelledError):
                    await peer.writer.wait_closed()
                self.open_connections -= 1

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # A task of our own: the one that asyncio makes complains when it is cancelled.
            task = self._loop.create_task(accepted(Peer(next(self._numbers), reader, writer)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return accept

    async def _talk(self, peer: Peer) -> None:
        while request := await peer.read():
            self.requests.append(request)
            if await HANDLERS[request.path](self, peer, request):
                return

    async def _say_nothing(self, peer: Peer) -> None:
        await peer.until_gone()

    async def _pass_on(self, peer: Peer) -> None:
        """Be a proxy: a tunnel for CONNECT, else send on what names a whole address."""
        request = await peer.read()
        if request is None:
            return
        self.proxied.append((request.method, request.target, request.headers))
        if request.method == "CONNECT":
            if request.target.startswith("localhost:"):
                await peer.answer(b"no", status=403)
                return
            host, _, port = request.target.rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            await peer.send(head(200, {}))
        else:
            address = urlsplit(request.target)
            assert address.hostname
            assert address.port
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            fields = {k: v for k, v in request.headers.items() if not k.startswith("proxy-")}
            line = f"{request.method} {address.path} HTTP/1.1"
            lines = [line, *(f"{k}: {v}" for k, v in fields.items()), "", ""]
            writer.write("\r\n".join(lines).encode() + request.body)
        await _join(peer, reader, writer)

    async def _tunnel(self, peer: Peer) -> None:
        """Be a SOCKS5 proxy that asks for a user name and password, and for IPv4 addresses."""
        methods = (await peer.reader.readexactly(2))[1]
        assert 2 in await peer.reader.readexactly(methods)
        await peer.send(b"\x05\x02")
        fields = []
        await peer.reader.readexactly(1)
        for _ in range(2):
            (length,) = await peer.reader.readexactly(1)
            fields.append((await peer.reader.readexactly(length)).decode())
        await peer.send(b"\x01\x00")
        assert await peer.reader.readexactly(4) == b"\x05\x01\x00\x01"
        host = socket.inet_ntoa(await peer.reader.readexactly(4))
        port = int.from_bytes(await peer.reader.readexactly(2), "big")
        self.proxied.append(("SOCKS", f"{host}:{port}", {"login": ":".join(fields)}))
        reader, writer = await asyncio.open_connection(host, port)
        await peer.send(b"\x05\x00\x00\x01" + bytes(6))
        await _join(peer, reader, writer)


async def _join(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await asyncio.gather(_copy(peer.reader, writer), _copy(reader, peer.writer))
    finally:
        writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
