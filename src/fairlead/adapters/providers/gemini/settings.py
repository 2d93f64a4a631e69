"""Gemini, as settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from .._settings import KeyedSettings
from .provider import BASE_URL, GeminiProvider

if TYPE_CHECKING:
    from ....core.limits import TimeLimits
    from ...http.port import HttpEngine


class Settings(KeyedSettings):
    """Gemini's section, and its variables `GEMINI_…`."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="GEMINI_")

    api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("api_key", "GEMINI_API_KEY", "GOOGLE_API_KEY"),
        description="Your key.",
    )
    base_url: str = Field(BASE_URL, description="Another address that speaks as Gemini does.")

    @property
    def missing(self) -> str | None:
        """A key."""
        return None if self.api_key or self.pool else "api_key"


def create(
    settings: Settings, *, name: str, limits: TimeLimits, engine: HttpEngine | None
) -> GeminiProvider:
    """
    The provider that *settings* describe.

    Raises:
        ConfigurationError: They have no key, or an address or option is not usable.
    """
    return GeminiProvider(
        name=name,
        **settings.given("api_key", "model", "embedding_model", "base_url"),
        **settings.options(limits, engine),
    )
