import copy
import gc
import pickle
import struct

import numpy as np
import pytest

from fairlead.core.embeddings import Embedding, EmbeddingMetadata, Embeddings, EmbeddingSpace
from fairlead.core.usage import Usage

METADATA = EmbeddingMetadata(
    provider="p", space=EmbeddingSpace(model="e"), usage=Usage(input_tokens=1)
)
VECTOR = Embedding([1.0, 2.0, 3.0], METADATA)


def test_a_vector_is_a_sequence_of_floats():
    assert len(VECTOR) == 3
    assert list(VECTOR) == [1.0, 2.0, 3.0]
    assert (VECTOR[0], VECTOR[-1]) == (1.0, 3.0)
    assert 2.0 in VECTOR


def test_an_index_outside_is_an_index_error():
    with pytest.raises(IndexError):
        VECTOR[3]


def test_a_vector_may_be_given_as_the_bytes_of_floats():
    assert Embedding(struct.pack("<3f", 1, 2, 3)) == VECTOR


def test_numpy_copies_nothing_and_cannot_write():
    array = np.asarray(VECTOR)

    assert array.dtype == np.float32
    assert np.shares_memory(array, np.asarray(VECTOR))
    assert not array.flags.writeable
    assert array.tolist() == [1.0, 2.0, 3.0]


def test_what_numpy_sees_lives_as_long_as_it_looks():
    array = np.asarray(Embedding([1.0, 2.0]))
    gc.collect()

    assert array.tolist() == [1.0, 2.0]


def test_an_empty_vector_is_one_too():
    assert np.asarray(Embedding([])).shape == (0,)
    assert VECTOR[3:] == Embedding([])


@pytest.mark.parametrize("cut", [slice(1), slice(1, None), slice(None, None, -2), slice(1, 1)])
def test_a_slice_is_a_vector_with_the_same_metadata(cut):
    sliced = VECTOR[cut]

    assert isinstance(sliced, Embedding)
    assert sliced.tolist() == [1.0, 2.0, 3.0][cut]
    assert sliced.metadata is METADATA


def test_equal_vectors_have_equal_hashes():
    assert Embedding([1, 2, 3]) == VECTOR
    assert hash(Embedding([1, 2, 3])) == hash(VECTOR)
    assert Embedding([1, 2]) != VECTOR


def test_equality_never_promises_more_than_the_hash():
    signed, plain = Embedding([-0.0]), Embedding([0.0])

    assert (signed == plain) <= (hash(signed) == hash(plain))
    assert (VECTOR == (1.0, 2.0, 3.0)) <= (hash(VECTOR) == hash((1.0, 2.0, 3.0)))


def test_a_vector_equals_itself_whatever_is_in_it():
    odd = Embedding([float("nan"), float("inf")])

    assert odd == pickle.loads(pickle.dumps(odd))
    assert hash(odd) == hash(pickle.loads(pickle.dumps(odd)))


def test_a_vector_equals_the_list_of_its_numbers():
    assert VECTOR == [1.0, 2.0, 3.0]
    assert VECTOR != [1.0]
    assert VECTOR != "123"


@pytest.mark.parametrize("name", ["metadata", "other"])
def test_a_vector_cannot_be_changed(name):
    with pytest.raises(AttributeError):
        setattr(VECTOR, name, None)
    with pytest.raises(TypeError):
        VECTOR[0] = 5.0


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_vector_can_be_pickled(protocol):
    restored = pickle.loads(pickle.dumps(VECTOR, protocol))

    assert restored == VECTOR
    assert restored.metadata == METADATA


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_vector_can_be_copied(copied):
    assert copied(VECTOR) == VECTOR


def test_a_list_of_plain_floats_is_for_json():
    assert VECTOR.tolist() == [1.0, 2.0, 3.0]
    assert type(VECTOR.tolist()) is list


@pytest.mark.parametrize(
    "vector, shown",
    [(VECTOR, "<Embedding of 3: 1, 2, 3>"), (Embedding(range(9)), "<Embedding of 9: 0, 1, 2, …>")],
)
def test_the_repr_is_short(vector, shown):
    assert repr(vector) == shown


def test_a_vector_can_be_told_anew_what_is_known_of_it():
    described = Embedding([1.0]).described(METADATA)

    assert described == [1.0]
    assert described.metadata is METADATA


def test_a_warning_is_added_to_a_new_vector():
    assert VECTOR.warned("w").metadata.warnings == ("w",)
    assert VECTOR.metadata.warnings == ()


def test_a_vector_of_which_nothing_is_known_takes_no_warning():
    assert Embedding([1.0]).warned("w").metadata is None


BATCH = Embeddings([VECTOR, Embedding([4.0], METADATA)], METADATA)


def test_a_batch_is_a_sequence_of_vectors():
    assert len(BATCH) == 2
    assert list(BATCH) == [VECTOR, Embedding([4.0])]
    assert BATCH[0] is VECTOR
    assert BATCH.tolist() == [[1.0, 2.0, 3.0], [4.0]]
    assert BATCH.usage == Usage(input_tokens=1)


def test_a_slice_of_a_batch_is_a_batch():
    assert BATCH[1:] == Embeddings([Embedding([4.0])], METADATA)
    assert BATCH[1:].metadata is METADATA


def test_batches_are_values():
    assert Embeddings(list(BATCH), METADATA) == BATCH
    assert hash(Embeddings(list(BATCH), METADATA)) == hash(BATCH)
    assert BATCH != [VECTOR]


def test_a_batch_cannot_be_changed():
    with pytest.raises(AttributeError):
        BATCH.metadata = None


def test_a_batch_can_be_pickled():
    restored = pickle.loads(pickle.dumps(BATCH))

    assert restored == BATCH
    assert restored.metadata == METADATA


def test_a_batch_shows_its_space():
    assert repr(BATCH) == f"<Embeddings: 2 of {METADATA.space}>"


def test_a_warning_is_added_to_a_new_batch():
    assert BATCH.warned("w").metadata.warnings == ("w",)
    assert BATCH.metadata.warnings == ()
