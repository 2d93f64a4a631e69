"""
A server for streams that nginx cannot shape; `python -m tests.benchmarks.streaming_server DIR`.

The first part of a path says how events arrive:

    /each/...       a thousand, as fast as they go, each an HTTP chunk of its own
    /paced/...      one every five milliseconds
    /open/...       one word, then silence until the client leaves
    /gather-N/...   one word; the rest when N streams of this kind are open

It writes its authority's certificate to DIR, and the ports of http and https to its output.
"""

import asyncio
import contextlib
import json
import ssl
import sys
from pathlib import Path

import trustme

from tests.benchmarks.payloads import CHUNKS, HEADERS, opening, rest

PACE = 0.005
PACED = 200
GATHERED = 10
HEAD = "\r\n".join(
    [
        "HTTP/1.1 200 OK",
        "content-type: text/event-stream; charset=utf-8",
        "transfer-encoding: chunked",
        *(f"{name}: {value}" for name, value in HEADERS.items()),
        "\r\n",
    ]
).encode()


def chunked(events: list[bytes]) -> list[bytes]:
    return [b"%x\r\n%b\r\n" % (len(event), event) for event in events]


OPENING = chunked(opening())
END = b"0\r\n\r\n"
EACH = HEAD + b"".join([*OPENING, *chunked(rest(CHUNKS)), END])


class Gathering:
    """Waits until enough streams are open, and then lets all of them go on."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Event] = []

    async def join(self, size: int) -> None:
        go = asyncio.Event()
        self._waiting.append(go)
        if len(self._waiting) >= size:
            waiting, self._waiting = self._waiting, []
            for one in waiting:
                one.set()
        await go.wait()


async def answer(
    path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gathering: Gathering
) -> None:
    kind = path.split("/")[1]
    if kind == "each":
        writer.write(EACH)
    else:
        writer.write(HEAD + b"".join(OPENING))
        if kind == "paced":
            for chunk in chunked(rest(PACED)):
                await asyncio.sleep(PACE)
                writer.write(chunk)
        elif kind == "open":
            await reader.read(1)
            return
        else:
            await gathering.join(int(kind.removeprefix("gather-")))
            writer.write(b"".join(chunked(rest(GATHERED))))
        writer.write(END)
    await writer.drain()


async def serve(folder: Path) -> None:
    gathering = Gathering()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = int(head.partition("content-length:")[2].split(maxsplit=1)[0])
                await reader.readexactly(length)
                await answer(head.split(maxsplit=2)[1], reader, writer, gathering)
        writer.close()

    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)
    plain = await asyncio.start_server(converse, "127.0.0.1", backlog=4096)
    secure = await asyncio.start_server(converse, "127.0.0.1", ssl=tls, backlog=4096)
    ports = [server.sockets[0].getsockname()[1] for server in (plain, secure)]
    print(json.dumps(ports), flush=True)
    await asyncio.gather(plain.serve_forever(), secure.serve_forever())


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
