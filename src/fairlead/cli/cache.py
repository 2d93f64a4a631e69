"""`fairlead cache …`: the answers that are kept in a file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import anyio
import typer

from ..core.errors import ConfigurationError
from .asked import Files, takes
from .listing import Json  # noqa: TC001 - typer reads the annotation
from .output import print_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..adapters.stores.cache_sqlite import SqliteCache

T = TypeVar("T")

app: typer.Typer = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def cache() -> None:
    """
    See to the answers that are kept in a file, as the settings of the cache say.

    For example:

      fairlead cache stats

      fairlead cache clear
    """


@app.command()
@takes(Files)
def stats(files: Files, as_json: Json = False) -> None:
    """
    Tell how many answers are kept, and how much room they take.

    For example:

      fairlead cache stats --config fairlead.yaml
    """
    store = _store(files)
    told = _run(store, store.stats)
    if as_json:
        path, room = str(store.path), told.max_bytes
        print_json({"path": path, "entries": told.entries, "bytes": told.bytes, "max_bytes": room})
    else:
        size = f"{told.bytes:,} of {told.max_bytes:,} bytes"
        typer.echo(f"{store.path}: {told.entries} entries, {size}")


@app.command()
@takes(Files)
def clear(files: Files) -> None:
    """
    Forget all answers that are kept.

    For example:

      fairlead cache clear
    """
    store = _store(files)
    told = _run(store, store.stats)
    _run(store, store.clear)
    typer.echo(f"{store.path}: {told.entries} entries are forgotten")


def _store(files: Files) -> SqliteCache:
    """The file of the settings."""
    from ..adapters.stores.cache_sqlite import SqliteCache
    from ..assembly.build import PipelineSettings
    from ..assembly.leaves import cache_store
    from ..settings import load

    settings = PipelineSettings.of(load(file=files.config, env_file=files.env_file))
    store = cache_store(replace(settings, cache=settings.cache.model_copy(update={"mode": "on"})))
    if not isinstance(store, SqliteCache):
        raise ConfigurationError(
            'no answers are kept in a file: that takes cache.store = "sqlite" in the settings'
        )
    return store


def _run(store: SqliteCache, work: Callable[[], Awaitable[T]]) -> T:
    async def run() -> T:
        try:
            return await work()
        finally:
            await store.aclose()

    return anyio.run(run)
