"""
The pytest plugin: `pytest_plugins = ["fairlead.testing.plugin"]` in a `conftest.py`.

Async tests are run by anyio: mark them with `pytest.mark.anyio`. Those marked with
`pytest.mark.virtual_time` as well run in time that jumps, on asyncio and on trio.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Generator
from functools import wraps
from inspect import iscoroutinefunction
from ipaddress import ip_address
from typing import Any, cast

import anyio
import pytest

from .scripted import ScriptedProvider
from .virtual_time import BACKENDS, CENTURY, DeadlockError, virtual_time_backend

_KEYS = re.compile(r"_API_KEY$|^(FAIRLEAD|OPENAI|LM_?STUDIO|GEMINI|VERTEX|OLLAMA|VLLM)_")


class NetworkBlockedError(AssertionError):
    """A test wanted to talk to something beyond this machine."""


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the marker."""
    config.addinivalue_line(
        "markers", "virtual_time: run the async test in time that jumps when nothing is ready"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give tests in virtual time their event loops, each test its own clock."""
    marked = metafunc.definition.get_closest_marker("virtual_time") is not None
    if marked and "anyio_backend" in metafunc.fixturenames:
        backends = [pytest.param(virtual_time_backend(name), id=name) for name in BACKENDS]
        metafunc.definition.add_marker(pytest.mark.parametrize("anyio_backend", backends))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """End tests in virtual time that wait for ever; on asyncio the loop itself does."""
    backend: Any = pyfuncitem.funcargs.get("anyio_backend")
    if (
        backend is not None
        and backend[0] == "trio"
        and pyfuncitem.get_closest_marker("virtual_time") is not None
        and iscoroutinefunction(pyfuncitem.obj)
    ):
        pyfuncitem.obj = _ending(pyfuncitem.obj)
    return (yield)


def _ending(test: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(test)
    async def ending(*args: Any, **kwargs: Any) -> None:
        with anyio.move_on_after(CENTURY) as scope:
            await test(*args, **kwargs)
        if scope.cancelled_caught:
            msg = "all tasks have waited for a hundred virtual years"
            raise DeadlockError(msg)

    return ending


@pytest.fixture
def scripted() -> Generator[Callable[..., ScriptedProvider], None, None]:
    """
    Makes a `ScriptedProvider`.

    Fails the test if a list of answers was not played to its end, or a stream was left open.
    """
    made: list[ScriptedProvider] = []

    def make(script: Any, **options: Any) -> ScriptedProvider:
        made.append(ScriptedProvider(script, **options))
        return made[-1]

    yield make
    for provider in made:
        assert not provider.left, f"{provider.left} answers of the script were never asked for"
        assert not provider.open_streams, f"{provider.open_streams} streams were left open"


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the keys and addresses of real providers that `os.environ` may hold."""
    for name in [name for name in os.environ if _KEYS.search(name)]:
        monkeypatch.delenv(name)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Generator[None, None, None]:
    """
    Fail the test if it opens a connection to, or asks a name server for, another machine.

    Even if what it tests swallows the `NetworkBlockedError`.
    """
    blocked: list[str] = []

    def guarded(real: Callable[..., Any], place: int) -> Callable[..., Any]:
        @wraps(real)
        def guard(*args: Any, **kwargs: Any) -> Any:
            address = args[place] if len(args) > place else kwargs.get("host")
            if not _is_here(address, is_path=place == 1):
                blocked.append(str(address))
                msg = f"a test must not talk to {address}"
                raise NetworkBlockedError(msg)
            return real(*args, **kwargs)

        return guard

    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect, 1))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex, 1))
    monkeypatch.setattr(socket, "getaddrinfo", guarded(socket.getaddrinfo, 0))
    yield
    assert not blocked, f"the test wanted to talk to {', '.join(blocked)}"


def _is_here(address: Any, *, is_path: bool) -> bool:
    """Whether *address* is on this machine; a bare string may be the path of a local socket."""
    if isinstance(address, (str, bytes)) and is_path:
        return True
    host: Any = cast("Any", address)[0] if isinstance(address, tuple) else address
    if host in {None, "", b"", "localhost", b"localhost"}:
        return True
    try:
        found = ip_address(host.decode() if isinstance(host, bytes) else host)
    except ValueError:
        return False
    return found.is_loopback or found.is_unspecified
