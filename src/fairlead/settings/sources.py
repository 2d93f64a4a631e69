"""What a setting is, and where it came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias, cast

Kind: TypeAlias = Literal["argument", "environment", "secret file", ".env", "file", "default"]

MASK = "***"
LONGEST = 20
"""Characters of a text that is shown; keys are longer, wherever they were put by mistake."""

_SECRET = re.compile(
    r"key|token|secret|passw|passphrase|credential|authorization|accounts", re.IGNORECASE
)
_USERINFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")


@dataclass(frozen=True, slots=True)
class Source:
    """
    Where a setting came from.

    Args:
        kind: What gave it.
        name: The variable, the dotted key as it is written, or the argument.
        place: The file, as it was named.
        line: Its line in *place*, from 1.
    """

    kind: Kind
    name: str
    place: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        if self.kind == "argument":
            return f"the argument {self.name}"
        if self.kind == "default":
            return "the default"
        if self.kind == "environment":
            return self.name
        if self.kind == "secret file":
            return f"{self.name} ({self.place})"
        return f"{self.place}, line {self.line}" if self.line else f"{self.place}"

    @property
    def subject(self) -> str:
        """What a sentence about the setting begins with: its source and its name."""
        if self.kind in {"argument", "environment", "secret file"}:
            return str(self)
        if self.kind == "default":
            return self.name
        return f"{self}: {self.name}" if self.name else f"{self}:"


@dataclass(frozen=True, slots=True, repr=False)
class Setting:
    """
    One value and its source; its repr masks what may be a secret.

    Args:
        value: The value; of a section, a mapping of more settings; of a list, a tuple.
        source: Where it came from.
    """

    value: object
    source: Source

    def __repr__(self) -> str:
        hidden = self.source.kind == "secret file" or may_be_secret(self.source.name)
        value = MASK if hidden and not is_section(self.value) else _repr(self.value)
        return f"<{self.source.name}={value} of {self.source}>" if self.source.name else value

    def plain(self) -> object:
        """The value in plain dicts and lists, without sources."""
        return _plain(self.value)


Section: TypeAlias = Mapping[str, Setting]


def is_section(value: object) -> bool:
    """Whether *value* is a mapping of settings."""
    return isinstance(value, MappingProxyType)


def section_of(setting: Setting | None) -> Section | None:
    """The settings below *setting*; None if it is a plain value, or none."""
    if setting is None or not is_section(setting.value):
        return None
    return cast("Section", setting.value)


def frozen(settings: Mapping[str, Setting]) -> Section:
    """An immutable copy."""
    return MappingProxyType(dict(settings))


def may_be_secret(name: str) -> bool:
    """Whether a name says that what it names is kept to oneself."""
    return _SECRET.search(name) is not None


def without_userinfo(text: str) -> str:
    """*text* with `user:password` masked in addresses."""
    return _USERINFO.sub(MASK, text)


def _plain(value: object) -> object:
    if is_section(value):
        return {name: setting.plain() for name, setting in cast("Section", value).items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in cast("tuple[object, ...]", value)]
    return value


def shown(value: object) -> str:
    """A plain value as it may be shown: in full if it is short, and without passwords."""
    if isinstance(value, str):
        if len(value) > LONGEST:
            return f"a text of {len(value)} characters"
        return without_userinfo(repr(value))
    plain = value is None or isinstance(value, (bool, int, float))
    return repr(value) if plain else f"a {type(value).__name__}"


def _repr(value: object) -> str:
    if is_section(value):
        return f"{{{', '.join(map(repr, cast('Section', value).values()))}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_repr, cast('tuple[object, ...]', value)))}]"
    return shown(value)
