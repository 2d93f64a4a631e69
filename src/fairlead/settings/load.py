"""Brings all layers together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from .files import StrPath, read, read_env
from .forms import canonical
from .mistakes import RefusedError, as_error
from .raw import RawSettings, Tree, Variables
from .sources import Setting, Source, frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from .mistakes import Mistake


def load(
    *,
    file: StrPath | None = None,
    env_file: StrPath | None = None,
    environ: Mapping[str, str] | None = None,
    arguments: Mapping[str, object] | None = None,
) -> RawSettings:
    """
    What is said about the settings, in the order of precedence.

    That is: arguments, environment, `.env`, file. Nothing is looked for that is not named here,
    and the environment of the process is read but never changed.

    Args:
        file: A YAML, TOML, JSON or Python file, by its suffix, or the dotted name of a module.
            Python is run.
        env_file: A `.env` file.
        environ: Instead of the environment of the process.
        arguments: A tree of canonical keys; a mapping in it is a section.

    Raises:
        ConfigurationError: A file cannot be read or is malformed; all that is wrong with it is
            listed, with file and line.
    """
    variables = os.environ if environ is None else environ
    mistakes: list[Mistake] = []
    given: list[Callable[[], Tree | Variables]] = [
        lambda: Tree(canonical(_tree(arguments or {}, Source("argument", "")), mistakes)),
        lambda: _environment(variables),
    ]
    if env_file is not None:
        given.append(lambda: read_env(env_file, variables, mistakes))
    if file is not None:
        given.append(lambda: read(file, mistakes))
    layers: list[Tree | Variables] = []
    for layer in given:
        try:
            layers.append(layer())
        except RefusedError as refused:
            mistakes.extend(refused.mistakes)
    if mistakes:
        raise as_error(mistakes)
    return RawSettings(tuple(layers))


def _environment(environ: Mapping[str, str]) -> Variables:
    return Variables(
        frozen(
            {
                name: Setting(value, Source("environment", name))
                for name, value in environ.items()
                if value
            }
        )
    )


def _tree(value: object, source: Source) -> Setting:
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value).items()
        above = f"{source.name}." if source.name else ""
        return Setting(
            frozen(
                {name: _tree(item, Source("argument", f"{above}{name}")) for name, item in items}
            ),
            source,
        )
    if isinstance(value, (list, tuple)):
        entries = cast("list[object]", value)
        return Setting(tuple(_tree(entry, source).value for entry in entries), source)
    return Setting(value, source)
