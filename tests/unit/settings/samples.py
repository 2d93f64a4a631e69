"""Models as assembly hands them in."""

from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fairlead.core.errors import ConfigurationError

KEY = "sk-canary-4711-abcdefghijklmnop"
"""Shall never be seen."""


class Root(BaseSettings):
    model_config = SettingsConfigDict(extra="forbid", populate_by_name=True)

    provider: str | None = Field(None, description="What is asked first.")
    fallback: list[str] = Field(
        default_factory=list,
        validation_alias=AliasChoices("PROVIDER_FALLBACK_ORDER", "FAIRLEAD_FALLBACK_PROVIDER"),
    )
    use_local_fallback: bool = False
    safe_default_provider: Literal["stub", "null"] | None = None


class Retry(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="PROVIDER_", frozen=True)

    max_retries: int = Field(2, ge=0, description="Repeats.")
    initial_delay: float = 0.5
    jitter: bool = True


class OpenAI(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="OPENAI_", populate_by_name=True)

    vendor: str | None = None
    enabled: bool = True
    api_key: SecretStr
    model: str = Field("gpt", validation_alias=AliasChoices("model", "default_model"))
    timeout: float | None = None
    max_retries: int | None = Field(
        None, validation_alias=AliasChoices("max_retries", "retry_attempts")
    )
    temperature: float | None = None
    base_url: str = "https://api.openai.com/v1"
    headers: dict[str, str] = Field(default_factory=dict)
    stop: tuple[str, ...] | None = None

    @field_validator("base_url")
    @classmethod
    def an_address(cls, value: str) -> str:
        if "://" not in value:
            msg = f"{value} has no scheme; write https://host"
            raise ValueError(msg)
        return value


class LMStudio(BaseSettings):
    model_config = SettingsConfigDict(populate_by_name=True)

    endpoint: str = Field(
        "http://127.0.0.1:1234",
        validation_alias=AliasChoices("base_url", "LM_STUDIO_ENDPOINT", "LMSTUDIO_BASE_URL"),
    )
    model: str = Field("default", validation_alias=AliasChoices("LMSTUDIO_MODEL", "default_model"))
    available: bool | None = Field(None, validation_alias="FAIRLEAD_RESOURCE_LMSTUDIO_AVAILABLE")
    timeout: float | None = None


class Local(BaseModel):
    model_config = ConfigDict(protected_namespaces=())

    model_path: str | None = None
    model: str = "mistral"
    context_size: int | None = None


class Proxy(BaseModel):
    model_config = ConfigDict(extra="forbid")

    address: str = "http://localhost:3128"
    password: SecretStr | None = None
    ports: list[int] = []


class Pool(BaseModel):
    size: int = 10
    wait: float = 1.0


class Http(BaseModel):
    """A section with sections in it."""

    proxy: Proxy | None = None
    pool: Pool = Pool(size=50)
    trust_env: bool = True


SECTIONS: dict[str, type[BaseModel]] = {"": Root, "retry": Retry, "http": Http}
VENDORS: dict[str, type[BaseModel]] = {"openai": OpenAI, "lmstudio": LMStudio, "local": Local}
ALSO = ("retry", "http", "providers")


def vendor_of(name: str, vendor: str | None) -> Any:
    try:
        return VENDORS[vendor or name]
    except KeyError:
        msg = f"unknown provider {vendor or name!r}"
        raise ConfigurationError(msg) from None
