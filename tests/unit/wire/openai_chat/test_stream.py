"""A streamed answer: bytes in, events out."""

import json

import pytest

from fairlead.core.errors import (
    InvalidResponseError,
    OverloadedError,
    RateLimitError,
    ResponseTooLargeError,
    ServerError,
)
from fairlead.core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from fairlead.core.results import FinishReason
from fairlead.wire.openai_chat import ChatStreamDecoder, Dialect
from tests.support.chat import DONE, SERVER, answer, chunk, events_of, failed, sse, streamed


def calls(*told):
    return {"tool_calls": list(told)}


def call(index=None, id_=None, name=None, arguments=None):
    function = {"name": name, "arguments": arguments}
    told = {"index": index, "id": id_, "function": function}
    function = {key: value for key, value in function.items() if value is not None}
    return {key: value for key, value in told.items() if value is not None} | {"function": function}


def test_a_stream_becomes_events():
    body = sse(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        chunk(finish_reason="stop"),
        DONE,
    )

    events, error = events_of(body)

    assert error is None
    assert events == [
        StreamStart("chat-1", "tiny"),
        TextDelta("Hel"),
        TextDelta("lo"),
        StreamEnd(FinishReason.STOP, "stop"),
    ]


def test_events_come_as_soon_as_their_bytes_do():
    decoder = ChatStreamDecoder(SERVER)
    decoder.feed(sse(chunk({"role": "assistant"})))

    assert decoder.feed(sse(chunk({"content": "Hi"}))) == [TextDelta("Hi")]


def test_the_end_waits_for_done_because_usage_comes_after_the_finish_reason():
    decoder = ChatStreamDecoder(SERVER)
    decoder.feed(sse(chunk({"content": "Hi"}, finish_reason="stop")))
    assert not decoder.ended
    decoder.feed(sse({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}))

    (end,) = decoder.feed(DONE)

    assert end.usage.output_tokens == 2
    assert decoder.ended


def test_what_comes_after_the_end_is_ignored():
    decoder = ChatStreamDecoder(SERVER)
    body = sse(chunk({"content": "Hi"}, finish_reason="stop"), DONE, chunk({"content": "more"}))

    assert decoder.feed(body)[-1] == StreamEnd(FinishReason.STOP, "stop")
    assert list(decoder.feed(sse({"error": "too late"}))) == []
    assert list(decoder.finish()) == []
    assert decoder.error is None


def test_a_finish_reason_without_done_is_an_end():
    assert streamed(chunk({"content": "Hi"}, finish_reason="stop")).finish_reason == "stop"


def test_done_without_a_finish_reason_is_an_end():
    generation = streamed(chunk({"content": "Hi"}), DONE)

    assert generation == "Hi"
    assert generation.finish_reason is FinishReason.UNKNOWN


def test_done_may_be_padded():
    assert streamed(chunk({"content": "Hi"}), b"data: [DONE] \n\n") == "Hi"


def test_an_empty_answer_that_ends_properly_is_a_success():
    assert streamed(chunk(finish_reason="stop"), DONE) == ""


def test_neither_is_an_error():
    generation, error = failed(chunk({"content": "Hi"}))

    assert generation == "Hi"
    assert isinstance(error, InvalidResponseError)
    assert "ended before" in error.message


def test_a_chunk_cut_by_the_end_is_the_same_error():
    _, error = failed(chunk({"content": "Hi"}), b'data: {"choices": [{"de')

    assert "ended before" in error.message


def test_a_chunk_cut_after_the_finish_reason_does_no_harm():
    assert (
        streamed(chunk({"content": "Hi"}, finish_reason="stop"), b'data: {"usage": {"pro') == "Hi"
    )


@pytest.mark.parametrize("body", [b"", b"\n\n", b"\xef\xbb\xbf", b"\r\n \n"])
def test_an_empty_body_is_an_error(body):
    events, error = events_of(body)

    assert list(events) == []
    assert isinstance(error, InvalidResponseError)
    assert "empty" in error.message


def test_a_body_of_comments_is_an_error():
    _, error = failed(b": ping\n\n: ping\n\n")

    assert isinstance(error, InvalidResponseError)


def test_a_chunk_that_is_not_json_is_an_error():
    generation, error = failed(chunk({"content": "Hi"}), b"data: {oops}\n\n", DONE)

    assert generation == "Hi"
    assert isinstance(error, InvalidResponseError)
    assert "not JSON" in error.message


@pytest.mark.parametrize(
    "garbage",
    [
        b"data: 1\n\n",
        b'data: "text"\n\n',
        b"data: null\n\n",
        b"data: []\n\n",
        b"data: {}\n\n",
        b"data:\n\n",
        b'data: {"choices": 1}\n\n',
        b'data: {"choices": [1]}\n\n',
        b'data: {"choices": ["x"]}\n\n',
        b'data: {"choices": [{"delta": 1}]}\n\n',
        b'data: {"choices": [{"delta": {"content": 1}}]}\n\n',
        b'data: {"choices": [{"delta": {"tool_calls": [1]}}]}\n\n',
        b'data: {"type": "ping"}\n\n',
        b"event: ping\ndata: hello\n\n",
    ],
)
def test_garbage_that_is_no_content_is_skipped(garbage):
    events, error = events_of(
        sse(chunk({"content": "a"}), garbage, chunk({"content": "b"}), garbage, DONE)
    )

    assert error is None
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["a", "b"]


def test_a_chunk_with_half_a_surrogate_pair_is_survived():
    body = sse(chunk({"content": "a"}), b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n')

    assert [event.text for event in events_of(body + DONE)[0][1:-1]] == ["a", "\ufffd"]


def test_of_several_choices_the_first_is_read():
    other = {"index": 1, "delta": {"content": "B"}, "finish_reason": "length"}
    both = chunk({"content": "A"})
    both["choices"].insert(0, other)

    generation = streamed(
        both, {**chunk(), "choices": [other]}, chunk({"content": "a"}, finish_reason="stop"), DONE
    )

    assert generation == "Aa"
    assert generation.metadata.finish_reason_raw == "stop"


def test_facts_about_the_answer_may_come_later():
    generation = streamed(
        {"id": "", "model": "", "choices": []},
        {**chunk({"content": "a"}), "id": "x", "model": ""},
        {**chunk({"content": "b"}), "id": "y", "model": "m"},
        DONE,
    )

    assert (generation.metadata.response_id, generation.model) == ("x", "m")


def test_words_of_every_chunk_come_though_it_repeats_the_role():
    generation = streamed(*[chunk({"role": "assistant", "content": char}) for char in "abc"], DONE)

    assert generation == "abc"


# --- errors


def test_an_error_in_the_stream_is_raised_as_what_it_is():
    generation, error = failed(
        chunk({"content": "a"}), {"error": {"message": "busy", "code": "server_is_overloaded"}}
    )

    assert generation == "a"
    assert isinstance(error, OverloadedError)


def test_nothing_comes_after_an_error():
    generation, _ = failed(
        chunk({"content": "a"}), {"error": {"message": "x"}}, chunk({"content": "b"}), DONE
    )

    assert generation == "a"


@pytest.mark.parametrize("told", [None, {}, "", False])
def test_an_error_that_is_none_is_no_error(told):
    assert streamed({**chunk({"content": "a"}), "error": told}, DONE) == "a"


def test_an_event_named_error_is_one_whatever_it_says():
    _, error = failed(b'event: error\ndata: {"message": "x", "status_code": 429}\n\n')
    _, other = failed(b"event: error\ndata: upstream died\n\n")

    assert isinstance(error, RateLimitError)
    assert isinstance(other, ServerError)
    assert other.message == "upstream died"


def test_an_error_in_a_choice_is_one():
    _, error = failed(chunk({"content": ""}, choice={"error": {"code": 502, "message": "died"}}))

    assert isinstance(error, ServerError)
    assert error.status_code == 502


def test_an_error_in_a_list_is_one():
    _, error = failed(b'data: [{"error": {"code": 429, "message": "slow"}}]\n\n')

    assert isinstance(error, RateLimitError)


def test_an_event_beyond_the_limit_is_an_error():
    decoder = ChatStreamDecoder(SERVER, max_event_bytes=1_000)
    events = decoder.feed(sse(chunk({"content": "a"}), chunk({"content": "b" * 1_000}), DONE))

    assert [event.text for event in events if isinstance(event, TextDelta)] == ["a"]
    assert isinstance(decoder.error, ResponseTooLargeError)
    assert not decoder.ended


# --- bodies that are no stream


def test_a_whole_answer_is_understood():
    events, error = events_of(json.dumps(answer({"content": "Hi"})).encode(), size=5)

    assert error is None
    assert events[1] == TextDelta("Hi")


def test_an_error_body_is_understood():
    events, error = events_of(b' \n{"error": {"message": "slow", "code": 429}}')

    assert list(events) == []
    assert isinstance(error, RateLimitError)


@pytest.mark.parametrize("size", [1, 1_000])
def test_a_page_says_to_check_the_base_url(size):
    events, error = events_of(b"<!doctype html><title>Welcome</title>", size=size)

    assert list(events) == []
    assert isinstance(error, InvalidResponseError)
    assert error.misconfigured
    assert "'Welcome'" in error.message
    assert "base URL" in error.message


def test_a_page_is_not_kept_beyond_the_limit():
    decoder = ChatStreamDecoder(SERVER, max_event_bytes=1_000)
    for _ in range(20):
        decoder.feed(b"<html>" * 20)

    assert isinstance(decoder.error, ResponseTooLargeError)


# --- tool calls


def test_a_tool_call_in_pieces():
    generation = streamed(
        chunk(calls(call(0, "c1", "weather", ""))),
        chunk(calls(call(0, arguments='{"city"'))),
        chunk(calls(call(0, arguments=': "Bern"}'))),
        chunk(finish_reason="tool_calls"),
        DONE,
    )
    (one,) = generation.tool_calls

    assert (one.id, one.name, one.parse()) == ("c1", "weather", {"city": "Bern"})
    assert generation.finish_reason is FinishReason.TOOL_CALLS


def test_id_and_name_come_once_and_arguments_are_joined():
    events, _ = events_of(
        sse(
            chunk(calls(call(0, "c1", "now", "{"))),
            chunk(calls(call(0, "c1", "now", "}"))),
            DONE,
        )
    )

    assert events[1:-1] == [
        ToolCallDelta(0, "c1", "now", "{"),
        ToolCallDelta(0, None, None, "}"),
    ]


def test_parallel_calls_may_interleave():
    generation = streamed(
        chunk(calls(call(0, "a", "one", ""), call(1, "b", "two", ""))),
        chunk(calls(call(1, arguments="[2"))),
        chunk(calls(call(0, arguments="[1"))),
        chunk(calls(call(1, arguments="]"), call(0, arguments="]"))),
        DONE,
    )

    assert [(c.id, c.name, c.arguments) for c in generation.tool_calls] == [
        ("a", "one", "[1]"),
        ("b", "two", "[2]"),
    ]


def test_indexes_may_begin_anywhere():
    events, _ = events_of(sse(chunk(calls(call(5, "a", "x", "{}"), call(3, "b", "y", "{}"))), DONE))

    assert [event.index for event in events[1:-1]] == [0, 1]


def test_calls_that_share_an_index_are_told_apart_by_id_and_name():
    generation = streamed(
        chunk(calls(call(0, "a", "one", "{}"))), chunk(calls(call(0, "b", "two", "{}"))), DONE
    )

    assert [c.id for c in generation.tool_calls] == ["a", "b"]


def test_a_new_id_without_a_name_does_not_begin_a_call():
    generation = streamed(
        chunk(calls(call(0, "a", "one", "{"))), chunk(calls(call(0, "b", None, "}"))), DONE
    )

    assert [(c.id, c.arguments) for c in generation.tool_calls] == [("a", "{}")]


def test_the_id_may_come_after_the_name():
    generation = streamed(
        chunk(calls(call(0, None, "one", ""))), chunk(calls(call(0, "a", None, "{}"))), DONE
    )

    assert [(c.id, c.name) for c in generation.tool_calls] == [("a", "one")]


def test_calls_without_index_and_id_are_told_apart_by_name():
    generation = streamed(
        chunk(calls(call(None, None, "one", "{}"))),
        chunk(calls(call(None, None, "two", "{"))),
        chunk(calls(call(None, None, None, "}"))),
        chunk(calls(call(None, None, "two", "{}"))),
        DONE,
    )

    assert [(c.name, c.arguments) for c in generation.tool_calls] == [
        ("one", "{}"),
        ("two", "{}"),
        ("two", "{}"),
    ]


def test_arguments_may_be_an_object():
    generation = streamed(chunk(calls(call(0, "a", "one", {"x": "ü"}))), DONE)

    assert generation.tool_calls[0].arguments == '{"x":"ü"}'


def test_an_empty_object_of_arguments_is_one():
    assert streamed(chunk(calls(call(0, "a", "one", {}))), DONE).tool_calls[0].arguments == "{}"


def test_an_older_function_call_is_a_call():
    generation = streamed(
        chunk({"function_call": {"name": "now", "arguments": ""}}),
        chunk({"function_call": {"arguments": "{}"}}),
        chunk(finish_reason="function_call"),
        DONE,
    )

    assert [(c.name, c.arguments) for c in generation.tool_calls] == [("now", "{}")]
    assert generation.finish_reason is FinishReason.TOOL_CALLS


def test_a_cut_call_is_told_as_it_is():
    generation = streamed(
        chunk(calls(call(0, "a", "one", '{"x": "y'))), chunk(finish_reason="length"), DONE
    )

    assert generation.tool_calls[0].arguments == '{"x": "y'
    assert generation.finish_reason is FinishReason.LENGTH


def test_what_has_to_travel_with_a_call_is_kept():
    told = call(0, "a", "one", "{}") | {"extra_content": {"google": {"thought_signature": "s"}}}
    (one,) = streamed(chunk(calls(told)), DONE).tool_calls

    assert one.opaque == {"extra_content": {"google": {"thought_signature": "s"}}}
    assert one.origin == SERVER.origin


# --- reasoning


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content", "thinking"])
def test_reasoning_in_every_spelling(name):
    generation = streamed(chunk({name: "h"}), chunk({name: "m"}), chunk({"content": "yes"}), DONE)

    assert (generation.reasoning, generation) == ("hm", "yes")


def test_reasoning_and_words_may_come_in_one_delta():
    generation = streamed(chunk({"reasoning": "hm", "content": "yes"}), DONE)

    assert [type(part).__name__ for part in generation.metadata.parts] == ["Reasoning", "Text"]


DEEPSEEK = Dialect(name="deepseek", reasoning="reasoning_content")
ROUTER = Dialect(name="router", reasoning="reasoning_details")


def test_reasoning_that_a_vendor_wants_back_ends_with_what_to_give_back():
    events, _ = events_of(
        sse(chunk({"reasoning_content": "hm"}), chunk({"content": "yes"}), DONE), dialect=DEEPSEEK
    )

    assert events[1:-1] == [
        ReasoningDelta("hm"),
        ReasoningDelta("", {"field": "reasoning_content"}, DEEPSEEK.origin),
        TextDelta("yes"),
    ]


def test_reasoning_that_ends_the_answer_is_closed_too():
    events, _ = events_of(sse(chunk({"reasoning_content": "hm"}), DONE), dialect=DEEPSEEK)

    assert events[-2].opaque is not None


def test_reasoning_details_are_put_together():
    generation = streamed(
        chunk({"reasoning_details": [{"type": "reasoning.text", "text": "h", "index": 0}]}),
        chunk(
            {
                "reasoning_details": [
                    {"type": "reasoning.text", "text": "m", "index": 0, "signature": None},
                    {"type": "reasoning.text", "signature": "s", "index": 0},
                    {"type": "reasoning.encrypted", "data": "d", "index": 1},
                ]
            }
        ),
        chunk({"content": "yes"}),
        DONE,
        dialect=ROUTER,
    )
    (reasoning, _) = generation.metadata.parts

    assert reasoning.text == "hm"
    assert reasoning.origin == ROUTER.origin
    assert reasoning.opaque == {
        "reasoning_details": [
            {"type": "reasoning.text", "text": "hm", "index": 0, "signature": "s"},
            {"type": "reasoning.encrypted", "data": "d", "index": 1},
        ]
    }


# --- the rest


def test_a_refusal():
    generation = streamed(
        chunk({"refusal": "I "}), chunk({"refusal": "can't"}), chunk(finish_reason="stop"), DONE
    )

    assert generation.refusal == "I can't"
    assert generation.finish_reason is FinishReason.REFUSAL
    assert generation.metadata.finish_reason_raw == "stop"


def test_a_refusal_may_be_a_part_of_the_content():
    events, _ = events_of(sse(chunk({"content": [{"type": "refusal", "refusal": "no"}]}), DONE))

    assert RefusalDelta("no") in events


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("tool_calls", FinishReason.TOOL_CALLS),
        ("function_call", FinishReason.TOOL_CALLS),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("error", FinishReason.ERROR),
        ("model_length", FinishReason.LENGTH),
        ("something_new", FinishReason.UNKNOWN),
    ],
)
def test_finish_reasons(raw, reason):
    generation = streamed(chunk({"content": "a"}), chunk(finish_reason=raw), DONE)

    assert generation.finish_reason is reason
    assert generation.metadata.finish_reason_raw == raw


def test_logprobs_are_gathered():
    def entry(token):
        return {"token": token, "logprob": -0.1, "top_logprobs": []}

    generation = streamed(
        chunk({"content": "a"}),
        chunk({"content": "b"}, choice={"logprobs": {"content": [entry("b")]}}),
        chunk({"content": "c"}, choice={"logprobs": {"content": [entry("c")]}}),
        DONE,
    )

    assert [each["token"] for each in generation.metadata.logprobs] == ["b", "c"]
    assert generation == "abc"


def test_small_facts_of_the_vendor_are_kept():
    generation = streamed(
        chunk({"role": "assistant"}, system_fingerprint="fp", service_tier="flex"),
        chunk({"content": "a"}, citations=["https://x.test"], finish_reason="stop"),
        DONE,
    )

    assert generation.metadata.details == {
        "system_fingerprint": "fp",
        "service_tier": "flex",
        "citations": ["https://x.test"],
    }


def test_large_facts_are_not():
    generation = streamed(chunk({"content": "a"}, citations=["x" * 100] * 1_000), DONE)

    assert generation.metadata.details == {}


def test_numbers_that_json_does_not_have_are_survived():
    told = call(0, "a", "one", {"x": float("inf")})
    generation = streamed(chunk(calls(told), citations=[float("nan")]), DONE)

    assert generation.tool_calls[0].arguments == '{"x":Infinity}'
    assert len(generation.metadata.details["citations"]) == 1


def test_done_needs_no_blank_line_after_it():
    assert streamed(chunk({"content": "a"}), b"data: [DONE]") == "a"


def test_an_error_beside_words_counts_even_after_words_that_were_well():
    generation, error = failed(
        chunk({"content": "one "}), chunk({"content": "two"}, error={"message": "no", "code": 502})
    )

    assert generation == "one "
    assert isinstance(error, ServerError)
