"""
One pipeline for all who ask for the same, so that breakers and limits are real.

Settings are read when a provider is first asked for; `reset_provider_cache()` lets go of all, and
the next caller reads them anew.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from contextlib import suppress
from threading import RLock
from typing import TYPE_CHECKING, NamedTuple, overload
from weakref import WeakSet

import anyio

from ..assembly.choice import choose
from ..container import Container
from .closing import close_all
from .opening import opened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from ..adapters.http.port import HttpEngine
    from ..assembly.build import PipelineSettings
    from ..assembly.sections import HttpClientSettings, TlsSettings
    from ..assembly.targets import Choices
    from ..core.embeddings import Embedding, Embeddings
    from ..core.messages import Prompt
    from ..core.requests import EmbedOptions, GenerateOptions
    from ..core.results import Generation
    from .provider import Provider


MOST = 128
"""How many different ways of asking are remembered; the one asked longest ago is forgotten."""
PATIENCE = 30.0
"""Seconds that a reset gives to calls that are under way."""


class _Asked(NamedTuple):
    provider: str | None
    fallback: bool | str | tuple[str, ...]
    model: str | None


class _Shared(NamedTuple):
    choices: Choices
    settings: PipelineSettings
    provider: Provider


class _Engine(NamedTuple):
    settings: tuple[TlsSettings, HttpClientSettings, bool]
    engine: HttpEngine


class _Cache:
    """
    The shared providers, until they are let go of.

    Pipelines of the same settings share one engine, so forgetting one closes nothing.
    """

    def __init__(self) -> None:
        self._asked_for: OrderedDict[_Asked, Provider] = OrderedDict()
        self._built: list[_Shared] = []
        self._engines: list[_Engine] = []
        self._alive: WeakSet[Provider] = WeakSet()
        """Those that somebody still holds, forgotten ones too."""

    def known(self, asked: _Asked) -> Provider | None:
        """What has been built for it."""
        found = self._asked_for.get(asked)
        if found is not None:
            with suppress(KeyError):  # another thread may just have forgotten it
                self._asked_for.move_to_end(asked)
        return found

    def build(self, asked: _Asked) -> Provider:
        """What answers it, from now on."""
        found = self._asked_for[asked] = self._found(asked)
        self._alive.add(found)
        if len(self._asked_for) > MOST:
            self._asked_for.popitem(last=False)
            known = {id(provider) for provider in self._asked_for.values()}
            self._built = [each for each in self._built if id(each.provider) in known]
        return found

    def _found(self, asked: _Asked) -> Provider:
        raw = Container.settings()
        choices = choose(raw, provider=asked.provider, model=asked.model, fallback=asked.fallback)
        container = Container(settings=raw, choices=choices)
        settings = container.pipeline_settings()
        for built in self._built:
            if (built.choices, built.settings) == (choices, settings):
                return built.provider
        is_ours = not container.engine.overridden  # pyright: ignore[reportUnknownMemberType]
        if is_ours and choices.over_http:
            engine = self._engine(container)
            container.engine.override(engine)  # pyright: ignore[reportUnknownMemberType]
        provider = opened(container)
        self._built.append(_Shared(choices, settings, provider))
        return provider

    def _engine(self, container: Container) -> HttpEngine:
        choices, settings = container.choices(), container.pipeline_settings()
        plain = any(target.allow_plain_http for target in choices.targets)
        own = (settings.tls, settings.http, plain)
        for built in self._engines:
            if built.settings == own:
                return built.engine
        engine = container.engine()
        self._engines.append(_Engine(own, engine))
        return engine

    async def aclose(self) -> None:
        """Close all, once their calls are over or have had their time."""
        providers = list(self._alive)
        try:
            with anyio.move_on_after(PATIENCE):
                while any(provider.running.here() for provider in providers):  # noqa: ASYNC110
                    await anyio.sleep(0.02)  # they end in any thread: a finaliser's, for one
        finally:
            await close_all([*providers, *(each.engine for each in self._engines)])


_cache = _Cache()
_building = RLock()
_of_parents: list[_Cache] = []
"""What a forked process has of its parent: kept, since the sockets are not ours to close."""


def get_provider(
    provider_type: str | None = None,
    fallback: bool | Sequence[str] = True,  # noqa: FBT001, FBT002  the order is well known
    *,
    model: str | None = None,
) -> Provider:
    """
    The provider that the environment describes, shared by all who ask for the same.

    It is closed by `reset_provider_cache()`, not by those who use it. The 128 ways of asking
    that were used last are remembered; for another, and in a forked process, it is built anew.

    Args:
        provider_type: `vendor`, `vendor:model` or the name of a section.
        fallback: Whether the settings' further providers are asked when the first cannot
            answer; or which.
        model: The model that answers unless a call names another.

    Raises:
        ConfigurationError: It cannot be built; nothing has been contacted.
    """
    wanted = fallback if isinstance(fallback, (bool, str)) else tuple(fallback)
    asked = _Asked(provider_type, wanted, model)
    found = _cache.known(asked)
    if found is None:
        with _building:
            found = _cache.known(asked) or _cache.build(asked)
    return found


async def reset_provider_cache() -> None:
    """
    Close all shared providers. Who asks for one next gets a new one, of settings read anew.

    Calls of this event loop that are under way, streams included, are given 30 s to end, or less
    if the reset is cancelled; those that are left then fail, and ask nobody once more.
    """
    global _cache
    with _building:
        old, _cache = _cache, _Cache()
    await old.aclose()


def _forget() -> None:
    """Begin anew in a forked process, where another thread may have been building."""
    global _cache, _building
    _of_parents.append(_cache)
    _cache, _building = _Cache(), RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


async def complete(
    prompt: Prompt,
    *,
    provider_type: str | None = None,
    fallback: bool | Sequence[str] = True,
    **options: Unpack[GenerateOptions],
) -> Generation:
    """The answer of the shared provider; see `get_provider` and `ProviderPort.generate`."""
    return await get_provider(provider_type, fallback).generate(prompt, **options)


acomplete = complete


@overload
async def embed(
    text: str,
    *,
    provider_type: str | None = None,
    fallback: bool | Sequence[str] = True,
    **options: Unpack[EmbedOptions],
) -> Embedding: ...
@overload
async def embed(
    text: list[str] | tuple[str, ...],
    *,
    provider_type: str | None = None,
    fallback: bool | Sequence[str] = True,
    **options: Unpack[EmbedOptions],
) -> Embeddings: ...
async def embed(
    text: str | list[str] | tuple[str, ...],
    *,
    provider_type: str | None = None,
    fallback: bool | Sequence[str] = True,
    **options: Unpack[EmbedOptions],
) -> Embedding | Embeddings:
    """The vector of a string, or the vectors of a list of them, from the shared provider."""
    return await get_provider(provider_type, fallback).aembed(text, **options)


aembed = embed
