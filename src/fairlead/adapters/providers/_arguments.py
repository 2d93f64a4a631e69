"""
Checks what a provider is built with.

A value of the wrong kind is a `TypeError`, one without sense a `ConfigurationError`; neither shows
the value of a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

from ...core.errors import ConfigurationError
from ...core.options import GENERATE

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ELSEWHERE = {
    **{name: f"it with each call, or defaults={{{name!r}: ...}}" for name in GENERATE},
    "timeout": "timeout= with each call, or limits=TimeLimits(...)",
    "max_retries": "default_pipeline(..., max_retries=...)",
}
"""Names that others take here, and what to give instead."""
SEEDS = range(-(2**63), 2**64)
"""What fits into 64 bits, with or without a sign."""


def check_kind(name: str, value: object, kind: type, expected: str | None = None) -> None:
    """Refuse a *value* that is not of *kind*; True is no number."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        given = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        msg = f"{name} must be {expected or _article(kind)}, not {given}"
        raise TypeError(msg)


def check_text(name: str, value: object, why: str | None = None) -> None:
    """Refuse what is no text, or says nothing, and tell *why* it is wanted."""
    check_kind(name, value, str)
    text = cast("str", value)
    if not text.strip():
        msg = f"{name} must not be empty; {why or 'leave it out if it is not wanted'}"
        raise ConfigurationError(msg)
    if text != text.strip() or not text.isprintable():
        msg = f"{name} must not begin or end with a space, or hold a line break: {text!r}"
        raise ConfigurationError(msg)


def check_key(name: str, value: object) -> None:
    """Refuse what cannot be a key; None and an empty one stand for no key."""
    if value is None:
        return
    check_kind(name, value, str)
    if not all("!" <= character <= "~" for character in cast("str", value)):
        msg = (
            f"{name} holds a space, a line break or a character that is not ASCII, as no key does; "
            "was the API key copied whole, and nothing besides?"
        )
        raise ConfigurationError(msg)


def check_at_least(name: str, value: object, least: int, unit: str = "") -> None:
    """Refuse what is no number of at least *least*; it has to be whole if it has no *unit*."""
    if not unit:
        check_kind(name, value, int)
    elif type(value) is not int:
        check_kind(name, value, float, "a number")
    if not cast("float", value) >= least:
        msg = f"{name} must be at least {least}{unit and ' '}{unit}"
        raise ConfigurationError(msg)


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Refuse a *value* that is none of *choices*."""
    check_kind(name, value, str)
    if value not in choices:
        msg = f"{name} must be {' or '.join(map(repr, choices))}, not {value!r}"
        raise ConfigurationError(msg)


def check_headers(headers: object) -> None:
    """Refuse names and values that HTTP does not allow."""
    check_kind("headers", headers, Mapping, "a mapping of str to str")
    for name, value in cast("Mapping[object, object]", headers).items():
        check_kind("the name of a header", name, str)
        check_kind(f"the value of the header {name!r}", value, str)
        if not _HEADER.fullmatch(cast("str", name)):
            msg = f"{name!r} cannot be the name of a header; it is made of letters, digits and -"
            raise ConfigurationError(msg)
        text = cast("str", value)
        if not text.isascii() or not text.isprintable() or text != text.strip():
            msg = (
                f"the value of the header {name!r} holds a line break, a space at its end or a "
                "character that is not ASCII; was the API key copied whole?"
            )
            raise ConfigurationError(msg)


def check_names(owner: type, given: Iterable[str], options: Iterable[str]) -> None:
    """Refuse names among *given* that are none of *options*, and tell which *owner* knows."""
    known = list(options)
    unknown = next((name for name in given if name not in known), None)
    if unknown is None:
        return
    from difflib import get_close_matches
    from inspect import Parameter, signature

    parameters = signature(owner).parameters.values()
    named = [entry.name for entry in parameters if entry.kind is not Parameter.VAR_KEYWORD]
    known = [*named, *(name for name in known if name not in named)]
    near = get_close_matches(unknown, known, n=1)
    if near:
        hint = f"did you mean {near[0]!r}?"
    elif unknown in _ELSEWHERE:
        hint = f"give {_ELSEWHERE[unknown]}"
    else:
        hint = f"there are {', '.join(known)}"
    msg = f"{owner.__name__} has no argument {unknown!r}; {hint}"
    raise TypeError(msg)


def _article(kind: type) -> str:
    name = kind.__name__
    return "True or False" if kind is bool else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
