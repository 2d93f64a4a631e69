"""What the sections of all providers have in common, in files and in the environment."""

from __future__ import annotations

from collections.abc import Mapping  # pydantic reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ...core.limits import TimeLimits

if TYPE_CHECKING:
    from ...core.requests import GenerateOptions
    from ..http.port import HttpEngine

_DEFAULTS = (
    "system_prompt",
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "stop_sequences",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "reasoning_effort",
    "extra",
)


class ProviderSettings(BaseSettings):
    """One provider, as settings describe it. What is not set is left to the provider."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, protected_namespaces=()
    )

    over_http: ClassVar[bool] = False
    """Whether it needs an engine."""

    vendor: str | None = Field(
        None, description="Who makes it, where the section's name does not say."
    )
    enabled: bool = Field(True, description="Whether it may be asked at all.")
    model: str | None = Field(
        None,
        validation_alias=AliasChoices("model", "default_model"),
        description="The model that answers unless a call names another.",
    )
    max_retries: int | None = Field(
        None,
        validation_alias=AliasChoices("max_retries", "retry_attempts"),
        ge=0,
        description="Repeats of a failed call, if it is to differ from `retry.max_retries`.",
    )

    @property
    def missing(self) -> str | None:
        """The field without which it cannot be asked, such as a key; None if it can."""
        return None

    @property
    def is_declared(self) -> bool:
        """Whether it may be asked without having been named."""
        return True


class HttpSettings(ProviderSettings):
    """What every provider that is asked over HTTP takes."""

    over_http: ClassVar[bool] = True

    embedding_model: str | None = Field(
        None, description="The model that embeds unless a call names another."
    )
    timeout: float | None = Field(
        None,
        gt=0,
        description="Seconds that one attempt may take, to its first content if streamed.",
    )
    allow_plain_http: bool = Field(
        False, description="Whether its address may be plain http to a public host."
    )
    system_prompt: str | None = Field(None, description="Said before every prompt.")
    temperature: float | None = Field(None, description="Taken for calls that set none.")
    top_p: float | None = Field(None, description="Taken for calls that set none.")
    top_k: int | None = Field(None, description="Taken for calls that set none.")
    max_tokens: int | None = Field(None, description="Taken for calls that set none.")
    stop_sequences: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        None, description="Taken for calls that set none."
    )
    seed: int | None = Field(None, description="Taken for calls that set none.")
    frequency_penalty: float | None = Field(None, description="Taken for calls that set none.")
    presence_penalty: float | None = Field(None, description="Taken for calls that set none.")
    reasoning_effort: str | None = Field(None, description="Taken for calls that set none.")
    extra: Mapping[str, Any] | None = Field(
        None, description="Sent as it is with every request, for what fairlead has no name for."
    )

    def options(self, limits: TimeLimits, engine: HttpEngine | None) -> dict[str, Any]:
        """What `HttpOptions` holds, with *limits* where this section sets none."""
        defaults: GenerateOptions = {}
        defaults.update(
            {  # type: ignore[typeddict-item]
                name: getattr(self, name) for name in _DEFAULTS if getattr(self, name) is not None
            }
        )
        return {
            "engine": engine,
            "limits": limits if self.timeout is None else _within(limits, self.timeout),
            "defaults": defaults,
            "allow_plain_http": self.allow_plain_http,
        }

    def given(self, *names: str) -> dict[str, Any]:
        """The fields of *names* that are set, secrets in the clear: arguments of a constructor."""
        values = {name: getattr(self, name) for name in names}
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in values.items()
            if value is not None
        }


def _within(limits: TimeLimits, seconds: float) -> TimeLimits:
    """*limits*, with *seconds* for one attempt; thinking is no excuse for it to take longer."""
    return TimeLimits(
        connect=limits.connect,
        first_content=seconds,
        idle=limits.idle,
        total=seconds,
        reasoning_first_content=seconds,
        reasoning_idle=limits.reasoning_idle,
    )
