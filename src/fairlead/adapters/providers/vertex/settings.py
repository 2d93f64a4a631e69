"""Vertex AI, as settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from .._settings import HttpSettings
from .provider import VertexProvider

if TYPE_CHECKING:
    from ....core.limits import TimeLimits
    from ...http.port import HttpEngine


class Settings(HttpSettings):
    """Vertex AI's section, and its variables `VERTEX_…`."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="VERTEX_")

    project: str | None = Field(
        None,
        validation_alias=AliasChoices("project", "VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT"),
        description="The id of the project that pays.",
    )
    location: str | None = Field(
        None,
        validation_alias=AliasChoices("location", "VERTEX_LOCATION", "GOOGLE_CLOUD_LOCATION"),
        description="Where the models run; `global` if nothing is said.",
    )
    access_token: SecretStr | None = Field(
        None, description="An OAuth token, which is good for an hour."
    )
    api_key: SecretStr | None = Field(
        None, description="A key of Vertex AI, instead of a token; it needs no project."
    )
    base_url: str | None = Field(
        None, description="Another address, that the paths `/publishers/…` are below."
    )

    @property
    def missing(self) -> str | None:
        """A token or a key, and with a token a project."""
        if self.access_token is None:
            return None if self.api_key else "access_token"
        return None if self.project or self.base_url else "project"


def create(
    settings: Settings, *, name: str, limits: TimeLimits, engine: HttpEngine | None
) -> VertexProvider:
    """
    The provider that *settings* describe.

    Raises:
        ConfigurationError: They have neither token nor key, or something is not usable.
    """
    return VertexProvider(
        name=name,
        **settings.given(
            *("project", "location", "access_token", "api_key", "model", "embedding_model"),
            "base_url",
        ),
        **settings.options(limits, engine),
    )
