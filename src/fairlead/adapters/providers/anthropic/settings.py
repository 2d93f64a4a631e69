"""Anthropic, as settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from ....wire.anthropic import CURRENT
from .._settings import KeyedSettings
from .provider import BASE_URL, AnthropicProvider

if TYPE_CHECKING:
    from ....core.limits import TimeLimits
    from ...http.port import HttpEngine


class Settings(KeyedSettings):
    """Anthropic's section, and its variables `ANTHROPIC_…`."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="ANTHROPIC_")

    auth_token: SecretStr | None = Field(
        None, description="A bearer's token, where there is no key."
    )
    base_url: str = Field(BASE_URL, description="Another address that speaks as Anthropic does.")
    version: str = Field(
        CURRENT, description="Of the API; with 2023-06-01 older models take `temperature`."
    )
    betas: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        None, description="What is asked to be switched on, as `anthropic-beta` names it."
    )

    @property
    def missing(self) -> str | None:
        """A key, or a token."""
        return None if self.api_key or self.auth_token or self.pool else "api_key"


def create(
    settings: Settings, *, name: str, limits: TimeLimits, engine: HttpEngine | None
) -> AnthropicProvider:
    """
    The provider that *settings* describe.

    Raises:
        ConfigurationError: They have no key, or an address or option is not usable.
    """
    return AnthropicProvider(
        name=name,
        **settings.given("api_key", "auth_token", "model", "base_url", "version", "betas"),
        **settings.options(limits, engine),
    )
