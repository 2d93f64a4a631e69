"""
Vendors by name: our own, and those that other packages bring.

Nothing is imported before it is asked for by name, so a package that is broken fails only then.
"""

from __future__ import annotations

import inspect
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Protocol, cast, get_type_hints

from ..adapters.providers.presets import OTHER_NAMES, PRESETS
from ..core.checks import nearest
from ..core.errors import ConfigurationError
from ..core.redact import shown
from .validation import problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

    from ..adapters.http.port import HttpEngine
    from ..core.limits import TimeLimits
    from ..core.provider import LooseProvider

GROUP = "fairlead.providers"
"""The entry points by which a package brings vendors: their names, and a module or a class."""

BUILT_IN = (
    *("anthropic", "gemini", "lmstudio", "null", "offline", "ollama"),
    *("openai", "openai-compatible", "vertex", "vllm"),
)
"""Vendors that have a folder of their own; `PRESETS` has the others of ours."""
NOT_YET = ("local",)
"""Vendors that settings may name already, and that cannot be asked."""
_OTHER_NAMES = {
    "google": "gemini",
    "lm-studio": "lmstudio",
    "stub": "offline",
    "vertex-ai": "vertex",
    "vertexai": "vertex",
}


class Vendor(Protocol):
    """What a vendor's module, or an object of it, has."""

    @property
    def Settings(self) -> type[BaseModel]:  # noqa: N802  a class
        """The section of the settings that describes one provider of this vendor."""
        ...

    def create(
        self, settings: Any, *, name: str, limits: TimeLimits, engine: HttpEngine | None
    ) -> LooseProvider:
        """
        The provider that *settings* describe.

        Args:
            settings: An instance of `Settings`.
            name: What the provider is called.
            limits: How long one attempt may take.
            engine: What moves the bytes; it is closed by whoever built it.

        Raises:
            ConfigurationError: They do not describe one.
        """
        ...


def canonical(name: str) -> str:
    """A provider's name as it is compared: in lower case, with hyphens, the vendor's own word."""
    plain = name.strip().lower().replace("_", "-")
    return _OTHER_NAMES.get(plain) or OTHER_NAMES.get(plain, plain)


def is_ours(name: str) -> bool:
    """Whether *name*, in the canonical form, is a vendor that comes with fairlead."""
    return name in BUILT_IN or name in PRESETS


def discover_providers() -> tuple[str, ...]:
    """The names of all vendors that can be asked for, in order. Imports none of them."""
    return tuple(sorted({*BUILT_IN, *PRESETS, *brought()}))


def is_known(name: str) -> bool:
    """Whether there is a vendor of that name, or will be."""
    wanted = canonical(name)
    return is_ours(wanted) or wanted in NOT_YET or wanted in brought()


@cache
def vendor(name: str) -> Vendor:
    """
    The vendor of that name, imported now.

    Raises:
        ConfigurationError: There is none, or the package that brings it is broken.
    """
    wanted = canonical(name)
    if wanted in BUILT_IN:
        module = import_module(f"fairlead.adapters.providers.{wanted.replace('-', '_')}.settings")
        return cast("Vendor", module)
    if wanted in PRESETS:
        return PRESETS[wanted]
    if found := brought().get(wanted):
        return _loaded(found)
    raise unknown("provider", name, discover_providers())


def unknown(kind: str, name: str, known: Iterable[str]) -> ConfigurationError:
    """The error for a name that nobody bears: it says which there are, and the nearest."""
    names = list(known)
    near = nearest(name, names)
    hint = f"did you mean {near!r}? " if near else ""
    there_are = ", ".join(names)
    return ConfigurationError(f"unknown {kind} {shown(name, 80)!r}; {hint}there are {there_are}")


@cache
def brought() -> dict[str, EntryPoint]:
    """The entry points of other packages, by name; one of ours is never replaced."""
    found = {canonical(entry.name): entry for entry in entry_points(group=GROUP)}
    return {name: entry for name, entry in found.items() if not is_ours(name)}


def forget() -> None:
    """Look for vendors anew, after packages have come or gone."""
    vendor.cache_clear()
    brought.cache_clear()


def _loaded(entry: EntryPoint) -> Vendor:
    try:
        found = entry.load()
    except (Exception, SystemExit) as error:
        raise ConfigurationError(
            f"the provider {entry.name!r} cannot be loaded from {entry.value}: "
            f"{type(error).__name__}: {shown(str(error))}"
        ) from error
    from pydantic import BaseModel

    model = getattr(found, "Settings", None)
    is_model = isinstance(model, type) and issubclass(model, BaseModel)
    if is_model and callable(getattr(found, "create", None)):
        return cast("Vendor", found)
    if isinstance(found, type):
        if reasons := problems(found):
            raise ConfigurationError(f"{entry.value} is no provider: {'; '.join(reasons)}")
        return _ClassVendor(found)
    raise ConfigurationError(
        f"{entry.value} is no vendor: a module or object with Settings, a pydantic model, and "
        "create(), or a provider class, is needed"
    )


class _ClassVendor:
    """A vendor that is one class: its section holds what its constructor takes."""

    def __init__(self, provider: type) -> None:
        from pydantic import create_model

        from ..adapters.providers._settings import ProviderSettings

        parameters = inspect.signature(provider).parameters.values()
        named = [each for each in parameters if each.kind in _BY_KEYWORD]
        own = type("Own", (ProviderSettings,), {"model_config": _LENIENT})
        fields: dict[str, Any] = {
            each.name: (
                _hint(provider, each.name),
                ... if each.default is each.empty else each.default,
            )
            for each in named
        }
        self._provider = provider
        self._names = fields.keys()
        self.Settings: type[BaseModel] = create_model(provider.__name__, __base__=own, **fields)

    def create(
        self, settings: Any, *, name: str, limits: TimeLimits, engine: HttpEngine | None
    ) -> LooseProvider:
        if settings.model is not None and "model" not in self._names:
            raise ConfigurationError(f"the provider {name!r} takes no model")
        given = settings.model_fields_set & self._names
        return self._provider(**{each: _plain(getattr(settings, each)) for each in given})


_BY_KEYWORD = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_LENIENT = {"arbitrary_types_allowed": True, "validate_default": False}


def _hint(provider: type, name: str) -> Any:
    """What a parameter says it takes; anything where that cannot be understood."""
    from pydantic import SecretStr

    from ..settings.sources import may_be_secret

    try:
        hint = get_type_hints(vars(provider)["__init__"]).get(name, Any)
    except (NameError, TypeError, KeyError):
        hint = Any
    if may_be_secret(name) and hint in {Any, str, str | None}:
        return SecretStr | None
    return hint


def _plain(value: Any) -> Any:
    from pydantic import SecretStr

    return value.get_secret_value() if isinstance(value, SecretStr) else value
