"""Starts nginx and the streaming server, on a core that the clients leave alone."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.payloads import ANSWER, CHUNKS, HEADERS, opening, rest

NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr crit;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 100000000;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        {headers}
        location /json/ {{
            default_type application/json;
            return 200 '{answer}';
        }}
        location /burst/ {{
            error_page 405 =200 /burst.sse;  # nginx serves files to GET alone
            return 405;
        }}
        location = /burst.sse {{
            root {folder};
            types {{ text/event-stream sse; }}
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Addresses:
    nginx: str
    streams: str
    streams_tls: str
    authority: str


class MissingServerError(Exception):
    """nginx is not on this machine."""


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Addresses]:
    """Both servers, until the block is left."""
    with contextlib.ExitStack() as stack:
        nginx = stack.enter_context(nginx_running(folder))
        process = stack.enter_context(
            started(
                [sys.executable, "-m", "tests.benchmarks.streaming_server", str(folder)],
                stdout=subprocess.PIPE,
            )
        )
        assert process.stdout
        plain, secure = json.loads(process.stdout.readline())
        yield Addresses(
            nginx=nginx,
            streams=f"http://127.0.0.1:{plain}",
            streams_tls=f"https://localhost:{secure}",
            authority=str(folder / "authority.pem"),
        )


@contextlib.contextmanager
def nginx_running(folder: Path) -> Iterator[str]:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None:
        msg = "nginx is not installed: apt-get install nginx-light, or brew install nginx"
        raise MissingServerError(msg)
    port = free_port()
    (folder / "burst.sse").write_bytes(b"".join([*opening(), *rest(CHUNKS)]))
    headers = "\n".join(f"add_header {name} '{value}' always;" for name, value in HEADERS.items())
    (folder / "nginx.conf").write_text(
        NGINX.format(folder=folder, port=port, headers=headers, answer=ANSWER)
    )
    command = [program, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with started(command) as process:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            if process.poll() is not None:
                msg = f"nginx exits {process.returncode}"
                raise RuntimeError(msg)
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def started(command: list[str], **options: int) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, preexec_fn=use_server_core, **options) as process:
        try:
            yield process
        finally:
            process.terminate()


def use_server_core() -> None:
    if cores := two_cores():
        os.sched_setaffinity(0, {cores[1]})


def use_client_core() -> None:
    if cores := two_cores():
        os.sched_setaffinity(0, {cores[0]})


def two_cores() -> list[int]:
    """The cores of client and servers; none where processes cannot be pinned."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    cores = sorted(os.sched_getaffinity(0))
    return cores[:2] if len(cores) > 1 else []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
