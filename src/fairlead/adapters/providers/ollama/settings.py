"""Ollama, as settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from ....core.errors import ConfigurationError
from .._settings import HttpSettings
from .provider import OllamaProvider

if TYPE_CHECKING:
    from ....core.limits import TimeLimits
    from ...http.port import HttpEngine


class Settings(HttpSettings):
    """Ollama's section, and its variables `OLLAMA_…`."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="OLLAMA_")

    endpoint: str | None = Field(
        None,
        validation_alias=AliasChoices("endpoint", "base_url", "OLLAMA_ENDPOINT", "OLLAMA_HOST"),
        description="The server's address; http://127.0.0.1:11434 if none is named.",
    )
    api_key: SecretStr | None = Field(None, description="A key, for Ollama's cloud.")
    context_window: int | None = Field(
        None,
        validation_alias=AliasChoices("context_window", "context_size", "num_ctx"),
        gt=0,
        description="Tokens that prompt and answer may have together; 8192 if nothing is said.",
    )

    @property
    def missing(self) -> str | None:
        """The model, which has been pulled."""
        return None if self.model else "model"


def create(
    settings: Settings, *, name: str, limits: TimeLimits, engine: HttpEngine | None
) -> OllamaProvider:
    """
    The provider that *settings* describe.

    Raises:
        ConfigurationError: They name no model, or the address is not usable.
    """
    if settings.model is None:
        msg = f"the provider {name!r} cannot be asked: it has no {settings.missing}"
        raise ConfigurationError(msg)
    return OllamaProvider(
        name=name,
        model=settings.model,
        **settings.given("endpoint", "api_key", "embedding_model", "context_window"),
        **settings.options(limits, engine),
    )
