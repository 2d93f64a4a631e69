"""JSON, with the line of every key."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .files import malformed
from .mistakes import Mistake
from .sources import Setting, Source, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


def parse(text: str, place: str, noted: list[Mistake]) -> Setting:
    """
    The settings in *text*. A key that stands in it twice is *noted*.

    Raises:
        RefusedError: This is not JSON.
    """
    if not text.strip():
        return Setting(frozen({}), Source("file", "", place, 1))
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        what, line = error.msg.partition(":")[0], error.lineno
    except ValueError:
        what, line = "a number has too many digits", None
    else:
        reader = _Reader(text, place, _TOKEN.finditer(text), noted)
        return Setting(reader.value(reader.next(), ""), reader.source(""))
    what = what.removesuffix(" at")
    raise malformed(place, line, f"this is not JSON: {what[:1].lower()}{what[1:]}")


@dataclass(slots=True)
class _Reader:
    """Walks over text that is known to be JSON."""

    text: str
    place: str
    tokens: Iterator[re.Match[str]]
    mistakes: list[Mistake]
    line: int = 1
    position: int = 0

    def next(self) -> str:
        word = next(self.tokens)
        self.line += self.text.count("\n", self.position, word.start())
        self.position = word.start()
        return word[0]

    def source(self, name: str) -> Source:
        return Source("file", name, self.place, self.line)

    def value(self, word: str, path: str) -> object:
        if word == "{":
            return frozen(self.members(path))
        if word == "[":
            return tuple(self.items(path))
        value: object = json.loads(word)
        return value

    def items(self, path: str) -> Iterator[object]:
        while (word := self.next()) != "]":
            if word != ",":
                yield self.value(word, path)

    def members(self, path: str) -> dict[str, Setting]:
        found: dict[str, Setting] = {}
        while (word := self.next()) != "}":
            if word == ",":
                continue
            name: str = json.loads(word)
            source = self.source(f"{path}.{name}" if path else name)
            if name in found:
                problem = f"is said twice, first in line {found[name].source.line}"
                self.mistakes.append(Mistake(source, problem))
            self.next()
            found[name] = Setting(self.value(self.next(), source.name), source)
        return found
