from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.adapters.providers.offline import OfflineProvider
from fairlead.adapters.providers.offline.vectors import vector

texts = st.text(min_size=1, max_size=200)


def some_words(letters):
    words = st.text(letters, min_size=4, max_size=9)
    return st.lists(words, min_size=12, max_size=40, unique=True)


said, otherwise = some_words("abcdefghijklm"), some_words("nopqrstuvwxyz")


def embedded(text, dimensions=256):
    return vector(text, model="m", dimensions=dimensions)


def alike(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True))


@given(texts, st.integers(1, 300))
def test_every_vector_has_length_one(text, dimensions):
    values = embedded(text, dimensions)

    assert len(values) == dimensions
    assert sqrt(sum(value * value for value in values)) == pytest.approx(1)


@given(said, otherwise)
def test_a_text_with_a_word_changed_is_closer_than_one_of_other_letters(said, otherwise):
    text, near, far = " ".join(said), " ".join([*said[:-1], "zzz"]), " ".join(otherwise)

    assert alike(embedded(text), embedded(near)) > alike(embedded(text), embedded(far))


@given(texts)
def test_case_makes_no_difference_and_the_model_does(text):
    assert alike(embedded(text), embedded(text)) == pytest.approx(1)
    assert embedded(text.casefold()) == embedded(text.casefold().casefold())
    assert embedded("A Word") == embedded("a word")
    assert embedded("a word") != vector("a word", model="n", dimensions=256)


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("The cat sat on the mat.", "A cat sits on mats.", "Quarterly revenue grew by 4 %."),
        ("reset my password", "I forgot my password", "opening hours on Sunday"),
        ("Adapter für Anschlüsse", "Anschluss-Adapter", "Wetter in Wien"),
        ("データベースの設定", "データベース設定", "今日の天気"),
        ("misspelled", "mispelled", "harbour"),
    ],
)
def test_similar_texts_are_closer(text, near, far):
    one = embedded(text)

    assert alike(one, embedded(near)) > alike(one, embedded(far)) + 0.1


def test_the_order_of_the_words_counts_for_little():
    one, other = embedded("ports and adapters"), embedded("adapters and ports")

    assert alike(one, other) == pytest.approx(1)


@pytest.mark.anyio
async def test_dimensions_can_be_chosen():
    assert len(await OfflineProvider().embed("one")) == 256
    assert len(await OfflineProvider(dimensions=8).embed("one")) == 8
    assert len(await OfflineProvider(dimensions=8).embed("one", dimensions=16)) == 16


@pytest.mark.anyio
async def test_another_model_is_another_space():
    here = await OfflineProvider().embed("one")
    there = await OfflineProvider().embed("one", model="other")

    assert here.metadata.space.model == "offline-embedding"
    assert there.metadata.space.model == "other"
    assert here != there
    assert here.metadata.usage.estimated
