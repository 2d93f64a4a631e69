"""The functions of the facade, for synchronous callers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from ._loop import background_loop
from ._provider import SyncProvider

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import Unpack

    from ..adapters.http.port import HttpEngine
    from ..assembly.order import Use
    from ..core.embeddings import Embedding, Embeddings
    from ..core.messages import Prompt
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.requests import EmbedOptions, GenerateOptions
    from ..core.results import Generation


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
) -> SyncProvider:
    """
    A provider, with everything round it that keeps the line running; see `fairlead.open_provider`.

    ::

        with open_provider("openai:gpt-5.6-luna", fallback=["offline"]) as provider:
            print(provider.generate("Explain ports and adapters."))

    Raises:
        ConfigurationError: Something of that cannot be built; nothing has been contacted.
    """
    from .. import facade

    return SyncProvider(
        facade.open_provider(
            provider,
            model=model,
            fallback=fallback,
            decorators=decorators,
            config=config,
            env_file=env_file,
            safe_default=safe_default,
            engine=engine,
            **options,
        )
    )


def get_provider(
    provider_type: str | None = None,
    fallback: bool | Sequence[str] = True,  # noqa: FBT001, FBT002 - as in the facade
    *,
    model: str | None = None,
) -> SyncProvider:
    """
    The provider that the environment describes, shared by all; see `fairlead.get_provider`.

    It is closed by `reset_provider_cache()`, not by those who use it.

    Raises:
        ConfigurationError: It cannot be built; nothing has been contacted.
    """
    from .. import facade

    return SyncProvider(facade.get_provider(provider_type, fallback, model=model))


def reset_provider_cache() -> None:
    """Close all shared providers. Who asks for one next gets a new one, of settings read anew."""
    from .. import facade

    background_loop().run(facade.reset_provider_cache)


def complete(
    prompt: Prompt,
    *,
    provider_type: str | None = None,
    fallback: bool | Sequence[str] = True,
    **options: Unpack[GenerateOptions],
) -> Generation:
    """The answer of the shared provider; see `get_provider` and `ProviderPort.generate`."""
    return get_provider(provider_type, fallback).generate(prompt, **options)


@overload
def embed(
    text: str,
    *,
    provider_type: str | None = None,
    fallback: bool | Sequence[str] = True,
    **options: Unpack[EmbedOptions],
) -> Embedding: ...
@overload
def embed(
    text: list[str] | tuple[str, ...],
    *,
    provider_type: str | None = None,
    fallback: bool | Sequence[str] = True,
    **options: Unpack[EmbedOptions],
) -> Embeddings: ...
def embed(
    text: str | list[str] | tuple[str, ...],
    *,
    provider_type: str | None = None,
    fallback: bool | Sequence[str] = True,
    **options: Unpack[EmbedOptions],
) -> Embedding | Embeddings:
    """The vector of a string, or the vectors of a list of them, from the shared provider."""
    return get_provider(provider_type, fallback).embed(text, **options)
