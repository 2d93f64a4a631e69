"""What every policy is: a provider around a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ..core.adapt import Node, adapt
from ..core.provider import Closable, Funnel
from ._tasks import loop_clock

if TYPE_CHECKING:
    from types import TracebackType

    from ..core.calls import Call, Clock, T
    from ..core.messages import Prompt
    from ..core.models import ModelInfo
    from ..core.plans import Plan
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.results import TokenCount


class Decorator(Funnel):
    """
    Wraps a provider. Does nothing on its own; a policy overrides `handle`.

    Whoever is wrapped belongs to its wrapper: `aclose()` closes it too.
    """

    @staticmethod
    def clock() -> Clock:
        """The running loop's clock."""
        return loop_clock()

    def __init__(self, inner: ProviderPort | LooseProvider, /) -> None:
        self._inner = adapt(inner)

    @property
    def inner(self) -> Node:
        """What it wraps."""
        return self._inner

    @property
    def name(self) -> str:
        """The wrapped provider's name."""
        return self._inner.name

    @property
    def model(self) -> ModelInfo:
        """The wrapped provider's model."""
        return self._inner.model

    def count_tokens(self, text: str | Prompt) -> TokenCount:
        """The wrapped provider's count."""
        return self._inner.count_tokens(text)

    def plan(self, call: Call[Any]) -> Plan:
        """The wrapped provider's plan."""
        return self._inner.plan(call)

    async def handle(self, call: Call[T]) -> T:
        """Pass *call* on."""
        return await call.on(self._inner)

    async def aclose(self) -> None:
        """Close what it wraps. Idempotent."""
        if isinstance(self._inner, Closable):
            await self._inner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
