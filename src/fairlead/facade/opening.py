"""Builds providers from names and settings."""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING, Any, cast

from ..assembly.choice import ConfigurationWarning, choose, section_of
from ..assembly.order import Use
from ..assembly.sections import PROVIDERS, SECTIONS
from ..container import Container
from ..core.checks import in_words
from ..core.errors import ConfigurationError
from ..settings import RawSettings, load
from .provider import Provider

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from ..adapters.http.port import HttpEngine
    from ..core.provider import LooseProvider, ProviderPort


def open_provider(
    provider: str | ProviderPort | LooseProvider | None = None,
    /,
    *,
    model: str | None = None,
    fallback: Sequence[str | ProviderPort | LooseProvider] | bool | None = None,
    decorators: Sequence[Use] = (),
    config: str | os.PathLike[str] | None = None,
    env_file: str | os.PathLike[str] | None = None,
    safe_default: str | None = None,
    engine: HttpEngine | None = None,
    **options: Any,
) -> Provider:
    """
    A provider, with everything round it that keeps the line running.

    ::

        async with open_provider("openai:gpt-5.6-luna", fallback=["offline"]) as provider:
            print(await provider.generate("Explain ports and adapters."))

    Values come from the arguments, then the environment, then *env_file*, then *config*, then
    the defaults.

    Args:
        provider: `vendor`, `vendor:model`, the name of a section of the settings, or a provider
            of your own; by default what the settings say, or what has a key.
        model: The model that answers unless a call names another.
        fallback: What is asked next, in order; True or None for what the settings say, False for
            nothing.
        decorators: Policies of your own, each with its place.
        config: A file of settings: YAML, TOML, JSON or Python.
        env_file: A file of variables, which is read only if it is named here.
        safe_default: What answers where nothing is configured, such as `"offline"`.
        engine: What moves the bytes of all providers. It stays yours to close.
        options: Sections of the settings, as in `retry={"max_retries": 1}`; everything else is
            the provider's own, as in `api_key=` or `base_url=`.

    Raises:
        ConfigurationError: Something of that cannot be built; nothing has been contacted.
    """
    if engine is not None and not {"http", "tls"}.isdisjoint(options):
        raise ConfigurationError("http= and tls= describe the engine that engine= replaces")
    named = config is not None or env_file is not None
    raw = load(file=config, env_file=env_file) if named else Container.settings()
    raw = _over(raw, provider, options)
    choices = choose(
        raw, provider=provider, model=model, fallback=fallback, safe_default=safe_default
    )
    leaves: dict[str, Any] = {} if engine is None else {"engine": engine}
    policies = (*Container.decorators(), *_checked(decorators))
    return opened(Container(settings=raw, choices=choices, decorators=policies, **leaves))


def opened(container: Container) -> Provider:
    """
    The provider that *container* describes. Closing it closes what was built for it.

    Raises:
        ConfigurationError: It cannot be built.
    """
    choices = container.choices()
    pipeline = container.pipeline()
    for warning in (*choices.warnings, *container.pipeline_settings().warnings):
        _warn(warning)
    notes = (*choices.notes, *choices.warnings)
    for note in notes:
        container.log().record("warning", "not as configured", {"reason": note})
    leaves: list[Any] = [container.cache, container.budgets, container.ledger]
    if choices.over_http:
        leaves.append(container.engine)
    owned = [leaf() for leaf in leaves if not leaf.overridden]
    return Provider(pipeline, owned=[each for each in owned if each is not None], notes=notes)


def _over(raw: RawSettings, provider: object, options: dict[str, Any]) -> RawSettings:
    """*raw*, with the caller's keywords in its sections."""
    if not options:
        return raw
    sections = {name: value for name, value in options.items() if name in SECTIONS}
    own = {name: value for name, value in options.items() if name not in SECTIONS}
    if own:
        sections[PROVIDERS] = {section_of(raw, provider): own}
    given = load(environ={}, arguments=sections)
    return RawSettings((*given.layers, *raw.layers))


def _checked(decorators: object) -> tuple[Use, ...]:
    if not isinstance(decorators, (list, tuple)):
        raise ConfigurationError(f"decorators is a list of Use(...), not {in_words(decorators)}")
    policies = cast("Sequence[object]", decorators)
    for policy in policies:
        if not isinstance(policy, Use):
            name = getattr(policy, "__name__", type(policy).__name__)
            raise ConfigurationError(f"each of the decorators has to be a Use(...): Use({name})")
    return tuple(cast("Sequence[Use]", policies))


def _warn(message: str) -> None:
    """Warn where our own code was called from."""
    level, frame = 1, inspect.currentframe()
    while frame and str(frame.f_globals.get("__name__")).startswith("fairlead."):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, ConfigurationWarning, stacklevel=level)
