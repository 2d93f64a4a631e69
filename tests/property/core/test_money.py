"""Money adds up to the last digit between journal, ledger and report."""

import asyncio
import tempfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.adapters.stores.ledger_memory import MemoryLedger
from fairlead.adapters.stores.ledger_sqlite import SqliteLedger
from fairlead.core.journal import Attempt, Journal, Outcome
from fairlead.core.ledger import Booking
from fairlead.core.retention import Retention, fold
from fairlead.core.spending import UsageReport
from fairlead.core.usage import Cost, Usage
from tests.support.ledgers import DAY, NOON, all_of, entry

amounts = st.decimals(0, 10**9, allow_nan=False, places=30)
costs = st.none() | st.builds(
    Cost, amount=amounts, source=st.sampled_from(["vendor", "book"]), estimated=st.booleans()
)
tokens = st.none() | st.integers(0, 10**9)
usages = st.none() | st.builds(
    Usage,
    input_tokens=tokens,
    output_tokens=tokens,
    reasoning_tokens=tokens,
    estimated=st.booleans(),
)
entries = st.lists(
    st.builds(
        entry,
        id=st.uuids().map(str),
        at=st.floats(NOON - 5 * DAY, NOON),
        booking=st.sampled_from([Booking.SPENT, Booking.WASTED, Booking.SAVED]),
        model=st.sampled_from(["a", "b", None]),
        usage=usages,
        cost=costs,
        tags=st.dictionaries(st.sampled_from(["project", "user"]), st.text(max_size=3)),
    ),
    max_size=25,
)


def exactly(found):
    """What *found* comes to, in fractions, which do not round."""
    return sum((Fraction(each.cost.amount) for each in found if each.cost), Fraction(0))


def paid(report):
    sums = (report.total.spent, report.total.wasted, report.total.saved)
    return sum((Fraction(each.amount) for each in sums), Fraction(0))


@given(entries)
def test_a_report_loses_no_digit(found):
    report = UsageReport.of(found, ["model", "tag:project"])

    assert paid(report) == exactly(found)
    assert sum(Fraction(group.paid) for group in report.groups.values()) == report.total.paid


@given(entries)
def test_folding_loses_no_digit_and_no_entry(found):
    folded = fold(found, ("project",))
    again = fold(folded, ("project",))

    assert exactly(folded) == exactly(found)
    assert sum(each.count for each in folded) == len(found)
    assert {each.id: each for each in again} == {each.id: each for each in folded}
    before, after = UsageReport.of(found).total, UsageReport.of(folded).total
    assert (before.spent, before.wasted, before.saved) == (after.spent, after.wasted, after.saved)


@given(st.lists(amounts, min_size=1, max_size=600))
@settings(max_examples=20)
def test_a_journal_that_folds_loses_no_digit(found):
    journal = Journal()
    for amount in found:
        cost = Cost(amount=amount, source="x")
        journal.record(Attempt(outcome=Outcome.FAILED, provider="p", cost=cost))

    assert exactly(journal) == sum(map(Fraction, found))


@given(entries, st.integers(1, 20))
@settings(max_examples=10, deadline=None)
def test_ledgers_lose_no_digit_however_they_fold(found, rows):
    async def run():
        with tempfile.TemporaryDirectory() as folder:
            retention = Retention(rows=rows, days=3)
            later = [NOON]
            ledgers = [
                MemoryLedger(retention=retention, now=lambda: later[0]),
                SqliteLedger(Path(folder, "x.db"), retention=retention, now=lambda: later[0]),
            ]
            for ledger in ledgers:
                for start in range(0, len(found), 20):
                    await ledger.record(found[start : start + 20])
            later[0] += 2 * DAY
            await ledgers[1].fold()
            for ledger in ledgers:
                kept = await all_of(ledger)
                assert exactly(kept) == exactly(found)
                assert sum(each.count for each in kept) == len(found)
                assert paid(UsageReport.of(kept)) == exactly(found)
                await ledger.aclose()

    asyncio.run(run())


def test_the_usual_context_would_round():
    big, small = Decimal("123456789.1"), Decimal("1e-30")
    assert big + small == big
    assert exactly([entry(cost=Cost(amount=small, source="x"))]) > 0
