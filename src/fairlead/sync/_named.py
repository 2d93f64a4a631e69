"""Providers by their names, for synchronous callers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ._loop import background_loop
from ._provider import SyncProvider

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from ..core.results import Generation
    from ..core.usage import Usage


class ProviderFactory:
    """Builds a provider each time it is asked; see `fairlead.ProviderFactory`."""

    @staticmethod
    def create(
        provider_type: str | None = None,
        model: str | None = None,
        use_fallback: bool = True,  # noqa: FBT001, FBT002 - as in the facade
        **options: Any,
    ) -> SyncProvider:
        """
        A new provider; whoever asked for it closes it.

        Raises:
            ConfigurationError: It cannot be built; nothing has been contacted.
        """
        from .. import facade

        made = facade.ProviderFactory.create(provider_type, model, use_fallback, **options)
        return SyncProvider(made)

    @staticmethod
    def create_provider(provider_type: str | None = None, **options: Any) -> SyncProvider:
        """A new provider that asks no other; otherwise as `create`."""
        return ProviderFactory.create(provider_type, use_fallback=False, **options)


class ProviderManager:
    """
    Holds one provider for each name; see `fairlead.ProviderManager`.

    ::

        with ProviderManager(["openai", "offline"]) as manager:
            text, usage = manager.get_response("offline", "Summarise this.", source)

    Raises:
        ConfigurationError: One cannot be built.
        TypeError: *providers* is a single string.
    """

    def __init__(self, providers: Iterable[str]) -> None:
        from .. import facade

        self._manager = facade.ProviderManager(providers)

    @property
    def providers(self) -> tuple[SyncProvider, ...]:
        """What was built, in order."""
        return tuple(map(SyncProvider, self._manager.providers))

    def get_response(
        self, provider: str, prompt: str, source: str = "", model_name: str | None = None
    ) -> tuple[Generation, Usage | None]:
        """Text and usage of the provider called *provider*; see `fairlead.ProviderManager`."""
        manager = self._manager
        return background_loop().run(
            lambda: manager.get_response(provider, prompt, source, model_name)
        )

    def close(self) -> None:
        """Close the providers. Idempotent."""
        background_loop().run(self._manager.aclose)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
