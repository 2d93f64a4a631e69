"""The null provider, as settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from .._settings import ProviderSettings
from .provider import NullProvider

if TYPE_CHECKING:
    from ....core.limits import TimeLimits
    from ...http.port import HttpEngine


class Settings(ProviderSettings):
    """The null provider's section."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="FAIRLEAD_NULL_")

    dimensions: int = Field(256, gt=0, description="The length of its vectors.")


def create(
    settings: Settings,
    *,
    name: str,  # noqa: ARG001
    limits: TimeLimits,  # noqa: ARG001
    engine: HttpEngine | None,  # noqa: ARG001
) -> NullProvider:
    """The provider that *settings* describe."""
    return NullProvider(model=settings.model or "null", dimensions=settings.dimensions)
