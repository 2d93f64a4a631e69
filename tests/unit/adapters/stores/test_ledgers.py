"""What every ledger does, in memory and on disk; and what only the one on disk does."""

import sqlite3
from dataclasses import replace
from decimal import Decimal

import pytest

from fairlead import Booking, Cost, LedgerQuery, MemoryLedger, Retention, SqliteLedger, Usage
from fairlead.core.errors import ConfigurationError, StoreError
from fairlead.core.retention import fold
from fairlead.core.spending import UsageReport
from tests.support.ledgers import DAY, NOON, all_of, entry

pytestmark = pytest.mark.anyio


class Now:
    def __init__(self):
        self.at = NOON

    def __call__(self):
        return self.at


@pytest.fixture
def now():
    return Now()


@pytest.fixture(params=["memory", "sqlite"])
async def make(request, tmp_path, now):
    made = []

    def ledger(**retention):
        kind = MemoryLedger if request.param == "memory" else SqliteLedger
        where = () if kind is MemoryLedger else (tmp_path / "ledger.db",)
        made.append(kind(*where, retention=Retention(**retention), now=now))
        return made[-1]

    yield ledger
    for each in made:
        await each.aclose()


FULL = entry(
    "0.000000000000000000000000000001",
    id="whole",
    booking=Booking.WASTED,
    outcome="failed",
    usage=Usage(
        input_tokens=1,
        output_tokens=2,
        cache_read_tokens=3,
        cache_write_tokens=4,
        reasoning_tokens=5,
        estimated=True,
    ),
    cost=Cost(amount=Decimal("1.10"), source="vendor", estimated=True),
    seconds=0.25,
    tags={"project": "Ätlas", "user": "ann"},
    request_id="r",
    note="why",
)


async def test_what_is_recorded_comes_back_as_it_was(make):
    ledger = make()
    unknown = entry(None, id="unknown", usage=None, model=None)

    await ledger.record([FULL, unknown])

    assert await all_of(ledger) == [FULL, unknown]
    assert str((await all_of(ledger))[0].cost.amount) == "1.10"


async def test_the_same_id_adds_nothing(make):
    ledger = make()
    one = entry("1", id="one")

    two = entry("2", id="two", at=NOON + 1)
    await ledger.record([one, replace(one, seconds=2.0, at=NOON + 9)])
    await ledger.record([replace(one, at=NOON + 9), two])

    assert await all_of(ledger) == [one, two]


async def test_nothing_recorded_is_nothing(make):
    ledger = make()
    await ledger.record([])

    assert await all_of(ledger) == []


async def test_entries_come_oldest_first_whenever_they_were_recorded(make):
    ledger = make()
    await ledger.record([entry(id="late", at=NOON + 5), entry(id="early", at=NOON - 5)])
    await ledger.record([entry(id="between")])

    assert [each.id for each in await all_of(ledger)] == ["early", "between", "late"]


@pytest.mark.parametrize(
    "query, found",
    [
        ({}, "abc"),
        ({"since": NOON}, "bc"),
        ({"until": NOON}, "a"),
        ({"tags": {"project": "x"}}, "ab"),
        ({"tags": {"project": "x", "user": "u"}}, "b"),
        ({"model": "other"}, "c"),
        ({"provider": "q"}, "b"),
        ({"booking": Booking.SAVED}, "a"),
    ],
)
async def test_a_query_finds_what_it_asks_for(make, query, found):
    ledger = make()
    await ledger.record(
        [
            entry(id="a", at=NOON - 1, tags={"project": "x"}, booking=Booking.SAVED),
            entry(id="b", tags={"project": "x", "user": "u"}, provider="q"),
            entry(id="c", at=NOON + 1, model="other"),
        ]
    )

    assert "".join(each.id for each in await all_of(ledger, LedgerQuery(**query))) == found


async def test_what_is_too_old_is_folded_and_no_money_is_lost(make, now):
    ledger = make(days=10, tags=("project",))
    tags = {"project": "x", "session": "s"}
    await ledger.record([entry("0.1", at=NOON + hour * 3600, tags=tags) for hour in range(4)])
    await ledger.record([entry("0.7", at=NOON, tags={"project": "y"})])
    await ledger.record([entry(None, at=NOON, tags=tags), entry("1", at=NOON + DAY, tags=tags)])
    before = UsageReport.of(await all_of(ledger)).total

    now.at = NOON + 20 * DAY
    await ledger.record([entry("5", id="new", at=now.at)])
    if isinstance(ledger, SqliteLedger):
        await ledger.fold()

    kept = await all_of(ledger)
    midnight = NOON - 43_200
    assert sorted(
        (each.at, each.cost and str(each.cost.amount), each.count, each.tags.get("project"))
        for each in kept
        if each.cost
    ) == [
        (midnight, "0.4", 4, "x"),
        (midnight, "0.7", 1, "y"),
        (midnight + DAY, "1", 1, "x"),
        (now.at, "5", 1, None),
    ]
    assert {each.outcome for each in kept[:-1]} == {"folded"}
    assert {tuple(each.tags) for each in kept[:-1]} == {("project",)}
    after = UsageReport.of(kept[:-1]).total
    assert after.spent == before.spent


async def test_folding_a_second_time_adds_to_the_first(make, now):
    ledger = make(days=1)
    for hours in (0, 1):
        now.at = NOON
        await ledger.record([entry("0.25", at=NOON + hours)])
        now.at = NOON + 3 * DAY
        await ledger.record([entry("1", id=f"new{hours}", at=now.at)])
        if isinstance(ledger, SqliteLedger):
            await ledger.fold()

    folded = (await all_of(ledger))[0]
    assert (folded.count, str(folded.cost.amount), folded.seconds) == (2, "0.50", 2.0)


async def test_what_is_known_and_what_is_estimated_are_folded_apart():
    cost = Cost(amount=Decimal(1), source="x")
    told, guessed = entry(cost=cost), entry(cost=replace(cost, estimated=True))

    assert [each.count for each in fold([told, guessed, told], ())] == [2, 1]


async def test_only_so_many_are_kept_singly(make, now):
    ledger = make(rows=10, days=None)
    now.at = NOON + 2 * 3600
    for index in range(35):
        await ledger.record([entry("0.1", at=NOON + index)])
    if isinstance(ledger, SqliteLedger):
        await ledger.fold()

    kept = await all_of(ledger)
    assert len([each for each in kept if each.outcome != "folded"]) <= 10
    assert sum(each.count for each in kept) == 35
    assert sum(each.cost.amount for each in kept) == Decimal("3.5")
    assert kept[-1].at == NOON + 34


async def test_one_that_is_closed_can_be_used_again(make):
    ledger = make()
    await ledger.record([entry(id="one")])
    await ledger.aclose()
    await ledger.aclose()

    await ledger.record([entry(id="two")])

    assert len(await all_of(ledger)) == 2


# On disk.


async def test_more_than_a_page_is_read(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db", now=Now())
    await ledger.record([entry(at=NOON + index // 3) for index in range(2500)])

    found = await all_of(ledger, LedgerQuery(provider="p"))

    assert len({each.id for each in found}) == 2500
    assert [each.at for each in found] == sorted(each.at for each in found)
    await ledger.aclose()


async def test_what_is_recorded_while_it_is_read_is_left_for_the_next_time(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db", now=Now())
    await ledger.record([entry(at=NOON) for _ in range(1500)])
    reading = ledger.entries()
    seen = [await anext(reading)]
    await ledger.record([entry(at=NOON + 1)])

    seen += [each async for each in reading]

    assert len(seen) == 1500
    await ledger.aclose()


async def test_what_is_folded_while_it_is_read_is_told(tmp_path):
    now = Now()
    ledger = SqliteLedger(tmp_path / "ledger.db", retention=Retention(days=1), now=now)
    await ledger.record([entry(at=NOON + index) for index in range(1500)])
    reading = ledger.entries()
    await anext(reading)
    now.at = NOON + 10 * DAY
    await ledger.fold()

    with pytest.raises(StoreError, match="folded while it was read: read it again"):
        [each async for each in reading]

    assert sum([each.count async for each in ledger.entries()]) == 1500
    await ledger.aclose()


async def test_the_young_are_not_folded_as_they_may_be_recorded_again(tmp_path):
    now = Now()
    ledger = SqliteLedger(tmp_path / "ledger.db", retention=Retention(rows=2), now=now)
    await ledger.record([entry(at=NOON - 60) for _ in range(5)])
    await ledger.fold()

    await ledger.record(await all_of(ledger))
    assert len(await all_of(ledger)) == 5
    now.at = NOON + 3601
    await ledger.fold()
    assert [each.count for each in await all_of(ledger)] == [5]
    await ledger.aclose()


async def test_old_entries_are_folded_without_being_asked(tmp_path):
    now = Now()
    ledger = SqliteLedger(tmp_path / "ledger.db", retention=Retention(days=1), now=now)
    await ledger.record([entry()])
    now.at = NOON + 5 * DAY
    await ledger.record([entry(at=now.at) for _ in range(1000)])

    assert (await all_of(ledger))[0].outcome == "folded"
    await ledger.aclose()


@pytest.mark.parametrize(
    "column, value",
    [
        ("booking", "stolen"),
        ("cost", '{"amount": "x", "source": "y"}'),
        ("usage", "{"),
        ("at", 1e999),
    ],
)
async def test_an_entry_that_somebody_spoilt_is_told(tmp_path, column, value):
    path = tmp_path / "ledger.db"
    ledger = SqliteLedger(path, now=Now())
    await ledger.record([entry(id="spoilt")])
    await ledger.aclose()
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE entries SET {column} = ?", (value,))
    connection.close()

    with pytest.raises(StoreError, match="the entry 'spoilt' of the ledger cannot be read"):
        await all_of(ledger)
    await ledger.aclose()


async def test_it_says_where_it_is(tmp_path):
    path = tmp_path / "ledger.db"

    assert repr(SqliteLedger(path)) == f"<SqliteLedger {path}>"


# Values.


@pytest.mark.parametrize(
    "values, said",
    [
        ({"dollars": "-1"}, "cost.amount must be at least 0 dollars"),
        ({"dollars": "NaN"}, "cost.amount must be less than"),
        ({"dollars": "Infinity"}, "cost.amount must be less than"),
        ({"dollars": "1e15"}, "cost.amount must be less than"),
        ({"dollars": "1e-41"}, "at most 40 decimal places"),
        ({"cost": Cost(amount=0.1, source="x")}, "cost.amount must be a Decimal, not 0.1"),
        ({"usage": Usage(input_tokens=-1)}, "usage.input_tokens must be at least 0"),
        ({"usage": Usage(output_tokens=0.5)}, "usage.output_tokens must be an int"),
        ({"at": float("nan")}, "at must be a finite number"),
        ({"seconds": -1.0}, "seconds must be at least 0"),
        ({"id": ""}, "id must be a str with something in it"),
        ({"booking": "spent"}, "booking must be a Booking"),
    ],
)
async def test_an_entry_that_makes_no_sense_is_refused(values, said):
    with pytest.raises(ConfigurationError, match=said):
        entry(**values)


async def test_a_correction_may_take_away():
    usage = Usage(input_tokens=-3)

    assert entry("-0.5", booking=Booking.CORRECTION, usage=usage).cost.amount == Decimal("-0.5")


@pytest.mark.parametrize(
    "values, said",
    [
        ({"days": 0.5}, "days must be at least 1"),
        ({"rows": 0}, "rows must be at least 1"),
        ({"tags": "project"}, "tags must be a tuple of names"),
    ],
)
async def test_a_retention_that_makes_no_sense_is_refused(values, said):
    with pytest.raises(ConfigurationError, match=said):
        Retention(**values)


async def test_a_query_that_makes_no_sense_is_refused():
    with pytest.raises(ConfigurationError, match="since must be a finite number"):
        LedgerQuery(since=float("inf"))
    with pytest.raises(TypeError, match="tags must be"):
        LedgerQuery(tags={"project": 3})
