"""Finds all that is wrong with one file, and variables that nobody knows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from ..core.checks import nearest
from ..core.errors import ConfigurationError
from .files import StrPath, read, read_env
from .mistakes import Mistake, RefusedError
from .names import OLD_PREFIX, PREFIX, variable_names
from .raw import RawSettings, Tree, Variables
from .resolve import gather
from .sources import section_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from typing import TypeAlias

    from .sources import Section, Setting

    Verify: TypeAlias = Callable[[RawSettings, str, Section], Iterable[Mistake]]


_ROOT = ""
_PROVIDERS = "providers"
_ANY_PROVIDER = ("vendor", "enabled")


class _Nothing(BaseModel):
    """The root, where it has no model."""


def check(
    file: StrPath,
    models: Mapping[str, type[BaseModel]],
    *,
    provider: Callable[[str, str | None], type[BaseModel]] | None = None,
    verify: Verify | None = None,
) -> tuple[Mistake, ...]:
    """
    All mistakes in one settings file, `.env` file or Python module, in the order of its lines.

    Only what the file says is looked at: a field that it leaves out may come from elsewhere.

    Args:
        file: What is checked; Python is run.
        models: The model of each section by its dotted path, "" being the root.
        provider: The model of a section below `providers` that *models* do not name, by the
            section's name and its `vendor`; raises `ConfigurationError` where there is none.
        verify: What else is wrong with a section: called with all that the file says, the
            section's dotted path, and what it says about each of the section's fields.
    """
    found: list[Mistake] = []
    try:
        layer = read_env(file, os.environ, found) if _is_env(file) else read(file, found)
    except RefusedError as refused:
        return refused.mistakes
    raw = RawSettings((layer,))
    sections: dict[str, type[BaseModel]] = {_ROOT: _Nothing, **models}
    for path, model in sections.items():
        if isinstance(layer, Variables) or not path.startswith(f"{_PROVIDERS}."):
            also = {key.partition(".")[0] for key in [*models, _PROVIDERS]} if not path else ()
            found.extend(_section(raw, path, model, also, verify))
    if isinstance(layer, Tree):
        found.extend(_providers(raw, layer, models, provider, verify))
    else:
        names = [variable_names(model, path) for path, model in models.items()]
        known = {name for fields in names for each in fields.values() for name in each}
        found.extend(unknown_variables(raw, known))
    return tuple(sorted(dict.fromkeys(found), key=lambda mistake: mistake.source.line or 0))


def unknown_variables(raw: RawSettings, known: Collection[str]) -> tuple[Mistake, ...]:
    """
    The variables that look like ours and are none of the *known*, with the nearest of them.

    Ours begin with `FAIRLEAD_` or `DEVSYNTH_`. In a Python module, which has names of its own,
    those count too that resemble a known one.
    """
    return tuple(
        mistake
        for section in raw.variables
        for name, setting in section.items()
        if name not in known and (mistake := _unknown(name, setting, known)) is not None
    )


def _unknown(name: str, setting: Setting, known: Collection[str]) -> Mistake | None:
    prefix = next((each for each in (PREFIX, OLD_PREFIX) if name.startswith(each)), "")
    if not prefix and setting.source.kind != "file":
        return None
    alike = [each.removeprefix(prefix) for each in known if each.startswith(prefix)]
    near = nearest(name.removeprefix(prefix), alike)
    if near is None:
        return Mistake(setting.source, "is not known") if prefix else None
    near = prefix + near
    is_python = setting.source.kind == "file"
    return Mistake(setting.source, "is not known", near.lower() if is_python else near)


def _is_env(file: StrPath) -> bool:
    name = Path(file).name
    return name == ".env" or name.startswith(".env.") or name.endswith(".env")


def _section(
    raw: RawSettings,
    path: str,
    model: type[BaseModel],
    also: Collection[str],
    verify: Verify | None,
) -> list[Mistake]:
    section = gather(raw.layers, path, model, also=also)
    given = section.given(section.build())
    mistakes = [mistake for mistake in section.mistakes if mistake.source.kind != "default"]
    return [*mistakes, *(verify(raw, path, given) if verify is not None else ())]


def _providers(
    raw: RawSettings,
    layer: Tree,
    models: Mapping[str, type[BaseModel]],
    provider: Callable[[str, str | None], type[BaseModel]] | None,
    verify: Verify | None,
) -> Iterator[Mistake]:
    for name, setting in (section_of(layer.at(_PROVIDERS)) or {}).items():
        path = f"{_PROVIDERS}.{name}"
        vendor = (section_of(setting) or {}).get("vendor")
        named = vendor.value if vendor is not None and isinstance(vendor.value, str) else None
        model = models.get(path) if named is None else None
        try:
            if model is None and provider is not None:
                model = provider(name, named)
        except ConfigurationError as error:
            yield Mistake((vendor or setting).source, f"is of no use: {error}")
        if model is not None:
            yield from _section(raw, path, model, _ANY_PROVIDER, verify)
