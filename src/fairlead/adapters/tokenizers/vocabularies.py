"""Which vocabularies there are, and where they lie on this machine."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_PUBLISHED = "https://openaipublic.blob.core.windows.net/encodings/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """
    A published file of byte pairs.

    Args:
        family: What `ModelInfo.tokenizer` calls it.
        encoding: What tiktoken calls it.
        sha256: Of the file.
        size: Of the file, in bytes.
        pattern: How text is split before byte pairs are looked for; tiktoken's own.
    """

    family: str
    encoding: str
    sha256: str
    size: int
    pattern: str

    @property
    def filename(self) -> str:
        """What it is called where it is published."""
        return f"{self.encoding}.tiktoken"

    @property
    def url(self) -> str:
        """Where it is published."""
        return _PUBLISHED + self.filename

    @property
    def key(self) -> str:
        """The file's name in a cache, as tiktoken makes it."""
        return hashlib.sha1(self.url.encode(), usedforsecurity=False).hexdigest()

    def is_in(self, data: bytes) -> bool:
        """Whether *data* is the file, unharmed."""
        return hashlib.sha256(data).hexdigest() == self.sha256


O200K = Vocabulary(
    family="o200k",
    encoding="o200k_base",
    sha256="446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    size=3_613_922,
    pattern=(
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
)
CL100K = Vocabulary(
    family="cl100k",
    encoding="cl100k_base",
    sha256="223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    size=1_681_126,
    pattern=(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
)
VOCABULARIES: tuple[Vocabulary, ...] = (O200K, CL100K)


def folders(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Where vocabularies are looked for: where tiktoken keeps its own, then our own cache."""
    found = tiktokens_folder(environ)
    return [*([found] if found else []), own_folder(environ)]


def download_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where a download goes: where tiktoken is told to keep its own, else our own cache."""
    told = environ.get("TIKTOKEN_CACHE_DIR") or environ.get("DATA_GYM_CACHE_DIR")
    return Path(told) if told else own_folder(environ)


def tiktokens_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where tiktoken keeps its own; None if it is told to keep none."""
    for name in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if name in environ:
            return Path(environ[name]) if environ[name] else None
    from tempfile import gettempdir

    return Path(gettempdir(), "data-gym-cache")


def own_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's cache of fairlead, by the customs of the platform."""
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Caches"
    else:
        base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "fairlead", "tokenizers")


def candidates(vocabulary: Vocabulary, places: Iterable[Path] | None = None) -> Iterator[Path]:
    """Files that should be *vocabulary*. Whether they are, `is_in` tells; asking costs nothing."""
    for place in folders() if places is None else places:
        path = place / vocabulary.key
        if path.is_file():
            yield path


def read(vocabulary: Vocabulary, places: Iterable[Path] | None = None) -> bytes | None:
    """The first file that is *vocabulary* unharmed. Others are left alone: they are not ours."""
    for path in candidates(vocabulary, places):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        if vocabulary.is_in(data):
            return data
    return None
