"""What pydantic finds, in words for people who know nothing of pydantic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from ..core.checks import nearest
from .mistakes import Mistake
from .names import aliases_of, is_secret, joined, names_of, nested_model
from .sources import LONGEST, MASK, Source, may_be_secret, shown, without_userinfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

_TYPES = {
    "bool": "true or false",
    "date": "a date",
    "datetime": "a date and time",
    "decimal": "a number",
    "dict": "a section with keys and values",
    "finite_number": "a finite number",
    "float": "a number",
    "frozen_set": "a list",
    "int": "a whole number",
    "list": "a list",
    "mapping": "a section with keys and values",
    "model": "a section with keys and values",
    "path": "a path",
    "set": "a list",
    "string": "text",
    "time_delta": "a duration",
    "tuple": "a list",
    "url": "an address such as https://host/path",
}
NULL_IN_QUOTES = 'where null is a name, write "null" in quotes'
_WANTED = "Input should be "
_LIMITS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "literal_error": "{expected}",
    "enum": "{expected}",
}
_LENGTHS = {
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
}


def mistakes_of(
    error: ValidationError,
    model: type[BaseModel],
    path: str,
    sources: Mapping[str, Source],
    *,
    aliases: bool,
) -> list[Mistake]:
    """
    One mistake for each field that does not fit; *sources* are by the key below *path*.

    A field that is missing has the source "default".
    """
    found: dict[str, list[tuple[ErrorDetails, FieldInfo | None, str]]] = {}
    for details in error.errors(include_url=False):
        owner, name, key, rest = _located(model, details["loc"])
        field = owner.model_fields.get(name)
        if details["type"] == "missing" and not rest and field is not None:
            names = names_of(owner, name, field, _above(path, key), aliases=aliases)
            found.setdefault(key, []).append((details, field, names[0]))
        else:
            inside = _innermost(key, rest, sources)
            entry = _entry(rest) if inside == key else ""
            found.setdefault(inside, []).append((details, field, entry))
    mistakes: list[Mistake] = []
    for key, entries in found.items():
        name = joined(path, key) if key else path
        source = sources.get(key) or Source("default", name or "the settings")
        mistakes.append(_mistake(source, entries))
    return mistakes


def _mistake(source: Source, entries: list[tuple[ErrorDetails, FieldInfo | None, str]]) -> Mistake:
    details, field, extra = entries[0]
    if details["type"] == "missing":
        return Mistake(source, f"is missing; {extra} sets it" if extra else "is missing")
    if details["type"] == "extra_forbidden":
        return Mistake(source, "is not known", nearest(str(details["loc"][-1]), _keys_in(field)))
    secret = (field is not None and is_secret(field)) or may_be_secret(source.name)
    wanted = [_expected(each, secret=secret) for each, _, _ in entries]
    if None in wanted:
        return Mistake(source, f"{extra}cannot be used: {_message(details, secret=secret)}")
    expected = " or ".join(dict.fromkeys(word for word in wanted if word))
    verb = "must have" if details["type"] in _LENGTHS else "must be"
    got = "" if secret or details["type"] in _LENGTHS else f", not {_shown(details['input'])}"
    hint = _quotes(source, details) if expected == "text" else ""
    return Mistake(source, f"{extra}{verb} {expected}{got}{hint}", _near(details, secret=secret))


def _expected(details: ErrorDetails, *, secret: bool) -> str | None:
    """What would fit; None where only pydantic's own message says it."""
    kind = details["type"]
    known = _LIMITS.get(kind) or _LENGTHS.get(kind)
    if known:
        limits = {name: _whole(value) for name, value in details.get("ctx", {}).items()}
        return _one(known.format(**limits))
    words = _TYPES.get(kind) or next(
        (words for name, words in _TYPES.items() if kind.startswith(f"{name}_")), None
    )
    message = _message(details, secret=secret)
    return words or (message.removeprefix(_WANTED) if message.startswith(_WANTED) else None)


def _message(details: ErrorDetails, *, secret: bool) -> str:
    message = details["msg"]
    for prefix in ("Value error, ", "Assertion failed, "):
        message = message.removeprefix(prefix)
    value = details["input"]
    if isinstance(value, str) and value and (secret or len(value) > LONGEST):
        message = message.replace(value, MASK)
    return without_userinfo(message)


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, (bool, int, float)):
        return str(value).lower()
    return "a section" if isinstance(value, dict) else shown(value)


def _near(details: ErrorDetails, *, secret: bool) -> str | None:
    value = details["input"]
    if details["type"] not in {"literal_error", "enum"} or secret or not isinstance(value, str):
        return None
    context: dict[str, Any] = details.get("ctx", {})
    words: list[str] = str(context.get("expected", "")).replace(" or ", ", ").split(", ")
    return nearest(value, [word.strip("'\"") for word in words])


def _quotes(source: Source, details: ErrorDetails) -> str:
    """What helps where a text was taken for something else because it has no quotes."""
    value = details["input"]
    if source.kind != "file" or isinstance(value, (str, list, dict)):
        return ""
    return "; put it in quotes" if value is not None else f"; {NULL_IN_QUOTES}"


def _located(
    model: type[BaseModel], loc: tuple[int | str, ...]
) -> tuple[type[BaseModel], str, str, tuple[int | str, ...]]:
    """The model that has the field, the field's name and dotted key, and what lies inside it."""
    key, name = "", ""
    for depth, part in enumerate(loc):
        name = next(
            (
                each
                for each, field in model.model_fields.items()
                if part == each or part in aliases_of(field)
            ),
            "",
        )
        if not name:
            return model, "", key, loc[depth:]
        key = joined(key, name)
        nested = nested_model(model.model_fields[name])
        if nested is None or depth + 1 == len(loc):
            return model, name, key, loc[depth + 1 :]
        model = nested
    return model, name, key, ()


def _innermost(key: str, rest: tuple[int | str, ...], sources: Mapping[str, Source]) -> str:
    """The key of what lies as far inside the field at *key* as *sources* know."""
    for depth in range(len(rest), 0, -1):
        inside = ".".join([key, *map(str, rest[:depth])])
        if inside in sources:
            return inside
    return key


def _whole(limit: object) -> object:
    """*limit*, as a person would write it."""
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def _one(words: str) -> str:
    """*words*, with one of what there may be many of in the singular."""
    for many, one in (("entries", "entry"), ("characters", "character")):
        words = words.replace(f" 1 {many}", f" one {one}")
    return words


def _above(path: str, key: str) -> str:
    section = key.rpartition(".")[0]
    return joined(path, section) if section else path


def _keys_in(field: FieldInfo | None) -> list[str]:
    """The keys that the entries of a list may have."""
    kinds = get_args(field.annotation) if field is not None else ()
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return [name for model in models for name in model.model_fields]


def _entry(rest: tuple[int | str, ...]) -> str:
    """Which of several values it is, if it is one of a list."""
    position = next((part for part in rest if isinstance(part, int)), None)
    return "" if position is None else f"(entry {position + 1}) "
