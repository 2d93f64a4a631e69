"""YAML, with the line of every key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]
from yaml import MappingNode, Node, ScalarNode, SequenceNode, YAMLError
from yaml.reader import ReaderError  # type: ignore[import-untyped]

from .files import malformed
from .mistakes import Mistake
from .sources import Setting, Source, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_VALUES = 20_000
"""Of one file. Aliases can blow up a few lines to more than any memory."""

_REASONS = (
    ("mapping values are not allowed", "a ':' stands where none can; quote text that holds ': '"),
    ("could not find expected ':'", "a ':' is missing after a key"),
    ("cannot start any token", "a value begins with a tab or a sign that needs quotes"),
    ("undefined alias", "a '*' refers to nothing; quote text that begins with it"),
    ("constructor for the tag", "a '!' begins a tag that is not known; quote the text"),
    ("unexpected end of stream", "a quote is opened and never closed"),
    ("expected <block end>", "the indentation does not fit the lines above"),
    ("expected ',' or", "a ',' or a closing bracket is missing"),
    ("expected a single document", "there is more than one document"),
    ("unknown escape", "a '\\' in double quotes begins no known escape"),
)
"""The parser's words quote what stands in the line, which may be a secret; these do not."""


def parse(text: str, place: str, noted: list[Mistake]) -> Setting:
    """
    The settings in *text*.

    A key that stands in it twice, or is no text, is *noted*.

    Raises:
        RefusedError: This is not YAML.
    """
    try:
        loader: Any = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            reader = _Reader(loader, place, noted)
            root = Setting(frozen({}), reader.source("", 1)) if node is None else reader.root(node)
        finally:
            loader.dispose()
    except YAMLError as error:
        problem = _reason(error), _line(error, text)
    except (ValueError, OverflowError):  # a date or a number that is none
        problem = "a value looks like a date or a number and is none; quote it", None
    else:
        return root
    raise malformed(place, problem[1], problem[0])


@dataclass(slots=True)
class _Reader:
    loader: Any
    place: str
    mistakes: list[Mistake]
    values: int = 0
    open: set[int] = field(default_factory=set[int])

    def root(self, node: Node) -> Setting:
        return Setting(self.value(node, ""), self.source("", _first(node)))

    def source(self, name: str, line: int) -> Source:
        return Source("file", name, self.place, line)

    def value(self, node: Node, path: str) -> object:
        self.values += 1
        if self.values > MOST_VALUES or id(node) in self.open:
            raise malformed(self.place, _first(node), "aliases make this too large")
        if isinstance(node, ScalarNode):
            return self.loader.construct_object(node)
        self.open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                items: list[Node] = node.value
                return tuple(self.value(item, path) for item in items)
            return frozen(dict(self.entries(node, path)))
        finally:
            self.open.discard(id(node))

    def entries(self, node: Node, path: str) -> Iterator[tuple[str, Setting]]:
        assert isinstance(node, MappingNode)
        self.check_keys(node, path)
        self.loader.flatten_mapping(node)
        pairs: list[tuple[Node, Node]] = node.value
        for key, value in pairs:
            name = key.value
            if isinstance(name, str):
                dotted = f"{path}.{name}" if path else name
                yield name, Setting(self.value(value, dotted), self.source(dotted, _first(key)))

    def check_keys(self, node: MappingNode, path: str) -> None:
        seen: dict[str, int] = {}
        pairs: list[tuple[Node, Node]] = node.value
        for key, _ in pairs:
            text, line = key.value, _first(key)
            dotted = f"{path}.{text}" if path else f"{text}"
            if not isinstance(text, str):
                self.mistakes.append(Mistake(self.source(path, line), "has a key that is no text"))
            elif text in seen:
                problem = f"is said twice, first in line {seen[text]}"
                self.mistakes.append(Mistake(self.source(dotted, line), problem))
            seen[str(text)] = line


def _first(node: Node) -> int:
    return node.start_mark.line + 1 if node.start_mark else 1


def _reason(error: YAMLError) -> str:
    said = " ".join(
        filter(None, (getattr(error, "problem", None), getattr(error, "context", None)))
    )
    for words, plainly in _REASONS:
        if words in said:
            return plainly
    if isinstance(error, ReaderError):
        return "there is a character that cannot stand in YAML"
    return "this is not YAML"


def _line(error: YAMLError, text: str) -> int | None:
    if isinstance(error, ReaderError):
        return len(re.findall(r"\r\n|\n|\r", text[: error.position])) + 1
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return mark.line + 1 if mark else None
