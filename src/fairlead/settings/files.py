"""Reads a settings file of any form into a layer; each form is loaded when it is first needed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from .mistakes import Mistake, RefusedError
from .raw import Tree, Variables
from .sources import Source, section_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .sources import Setting

StrPath: TypeAlias = "str | os.PathLike[str]"

LIMIT = 1 << 20
"""Bytes of a settings file."""
SUFFIXES = (".yaml", ".yml", ".toml", ".json", ".py")


def read(file: StrPath, noted: list[Mistake]) -> Tree | Variables:
    """
    The settings file *file*, or the Python module of that dotted name.

    Mistakes that leave the rest of it readable are *noted*.

    Raises:
        RefusedError: It cannot be read, or is malformed.
    """
    place = os.fspath(file)
    suffix = Path(place).suffix.lower()
    if suffix == ".py":
        from .python import run

        return Variables(run(read_text(place), place))
    if suffix not in SUFFIXES:
        if isinstance(file, str) and _is_dotted_name(file):
            from .python import load_module

            return Variables(load_module(file))
        raise RefusedError(_form(place))

    from .forms import canonical

    return Tree(canonical(_tree(read_text(place), place, suffix, noted), noted))


def read_env(file: StrPath, environ: Mapping[str, str], noted: list[Mistake]) -> Variables:
    """
    The `.env` file *file*; `${NAME}` in it is taken from the file, then from *environ*.

    Lines that are malformed are *noted*.

    Raises:
        RefusedError: It cannot be read.
    """
    from .dotenv import parse

    place = os.fspath(file)
    return Variables(parse(read_text(place, kind=".env"), place, environ, noted))


def read_text(place: str, *, kind: str = "file", limit: int = LIMIT) -> str:
    """
    What stands in a file, which must be UTF-8 and have at most *limit* bytes.

    Raises:
        RefusedError: It cannot be read.
    """
    try:
        with Path(place).expanduser().open("rb") as stream:
            data = stream.read(limit + 1)
    except (OSError, RuntimeError, ValueError) as error:
        problem = reason(error)
    else:
        if len(data) > limit:
            problem = f"has more than {limit} bytes"
        else:
            try:
                return data.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                line = data.count(b"\n", 0, error.start) + 1
            raise malformed(place, line, "this is not UTF-8 text", kind=kind)
    source = Source(".env" if kind == ".env" else "file", "", place)
    raise RefusedError(Mistake(source, problem))


def reason(error: Exception) -> str:
    """Why a file cannot be read, in a few words."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "this is a folder, not a file"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror.lower()}"
    return "this is not the name of a file"


def malformed(place: str, line: int | None, problem: str, *, kind: str = "file") -> RefusedError:
    """The error of a file that its parser cannot read."""
    source = Source(".env" if kind == ".env" else "file", "", place, line)
    return RefusedError(Mistake(source, problem))


def _tree(text: str, place: str, suffix: str, noted: list[Mistake]) -> Setting:
    try:
        if suffix == ".json":
            from .json import parse
        elif suffix == ".toml":
            from .toml import parse
        else:
            from .yaml import parse
        root = parse(text, place, noted)
    except RecursionError:
        root = None
    if root is None:
        raise malformed(place, None, "its values are nested too deeply")
    if section_of(root) is None:
        raise malformed(place, root.source.line, "keys and values are expected, not a plain value")
    return root


def _is_dotted_name(name: str) -> bool:
    return all(part.isidentifier() for part in name.split(".")) and not Path(name).exists()


def _form(place: str) -> Mistake:
    source = Source("file", "", place)
    if not Path(place).expanduser().exists():
        return Mistake(source, "there is no such file")
    if ".env" in Path(place).name:
        return Mistake(source, "this is a file of variables: hand it over as env_file")
    *most, last = SUFFIXES
    return Mistake(source, f"the name of a settings file ends in {', '.join(most)} or {last}")
