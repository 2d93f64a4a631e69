"""A vendor that speaks Chat Completions and has no code of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ._arguments import check_kind, check_text

if TYPE_CHECKING:
    from ...core.limits import TimeLimits
    from ...wire.openai_chat.dialect import Dialect
    from ..http.port import HttpEngine
    from ._chat_completions import ChatCompletionsProvider
    from ._settings import CompatibleSettings


@dataclass(frozen=True, kw_only=True)
class Preset:
    """
    One vendor as a row of data: a `Vendor` for settings, entry points and `open_provider`.

    Its section may hold what that of an `openai-compatible` server may; its variables begin with
    its name. Which model answers has to be said.

    Args:
        dialect: How its speech differs from the common one; the name is the vendor's.
        base_url: Its address; None where each customer has one of their own.
        key: The variable that its key is looked for in; None if it works without one.
        also: Other names that people have for it.

    Raises:
        TypeError: One is of the wrong kind.
        ConfigurationError: One is empty.
    """

    dialect: Dialect
    base_url: str | None = None
    key: str | None = None
    also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        from ...wire.openai_chat.dialect import Dialect

        check_kind("dialect", self.dialect, Dialect)
        check_kind("also", self.also, tuple)
        for name in ("base_url", "key"):
            if getattr(self, name) is not None:
                check_text(name, getattr(self, name))

    @property
    def name(self) -> str:
        """The vendor's."""
        return self.dialect.name

    @property
    def prefix(self) -> str:
        """What its variables begin with."""
        return "".join(char if char.isalnum() else "_" for char in self.name).upper() + "_"

    @property
    def Settings(self) -> type[CompatibleSettings]:  # noqa: N802  the name that a vendor's module has
        """The section that describes one provider of this vendor."""
        return _settings_of(self)

    def create(
        self,
        settings: CompatibleSettings,
        *,
        name: str,
        limits: TimeLimits,
        engine: HttpEngine | None,
    ) -> ChatCompletionsProvider:
        """
        The provider that *settings* describe.

        Raises:
            ConfigurationError: They lack a key, an address or a model, or one is not usable.
        """
        from ._chat_completions import ChatCompletionsProvider

        settings.complete(name)
        given: dict[str, Any] = {"api_key": None, **settings.given("base_url", "api_key")}
        return ChatCompletionsProvider(
            name=name,
            dialect=self.dialect,
            model=settings.info,
            headers=settings.headers,
            **given,
            **settings.options(limits, engine),
        )


@cache
def _settings_of(preset: Preset) -> type[CompatibleSettings]:
    from pydantic import AliasChoices, Field, SecretStr, create_model
    from pydantic_settings import SettingsConfigDict

    from ._settings import CompatibleSettings

    class Section(CompatibleSettings):
        model_config = SettingsConfigDict(env_prefix=preset.prefix)

        @property
        def missing(self) -> str | None:
            """A key, an address, or a model."""
            if preset.key is not None and not (self.api_key or self.pool):
                return "api_key"
            return super().missing

    alias = AliasChoices("api_key", preset.key) if preset.key else None
    address = "Its address, if it is not the vendor's own." if preset.base_url else "Its address."
    fields: dict[str, Any] = {
        "base_url": (str | None, Field(preset.base_url, description=address)),
        "api_key": (
            SecretStr | None,
            Field(None, validation_alias=alias, description="Your key."),
        ),
    }
    return create_model("Settings", __base__=Section, **fields)
