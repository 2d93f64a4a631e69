"""The offline provider, as settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from .._settings import ProviderSettings
from .provider import OfflineProvider

if TYPE_CHECKING:
    from ....core.limits import TimeLimits
    from ...http.port import HttpEngine


class Settings(ProviderSettings):
    """The offline provider's section."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="FAIRLEAD_OFFLINE_")

    seed: int = Field(0, description="Taken for calls that give none.")
    delay: float = Field(0.0, ge=0, description="Seconds before each word, and before vectors.")
    dimensions: int = Field(256, gt=0, description="The length of its vectors.")


def create(
    settings: Settings,
    *,
    name: str,  # noqa: ARG001
    limits: TimeLimits,  # noqa: ARG001
    engine: HttpEngine | None,  # noqa: ARG001
) -> OfflineProvider:
    """The provider that *settings* describe."""
    return OfflineProvider(
        model=settings.model or "offline",
        seed=settings.seed,
        delay=settings.delay,
        dimensions=settings.dimensions,
    )
