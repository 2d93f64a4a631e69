"""Which calls are under way."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

from anyio.lowlevel import current_token

from ..core.refusals import RefusedError

if TYPE_CHECKING:
    from ..core.calls import Scope
    from ..core.streams import GenerationStream


class Running:
    """The calls of one provider that are not over, streams that are still open included."""

    def __init__(self) -> None:
        self._calls: set[RunningCall] = set()

    def begin(self, scope: Scope) -> RunningCall:
        """Count a call of the running event loop, inside *scope*, until its `end`."""
        call = RunningCall(self._calls, scope)
        self._calls.add(call)
        return call

    def here(self) -> list[RunningCall]:
        """Those of the running event loop."""
        here = current_token()
        return [call for call in tuple(self._calls) if call.loop == here]

    def cut(self) -> None:
        """End those of the running event loop: the provider is closed."""
        for call in self.here():
            call.cut()


class RunningCall:
    """One of them."""

    __slots__ = ("_all", "_stream", "is_cut", "loop", "scope")

    def __init__(self, calls: set[RunningCall], scope: Scope) -> None:
        self._all = calls
        self._stream: ref[GenerationStream] | None = None  # it ends where its reader drops it
        self.loop: object = current_token()
        self.scope: Scope = scope
        self.is_cut: bool = False

    def cut(self) -> None:
        """Let it fail: as the call that it is, or as the stream that came of it."""
        self.is_cut = True
        if self._stream is None:
            self.scope.cancel()
        elif (stream := self._stream()) is not None:
            stream.interrupt(closed())

    def opened(self, stream: GenerationStream) -> None:
        """It goes on as *stream*."""
        self._stream = ref(stream)
        stream.on_close(self.end)
        if self.is_cut:
            stream.interrupt(closed())

    def end(self, _: object = None) -> None:
        """It is over."""
        self._all.discard(self)


def closed() -> RefusedError:
    """The error of a call that is under way when its provider is closed."""
    return RefusedError("the provider was closed while this call was running")
