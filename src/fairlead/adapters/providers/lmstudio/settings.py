"""LM Studio, as settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from .._settings import HttpSettings
from .provider import LMStudioProvider

if TYPE_CHECKING:
    from ....core.limits import TimeLimits
    from ...http.port import HttpEngine


class Settings(HttpSettings):
    """LM Studio's section. Naming its endpoint says that it is there to be asked."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="LM_STUDIO_")

    endpoint: str | None = Field(
        None,
        validation_alias=AliasChoices(
            "endpoint", "base_url", "LM_STUDIO_ENDPOINT", "LMSTUDIO_BASE_URL"
        ),
        description="The server's address; http://127.0.0.1:1234 if none is named.",
    )
    model: str | None = Field(
        None,
        validation_alias=AliasChoices(
            "model", "default_model", "LM_STUDIO_MODEL", "LMSTUDIO_MODEL"
        ),
        description="The model's key.",
    )
    api_token: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("api_token", "api_key", "LM_API_TOKEN"),
        description="The server's token, if it wants one.",
    )
    available: bool | None = Field(
        None,
        validation_alias=AliasChoices(
            "available",
            "FAIRLEAD_RESOURCE_LMSTUDIO_AVAILABLE",
            "DEVSYNTH_RESOURCE_LMSTUDIO_AVAILABLE",
        ),
        description="Whether it is there to be asked; as the endpoint says, if this does not.",
    )

    @property
    def is_declared(self) -> bool:
        """Whether its endpoint has been named, or it is said to be there."""
        return self.endpoint is not None if self.available is None else self.available


def create(
    settings: Settings, *, name: str, limits: TimeLimits, engine: HttpEngine | None
) -> LMStudioProvider:
    """
    The provider that *settings* describe.

    Raises:
        ConfigurationError: The endpoint is not usable.
    """
    return LMStudioProvider(
        name=name,
        **settings.given("model", "endpoint", "api_token", "embedding_model"),
        **settings.options(limits, engine),
    )
