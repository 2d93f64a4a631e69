"""The books of budgets in real files."""

import json
import os
import sqlite3

import anyio
import pytest

from fairlead.adapters.stores import budgets_sqlite
from fairlead.adapters.stores.budgets_sqlite import SqliteBudgetStore
from fairlead.core.budgets import NOTHING, BudgetLimit, BudgetOptions, Consumption, Grant, Shortfall
from fairlead.core.errors import ConfigurationError, StoreError
from fairlead.core.refusals import BudgetExceededError
from fairlead.decorators.budget import BudgetProvider
from tests.support.prices import Priced
from tests.unit.core.fakes import Scripted, cancelled_at, ways

pytestmark = pytest.mark.anyio

NOON = 1_700_000_000.0
LIMIT = BudgetLimit(tokens=100)
CLAIMS = [LIMIT.claim({})]
ONE = Consumption(10, 30, 1)


class Clock:
    now = NOON

    def __call__(self):
        return self.now


class Vendor(Priced, Scripted):
    """One whose price is known."""


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "books" / "budget.db"


@pytest.fixture
async def store(path, clock):
    store = SqliteBudgetStore(path, wall=clock)
    yield store
    await store.aclose()


async def books(store):
    return {it.key: (it.spent, it.reserved) for it in await store.balances()}


def run(path, *statements):
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


async def test_what_is_reserved_is_seen_by_all_processes(store, path, clock):
    granted = await store.reserve("a", CLAIMS, ONE, ONE)
    assert granted == Grant(ONE, (NOTHING,), NOON)
    other = SqliteBudgetStore(path, wall=clock)

    assert await books(other) == {"global in all": (NOTHING, ONE)}
    for name in "bc":
        await other.reserve(name, CLAIMS, ONE, ONE)
    refused = await store.reserve("d", CLAIMS, ONE, ONE)

    assert isinstance(refused, Shortfall)
    assert (refused.reserved, refused.limit) == (90, 100)
    assert (await store.reserve("e", CLAIMS, ONE, Consumption(1, 2, 1))).amount == Consumption(
        10, 10, 1
    )
    await other.aclose()


async def test_what_is_marked_is_written_once(store, path, clock):
    for name in "ab":
        await store.reserve(name, CLAIMS, ONE, ONE)
    store.mark("a", Consumption(5, 12, 1))
    assert await books(SqliteBudgetStore(path, wall=clock)) == {
        "global in all": (NOTHING, Consumption(20, 60, 2))
    }

    for _ in range(2):
        await store.settle()
        store.mark("a", Consumption(7, 7, 7))
    store.mark("nobody's", ONE)
    await store.settle()

    assert await books(store) == {"global in all": (Consumption(5, 12, 1), ONE)}
    store.mark("b", NOTHING)
    await store.aclose()
    assert await books(store) == {"global in all": (Consumption(5, 12, 1), NOTHING)}


async def test_the_next_reservation_writes_what_is_marked(store):
    await store.reserve("a", CLAIMS, Consumption(0, 100, 1), Consumption(0, 100, 1))
    store.mark("a", NOTHING)

    assert isinstance(await store.reserve("b", CLAIMS, ONE, ONE), Grant)


async def test_many_at_once_are_written_together(store, path):
    limit = BudgetLimit(calls=300)
    claims = [limit.claim({})]
    granted = []

    async def one(number):
        granted.append(await store.reserve(str(number), claims, ONE, ONE))

    async with anyio.create_task_group() as group:
        for number in range(500):
            group.start_soon(one, number)

    assert sum(isinstance(it, Grant) for it in granted) == 300
    assert (await books(store))["global in all"][1].calls == 300
    for number in range(500):
        store.mark(str(number), ONE)
    await store.settle()
    assert await books(store) == {"global in all": (Consumption(3000, 9000, 300), NOTHING)}


async def test_whoever_dies_is_presumed_to_have_spent(store, clock):
    await store.reserve("dead", CLAIMS, ONE, ONE)
    clock.now += 61

    assert await books(store) == {"global in all": (ONE, NOTHING)}
    [presumed] = await store.presumed()
    assert (presumed.id, presumed.keys) == ("dead", ("global in all",))
    assert (presumed.amount, presumed.at) == (ONE, NOON)


async def test_what_is_renewed_lives(store, clock):
    await store.reserve("alive", CLAIMS, ONE, ONE)
    for _ in range(5):
        clock.now += 50
        await store.renew(("alive", "nobody's"))

    assert await store.presumed() == []
    store.mark("alive", Consumption(1, 1, 1))
    await store.settle()
    assert await books(store) == {"global in all": (Consumption(1, 1, 1), NOTHING)}


async def test_who_was_presumed_to_have_spent_may_still_tell(store, clock):
    await store.reserve("slow", CLAIMS, ONE, ONE)
    clock.now += 61
    await store.renew(("slow",))
    assert len(await store.presumed()) == 1

    store.mark("slow", Consumption(3, 4, 1))
    await store.settle()

    assert await books(store) == {"global in all": (Consumption(3, 4, 1), NOTHING)}
    assert await store.presumed() == []


async def test_what_was_presumed_can_be_corrected(store, path, clock):
    await store.reserve("dead", CLAIMS, ONE, ONE)
    await store.reserve("alive", CLAIMS, ONE, ONE)
    clock.now += 61
    await store.renew(("alive",))
    await store.adjust("dead", Consumption(1, 2, 1))

    assert (await books(store))["global in all"][0] == Consumption(11, 32, 2)
    await store.adjust("global in all", Consumption(-1, 5, 0))
    assert (await books(store))["global in all"][0] == Consumption(10, 37, 2)
    for what in ("dead", "nobody's"):
        with pytest.raises(ValueError, match="there is no account, and no reservation"):
            await store.adjust(what, NOTHING)
    with pytest.raises(ValueError, match="cannot be taken"):
        await store.adjust("global in all", Consumption(0, -1000, 0))
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT what, money, tokens, calls FROM corrections").fetchall()
    assert rows == [("dead", 1, 2, 1), ("global in all", -1, 5, 0)]


async def test_what_runs_cannot_be_corrected(store):
    await store.reserve("alive", CLAIMS, ONE, ONE)

    with pytest.raises(ValueError, match="no reservation presumed spent"):
        await store.adjust("alive", NOTHING)


async def test_abandoned_reservations_may_expire(path, clock):
    store = SqliteBudgetStore(path, wall=clock, abandoned="expire", lease=10)
    for name in ("dead", "sent", "slow"):
        await store.reserve(name, CLAIMS, ONE, ONE)
    await store.renew(("sent",))
    clock.now += 11

    assert await books(store) == {"global in all": (ONE, NOTHING)}
    assert [it.id for it in await store.presumed()] == ["sent"]
    store.mark("slow", Consumption(1, 1, 1))  # it was alive after all
    await store.settle()
    assert await books(store) == {"global in all": (Consumption(11, 31, 2), NOTHING)}
    await store.aclose()


async def test_what_nobody_corrects_is_forgotten_in_the_end(store, clock):
    await store.reserve("dead", CLAIMS, ONE, ONE)
    clock.now += 61
    await books(store)
    clock.now += 91 * 86400

    await books(store)

    assert await store.presumed() == []
    assert await books(store) == {"global in all": (ONE, NOTHING)}


async def test_a_clock_that_jumps_back_keeps_what_is_reserved(store, clock):
    await store.reserve("a", CLAIMS, ONE, ONE)
    clock.now -= 86400

    assert (await books(store))["global in all"] == (NOTHING, ONE)
    clock.now += 2 * 86400
    assert (await books(store))["global in all"] == (ONE, NOTHING)


@pytest.mark.parametrize("wrong", [{"lease": 0}, {"lease": "x"}, {"abandoned": "free"}])
def test_options_are_checked(path, wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        SqliteBudgetStore(path, **wrong)


def test_it_tells_its_file(path):
    assert repr(SqliteBudgetStore(path)) == f"<SqliteBudgetStore {path}>"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts SET state = '{'",
        "UPDATE accounts SET state = '[]'",
        "UPDATE reservations SET slots = 'x'",
    ],
)
async def test_damaged_books_are_told_of(store, path, statement):
    await store.reserve("a", CLAIMS, ONE, ONE)
    run(path, statement)
    store.mark("a", ONE)

    with pytest.raises(StoreError, match="the books of budgets are damaged"):
        await store.settle()
    with pytest.raises(StoreError):
        await store.reserve("b", CLAIMS, ONE, ONE)
    assert set(store._marked) == {"a", "b"}
    with pytest.raises(StoreError):
        await store.aclose()
    store._marked.clear()


async def test_an_account_that_is_gone_is_no_harm(store, path):
    await store.reserve("a", CLAIMS, ONE, ONE)
    run(path, "DELETE FROM accounts")
    store.mark("a", ONE)

    await store.settle()

    assert await books(store) == {}


def corrupted(path):
    path.write_bytes(b"no database at all" * 100)


def newer(path):
    run(path, "PRAGMA user_version = 99")


def older(path):
    run(
        path,
        "PRAGMA user_version = 0",
        "DROP TABLE accounts",
        "DROP TABLE reservations",
        "DROP TABLE corrections",
    )


@pytest.mark.parametrize(
    ("spoil", "words"), [(corrupted, "not a database"), (newer, "newer fairlead")]
)
async def test_a_file_that_is_of_no_use_fails_no_call_unless_it_shall(path, clock, spoil, words):
    store = SqliteBudgetStore(path, wall=clock)
    await store.reserve("a", CLAIMS, ONE, ONE)
    await store.aclose()
    for beside in path.parent.glob("budget.db-*"):
        beside.unlink()
    spoil(path)

    for on_store_failure in ("allow", "deny"):
        options = BudgetOptions(limits=(LIMIT,), on_store_failure=on_store_failure)
        provider = BudgetProvider(Vendor("ho"), options=options, store=store)
        if on_store_failure == "allow":
            [warning] = (await provider.generate("hi", max_tokens=5)).warnings
            assert words in warning
        else:
            with pytest.raises(BudgetExceededError, match=words):
                await provider.generate("hi", max_tokens=5)


async def test_what_is_unspent_is_forgotten_where_the_file_is_of_no_use(path, clock, monkeypatch):
    monkeypatch.setattr(budgets_sqlite, "MAX_UNSPENT", 3)
    path.parent.mkdir()
    corrupted(path)
    store = SqliteBudgetStore(path, wall=clock)
    provider = BudgetProvider(Vendor("ho"), options=BudgetOptions(limits=(LIMIT,)), store=store)
    for _ in range(9):
        await provider.generate("hi", max_tokens=5)

    assert len(store._marked) == 3
    await provider.aclose()
    await store.aclose()  # nothing is lost

    store.mark("a", ONE)
    with pytest.raises(ConfigurationError, match="give it another path"):
        await store.aclose()


async def test_a_path_that_is_of_no_use_says_what_to_do(tmp_path):
    (tmp_path / "file").touch()
    store = SqliteBudgetStore(tmp_path / "file" / "budget.db")

    with pytest.raises(ConfigurationError, match=r"file'?: give it a path that can be written$"):
        await store.reserve("a", CLAIMS, ONE, ONE)
    await store.aclose()


async def test_a_file_of_an_older_version_is_brought_up_to_date(path, clock):
    store = SqliteBudgetStore(path, wall=clock)
    await store.reserve("a", CLAIMS, ONE, ONE)
    await store.aclose()
    older(path)

    assert isinstance(await store.reserve("a", CLAIMS, ONE, ONE), Grant)
    await store.aclose()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_folder_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o555)
    store = SqliteBudgetStore(tmp_path / "deep" / "budget.db")
    with pytest.raises(ConfigurationError):
        await store.reserve("a", CLAIMS, ONE, ONE)
    tmp_path.chmod(0o700)


async def test_a_full_disk_loses_nothing(store, path):
    await store.reserve("a", CLAIMS, ONE, ONE)
    await store._database.run(lambda sql: sql.execute("PRAGMA max_page_count = 1") and None)
    full = [BudgetLimit(scope=f"user{n}" + "x" * 4000, tokens=1000).claim({}) for n in range(9)]

    with pytest.raises(StoreError, match="make room on the disk"):
        await store.reserve("b", full, ONE, ONE)

    assert await books(store) == {"global in all": (NOTHING, ONE)}
    store.mark("a", Consumption(1, 2, 1))
    await store.aclose()  # and opened anew, without that limit
    assert await books(store) == {"global in all": (Consumption(1, 2, 1), NOTHING)}


async def test_a_reservation_cancelled_at_any_await_is_given_back(path, clock):
    for how in ways():
        for point in range(12):
            store = SqliteBudgetStore(path.with_name(f"{how}{point}.db"), wall=clock)
            provider = BudgetProvider(
                Vendor("ho"), options=BudgetOptions(limits=(BudgetLimit(calls=9),)), store=store
            )

            reached = await cancelled_at(lambda it=provider: it.generate("hi"), point, how=how)
            await provider.aclose()

            held = await books(store)
            assert all(reserved == NOTHING for _, reserved in held.values())
            assert sum(spent.calls for spent, _ in held.values()) <= 1
            await store.aclose()
            if not reached:
                break


async def test_the_whole_way_through_a_provider(store):
    limits = (BudgetLimit(money=1), BudgetLimit(scope="user", calls=2, per="day"))
    provider = BudgetProvider(
        Vendor("ho", embedding_model="e"), options=BudgetOptions(limits=limits), store=store
    )

    await provider.generate("hi", max_tokens=5, tags={"user": "ann"})
    await provider.generate_stream("hi", max_tokens=5, tags={"user": "ann"}).collect()
    with pytest.raises(BudgetExceededError) as refused:
        await provider.embed("hi", tags={"user": "ann"})
    await provider.embed("hi", tags={"user": "bob"})

    assert refused.value.spent == 2
    assert json.loads(json.dumps(await books(store)))["user=ann per day"][0][1:] == [10, 2]
    assert (await books(store))["global in all"][0].calls == 3
    await provider.aclose()
