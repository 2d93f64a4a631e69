"""Embeddings, asked for and answered."""

import json

import pytest

from fairlead.core.errors import (
    InvalidRequestError,
    InvalidResponseError,
    PromptTruncatedError,
    ServerError,
    UnsupportedOperationError,
)
from fairlead.core.requests import EmbedRequest
from fairlead.wire.gemini import GEMINI, VERTEX, GeminiCodec
from tests.support.gemini import response

GECKO = "text-embedding-005"


def asked(*texts, dialect=GEMINI, model="gemini-embedding-2", **options):
    request = EmbedRequest(texts=texts, model=model, **options)
    told = GeminiCodec(dialect).encode_embed(request)
    assert not told.warnings
    return told.path, json.loads(told.body)


def decoded(told, *texts):
    request = EmbedRequest(texts=texts or ("a", "b"), model="m")
    return GeminiCodec().decode_embed(response(told), request)


def test_one_text():
    assert asked("a") == (
        "/models/gemini-embedding-2:embedContent",
        {"content": {"parts": [{"text": "a"}]}},
    )


def test_several_texts():
    path, told = asked("a", "b", dimensions=3, input_type="query", extra={"title": "T"})
    more = {"taskType": "RETRIEVAL_QUERY", "outputDimensionality": 3, "title": "T"}

    assert path == "/models/gemini-embedding-2:batchEmbedContents"
    assert told == {
        "requests": [
            {"model": "models/gemini-embedding-2", "content": {"parts": [{"text": text}]}, **more}
            for text in "ab"
        ]
    }


@pytest.mark.parametrize(
    ("kind", "task"),
    [("Document", "RETRIEVAL_DOCUMENT"), ("semantic_similarity", "SEMANTIC_SIMILARITY")],
)
def test_input_type(kind, task):
    assert asked("a", input_type=kind)[1]["taskType"] == task


@pytest.mark.parametrize("model", [GECKO, "gemini-embedding-001"])
def test_vertex_predicts(model):
    path, told = asked("a", "b", dialect=VERTEX, model=model, dimensions=3, input_type="query")

    assert path == f"/publishers/google/models/{model}:predict"
    assert told == {
        "instances": [{"content": text, "task_type": "RETRIEVAL_QUERY"} for text in "ab"],
        "parameters": {"autoTruncate": False, "outputDimensionality": 3},
    }
    assert asked("a", dialect=VERTEX, model=model)[1]["instances"] == [{"content": "a"}]


def test_cutting_may_be_asked_for():
    _, told = asked("a", dialect=VERTEX, model=GECKO, extra={"autoTruncate": True})

    assert told["parameters"] == {"autoTruncate": True}


def test_a_newer_model_takes_one_text_at_a_time_on_vertex():
    assert (
        asked("a", dialect=VERTEX)[0] == "/publishers/google/models/gemini-embedding-2:embedContent"
    )
    with pytest.raises(UnsupportedOperationError, match="one text at a time on Vertex AI, not 2"):
        asked("a", "b", dialect=VERTEX)


def test_extra_overrules_nothing():
    with pytest.raises(InvalidRequestError, match="use dimensions="):
        asked("a", extra={"outputDimensionality": 3})


def test_vectors():
    usage = {"promptTokenCount": 4, "promptTokenDetails": [{"modality": "AUDIO", "tokenCount": 1}]}
    told = decoded(
        {"embeddings": [{"values": [1, 0.5]}, {"values": [0, 2]}], "usageMetadata": usage}
    )

    assert [vector.tolist() for vector in told.vectors] == [[1, 0.5], [0, 2]]
    assert told.usage.input_tokens == 4
    assert told.usage.apart == {"input_audio": 1}


def test_one_vector():
    told = decoded({"embedding": {"values": [1]}}, "a")

    assert told.vectors[0].tolist() == [1]
    assert told.usage is None


def test_predictions():
    def one(value, **statistics):
        return {"embeddings": {"values": [value], "statistics": statistics}}

    told = decoded({"predictions": [one(1, token_count=3), one(2, tokenCount=4)]})

    assert [vector.tolist() for vector in told.vectors] == [[1], [2]]
    assert told.usage.input_tokens == 7
    assert decoded({"predictions": [one(1, token_count=3), one(2)]}).usage is None


@pytest.mark.parametrize(
    "told",
    [
        {"predictions": [{"embeddings": {"values": [1], "statistics": {"truncated": True}}}]},
        {"embedding": {"values": [1]}, "truncated": True},
    ],
)
def test_a_text_that_was_cut(told):
    with pytest.raises(PromptTruncatedError, match="embedded its beginning alone"):
        decoded(told, "a")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"embeddings": [{"values": [1]}]}, "1 vectors for 2 texts"),
        ({}, "0 vectors for 2 texts"),
        ({"embeddings": [{"values": [1]}, {"values": [1, 2]}]}, "different sizes"),
        ({"embeddings": [{"values": []}, {"values": [1]}]}, "not a vector"),
        ({"embeddings": [{"values": ["x"]}, {"values": [1]}]}, "not a vector"),
        (b"so", "expected embeddings"),
    ],
)
def test_what_is_not_one_vector_for_each_text(told, words):
    with pytest.raises(InvalidResponseError, match=words):
        decoded(told)


def test_an_error_instead():
    with pytest.raises(ServerError, match="no"):
        decoded({"error": {"code": 500, "message": "no"}})
