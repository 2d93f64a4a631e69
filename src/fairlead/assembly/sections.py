"""
The sections of the settings that describe a pipeline, apart from its providers'.

Defaults are those of the policies themselves and stand there; what is None here is left to them.
"""

from __future__ import annotations

from collections.abc import Mapping  # pydantic reads the annotations
from decimal import Decimal  # pydantic reads the annotations
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

from pydantic import (
    AliasChoices,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import NoDecode, SettingsConfigDict

from ..core.errors import ConfigurationError
from ..settings import resolve
from .budget_section import BudgetSettings
from .section import Section

if TYPE_CHECKING:
    from ..settings import RawSettings, Resolved


Strategy: TypeAlias = Literal[
    "in_order", "weighted", "least_busy", "fastest", "cheapest", "sticky", "experiment"
]
_NONE: frozenset[str] = frozenset()
OF_STRATEGY: dict[Strategy | None, tuple[frozenset[str], frozenset[str]]] = {
    None: (_NONE, _NONE),
    "in_order": (_NONE, _NONE),
    "weighted": (frozenset({"weights"}), _NONE),
    "least_busy": (_NONE, _NONE),
    "fastest": (_NONE, _NONE),
    "cheapest": (_NONE, _NONE),
    "sticky": (frozenset({"tag"}), frozenset({"weights"})),
    "experiment": (frozenset({"name", "arms"}), frozenset({"tag"})),
}
"""Which other keys each strategy needs, and which it takes."""


class ChoiceSettings(Section):
    """Which providers answer. It stands at the root of the settings."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="FAIRLEAD_")

    provider: str | None = Field(None, description="What is asked first: `vendor:model` or a name.")
    fallback: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        None,
        validation_alias=AliasChoices(
            "fallback",
            "PROVIDER_FALLBACK_ORDER",
            "FAIRLEAD_FALLBACK_PROVIDER",
            "DEVSYNTH_FALLBACK_PROVIDER",
        ),
        description="What is asked next, in order, while nobody has answered.",
    )
    fallback_enabled: bool = Field(
        True,
        validation_alias=AliasChoices("fallback_enabled", "PROVIDER_FALLBACK_ENABLED"),
        description="Whether anything is asked but the first.",
    )
    use_local_fallback: bool = Field(
        False, description="Whether the provider `local` is asked when all others have failed."
    )
    safe_default_provider: Literal["stub", "offline", "null"] | None = Field(
        None, description="What answers where no provider is usable."
    )
    last_resort: Literal["stub", "offline", "null"] | None = Field(
        None,
        description="What answers, with a warning, a call that none of the providers can take or "
        "will take at present; not one that has failed.",
    )
    disable_providers: bool = Field(
        False, description="Whether only the safe default may answer; `null` if there is none."
    )


class RetrySettings(Section):
    """Repeats at one target."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="PROVIDER_")

    enabled: bool = Field(
        True,
        validation_alias=AliasChoices("enabled", "FAIRLEAD_RETRY_ENABLED"),
        description="Whether anything is repeated.",
    )
    max_retries: int | None = Field(None, ge=0, description="Repeats after the first attempt.")
    initial_delay: float | None = Field(None, ge=0, description="Seconds before the first repeat.")
    exponential_base: float | None = Field(
        None, ge=1, description="By how much the delay grows with each repeat."
    )
    max_delay: float | None = Field(None, ge=0, description="Seconds that it grows to at most.")
    jitter: bool | None = Field(None, description="Whether the delay is a random share of that.")


class BreakerSettings(Section):
    """The circuit breaker of each target."""

    enabled: bool = Field(
        True,
        validation_alias=AliasChoices("enabled", "PROVIDER_CIRCUIT_BREAKER_ENABLED"),
        description="Whether there is one.",
    )
    failure_threshold: int | None = Field(
        None,
        ge=1,
        validation_alias=AliasChoices("failure_threshold", "PROVIDER_FAILURE_THRESHOLD"),
        description="Failures in a row that open it.",
    )
    recovery_timeout: float | None = Field(
        None,
        gt=0,
        validation_alias=AliasChoices("recovery_timeout", "PROVIDER_RECOVERY_TIMEOUT"),
        description="Seconds that it stays open the first time.",
    )


class RateSettings(Section):
    """How fast and how much at once each provider is asked. What is not set is not limited."""

    requests_per_minute: float | None = Field(None, gt=0, description="Calls, retries included.")
    tokens_per_minute: float | None = Field(None, gt=0, description="Input and output together.")
    requests_burst: int | None = Field(
        None, ge=1, description="Calls at once after a rest; a minute's, if not set."
    )
    tokens_burst: int | None = Field(
        None, ge=1, description="Tokens at once after a rest; a minute's, if not set."
    )
    max_running: int | None = Field(
        None, ge=1, description="Calls at a time; a stream runs until it is closed."
    )
    max_queued: int | None = Field(
        None, ge=0, description="Calls that may wait; 0 refuses rather than waits."
    )
    max_wait: float | None = Field(
        None, gt=0, description="Seconds that a call may wait; its deadline, if not set."
    )
    learn: bool | None = Field(None, description="Whether the vendor's own limits are taken over.")
    adaptive: bool | None = Field(
        None, description="Whether to slow down when the vendor refuses, and feel up again."
    )


class LimitSettings(Section):
    """Time limits, in seconds; `null` is none."""

    total: float | None = Field(600.0, gt=0, description="A whole call that is not a stream.")
    connect: float | None = Field(10.0, gt=0, description="Connecting, TLS handshake included.")
    first_content: float | None = Field(120.0, gt=0, description="Until a stream's first content.")
    idle: float | None = Field(60.0, gt=0, description="Between two events of a stream.")
    reasoning_first_content: float | None = Field(
        600.0, gt=0, description="As first_content, of a model that reasons."
    )
    reasoning_idle: float | None = Field(300.0, gt=0, description="As idle, likewise.")


class HedgeSettings(Section):
    """Asking the next provider beside one that is slow, and taking what comes first."""

    enabled: bool = Field(False, description="Whether it is done; it costs up to `max_share` more.")
    delay: float | None = Field(None, ge=0, description="Seconds that are waited in any case.")
    quantile: float | None = Field(
        None, gt=0, le=1, description="The share of answers that began sooner, and are not hedged."
    )
    minimum_samples: int | None = Field(
        None, ge=1, description="Answers below which nobody knows how long they take."
    )
    max_share: float | None = Field(
        None, gt=0, le=1, description="The share of calls that are hedged at most."
    )


class ContextSettings(Section):
    """Cutting a conversation that is too long for a model's window."""

    enabled: bool = Field(False, description="Whether it is done.")
    strategies: Annotated[
        tuple[Literal["shorten-results", "drop-oldest", "keep-last"], ...] | None, NoDecode
    ] = Field(None, description="What is done, in this order, until it fits.")
    room: int | None = Field(
        None, ge=0, description="Tokens that are kept for an answer where a call does not say."
    )
    truncation: Literal["warn", "raise", "ignore"] | None = Field(
        None, description="What is done where a server has cut a prompt by itself."
    )


Shares: TypeAlias = Mapping[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]]


class RoutingSettings(Section):
    """In which order providers are asked, where that is not always the same."""

    weights: Shares | None = Field(
        None, min_length=1, description="Of `weighted` and `sticky`: each provider's share."
    )
    tag: str | None = Field(
        None, min_length=1, description="Of `sticky` and `experiment`: the tag that decides."
    )
    name: str | None = Field(None, min_length=1, description="Of `experiment`: what it is called.")
    arms: Shares | None = Field(
        None, min_length=1, description="Of `experiment`: each provider's share."
    )
    # The last, so that all it needs is known when it is looked at.
    strategy: Strategy | None = Field(
        None,
        validate_default=True,
        description="In which order; as the fallback has them, if not set: `in_order`, `weighted`, "
        "`least_busy`, `fastest`, `cheapest`, `sticky` or `experiment`.",
    )

    @field_validator("weights", "arms")
    @classmethod
    def _some_share(cls, value: Shares | None) -> Shares | None:
        if value is not None and not any(value.values()):
            raise ValueError("at least one share must be more than 0")
        return value

    @field_validator("strategy")
    @classmethod
    def _has_its_own(cls, value: Strategy | None, info: ValidationInfo) -> Strategy | None:
        needs, takes = OF_STRATEGY[value]
        given = {key for key, said in info.data.items() if said is not None}
        if len(info.data) < len(cls.model_fields) - 1:  # another mistake, which is told by itself
            return value
        lacks, idle = sorted(needs - given), sorted(given - needs - takes)
        if lacks:
            raise ValueError(f"{value} needs {' and '.join(lacks)}")
        if idle:
            what = "without it" if value is None else f"for {value}"
            raise ValueError(f"{' and '.join(idle)} would do nothing {what}")
        return value


class CacheSettings(Section):
    """Answering again what was answered before, and once what is asked several times at once."""

    mode: Literal["off", "on", "read_only", "write_only", "refresh"] = Field(
        "off", description="What is done for calls that do not say; `off` is nothing."
    )
    ttl: float | None = Field(None, ge=0, description="Seconds that answers are kept for.")
    store: Literal["memory", "sqlite"] = Field(
        "memory", description="Where they are: in the process, or in a file for all of them."
    )
    path: str | None = Field(
        None, description="The file; by default `answers.db` in the user's cache of fairlead."
    )
    max_bytes: int | None = Field(None, ge=1, description="What all answers may take together.")
    namespace: str = Field("", description="Answers of other namespaces are not seen.")
    single_flight: bool | None = Field(
        None, description="Whether calls at the same time share an answer; by default with a mode."
    )

    @field_validator("mode", mode="before")
    @classmethod
    def _in_yaml(cls, value: object) -> object:
        """YAML takes `on` and `off` without quotes for true and false."""
        return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


class TlsSettings(Section):
    """Whom to trust, and who we are."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="TLS_")

    verify: bool = Field(True, description="Whether servers have to prove who they are.")
    cert_file: str | None = Field(None, description="Our own certificate, a PEM file.")
    key_file: str | None = Field(None, description="Its key, if it stands in a file of its own.")
    ca_file: str | None = Field(
        None, description="The authorities to trust, instead of the system's."
    )


class HttpClientSettings(Section):
    """The HTTP engine that all providers share."""

    proxy: str | None = Field(None, description="The address of a proxy for all requests.")
    trust_env: bool = Field(True, description="Whether HTTPS_PROXY and its like are followed.")
    max_connections: int = Field(1000, ge=1, description="Connections open at once, in one loop.")
    max_response_bytes: int = Field(
        64 * 1024 * 1024, ge=1, description="How large a response may be, decompressed."
    )


class LoggingSettings(Section):
    """What is told to the application's log."""

    enabled: bool = Field(True, description="Whether anything is.")


class PriceSettings(Section):
    """What models cost."""

    book: Literal["catalogue", "genai-prices", "none"] = Field(
        "catalogue",
        description="Who tells: the list in the package, the library genai-prices, or nobody.",
    )
    exact: bool = Field(
        False, description="Whether a model has to be in the list by the very name it is asked by."
    )
    models: dict[str, dict[str, Decimal]] = Field(
        {},
        description="Your own prices, by `model` or `name:model`, then by `input`, `output`, "
        "`cache_read` and so on: US dollars for a million tokens.",
    )

    @field_validator("models")
    @classmethod
    def _are_prices(cls, value: dict[str, dict[str, Decimal]]) -> dict[str, dict[str, Decimal]]:
        from ..adapters.catalogue.own import OwnPrices

        try:
            OwnPrices(value)
        except ConfigurationError as error:
            raise ValueError(str(error)) from None
        return value


class ModelSettings(Section):
    """What is known of models."""

    book: Literal["catalogue", "none"] = Field(
        "catalogue", description="Who tells: the list in the package, or nobody."
    )
    known: dict[str, dict[str, bool | int | str | None]] = Field(
        {},
        description="What you know yourself, by `model` or `name:model`, then by `context_window`, "
        "`max_output_tokens`, `tools` and so on; it comes before all else.",
    )


class LedgerSettings(Section):
    """Where it is written down what calls cost."""

    enabled: bool = Field(False, description="Whether it is.")
    path: str | None = Field(
        None,
        description="The file; `ledger.db` in the user's folder of state, if not set.",
    )
    days: float | None = Field(
        90, ge=1, description="After which entries are folded to one a day; `null` is never."
    )
    rows: int | None = Field(
        1_000_000, ge=1, description="Single entries that are kept; `null` is any number."
    )
    tags: Annotated[tuple[str, ...], NoDecode] = Field(
        ("project",), description="The tags that folded entries keep."
    )


SECTIONS: dict[str, type[Section]] = {
    "retry": RetrySettings,
    "circuit_breaker": BreakerSettings,
    "limits": LimitSettings,
    "rates": RateSettings,
    "hedge": HedgeSettings,
    "context": ContextSettings,
    "routing": RoutingSettings,
    "cache": CacheSettings,
    "budgets": BudgetSettings,
    "tls": TlsSettings,
    "http": HttpClientSettings,
    "logging": LoggingSettings,
    "prices": PriceSettings,
    "models": ModelSettings,
    "ledger": LedgerSettings,
}
"""By their keys."""

PROVIDERS = "providers"
"""The key of what holds a section for each provider."""


def choice_settings(raw: RawSettings) -> Resolved[ChoiceSettings]:
    """
    The root of *raw*, beside the sections.

    Raises:
        ConfigurationError: It holds a mistake.
    """
    return resolve(raw, "", ChoiceSettings, also=(*SECTIONS, PROVIDERS))
