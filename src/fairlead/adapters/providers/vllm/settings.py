"""vLLM, as settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from ....core.errors import ConfigurationError
from .._settings import HttpSettings
from .provider import VLLMProvider

if TYPE_CHECKING:
    from ....core.limits import TimeLimits
    from ...http.port import HttpEngine


class Settings(HttpSettings):
    """vLLM's section, and its variables `VLLM_…`."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="VLLM_")

    base_url: str | None = Field(
        None, description="The server's address; http://localhost:8000/v1 if none is named."
    )
    api_key: SecretStr | None = Field(
        None, description="The server's key, if it was started with one."
    )

    @property
    def missing(self) -> str | None:
        """The model that the server was started with."""
        return None if self.model else "model"


def create(
    settings: Settings, *, name: str, limits: TimeLimits, engine: HttpEngine | None
) -> VLLMProvider:
    """
    The provider that *settings* describe.

    Raises:
        ConfigurationError: They name no model, or the address is not usable.
    """
    if settings.model is None:
        msg = f"the provider {name!r} cannot be asked: it has no {settings.missing}"
        raise ConfigurationError(msg)
    return VLLMProvider(
        name=name,
        model=settings.model,
        **settings.given("base_url", "api_key", "embedding_model"),
        **settings.options(limits, engine),
    )
