"""Embeddings, asked for and answered."""

import base64
import json
from array import array

import pytest

from fairlead.core.errors import (
    InvalidRequestError,
    InvalidResponseError,
    RateLimitError,
    UnsupportedOperationError,
)
from fairlead.core.requests import EmbedRequest, embed_request
from fairlead.wire.openai_chat import OPENAI, Dialect, OpenAIChatCodec
from tests.support.chat import SERVER, response

INT8 = Dialect(name="s", embeddings="int8")


def encoded(*texts, dialect=SERVER, **options):
    request, _ = embed_request(texts or ["a"], {"model": "m", **options})
    return OpenAIChatCodec(dialect).encode_embed(request)


def packed(*numbers):
    return base64.b64encode(array("f", numbers).tobytes()).decode()


def decode(data, count=None, dialect=SERVER, **more):
    entries = [{"index": index, "embedding": each} for index, each in enumerate(data)]
    return decode_body({"data": entries, **more}, count or len(data), dialect)


def decode_body(body, count=1, dialect=SERVER, **headers):
    request = EmbedRequest(texts=("x",) * count, model="m")
    return OpenAIChatCodec(dialect).decode_embed(response(body, **headers), request)


def test_texts_are_sent_and_nothing_else():
    sent = encoded("a", "b")

    assert sent.path == "/embeddings"
    assert json.loads(sent.body) == {"model": "m", "input": ["a", "b"]}


def test_openai_is_asked_for_base64():
    assert json.loads(encoded(dialect=OPENAI).body)["encoding_format"] == "base64"


def test_dimensions_are_sent():
    assert json.loads(encoded(dimensions=256).body)["dimensions"] == 256


def test_an_input_type_is_left_out_with_a_warning():
    sent = encoded(input_type="query")

    assert b"input_type" not in sent.body
    assert "input_type" in sent.warnings[0]


def test_under_strict_it_is_refused():
    with pytest.raises(UnsupportedOperationError):
        encoded(input_type="query", strict=True)


def test_an_input_type_is_sent_where_the_vendor_has_one():
    dialect = Dialect(name="s", fields={"input_type": "task"})

    assert json.loads(encoded(dialect=dialect, input_type="query").body)["task"] == "query"


def test_extra_is_merged_but_may_not_overrule():
    assert json.loads(encoded(extra={"user": "u"}).body)["user"] == "u"
    with pytest.raises(InvalidRequestError, match="dimensions="):
        encoded(extra={"dimensions": 5})


def test_lists_of_numbers():
    decoded = decode(
        [[0.5, 1.0], [2.0, 3.0]], model="m-1", usage={"prompt_tokens": 3, "total_tokens": 3}
    )

    assert [vector.tolist() for vector in decoded.vectors] == [[0.5, 1.0], [2.0, 3.0]]
    assert decoded.model == "m-1"
    assert decoded.usage.input_tokens == 3


def test_base64_is_32_bit_floats_even_if_nobody_asked_for_it():
    assert decode([packed(0.5, -1.0)]).vectors[0].tolist() == [0.5, -1.0]


def test_base64_of_8_bit_integers_where_the_vendor_has_them():
    told = base64.b64encode(bytes([246, 198, 0])).decode()

    assert decode([told], dialect=INT8).vectors[0].tolist() == [-10.0, -58.0, 0.0]


def test_vectors_are_put_in_the_order_of_the_texts():
    data = [{"index": 1, "embedding": [1.0]}, {"index": 0, "embedding": [0.0]}]
    decoded = decode_body({"data": data}, 2)

    assert [vector.tolist() for vector in decoded.vectors] == [[0.0], [1.0]]


def test_vectors_without_an_index_are_in_order():
    decoded = decode_body({"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]}, 2)

    assert [vector.tolist() for vector in decoded.vectors] == [[1.0], [2.0]]


@pytest.mark.parametrize("indexes", [[0, 0], [1, 2], [0, None], [[], 0], ["0", "1"]])
def test_indexes_that_are_not_those_of_the_texts_are_an_error(indexes):
    data = [{"index": index, "embedding": [1.0]} for index in indexes]

    with pytest.raises(InvalidResponseError, match="indexes"):
        decode_body({"data": data}, 2)


@pytest.mark.parametrize("count", [1, 3])
def test_another_number_of_vectors_than_texts_is_an_error(count):
    with pytest.raises(InvalidResponseError, match=f"2 vectors for {count} texts"):
        decode([[1.0], [2.0]], count)


@pytest.mark.parametrize("data", [[[1.0], [1.0, 2.0]], [[], []]])
def test_vectors_of_different_sizes_are_an_error(data):
    with pytest.raises(InvalidResponseError):
        decode(data)


def test_a_vector_per_token_is_an_error_that_says_so():
    with pytest.raises(InvalidResponseError, match="per token"):
        decode([[[1.0, 2.0], [3.0, 4.0]]])


@pytest.mark.parametrize("told", [None, 5, {}, ["a"], [None], "abc", "AAAA", "!!"])
def test_what_is_no_vector_is_an_error(told):
    with pytest.raises(InvalidResponseError, match="not a vector"):
        decode([told])


def test_an_error_inside_a_success():
    with pytest.raises(RateLimitError):
        decode_body({"error": {"message": "slow", "code": 429}})


def test_a_page_says_to_check_the_base_url():
    with pytest.raises(InvalidResponseError, match=r"expected embeddings.*base URL"):
        decode_body(b"<html></html>", content_type="text/html")
