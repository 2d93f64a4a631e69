"""
Counting tokens: exactly where a tokenizer is at hand, else by an estimate, and a bound.

A token count is close to linear in how many characters of each kind a text has, and one pass of
`bytes.translate` over its UTF-8 tells the kinds apart. The weights below were fitted by least
squares on 52 kinds of text; on chunks of 1,500 characters that the fit had not seen, the mean
error was 7 to 10 percent (o200k 7.4), against 27 to 52 for characters divided by four. What it is
for each kind of text stands in `docs/explanation/token-counts.md`, and a test measures it.

It is an expectation, not a bound: random letters have more than twice as many. The bound is the
number of bytes, as no byte-level token is shorter than a byte.

Parts are measured unrounded and added up; a sum is rounded once.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from .messages import Audio, File, Image, Reasoning, Text, ToolCall, ToolResult
from .requests import GenerateRequest, messages_of
from .results import TokenCount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .messages import Message, Part, Prompt, Tool
    from .ports import Tokenizer
    from .requests import EmbedRequest

O200K = "o200k"
"""The family that is assumed where none is known."""
_O200K = (0.23, 1.04, 1.13, 0.78, 0.41, 1.39, 0.32, 0.39, 0.71, 0.93, 1.57)
FAMILIES: dict[str, tuple[float, ...]] = {
    O200K: _O200K,
    "cl100k": (0.24, 1.06, 2.20, 0.78, 0.38, 1.23, 0.60, 1.08, 1.03, 0.87, 2.54),
    "claude_v3": (0.24, 1.83, 2.13, 0.76, 0.63, 1.81, 0.50, 0.90, 1.00, 1.54, 2.37),
    "claude_v4_7": (0.36, 2.35, 2.24, 0.77, 0.74, 1.80, 0.50, 0.90, 1.01, 1.86, 2.33),
    "deepseek": (0.24, 1.10, 1.90, 0.78, 0.51, 1.24, 0.39, 0.47, 0.63, 0.56, 1.99),
    "gemini": tuple(1.08 * weight for weight in _O200K),
    "tekken": (0.23, 0.85, 1.17, 1.34, 0.44, 1.39, 0.36, 0.44, 0.73, 1.37, 4.32),
}
"""Weights per tokenizer family: letters, then as in `_KINDS`."""

FACTORS: dict[str, float] = {
    O200K: 1.25,
    "cl100k": 1.45,
    "claude_v3": 1.4,
    "claude_v4_7": 1.4,
    "deepseek": 1.3,
    "gemini": 1.4,
    "tekken": 1.3,
}
"""What to multiply an estimate by so that 95 of 100 texts have no more; `FACTOR` for others."""
FACTOR = 1.45

MESSAGE_OVERHEAD = 4
"""Tokens around each message of a chat: the role and its frame."""
PROMPT_OVERHEAD = 2
"""Tokens around a whole chat: recorded calls of one message have six more than its words."""
TOOLS_OVERHEAD: dict[str, int] = {"claude_v3": 500, "claude_v4_7": 500, "deepseek": 250}
"""Tokens of a vendor's own words on tools, once per request that has any, as recorded."""
_TOOLS_OVERHEAD = 16
PICTURE: dict[str, int] = {"claude_v3": 1334, "claude_v4_7": 1334, "gemini": 258}
"""Tokens of a picture of a megapixel, by the vendors' published formulas; else `_PICTURE`."""
_PICTURE, _PICTURE_AT_A_GLANCE = 765, 85

MESSAGE_BOUND = 16
"""What the frame of one message or tool can have at most, in any format that is known."""
PROMPT_BOUND = 128
"""What a chat format says of its own accord: recorded are up to 78 tokens."""
TOOLS_BOUND = 1024
"""What a vendor says about tools of its own accord: recorded are up to 560 tokens."""

_LOWER, _UPPER, _OTHER, _SPACE = b"l", b"u", b"a", b" "
_RANGES: tuple[tuple[int, int, bytes], ...] = (
    # The first byte of a character's UTF-8 tells its kind.
    (0x00, 0x1F, b"n"),
    (0x09, 0x09, _SPACE),
    (0x20, 0x20, _SPACE),
    (0x21, 0x2F, b"p"),
    (0x30, 0x39, b"d"),
    (0x3A, 0x40, b"p"),
    (0x41, 0x5A, _UPPER),
    (0x5B, 0x60, b"p"),
    (0x61, 0x7A, _LOWER),
    (0x7B, 0x7F, b"p"),
    (0xC2, 0xC2, b"s"),
    (0xC3, 0xCD, b"x"),
    (0xCE, 0xD3, b"c"),
    (0xE2, 0xE2, b"s"),
    (0xE3, 0xED, b"k"),
    (0xF0, 0xF7, b"e"),
)
_KINDS = (b"lu", b"x", b"d", b"p", b"n", b"c", _OTHER, b"k", b"s", b"e")
"""A change from lower to upper case, extended Latin, digits, punctuation, line ends and controls,
Cyrillic and Greek, other alphabets, Chinese, Japanese and Korean, symbols, emoji."""
_CONTINUATION = bytes(range(0x80, 0xC0))


def _table() -> bytes:
    table = bytearray(_OTHER * 256)
    for low, high, kind in _RANGES:
        table[low : high + 1] = kind * (high + 1 - low)
    return bytes(table)


_TABLE = _table()


def measure(text: str, family: str = O200K) -> float:
    """
    How many tokens *text* is expected to have, unrounded, so that parts may be added up.

    An unknown *family* is counted as `o200k`.
    """
    weights = FAMILIES.get(family) or _O200K
    if text.isascii():
        return _measure_ascii(text, weights)
    kinds = _bytes(text).translate(_TABLE, _CONTINUATION)
    letters = kinds.count(_LOWER) + kinds.count(_UPPER)
    counts = (letters, *(kinds.count(kind) for kind in _KINDS))
    return sum(weight * count for weight, count in zip(weights, counts, strict=True))


def _measure_ascii(text: str, weights: tuple[float, ...]) -> float:
    """The same without the kinds that no ASCII text has: 3.5 µs a kilobyte instead of 7.5."""
    letters, changes, _, digits, punctuation, line_ends, *_ = weights
    kinds = text.encode().translate(_TABLE)
    others = kinds.translate(None, _LOWER + _UPPER + _SPACE)
    return (
        letters * (len(kinds) - len(others) - kinds.count(_SPACE))
        + changes * kinds.count(_KINDS[0])
        + digits * others.count(_KINDS[2])
        + punctuation * others.count(_KINDS[3])
        + line_ends * others.count(_KINDS[4])
    )


def count(
    text: str | Prompt, family: str | None = None, tokenizer: Tokenizer | None = None
) -> TokenCount:
    """
    How many tokens a text or a whole prompt has.

    Exact for a text that *tokenizer* counts. A prompt that is not a plain string has frames round
    its messages, which each vendor makes otherwise; so it is an estimate, the closer the better
    its words are known. A picture counts as one of a megapixel; sound and files are not counted.

    Args:
        text: The text or prompt.
        family: Of the model's tokenizer; `o200k` if it is not known.
        tokenizer: Of that family, if there is one.
    """
    if isinstance(text, str):
        if tokenizer is not None:
            return TokenCount(tokenizer.count(text), exact=True)
        return _rounded(_within_bytes(text, family or O200K), 1 if text else 0)
    return _rounded(_Scale(family, tokenizer).messages(messages_of(text)))


def estimate(text: str | Prompt, family: str | None = None) -> TokenCount:
    """As `count` without a tokenizer."""
    return count(text, family)


def count_request(
    request: GenerateRequest | EmbedRequest,
    family: str | None = None,
    tokenizer: Tokenizer | None = None,
) -> TokenCount:
    """
    How many tokens of input *request* is expected to have, with its tools and schema.

    Never exact. Tools are counted as their JSON, which is on the high side where a vendor
    abridges it: OpenAI needs about half of that for many small ones.
    """
    if not isinstance(request, GenerateRequest):
        return _rounded(sum(map(_Scale(family, tokenizer).words, request.texts)))
    rest, each = weights(request, family, tokenizer)
    return _rounded(rest + sum(each))


def weights(
    request: GenerateRequest, family: str | None = None, tokenizer: Tokenizer | None = None
) -> tuple[float, list[float]]:
    """What `count_request` adds up, unrounded: what is no message, and each message."""
    scale = _Scale(family, tokenizer)
    rest: float = PROMPT_OVERHEAD
    if request.tools:
        rest += TOOLS_OVERHEAD.get(scale.family, _TOOLS_OVERHEAD)
        rest += sum(scale.words(_declaration(tool)) for tool in request.tools)
    schema = request.schema
    if schema is not None:
        rest += scale.words(_json(schema))
    return rest, [scale.message(message) for message in request.messages]


def weight(
    message: Message, family: str | None = None, tokenizer: Tokenizer | None = None
) -> float:
    """As `weights`, of one message."""
    return _Scale(family, tokenizer).message(message)


def least_tokens(request: GenerateRequest) -> int:
    """
    A number of input tokens that *request* cannot have less than: its words.

    No tokenizer here joins two words that white space divides. What is not sent to everybody, such
    as reasoning, counts for nothing, and texts without white space, such as Chinese, for little.
    """
    parts = [part for message in request.messages for part in message.parts]
    return sum(len(part.text.split()) for part in parts if isinstance(part, Text | ToolResult))


def count_answer(message: Message, family: str | None = None) -> TokenCount:
    """How many tokens of output *message*, whole or as far as it came, is expected to have."""
    total = sum(map(_Scale(family, None).words, _words(message)))
    return _rounded(total, 1 if total else 0)


def most_tokens(request: GenerateRequest | EmbedRequest) -> int | None:
    """
    A number of input tokens that *request* cannot exceed; None if it has media.

    For byte-level tokenizers, which all that speak here are; what a vendor adds of its own accord,
    such as the results of its own web search, is not in it.
    """
    if not isinstance(request, GenerateRequest):
        return sum(len(_bytes(text)) + MESSAGE_BOUND for text in request.texts)
    total = PROMPT_BOUND
    for message in request.messages:
        if any(_media(message)):
            return None
        total += MESSAGE_BOUND + sum(len(_bytes(words)) for words in _words(message))
        total += sum(len(_bytes(_json(record))) for record in _opaque(message))
    if request.tools:
        total += TOOLS_BOUND
        total += sum(len(_bytes(_declaration(tool))) + MESSAGE_BOUND for tool in request.tools)
    for more in (request.schema, request.extra):
        total += len(_bytes(_json(more))) + MESSAGE_BOUND if more else 0
    return total


class _Scale:
    """Measures words by a tokenizer if there is one, else by the family's weights."""

    def __init__(self, family: str | None, tokenizer: Tokenizer | None) -> None:
        self.family = family or O200K
        self.words: Callable[[str], float] = (
            partial(_within_bytes, family=self.family) if tokenizer is None else tokenizer.count
        )

    def messages(self, messages: tuple[Message, ...]) -> float:
        """All of them, with their frames and the chat's own."""
        return PROMPT_OVERHEAD + sum(map(self.message, messages))

    def message(self, message: Message) -> float:
        words = sum(map(self.words, _words(message)))
        return MESSAGE_OVERHEAD + words + sum(map(self._picture, _media(message)))

    def _picture(self, part: Part) -> int:
        if not isinstance(part, Image):
            return 0
        if part.detail == "low":
            return _PICTURE_AT_A_GLANCE
        return PICTURE.get(self.family, _PICTURE)


def _words(message: Message) -> Iterator[str]:
    """Everything in *message* that is read as text."""
    for part in message.parts:
        for attribute in ("text", "name", "arguments"):
            words = getattr(part, attribute, None)
            if words:
                yield words


def _media(message: Message) -> Iterator[Part]:
    for part in message.parts:
        if isinstance(part, ToolResult) and not isinstance(part.content, str):
            yield from (inner for inner in part.content if isinstance(inner, Image | File))
        elif isinstance(part, Image | Audio | File):
            yield part


def _opaque(message: Message) -> Iterator[Any]:
    """The vendor's own records that go back with *message*."""
    for part in message.parts:
        if isinstance(part, Reasoning | ToolCall) and part.opaque:
            yield part.opaque


def _declaration(tool: Tool) -> str:
    parameters = dict(tool.parameters)
    return _json({"name": tool.name, "description": tool.description, "parameters": parameters})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=repr)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _rounded(expected: float, least: int = 1) -> TokenCount:
    return TokenCount(max(round(expected), least))


def _within_bytes(text: str, family: str) -> float:
    expected = measure(text, family)
    # No text has fewer bytes than characters, so most need not be encoded to know.
    if expected <= len(text):
        return expected
    return min(expected, len(_bytes(text)))
