from decimal import Decimal

import pytest

from fairlead import Booking, ConfigurationError, Cost, Usage, UsageReport
from fairlead.core.spending import Latency
from tests.support.ledgers import DAY, NOON, entry


def test_what_was_spent_wasted_and_saved_is_told_apart():
    report = UsageReport.of(
        [
            entry("1.5"),
            entry("0.25", booking=Booking.WASTED),
            entry("9", booking=Booking.SAVED),
            entry("-0.5", booking=Booking.CORRECTION, usage=None),
            entry(None),
            entry(cost=Cost(amount=Decimal(0), source="x", estimated=True)),
            entry(usage=Usage(input_tokens=1, estimated=True)),
        ]
    )

    total = report.total
    assert (total.spent.amount, total.spent.entries) == (Decimal("1.5"), 5)
    assert (total.spent.unpriced, total.spent.estimated) == (1, 2)
    assert total.spent.tokens["input_tokens"] == 31
    assert (total.wasted.amount, total.saved.amount) == (Decimal("0.25"), Decimal(9))
    assert total.paid == Decimal("1.75")
    assert not report.groups


def test_one_entry_can_be_taken_back():
    usage, less = Usage(input_tokens=10), Usage(input_tokens=-10)
    back = entry("-2", booking=Booking.CORRECTION, usage=less, count=-1)
    total = UsageReport.of([entry("2", usage=usage), back]).total

    assert (total.spent.entries, total.spent.amount) == (0, 0)
    assert not any(total.spent.tokens.values())


@pytest.mark.parametrize(
    "by, groups",
    [
        (["model"], [("b",), ("a",), ("",)]),
        (["provider"], [("p",)]),
        (["day"], [("2026-01-01",), ("2026-01-02",)]),
        (["tag:project"], [("x",), ("",)]),
        (["tag:project", "day"], [("", "2026-01-01"), ("x", "2026-01-01"), ("x", "2026-01-02")]),
        (["operation"], [("generate",)]),
        (["outcome"], [("succeeded",)]),
        (["booking"], [("spent",)]),
    ],
)
def test_groups_come_by_day_or_the_dearest_first(by, groups):
    entries = [
        entry("1", model="a", tags={"project": "x"}),
        entry("5", model="b", at=NOON + DAY, tags={"project": "x"}),
        entry("0.5", model=None),
    ]
    report = UsageReport.of(entries, by)

    assert [key for key, _ in report.sorted()] == groups
    assert sum(group.paid for _, group in report.sorted()) == report.total.paid


@pytest.mark.parametrize("by", ["colour", "tag:", "tag"])
def test_nothing_is_grouped_by_what_there_is_not(by):
    with pytest.raises(ConfigurationError, match=r"there are model, provider, day.*and tag:NAME"):
        UsageReport([by])


def test_quantiles_are_right_to_one_percent():
    latency = Latency()
    for index in range(1, 1001):
        latency.add(index / 100)

    assert latency.quantile(0.5) == pytest.approx(5.0, rel=0.011)
    assert latency.quantile(0.99) == pytest.approx(9.9, rel=0.011)
    assert latency.quantile(1.0) == pytest.approx(10.0, rel=0.011)
    assert Latency().quantile(0.5) is None


def test_only_what_was_asked_and_stands_alone_has_a_latency():
    report = UsageReport.of(
        [
            entry(seconds=2.0),
            entry(seconds=50.0, booking=Booking.SAVED),
            entry(seconds=50.0, outcome="folded"),
            entry(seconds=0.0),
        ]
    )

    assert report.total.latency.as_dict() == {
        "p50": pytest.approx(2, rel=0.011),
        "p95": pytest.approx(2, rel=0.011),
        "p99": pytest.approx(2, rel=0.011),
    }


def test_plain_values_keep_every_digit():
    report = UsageReport.of([entry("0.0000001"), entry("12345678901234")], ["model"])

    told = report.as_dict()
    assert told["total"]["paid_usd"] == "12345678901234.0000001"
    assert told["groups"][0]["model"] == "m"
    assert told["groups"][0]["spent"]["entries"] == 2
    assert told["groups"][0]["saved"]["cost_usd"] == "0"
