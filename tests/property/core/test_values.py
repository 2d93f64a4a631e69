import itertools
import pickle
import struct
from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.collector import Collector
from fairlead.core.embeddings import Embedding
from fairlead.core.events import ReasoningDelta, RefusalDelta, StreamEnd, TextDelta, ToolCallDelta
from fairlead.core.journal import Attempt, Journal, Outcome
from fairlead.core.results import FinishReason, Generation, Metadata
from fairlead.core.tokens import FAMILIES, estimate, measure
from fairlead.core.usage import Cost, Usage, add_cost, add_usage

METADATA = Metadata(provider="p")
FLOATS = st.lists(st.floats(width=32))
FAMILY = st.sampled_from(sorted(FAMILIES))
COUNT = st.none() | st.integers(0, 10**9)
USAGES = st.none() | st.builds(
    Usage,
    input_tokens=COUNT,
    output_tokens=COUNT,
    cache_read_tokens=COUNT,
    cache_write_tokens=COUNT,
    reasoning_tokens=COUNT,
    total_tokens=COUNT,
    estimated=st.booleans(),
)
COSTS = st.none() | st.builds(
    Cost,
    amount=st.decimals(0, 1000, places=6),
    source=st.sampled_from(["a", "b"]),
    estimated=st.booleans(),
)
OUTCOMES = st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.FOLDED])
ATTEMPTS = st.builds(
    Attempt,
    outcome=OUTCOMES,
    provider=st.just("p"),
    usage=USAGES,
    cost=COSTS,
    seconds=st.integers(0, 100),
)


@given(FLOATS)
def test_a_vector_gives_back_what_it_was_given(numbers):
    vector = Embedding(numbers)

    assert struct.pack(f"<{len(numbers)}f", *vector) == struct.pack(f"<{len(numbers)}f", *numbers)
    assert np.asarray(vector).tobytes() == vector._buffer


@given(FLOATS)
def test_a_pickled_vector_is_equal_and_has_the_same_hash(numbers):
    vector = Embedding(numbers)
    restored = pickle.loads(pickle.dumps(vector))

    assert restored == vector
    assert hash(restored) == hash(vector)


@given(FLOATS, FLOATS)
def test_equal_vectors_have_equal_hashes(one, other):
    first, second = Embedding(one), Embedding(other)

    assert (first == second) <= (hash(first) == hash(second))


@given(FLOATS, st.slices(20))
def test_a_slice_is_what_a_lists_slice_is(numbers, cut):
    vector = Embedding(numbers)

    assert vector[cut] == Embedding(numbers[cut])


@given(st.text())
def test_a_generation_is_its_text(text):
    answer = Generation(text, METADATA)

    assert answer == text
    assert hash(answer) == hash(text)
    assert pickle.loads(pickle.dumps(answer)) == text


@given(st.text(), FAMILY)
def test_an_estimate_is_within_the_bytes_that_bound_it(text, family):
    assert 0 <= estimate(text, family) <= len(text.encode())
    assert (estimate(text, family) > 0) == bool(text)


@given(st.text(), st.text(), FAMILY)
def test_more_text_never_has_fewer_tokens(text, more, family):
    assert estimate(text, family) <= estimate(text + more, family)
    assert estimate(text, family) <= estimate(more + text, family)


@given(st.lists(st.text()), FAMILY)
def test_parts_add_up_but_for_changes_of_case_between_them(texts, family):
    whole, parts = measure("".join(texts), family), sum(measure(text, family) for text in texts)

    assert -1e-6 <= whole - parts <= FAMILIES[family][1] * len(texts) + 1e-6


@given(USAGES, USAGES, USAGES)
def test_usage_adds_up_in_any_order(one, two, three):
    def bare(usage):
        return usage and (usage.input_tokens, usage.output_tokens, usage.total_tokens)

    assert add_usage(one, two) == add_usage(two, one)
    assert bare(add_usage(add_usage(one, two), three)) == bare(
        add_usage(one, add_usage(two, three))
    )


@given(st.lists(ATTEMPTS, max_size=600))
def test_folding_keeps_count_usage_and_cost(attempts):
    journal, entries = Journal(attempts), Journal(attempts).attempts

    assert len(journal) <= Journal.CAPACITY + 1
    assert sum(entry.count for entry in entries) == len(attempts)
    assert sum(entry.seconds for entry in entries) == sum(entry.seconds for entry in attempts)
    assert journal.asked == sum(entry.sent for entry in attempts)
    assert _tokens(entries) == _tokens(attempts)
    assert _dollars(entries) == _dollars(attempts)


def _tokens(entries):
    return sum((entry.usage.input_tokens or 0) for entry in entries if entry.usage)


def _dollars(entries):
    return sum((entry.cost.amount for entry in entries if entry.cost), Decimal(0))


@given(COSTS, COSTS)
def test_a_sum_is_an_estimate_if_either_is(one, other):
    total = add_cost(one, other)

    assert bool(total and total.estimated) == any(it.estimated for it in (one, other) if it)


WORDS = st.sampled_from([TextDelta, RefusalDelta, ReasoningDelta])
DELTAS = st.lists(st.tuples(WORDS, st.text(max_size=3)), max_size=30)


@given(DELTAS)
def test_a_collected_answer_has_all_words_in_order(deltas):
    events = [kind(text) for kind, text in deltas]
    generation = Collector([*events, StreamEnd(FinishReason.STOP)]).generation(METADATA)

    assert generation == "".join(text for kind, text in deltas if kind is TextDelta)
    assert "".join(part.text for part in generation.metadata.parts) == "".join(
        text for _, text in deltas
    )
    assert all(part.text for part in generation.metadata.parts)
    kinds = [type(part) for part in generation.metadata.parts]
    assert all(one is not two for one, two in itertools.pairwise(kinds))


@given(st.lists(st.tuples(st.integers(0, 3), st.text(max_size=3)), max_size=30))
def test_a_collected_call_has_all_its_arguments_however_they_mix(deltas):
    events = [ToolCallDelta(index, f"id{index}", "f", text) for index, text in deltas]
    calls = Collector(events).generation(METADATA).tool_calls

    expected = {}
    for index, text in deltas:
        expected[f"id{index}"] = expected.get(f"id{index}", "") + text
    assert {call.id: call.arguments for call in calls} == expected
    assert [call.id for call in calls] == list(expected)
