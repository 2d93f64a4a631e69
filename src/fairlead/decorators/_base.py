"""What every policy is: a provider around a provider."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from ..core.adapt import Node, adapt
from ..core.bounds import UNKNOWN, bounds_of
from ..core.closing import Closable, Closing
from ..core.provider import Funnel
from ..core.requests import EmbedRequest
from ._tasks import loop_clock, scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.bounds import Bounds
    from ..core.calls import Call, Clock, Operation, Scopes, T
    from ..core.messages import Prompt
    from ..core.models import ModelInfo
    from ..core.plans import Plan
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.results import TokenCount


class Policy(Closing, Funnel):
    """What all policies have: the running loop's time, and an end in common with what is inside."""

    OPTIONS: ClassVar[Mapping[str, object]] = {}
    """What `repr` tells of, with the values that go without saying."""
    scope: Scopes = staticmethod(scope)

    @property
    @abstractmethod
    def name(self) -> str:
        """What stands in results and errors."""

    @property
    @abstractmethod
    def model(self) -> ModelInfo:
        """What is known of the model that answers unless a call names another."""

    @staticmethod
    def clock() -> Clock:
        """The running loop's clock."""
        return loop_clock()

    def _built_of(self, inside: object) -> str:
        """How it was built, round *inside*."""
        told = {name: getattr(self, f"_{name}") for name in self.OPTIONS}
        options = [f"{name}={told[name]!r}" for name in told if told[name] != self.OPTIONS[name]]
        return f"{type(self).__name__}({', '.join([repr(inside), *options])})"

    def _model_of(self, call: Call[Any]) -> str | None:
        """The model that would answer *call*, however the call spells it."""
        request = call.request
        asked = request.model
        if asked is None:
            own = self.model
            return own.embedding_model if isinstance(request, EmbedRequest) else own.name
        for separator in ":/":
            asked = asked.removeprefix(self.name + separator)
        return asked

    @abstractmethod
    async def aclose(self) -> None:
        """Close what is inside. Idempotent."""


class Decorator(Policy):
    """
    Wraps a provider. Does nothing on its own; a policy overrides `handle`.

    Whoever is wrapped belongs to its wrapper: `aclose()` closes it too.
    """

    def __init__(self, inner: ProviderPort | LooseProvider, /) -> None:
        self._inner = adapt(inner)

    def __repr__(self) -> str:
        return self._built_of(self._inner)

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

    def bounds(self, operation: Operation) -> Bounds:
        """
        What a call comes to at worst; see `fairlead.core.bounds`.

        That of what it wraps, if it passes calls on as they are; unknown of a policy with a
        `handle` of its own that does not tell.
        """
        if type(self).handle is not Decorator.handle:
            return UNKNOWN
        return bounds_of(self._inner, operation)

    async def aclose(self) -> None:
        """Close what it wraps. Idempotent."""
        if isinstance(self._inner, Closable):
            await self._inner.aclose()
