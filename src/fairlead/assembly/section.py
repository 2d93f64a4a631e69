"""What all sections of the settings are."""

from __future__ import annotations

from typing import ClassVar

from pydantic_settings import BaseSettings, SettingsConfigDict


class Section(BaseSettings):
    """What all sections are: closed to unknown keys, and unchangeable."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        extra="forbid", frozen=True, populate_by_name=True
    )
