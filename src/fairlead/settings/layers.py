"""What one layer says about the fields of one section."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol, cast

from pydantic_settings import EnvSettingsSource

from .files import read_text
from .mistakes import Mistake, RefusedError, unknown
from .names import FILE, is_list, is_secret, joined, keys_of, names_of
from .sources import Section, Setting, Source, frozen, section_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

SECRET_LIMIT = 64 * 1024
"""Bytes of a secret file."""


class Layer(Protocol):
    """One layer, seen from one section."""

    others: Section
    """What it says about keys that no field has, where the model takes such keys."""

    def get(self, name: str, field: FieldInfo) -> Setting | None:
        """What it says about a field."""
        ...

    def below(self, name: str, field: FieldInfo, model: type[BaseModel]) -> Layer | Setting | None:
        """The layer seen from the section in a field; a plain value where one stands there."""
        ...


class TreeLayer:
    """Arguments or a file. Keys that no field has, nor *also*, are noted as mistakes."""

    def __init__(
        self,
        model: type[BaseModel],
        settings: Section,
        mistakes: list[Mistake],
        also: Collection[str] = (),
    ) -> None:
        self._settings = settings
        self._mistakes = mistakes
        fields = model.model_fields.items()
        known = {*also, *(key for name, field in fields for key in keys_of(name, field))}
        others = {key: setting for key, setting in settings.items() if key not in known}
        takes_others = model.model_config.get("extra") == "allow"
        self.others: Section = frozen(others if takes_others else {})
        if not takes_others:
            mistakes.extend(unknown(setting.source, known) for setting in others.values())

    def get(self, name: str, field: FieldInfo) -> Setting | None:
        keys = keys_of(name, field)
        found = [self._settings[key] for key in keys if key in self._settings]
        setting = _one_of(found, self._mistakes)
        if setting is not None and isinstance(setting.value, str) and is_list(field):
            return Setting(_words(setting.value), setting.source)
        return setting

    def below(self, name: str, field: FieldInfo, model: type[BaseModel]) -> Layer | Setting | None:
        setting = self.get(name, field)
        section = section_of(setting)
        return setting if section is None else TreeLayer(model, section, self._mistakes)


class VariablesLayer(EnvSettingsSource):
    """
    An environment, a `.env` file or a Python module.

    The names of a field are those of `names_of`, a secret may stand in a file, a list may be
    separated by commas; the rest is as pydantic-settings reads the environment.
    """

    others: Section = frozen({})

    def __init__(
        self,
        model: type[BaseModel],
        path: str,
        settings: Section,
        mistakes: list[Mistake],
        *,
        aliases: bool,
    ) -> None:
        super().__init__(cast("Any", model), case_sensitive=True)
        self._model = model
        self._path = path
        self._settings = settings
        self._mistakes = mistakes
        self._aliases = aliases

    def _load_env_vars(self) -> dict[str, str | None]:
        return {}  # they come from `load`

    def get(self, name: str, field: FieldInfo) -> Setting | None:
        names = names_of(self._model, name, field, self._path, aliases=self._aliases)
        found = [self._settings[each] for each in names if each in self._settings]
        if secret := is_secret(field):
            files = [f"{each}{FILE}" for each in names if f"{each}{FILE}" in self._settings]
            found += [self._secret(each) for each in files]
        setting = _one_of(found, self._mistakes, strict=secret)
        if setting is None or not isinstance(setting.value, str) or setting.value == "":
            return setting
        try:
            value = self.prepare_field_value(name, field, setting.value, value_is_complex=False)
        except ValueError:
            self._mistakes.append(Mistake(setting.source, "must be JSON"))
            return None
        return Setting(value, setting.source)

    def below(self, name: str, field: FieldInfo, model: type[BaseModel]) -> Layer | Setting | None:
        path = joined(self._path, name)
        return VariablesLayer(model, path, self._settings, self._mistakes, aliases=self._aliases)

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """JSON, or for lists words with commas between them."""
        if is_list(field) and not value.lstrip().startswith("["):
            # A file of keys has one in each line.
            return _words(value.replace("\n", ",") if is_secret(field) else value)
        return json.loads(value)

    def _secret(self, variable: str) -> Setting:
        """What stands in the file that *variable* names; "" with a mistake noted if nothing."""
        setting = self._settings[variable]
        place = str(setting.value)
        source = Source("secret file", variable, place)
        try:
            text = read_text(place, limit=SECRET_LIMIT)
        except RefusedError as refused:
            problem = refused.mistakes[0].problem
            self._mistakes.append(Mistake(source, f"names a file that is of no use: {problem}"))
            return Setting("", source)
        secret = text.removesuffix("\n").removesuffix("\r")
        if not secret:
            self._mistakes.append(Mistake(source, "names a file that is empty"))
        return Setting(secret, source)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _one_of(
    found: list[Setting], mistakes: list[Mistake], *, strict: bool = False
) -> Setting | None:
    """The first; of several names of one setting all must say the same."""
    if not found:
        return None
    first, *others = found
    for other in others:
        kinds = {first.source.kind, other.source.kind}
        both = strict and len(kinds) > 1 and "secret file" in kinds
        if both or other.plain() != first.plain():
            name = first.source.name
            problem = (
                f"and {name} are both set; keep one of them"
                if both
                else f"and {name} name the same setting and hold different values; keep one of them"
            )
            mistakes.append(Mistake(other.source, problem))
    return first
