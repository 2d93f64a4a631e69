"""`fairlead embed`."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from .asked import Asked, takes

if TYPE_CHECKING:
    from typing import BinaryIO

    from ..core.embeddings import Embedding, EmbeddingMetadata

BATCH = 256
"""Texts that are asked for at once."""


class Format(StrEnum):
    """How vectors are written."""

    JSON = "json"
    JSONL = "jsonl"
    NPY = "npy"


@takes(Asked)
def embed(
    asked: Asked,
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT", help="Texts; - stands for standard input, and so does nothing."
        ),
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Option("--file", "-f", metavar="FILE", help="A file that is one text."),
    ] = None,
    jsonl: Annotated[
        list[Path] | None,
        typer.Option(
            "--jsonl",
            metavar="FILE",
            help="A file of one JSON object per line, with a text in each.",
        ),
    ] = None,
    field: Annotated[
        str, typer.Option("--field", metavar="NAME", help="Where the text stands in them.")
    ] = "text",
    form: Annotated[
        Format | None,
        typer.Option("--format", help="How to write them; as --out ends, else json."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The file to write them to.")
    ] = None,
    dimensions: Annotated[
        int | None,
        typer.Option("--dimensions", metavar="NUMBER", help="How long the vectors should be."),
    ] = None,
) -> None:
    """
    Turn texts into vectors.

    With --jsonl and --format jsonl every object is written back, with its vector in the field
    "embedding". npy is NumPy's format: one row for each text.

    For example:

      fairlead embed "a text" "another text"

      fairlead embed --file README.md --file LICENSE --out vectors.npy

      fairlead embed --jsonl documents.jsonl --format jsonl > embedded.jsonl
    """
    import anyio

    from .failures import told_as_json
    from .prompts import texts_of

    with told_as_json(as_json or form is Format.JSON):
        chosen = _format(form, out, as_json=as_json)
        records = [record for path in jsonl or () for record in _records(path, field)]
        if texts or files or not jsonl:
            named = texts_of(texts or (), files or ())
            records = [*({field: text} for _, text in named), *records]
        vectors, metadata = anyio.run(
            partial(_embedded, asked, [record[field] for record in records], dimensions)
        )
        if out is None:
            _write(sys.stdout.buffer, chosen, records, vectors, metadata)
            sys.stdout.buffer.flush()
        else:
            with out.open("wb") as file:
                _write(file, chosen, records, vectors, metadata)


async def _embedded(
    asked: Asked, texts: list[str], dimensions: int | None
) -> tuple[list[Embedding], EmbeddingMetadata]:
    from ..core.errors import ConfigurationError
    from .choice import opened, tell_unbooked
    from .failures import warn

    if not texts:
        raise ConfigurationError("there is no text to embed")
    vectors: list[Embedding] = []
    metadata: EmbeddingMetadata | None = None
    async with await opened(asked) as provider:
        model = asked.model or (provider.model.name if asked.base_url else None)
        for start in range(0, len(texts), BATCH):
            batch = await provider.embed_batch(
                texts[start : start + BATCH],
                model=model,
                dimensions=dimensions,
                timeout=asked.timeout,
            )
            if metadata is not None and metadata.space != batch.metadata.space:
                msg = f"vectors of {batch.metadata.space.model} cannot stand beside the others"
                raise ConfigurationError(msg)
            metadata = batch.metadata
            vectors += batch
            warn(*batch.metadata.warnings)
    tell_unbooked(provider)
    assert metadata is not None
    return vectors, metadata


def _format(form: Format | None, out: Path | None, *, as_json: bool) -> Format:
    from ..core.errors import ConfigurationError

    if as_json and form not in {None, Format.JSON}:
        raise ConfigurationError(f"--json and --format {form} contradict each other")
    ending = out.suffix.removeprefix(".") if out else ""
    if form is None and not as_json and ending and ending not in list(Format):
        known = ", ".join(Format)
        raise ConfigurationError(f"{out}: say with --format what to write there: {known}")
    by_name = Format(ending) if ending in list(Format) else Format.JSON
    chosen = form or (Format.JSON if as_json else by_name)
    if chosen is Format.NPY and out is None and sys.stdout.isatty():
        raise ConfigurationError("npy is nothing for a terminal; name a file with --out")
    return chosen


def _records(path: Path, field: str) -> list[dict[str, Any]]:
    from ..core.errors import ConfigurationError
    from .prompts import read_text

    records: list[dict[str, Any]] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            record: object = json.loads(line)
        except ValueError as error:
            raise ConfigurationError(f"{path}, line {number} is no JSON: {error}") from error
        known = cast("dict[str, Any]", record) if isinstance(record, dict) else {}
        if not isinstance(known.get(field), str):
            raise ConfigurationError(_no_text(path, number, field, known))
        records.append(known)
    return records


def _no_text(path: Path, number: int, field: str, known: dict[str, Any]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(field, known, n=1) or [
        name for name, value in known.items() if isinstance(value, str)
    ]
    hint = f"; is it in --field {near[0]}?" if near else ""
    return f"{path}, line {number} has no text in its field {field!r}{hint}"


def _write(
    file: BinaryIO,
    form: Format,
    records: list[dict[str, Any]],
    vectors: list[Embedding],
    metadata: EmbeddingMetadata,
) -> None:
    if form is Format.NPY:
        from .npy import write

        write(file, vectors, rows=len(vectors), width=len(vectors[0]))
    elif form is Format.JSONL:
        for record, vector in zip(records, vectors, strict=True):
            line = json.dumps({**record, "embedding": _numbers(vector)}, ensure_ascii=False)
            file.write(f"{line}\n".encode())
    else:
        usage = metadata.usage
        told = {
            "provider": metadata.provider,
            "model": metadata.space.model,
            "dimensions": len(vectors[0]),
            "input_tokens": usage.input_tokens if usage and len(vectors) <= BATCH else None,
            "embeddings": [_numbers(vector) for vector in vectors],
        }
        file.write(f"{json.dumps(told, ensure_ascii=False)}\n".encode())


def _numbers(vector: Embedding) -> list[float]:
    return [_shortest(number) for number in vector]


def _shortest(number: float) -> float:
    """*number* with as few digits as tell it from other 32-bit floats."""
    for digits in (6, 7, 8):
        short = float(f"{number:.{digits}g}")
        if _FLOAT.unpack(_FLOAT.pack(short))[0] == number:
            return short
    return float(f"{number:.9g}")


_FLOAT = Struct("f")
