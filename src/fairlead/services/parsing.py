"""
Answers as JSON or as pydantic models, whatever a model has put round them.

What is mended is notation and never content: comments, commas too many, single quotes, keys without
quotes, Python's `True`, `False` and `None`, line ends inside of strings. A quote, a comma or a
bracket that is missing is not made up, and no part is taken for the whole.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic_core import ValidationError, from_json

from ..core.errors import ResponseParseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

M = TypeVar("M", bound="BaseModel")

MOST_STARTS = 256
"""Places where a value may begin that are tried; what comes after them is taken for prose."""


def parse_json(text: str, *, partial: bool = False) -> Any:
    """
    The JSON value in *text*: the whole of it, else the longest in a fence, else the longest.

    Args:
        text: An answer, with whatever stands round the value.
        partial: Whether an object or a list that breaks off at the end of the text will do, as
            one that is still arriving.

    Raises:
        ResponseParseError: There is none, or it is damaged in a way that cannot be mended;
            `position` says where.
    """
    found = _Found(text)
    damage = found.damage
    if partial and damage is not None and damage.cut:
        for begun in (text[damage.start :], damage.mended):
            try:
                return from_json(begun, allow_partial="trailing-strings")
            except ValueError:
                continue
    for value in found.values:
        return from_json(value)
    raise found.nothing()


def parse_as(model: type[M], text: str) -> M:
    """
    The *model* that *text* describes: of several values the first that is one.

    Raises:
        ResponseParseError: There is no value that is one; `errors` says what is wrong and where.
    """
    found = _Found(text)
    wrong: ValidationError | None = None
    for value in found.values:
        try:
            return model.model_validate_json(value)
        except ValidationError as error:
            wrong = wrong or error
    if wrong is None:
        raise found.nothing()
    errors = tuple(
        f"{'.'.join(map(str, it['loc'])) or 'the value'}: {it['msg']}"
        for it in wrong.errors(include_url=False, include_context=False, include_input=False)
    )
    msg = f"the answer is no {model.__name__}: {'; '.join(errors)}"
    raise ResponseParseError(msg, errors=errors) from wrong


@dataclass(frozen=True, slots=True)
class _Value:
    """A value that stands in the text from *start* to *end*, as valid JSON."""

    start: int
    end: int
    json: str
    fenced: bool = False

    @property
    def rank(self) -> tuple[bool, int]:
        return not self.fenced, self.start - self.end


@dataclass(frozen=True, slots=True)
class _Damage:
    """What begins as a value does at *start*, and is none."""

    start: int
    mended: str
    position: int
    why: str
    end: int | None
    """Where it is closed; None if it is not."""
    cut: bool
    """Whether the text ends before it does."""


class _Found:
    """What JSON a text holds."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.damage: _Damage | None = None
        """The first."""
        self.values: list[str] = []
        """The likeliest first."""
        try:
            from_json(text)
        except ValueError:
            self.values = [value.json for value in sorted(self._look(), key=lambda it: it.rank)]
        else:
            self.values = [text]

    def nothing(self) -> ResponseParseError:
        """The error for a text in which no value was found."""
        damage = self.damage
        if damage is None:
            return ResponseParseError("there is no JSON in the answer")
        line = self._text.count("\n", 0, damage.position) + 1
        column = damage.position - self._text.rfind("\n", 0, damage.position)
        where = f"line {line}, column {column}"
        msg = f"the JSON in the answer is damaged at {where}: {damage.why}"
        return ResponseParseError(msg, position=damage.position)

    def _look(self) -> list[_Value]:
        """All values beside each other; none that stands inside of another, or of damage."""
        values: list[_Value] = []
        at = 0
        for _ in range(MOST_STARTS):
            start = _START.search(self._text, at)
            if start is None:
                break
            if start.lastgroup == "fence":
                value = self._fenced(start.end())
                at = start.end() if value is None else _past_fence(self._text, value.end)
                values += [] if value is None else [value]
                continue
            read = _read(self._text, start.start())
            if isinstance(read, _Value):
                values.append(read)
                at = read.end
            elif _is_prose(self._text, read):
                at = start.end()
            else:
                self.damage = self.damage or read
                if read.end is None:
                    break
                at = read.end
        return values

    def _fenced(self, at: int) -> _Value | None:
        """The value that a fence begins with: an object or a list, or else all that is in it."""
        if _BRACKET.match(self._text, at):
            read = _read(self._text, at)
            return None if isinstance(read, _Damage) else _Value(at, read.end, read.json, True)
        try:
            end = _DECODER.raw_decode(self._text, at)[1]
            from_json(self._text[at:end])
        except (ValueError, RecursionError):
            return None
        alone = _FENCE_END.match(self._text, end) or not self._text[end:].strip()
        return _Value(at, end, self._text[at:end], fenced=True) if alone else None


def _past_fence(text: str, at: int) -> int:
    """Behind the end of a fence, so that it is not taken for the beginning of another."""
    end = _FENCE_END.match(text, at)
    return at if end is None else end.end()


def _is_prose(text: str, damage: _Damage) -> bool:
    """Whether a bracket that begins no value is one of the words round it."""
    if _SERIOUS.match(text, damage.start):
        return False
    if _NUMBERED.match(text, damage.start):
        return damage.end is None and not damage.cut
    return not damage.cut or _CUT.fullmatch(damage.mended, 1) is None


def _read(text: str, at: int) -> _Value | _Damage:
    """The object or list that begins there."""
    try:
        end = _DECODER.raw_decode(text, at)[1]
        from_json(text[at:end])
    except (ValueError, RecursionError):
        return _mended(text, at)
    return _Value(at, end, text[at:end])


def _mended(text: str, at: int) -> _Value | _Damage:
    """As `_read`, with another notation."""
    out: list[str] = []
    places = [(0, at)]
    depth = length = 0
    end: int | None = None
    cut = True
    for token in _TOKEN.finditer(text, at):
        kind, word = token.lastgroup or "", token.group()
        if kind == "wrong":
            cut = word in {"'", '"'}
            break
        if kind == "close" and (comma := _last(out)) is not None and out[comma] == ",":
            out[comma] = " "
        out.append(_MEND.get(kind, str)(word))
        places.append((length, token.start()))
        length += len(out[-1])
        depth += (kind == "open") - (kind == "close")
        if depth == 0:
            end, cut = token.end(), False
            break
    mended = "".join(out)
    if end is not None:
        try:
            from_json(mended)
        except ValueError:
            pass
        else:
            return _Value(at, end, mended)
    why, offset = _why(mended)
    cut = cut and _CUT.fullmatch(mended, offset) is not None
    before, start = places[bisect_right(places, (offset, len(text))) - 1]
    return _Damage(at, mended, min(start + offset - before, len(text)), why, end, cut)


def _why(mended: str) -> tuple[str, int]:
    """What is wrong with it, and where."""
    try:
        _DECODER.raw_decode(mended)
    except json.JSONDecodeError as error:
        return error.msg, error.pos
    except (ValueError, RecursionError):
        pass
    return "it is nested too deeply", 0


def _last(out: list[str]) -> int | None:
    """Where the last of *out* that is no white space stands."""
    return next((at for at in range(len(out) - 1, -1, -1) if out[at] != " "), None)


def _quoted(word: str) -> str:
    """A string in JSON's quotes. An escape that JSON does not know stays, and is an error."""
    body = _ESCAPE.sub(lambda found: _escape(found.group()), word[1:-1])
    return f'"{body}"'


def _escape(told: str) -> str:
    if told == "\\'":
        return "'"
    return told if told.startswith("\\") else json.dumps(told)[1:-1]


_DECODER = json.JSONDecoder()
_BRACKET = re.compile(r"[{\[]")
_START = re.compile(r"(?P<fence>```[ \t]*[\w+-]*[ \t]*(?:\r?\n\s*|(?=[{\[])))|(?P<bracket>[{\[])")
_FENCE_END = re.compile(r"\s*```")
_SERIOUS = re.compile(r"""\{\s*(?:"|'|[A-Za-z_$][\w$]*\s*:)|\[\s*[{\["']""")
"""How an object or a list begins, and prose hardly ever does."""
_NUMBERED = re.compile(r"\[\s*(?:-?\d|(?:[Tt]rue|[Ff]alse|null|None|NaN|-?Infinity)\b)")
"""How a list begins, and so does a footnote."""
_CUT = re.compile(
    r"\s*(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|N(?:a|on?)?|T(?:ru?)?|F(?:a(?:ls?)?)?"
    r"|-?(?:I(?:n(?:f(?:i(?:n(?:it?)?)?)?)?)?)?|[.eE][+-]?)"
)
"""What is left of a word or a number that breaks off."""
_ESCAPE = re.compile(r"""\\.|["\x00-\x1f]""", re.DOTALL)
_TOKEN = re.compile(
    r"""
      (?P<open> [{\[] )
    | (?P<close> [}\]] )
    | (?P<sign> [,:] )
    | (?P<string> "[^"\\]*(?:\\.[^"\\]*)*" | '[^'\\]*(?:\\.[^'\\]*)*' )
    | (?P<key> [A-Za-z_$][\w$]* (?= \s*: ) )
    | (?P<word> -?[A-Za-z]+ )
    | (?P<number> -?\d[\w.+-]* | -\Z )
    | (?P<space> \s+ | //[^\n]* | /\*.*?\*/ | \#[^\n]* )
    | (?P<wrong> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_WORDS = {"True": "true", "False": "false", "None": "null"}
_MEND: dict[str, Callable[[str], str]] = {
    "string": _quoted,
    "key": '"{}"'.format,
    "word": lambda word: _WORDS.get(word, word),
    "space": lambda _: " ",
}
