from decimal import Decimal

import anyio
import pytest

from fairlead import ConfigurationError, CostTracker, MemoryLedger, SqliteLedger, tags
from tests.support.ledgers import all_of

pytestmark = pytest.mark.anyio


class Number(float):
    def __repr__(self):
        return f"Number({float(self)})"


async def test_what_is_recorded_is_added_up_and_written(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db", now=lambda: 5.0)
    tracker = CostTracker(ledger, now=lambda: 5.0)
    with tags(user="ann", project="around"):
        tracker.record(project_id="atlas", input_tokens=10, output_tokens=5, total_cost=0.1)
    tracker.record(input_tokens=1, output_tokens=0, total_cost=Decimal("0.20"), model="m")
    await tracker.aclose()

    one, two = await all_of(ledger)
    assert (one.at, one.tags, one.cost.amount) == (
        5.0,
        {"user": "ann", "project": "atlas"},
        Decimal("0.1"),
    )
    assert (two.model, two.provider, two.tags) == ("m", "application", {})
    assert (two.usage.input_tokens, two.usage.output_tokens) == (1, 0)
    assert tracker.total.spent.amount == Decimal("0.3")
    await ledger.aclose()


def test_it_needs_neither_a_loop_nor_a_ledger():
    tracker = CostTracker()
    for cost in (1, 0.1, Number(0.2)):
        tracker.record(input_tokens=1, output_tokens=1, total_cost=cost)

    assert tracker.total.paid == Decimal("1.3")


def test_what_was_recorded_without_a_loop_is_written_when_it_is_closed():
    ledger = MemoryLedger()
    tracker = CostTracker(ledger)
    tracker.record(input_tokens=1, output_tokens=1, total_cost=1)
    anyio.run(tracker.aclose)

    assert len(ledger) == 1


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"input_tokens": -1}, "input_tokens must be at least 0"),
        ({"output_tokens": 1.5}, "output_tokens must be an int"),
        ({"total_cost": -0.1}, "cost.amount must be at least 0"),
        ({"total_cost": float("nan")}, "cost.amount must be less than"),
        ({"total_cost": "1"}, "total_cost must be a number"),
        ({"total_cost": True}, "total_cost must be a number"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, said):
    with pytest.raises(ConfigurationError, match=said):
        CostTracker().record(**{"input_tokens": 1, "output_tokens": 1, "total_cost": 0.1, **wrong})


def test_there_is_one_currency():
    with pytest.raises(TypeError, match="currency"):
        CostTracker().record(input_tokens=1, output_tokens=1, total_cost=1, currency="EUR")
