"""`fairlead tokens …`: the vocabularies that tokens are counted exactly with."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from ..core.errors import ConfigurationError
from .listing import Json  # noqa: TC001 - typer reads the annotation
from .output import print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..adapters.tokenizers.vocabularies import Vocabulary

app: typer.Typer = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def tokens() -> None:
    """
    See to the vocabularies that tokens are counted exactly with.

    Without them counts are estimates. Nothing is ever downloaded but by "fetch".

    For example:

      fairlead tokens list

      fairlead tokens fetch o200k_base
    """


@app.command()
def fetch(
    encodings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ENCODING]...", help="Which; all if none is named."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="The folder to put them into; see 'where'.")
    ] = None,
    mirror: Annotated[
        str | None,
        typer.Option("--mirror", help="The address of a folder that holds the files."),
    ] = None,
) -> None:
    """
    Download vocabularies, and check that they are what they should be.

    For example:

      fairlead tokens fetch

      fairlead tokens fetch o200k_base --mirror https://files.example.com/encodings
    """
    from ..adapters.tokenizers.download import download
    from ..adapters.tokenizers.vocabularies import VOCABULARIES, download_folder, read

    chosen = [_named(name) for name in encodings or ()] or VOCABULARIES
    folder = to or download_folder()
    for vocabulary in chosen:
        if read(vocabulary, [folder]):
            typer.echo(f"{vocabulary.encoding} is there already: {folder / vocabulary.key}")
            continue
        path = download(
            vocabulary, folder, mirror=mirror, progress=_progress(vocabulary, sys.stderr)
        )
        typer.echo(f"{vocabulary.encoding} is there now: {path}")


@app.command("list")
def show(as_json: Json = False) -> None:
    """
    Tell which vocabularies there are, and which of them are on this machine.

    For example:

      fairlead tokens list
    """
    from ..adapters.tokenizers.vocabularies import VOCABULARIES, candidates, read

    rows: list[dict[str, object]] = []
    for vocabulary in VOCABULARIES:
        paths = list(candidates(vocabulary))
        intact = next((path for path in paths if read(vocabulary, [path.parent])), None)
        if intact:
            told = str(intact)
        elif paths:
            told = f"damaged: {paths[0]}; fetch it anew"
        else:
            told = f"not here, {_megabytes(vocabulary.size)} MB; counts are estimates"
        if not as_json:
            typer.echo(f"{vocabulary.encoding}: {told}")
        rows.append({"encoding": vocabulary.encoding, "path": intact and str(intact)})
    if as_json:
        print_json(rows)


@app.command()
def where() -> None:
    """
    Tell in which folders vocabularies are looked for, and where they are downloaded to.

    For example:

      fairlead tokens where
    """
    from ..adapters.tokenizers.vocabularies import download_folder, folders

    target = download_folder()
    for folder in dict.fromkeys(folders()):
        typer.echo(f"{folder}{'  (downloads go here)' if folder == target else ''}")


def _named(name: str) -> Vocabulary:
    from ..adapters.tokenizers.vocabularies import VOCABULARIES

    names = {each.encoding: each for each in VOCABULARIES}
    names |= {each.family: each for each in VOCABULARIES}
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}? " if near else ""
        known = ", ".join(each.encoding for each in VOCABULARIES)
        raise ConfigurationError(f"there is no encoding {name!r}; {hint}there are {known}")
    return names[name]


def _progress(vocabulary: Vocabulary, stream: TextIO) -> Callable[[int], None]:
    """Keeps one line of a terminal up to date; elsewhere nothing is shown."""
    if not stream.isatty():
        return lambda _: None
    size = _megabytes(vocabulary.size)

    def show_progress(received: int) -> None:
        line = f"{vocabulary.encoding}: {_megabytes(received)} of {size} MB"
        end = "\n" if received >= vocabulary.size else ""
        print(f"\r{line}", end=end, file=stream, flush=True)

    return show_progress


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"
