"""A ledger in a file of SQLite, for all processes of a machine."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any

from ...core.errors import ConfigurationError, StoreError
from ...core.journal import Outcome
from ...core.ledger import ALL, Booking, LedgerEntry
from ...core.retention import DAY, Retention, fold
from ...core.usage import Cost, Usage
from ._sqlite import Database, Schema

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence
    from pathlib import Path

    from ...core.ledger import LedgerQuery

_COLUMNS = (
    "id, at, booking, operation, provider, model, outcome, usage, cost, seconds, tags, request_id,"
    " note, count"
)
SCHEMA = Schema(
    "ledger",
    (
        (
            """
            CREATE TABLE entries (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                id TEXT NOT NULL UNIQUE,
                at REAL NOT NULL,
                booking TEXT NOT NULL,
                operation TEXT NOT NULL,
                provider TEXT NOT NULL,
                model TEXT,
                outcome TEXT NOT NULL,
                usage TEXT,
                cost TEXT,
                seconds REAL NOT NULL,
                tags TEXT NOT NULL,
                request_id TEXT,
                note TEXT,
                count INTEGER NOT NULL
            )
            """,
            "CREATE INDEX entries_by_time ON entries (at, seq)",
            "CREATE INDEX entries_alone ON entries (at) WHERE outcome != 'folded'",
            "CREATE TABLE folded (until REAL NOT NULL)",
            "INSERT INTO folded VALUES (-1e308)",
        ),
    ),
)
PAGE = 1000
"""Entries that are read at a time, and after which a writer looks for old ones."""
FOLDED_AT_ONCE = 20_000
YOUNG = 3600.0
"""Seconds within which an entry is not folded: it may still be recorded a second time."""


class SqliteLedger:
    """
    Keeps entries in a file, for any number of processes of one machine.

    What is recorded is on the disk: a crash, of the machine even, loses none of it and leaves
    nothing by halves. `Usage.raw` and `Usage.total_tokens`, the vendor's own, are not kept.

    Args:
        path: The file; made, with its folder, when the first entry is recorded or read.
        retention: How many entries are kept, and for how long; older ones are folded.
        now: Unix seconds.
        busy_seconds: How long to wait while another process writes.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        /,
        *,
        retention: Retention = Retention(),  # noqa: B008 - unchangeable
        now: Callable[[], float] = time.time,
        busy_seconds: float = 30.0,
    ) -> None:
        self._database = Database(path, SCHEMA, busy_seconds=busy_seconds)
        self._retention = retention
        self._now = now
        self._unchecked = PAGE

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._database.path}>"

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    async def record(self, entries: Sequence[LedgerEntry], /) -> None:
        """Write *entries* down; they are on the disk when this returns."""
        rows = [_row(entry) for entry in entries]
        await self._database.run(partial(_insert, rows=rows))
        self._unchecked += len(rows)
        if self._unchecked >= PAGE:
            self._unchecked = 0
            await self.fold()

    async def fold(self) -> None:
        """Fold what is older than the retention allows. Recording does so from time to time."""
        await self._database.run(partial(_fold, retention=self._retention, now=self._now()))

    async def entries(self, query: LedgerQuery = ALL, /) -> AsyncIterator[LedgerEntry]:
        """
        Those of now that *query* wants, oldest first; a thousand are in memory at a time.

        Raises:
            StoreError: As ever, or what had not been read yet was folded meanwhile.
        """
        top, folded = await self._database.read(_start)
        at, seq = -math.inf, 0
        while True:
            page = await self._database.read(
                partial(_page, query=query, after=(at, seq), top=top, folded=folded)
            )
            for row in page:
                entry = _entry(row[1:])
                if query.matches(entry):
                    yield entry
            if len(page) < PAGE:
                return
            at, seq = page[-1][2], page[-1][0]

    async def aclose(self) -> None:
        """Close the file. Idempotent; it is opened again if it is used again."""
        await self._database.aclose()


def _insert(connection: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * len(_COLUMNS.split(",")))
    connection.executemany(
        f"INSERT INTO entries ({_COLUMNS}) VALUES ({marks}) ON CONFLICT (id) DO NOTHING",  # noqa: S608
        rows,
    )


def _start(connection: sqlite3.Connection) -> tuple[int, float]:
    """The last entry of now, and until when entries were folded."""
    top: int | None = connection.execute("SELECT max(seq) FROM entries").fetchone()[0]
    return top or 0, connection.execute("SELECT until FROM folded").fetchone()[0]


def _page(
    connection: sqlite3.Connection,
    query: LedgerQuery,
    after: tuple[float, int],
    top: int,
    folded: float,
) -> list[tuple[Any, ...]]:
    _, now_folded = _start(connection)
    if now_folded > max(folded, after[0]):
        raise StoreError("old entries of the ledger were folded while it was read: read it again")
    conditions = ["(at, seq) > (?, ?)", "seq <= ?"]
    values: list[Any] = [*after, top]
    for condition, value in (
        ("at >= ?", query.since),
        ("at < ?", query.until),
        ("model = ?", query.model),
        ("provider = ?", query.provider),
        ("booking = ?", query.booking),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    return connection.execute(
        f"SELECT seq, {_COLUMNS} FROM entries WHERE {' AND '.join(conditions)}"  # noqa: S608
        f" ORDER BY at, seq LIMIT {PAGE}",
        values,
    ).fetchall()


def _fold(connection: sqlite3.Connection, retention: Retention, now: float) -> None:
    """Fold the oldest, in the transaction that deletes them."""
    before = -math.inf if retention.days is None else now - retention.days * DAY
    alone = "FROM entries WHERE outcome != 'folded'"
    if retention.rows is not None:
        found = connection.execute(
            f"SELECT at {alone} ORDER BY at DESC LIMIT 1 OFFSET ?",
            (retention.rows,),
        ).fetchone()
        if found is not None:
            before = max(before, min(math.nextafter(found[0], math.inf), now - YOUNG))
    old = connection.execute(
        f"SELECT seq, {_COLUMNS} {alone} AND at < ? ORDER BY at LIMIT ?",
        (before, FOLDED_AT_ONCE),
    ).fetchall()
    if not old:
        return
    folded = fold((_entry(row[1:]) for row in old), retention.tags)
    for entry in folded:
        kept = connection.execute(
            f"SELECT {_COLUMNS} FROM entries WHERE id = ?",  # noqa: S608
            (entry.id,),
        ).fetchone()
        together = entry if kept is None else fold((_entry(kept), entry), retention.tags)[0]
        connection.execute("DELETE FROM entries WHERE id = ?", (entry.id,))
        _insert(connection, [_row(together)])
    connection.executemany("DELETE FROM entries WHERE seq = ?", [row[:1] for row in old])
    connection.execute("UPDATE folded SET until = max(until, ?)", (old[-1][2],))


def _row(entry: LedgerEntry) -> tuple[Any, ...]:
    return (
        entry.id,
        entry.at,
        entry.booking.value,
        entry.operation,
        entry.provider,
        entry.model,
        str(entry.outcome),
        None if entry.usage is None else _json(_told(entry.usage)),
        None if entry.cost is None else _json(asdict(entry.cost)),
        entry.seconds,
        _json(dict(entry.tags)),
        entry.request_id,
        entry.note,
        entry.count,
    )


def _told(usage: Usage) -> dict[str, Any]:
    told = {each.name: getattr(usage, each.name) for each in fields(usage)}
    return {
        name: value
        for name, value in told.items()
        if value is not None and name not in {"raw", "total_tokens"}
    }


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _entry(row: Sequence[Any]) -> LedgerEntry:
    values = dict(zip(_COLUMNS.replace(" ", "").split(","), row, strict=True))
    try:
        values["booking"] = Booking(values["booking"])
        values["outcome"] = Outcome.FOLDED if values["outcome"] == "folded" else values["outcome"]
        values["usage"] = values["usage"] and Usage(**json.loads(values["usage"]))
        values["cost"] = values["cost"] and _cost(json.loads(values["cost"]))
        values["tags"] = json.loads(values["tags"])
        return LedgerEntry(**values)
    except (ValueError, TypeError, KeyError, InvalidOperation, ConfigurationError) as error:
        msg = f"the entry {values['id']!r} of the ledger cannot be read: {error}"
        raise StoreError(msg) from error


def _cost(told: dict[str, Any]) -> Cost:
    known = {each.name for each in fields(Cost)}
    values = {name: value for name, value in told.items() if name in known}
    values["amount"] = Decimal(told["amount"])
    if values.get("as_of"):
        values["as_of"] = date.fromisoformat(values["as_of"])
    return Cost(**values)
