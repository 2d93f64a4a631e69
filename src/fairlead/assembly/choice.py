"""
Which providers answer.

The first: the argument, then `FAIRLEAD_PROVIDER`, then whatever has a key or has been declared
available, then the safe default. No provider is contacted that nobody named, gave a key or
declared available, and none stands in for another that was named without its key, unless a safe
default was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias, cast

from ..core.checks import in_words
from ..core.errors import ConfigurationError
from ..settings import resolve
from .sections import PROVIDERS, SECTIONS, choice_settings
from .targets import Choices, Described, Given, NotYet
from .vendors import (
    NOT_YET,
    brought,
    canonical,
    discover_providers,
    is_known,
    is_ours,
    unknown,
    vendor,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..core.provider import LooseProvider
    from ..settings import RawSettings, Resolved, Source
    from .sections import ChoiceSettings
    from .targets import Target

AUTOMATIC = ("openai", "lmstudio")
"""What may answer without having been named, in order, if it is usable."""
HOW_TO = (
    "no provider is configured: name one, as in 'openai:gpt-5.6-luna', set OPENAI_API_KEY, or set "
    "FAIRLEAD_SAFE_DEFAULT_PROVIDER to stub for answers made offline"
)


class ConfigurationWarning(UserWarning):
    """Something is configured in a way that is allowed, and should not go unseen."""


Named: TypeAlias = "str | LooseProvider"
"""How a provider is asked for: by a name, or itself."""


def choose(
    raw: RawSettings,
    *,
    provider: Named | None = None,
    model: str | None = None,
    fallback: Sequence[Named] | bool | None = None,
    safe_default: str | None = None,
) -> Choices:
    """
    The providers that *raw* and the arguments say.

    Args:
        raw: The settings.
        provider: `vendor`, `vendor:model` or the name of a section; by default the settings'.
        model: The first provider's model.
        fallback: What is asked next: names, which then have to be usable; True or None for what
            the settings say, which is passed over with a note where it is not; False for nothing.
        safe_default: What answers where nothing is configured and the settings name nothing.

    Raises:
        ConfigurationError: A name is unknown, a provider was named that lacks something, or
            nothing is configured.
    """
    choosing = _Choosing(raw, choice_settings(raw))
    if choosing.own.disable_providers:
        return choosing.disabled()
    first = choosing.first(provider, model, safe_default)
    if fallback is None or isinstance(fallback, bool):
        others = [] if fallback is False else choosing.configured()
    else:
        others = [choosing.usable(each) for each in _sequence(fallback)]
    return choosing.of([first, *others])


def section_of(raw: RawSettings, provider: Named | None) -> str:
    """
    The key below `providers` at which the options of *provider* stand; None is whoever answers.

    Raises:
        ConfigurationError: There is no provider of that name, or it is none that has options.
    """
    if provider is not None and not isinstance(provider, str):
        raise ConfigurationError(
            f"options are for providers that are named; build {type(provider).__name__} with them"
        )
    sections = _sections(raw)
    named = provider or choice_settings(raw).model.provider
    if named is None:
        usable = (name for name in AUTOMATIC if _is_usable(_described(raw, name, None)))
        named = next(usable, AUTOMATIC[0])
    name, _ = _split(named, sections)
    return sections.get(name, name)


def configured(raw: RawSettings) -> dict[str, str]:
    """
    The sections below `providers` that are not switched off: canonical name, and as it is written.

    Raises:
        ConfigurationError: There is a mistake in one of them. A missing key is none.
    """
    sections = _sections(raw)
    targets = {name: _described(raw, name, None) for name in sections}
    return {name: sections[name] for name, target in targets.items() if target.is_on}


def _is_usable(target: Target) -> bool:
    if isinstance(target, Described):
        target = _elsewhere(target)
    return target.lacks is None and target.is_declared


class _Choosing:
    """One choice, while it is made."""

    def __init__(self, raw: RawSettings, resolved: Resolved[ChoiceSettings]) -> None:
        self._raw = raw
        self._sources = resolved.sources
        self._notes: list[str] = []
        self._warnings: list[str] = []
        self._missing: list[str] = []
        self.own = resolved.model

    def of(self, targets: Sequence[Target]) -> Choices:
        """*targets*, each once, with what was noted on the way."""
        once: list[Target] = []
        for target in targets:
            if target not in once:
                once.append(target)
        return Choices(
            targets=tuple(once),
            notes=tuple(self._notes),
            warnings=tuple(self._warnings),
            missing=tuple(self._missing),
            last_resort=None if self.own.last_resort is None else self._safe(self.own.last_resort),
        )

    def disabled(self) -> Choices:
        stand_in = self.own.safe_default_provider or "null"
        self._notes.append(f"providers are disabled by {self._sources['disable_providers']}")
        return self.of([self._safe(stand_in)])

    def first(self, provider: Named | None, model: str | None, safe_default: str | None) -> Target:
        """Who is asked first."""
        if provider is None and self.own.provider is None:
            return self._automatic(model, safe_default)
        source = self._sources["provider"] if provider is None else None
        named = self.own.provider if provider is None else provider
        target = self._described(named, model, source)
        stand_in = self.own.safe_default_provider
        if target.lacks is None:
            return target
        if stand_in is None:
            raise ConfigurationError(f"{target.name!r} cannot be asked: {target.lacks}")
        self._warnings.append(
            f"{stand_in} answers instead of {target.name!r}, which cannot be asked: {target.lacks}"
        )
        return self._safe(stand_in)

    def configured(self) -> list[Target]:
        """The settings' fallbacks that can be asked, and are declared to be there."""
        if not self.own.fallback_enabled:
            return []
        named = [(name, "fallback") for name in self.own.fallback or ()]
        if self.own.use_local_fallback:
            named.append(("local", "use_local_fallback"))
        usable: list[Target] = []
        for name, key in named:
            target = self._described(name, None, self._sources[key])
            lack = target.lacks
            if lack is None and not target.is_declared:
                lack = "nothing says that it is there; set its address, or name it in code"
            if lack is None:
                usable.append(target)
            else:
                self._missing.append(target.name)
                self._notes.append(f"{name} is left out of the fallback: {lack}")
        return usable

    def usable(self, name: Named) -> Target:
        """A fallback that code names."""
        target = self._described(name, None, None)
        if target.lacks is not None:
            raise ConfigurationError(
                f"the fallback {target.name!r} cannot be asked: {target.lacks}"
            )
        return target

    def _automatic(self, model: str | None, safe_default: str | None) -> Target:
        lacking: list[str] = []
        for name in AUTOMATIC:
            target = self._described(name, None, None)
            if isinstance(target, Described):
                target = _with_model(_elsewhere(target), model, name)
                begun = bool(target.settings.model_fields_set)
                if target.lacks is None and target.is_declared:
                    self._notes += lacking
                    return target
                if target.lacks is not None and begun:
                    lacking.append(f"{target.name} cannot be asked: {target.lacks}")
        self._notes += lacking
        stand_in = self.own.safe_default_provider or safe_default
        if stand_in is None:
            raise ConfigurationError("; ".join(lacking) or HOW_TO)
        return self._safe(stand_in)

    def _safe(self, name: str) -> Target:
        """The safe default, which is what it says and nobody else."""
        target = self._described(name, None, None)
        if target.lacks is not None:
            raise ConfigurationError(f"the safe default {name!r} cannot be asked: {target.lacks}")
        return target

    def _described(self, name: object, model: str | None, source: Source | None) -> Target:
        if not isinstance(name, str):
            if model is not None:
                raise ConfigurationError(
                    f"model= is for providers that are named; build {type(name).__name__} with it"
                )
            return Given(name)
        return _described(self._raw, name, model, source)


@contextmanager
def _named_by(source: Source | None) -> Generator[None]:
    """Say of what is wrong with a name where it stands."""
    try:
        yield
    except ConfigurationError as error:
        if source is None:
            raise
        raise ConfigurationError(f"{source}: {error}") from None


def _described(
    raw: RawSettings, given: str, model: str | None, source: Source | None = None
) -> Target:
    sections = _sections(raw)
    with _named_by(source):
        name, named = _split(given, sections)
    section = sections.get(name, name)
    path = f"{PROVIDERS}.{section}"
    kind = raw.section(path).get("vendor")
    made_by = canonical(str(kind.value)) if kind else name
    if kind is not None and made_by != name and is_ours(name):
        raise ConfigurationError(
            f"{kind.source}: {section!r} is the name of a vendor itself; call a provider of "
            "another vendor something else"
        )
    if made_by in NOT_YET and made_by not in brought():
        return NotYet(name)
    with _named_by(source):
        found = vendor(made_by)
    is_namesake = made_by == name
    # A vendor's own variables, its key above all, are for the section that bears its name.
    settings = resolve(raw, path, found.Settings, aliases=is_namesake).model
    target = Described(
        name=name, section=section, vendor=found, settings=settings, is_namesake=is_namesake
    )
    if model and named and model != named:
        raise ConfigurationError(f"{given!r} names one model and model={model!r} another")
    with _named_by(source):
        return _with_model(target, model or named, given)


def _sections(raw: RawSettings) -> dict[str, str]:
    """The keys below `providers`, by their names in the canonical form."""
    found: dict[str, str] = {}
    for key in raw.section(PROVIDERS):
        name = canonical(key)
        if name in found:
            raise ConfigurationError(
                f"providers.{found[name]} and providers.{key} are one name; keep one of them"
            )
        if name.replace("-", "_") in SECTIONS:
            raise ConfigurationError(
                f"a provider cannot be called {key!r}: that is the name of a section of settings"
            )
        found[name] = key
    return found


def _split(given: str, sections: dict[str, str]) -> tuple[str, str | None]:
    """The provider and the model in *given*."""
    name, *rest = re.split("[:/]", given, maxsplit=1)
    for candidate, model in ((given, None), (name, rest[0] if rest else None)):
        wanted = canonical(candidate)
        if (wanted in sections or is_known(wanted)) and model != "":
            return wanted, model and model.strip()
    raise unknown("provider", given.strip(), sorted({*sections, *discover_providers()}))


def _with_model(target: Described, model: str | None, name: str) -> Described:
    if model is None:
        return target
    if "model" not in type(target.settings).model_fields:
        raise ConfigurationError(f"{name!r} takes no model")
    settings = target.settings.model_copy(update={"model": model})
    return Described(
        name=target.name,
        section=target.section,
        vendor=target.vendor,
        settings=settings,
        is_namesake=target.is_namesake,
    )


def _elsewhere(target: Described) -> Described:
    """
    *target*; a server that speaks as the vendor does, where an address of another is given.

    Such servers want no key, or one of their own, and not all that the vendor's models do.
    """
    if not getattr(target.settings, "is_elsewhere", False):
        return target
    kind = vendor("openai-compatible")
    values = target.settings.model_dump(exclude_unset=True)
    known = {name: values[name] for name in kind.Settings.model_fields if name in values}
    return Described(
        name="openai-compatible",
        section=target.section,
        vendor=kind,
        # They have been validated as what they are there.
        settings=kind.Settings.model_construct(**known),
        is_namesake=False,
    )


def _sequence(fallback: object) -> Sequence[Named]:
    if isinstance(fallback, str):
        return (fallback,)
    if isinstance(fallback, Sequence):
        return cast("Sequence[Named]", fallback)
    raise ConfigurationError(
        f"fallback is a list of providers, True, False or None, not {in_words(fallback)}"
    )
