"""Providers by name."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from ..assembly.choice import choose, configured, section_of
from ..assembly.validation import problems
from ..assembly.vendors import canonical, discover_providers, unknown
from ..container import Container
from ..core.closing import Closing
from ..core.errors import ConfigurationError
from ..core.health import ProviderHealth
from ..core.models import ModelInfo
from ..core.redact import shown
from ..settings import load
from .closing import close_all
from .health import side_by_side
from .opening import opened
from .provider import Provider

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from ..core.provider import LooseProvider, ProviderPort
    from ..settings import RawSettings

D = TypeVar("D")
_NONE: Any = object()


class _Name(NamedTuple):
    """What a name stands for, however it is written."""

    key: str
    section: str
    """The same without the model; disabling it disables all its models."""


class _Held(NamedTuple):
    name: _Name
    label: str
    provider: Provider
    given: object = None
    """What was registered, which the provider was made of."""


class ProviderRegistry(Closing):
    """
    Holds providers by name, and builds those that are asked for and not there yet.

    `registry[name]`, `in`, `len()` and iteration see those that are configured, registered or
    have been asked for, and are enabled; `get` reaches further, to every vendor that is known.
    Names are understood as `open_provider` understands them: `"OpenAI"` is `"openai"`. Safe for
    threads. Whoever made it closes it, and so all that it holds.

    Args:
        config: A file of settings, as for `open_provider`. It is read now, and its sections
            below `providers` are there from the beginning, each built when it is first needed.

    Raises:
        ConfigurationError: The file is not there, or there is a mistake in it.
    """

    def __init__(self, *, config: str | os.PathLike[str] | None = None) -> None:
        self._config = config
        self._raw: RawSettings | None = None
        self._configured: dict[str, str] = {}
        self._held: dict[str, _Held] = {}
        self._disabled: set[str] = set()
        self._lock = RLock()
        self._settings()

    def __repr__(self) -> str:
        return f"<ProviderRegistry {', '.join(self) or 'of none'}>"

    def register(
        self, name: str, provider: ProviderPort | LooseProvider, /, *, replace: bool = False
    ) -> Provider:
        """
        Hold *provider* under *name*.

        Args:
            name: What `get` finds it by.
            provider: A provider, or a class that needs no arguments. It is closed with the
                registry, once, under however many names it is held.
            replace: Whether it may take the place of another, which is then yours to close.

        Raises:
            ConfigurationError: The name is taken, or it does not fit the port, where the message
                lists what has to change; or the class cannot be built.
        """
        if not isinstance(name, str) or not name.strip():
            raise ConfigurationError(f"a provider's name is a string and not empty, not {name!r}")
        key = canonical(name)
        with self._lock:
            if key in self._held and not replace:
                raise ConfigurationError(
                    f"the name {name!r} is taken; pass replace=True to replace it"
                )
            if reasons := problems(provider):
                raise ConfigurationError(f"{name!r} is no provider: {'; '.join(reasons)}")
            made = _built(name, provider) if isinstance(provider, type) else provider
            held = self._holding(made)
            self._held[key] = _Held(_Name(key, key), name, held, made)
        return held

    def _holding(self, made: object) -> Provider:
        """*made*, as it is held already if it is."""
        for held in self._held.values():
            if made is held.given or made is held.provider:
                return held.provider
        return made if isinstance(made, Provider) else Provider(made)

    def unregister(self, name: str) -> Provider:
        """
        Hold *name* no more, and return what was held under it, which is then yours to close.

        What the settings describe is built anew when it is next asked for; `disable` it to keep
        it from that.

        Raises:
            ConfigurationError: Nothing is held under that name.
        """
        with self._lock:
            found = self._find(name)
            held = self._held.pop(found.key, None) if found is not None else None
            if held is None:
                raise ConfigurationError(f"nothing is held under the name {shown(str(name), 80)!r}")
        return held.provider

    @overload
    def get(self, name: str) -> Provider: ...
    @overload
    def get(self, name: str, default: D) -> Provider | D: ...
    def get(self, name: str, default: Any = _NONE) -> Any:
        """
        The provider called *name*, built now if it is not there yet.

        Raises:
            ConfigurationError: There is no such provider, and no *default*; it is disabled, or
                cannot be built.
        """
        with self._lock:
            found = self._find(name)
            if found is None:
                if default is not _NONE:
                    return default
                raise self._unknown(name)
            for disabled in found:
                if disabled in self._disabled:
                    raise ConfigurationError(
                        f"the provider {name!r} is disabled; call enable({disabled!r})"
                    )
            return self._built(found)

    def _built(self, name: _Name) -> Provider:
        """What *name* stands for, built if it is not there yet."""
        with self._lock:
            held = self._held.get(name.key)
            if held is None:
                raw = self._settings()
                choices = choose(raw, provider=name.key, fallback=False)
                built = opened(Container(settings=raw, choices=choices))
                label = self._configured.get(name.key, name.key)
                held = self._held[name.key] = _Held(name, label, built)
            return held.provider

    def __getitem__(self, name: str) -> Provider:
        found = self._find(name)
        if found is None or found not in self._enabled():
            raise KeyError(name)
        return self._built(found)

    def __contains__(self, name: object) -> bool:
        return self._find(name) in self._enabled()

    def __iter__(self) -> Iterator[str]:
        return iter(self.list_providers())

    def __len__(self) -> int:
        return len(self._enabled())

    def __bool__(self) -> bool:
        return True

    def list_providers(self) -> list[str]:
        """The names of all that are there and enabled: configured ones, then as they came."""
        return list(self._enabled().values())

    keys = list_providers

    def values(self) -> list[Provider]:
        """The providers of those names, in that order, built if need be. Raises as `get`."""
        return [self._built(name) for name in self._enabled()]

    def items(self) -> list[tuple[str, Provider]]:
        """Both."""
        return [(label, self._built(name)) for name, label in self._enabled().items()]

    def enable(self, name: str) -> None:
        """Let *name* be asked for again. Raises as `disable`."""
        with self._lock:
            self._disabled.discard(self._known(name).key)

    def disable(self, name: str) -> None:
        """
        Let `get` refuse *name*, and leave it out of lists and health checks.

        A vendor or section is disabled with all its models, `vendor:model` alone.

        Raises:
            ConfigurationError: There is no such provider.
        """
        with self._lock:
            self._disabled.add(self._known(name).key)

    def default_model(self, name: str) -> str | None:
        """The model that *name* asks unless a call names another. Raises as `get`."""
        return self.get(name).model.name

    def capabilities(self) -> dict[str, dict[str, Any]]:
        """What is known of each enabled provider's model: True, False, a number, or None."""
        return {
            name: {entry.name: getattr(provider.model, entry.name) for entry in _FIELDS}
            for name, provider in self.items()
        }

    async def health_check_all(self) -> dict[str, ProviderHealth]:
        """
        The health of each enabled provider, asked side by side, each within 5 s.

        One that the settings describe and that cannot be built is misconfigured.
        """
        told: dict[str, ProviderHealth] = {}
        asked: dict[str, Provider] = {}
        for name, label in self._enabled().items():
            told[label] = ProviderHealth(name=label, healthy=None)  # the place that it has
            try:
                asked[label] = self._built(name)
            except ConfigurationError as error:
                told[label] = replace(
                    told[label], healthy=False, error=str(error), misconfigured=True
                )
        found = await side_by_side(list(asked.values()))
        own = zip(asked, found, strict=True)
        return told | {label: replace(health, name=label) for label, health in own}

    async def reset(self) -> None:
        """Close all providers, and hold none. Settings are read anew after it."""
        with self._lock:
            held, self._held = self._held, {}
            self._disabled.clear()
            self._raw = None
        await close_all(each.provider for each in held.values())

    async def aclose(self) -> None:
        """Close all providers, and hold none."""
        await self.reset()

    async def close(self) -> None:
        """The same as `aclose`."""
        await self.reset()

    def _enabled(self) -> dict[_Name, str]:
        """All that are there and enabled, each as it is to be listed."""
        with self._lock:
            self._settings()
            there = {_Name(key, key): label for key, label in self._configured.items()}
            there |= {held.name: held.label for held in self._held.values()}
            return {name: label for name, label in there.items() if self._disabled.isdisjoint(name)}

    def _settings(self) -> RawSettings:
        with self._lock:
            if self._raw is None:
                named = self._config is not None
                raw = load(file=self._config) if named else Container.settings()
                self._configured = configured(raw)
                self._raw = raw
            return self._raw

    def _find(self, name: object) -> _Name | None:
        """What *name* stands for: what is held, else a section or a vendor."""
        if not isinstance(name, str):
            return None
        held = self._held.get(canonical(name))
        if held is not None:
            return held.name
        raw = self._settings()
        try:
            section = canonical(section_of(raw, name))
        except ConfigurationError:
            return None
        if section == canonical(name):
            return _Name(section, section)
        model = re.split("[:/]", name, maxsplit=1)[1].strip()
        return _Name(f"{section}:{model}", section)

    def _known(self, name: str) -> _Name:
        found = self._find(name)
        if found is None:
            raise self._unknown(name)
        return found

    def _unknown(self, name: object) -> ConfigurationError:
        registered = [held.label for held in self._held.values()]
        sections = self._settings().section("providers")
        return unknown(
            "provider", str(name), sorted({*registered, *sections, *discover_providers()})
        )


def _built(name: str, kind: type) -> object:
    try:
        return kind()
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(
            f"{name!r} cannot be built: {kind.__name__}() raised {type(error).__name__}: "
            f"{shown(str(error))}; hand over an object if it needs arguments"
        ) from error


_FIELDS = fields(ModelInfo)
