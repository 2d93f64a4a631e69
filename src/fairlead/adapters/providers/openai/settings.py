"""OpenAI, as settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field
from pydantic_settings import SettingsConfigDict

from .._settings import KeyedSettings
from .provider import BASE_URL, OpenAIProvider

if TYPE_CHECKING:
    from ....core.limits import TimeLimits
    from ...http.port import HttpEngine

_HOST = "api.openai.com"


class Settings(KeyedSettings):
    """OpenAI's section, and its variables `OPENAI_…`."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="OPENAI_")

    base_url: str = Field(BASE_URL, description="Another address that speaks as OpenAI does.")
    organization: str | None = Field(
        None,
        validation_alias=AliasChoices("organization", "OPENAI_ORGANIZATION", "OPENAI_ORG_ID"),
        description="The organization that pays, if the key belongs to several.",
    )
    project: str | None = Field(
        None,
        validation_alias=AliasChoices("project", "OPENAI_PROJECT", "OPENAI_PROJECT_ID"),
        description="The project that pays, likewise.",
    )
    api: Literal["auto", "chat", "responses"] | None = Field(
        None, description="The format, `chat` or `responses`; by the model if it is `auto`."
    )

    @property
    def missing(self) -> str | None:
        """A key."""
        return None if self.api_key or self.pool else "api_key"

    @property
    def is_elsewhere(self) -> bool:
        """Whether the address is not OpenAI's own."""
        host = urlsplit(self.base_url).hostname or ""
        return host != _HOST and not host.endswith(f".{_HOST}")


def create(
    settings: Settings, *, name: str, limits: TimeLimits, engine: HttpEngine | None
) -> OpenAIProvider:
    """
    The provider that *settings* describe.

    Raises:
        ConfigurationError: They have no key, or an address or option is not usable.
    """
    return OpenAIProvider(
        name=name,
        **settings.given(
            "api_key", "model", "embedding_model", "organization", "project", "api", "base_url"
        ),
        **settings.options(limits, engine),
    )
