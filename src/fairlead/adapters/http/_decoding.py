"""Undoing a response's compression, a piece at a time, so that a bomb cannot go off."""

from __future__ import annotations

import zlib

from ...core.errors import InvalidResponseError, ProviderConnectionError

ACCEPTED = b"gzip, deflate"
PIECE = 65_536
"""The most bytes that are decompressed at a time."""

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class Inflater:
    """Decompresses gzip, and deflate with or without zlib's frame."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._waiting = b""
        self._has_begun = False
        self._has_more = False

    def feed(self, data: bytes) -> None:
        """Take in compressed *data*."""
        self._waiting += data

    def take(self) -> bytes:
        """
        The next decompressed bytes, at most `PIECE`; b"" if there are none without more data.

        Raises:
            InvalidResponseError: The data is not compressed as the response says.
        """
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
        """
        Declare the end of the data.

        Raises:
            ProviderConnectionError: The compressed data goes on.
        """
        if self._has_begun and not self._stream.eof:
            raise ProviderConnectionError("the compressed response ended before its end", sent=True)


def inflater_for(encoding: str) -> Inflater | None:
    """
    What undoes a content-encoding; None where nothing need be done.

    Raises:
        InvalidResponseError: It is none that we know or asked for.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return Inflater()
    raise InvalidResponseError(
        f"the response is compressed as {encoding[:40]!r}, where gzip or deflate was asked for; "
        "something on the way may have changed it",
        misconfigured=True,
        sent=True,
    )
