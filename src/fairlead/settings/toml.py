"""TOML, with the line of every key."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, TypeAlias, cast

from .files import malformed
from .sources import Setting, Source, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .mistakes import Mistake

Path: TypeAlias = tuple[str, ...]

_AT = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")
_TOKEN = re.compile(
    r"""
      (?P<comment> \#[^\n]*)
    | (?P<text> \"{3} (?:[^\\]|\\.)*? \"{3,5} | '{3} .*? '{3,5}
      | "(?:[^"\\\n]|\\.)*" | '[^'\n]*')
    | (?P<sign> [\[\]{}=,.\n])
    | (?P<bare> [^\s\[\]{}=,.\#"']+)
    """,
    re.VERBOSE | re.DOTALL,
)


def parse(text: str, place: str, noted: list[Mistake]) -> Setting:  # noqa: ARG001 - as others
    """
    The settings in *text*.

    Raises:
        RefusedError: This is not TOML, which a key that is said twice is not either.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
    except ValueError:
        said = "A number has too many digits"
    else:
        return _setting(data, (), _lines(text), Source("file", "", place, 1))
    at = _AT.search(said)
    line = int(at[1]) if at and at[1] else text.count("\n") + 1 if at else None
    what = _AT.sub("", said)
    raise malformed(place, line, f"this is not TOML: {what[:1].lower()}{what[1:]}")


def _setting(value: object, path: Path, lines: dict[Path, int], above: Source) -> Setting:
    source = above
    if path:
        source = Source("file", ".".join(path), above.place, lines.get(path, above.line))
    return Setting(_value(value, path, lines, source), source)


def _value(value: object, path: Path, lines: dict[Path, int], source: Source) -> object:
    if isinstance(value, dict):
        table = cast("dict[str, object]", value)
        return frozen(
            {name: _setting(item, (*path, name), lines, source) for name, item in table.items()}
        )
    if isinstance(value, list):
        items = cast("list[object]", value)
        return tuple(_value(item, path, lines, source) for item in items)
    return value


def _lines(text: str) -> dict[Path, int]:
    """Where each key of *text*, which is known to be TOML, is first named."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._tokens = self._of(text)

    @staticmethod
    def _of(text: str) -> Iterator[tuple[str, int]]:
        line = 1
        position = 0
        for word in _TOKEN.finditer(text):
            line += text.count("\n", position, word.start())
            position = word.start()
            if word.lastgroup != "comment":
                yield word[0], line

    def document(self) -> None:
        table: Path = ()
        for word, line in self._tokens:
            if word == "[":
                table = self._key("]", self._next()[0].removeprefix("["), (), line)
            elif word not in {"\n", "]"}:
                path = self._key("=", word, table, line)
                self._value(self._next()[0], path, until="\n")

    def _next(self) -> tuple[str, int]:
        return next(self._tokens, ("\n", 0))

    def _key(self, end: str, word: str, table: Path, line: int) -> Path:
        """The path of a key that begins with *word*, which is read up to *end*."""
        path = table
        while word != end:
            if word not in {"", ".", "["}:
                path = (*path, *_parts(word))
                self.lines.setdefault(path, line)
            word = self._next()[0]
        return path

    def _value(self, word: str, path: Path, *, until: str) -> str:
        """Read over one value; returns the sign after it."""
        while word not in {until, ","}:
            if word == "{":
                self._inline_table(path)
            elif word == "[":
                self._array(path)
            word = self._next()[0]
        return word

    def _inline_table(self, path: Path) -> None:
        word, line = self._next()
        while word != "}":
            if word in {",", "\n"}:
                word, line = self._next()
                continue
            inner = self._key("=", word, path, line)
            word = self._value(self._next()[0], inner, until="}")

    def _array(self, path: Path) -> None:
        word = self._next()[0]
        while word != "]":
            if word == "{":
                self._inline_table((*path, "[]"))
            elif word == "[":
                self._array(path)
            word = self._next()[0]


def _parts(word: str) -> Path:
    if word[0] in "\"'":
        return (next(iter(tomllib.loads(f"{word} = 0"))),)
    return (word,)
