"""A JSON schema of a whole settings file, for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from .forms import SECTION_KEYS
from .names import keys_of, nested_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import BaseModel

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(
    models: Mapping[str, type[BaseModel]], providers: Mapping[str, type[BaseModel]]
) -> Schema:
    """
    The schema (draft 2020-12) of a settings file in YAML, TOML or JSON.

    Nothing is required in it: what a file leaves out may come from elsewhere.

    Args:
        models: The model of each section by its key, "" being the root.
        providers: The model of each vendor by its name.
    """
    from pydantic.json_schema import models_json_schema

    asked = list(dict.fromkeys(_with_nested([*models.values(), *providers.values()])))
    references, together = models_json_schema(
        [(model, "validation") for model in asked], by_alias=False
    )
    definitions: Schema = together.get("$defs", {})
    refs = {model: str(references[model, "validation"]["$ref"]) for model in asked}
    for model, reference in refs.items():
        _as_written(definitions[reference.rpartition("/")[2]], model)
    vendors = {name: {"$ref": refs[model]} for name, model in providers.items()}
    return {
        "$schema": DIALECT,
        "title": "fairlead settings",
        "type": "object",
        "properties": _root(models, refs, definitions, vendors),
        "additionalProperties": False,
        "$defs": {**definitions, **_sections(providers, refs, definitions)},
    }


def _root(
    models: Mapping[str, type[BaseModel]],
    refs: Mapping[type[BaseModel], str],
    definitions: Schema,
    vendors: Schema,
) -> Schema:
    properties: Schema = {}
    for path, model in models.items():
        if path:
            properties[path] = {"$ref": refs[model]}
        else:
            properties |= definitions[refs[model].rpartition("/")[2]]["properties"]
    known = {name: {"$ref": f"#/$defs/providers.{name}"} for name in vendors}
    other = {"$ref": "#/$defs/providers.*"}
    properties["providers"] = {
        "description": "One section for each provider, by its name.",
        "type": ["object", "null"],
        "properties": known,
        "additionalProperties": other,
    }
    spelt = {key: properties[name] for key, name in SECTION_KEYS.items() if name in properties}
    section = {
        "description": "The provider, the fallback and the providers' sections in one.",
        "type": "object",
        "properties": {**known, **spelt},
        "additionalProperties": other,
    }
    if "provider" in properties:
        properties["provider"] = {"anyOf": [properties["provider"], section]}
    return properties


def _sections(
    providers: Mapping[str, type[BaseModel]],
    refs: Mapping[type[BaseModel], str],
    definitions: Schema,
) -> Schema:
    """What may stand below each provider's name; the vendor decides, where one is named."""
    named = {"description": "The vendor.", "anyOf": [{"enum": [*providers]}, {"type": "string"}]}
    about: Schema = {"vendor": named, "enabled": {"type": "boolean"}}
    bodies: Schema = {}
    for name, model in providers.items():
        definition = definitions[refs[model].rpartition("/")[2]]
        bodies[name] = {**definition, "properties": {**about, **definition["properties"]}}
        bodies[name]["properties"]["vendor"] = named
    is_vendor = [
        {
            "if": {"properties": {"vendor": {"const": name}}, "required": ["vendor"]},
            "then": {"$ref": f"#/$defs/vendor.{name}"},
        }
        for name in providers
    ]
    sections: Schema = {f"vendor.{name}": body for name, body in bodies.items()}
    for name in providers:
        own = {
            "if": {"required": ["vendor"], "properties": {"vendor": {"type": "string"}}},
            "then": {"allOf": is_vendor},
            "else": {"$ref": f"#/$defs/vendor.{name}"},
        }
        sections[f"providers.{name}"] = {"anyOf": [{"type": "object", **own}, {"type": "null"}]}
    sections["providers.*"] = {
        "type": "object",
        "properties": about,
        "required": ["vendor"],
        "allOf": is_vendor,
    }
    return sections


def _as_written(definition: Schema, model: type[BaseModel]) -> None:
    """Let *definition* say what a file may hold, rather than what the model needs."""
    definition.pop("required", None)
    if model.model_config.get("extra") != "allow":
        definition["additionalProperties"] = False
    properties: Schema = definition.setdefault("properties", {})
    for name, field in model.model_fields.items():
        properties[name] = _with_commas(properties[name])
        properties |= dict.fromkeys(keys_of(name, field), properties[name])


def _with_commas(schema: Schema) -> Schema:
    """A list may be written as words with commas between them."""
    kinds: list[Schema] = schema.get("anyOf", [schema])
    if all(kind.get("type") != "array" for kind in kinds):
        return schema
    about: Schema = {
        key: schema[key] for key in ("title", "description", "default") if key in schema
    }
    listed = {key: value for key, value in schema.items() if key not in about}
    return {**about, "anyOf": [*listed.get("anyOf", [listed]), {"type": "string"}]}


def _with_nested(models: Iterable[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    for model in models:
        yield model
        nested = (nested_model(field) for field in model.model_fields.values())
        yield from _with_nested([each for each in nested if each is not None])
