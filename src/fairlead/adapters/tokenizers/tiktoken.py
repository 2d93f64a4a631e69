"""
OpenAI's tokenizers, by tiktoken, where their vocabularies are on disk.

tiktoken itself downloads a vocabulary when it is first asked for; here it is handed the file, so
it never does.
"""

from __future__ import annotations

import threading
from base64 import b64decode
from functools import partial
from typing import TYPE_CHECKING

from .vocabularies import VOCABULARIES, candidates, folders, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tiktoken import Encoding

    from ...core.ports import Tokenizer
    from .vocabularies import Vocabulary


class TiktokenTokenizer:
    """Counts by one of tiktoken's encodings. What looks like a special token counts as text."""

    __slots__ = ("_encoding", "_family")

    def __init__(self, family: str, encoding: Encoding) -> None:
        self._family = family
        self._encoding = encoding

    @property
    def family(self) -> str:
        """The name that `ModelInfo.tokenizer` gives it."""
        return self._family

    def count(self, text: str) -> int:
        """The tokens of *text*."""
        return len(self._encoding.encode_ordinary(text))


def load(
    family: str,
    *,
    places: Iterable[Path] | None = None,
    vocabularies: Sequence[Vocabulary] = VOCABULARIES,
) -> Tokenizer | None:
    """
    The tokenizer of *family*; None if there is none, or its vocabulary is not on disk.

    Takes a third of a second, and the memory of some 60 MB.

    Args:
        family: Such as `o200k`.
        places: Folders to look in; if none are given, those of `vocabularies.folders()`.
        vocabularies: Those that there are.
    """
    vocabulary = next((each for each in vocabularies if each.family == family), None)
    data = vocabulary and read(vocabulary, places)
    if not vocabulary or not data or _over():
        return None
    from tiktoken import Encoding

    pairs = map(bytes.split, data.splitlines())
    ranks = {b64decode(token): int(rank) for token, rank in pairs}
    if _over():
        return None
    encoding = Encoding(
        vocabulary.encoding,
        pat_str=vocabulary.pattern,
        mergeable_ranks=ranks,
        special_tokens={},
    )
    return TiktokenTokenizer(family, encoding)


async def load_in_thread(
    family: str,
    *,
    places: Iterable[Path] | None = None,
    vocabularies: Sequence[Vocabulary] = VOCABULARIES,
) -> Tokenizer | None:
    """As `load`, while the event loop goes on."""
    from anyio.to_thread import run_sync

    return await run_sync(partial(load, family, places=places, vocabularies=vocabularies))


class BackgroundTokenizers:
    """
    Tokenizers that load in a thread of their own; until one is there, an estimate answers.

    One object is meant to serve all providers of a program: each vocabulary is loaded once.

    Args:
        places: Folders to look in; if none are given, those of `vocabularies.folders()`.
        vocabularies: Those that there are.
    """

    def __init__(
        self,
        *,
        places: Sequence[Path] | None = None,
        vocabularies: Sequence[Vocabulary] = VOCABULARIES,
    ) -> None:
        self._places = places
        self._vocabularies = {each.family: each for each in vocabularies}
        self._ready: dict[str, Tokenizer] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self.failures: dict[str, Exception] = {}
        """What kept a tokenizer from loading, by family."""

    def get(self, family: str, /) -> Tokenizer | None:
        """That of *family*, if it has been loaded."""
        return self._ready.get(family)

    def start(self, family: str | None) -> None:
        """
        Begin to load that of *family*, once. Returns at once.

        Nothing begins, and tiktoken is not imported, if its vocabulary is not on disk.
        """
        vocabulary = self._vocabularies.get(family or "")
        if vocabulary is None:
            return
        places = folders() if self._places is None else self._places
        with self._lock:
            begun = vocabulary.family in self._threads
            if begun or next(candidates(vocabulary, places), None) is None:
                return
            # No daemon: those that are inside tiktoken at exit bring the process down.
            # Where the program is over first, `load` gives up.
            thread = threading.Thread(
                target=self._load, args=(vocabulary, places), name=f"load {vocabulary.family}"
            )
            self._threads[vocabulary.family] = thread
            thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Block until what has been started is there, or *seconds* are over."""
        for thread in list(self._threads.values()):
            thread.join(seconds)

    def _load(self, vocabulary: Vocabulary, places: Sequence[Path]) -> None:
        family = vocabulary.family
        try:
            tokenizer = load(family, places=places, vocabularies=[vocabulary])
        except Exception as error:  # noqa: BLE001 - whatever it is, the estimate goes on
            self.failures[family] = error
            return
        if tokenizer is not None:
            self._ready[family] = tokenizer


def _over() -> bool:
    """Whether the program is waiting for its threads in order to end."""
    return not threading.main_thread().is_alive()
