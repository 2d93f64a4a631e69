"""Events that are known beforehand, played in time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, TypeAlias

import anyio
from anyio.lowlevel import checkpoint

from ...core.errors import ProviderConnectionError, ProviderTimeoutError
from ...core.events import StreamEvent

if TYPE_CHECKING:
    from ...core.calls import Deadline


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence, in seconds of the event loop's clock. By default it never ends."""

    seconds: float = inf


Step: TypeAlias = StreamEvent | Pause | Exception
"""An event, silence, or a failure."""


class PlayedEvents:
    """
    Plays *steps*, one event per read.

    Steps that end without a `StreamEnd` are a stream that was cut.

    Args:
        steps: Asked for one at a time.
        deadline: Cuts the pauses until the stream has been opened; take it away then.
        closed: Is called once, when nothing more will be read.
    """

    __slots__ = ("_closed", "_given", "_steps", "_waiting", "deadline")

    def __init__(
        self,
        steps: Iterable[Step],
        *,
        deadline: Deadline | None = None,
        closed: Callable[[], None] | None = None,
    ) -> None:
        self._steps = iter(steps)
        self._closed = closed or _nothing
        self._given = deadline.remaining() if deadline is not None else None
        self._waiting: anyio.CancelScope | None = None
        self.deadline = deadline

    async def read(self) -> Sequence[StreamEvent]:
        """The next event; see `EventSource`."""
        await checkpoint()
        for step in self._steps:
            if isinstance(step, Pause):
                await self._wait(step.seconds)
            elif isinstance(step, Exception):
                raise step
            else:
                return (step,)
        return ()

    def abort(self) -> None:
        """Play nothing more, and wake whoever waits for it."""
        self._steps = iter(())
        closed, self._closed = self._closed, _nothing
        closed()
        if self._waiting is not None:
            self._waiting.cancel()

    async def aclose(self) -> None:
        """As `abort()`."""
        self.abort()

    async def _wait(self, seconds: float) -> None:
        left = self.deadline.remaining() if self.deadline is not None else None
        within = seconds if left is None else min(left, seconds)
        with anyio.CancelScope() as self._waiting:
            await anyio.sleep(within)
        woken, self._waiting = self._waiting.cancelled_caught, None
        if woken:
            msg = "the stream was closed while it was being read"
            raise ProviderConnectionError(msg)
        if within < seconds:
            msg = f"no answer in time: {self._given:g} s"
            raise ProviderTimeoutError(msg, limit=self._given, sent=True)


def _nothing() -> None: ...
