"""A real ASGI server for the application of a test, and a browser that can leave."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Self

import uvicorn


@contextlib.contextmanager
def serving(app: object) -> Iterator[int]:
    """Serve *app* in a thread of its own; gives the port."""
    config = uvicorn.Config(
        app, port=0, loop="asyncio", http="h11", log_config=None, timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="uvicorn", daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


class Browser:
    """Asks for one page and reads what comes."""

    def __init__(self, port: int, target: str, *, buffer: int | None = None) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(10)
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
        self.received = b""

    def read_until(self, what: bytes) -> bytes:
        """Everything up to *what*, which has to come."""
        while what not in self.received:
            data = self.socket.recv(65_536)
            assert data, f"the server hung up: {self.received!r}"
            self.received += data
        return self.received

    def leave(self) -> None:
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()
