"""Files of SQLite: real ones, real threads, real processes."""

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import anyio
import pytest

from fairlead.adapters.stores._sqlite import Database, Schema
from fairlead.core.errors import ConfigurationError, StoreError

pytestmark = pytest.mark.anyio

FIRST = ("CREATE TABLE words (word TEXT)",)
SECOND = ("ALTER TABLE words ADD COLUMN at REAL DEFAULT 0",)
SCHEMA = Schema("notebook", (FIRST, SECOND))


def add(word):
    def work(connection):
        connection.execute("INSERT INTO words (word) VALUES (?)", (word,))
        return word

    return work


def words(connection):
    return [row[0] for row in connection.execute("SELECT word FROM words ORDER BY rowid")]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "notes.db"


@pytest.fixture
async def database(path):
    database = Database(path, SCHEMA)
    yield database
    await database.aclose()


@pytest.fixture
def shut():
    """A folder that may be read but not written; as root, by somebody else."""
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        yield Path(folder), (lambda: os.seteuid(65534)) if root else (lambda: None)
        if root:
            os.seteuid(0)
        Path(folder).chmod(0o700)


async def until(event):
    while not event.is_set():  # noqa: ASYNC110 - of another thread
        await anyio.sleep(0.001)


async def test_what_is_committed_is_there_for_the_next(database, path):
    assert await database.run(add("one")) == "one"

    again = Database(path, SCHEMA)
    assert await again.read(words) == ["one"]
    await again.aclose()


async def test_nothing_is_touched_before_it_is_used(path):
    Database(path, SCHEMA)

    assert not path.parent.exists()


async def test_the_file_is_for_nobody_else_to_read(database, path):
    await database.run(add("secret"))

    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["notes.db", "notes.db-shm", "notes.db-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@pytest.mark.parametrize("synchronous, level", [("FULL", 2), ("NORMAL", 1)])
async def test_a_commit_waits_for_what_was_asked(path, synchronous, level):
    database = Database(path, SCHEMA, synchronous=synchronous)

    assert await database.read(lambda it: it.execute("PRAGMA synchronous").fetchone()[0]) == level
    await database.aclose()


async def test_work_that_fails_leaves_nothing(database):
    def half(connection):
        add("half")(connection)
        raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        await database.run(half)

    assert await database.run(words) == []


async def test_a_mistake_in_the_work_is_told_as_it_is(database):
    with pytest.raises(sqlite3.ProgrammingError):
        await database.run(lambda it: it.execute("SELECT ?", ()))

    assert await database.run(words) == []


async def test_many_at_once_take_turns(database):
    running = []

    def alone(connection):
        running.append(None)
        assert len(running) == 1
        add("x")(connection)
        running.pop()

    async with anyio.create_task_group() as group:
        for _ in range(60):  # more than there are threads
            group.start_soon(database.run, alone)

    assert await database.read(words) == ["x"] * 60


async def test_what_has_begun_is_committed_though_its_caller_is_cancelled(database):
    begun, go = threading.Event(), threading.Event()

    def slow(connection):
        begun.set()
        go.wait(5)
        add("slow")(connection)

    async with anyio.create_task_group() as group:
        group.start_soon(database.run, slow)
        await until(begun)
        group.cancel_scope.cancel()
        go.set()

    assert await database.read(words) == ["slow"]


async def test_who_is_cancelled_in_the_line_has_begun_nothing(database):
    begun, go = threading.Event(), threading.Event()

    def slow(connection):
        begun.set()
        go.wait(5)

    async with anyio.create_task_group() as group:
        group.start_soon(database.run, slow)
        await until(begun)
        with anyio.move_on_after(0.01):
            await database.run(add("never"))
        go.set()

    assert await database.read(words) == []


def test_it_serves_one_loop_after_the_other_and_several_at_once(path):
    database = Database(path, SCHEMA)

    async def work():
        for _ in range(10):
            await database.run(add("x"))

    anyio.run(work, backend="asyncio")
    anyio.run(work, backend="trio")
    threads = [
        threading.Thread(target=anyio.run, args=(work,), kwargs={"backend": backend})
        for backend in ("asyncio", "trio", "asyncio")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def count():
        async with anyio.create_task_group():
            return len(await database.read(words))

    assert anyio.run(count) == 50
    database.close()


async def test_closing_twice_is_closing_once_and_it_opens_again(database):
    await database.aclose()
    await database.run(add("one"))
    await database.aclose()
    await database.aclose()

    assert await database.read(words) == ["one"]


async def test_it_is_closed_when_its_caller_is_cancelled(database, path):
    await database.run(add("one"))

    with anyio.CancelScope() as scope:
        scope.cancel()
        await database.aclose()

    assert [file.name for file in path.parent.iterdir()] == ["notes.db"]


async def test_a_file_that_was_moved_away_is_made_anew(database, path):
    await database.run(add("old"))
    for file in path.parent.iterdir():
        file.rename(file.with_name(f"old-{file.name}"))

    await database.run(add("new"))

    assert await database.read(words) == ["new"]


async def test_an_older_version_is_brought_up_to_date(path):
    old = Database(path, Schema("notebook", (FIRST,)))
    await old.run(add("old"))

    new = Database(path, SCHEMA)
    assert await new.read(lambda it: list(it.execute("SELECT * FROM words"))) == [("old", 0.0)]
    await old.aclose()
    await new.aclose()


async def test_a_step_that_fails_leaves_the_older_version(path):
    old = Database(path, Schema("notebook", (FIRST,)))
    await old.run(add("old"))
    broken = Database(path, Schema("notebook", (FIRST, (*SECOND, "CREATE NONSENSE"))))

    with pytest.raises(ConfigurationError, match="syntax error"):
        await broken.read(words)

    new = Database(path, SCHEMA)
    assert await new.read(words) == ["old"]
    await old.aclose()
    await new.aclose()


async def test_a_newer_version_is_refused(database, path):
    await database.run(add("new"))
    old = Database(path, Schema("notebook", (FIRST,)))

    with pytest.raises(ConfigurationError, match=r"newer fairlead .version 2.*upgrade"):
        await old.read(words)


async def test_a_file_of_another_kind_is_refused(database, path):
    await database.run(add("one"))

    with pytest.raises(ConfigurationError, match="is no ledger of fairlead: give it another path"):
        await Database(path, Schema("ledger", (FIRST,))).read(words)


async def test_somebody_elses_file_is_refused_and_left_as_it_is(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(ConfigurationError, match="is no notebook"):
        await Database(path, SCHEMA).run(words)

    assert path.read_bytes() == before


async def test_what_is_no_database_is_refused(path):
    path.parent.mkdir()
    path.write_text("this is no database at all, but long enough to look at" * 10)

    with pytest.raises(ConfigurationError, match=r"notes\.db: .*not a database: give it another"):
        await Database(path, SCHEMA).run(words)


async def test_a_damaged_file_is_told(database, path):
    await database.run(lambda it: [add("x" * 500)(it) for _ in range(500)] and None)
    await database.aclose()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(size - 8192))

    with pytest.raises(StoreError, match="malformed: move it away"):
        await database.read(words)


async def test_a_folder_that_cannot_be_written_is_told(shut):
    folder, as_somebody = shut
    as_somebody()

    with pytest.raises(ConfigurationError, match="Permission denied"):
        await Database(folder / "notes.db", SCHEMA).run(words)
    with pytest.raises(ConfigurationError, match="Permission denied"):
        await Database(folder / "deep" / "notes.db", SCHEMA).run(words)


async def test_a_folder_that_became_read_only_is_told(shut):
    folder, as_somebody = shut
    folder.chmod(0o755)
    path = folder / "notes.db"
    database = Database(path, SCHEMA)
    await database.run(add("one"))
    await database.aclose()
    path.chmod(0o444)
    folder.chmod(0o555)
    as_somebody()

    with pytest.raises(ConfigurationError, match=r"ha(ve|s) to be writable"):
        await database.run(words)


async def test_a_path_through_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match="file"):
        await Database(tmp_path / "file" / "notes.db", SCHEMA).run(words)


async def test_a_full_disk_is_told_and_passes(database):
    def shrink(connection):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def grow(connection):
        for _ in range(100):
            add("x" * 1000)(connection)

    await database.run(add("before"))
    await database.read(shrink)
    with pytest.raises(StoreError, match="full: make room on the disk"):
        await database.run(grow)
    await database.read(lambda it: it.execute("PRAGMA max_page_count = 1000000").fetchone())

    await database.run(add("after"))
    assert await database.read(words) == ["before", "after"]


async def test_a_file_that_another_keeps_locked_is_told_in_time(database, path):
    await database.run(add("one"))
    impatient = Database(path, SCHEMA, busy_seconds=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match="locked: another process keeps it locked"):
        await impatient.run(add("two"))
    assert await impatient.read(words) == ["one"]  # readers do not wait

    other.execute("ROLLBACK")
    other.close()
    await impatient.run(add("two"))
    await impatient.aclose()


def test_two_processes_make_and_write_one_file(path, tmp_path):
    script = tmp_path / "writer.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys, anyio
            from fairlead.adapters.stores._sqlite import Database, Schema

            async def main():
                schema = Schema("notebook", (("CREATE TABLE words (word TEXT)",),))
                database = Database(sys.argv[1], schema, busy_seconds=30)
                for _ in range(100):
                    await database.run(
                        lambda it: it.execute("INSERT INTO words VALUES ('x')") and None
                    )
                await database.aclose()

            anyio.run(main)
            """
        )
    )
    writers = [subprocess.Popen([sys.executable, str(script), str(path)]) for _ in range(3)]

    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    database = Database(path, Schema("notebook", (FIRST,)))
    assert anyio.run(database.read, words) == ["x"] * 300
    database.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_uses_the_file_as_any_other_process(path):
    database = Database(path, SCHEMA)
    anyio.run(database.run, add("parent"))

    child = os.fork()
    if not child:
        try:
            anyio.run(database.run, add("child"))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    anyio.run(database.run, add("parent again"))

    assert anyio.run(database.read, words) == ["parent", "child", "parent again"]
    database.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_in_the_middle_of_work_is_told(path):
    database = Database(path, SCHEMA, busy_seconds=0.05)
    begun, go = threading.Event(), threading.Event()

    def slow(connection):
        begun.set()
        go.wait(5)
        add("parent")(connection)

    thread = threading.Thread(target=anyio.run, args=(database.run, slow))
    thread.start()
    begun.wait()
    child = os.fork()
    if not child:
        try:
            anyio.run(database.run, words)
        except StoreError as error:
            os._exit(0 if "was in use when this process was forked off" in str(error) else 1)
        finally:
            os._exit(2)
    go.set()
    thread.join()

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert anyio.run(database.read, words) == ["parent"]
    database.close()


def test_one_that_nobody_closes_is_closed_when_it_is_forgotten(path):
    database = Database(path, SCHEMA)
    anyio.run(database.run, add("one"))

    del database

    until = time.monotonic() + 5
    while len(list(path.parent.iterdir())) > 1 and time.monotonic() < until:
        time.sleep(0.001)  # its last thread may not have ended yet
    assert [file.name for file in path.parent.iterdir()] == ["notes.db"]


@pytest.mark.parametrize("seconds", [0, -1, "long", float("nan")])
def test_arguments_are_checked(path, seconds):
    with pytest.raises(ConfigurationError, match="busy_seconds must be"):
        Database(path, SCHEMA, busy_seconds=seconds)


def test_it_says_which_file_it_is(path):
    assert repr(Database(path, SCHEMA)) == f"<Database {path}>"
