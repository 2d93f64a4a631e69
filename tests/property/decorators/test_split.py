from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fairlead.decorators.split import likely, packed

SIZES = st.lists(st.floats(0, 50), max_size=60)


@given(SIZES, st.integers(1, 10), st.floats(1, 100))
def test_every_text_is_in_one_part_in_order_and_no_part_is_too_large(sizes, items, tokens):
    parts = list(packed(sizes, items, tokens))

    assert [place for part in parts for place in part] == list(range(len(sizes)))
    for part in parts:
        assert 1 <= len(part) <= items
        # Added up one after the other, as floats do not add up in any order alike.
        total = 0.0
        for place in part:
            total += sizes[place]
        assert len(part) == 1 or total <= tokens


@given(SIZES, st.integers(1, 10), st.floats(1, 100))
def test_no_part_has_room_for_the_first_of_the_next(sizes, items, tokens):
    parts = list(packed(sizes, items, tokens))

    for part, following in pairwise(parts):
        total = 0.0
        for place in (*part, following.start):
            total += sizes[place]
        assert len(part) == items or total > tokens


@given(st.text(), st.sampled_from(["cl100k", "o200k", "unheard of", None]))
def test_a_text_never_has_more_tokens_than_bytes(text, family):
    assert 0 <= likely(text, family) <= 4 * len(text)


def test_sizes_are_only_asked_for_as_they_are_needed():
    asked = []

    def sizes():
        for place in range(10):
            asked.append(place)
            yield 1.0

    parts = packed(sizes(), 3, 100.0)

    assert next(parts) == range(3)
    assert asked == [0, 1, 2, 3]
