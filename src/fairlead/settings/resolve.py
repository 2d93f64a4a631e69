"""From raw settings to a validated model, field by field, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from pydantic import BaseModel, ValidationError

from .layers import Layer, TreeLayer, VariablesLayer
from .mistakes import Mistake, as_error
from .names import input_key, is_optional, joined, nested_model
from .raw import Tree
from .sources import Setting, Source, section_of
from .words import mistakes_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pydantic.fields import FieldInfo

    from .raw import RawSettings, Variables
    from .sources import Section

M = TypeVar("M", bound=BaseModel)
M_co = TypeVar("M_co", bound=BaseModel, covariant=True)


@dataclass(frozen=True, slots=True)
class Resolved(Generic[M_co]):
    """
    A validated section.

    Args:
        model: The settings.
        sources: Where each field came from, by its dotted key; defaults are among them.
    """

    model: M_co
    sources: Mapping[str, Source]

    def values(self) -> Mapping[str, object]:
        """What each field holds, by its dotted key; secrets are `SecretStr` and print as such."""
        return MappingProxyType({key: _value(self.model, key) for key in self.sources})


def resolve(
    raw: RawSettings,
    path: str,
    model: type[M],
    *,
    aliases: bool = True,
    also: Collection[str] = (),
) -> Resolved[M]:
    """
    The settings of the section at *path*, as *model* wants them.

    For every field the first layer that says anything counts: arguments, environment, `.env`,
    file, default; the fields of a model inside *model* likewise, one by one.

    Args:
        raw: What was said.
        path: The dotted path of the section, "" being the root.
        model: A pydantic model, of pydantic-settings or plain; it reads nothing by itself here.
        aliases: Whether the variables that the model names itself belong to this section; False
            for a second section of a vendor. See `variable_names`.
        also: Keys that may stand in the section without being fields.

    Raises:
        ConfigurationError: Something is wrong, unknown or contradicts itself; all of it is listed.
        TypeError: The model cannot be filled from layers.
    """
    section = gather(raw.layers, path, model, aliases=aliases, also=also)
    built = section.build()
    if section.mistakes or built is None:
        raise as_error(section.mistakes)
    return Resolved(built, MappingProxyType(section.all_sources(built)))


def gather(
    layers: Sequence[Tree | Variables],
    path: str,
    model: type[M],
    *,
    aliases: bool = True,
    also: Collection[str] = (),
) -> Gathered[M]:
    """What *layers* say about *model*, not validated yet."""
    mistakes: list[Mistake] = []
    views: list[Layer] = []
    for layer in layers:
        if isinstance(layer, Tree):
            setting = layer.at(path)
            section = section_of(setting)
            if section is not None:
                views.append(TreeLayer(model, section, mistakes, also))
            elif setting is not None and setting.value is not None:
                mistakes.append(Mistake(setting.source, "must be a section with keys and values"))
        else:
            views.append(VariablesLayer(model, path, layer.settings, mistakes, aliases=aliases))
    sources: dict[str, Source] = {}
    values = _merge(model, "", views, sources)
    return Gathered(model, path, aliases, values, sources, mistakes)


@dataclass(frozen=True, slots=True)
class Gathered(Generic[M]):
    """The merged values of one section."""

    model: type[M]
    path: str
    aliases: bool
    values: Mapping[str, object]
    sources: Mapping[str, Source]
    mistakes: list[Mistake]

    def build(self) -> M | None:
        """The model; None if there are mistakes, which are then noted."""
        built = self.model.__new__(self.model)
        try:
            # The constructor of a `BaseSettings` would read the environment once more.
            BaseModel.__init__(built, **self.values)
        except ValidationError as error:
            found = mistakes_of(error, self.model, self.path, self.sources, aliases=self.aliases)
        else:
            return built
        told = {mistake.source for mistake in self.mistakes}
        self.mistakes.extend(mistake for mistake in found if mistake.source not in told)
        return None

    def given(self, built: BaseModel | None) -> Section:
        """What was said about each of its fields, as *built* understands it if there is one."""
        keys = {
            name: input_key(self.model, name, field)
            for name, field in self.model.model_fields.items()
        }
        return {
            name: Setting(
                getattr(built, name) if built is not None else self.values[key], self.sources[name]
            )
            for name, key in keys.items()
            if key in self.values and name in self.sources
        }

    def all_sources(self, built: BaseModel) -> dict[str, Source]:
        """Where each field of *built* came from."""
        return {
            key: self.sources.get(key) or Source("default", joined(self.path, key))
            for key in _keys(built)
        }


def _merge(
    model: type[BaseModel], above: str, layers: Sequence[Layer], sources: dict[str, Source]
) -> dict[str, object]:
    values: dict[str, object] = {}
    for layer in reversed(layers):
        for name, other in layer.others.items():
            values[name], sources[joined(above, name)] = other.plain(), other.source
    for name, field in model.model_fields.items():
        nested = nested_model(field)
        key = joined(above, name)
        if nested is None:
            said = (layer.get(name, field) for layer in layers)
            setting = next((each for each in said if each is not None), None)
            if setting is not None:
                sources[key] = setting.source
                sources |= _inside(key, setting)
        else:
            setting = _section(nested, name, field, layers=layers, key=key, sources=sources)
        if setting is not None:
            values[input_key(model, name, field)] = setting.plain()
    return values


def _inside(key: str, setting: Setting) -> dict[str, Source]:
    """Where what lies in sections and lists of sections came from, as in `limits.0.scope`."""
    value: object = setting.value
    if isinstance(value, tuple):
        entries = enumerate(cast("tuple[object, ...]", value))
        parts = [(f"{key}.{index}", Setting(entry, setting.source)) for index, entry in entries]
        own: dict[str, Source] = {}
    else:
        parts = [(f"{key}.{name}", below) for name, below in (section_of(setting) or {}).items()]
        own = {inside: below.source for inside, below in parts}
    for inside, below in parts:
        own |= _inside(inside, below)
    return own


def _section(
    model: type[BaseModel],
    name: str,
    field: FieldInfo,
    *,
    layers: Sequence[Layer],
    key: str,
    sources: dict[str, Source],
) -> Setting | None:
    """What the layers say together about the section in a field; None if nothing."""
    views: list[Layer] = []
    plain: Setting | None = None
    for layer in layers:
        below = layer.below(name, field, model)
        if isinstance(below, Setting):
            plain = below
            break
        if below is not None:
            views.append(below)
    values = _merge(model, key, views, sources)
    if not values and plain is not None and (plain.value is not None or is_optional(field)):
        sources[key] = plain.source
        return plain
    if values or any(isinstance(view, TreeLayer) for view in views):
        return Setting(_preset(model, field) | values, Source("default", key))
    return None


def _preset(model: type[BaseModel], field: FieldInfo) -> dict[str, object]:
    """What the default of a section sets, so that naming one key of it keeps the others."""
    default = field.default
    if not isinstance(default, BaseModel):
        return {}
    return {
        input_key(model, name, model.model_fields[name]): getattr(default, name)
        for name in default.model_fields_set
    }


def _keys(model: BaseModel, above: str = "") -> Iterator[str]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if nested_model(field) is not None and isinstance(value, BaseModel):
            yield from _keys(value, joined(above, name))
        else:
            yield joined(above, name)
    for name in model.model_extra or ():
        yield joined(above, name)


def _value(model: object, key: str) -> object:
    for name in key.split("."):
        model = getattr(model, name)
    return model
