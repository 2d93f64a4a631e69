"""
A file of SQLite, as all stores keep theirs.

The file is in WAL mode, for one machine's processes: any number of them read, one at a time
writes. A network file system is no place for it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar
from weakref import WeakKeyDictionary, WeakSet

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from ...core.checks import check_path, check_seconds
from ...core.errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Synchronous: TypeAlias = Literal["FULL", "NORMAL"]
"""FULL keeps what was committed when the power fails; NORMAL when the process dies."""


@dataclass(frozen=True, slots=True)
class Schema:
    """
    The tables of one kind of file, in all their versions.

    Args:
        name: What the file is, in one word, such as `ledger`.
        steps: The statements that lead from each version to the next, the first from an empty file.
    """

    name: str
    steps: tuple[tuple[str, ...], ...]

    @property
    def version(self) -> int:
        """The one that these steps lead to."""
        return len(self.steps)

    @property
    def mark(self) -> int:
        """By which SQLite tells this kind of file from others."""
        return zlib.crc32(f"fairlead {self.name}".encode()) >> 1


class Database:
    """
    One file. It is opened when it is first used, and made, with its folder, if it is not there.

    All work is done in worker threads, one at a time, and each piece in a transaction that ends in
    its thread, whatever becomes of the caller. Any number of event loops and threads may use it. A
    fork waits for the running piece; both processes open the file anew.

    Args:
        path: The file. Beside it SQLite keeps two more, `-wal` and `-shm`.
        schema: Its tables.
        synchronous: What a commit waits for.
        busy_seconds: How long to wait while another process writes.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        schema: Schema,
        *,
        synchronous: Synchronous = "FULL",
        busy_seconds: float = 5.0,
    ) -> None:
        check_path("path", path)
        check_seconds("busy_seconds", busy_seconds)
        self.path: Path = Path(path).expanduser()
        self._schema = schema
        self._synchronous = synchronous
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._held = False
        self._torn = False
        """Whether it was in use when this process was forked off."""
        _databases.add(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """
        What *work* returns, once it is committed; what it raises, once it is rolled back.

        It must not return a cursor. What has begun is ended, whatever becomes of the caller.

        Raises:
            ConfigurationError: The file cannot be opened, or is none of this kind.
            StoreError: It was opened and cannot be used now: the disk is full, another process
                keeps it locked, it is damaged.
        """
        return await self._in_thread(lambda: self._transact("BEGIN IMMEDIATE", work))

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """As `run`, for *work* that only reads. It does not wait for other processes."""
        return await self._in_thread(lambda: self._transact("BEGIN", work))

    async def aclose(self) -> None:
        """Close the file. Idempotent; whoever uses the database after that opens it again."""
        with anyio.CancelScope(shield=True):
            await self._in_thread(self.close)

    def close(self) -> None:
        """As `aclose`, for those who run no event loop. It waits for the work in progress."""
        with self._lock:
            self._drop()

    def __del__(self) -> None:
        connection: sqlite3.Connection | None = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """One at a time in each loop, so that those who wait hold no thread."""
        turns = _turns.get(None)
        if turns is None:
            turns = _Turns()
            _turns.set(turns)
        if self not in turns:
            turns[self] = anyio.CapacityLimiter(1)
        return await anyio.to_thread.run_sync(work, limiter=turns[self])

    def _transact(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            connection = self._opened()
            try:
                connection.execute(begin)
                done = work(connection)
                connection.execute("COMMIT")
            except BaseException as error:
                self._roll_back(connection)
                if isinstance(error, sqlite3.OperationalError) or _name(error) in _DAMAGED:
                    raise self._failed(error) from error
                raise
            return done

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._drop()

    def _failed(self, error: BaseException) -> StoreError:
        if _name(error) in _DAMAGED:
            self._drop()
        return StoreError(f"the {self._schema.name} {self.path}: {error}{_advice(error)}")

    def _opened(self) -> sqlite3.Connection:
        """The connection, to the file that is at the path now."""
        if self._torn:
            msg = (
                f"the {self._schema.name} {self.path} was in use when this process was forked off: "
                "start processes without forking (`spawn`), or fork while nothing is written"
            )
            raise StoreError(msg)
        if self._connection is not None and self._file != _identity(self.path):
            self._drop()  # it was moved or deleted, and what is written would be lost
        if self._connection is None:
            self._connection = self._open()
            self._file = _identity(self.path)
        return self._connection

    def _open(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = None
        try:
            self._make_file()
            connection = sqlite3.connect(
                self.path,
                timeout=self._busy_seconds,
                isolation_level=None,
                check_same_thread=False,
            )
            self._check_mark(connection)
            self._set_up(connection)
            self._migrate(connection)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if _name(error) in _PASSING:
                raise self._failed(error) from error
            if isinstance(error, (sqlite3.Error, OSError)):
                raise self._unusable(f"{error}{_advice(error)}") from error
            raise
        return connection

    def _make_file(self) -> None:
        """For nobody else to read. One that is there is not touched: that would drop its locks."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def _set_up(self, connection: sqlite3.Connection) -> None:
        until = time.monotonic() + self._busy_seconds
        while True:
            try:
                mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
                break
            except sqlite3.OperationalError as error:
                # SQLite does not wait by itself while another process changes the mode.
                if _name(error) not in _PASSING or time.monotonic() > until:
                    raise
                time.sleep(0.01)
        if mode != "wal":
            raise self._unusable("its file system has no shared memory: keep it on a local disk")
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")

    def _migrate(self, connection: sqlite3.Connection) -> None:
        if self._check_mark(connection) == self._schema.version:
            return
        connection.execute("BEGIN IMMEDIATE")
        # Another process may have been faster.
        for step in self._schema.steps[self._check_mark(connection) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {self._schema.mark}")
        connection.execute(f"PRAGMA user_version = {self._schema.version}")
        connection.execute("COMMIT")

    def _check_mark(self, connection: sqlite3.Connection) -> int:
        """The version of the file, 0 of an empty one."""
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        mark: int = connection.execute("PRAGMA application_id").fetchone()[0]
        tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if mark != self._schema.mark and (mark or version or tables):
            raise self._unusable(f"is no {self._schema.name} of fairlead: give it another path")
        if version > self._schema.version:
            msg = (
                f"was written by a newer fairlead (version {version} of its tables; this one "
                f"knows {self._schema.version}): upgrade fairlead, or give another path"
            )
            raise self._unusable(msg)
        return version

    def _unusable(self, why: str) -> ConfigurationError:
        return ConfigurationError(f"the {self._schema.name} {self.path}: {why}")

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def before_fork(self) -> None:
        """Close the file: a child that inherits it open would damage it."""
        self._held = self._lock.acquire(timeout=self._busy_seconds)
        if self._held:
            self._drop()

    def after_fork(self, *, child: bool) -> None:
        """Let go of what `before_fork` took."""
        if self._held:
            self._lock.release()
        elif child:
            _left_alone.append(self._connection)
            self._connection, self._torn, self._lock = None, True, threading.Lock()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _name(error: BaseException) -> str:
    """SQLite's own, without the details behind it; nothing for what is no error of SQLite's."""
    return "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])


def _advice(error: BaseException) -> str:
    advice = "give it a path that can be written" if isinstance(error, OSError) else None
    advice = _ADVICE.get(_name(error), advice)
    return f": {advice}" if advice else ""


_PASSING = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_NOMEM"}
"""What may be otherwise a moment later."""
_DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR"}
_ADVICE = {
    "SQLITE_BUSY": "another process keeps it locked",
    "SQLITE_CANTOPEN": "its folder has to be writable, as files are kept beside it",
    "SQLITE_CORRUPT": "move it away, and restore it from a backup or begin anew",
    "SQLITE_FULL": "make room on the disk",
    "SQLITE_NOTADB": "give it another path",
    "SQLITE_READONLY": "the file and its folder have to be writable",
}
_Turns = WeakKeyDictionary[Database, anyio.CapacityLimiter]
_turns: RunVar[_Turns | None] = RunVar("fairlead databases")
_databases: WeakSet[Database] = WeakSet()
_left_alone: list[sqlite3.Connection | None] = []
"""Connections of the parent process: closing one here would let go of the parent's locks."""
_forking: list[Database] = []
"""Held from before to after a fork, as new ones may be made meanwhile."""


def _before_fork() -> None:
    _forking.extend(_databases)
    for database in _forking:
        database.before_fork()


def _after_fork(*, child: bool) -> None:
    while _forking:
        _forking.pop().after_fork(child=child)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _after_fork(child=False),
        after_in_child=lambda: _after_fork(child=True),
    )
