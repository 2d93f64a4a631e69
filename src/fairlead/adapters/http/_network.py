"""What the running event loop offers, whichever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import sniffio

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._link import Dial


class Network(Protocol):
    """An event loop: its clock, its way to connect, and the way back into it."""

    @property
    def loop(self) -> object:
        """The loop, or what stands for it."""
        ...

    @property
    def now(self) -> Callable[[], float]:
        """The loop's clock."""
        ...

    @property
    def dial(self) -> Dial: ...

    @property
    def is_over(self) -> bool:
        """Whether the loop has ended without closing its asynchronous generators."""
        ...

    def run_in_loop(self, callback: Callable[..., object], *args: Any) -> None:
        """
        Run what touches the loop, from any thread: garbage is collected in all of them.

        At once where no other thread runs the loop, so also when it has ended; else soon.

        Args:
            callback: Raises nothing.
            *args: Its arguments.
        """
        ...

    def call_at(self, when: float, callback: Callable[[], object]) -> Callable[[], object]:
        """Run what raises nothing at a time of the clock, if the loop lives; returns the cancel."""
        ...


def running_loop() -> object:
    """The event loop that the calling task runs in, or what stands for it."""
    if sniffio.current_async_library() == "trio":
        import trio

        return trio.lowlevel.current_trio_token()
    import asyncio

    return asyncio.get_running_loop()


def running_network() -> Network:
    """That of the event loop that the calling task runs in."""
    if sniffio.current_async_library() == "trio":
        from ._trio import TrioNetwork

        return TrioNetwork()
    from ._asyncio import AsyncioNetwork

    return AsyncioNetwork()
