"""The providers that are going to be asked, before they are built."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from ..core.errors import ConfigurationError
from ..core.redact import shown
from ..settings import variable_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from ..adapters.http.port import HttpEngine
    from ..core.limits import TimeLimits
    from ..core.provider import LooseProvider
    from .vendors import Vendor


class Target(Protocol):
    """One provider that is going to be asked."""

    @property
    def name(self) -> str:
        """What it is called in results and errors."""
        ...

    @property
    def lacks(self) -> str | None:
        """What keeps it from being asked at all, such as a key."""
        ...

    @property
    def is_on(self) -> bool:
        """Whether its settings let it be asked at all."""
        ...

    @property
    def is_declared(self) -> bool:
        """Whether it may be asked without having been named."""
        ...

    @property
    def over_http(self) -> bool:
        """Whether it needs an engine."""
        ...

    @property
    def allow_plain_http(self) -> bool:
        """Whether that engine has to speak plain http to public hosts."""
        ...

    @property
    def max_retries(self) -> int | None:
        """Repeats, if they differ from the others'."""
        ...

    @property
    def keys(self) -> tuple[Keyed, ...]:
        """One for each of its keys, if it has several."""
        ...

    def create(self, limits: TimeLimits, engine: Callable[[], HttpEngine] | None) -> LooseProvider:
        """
        The provider; with several keys, the one that asks with the first.

        Raises:
            ConfigurationError: Its settings do not describe one.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """
    One of several keys of a provider.

    Args:
        label: What it is called; never the key itself.
        account: Who pays; None if that is nobody else.
        target: The provider that asks with it alone.
    """

    label: str
    account: str | None
    target: Described


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """
    A provider that settings describe.

    Args:
        name: Its section's, in the canonical form.
        section: Its section's, as it is written.
        vendor: Who makes it.
        settings: An instance of the vendor's `Settings`.
        is_namesake: Whether it bears the vendor's name, and so has the vendor's own variables.
    """

    name: str
    section: str
    vendor: Vendor
    settings: BaseModel
    is_namesake: bool

    @property
    def lacks(self) -> str | None:
        if not self.is_on:
            return "it is switched off: enabled is false"
        missing: str | None = getattr(self.settings, "missing", None)
        if missing is None:
            return None
        path = f"providers.{self.section}"
        names = variable_names(type(self.settings), path, aliases=self.is_namesake)
        return f"it has no {missing}; give {missing}=, or set {names[missing][0]}"

    @property
    def is_on(self) -> bool:
        return getattr(self.settings, "enabled", True) is not False

    @property
    def is_declared(self) -> bool:
        return getattr(self.settings, "is_declared", True)

    @property
    def over_http(self) -> bool:
        return getattr(self.settings, "over_http", True)

    @property
    def allow_plain_http(self) -> bool:
        return getattr(self.settings, "allow_plain_http", False)

    @property
    def max_retries(self) -> int | None:
        return getattr(self.settings, "max_retries", None)

    @property
    def keys(self) -> tuple[Keyed, ...]:
        from ..adapters.providers._settings import KeyedSettings
        from ..decorators.key_pool import fingerprint

        settings = self.settings
        if not isinstance(settings, KeyedSettings):
            return ()
        return tuple(
            Keyed(
                label=fingerprint(key.get_secret_value()),
                account=account,
                target=replace(self, settings=settings.with_key(key)),
            )
            for account, key in settings.pool
        )

    def create(self, limits: TimeLimits, engine: Callable[[], HttpEngine] | None) -> LooseProvider:
        if keys := self.keys:
            return keys[0].target.create(limits, engine)
        own = engine() if engine is not None and self.over_http else None
        try:
            return self.vendor.create(self.settings, name=self.name, limits=limits, engine=own)
        except ConfigurationError:
            raise
        except Exception as error:
            raise ConfigurationError(
                f"the provider {self.name!r} cannot be built: "
                f"{type(error).__name__}: {shown(str(error))}"
            ) from error


@dataclass(frozen=True, slots=True)
class Given:
    """A provider that the application has built itself."""

    provider: LooseProvider
    lacks: None = None
    is_on: bool = True
    is_declared: bool = True
    over_http: bool = False
    allow_plain_http: bool = False
    max_retries: None = None
    keys: tuple[Keyed, ...] = ()

    @property
    def name(self) -> str:
        return type(self.provider).__name__

    def create(self, limits: TimeLimits, engine: Callable[[], HttpEngine] | None) -> LooseProvider:
        return self.provider


@dataclass(frozen=True, slots=True)
class NotYet:
    """A vendor that there is no adapter for."""

    name: str
    lacks: str = "fairlead has no adapter for it yet"
    is_on: bool = True
    is_declared: bool = True
    over_http: bool = False
    allow_plain_http: bool = False
    max_retries: None = None
    keys: tuple[Keyed, ...] = ()

    def create(self, limits: TimeLimits, engine: Callable[[], HttpEngine] | None) -> LooseProvider:
        raise ConfigurationError(f"{self.name!r} cannot be asked: {self.lacks}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """
    The providers that are going to be asked, in order, and what should be known of the choice.

    Args:
        targets: The providers.
        notes: Who was passed over, and why.
        warnings: What nobody should overlook: who answers in another's stead.
        missing: The names of those who were passed over.
        last_resort: What answers if none of them can be asked at all.
    """

    targets: tuple[Target, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    last_resort: Target | None = None

    @property
    def over_http(self) -> bool:
        """Whether any of them needs an engine."""
        return any(target.over_http for target in self.targets)
