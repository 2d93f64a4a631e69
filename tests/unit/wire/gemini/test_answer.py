"""Answers, whole and streamed."""

import json

import pytest

from fairlead.core.errors import (
    InvalidResponseError,
    ModelNotFoundError,
    RateLimitError,
    ResponseTooLargeError,
    ServerError,
)
from fairlead.core.messages import Reasoning
from fairlead.core.results import FinishReason
from fairlead.wire.gemini import GEMINI, GeminiStreamDecoder
from tests.support.gemini import answer, chunk, events_of, failed, generation, plain, sse, streamed

SERVER_TOOL = {"executableCode": {"language": "PYTHON", "code": "1+1"}, "thoughtSignature": "s"}


def test_words():
    told = plain(answer({"text": "Hold "}, {"text": "the line."}))

    assert told == "Hold the line."
    assert told.model == "tiny"
    assert told.metadata.response_id == "r-1"
    assert told.finish_reason is FinishReason.STOP
    assert told.metadata.finish_reason_raw == "STOP"


def test_thoughts():
    told = plain(
        answer({"text": "Hm.", "thought": True}, {"text": "", "thought": True}, {"text": "Yes."})
    )

    assert told == "Yes."
    assert told.reasoning == "Hm."


def test_calls_without_ids_get_ids():
    told = plain(
        answer(
            {"functionCall": {"name": "tide", "args": {"at": "Wick", "n": 1}}},
            {"functionCall": {"name": "wind"}},
            {"functionCall": {"id": "x", "name": "sun", "args": {}}},
        )
    )

    assert [(call.id, call.name, call.arguments) for call in told.tool_calls] == [
        ("call_0", "tide", '{"at": "Wick", "n": 1}'),
        ("call_1", "wind", "{}"),
        ("x", "sun", "{}"),
    ]
    assert told.finish_reason is FinishReason.TOOL_CALLS
    assert told.metadata.finish_reason_raw == "STOP"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("RECITATION", FinishReason.CONTENT_FILTER),
        ("MODEL_ARMOR", FinishReason.CONTENT_FILTER),
        ("UNEXPECTED_TOOL_CALL", FinishReason.ERROR),
        ("MALFORMED_FUNCTION_CALL", FinishReason.ERROR),
        ("CONTINUATION", FinishReason.PAUSE),
        ("FINISH_REASON_UNSPECIFIED", FinishReason.UNKNOWN),
        ("NEVER_SEEN", FinishReason.UNKNOWN),
    ],
)
def test_finish_reasons(word, reason):
    told = plain(answer({"text": "So"}, finish=word))

    assert told.finish_reason is reason
    assert told.metadata.finish_reason_raw == word


def test_a_call_that_was_not_expected_is_an_error_all_the_same():
    told = plain(answer({"functionCall": {"name": "x"}}, finish="UNEXPECTED_TOOL_CALL"))

    assert told.finish_reason is FinishReason.ERROR


BLOCKED = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": "tiny"}


def test_a_blocked_prompt_is_an_answer_that_was_filtered():
    for told in (plain(BLOCKED), streamed(BLOCKED), plain({**BLOCKED, "candidates": []})):
        assert told == ""
        assert told.finish_reason is FinishReason.CONTENT_FILTER
        assert told.metadata.finish_reason_raw == "PROHIBITED_CONTENT"
        assert told.metadata.details["prompt_feedback"] == BLOCKED["promptFeedback"]


def test_a_block_reason_that_says_other_is_a_block():
    told = plain({"promptFeedback": {"blockReason": "OTHER"}})

    assert told.finish_reason is FinishReason.CONTENT_FILTER


def test_a_candidate_says_more_than_the_feedback():
    told = plain({**answer({"text": "So"}), **BLOCKED})
    later = streamed(BLOCKED, answer({"text": "So"}))

    assert told.finish_reason is later.finish_reason is FinishReason.STOP


def test_ratings_of_the_prompt_are_no_end():
    with pytest.raises(InvalidResponseError):
        plain({"promptFeedback": {"safetyRatings": [{}]}})


@pytest.mark.parametrize("candidate", [{"content": {}}, {"content": {"role": "model"}}, {"x": 1}])
def test_a_candidate_without_words(candidate):
    told = plain({"candidates": [{**candidate, "finishReason": "MAX_TOKENS"}]})

    assert told == ""
    assert told.finish_reason is FinishReason.LENGTH


def test_the_first_of_several_candidates():
    other = {"content": {"parts": [{"text": "B"}]}, "index": 1, "finishReason": "SAFETY"}
    told = answer({"text": "A"})
    told["candidates"].insert(0, other)

    assert plain(told) == "A"
    assert plain(told).finish_reason is FinishReason.STOP


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (chunk({"text": "So"}), "neither a finishReason nor a blockReason"),
        ({"usageMetadata": {"promptTokenCount": 1}}, "expected an answer of generateContent"),
        ([], "expected an answer of generateContent"),
        (b"", "got an empty body"),
        (b"3", "expected an answer of generateContent"),
    ],
)
def test_what_is_no_whole_answer(body, words):
    with pytest.raises(InvalidResponseError, match=words) as caught:
        plain(body)

    assert not caught.value.verdict.misconfigured


@pytest.mark.parametrize("headers", [{}, {"content_type": "text/html"}])
def test_a_page(headers):
    body = b"hello" if headers else b"<html><title>Login</title>"
    with pytest.raises(InvalidResponseError, match="check the base URL") as caught:
        plain(body, **headers)

    assert caught.value.verdict.misconfigured


ERROR = {"error": {"code": 404, "message": "models/x is not found", "status": "NOT_FOUND"}}


@pytest.mark.parametrize("body", [ERROR, [ERROR], [chunk({"text": "So"}), ERROR]])
def test_an_error_inside_a_successful_response(body):
    with pytest.raises(ModelNotFoundError, match="models/x is not found"):
        plain(body)


def test_a_server_that_streams_unasked():
    assert plain(sse(chunk({"text": "Hold "}), answer({"text": "it."}))) == "Hold it."
    with pytest.raises(InvalidResponseError):
        plain(sse(chunk({"text": "Hold "})))


def test_what_google_s_own_tools_did_is_told_and_kept():
    result = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}}
    told = streamed(chunk(SERVER_TOOL), chunk(result), answer({"text": "2"}))

    assert told == "2"
    assert told.metadata.details["server_tools"] == [
        {"executableCode": SERVER_TOOL["executableCode"]},
        result,
    ]
    assert [part.opaque for part in told.metadata.parts if isinstance(part, Reasoning)] == [
        SERVER_TOOL,
        result,
    ]


def test_parts_that_nobody_has_seen_yet_are_kept():
    told = plain(answer({"somethingNew": 1}, {}, {"inlineData": {}}, {"text": "So"}))

    assert told == "So"
    assert told.metadata.parts[0].opaque == {"somethingNew": 1}
    assert "unknown type" in told.warnings[0]


def test_details():
    candidate = {
        "finishMessage": "done",
        "citationMetadata": {"citationSources": [1]},
        "groundingMetadata": {"webSearchQueries": ["x"]},
        "safetyRatings": [],
        "urlContextMetadata": {"x": "y" * 40_000},
    }
    usage = {"serviceTier": "priority", "trafficType": "ON_DEMAND"}
    told = plain(answer({"text": "So"}, candidate=candidate, usageMetadata=usage))

    assert told.metadata.details == {
        "finish_message": "done",
        "citations": {"citationSources": [1]},
        "grounding": {"webSearchQueries": ["x"]},
        "service_tier": "priority",
        "traffic_type": "ON_DEMAND",
    }


def test_logprobs():
    result = {
        "chosenCandidates": [{"token": "S", "logProbability": -0.1}, {"token": "o"}],
        "topCandidates": [{"candidates": [{"token": "S", "logProbability": -0.1}]}],
    }
    told = plain(answer({"text": "So"}, candidate={"logprobsResult": result}))

    assert told.metadata.logprobs == (
        {
            "token": "S",
            "logprob": -0.1,
            "top_logprobs": [{"token": "S", "logprob": -0.1}],
        },
        {"token": "o", "logprob": None, "top_logprobs": []},
    )


def test_a_stream():
    told = streamed(
        chunk({"text": "Hold "}, usageMetadata={"promptTokenCount": 5}),
        answer({"text": "it."}, usageMetadata={"promptTokenCount": 5, "candidatesTokenCount": 2}),
    )

    assert told == "Hold it."
    assert (told.usage.input_tokens, told.usage.output_tokens) == (5, 2)


def test_facts_may_follow_the_end():
    told = streamed(
        answer({"text": "So"}, usageMetadata={"promptTokenCount": 5}),
        chunk({"text": "", "thoughtSignature": "s"}),
        {"candidates": [{"groundingMetadata": {"x": 1}}]},
    )

    assert told.finish_reason is FinishReason.STOP
    assert told.usage.input_tokens == 5
    assert told.metadata.parts[-1].opaque["thoughtSignature"] == "s"
    assert told.metadata.details["grounding"] == {"x": 1}


def test_an_answer_s_name_may_come_late():
    first = {"candidates": [{"content": {"parts": [{"text": "A"}]}}]}
    told = streamed(first, {"responseId": "r"}, answer({"text": "B"}))

    assert (told.metadata.response_id, told.model) == ("r", "tiny")


@pytest.mark.parametrize("size", [1, 7, None])
def test_one_list_in_pieces(size):
    body = b'[{"candidates": [{"content": {"parts": [{"text": "a\\"}{\\\\"}]}}]}\n,\r\n'
    body += sse(answer({"text": "b"})).removeprefix(b"data: ") + b"]"
    events, error = events_of(body, size=size)

    assert error is None
    assert generation(events) == 'a"}{\\b'


@pytest.mark.parametrize("body", [b"[", b"[{", b'[{"candidates": [{"finishReason": "STOP"}]}, {"x'])
def test_a_list_that_is_cut(body):
    _, error = failed(body)

    assert isinstance(error, InvalidResponseError)
    assert "ended before the answer did" in str(error)


@pytest.mark.parametrize("size", [1, 3, None])
@pytest.mark.parametrize("gap", [b"", b"\r\n", b"\n"])
def test_an_error_that_nobody_framed(size, gap):
    raw = b'{\n  "error": {\n    "code": 503,\n    "message": "overloaded"\n  }\n}\n'
    events, error = events_of(sse(chunk({"text": "Hold "})) + gap + raw, size=size)

    assert generation(events) == "Hold "
    assert error.status_code == 503
    assert str(error).startswith("overloaded")


def test_an_error_event_wins_over_the_end():
    told, error = failed(answer({"text": "So"}), {"error": {"code": 429, "message": "slow"}})

    assert told == "So"
    assert isinstance(error, RateLimitError)


def test_what_comes_after_an_error_is_not_read():
    told, error = failed({"error": {"message": "x", "status": "INTERNAL"}}, answer({"text": "So"}))

    assert told == ""
    assert isinstance(error, ServerError)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "with an empty body"),
        (b"\r\n  \n", "with an empty body"),
        (sse(chunk({"text": "So"})), "no finishReason came"),
        (b'data: {"cut', "no finishReason came"),
        (b": comment\n\n", "no finishReason came"),
        (b"data: nonsense\n\n", "is not JSON"),
        (b"<html><title>Login</title>", "an HTML page titled 'Login'"),
        (b'{"x": 1}', "no finishReason came"),
    ],
)
def test_a_stream_without_its_end(body, words):
    _, error = failed(body)

    assert isinstance(error, InvalidResponseError)
    assert words in str(error)


def test_the_last_event_needs_no_blank_line():
    assert streamed(sse(answer({"text": "So"})).rstrip()) == "So"


def test_an_error_may_be_the_last_event_and_whole():
    _, error = failed(sse(ERROR).rstrip())

    assert isinstance(error, ModelNotFoundError)


def test_empty_events_are_none():
    assert streamed(b"data: \n\n", b"data: 3\n\n", answer({"text": "So"})) == "So"


@pytest.mark.parametrize("start", [b"data: ", b"[{", b"<html>", b"data: {}\r\n\r\n{"])
def test_what_is_kept_is_bounded(start):
    _, error = failed(start + b"x" * 200, max_event_bytes=100)

    assert isinstance(error, ResponseTooLargeError)


def test_what_stands_between_objects_is_passed_over():
    decoder = GeminiStreamDecoder(GEMINI)
    events = [*decoder.feed(b""), *decoder.feed(b'[}"a",')]
    events += decoder.feed(json.dumps(answer({"text": "So"})).encode())

    assert generation([*events, *decoder.finish()]) == "So"


def test_nothing_is_read_after_the_bound():
    _, error = failed(b"[{" + b"x" * 200 + b'},{"error": {}}', size=50, max_event_bytes=100)

    assert isinstance(error, ResponseTooLargeError)
