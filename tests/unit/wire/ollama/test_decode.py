"""What is made of Ollama's answers. The bodies are written by hand."""

import json

import pytest

from fairlead.core.collector import Collector
from fairlead.core.errors import (
    ContextLengthExceededError,
    InvalidRequestError,
    InvalidResponseError,
    ModelNotFoundError,
    OverloadedError,
    ResponseTooLargeError,
    ServerError,
    UnsupportedOperationError,
)
from fairlead.core.requests import EmbedRequest, generate_request
from fairlead.core.results import FinishReason, Metadata
from fairlead.wire.http import WireResponse
from fairlead.wire.ollama import OllamaCodec, OllamaStreamDecoder

CODEC = OllamaCodec(4096)
DONE = {"done": True, "done_reason": "stop", "prompt_eval_count": 5, "eval_count": 2}


def line(said=None, **more):
    message = {"role": "assistant", "content": "", **(said or {})}
    return {"model": "tiny", "created_at": "now", "message": message, "done": False, **more}


def ndjson(*lines):
    return b"".join(
        each if isinstance(each, bytes) else json.dumps(each).encode() + b"\n" for each in lines
    )


def response(body, status=200, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WireResponse(status=status, headers=headers, body=data)


def read(body, size=None, **limits):
    decoder = OllamaStreamDecoder(**limits)
    step = size or max(len(body), 1)
    events = [e for at in range(0, len(body), step) for e in decoder.feed(body[at : at + step])]
    events += decoder.finish()
    return Collector(events).generation(Metadata(provider="p")), decoder.error


def streamed(*lines):
    told, error = read(ndjson(*lines))
    assert error is None
    assert read(ndjson(*lines), 1)[0].metadata == told.metadata
    return told


def failed(*lines):
    told, error = read(ndjson(*lines))
    assert type(read(ndjson(*lines), 1)[1]) is type(error)
    return told, error


def test_words():
    told = streamed(line({"content": "Hel"}), line({"content": "lo."}), line(**DONE))

    assert told == "Hello."
    assert told.model == "tiny"
    assert told.finish_reason is FinishReason.STOP
    assert (told.usage.input_tokens, told.usage.output_tokens) == (5, 2)
    assert told.usage.raw == {"prompt_eval_count": 5, "eval_count": 2}


def test_a_plain_answer_is_one_line():
    body = json.dumps(line({"content": "Hello."}, **DONE), indent=None).encode()
    told = Collector(CODEC.decode_generate(response(body))).generation(Metadata(provider="p"))

    assert told == "Hello."


def test_u2028_is_no_end_of_a_line():
    assert (
        streamed(
            json.dumps(line({"content": "a\u2028b\x85c"}), ensure_ascii=False).encode() + b"\r\n",
            b"\n",
            line(**DONE),
        )
        == "a\u2028b\x85c"
    )


def test_the_last_line_feed_is_not_insisted_on():
    told, error = read(ndjson(line({"content": "Hi"})) + json.dumps(line(**DONE)).encode())

    assert (told, error) == ("Hi", None)


def test_thoughts_are_given_back():
    told = streamed(
        line({"thinking": "H"}), line({"thinking": "m"}), line({"content": "Yes."}), line(**DONE)
    )
    request, _ = generate_request(["?", told, "!"], {"model": "m"})
    sent = json.loads(CODEC.encode_generate(request, stream=False).body)

    assert told.reasoning == "Hm"
    assert sent["messages"][1] == {"role": "assistant", "content": "Yes.", "thinking": "Hm"}


def test_thoughts_alone_are_closed_by_the_end():
    told = streamed(line({"thinking": "Hm"}), line(**DONE | {"done_reason": "length"}))

    assert told.reasoning == "Hm"
    assert told.finish_reason is FinishReason.LENGTH


def call(name, arguments, **more):
    return {"function": {"name": name, "arguments": arguments}, **more}


def test_quirk_25_calls_that_end_with_stop():
    told = streamed(
        line({"thinking": "Hm"}),
        line({"tool_calls": [call("tide", {"harbour": "Whitby"})]}),
        line({"tool_calls": [call("wind", '{"a": 1}', id="call_x"), {}, call("rain", None)]}),
        line(**DONE),
    )

    assert [(each.id, each.name, each.arguments) for each in told.tool_calls] == [
        ("call_0", "tide", '{"harbour":"Whitby"}'),
        ("call_x", "wind", '{"a": 1}'),
        ("call_2", "rain", ""),
    ]
    assert told.finish_reason is FinishReason.TOOL_CALLS
    assert told.metadata.finish_reason_raw == "stop"


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("", FinishReason.ERROR),
        ("load", FinishReason.UNKNOWN),
        (None, FinishReason.UNKNOWN),
        (5, FinishReason.UNKNOWN),
    ],
)
def test_finish_reasons(reason, kind):
    assert streamed(line(**DONE | {"done_reason": reason})).finish_reason is kind


@pytest.mark.parametrize("counted", [{}, {"prompt_eval_count": 0}])
def test_quirk_40_the_prompt_is_not_counted_if_it_was_cached(counted):
    end = line(done=True, done_reason="stop", eval_count=2, **counted)
    told = streamed(line({"content": "x"}), end)

    assert told.usage.input_tokens is None
    assert told.usage.output_tokens == 2


def test_no_counts_are_no_usage():
    assert streamed(line({"content": "x"}), line(done=True)).usage is None


def test_logprobs():
    entry = {"token": "x", "logprob": -0.1}
    told = streamed(line({"content": "x"}, logprobs=[entry]), line(**DONE))

    assert told.metadata.logprobs == (entry,)


def test_a_completion_says_the_same_at_the_top():
    assert streamed({"model": "m", "response": "Hi"}, {"response": "", **DONE}) == "Hi"


def test_what_comes_after_the_end_is_ignored():
    assert streamed(line({"content": "x"}), line(**DONE), line({"content": "y"})) == "x"
    decoder = OllamaStreamDecoder()
    decoder.feed(ndjson(line(**DONE)))

    assert decoder.ended
    assert decoder.feed(b"{}") == decoder.finish() == ()


def test_a_stream_that_is_cut():
    told, error = failed(line({"content": "Half"}))

    assert told == "Half"
    assert type(error) is InvalidResponseError
    assert "before the answer did" in error.message


def test_an_empty_body():
    assert "empty body" in failed(b"\n")[1].message


def test_an_error_in_the_stream_wins():
    told, error = failed(line({"content": "Half"}), {"error": "llama runner terminated"})

    assert told == "Half"
    assert type(error) is ServerError
    assert error.message == "llama runner terminated"


def test_an_error_beside_done_wins():
    assert type(failed(line(**DONE, error="an error was met"))[1]) is ServerError


def test_lines_that_are_no_objects():
    assert "no JSON object" in failed(line({"content": "x"}), b"oops\n")[1].message
    assert "check the base URL" in failed(b"<html>It works!</html>\n")[1].message
    assert type(failed(b"[1]\n")[1]) is InvalidResponseError


def test_a_line_that_is_too_large():
    body = ndjson(line({"content": "x" * 200}), line(**DONE))
    for size in (None, 1, 150):
        _, error = read(body, size, max_line_bytes=100)
        assert type(error) is ResponseTooLargeError


def test_what_was_whole_before_a_line_that_is_too_large_is_told():
    body = ndjson(line({"content": "x"}), line(**DONE)) + b"y" * 1000

    assert read(body, max_line_bytes=200)[1] is None


def test_an_error_instead_of_an_answer():
    with pytest.raises(ServerError, match="boom"):
        CODEC.decode_generate(response({"error": "boom"}))


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "the input length exceeds the context length", ContextLengthExceededError),
        (400, "invalid think value", InvalidRequestError),
        (400, "registry.ollama.ai/library/m does not support tools", UnsupportedOperationError),
        (400, '"m" does not support thinking', UnsupportedOperationError),
        (404, "model 'm' not found", ModelNotFoundError),
        (500, "llama runner process has terminated", ServerError),
        (
            503,
            "server busy, please try again. maximum pending requests exceeded",
            OverloadedError,
        ),
    ],
)
def test_errors(status, message, kind):
    error = CODEC.decode_error(response({"error": message}, status))

    assert type(error) is kind
    assert (error.message, error.status_code) == (message, status)


def test_an_error_that_is_a_page():
    error = CODEC.decode_error(response(b"<html>Bad gateway</html>", 502))

    assert "HTTP 502" in error.message


def embed(body, *texts):
    request = EmbedRequest(texts=texts or ("a",), model="m")
    return CODEC.decode_embed(response(body), request)


def test_vectors():
    told = embed(
        {"model": "m", "embeddings": [[1, 0.5], [0, -1]], "prompt_eval_count": 4}, "a", "b"
    )

    assert [vector.tolist() for vector in told.vectors] == [[1, 0.5], [0, -1]]
    assert told.model == "m"
    assert told.usage.input_tokens == 4


def test_one_vector_of_an_old_server():
    assert embed({"embedding": [1, 2]}).vectors[0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"embeddings": [[1]]}, "1 vectors for 2 texts"),
        ({"embeddings": [[1], [1, 2]]}, "different sizes"),
        ({"embeddings": [[1], ["x"]]}, "not a vector"),
        ({"embeddings": [[1], []]}, "not a vector"),
        (b"<html></html>", "check the base URL"),
    ],
)
def test_what_is_not_a_vector_for_each_text(body, said):
    with pytest.raises(InvalidResponseError, match=said):
        embed(body, "a", "b")


def test_an_error_instead_of_vectors():
    with pytest.raises(ContextLengthExceededError):
        embed({"error": "the input length exceeds the context length"})
