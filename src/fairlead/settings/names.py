"""Which variables and which keys belong to a field of a settings model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import AliasChoices, AliasPath, BaseModel, SecretBytes, SecretStr
from pydantic_settings import BaseSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

PREFIX = "FAIRLEAD_"
OLD_PREFIX = "DEVSYNTH_"
FILE = "_FILE"
_PROVIDERS = "providers."


def variable_names(
    model: type[BaseModel], path: str = "", *, aliases: bool = True
) -> Mapping[str, tuple[str, ...]]:
    """
    The variables of every field of *model*, by the field's dotted key below *path*.

    They are, in this order: the field's validation aliases in upper case, else the model's
    `env_prefix`, if it has one, and the field's name; `FAIRLEAD_<PATH>_<FIELD>`, without
    `PROVIDERS_`; each `FAIRLEAD_` name with `DEVSYNTH_`; for a secret, each with `_FILE`.

    Args:
        model: The model of the section at *path*.
        path: The dotted path of the section, "" being the root.
        aliases: Whether the names that the model gives itself belong to this section. They do
            not where a second section is read with one vendor's model: its key is not theirs.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, field in model.model_fields.items():
        nested = nested_model(field)
        if nested is None:
            names = names_of(model, name, field, path, aliases=aliases)
            secret = tuple(f"{variable}{FILE}" for variable in names if is_secret(field))
            found[name] = names + secret
        else:
            below = variable_names(nested, joined(path, name), aliases=aliases)
            found |= {joined(name, inner): names for inner, names in below.items()}
    return found


def names_of(
    model: type[BaseModel], name: str, field: FieldInfo, path: str, *, aliases: bool = True
) -> tuple[str, ...]:
    """The variables of one field, without the `_FILE` ones."""
    own: list[str] = []
    if aliases:
        own = [alias for alias in aliases_of(field) if alias == alias.upper()]
        prefix = str(model.model_config.get("env_prefix") or "")
        if not own and prefix:
            own = [f"{prefix}{name}".upper()]
    dotted = joined(path, name).removeprefix(_PROVIDERS)
    own.append(PREFIX + "".join(char if char.isalnum() else "_" for char in dotted).upper())
    old = [OLD_PREFIX + each.removeprefix(PREFIX) for each in own if each.startswith(PREFIX)]
    return tuple(dict.fromkeys([*own, *old]))


def keys_of(name: str, field: FieldInfo) -> tuple[str, ...]:
    """The keys of one field in files and arguments: its name, and aliases that are no variables."""
    aliases = [alias for alias in aliases_of(field) if alias != alias.upper()]
    return tuple(dict.fromkeys([name, *aliases]))


def aliases_of(field: FieldInfo) -> tuple[str, ...]:
    """The validation aliases of *field* that are plain names."""
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return tuple(
        str(choice.path[0]) if isinstance(choice, AliasPath) else choice
        for choice in choices
        if isinstance(choice, str) or (isinstance(choice, AliasPath) and len(choice.path) == 1)
    )


def input_key(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    """The keyword by which the constructor of *model* takes a field."""
    config = model.model_config
    if config.get("populate_by_name") or config.get("validate_by_name"):
        return name
    return next(iter(aliases_of(field)), name)


def nested_model(field: FieldInfo) -> type[BaseModel] | None:
    """
    The model of a field that is a section of its own, maybe an optional one.

    Raises:
        TypeError: It is one that reads the environment by itself, unseen by this package.
    """
    models = [each for each in _members(field.annotation) if each is not type(None)]
    if len(models) != 1 or not _is_a(models[0], BaseModel):
        return None
    if _is_a(models[0], BaseSettings):
        msg = f"{models[0].__name__} stands inside another model, so it must be a plain BaseModel"
        raise TypeError(msg)
    model: type[BaseModel] = models[0]
    return model


def is_secret(field: FieldInfo) -> bool:
    """Whether a field keeps its value to itself."""
    return _has_secret(field.annotation)


def _has_secret(annotation: Any) -> bool:
    """Whether *annotation*, or what it says is inside of it, is a secret."""
    return any(
        _is_a(each, (SecretStr, SecretBytes)) or any(map(_has_secret, get_args(each)))
        for each in _members(annotation)
    )


def is_optional(field: FieldInfo) -> bool:
    """Whether a field takes None."""
    return type(None) in _members(field.annotation)


def is_list(field: FieldInfo) -> bool:
    """Whether a field holds several values, which a variable separates by commas."""
    kinds = [get_origin(each) or each for each in _members(field.annotation)]
    return str not in kinds and any(
        _is_a(kind, (Sequence, AbstractSet)) and not _is_a(kind, (str, bytes)) for kind in kinds
    )


def joined(path: str, name: str) -> str:
    """*name* below *path*."""
    return f"{path}.{name}" if path else name


def _members(annotation: Any) -> Iterator[Any]:
    """What *annotation* allows, without `Annotated` and unions."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin is Union or origin is UnionType:
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _is_a(kind: Any, base: type | tuple[type, ...]) -> bool:
    return isinstance(kind, type) and issubclass(kind, base)
