"""What is asked: words, standard input, files and pictures."""

from __future__ import annotations

import mimetypes
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import ConfigurationError
from ..core.messages import File, Image, Message, Text
from .failures import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..core.messages import Part

LARGEST = 64 * 1024 * 1024
"""Bytes of one file."""
_PICTURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}
_ADDRESSES = ("http://", "https://", "data:")


def prompt_of(words: tuple[str, ...], *, needed: bool = True) -> str:
    """
    The prompt that *words* make; `-`, or no words at all, stand for standard input.

    To be called where no event loop runs, so that Ctrl-C ends the wait for it.

    Args:
        words: What has been written.
        needed: Whether there is nothing else to ask about.

    Raises:
        ConfigurationError: There is nothing to ask, or standard input is not text.
    """
    if not words and not needed:
        return ""
    pieces = [_piped() if word == "-" else word for word in words or ("-",)]
    separator = "\n\n" if "-" in words else " "
    prompt = separator.join(piece for piece in pieces if piece)
    if needed and not prompt.strip():
        msg = 'the prompt is empty; try: fairlead generate "Why is the sky blue?"'
        raise ConfigurationError(msg)
    return prompt


def _piped() -> str:
    return standard_input("the prompt").strip()


def with_attachments(prompt: str, *, images: Sequence[str], files: Sequence[Path]) -> str | Message:
    """
    What is asked: the prompt with the text of text files behind it, and everything else beside it.

    Args:
        prompt: The words.
        images: Files, or addresses that the vendor fetches.
        files: Texts in UTF-8, or documents such as PDFs.

    Raises:
        ConfigurationError: A file cannot be read, or is not what it is given as.
    """
    texts = [prompt] if prompt else []
    parts: list[Part] = [_image(each) for each in images]
    for path in files:
        data = read_bytes(path)
        text = _as_text(data)
        if text is None:
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            parts.append(File(data=data, media_type=kind, name=path.name))
        else:
            texts.append(f"{path.name}:\n{text.rstrip()}")
    words = "\n\n".join(texts)
    if not parts:
        return words
    return Message.user(*([Text(words)] if words else []), *parts)


def read_bytes(path: Path) -> bytes:
    """
    What *path* holds.

    Raises:
        ConfigurationError: It cannot be read, or is too large.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigurationError(f"{path} is larger than {LARGEST >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}") from error


def read_text(path: Path) -> str:
    """
    The UTF-8 text that *path* holds; `-` stands for standard input.

    Raises:
        ConfigurationError: It cannot be read, or is no text.
    """
    if str(path) == "-":
        return standard_input()
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text (at byte {error.start})") from error


def standard_input(what: str = "the text") -> str:
    """
    All of standard input. To be called where no event loop runs, so that Ctrl-C ends the wait.

    Raises:
        ConfigurationError: It is no text.
    """
    if sys.stdin.isatty():
        say(f"reading {what} from standard input; end it with Ctrl-D")
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"standard input is not UTF-8 text (at byte {error.start})"
        raise ConfigurationError(msg) from error


def texts_of(words: Iterable[str], files: Iterable[Path]) -> list[tuple[str, str]]:
    """
    The texts that a command is about, each with its name; standard input if none is named.

    Raises:
        ConfigurationError: One cannot be read.
    """
    named = [(word, standard_input() if word == "-" else word) for word in words]
    named += [(str(path), read_text(path)) for path in files]
    return named or [("-", standard_input())]


def _image(given: str) -> Image:
    if given.lower().startswith(_ADDRESSES):
        return Image(url=given)
    path = Path(given)
    data = read_bytes(path)
    kind = next((kind for magic, kind in _PICTURES.items() if data.startswith(magic)), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "image/webp"
    kind = kind or mimetypes.guess_type(path.name)[0]
    if kind is None or not kind.startswith("image/"):
        raise ConfigurationError(f"{path} is no picture; give other files with --file")
    return Image(data=data, media_type=kind)


def _as_text(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text or text.startswith("%PDF-") else text
