"""A server that speaks Chat Completions, as settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic_settings import SettingsConfigDict

from .._settings import CompatibleSettings
from .provider import OpenAICompatibleProvider

if TYPE_CHECKING:
    from ....core.limits import TimeLimits
    from ...http.port import HttpEngine


class Settings(CompatibleSettings):
    """The server's section."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="OPENAI_COMPATIBLE_")


def create(
    settings: Settings, *, name: str, limits: TimeLimits, engine: HttpEngine | None
) -> OpenAICompatibleProvider:
    """
    The provider that *settings* describe.

    Raises:
        ConfigurationError: They have no address or no model, or one is not usable.
    """
    settings.complete(name)
    return OpenAICompatibleProvider(
        name=name,
        info=settings.info,
        **settings.given("base_url", "model", "api_key", "headers"),
        **settings.options(limits, engine),
    )
