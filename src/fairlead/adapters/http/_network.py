"""What the running event loop offers, whichever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sniffio

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._link import Dial


class Network(NamedTuple):
    """An event loop's clock and its way to connect."""

    loop: object
    """The loop, or what stands for it."""
    now: Callable[[], float]
    dial: Dial
    is_over: Callable[[], bool]
    """Whether the loop has ended without closing its asynchronous generators."""


def running_network() -> Network:
    """That of the event loop that the calling task runs in."""
    if sniffio.current_async_library() == "trio":
        import trio

        from ._trio import connect

        token = trio.lowlevel.current_trio_token()
        return Network(token, trio.current_time, connect, lambda: False)
    import asyncio

    from ._asyncio import connect as connect_by_asyncio

    loop = asyncio.get_running_loop()
    return Network(loop, loop.time, connect_by_asyncio, loop.is_closed)
