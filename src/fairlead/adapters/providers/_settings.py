"""What the sections of all providers have in common, in files and in the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # pydantic reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ...core.errors import ConfigurationError
from ...core.limits import TimeLimits
from ...core.models import ModelInfo
from ...core.redact import shown

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
    billed_by: str | None = Field(
        None,
        description="Whose prices hold, such as `openai`, where the address does not tell.",
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
            "billed_by": self.billed_by,
        }

    def given(self, *names: str) -> dict[str, Any]:
        """The fields of *names* that are set, secrets in the clear: arguments of a constructor."""
        values = {name: getattr(self, name) for name in names}
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in values.items()
            if value is not None
        }


class KeyedSettings(HttpSettings):
    """What those take besides that are asked with a key, or with several."""

    api_key: SecretStr | None = Field(None, description="Your key.")
    api_keys: Annotated[tuple[SecretStr, ...] | None, NoDecode] = Field(
        None,
        min_length=1,
        description="Several keys, which are used in turn, instead of `api_key`.",
    )
    accounts: Mapping[str, tuple[SecretStr, ...] | SecretStr] | None = Field(
        None,
        min_length=1,
        description="The key or keys of each account by its name, instead of `api_keys`: what is "
        "spent is an account.",
    )

    @property
    def pool(self) -> tuple[tuple[str | None, SecretStr], ...]:
        """Of each of several keys its account, None if nobody says, and the key."""
        if self.accounts is None:
            return tuple((None, key) for key in self.api_keys or ())
        return tuple(
            (name, key)
            for name, keys in self.accounts.items()
            for key in (keys if isinstance(keys, tuple) else (keys,))
        )

    def with_key(self, key: SecretStr) -> Self:
        """The same with one key alone."""
        return self.model_copy(update={"api_key": key, "api_keys": None, "accounts": None})

    @field_validator("api_keys", "accounts")
    @classmethod
    def _of_one_kind(cls, value: object, info: ValidationInfo) -> object:
        for other in ("api_key", "api_keys"):
            if value is not None and info.data.get(other):
                raise ValueError(f"{other} is set too, here or by a variable; keep one of them")
        return value

    @field_validator("api_keys")
    @classmethod
    def _each_a_key(cls, value: tuple[SecretStr, ...] | None) -> tuple[SecretStr, ...] | None:
        _check_keys(value or ())
        return value

    @field_validator("accounts")
    @classmethod
    def _each_an_account(
        cls, value: Mapping[str, tuple[SecretStr, ...] | SecretStr] | None
    ) -> Mapping[str, tuple[SecretStr, ...] | SecretStr] | None:
        groups = [keys if isinstance(keys, tuple) else (keys,) for keys in (value or {}).values()]
        if not all(groups):
            raise ValueError("an account has no key")
        if any(shown(name) != name for name in value or ()):
            raise ValueError("an account has a key for its name")
        _check_keys([key for keys in groups for key in keys])
        return value


class CompatibleSettings(KeyedSettings):
    """What any server takes that speaks Chat Completions."""

    base_url: str | None = Field(None, description="The server's address.")
    api_key: SecretStr | None = Field(None, description="A key, if the server wants one.")
    headers: dict[str, str] = Field({}, description="More headers for every request.")
    context_window: int | None = Field(
        None,
        validation_alias=AliasChoices("context_window", "context_size"),
        gt=0,
        description="Tokens that prompt and answer may have together.",
    )

    @property
    def missing(self) -> str | None:
        """An address, or a model."""
        if self.base_url is None:
            return "base_url"
        return None if self.model else "model"

    @property
    def info(self) -> ModelInfo:
        """What they tell of the model."""
        return ModelInfo(
            name=self.model,
            context_window=self.context_window,
            embedding_model=self.embedding_model,
        )

    def complete(self, name: str) -> None:
        """
        Refuse what lacks something.

        Raises:
            ConfigurationError: The provider *name* cannot be asked.
        """
        if self.missing is not None:
            msg = f"the provider {name!r} cannot be asked: it has no {self.missing}"
            raise ConfigurationError(msg)


def _check_keys(keys: Sequence[SecretStr]) -> None:
    plain = [key.get_secret_value() for key in keys]
    if not all(key.strip() for key in plain):
        raise ValueError("a key is empty")
    if len(set(plain)) < len(plain):
        raise ValueError("a key stands there twice")


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
