"""Every recording of a format that is read, decoded as its expectation says."""

import pytest

from fairlead.core.errors import (
    AuthenticationError,
    ContentFilteredError,
    ContextLengthExceededError,
    InvalidRequestError,
    InvalidResponseError,
    ModelNotFoundError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from fairlead.core.requests import EmbedRequest
from tests.support.recorded import CODECS, TRAFFIC, Record, differences, plain, records, streamed

SEED = 20_261_121
EMBEDDING_APIS = tuple(api for api in CODECS if "embed" in api)
CHAT_APIS = tuple(api for api in CODECS if api not in EMBEDDING_APIS)
CHATS = [record for record in records(*CHAT_APIS) if record.response.status < 400]
PLAIN = [record for record in CHATS if not record.stream]
STREAMS = [record for record in CHATS if record.stream]
ERRORS = [record for record in records(*CODECS) if record.response.status >= 400]
EMBEDDINGS = [record for record in records(*EMBEDDING_APIS) if record.response.status < 400]

STATUSES = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: ModelNotFoundError,
    429: RateLimitError,
    500: ServerError,
    502: ServerError,
}
KINDS = {
    "content_filter": ContentFilteredError,
    "context_length_exceeded": ContextLengthExceededError,
    "exceed_context_size_error": ContextLengthExceededError,
    "insufficient_quota": QuotaExceededError,
}
UNLIKE_STATUS = {
    # A 403 for what was said, not for who says it: "Content violates usage guidelines". Taken for
    # a permission it would kill the key.
    "req_llm.openrouter.chat.x_ai_grok_3_mini_beta_reasoning_basic.1": ContentFilteredError,
}


WAITS = {
    # The headers say nothing, and the expectation reads no further; RetryInfo in the body does.
    "vercel-ai.gemini.generateContent.google-429-retry-info.1": 34.4,
}


def each(found: list[Record]) -> pytest.MarkDecorator:
    """A parameter per recording, or a skip that says which directory is missing."""
    missing = pytest.param(
        None,
        id="no recordings",
        marks=pytest.mark.skip(reason=f"there is no recorded traffic in {TRAFFIC.name}/"),
    )
    return pytest.mark.parametrize("record", found or [missing], ids=str)


def expected_error(record: Record) -> type[ProviderError]:
    told = record.expected.get("error") or record.expected.get("stream_error")
    if told is None:
        return InvalidResponseError
    if record.name in UNLIKE_STATUS:
        return UNLIKE_STATUS[record.name]
    for name in (told["code"], told["type"]):
        if name in KINDS:
            return KINDS[name]
    status = record.response.status
    if status < 400:
        status = next(each for each in (told["status"], told["code"], 400) if isinstance(each, int))
    return STATUSES[status]


def test_the_recordings_are_read():
    if not TRAFFIC.is_dir():
        pytest.skip(f"there is no recorded traffic in {TRAFFIC.name}/")

    assert PLAIN
    assert STREAMS
    assert ERRORS
    assert EMBEDDINGS


@each(PLAIN)
def test_plain_answer(record):
    if not record.succeeds:
        with pytest.raises(expected_error(record)):
            plain(record.codec(), record.response)
        return

    generation = plain(record.codec(), record.response)

    assert not differences(generation, record.expected)


@each(STREAMS)
def test_streamed_answer_however_it_is_cut(record):
    for pieces in record.cuts(SEED):
        generation, error = streamed(record.codec(), pieces)

        if record.succeeds:
            assert error is None
            assert not differences(generation, record.expected)
        else:
            assert type(error) is expected_error(record)
            # What came before the error is told; the end, and with it usage, is not.
            found = differences(generation, record.expected)
            assert not found.keys() - {"usage", "finish_reason"}


@each(ERRORS)
def test_error(record):
    error = record.codec().decode_error(record.response)
    told = record.expected["error"]

    assert isinstance(error, expected_error(record))
    assert error.status_code == record.expected["status"]
    assert error.retry_after == WAITS.get(record.name, record.expected["retry_after"])
    assert error.message.startswith(told["message"][:20])
    if isinstance(error, ContextLengthExceededError):
        assert (error.limit, error.requested) in {(512, 6006), (1024, 6003)}


@each(EMBEDDINGS)
def test_embeddings(record):
    expected = record.expected["embeddings"]
    request = EmbedRequest(texts=("text",) * expected["count"], model="model")
    if isinstance(expected["first3"][0][0], list):
        with pytest.raises(InvalidResponseError, match="per token"):
            record.codec().decode_embed(record.response, request)
        return

    decoded = record.codec().decode_embed(record.response, request)

    assert [len(vector) for vector in decoded.vectors] == expected["dims"]
    for vector, first, last in zip(
        decoded.vectors, expected["first3"], expected["last"], strict=True
    ):
        assert vector[:3].tolist() == pytest.approx(first)
        assert vector[-1] == pytest.approx(last)
    assert decoded.model == record.expected["model"]
    # The expectation knows no usageMetadata of embeddings.
    google = {"input": 4, "total": None} if record.provider == "gemini" else None
    told = record.expected["usage"] or google
    assert (decoded.usage is None) == (told is None)
    if told is not None:
        assert decoded.usage.input_tokens == told["input"]
        assert decoded.usage.total_tokens == told["total"]
