"""What holds connections or the like, and how it gives them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    from types import TracebackType


@runtime_checkable
class Closable(Protocol):
    """Something that holds connections or the like."""

    async def aclose(self) -> None:
        """Close it. Idempotent."""
        ...


class Closing:
    """
    Closes itself at the end of an `async with`.

    No abstract class, as whether an object is one of those costs more to find out.
    """

    __slots__ = ()

    async def aclose(self) -> None:
        """Close it. Idempotent."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
