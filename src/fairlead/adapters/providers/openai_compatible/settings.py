"""A server that speaks Chat Completions, as settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from ....core.errors import ConfigurationError
from ....core.models import ModelInfo
from .._settings import KeyedSettings
from .provider import OpenAICompatibleProvider

if TYPE_CHECKING:
    from ....core.limits import TimeLimits
    from ...http.port import HttpEngine


class Settings(KeyedSettings):
    """The server's section."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="OPENAI_COMPATIBLE_")

    base_url: str | None = Field(None, description="The server's address.")
    api_key: SecretStr | None = Field(None, description="A key, if the server wants one.")
    headers: dict[str, str] = Field({}, description="More headers for every request.")
    context_window: int | None = Field(
        None,
        validation_alias=AliasChoices("context_window", "context_size"),
        gt=0,
        description="Tokens that prompt and answer may have together.",
    )

    @property
    def missing(self) -> str | None:
        """An address, or a model."""
        if self.base_url is None:
            return "base_url"
        return None if self.model else "model"


def create(
    settings: Settings, *, name: str, limits: TimeLimits, engine: HttpEngine | None
) -> OpenAICompatibleProvider:
    """
    The provider that *settings* describe.

    Raises:
        ConfigurationError: They have no address or no model, or one is not usable.
    """
    if settings.missing is not None:
        msg = f"the provider {name!r} cannot be asked: it has no {settings.missing}"
        raise ConfigurationError(msg)
    info = ModelInfo(
        name=settings.model,
        context_window=settings.context_window,
        embedding_model=settings.embedding_model,
    )
    return OpenAICompatibleProvider(
        name=name,
        info=info,
        **settings.given("base_url", "model", "api_key", "headers"),
        **settings.options(limits, engine),
    )
