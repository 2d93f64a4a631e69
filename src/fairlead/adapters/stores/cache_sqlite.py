"""Answers kept in a file, for all processes of one machine."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ...core.checks import check_count, check_path
from ...core.errors import ConfigurationError, StoreError
from ._sqlite import Database, Schema
from .memory import CacheStats

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Awaitable, Callable, Mapping, Sequence

T = TypeVar("T")
logger: logging.Logger = logging.getLogger("fairlead.cache")
logger.addHandler(logging.NullHandler())

MAX_BYTES = 1024 * 1024 * 1024
PAGE = 4096
"""Bytes, of which the file is made."""
BUSY = 0.2
"""Seconds to wait while another process writes."""
AT_ONCE = 500
"""Keys that one statement asks for."""
OVERHEAD = 200
"""Bytes that an entry takes besides its key and its value."""
MOST_ANEW = 9
"""How often a damaged file is given up for another one."""
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_ENTRIES = """
CREATE TABLE entries (
    key TEXT PRIMARY KEY, data BLOB NOT NULL, until REAL, at REAL NOT NULL, size INTEGER NOT NULL
) WITHOUT ROWID
"""
_ADDED = """
CREATE TRIGGER entry_added AFTER INSERT ON entries
BEGIN UPDATE total SET bytes = bytes + new.size; END
"""
_REMOVED = """
CREATE TRIGGER entry_removed AFTER DELETE ON entries
BEGIN UPDATE total SET bytes = bytes - old.size; END
"""
SCHEMA = Schema(
    "cache",
    (
        (
            _ENTRIES,
            "CREATE INDEX entries_at ON entries (at, size)",
            "CREATE TABLE total (bytes INTEGER NOT NULL)",
            "INSERT INTO total VALUES (0)",
            _ADDED,
            _REMOVED,
        ),
    ),
)


class SqliteCache:
    """
    A `CacheStore` in a file of SQLite, which any number of processes of one machine may share.

    The file is readable by its owner alone. What was written longest ago makes room for what is
    new. A file that is damaged is given up with a warning, and another one is begun beside it,
    `….1`; nothing of the damaged one is touched, as it might be something else.

    Args:
        path: The file; it is made, with its folder, when it is first used.
        max_bytes: What all entries may take together; larger ones are not kept.
        time: The present in Unix seconds.

    Raises:
        ConfigurationError: *max_bytes* is no size. Once used: the file cannot be opened, or is
            something else; behind a cache that is a miss.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_bytes: int = MAX_BYTES,
        time: Callable[[], float] = time.time,
    ) -> None:
        check_path("path", path)
        check_count("max_bytes", max_bytes, 1)
        self._max_bytes = max_bytes
        self._time = time
        self._first = Path(path).expanduser()
        self._anew = 0
        self._reads, self._writes = _opened(self._first)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"

    @property
    def path(self) -> Path:
        """The file."""
        return self._reads.path

    async def get(self, keys: Sequence[str], /) -> Mapping[str, bytes]:
        """
        What is there under *keys*.

        Raises:
            ConfigurationError: The file cannot be opened.
            StoreError: It cannot be read now.
        """
        now = self._time()

        def read(connection: sqlite3.Connection) -> dict[str, bytes]:
            found: dict[str, bytes] = {}
            for first in range(0, len(keys), AT_ONCE):
                some = keys[first : first + AT_ONCE]
                places = ",".join("?" * len(some))
                query = f"SELECT key, data, until FROM entries WHERE key IN ({places})"  # noqa: S608
                rows = connection.execute(query, some)
                found |= {key: data for key, data, until in rows if until is None or now < until}
            return found

        return await self._tried(lambda: self._reads.read(read))

    async def set(self, entries: Mapping[str, bytes], until: float | None, /) -> None:
        """Keep *entries* until then. Raises as `get` does."""
        now = self._time()
        rows = [
            (key, data, until, now, _size(key, data))
            for key, data in entries.items()
            if _size(key, data) <= self._max_bytes
        ]

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(f"PRAGMA max_page_count = {self._most_pages()}")
            # Not INSERT OR REPLACE, whose deletions no trigger hears of.
            connection.executemany("DELETE FROM entries WHERE key = ?", [row[:1] for row in rows])
            self._make_room(connection, sum(row[-1] for row in rows), now)
            connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", rows)

        await self._tried(lambda: self._writes.run(write))

    def _make_room(self, connection: sqlite3.Connection, size: int, now: float) -> None:
        total: int = connection.execute("SELECT bytes FROM total").fetchone()[0]
        too_many = total + size - self._max_bytes
        if too_many <= 0:
            return
        connection.execute("DELETE FROM entries WHERE until <= ?", (now,))
        total = connection.execute("SELECT bytes FROM total").fetchone()[0]
        too_many = total + size - self._max_bytes
        oldest = connection.execute("SELECT key, size FROM entries ORDER BY at")
        going: list[tuple[str]] = []
        while too_many > 0 and (row := oldest.fetchone()) is not None:
            going.append((row[0],))
            too_many -= row[1]
        connection.executemany("DELETE FROM entries WHERE key = ?", going)

    def _most_pages(self) -> int:
        """Of the whole file, should the sums ever be wrong: twice what entries may take."""
        return 2 * self._max_bytes // PAGE + 64

    async def clear(self) -> None:
        """Forget everything. Raises as `get` does."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM entries")

        await self._tried(lambda: self._writes.run(write))

    async def stats(self) -> CacheStats:
        """How full it is. Raises as `get` does."""

        def read(connection: sqlite3.Connection) -> CacheStats:
            query = "SELECT (SELECT count(*) FROM entries), bytes FROM total"
            entries, size = connection.execute(query).fetchone()
            return CacheStats(entries=entries, bytes=size, max_bytes=self._max_bytes)

        return await self._tried(lambda: self._reads.read(read))

    async def _tried(self, work: Callable[[], Awaitable[T]]) -> T:
        """What *work* returns; on another file if this one is found to be damaged."""
        while True:
            path = self.path
            try:
                return await work()
            except (ConfigurationError, StoreError) as error:
                if not _damaged(error) or not self._begin_anew(path, error):
                    raise

    def _begin_anew(self, damaged: Path, error: Exception) -> bool:
        """Give up the *damaged* file; False if that was done too often."""
        if self.path != damaged:  # by another task
            return True
        if self._anew == MOST_ANEW:
            return False
        self._anew += 1
        path = self._first.with_name(f"{self._first.name}.{self._anew}")
        logger.warning("%s; the cache begins anew in %s", error, path)
        self._reads, self._writes = _opened(path)
        return True

    async def aclose(self) -> None:
        """Close the file. Idempotent; whoever uses it after that opens it again."""
        try:
            await self._reads.aclose()
        finally:
            await self._writes.aclose()


def _opened(path: Path) -> tuple[Database, Database]:
    """For readers and for writers: nobody who reads waits for who writes."""
    reads, writes = (
        Database(path, SCHEMA, synchronous="NORMAL", busy_seconds=BUSY) for _ in range(2)
    )
    return reads, writes


def _damaged(error: Exception) -> bool:
    name: str = getattr(error.__cause__, "sqlite_errorname", "")
    return name.startswith(_DAMAGED)


def _size(key: str, data: bytes) -> int:
    return len(key) + len(data) + OVERHEAD
