"""What every store of a cache does, and what each does by itself."""

import logging
import os
import sqlite3
import stat
import tempfile
from pathlib import Path

import pytest

from fairlead.adapters.stores.cache_sqlite import SqliteCache
from fairlead.adapters.stores.memory import MemoryCache
from fairlead.adapters.stores.response_cache import ResponseCache
from fairlead.core.errors import ConfigurationError, StoreError
from tests.support.clock import Clock

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "answers.db"


@pytest.fixture(params=["memory", "sqlite"])
def build(request, path, clock):
    def make(**options):
        if request.param == "memory":
            return MemoryCache(time=clock, **options)
        return SqliteCache(path, time=clock, **options)

    return make


async def test_what_was_set_is_there(build):
    store = build()
    await store.set({"a": b"1", "b": b"2"}, None)
    await store.set({"a": b"3"}, None)

    assert await store.get(["a", "b", "c"]) == {"a": b"3", "b": b"2"}
    assert (await store.stats()).entries == 2
    await store.aclose()


async def test_many_keys_are_asked_for_at_once(build):
    store = build()
    entries = {f"key {number}": bytes([number % 256]) for number in range(1201)}
    await store.set(entries, None)

    assert await store.get([*entries, "another"]) == entries
    await store.aclose()


async def test_what_is_over_is_not_there(build, clock):
    store = build()
    await store.set({"a": b"1"}, 1010.0)
    clock.now = 1009.9
    assert await store.get(["a"]) == {"a": b"1"}

    clock.now = 1010.0
    assert await store.get(["a"]) == {}
    await store.aclose()


async def test_the_oldest_make_room(build, clock):
    store = build(max_bytes=1000)
    for number in range(4):
        clock.now += 1
        await store.set({str(number): b"x" * 100}, None)

    assert list(await store.get(["0", "1", "2", "3"])) == ["1", "2", "3"]
    stats = await store.stats()
    assert stats.entries == 3
    assert stats.bytes == 3 * 301 <= stats.max_bytes
    await store.aclose()


async def test_what_is_over_makes_room_first(build, clock):
    store = build(max_bytes=1000)
    await store.set({"old": b"x" * 100}, None)
    clock.now += 1
    await store.set({"short": b"x" * 100}, clock.now + 1)
    clock.now += 2
    await store.get(["short", "old"])
    await store.set({"new": b"x" * 100, "newer": b"x" * 100}, None)

    assert sorted(await store.get(["old", "short", "new", "newer"])) == ["new", "newer", "old"]
    await store.aclose()


async def test_what_is_larger_than_all_room_is_not_kept(build):
    store = build(max_bytes=1000)
    await store.set({"small": b"1"}, None)
    await store.set({"large": b"x" * 1000}, None)

    assert await store.get(["small", "large"]) == {"small": b"1"}
    await store.aclose()


async def test_it_is_cleared(build):
    store = build()
    await store.set({"a": b"1"}, None)
    await store.clear()

    assert await store.get(["a"]) == {}
    stats = await store.stats()
    assert (stats.entries, stats.bytes) == (0, 0)
    await store.aclose()


def test_a_size_is_a_number(build):
    with pytest.raises(ConfigurationError, match="max_bytes must be at least 1, not 0"):
        build(max_bytes=0)


async def test_in_memory_what_is_used_stays(clock):
    store = MemoryCache(max_bytes=1000, time=clock)
    await store.set({"0": b"x" * 100, "1": b"x" * 100, "2": b"x" * 100}, None)
    await store.get(["0"])
    await store.set({"3": b"x" * 100}, None)

    assert sorted(await store.get(["0", "1", "2", "3"])) == ["0", "2", "3"]


def test_they_say_what_they_are(path):
    assert repr(MemoryCache()) == "<MemoryCache of 0 entries, 0 bytes>"
    assert repr(SqliteCache(path)) == f"<SqliteCache {path}>"


# The file.


async def test_another_process_finds_it(path):
    await SqliteCache(path).set({"a": b"1"}, None)

    assert await SqliteCache(path).get(["a"]) == {"a": b"1"}


async def test_the_file_is_for_nobody_else_to_read(path):
    await SqliteCache(path).set({"a": b"1"}, None)

    files = list(path.parent.iterdir())
    assert path in files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@pytest.mark.parametrize("size", [100, 1024, 4096, 6000])
async def test_a_file_that_was_cut_is_given_up_for_another(path, caplog, size):
    first = SqliteCache(path)
    await first.set({str(number): b"x" * 3000 for number in range(20)}, None)
    await first.aclose()
    with path.open("r+b") as file:
        file.truncate(size)
    left = path.read_bytes()

    store = SqliteCache(path)
    with caplog.at_level(logging.WARNING):
        found = await store.get([str(number) for number in range(20)])
        await store.set({"new": b"1"}, None)

    assert set(found.values()) <= {b"x" * 3000}
    assert await store.get(["new"]) == {"new": b"1"}
    assert store.path == path.with_name("answers.db.1")
    assert path.read_bytes() == left
    assert len(caplog.records) == 1
    assert "begins anew" in caplog.text
    await store.aclose()


async def test_what_is_no_cache_is_not_touched(path):
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (it TEXT)")
    connection.commit()
    connection.close()
    left = path.read_bytes()

    with pytest.raises(ConfigurationError, match="is no cache of fairlead"):
        await SqliteCache(path).set({"a": b"1"}, None)

    assert path.read_bytes() == left


async def test_files_are_not_begun_anew_for_ever(path):
    path.parent.mkdir()
    for number in range(10):
        path.with_name(f"answers.db.{number}" if number else "answers.db").write_bytes(b"no" * 999)

    with pytest.raises(ConfigurationError, match=r"answers\.db\.9"):
        await SqliteCache(path).get(["a"])


async def test_a_newer_schema_is_told(path):
    store = SqliteCache(path)
    await store.set({"a": b"1"}, None)
    await store.aclose()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(ConfigurationError, match="newer fairlead"):
        await store.get(["a"])


async def test_a_full_disk_is_told_and_loses_nothing(path, monkeypatch):
    store = SqliteCache(path)
    await store.set({"a": b"1"}, None)
    monkeypatch.setattr(store, "_most_pages", lambda: 8)
    with pytest.raises(StoreError, match="full"):
        await store.set({"large": os.urandom(100_000)}, None)
    assert await store.get(["a", "large"]) == {"a": b"1"}

    monkeypatch.undo()
    await store.set({"large": b"2"}, None)
    assert await store.get(["a", "large"]) == {"a": b"1", "large": b"2"}
    await store.aclose()


async def test_a_file_never_grows_beyond_twice_its_entries(path, clock):
    store = SqliteCache(path, max_bytes=200_000, time=clock)
    for number in range(300):
        clock.now += 1
        await store.set({f"{number:064}": os.urandom(4000)}, None)

    assert path.stat().st_size <= 2 * 200_000 + 64 * 4096
    assert 40 <= (await store.stats()).entries <= 50
    await store.aclose()


@pytest.fixture
def shut():
    """A folder that may be read but not written, by somebody who is not root."""
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        if root:
            os.seteuid(65534)
        yield Path(folder)
        if root:
            os.seteuid(0)
        Path(folder).chmod(0o700)


async def test_a_read_only_folder_is_told(shut):
    with pytest.raises(ConfigurationError, match=r"writable|denied"):
        await SqliteCache(shut / "answers.db").set({"a": b"1"}, None)


# The one that is used by hand.


async def test_answers_are_kept_by_hand_for_a_while(clock):
    cache = ResponseCache(ttl=3600, clock=clock)
    assert await cache.get("key") is None
    await cache.set("key", "an answer")
    clock.now += 3599
    assert await cache.get("key") == "an answer"

    clock.now += 1
    assert await cache.get("key") is None


async def test_an_empty_answer_is_one():
    cache = ResponseCache()
    await cache.set("key", "")

    assert await cache.get("key") == ""


async def test_by_hand_what_was_used_longest_ago_makes_room():
    cache = ResponseCache(max_entries=2)
    for key in ("a", "b"):
        await cache.set(key, key)
    await cache.get("a")
    await cache.set("c", "c")

    assert [await cache.get(key) for key in ("a", "b", "c")] == ["a", None, "c"]
    await cache.clear()
    assert await cache.get("a") is None


@pytest.mark.parametrize("options", [{"ttl": 0}, {"ttl": "1"}, {"max_entries": 0}])
def test_by_hand_arguments_are_checked(options):
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        ResponseCache(**options)
