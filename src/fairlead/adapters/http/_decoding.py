"""Undoing a response's compression, a piece at a time, so that a bomb cannot go off."""

from __future__ import annotations

import zlib
from typing import Protocol

from ...core.errors import InvalidResponseError, ProviderConnectionError

ACCEPTED = b"gzip, deflate"
PIECE = 65_536
"""The most bytes that are decompressed at a time."""

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class ContentDecoder(Protocol):
    """Undoes a content-encoding."""

    def feed(self, data: bytes) -> None:
        """Take in encoded *data*."""
        ...

    def take(self) -> bytes:
        """
        The next decoded bytes, at most `PIECE`; b"" if there are none without more data.

        Raises:
            InvalidResponseError: The data is not encoded as the response says.
        """
        ...

    def finish(self) -> None:
        """
        Declare the end of the data.

        Raises:
            ProviderConnectionError: The encoded data goes on.
        """
        ...


class Inflater:
    """Decompresses gzip, and deflate with or without zlib's frame; see `ContentDecoder`."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._waiting = b""
        self._has_begun = False
        self._has_more = False

    def feed(self, data: bytes) -> None:
        self._waiting += data

    def take(self) -> bytes:
        while self._waiting or self._has_more:
            piece = self._inflate(self._waiting)
            self._has_begun = True
            self._has_more = len(piece) == PIECE
            self._waiting = self._stream.unconsumed_tail or self._stream.unused_data
            if self._stream.eof:
                self._has_more = False
                if self._waiting:  # gzip members may follow each other
                    self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
            if piece:
                return piece
        return b""

    def _inflate(self, data: bytes) -> bytes:
        try:
            return self._stream.decompress(data, PIECE)
        except zlib.error as error:
            if not self._has_begun:
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
                self._has_begun = True
                return self._inflate(data)
            raise InvalidResponseError(
                "the response is not compressed as its content-encoding says", sent=True
            ) from error

    def finish(self) -> None:
        if self._has_begun and not self._stream.eof:
            raise ProviderConnectionError("the compressed response ended before its end", sent=True)


class Discarder:
    """Stands for an encoding that nobody can undo; see `ContentDecoder`."""

    def feed(self, data: bytes) -> None:
        pass

    def take(self) -> bytes:
        return b""

    def finish(self) -> None:
        pass


def decoder_for(encoding: str, *, needed: bool) -> ContentDecoder | None:
    """
    What undoes a content-encoding; None where nothing need be done.

    Args:
        encoding: Its name.
        needed: Whether a body that cannot be decoded is of no use; else it is taken for empty.

    Raises:
        InvalidResponseError: It is needed, and none that we know or asked for.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return Inflater()
    if not needed:
        return Discarder()
    raise InvalidResponseError(
        f"the response is compressed as {encoding[:40]!r}, where gzip or deflate was asked for; "
        "something on the way may have changed it",
        misconfigured=True,
        sent=True,
    )
