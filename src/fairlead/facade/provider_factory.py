"""Builds providers by their type's name, anew with each call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .opening import open_provider

if TYPE_CHECKING:
    from .provider import Provider


class ProviderFactory:
    """
    Builds a provider each time it is asked; `get_provider` shares one instead.

    Both methods take what `open_provider` takes besides. Whoever asked for a provider closes it.
    """

    @staticmethod
    def create(
        provider_type: str | None = None,
        model: str | None = None,
        use_fallback: bool = True,  # noqa: FBT001, FBT002  the order is well known
        **options: Any,
    ) -> Provider:
        """
        A new provider.

        Args:
            provider_type: `vendor`, `vendor:model` or the name of a section.
            model: The model that answers unless a call names another. Fallbacks keep their own.
            use_fallback: Whether the settings' further providers are asked when the first
                cannot answer.
            options: As for `open_provider`.

        Raises:
            ConfigurationError: It cannot be built; nothing has been contacted.
        """
        options.setdefault("fallback", use_fallback)
        return open_provider(provider_type, model=model, **options)

    @staticmethod
    def create_provider(provider_type: str | None = None, **options: Any) -> Provider:
        """A new provider that asks no other; otherwise as `create`."""
        return ProviderFactory.create(provider_type, use_fallback=False, **options)


def create_provider(provider_type: str | None = None, **options: Any) -> Provider:
    """See `ProviderFactory.create_provider`."""
    return ProviderFactory.create_provider(provider_type, **options)
