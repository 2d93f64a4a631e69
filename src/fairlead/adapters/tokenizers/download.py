"""Downloads a vocabulary. The only module here that talks to anybody, and only when asked to."""

from __future__ import annotations

import http.client
import secrets
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from ..http.address import check_address

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .vocabularies import Vocabulary

SECONDS = 30.0
"""How long the server may fall silent."""
_CHUNK = 1 << 16


def download(
    vocabulary: Vocabulary,
    folder: Path,
    *,
    mirror: str | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Path:
    """
    Fetch *vocabulary* into *folder*, where it appears whole and checked, or not at all.

    Args:
        vocabulary: What to fetch.
        folder: Made if it is not there.
        mirror: The address of a folder that holds the file under its published name.
        progress: Told how many bytes have come.

    Raises:
        ConfigurationError: *mirror* is no address that may be asked.
        OSError: It could not be fetched, is not what it should be, or could not be written.
    """
    url = f"{mirror.rstrip('/')}/{vocabulary.filename}" if mirror else vocabulary.url
    check_address(url)
    data = _fetch(url, vocabulary.size, progress)
    if not vocabulary.is_in(data):
        raise OSError(
            f"what {url} sends is not {vocabulary.encoding}: its hash is another; nothing is kept"
        )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / vocabulary.key
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _fetch(url: str, size: int, progress: Callable[[int], object]) -> bytes:
    data = bytearray()
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as response:  # noqa: S310 - checked
            while chunk := response.read(_CHUNK):
                data += chunk
                progress(len(data))
                if len(data) > size:
                    raise OSError(f"{url} sends more than the {size:,} bytes that it should have")
    except urllib.error.URLError as error:
        raise OSError(f"{url} could not be fetched: {error.reason}") from error
    except http.client.HTTPException as error:
        raise OSError(f"{url} was cut: {error!r}") from error
    return bytes(data)
