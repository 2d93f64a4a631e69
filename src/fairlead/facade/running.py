"""Which calls are under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyio.lowlevel import current_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.calls import Call


class Running:
    """The calls of one provider that are not over, streams that are still open included."""

    def __init__(self) -> None:
        self._calls: dict[object, tuple[object, Call[Any]]] = {}

    def begin(self, call: Call[Any]) -> Callable[..., None]:
        """Count *call*, of the running event loop, until what is returned is called."""
        key = object()
        self._calls[key] = current_token(), call

        def end(*_: object) -> None:
            self._calls.pop(key, None)

        return end

    def here(self) -> list[Call[Any]]:
        """Those of the running event loop."""
        here = current_token()
        return [call for loop, call in tuple(self._calls.values()) if loop == here]

    def cut(self) -> None:
        """Leave those of the running event loop no time to ask anybody once more."""
        for call in self.here():
            call.deadline.tighten(0.0)
