"""Which provider the command line asks, as far as that is special to it."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from pydantic import SecretStr

from ..assembly.choice import ConfigurationWarning, choose, section_of
from ..assembly.sections import choice_settings
from ..assembly.targets import Described
from ..assembly.vendors import vendor
from ..core.calls import find
from ..core.errors import ConfigurationError, ProviderError
from ..core.limits import TimeLimits
from ..decorators.cost import CostTrackingProvider
from ..facade import open_provider
from ..settings import load, resolve
from ..settings.sources import may_be_secret
from .dry_run import RecordingEngine
from .failures import in_words, say, warn
from .sections import known, mistakes_in

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from ..adapters.http.port import HttpEngine
    from ..assembly.sections import ChoiceSettings
    from ..assembly.targets import Target
    from ..facade import Provider
    from ..settings import RawSettings
    from .asked import Asked, Files

OFFLINE = (
    "offline: no model was asked. Set OPENAI_API_KEY, or name a server with --base-url or "
    "OPENAI_BASE_URL."
)
UNKNOWN = "unknown"
"""Stands for a server's model where none is asked."""
NO_KEY = "none"
"""Stands for a key where nothing is sent."""
_BOOKS_NOTHING: dict[str, Any] = {
    "budgets": {"file": None},
    "cache": {"mode": "off"},
    "ledger": {"enabled": False},
}
"""The settings of those that nothing is sent to."""


@runtime_checkable
class ListsModels(Protocol):
    """Something that can say which models it has."""

    @property
    def name(self) -> str: ...
    async def list_models(self) -> tuple[str, ...]:
        """Their names, asked now."""
        ...


async def opened(
    asked: Asked,
    *,
    engine: HttpEngine | None = None,
    any_model: bool = False,
    quiet: bool = False,
) -> Provider:
    """
    The provider to ask, which the caller closes. What the person should know is said.

    A server named by `--base-url` gets a key only if `--api-key-env` says which: a key is not
    sent to an address that it was not meant for. A server for which no model is named is asked
    for its only one.

    Args:
        asked: What the person wants.
        engine: What is used instead of a network.
        any_model: Whether no model is going to answer, so that its name is of no interest.
        quiet: Whether it is of no interest either that nobody is going to be asked.

    Raises:
        ConfigurationError: What was asked for cannot be built.
        ProviderError: The server does not say which models it has, and nobody else is to be asked.
    """
    _check(asked)
    with _counted(asked.config):
        raw = load(file=asked.config, env_file=asked.env_file)
        target, options = _target(asked, raw)
        model = asked.model
        fallback = asked.fallback or (False if asked.offline else None)
        if model is None and _wants_a_model(asked, raw):
            if any_model:
                model = UNKNOWN
            elif engine is None:
                try:
                    model = await _only_model(asked, target, options)
                except ProviderError as error:
                    target, *others = _others(asked, raw, error)
                    fallback, options = others or False, {}
            else:
                msg = "say with --model which model is meant: the server is not asked for its own"
                raise ConfigurationError(msg)
        provider, notes = _open(asked, target, model, options, engine, fallback)
    stands_in = _stands_in(provider, asked, choice_settings(raw).model)
    if stands_in and asked.model and choice_settings(raw).model.safe_default_provider is None:
        await provider.aclose()
        msg = f"--model {asked.model} needs a key in OPENAI_API_KEY, or a server: --base-url URL"
        raise ConfigurationError(msg)
    warn(*notes)
    if stands_in and not quiet:
        say(OFFLINE)
    return provider


async def counting(asked: Asked) -> Provider:
    """
    The provider whose model counts, which the caller closes.

    Nothing can be sent through it, so it needs no key; a model needs no provider by its side.

    Raises:
        ConfigurationError: What was asked for cannot be built.
    """
    _check(asked)
    with _counted(asked.config):
        raw = load(file=asked.config, env_file=asked.env_file)
        target, options = _target(asked, raw)
        if target is None and asked.model and choice_settings(raw).model.provider is None:
            target = section_of(raw, None)
        model = asked.model
        if model is None and _wants_a_model(asked, raw):
            model = UNKNOWN
        if target is not None or choice_settings(raw).model.provider is not None:
            section = section_of(raw, target)
            found = next((each for each in known(raw) if each.name == section), None)
            missing = getattr(found and found.resolved and found.resolved.model, "missing", None)
            if missing and may_be_secret(missing):
                options.setdefault(missing, NO_KEY)
        return _open(asked, target, model, options, RecordingEngine(), False)[0]


def tell_unbooked(provider: Provider) -> None:
    """Tell of what a ledger lacks once *provider* is closed; its log has few readers here."""
    tracker = find(provider, CostTrackingProvider)
    missing = tracker.waiting + tracker.lost if tracker is not None else 0
    if missing:
        what = "attempt is" if missing == 1 else "attempts are"
        warn(f"{missing} {what} not in the ledger, which cannot be written; --debug says why")


def who_answers(files: Files) -> tuple[Target, ...]:
    """
    Who would be asked, in order, if nothing else were said. Nobody is contacted.

    Raises:
        ConfigurationError: Nobody can be.
    """
    raw = load(file=files.config, env_file=files.env_file)
    model = UNKNOWN if _wants_a_model(None, raw) else None
    return choose(raw, model=model, safe_default="offline").targets


def name_of(target: Target) -> str:
    """Its section, and the model that it answers with where that is known."""
    if not isinstance(target, Described):
        return target.name
    model = model_of(target)
    return f"{target.section}:{model}" if model and model != UNKNOWN else target.section


def model_of(target: Described) -> str | None:
    """The model that it answers with unless told otherwise; None if nobody says."""
    missing: str | None = getattr(target.settings, "missing", None)
    settings = target.keys[0].target.settings if target.keys else target.settings
    if missing and may_be_secret(missing):
        settings = settings.model_copy(update={missing: SecretStr(NO_KEY)})
    elif missing:
        return None
    try:
        built = target.vendor.create(
            settings, name=target.name, limits=TimeLimits(), engine=RecordingEngine()
        )
    except Exception:  # noqa: BLE001 - whatever somebody's vendor raises
        return None
    return model_name(built)


def model_name(provider: object) -> str | None:
    """The model of *provider*, which others may have written; None if it does not say."""
    model: object = getattr(provider, "model", None)
    name: object = getattr(model, "name", model)
    return name if isinstance(name, str) else None


def _own_model(target: Described) -> str | None:
    return getattr(target.settings, "model", None)


@contextmanager
def _counted(file: Path | None) -> Generator[None]:
    """Say of a mistake in *file* how many others there are."""
    try:
        yield
    except ConfigurationError as error:
        said = str(error)
        mistakes = mistakes_in(file) if file is not None else ()
        others = [str(each) for each in mistakes if str(each) not in said]
        if not others or str(file) not in said:
            raise
        raise ConfigurationError(
            f"{said}; and {len(others)} more: fairlead config check {file}"
        ) from error


def _others(asked: Asked, raw: RawSettings, error: ProviderError) -> list[str]:
    """Who is asked instead of a server that could not be asked for its models."""
    chosen = choose(raw, provider="null", fallback=asked.fallback or None)
    targets = [target for target in chosen.targets[1:] if isinstance(target, Described)]
    names = [
        f"{target.section}:{model}" if (model := _own_model(target)) else target.section
        for target in targets
    ]
    if not names:
        raise error
    warn(f"{', then '.join(names)} is asked instead: {in_words(error)}")
    return names


def _stands_in(provider: Provider, asked: Asked, own: ChoiceSettings) -> bool:
    """Whether it is the offline provider that answers, without anybody having asked for it."""
    is_named = asked.names_one or own.provider is not None or own.disable_providers
    return provider.name == "offline" and not is_named


def _check(asked: Asked) -> None:
    named = {
        "--offline": asked.offline,
        "--base-url": asked.base_url is not None,
        "--provider": asked.provider is not None,
    }
    both = [name for name, is_given in named.items() if is_given]
    if len(both) > 1:
        each = "both say" if len(both) == 2 else "all say"
        msg = f"{' and '.join(both)} {each} who is asked; leave all but one of them out"
        raise ConfigurationError(msg)


def _target(asked: Asked, raw: RawSettings) -> tuple[str | None, dict[str, Any]]:
    options: dict[str, Any] = {}
    if asked.offline:
        return "offline", options
    if asked.allow_plain_http:
        options["allow_plain_http"] = True
    if asked.base_url is not None:
        # Whatever else is configured for such servers is meant for another address.
        options |= {"base_url": asked.base_url, "api_key": None, "headers": {}}
    if asked.api_key_env is not None:
        options["api_key"] = _variable(raw, asked.api_key_env)
    return "openai-compatible" if asked.base_url is not None else asked.provider, options


def _variable(raw: RawSettings, name: str) -> str:
    for layer in raw.variables:
        if name in layer:
            return str(layer[name].value)
    msg = f"--api-key-env names {name}, which is not set"
    raise ConfigurationError(msg)


def _wants_a_model(asked: Asked | None, raw: RawSettings) -> bool:
    """Whether it is a server that is asked, and nobody says for which of its models."""
    if asked is not None and asked.base_url is not None:
        return True
    if (asked is not None and asked.names_one) or choice_settings(raw).model.provider is not None:
        return False
    openai: Any = resolve(raw, "providers.openai", vendor("openai").Settings).model
    return openai.is_elsewhere and openai.model is None


async def _only_model(asked: Asked, target: str | None, options: dict[str, Any]) -> str:
    provider, _ = _open(asked, target, UNKNOWN, options, None, False)
    async with provider as asking:
        lister = find(asking, ListsModels)
        offered = await lister.list_models() if lister is not None else ()
    if len(offered) == 1:
        return offered[0]
    names = ", ".join(offered[:20]) or "none"
    where = asked.base_url or "the server"
    raise ConfigurationError(f"say which model of {where} to ask with --model; it offers {names}")


def _open(
    asked: Asked,
    target: str | None,
    model: str | None,
    options: dict[str, Any],
    engine: HttpEngine | None,
    fallback: Sequence[str] | bool | None,
) -> tuple[Provider, list[str]]:
    """The provider, and what should be known of it. Without a network nothing is booked or kept."""
    if engine is not None:
        options = {**options, **_BOOKS_NOTHING}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConfigurationWarning)
        provider = open_provider(
            target,
            model=model,
            fallback=fallback,
            config=asked.config,
            env_file=asked.env_file,
            safe_default="offline",
            engine=engine,
            **options,
        )
    told = [str(each.message) for each in caught]
    return provider, list(dict.fromkeys([*told, *provider.notes]))
