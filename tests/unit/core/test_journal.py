import copy
import pickle
from decimal import Decimal

import pytest

from fairlead.core.journal import Attempt, Journal, Outcome
from fairlead.core.usage import Cost, Usage, add_cost, add_usage


def attempt(number=0, **facts):
    facts = {"outcome": Outcome.FAILED, "reason": str(number), **facts}
    return Attempt(provider="p", **facts)


def test_entries_are_kept_in_their_order():
    entries = (attempt(1), attempt(2))
    journal = Journal(entries)

    assert journal.attempts == entries
    assert tuple(journal) == entries
    assert len(journal) == 2


def test_256_entries_are_kept_as_they_are():
    entries = tuple(attempt(number) for number in range(256))

    assert Journal(entries).attempts == entries


def test_older_entries_are_folded_into_one_that_keeps_count_usage_and_cost():
    cost = Cost(amount=Decimal("0.5"), source="prices")
    journal = Journal(
        attempt(number, seconds=2.0, usage=Usage(input_tokens=1, output_tokens=3), cost=cost)
        for number in range(1000)
    )

    folded, *kept = journal

    assert [entry.reason for entry in kept] == [str(number) for number in range(744, 1000)]
    assert (folded.outcome, folded.count, folded.seconds) == (Outcome.FOLDED, 744, 1488.0)
    assert folded.usage == Usage(input_tokens=744, output_tokens=2232)
    assert folded.cost == Cost(amount=Decimal(372), source="prices")
    assert len(journal) == 257


def test_a_folded_entry_keeps_what_little_was_known():
    usages = [None, Usage(input_tokens=1), None, *[None] * 256]
    journal = Journal(attempt(usage=usage) for usage in usages)

    assert journal.attempts[0].usage == Usage(input_tokens=1)
    assert journal.attempts[0].cost is None


def test_a_folded_entry_blames_nobody():
    journal = Journal([attempt(error="ServerError")] * 257)

    assert journal.attempts[0].error is None
    assert journal.attempts[0].reason == "older entries"


@pytest.mark.parametrize(
    "outcome, asked",
    [
        (Outcome.SUCCEEDED, 1),
        (Outcome.FAILED, 1),
        (Outcome.INTERRUPTED, 1),
        (Outcome.ABANDONED, 1),
        (Outcome.WAITED, 0),
        (Outcome.SKIPPED, 0),
        (Outcome.HIT, 0),
        (Outcome.NOTED, 0),
        (Outcome.FOLDED, 0),
    ],
)
def test_only_what_was_sent_counts_as_asked(outcome, asked):
    assert Journal([attempt(outcome=outcome)]).asked == asked


def test_folding_forgets_nothing_that_was_asked():
    assert Journal([attempt()] * 1000).asked == 1000


@pytest.mark.parametrize("restored", [lambda it: pickle.loads(pickle.dumps(it)), copy.deepcopy])
def test_a_journal_can_be_pickled_and_copied(restored):
    journal = Journal([attempt(number) for number in range(300)])

    assert restored(journal).attempts == journal.attempts
    assert restored(journal).asked == 300


def test_a_journal_shows_its_entries():
    assert repr(Journal([attempt()])) == f"Journal([{attempt()!r}])"


def test_usage_is_added_field_by_field():
    one = Usage(input_tokens=1, output_tokens=2, cache_read_tokens=3, raw={"a": 1})
    other = Usage(input_tokens=10, reasoning_tokens=4, cache_write_tokens=5, total_tokens=6)

    assert add_usage(one, other) == Usage(
        input_tokens=11,
        output_tokens=2,
        cache_read_tokens=3,
        cache_write_tokens=5,
        reasoning_tokens=4,
        total_tokens=6,
    )


def test_what_neither_knows_stays_unknown():
    assert add_usage(Usage(), Usage()) == Usage()
    assert add_usage(None, None) is None
    assert add_cost(None, None) is None


def test_zero_is_not_unknown():
    assert add_usage(Usage(input_tokens=0), Usage()).input_tokens == 0


@pytest.mark.parametrize("one, other", [(True, False), (False, True), (True, True)])
def test_a_sum_with_an_estimate_is_an_estimate(one, other):
    usage = add_usage(Usage(estimated=one), Usage(estimated=other))
    cost = add_cost(
        Cost(amount=Decimal(1), source="a", estimated=one),
        Cost(amount=Decimal(2), source="b", estimated=other),
    )

    assert usage.estimated
    assert cost == Cost(amount=Decimal(3), source="sum", estimated=True)


def test_a_sum_of_certainties_is_one():
    cost = Cost(amount=Decimal("0.1"), source="prices")

    assert add_cost(cost, cost) == Cost(amount=Decimal("0.2"), source="prices")
    assert not add_usage(Usage(), Usage()).estimated


def test_what_one_of_them_knows_is_kept():
    cost = Cost(amount=Decimal(1), source="a")

    assert add_cost(None, cost) == add_cost(cost, None) == cost
    assert add_usage(None, Usage(input_tokens=1)) == Usage(input_tokens=1)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (Attempt(outcome=Outcome.SUCCEEDED, provider="p"), "p succeeded"),
        (
            Attempt(
                outcome=Outcome.FAILED,
                provider="p",
                model="m",
                seconds=0.12345,
                error="RateLimitError",
                status_code=429,
                reason="slow\ndown",
            ),
            "p:m failed after 0.123 s: RateLimitError (HTTP 429): slow down",
        ),
        (
            Attempt(outcome=Outcome.WAITED, provider="p", seconds=2.0, reason="it said so"),
            "p waited for 2 s: it said so",
        ),
    ],
)
def test_an_attempt_is_one_line(entry, line):
    assert str(entry) == line
    assert repr(entry).startswith("Attempt(outcome=")


def test_the_line_is_bounded():
    assert len(str(attempt("x" * 1000))) == 200
