"""Several providers, asked by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.closing import Closing
from ..core.errors import ConfigurationError
from .closing import close_all
from .opening import open_provider

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..core.results import Generation
    from ..core.usage import Usage
    from .provider import Provider


class ProviderManager(Closing):
    """
    Holds one provider for each name, and answers with text and usage.

    ::

        async with ProviderManager(["openai", "offline"]) as manager:
            text, usage = await manager.get_response("offline", "Summarise this.", source)

    Args:
        providers: Names, as `open_provider` takes them. All are built at once and none is asked;
            each answers for itself, without a fallback.

    Raises:
        ConfigurationError: One cannot be built.
        TypeError: *providers* is a single string.
    """

    def __init__(self, providers: Iterable[str]) -> None:
        if isinstance(providers, str):
            msg = f"ProviderManager takes a list of names: [{providers!r}]"
            raise TypeError(msg)
        self._providers = {name: open_provider(name, fallback=False) for name in providers}

    @property
    def providers(self) -> tuple[Provider, ...]:
        """What was built, in order."""
        return tuple(self._providers.values())

    async def get_response(
        self, provider: str, prompt: str, source: str = "", model_name: str | None = None
    ) -> tuple[Generation, Usage | None]:
        """
        Ask one of the providers.

        Args:
            provider: Its name.
            prompt: What to do.
            source: The text to do it with, which follows the prompt after an empty line.
            model_name: Who is to answer, if not the provider's own model.

        Returns:
            The answer, which is a `str`, and what it consumed, None if nobody told.

        Raises:
            ConfigurationError: There is no provider of that name.
            ProviderError: It could not answer.
        """
        found = self._providers.get(provider)
        if found is None:
            names = ", ".join(self._providers) or "none"
            msg = f"this manager has no provider {provider!r}; it was given {names}"
            raise ConfigurationError(msg)
        asked = f"{prompt}\n\n{source}" if source else prompt
        answer = await found.generate(asked, model=model_name)
        return answer, answer.usage

    async def aclose(self) -> None:
        """Close the providers. Idempotent."""
        await close_all(self._providers.values())
