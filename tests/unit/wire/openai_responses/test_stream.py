"""A streamed answer, event by event."""

import json

import pytest

from fairlead.core.errors import (
    ContentFilteredError,
    InvalidRequestError,
    InvalidResponseError,
    QuotaExceededError,
    RateLimitError,
    ResponseTooLargeError,
    ServerError,
)
from fairlead.core.events import StreamStart, TextDelta, ToolCallDelta
from fairlead.core.messages import Reasoning, Refusal, Text, ToolCall
from fairlead.core.results import FinishReason
from fairlead.wire.openai_responses import ResponsesStreamDecoder
from tests.support.responses import (
    ORIGIN,
    SERVER,
    body,
    call,
    closing,
    events_of,
    failed,
    message,
    named,
    sse,
    streamed,
    thought,
)

CREATED = named("created", response={"id": "resp-1", "model": "tiny", "status": "in_progress"})


def added(item, index=0, **more):
    told = {key: value for key, value in item.items() if key != "content"}
    blank = {name: "" for name in ("arguments", "input") if name in told}
    return named("output_item.added", output_index=index, item=told | blank, **more)


def done(item, index=0, **more):
    return named("output_item.done", output_index=index, item=item, **more)


def words(text, index=0, **more):
    return named("output_text.delta", output_index=index, delta=text, **more)


def piece(text, index=0, **more):
    return named("function_call_arguments.delta", output_index=index, delta=text, **more)


def test_words_come_as_they_are_said():
    events, error = events_of(
        sse(CREATED, added(message()), words("Hel"), words("lo."), done(message()), closing())
    )

    assert error is None
    assert events[:3] == [StreamStart("resp-1", "tiny"), TextDelta("Hel"), TextDelta("lo.")]
    assert events[3].finish_reason is FinishReason.STOP
    assert events[3].finish_reason_raw == "completed"


def test_what_was_streamed_is_not_told_again_by_the_whole():
    told = streamed(CREATED, added(message()), words("Hello."), done(message()), closing(message()))

    assert told == "Hello."
    assert told.warnings == ()


def test_words_that_come_only_with_the_end_of_their_part():
    whole = named("output_text.done", output_index=0, text="Hello.")

    assert streamed(added(message()), whole, closing()) == "Hello."
    assert streamed(words("Hello."), whole, closing()) == "Hello."


def test_words_that_come_only_with_their_item():
    assert streamed(added(message()), done(message()), closing()) == "Hello."


def test_words_that_come_only_with_the_closing_event():
    assert streamed(closing(message())) == "Hello."


def test_the_rest_of_words_is_told_by_the_whole():
    assert streamed(added(message()), words("Hel"), closing(message())) == "Hello."


def test_several_messages_and_parts_are_one_text():
    first = message("ab")
    first["content"].append({"type": "output_text", "text": "c"})
    told = streamed(
        added(first),
        words("ab"),
        words("c", content_index=1),
        done(first),
        closing(first, message("d")),
    )

    assert told == "abcd"


def test_a_stream_that_contradicts_itself_says_so():
    told = streamed(added(message()), words("Hallo."), done(message()), closing())

    assert told == "Hallo."
    assert "not the one" in told.warnings[0]


def test_reasoning_need_not_be_told_twice_in_the_same_words():
    told = streamed(
        named("reasoning_text.delta", output_index=0, delta="Well."), done(thought()), closing()
    )

    assert told.reasoning == "Well."
    assert told.warnings == ()


def test_ids_may_change_from_event_to_event():
    told = streamed(
        added(message(id="a")),
        words("Hel", item_id="b"),
        words("lo.", item_id="c"),
        done(message(id="d")),
        closing(message(id="e")),
    )

    assert told == "Hello."


def test_ids_alone_tell_items_apart():
    told = streamed(
        named("output_item.added", item=call(arguments="", id="a")),
        named("output_item.added", item=call(arguments="", id="b")),
        named("function_call_arguments.delta", delta='{"x":', item_id="b"),
        named("function_call_arguments.delta", delta='{"y":', item_id="a"),
        named("function_call_arguments.delta", delta="1}", item_id="b"),
        named("function_call_arguments.delta", delta="2}", item_id="a"),
        closing(call(arguments='{"y":2}', id="a"), call(arguments='{"x":1}', id="b")),
    )

    assert [each.parse() for each in told.tool_calls] == [{"y": 2}, {"x": 1}]
    assert told.warnings == ()


def test_items_that_nothing_names_are_the_last_of_their_kind():
    told = streamed(
        named("output_text.delta", delta="Hel"),
        named("reasoning_text.delta", delta="Hm."),
        named("output_text.delta", delta="lo."),
        closing(message()),
    )

    assert told == "Hello."
    assert told.reasoning == "Hm."
    assert told.warnings == ()


def test_an_index_that_never_counts_does_not_mix_kinds():
    told = streamed(
        added(thought()),
        named("reasoning_summary_text.delta", output_index=0, delta="Hm."),
        added(message()),
        words("Hello."),
        closing(thought(), message()),
    )

    assert told == "Hello."
    assert told.reasoning == "Hm."


def test_an_item_that_is_announced_twice_is_one():
    item = call()

    assert len(streamed(added(item), added(item), done(item), closing(item)).tool_calls) == 1


def test_a_call_commits_with_its_name():
    events, _ = events_of(sse(CREATED, added(call())))

    assert events[1] == ToolCallDelta(0, "call-fc-1", "tide")


def test_a_call():
    item = call(arguments='{"a":1}')
    told = streamed(added(item), piece('{"a"'), piece(":1}"), done(item), closing(item))

    assert told.tool_calls == (ToolCall("call-fc-1", "tide", '{"a":1}'),)
    assert told.finish_reason is FinishReason.TOOL_CALLS


@pytest.mark.parametrize("how", ["done", "item", "closing", "unannounced"])
def test_arguments_without_any_delta(how):
    item = call(arguments='{"a":1}')
    whole = named("function_call_arguments.done", output_index=0, arguments='{"a":1}')
    stream = {
        "done": [added(item), whole, closing()],
        "item": [added(item), done(item), closing()],
        "closing": [added(item), closing(item)],
        "unannounced": [whole, done(item), closing()],
    }

    assert streamed(*stream[how]).tool_calls == (ToolCall("call-fc-1", "tide", '{"a":1}'),)


def test_arguments_that_are_no_text():
    assert streamed(closing(call(arguments={"a": 1}))).tool_calls[0].arguments == '{"a":1}'


def test_a_call_without_an_id_of_its_own_has_that_of_its_item():
    item = call()
    del item["call_id"]

    assert streamed(closing(item)).tool_calls[0].id == "fc-1"


def test_what_has_to_travel_with_a_call():
    item = call(namespace="harbours", caller={"type": "direct"}, status="completed")
    (told,) = streamed(added(item), done(item), closing(item)).tool_calls

    assert told.opaque == {"namespace": "harbours"}
    assert told.origin == ORIGIN


def test_a_custom_call():
    item = {"type": "custom_tool_call", "id": "c", "call_id": "x", "name": "sql", "input": "SELECT"}
    told = streamed(
        added(item),
        named("custom_tool_call_input.delta", output_index=0, delta="SEL"),
        closing(item),
    )

    opaque = {"type": "custom_tool_call"}
    assert told.tool_calls == (ToolCall("x", "sql", "SELECT", opaque, ORIGIN),)


def test_a_summary_is_reasoning():
    told = streamed(
        added(thought()),
        named("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="H"),
        named("reasoning_summary_text.delta", output_index=0, summary_index=1, delta="m."),
        named("reasoning_summary_text.done", output_index=0, summary_index=1, text="m."),
        done(thought()),
        closing(thought()),
    )

    assert told.metadata.parts == (Reasoning("Hm."),)


def test_encrypted_reasoning_is_taken_from_the_end_of_its_item():
    early, late = thought(encrypted_content="half"), thought(encrypted_content="whole", status=None)
    told = streamed(
        added(early),
        named("reasoning_summary_text.delta", output_index=0, delta="Hm."),
        done(late),
        closing(late, message()),
    )

    opaque = {"item": thought(encrypted_content="whole")}
    assert told.metadata.parts == (Reasoning("Hm.", opaque, ORIGIN), Text("Hello."))


def test_a_summary_that_repeats_the_content_is_read_once():
    item = thought(content=[{"type": "reasoning_text", "text": "Hm."}])

    assert streamed(closing(item)).reasoning == "Hm."
    item["content"][0]["text"] = " So."
    assert streamed(closing(item)).reasoning == "Hm. So."


def test_the_phase_of_a_message_is_kept_before_its_words():
    item = message(phase="commentary")
    told = streamed(added(item), words("Hello."), done(item), closing(item))

    phase = Reasoning("", {"phase": "commentary"}, ORIGIN)
    assert told.metadata.parts == (phase, Text("Hello."))


def test_a_phase_that_comes_after_the_words_is_too_late():
    told = streamed(words("Hello."), done(message(phase="commentary")), closing())

    assert told.metadata.parts == (Text("Hello."),)


def test_a_refusal():
    item = {"type": "message", "id": "m", "content": [{"type": "refusal", "refusal": "No."}]}
    told = streamed(
        added(item),
        named("refusal.delta", output_index=0, delta="N"),
        named("refusal.done", output_index=0, refusal="No."),
        done(item),
        closing(item),
    )

    assert told.metadata.parts == (Refusal("No."),)
    assert told.finish_reason is FinishReason.REFUSAL


def test_tools_of_the_server_are_kept():
    search = {
        "type": "web_search_call",
        "id": "ws",
        "status": "completed",
        "action": {"query": "q"},
    }
    noise = named("web_search_call.searching", output_index=0, item_id="ws")
    told = streamed(added(search), noise, done(search), closing(search, message()))

    assert told.metadata.details["server_tools"] == [search]
    assert told.metadata.parts == (Reasoning("", {"item": search}, ORIGIN), Text("Hello."))
    assert told.tool_calls == ()


def test_what_is_large_is_not_kept_unless_it_is_encrypted():
    picture = {"type": "image_generation_call", "id": "ig", "result": "x" * 40_000}
    memory = {"type": "compaction", "id": "c", "encrypted_content": "y" * 40_000}
    told = streamed(closing(picture, memory, message()))

    assert "server_tools" not in told.metadata.details
    assert [part.opaque for part in told.metadata.parts[:-1]] == [{"item": memory}]


def test_annotations_and_logprobs():
    item = message()
    item["content"][0] |= {"annotations": [{"type": "url_citation"}], "logprobs": [{"token": "H"}]}
    told = streamed(added(item), words("Hello."), done(item), closing(item))

    assert told.metadata.details["annotations"] == [{"type": "url_citation"}]
    assert told.metadata.logprobs == ({"token": "H"},)


@pytest.mark.parametrize(
    ("status", "details", "reason"),
    [
        ("completed", None, FinishReason.STOP),
        ("incomplete", {"reason": "max_output_tokens"}, FinishReason.LENGTH),
        ("incomplete", {"reason": "content_filter"}, FinishReason.CONTENT_FILTER),
        ("incomplete", {"reason": "steered"}, FinishReason.PAUSE),
        ("incomplete", {"reason": "moonlight"}, FinishReason.UNKNOWN),
        ("incomplete", None, FinishReason.UNKNOWN),
    ],
)
def test_how_it_ended(status, details, reason):
    told = streamed(closing(message(), status=status, incomplete_details=details))

    assert told.finish_reason is reason
    assert told.metadata.finish_reason_raw == status
    assert told.metadata.details.get("incomplete_details") == details


def test_a_call_in_an_answer_that_was_cut_does_not_make_it_whole():
    told = streamed(
        closing(call(), status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    )

    assert told.finish_reason is FinishReason.LENGTH


def test_the_status_may_be_left_to_the_name_of_the_event():
    whole = body(message())
    del whole["status"]

    assert streamed(named("completed", response=whole)).metadata.finish_reason_raw == "completed"


def test_usage_and_details_come_from_the_closing_event():
    early = named("created", response={"id": "resp-1", "service_tier": "auto", "usage": {"x": 1}})
    usage = {
        "input_tokens": 9,
        "output_tokens": 5,
        "total_tokens": 14,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "output_tokens_details": {"reasoning_tokens": 3},
    }
    told = streamed(early, closing(message(), service_tier="flex", usage=usage))

    assert told.metadata.details == {"service_tier": "flex"}
    assert told.usage.raw == usage
    assert (told.usage.input_tokens, told.usage.cache_read_tokens) == (9, 4)
    assert (told.usage.output_tokens, told.usage.reasoning_tokens) == (5, 3)
    assert (told.usage.cache_write_tokens, told.usage.total_tokens) == (2, 14)


def test_an_answer_without_usage():
    assert streamed(closing(message())).usage is None


def test_the_model_may_be_told_last():
    told = streamed(named("created", response={"id": "resp-1"}), closing(message()))

    assert told.model == "tiny"


ERROR = {"code": "server_error", "message": "It broke."}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", **ERROR, "param": None, "sequence_number": 3},
        {"type": "error", "error": {"type": "server_error", **ERROR}},
        {"type": "error", **ERROR, "error": None},
        {"error": ERROR},
        closing(status="failed", error=ERROR),
        named("failed", response={"error": ERROR}),
        named("completed", response=body(message(), error=ERROR)),
    ],
)
def test_an_error(event):
    told, error = failed(added(message()), words("Hel"), event, closing(message()))

    assert told == "Hel"
    assert type(error) is ServerError
    assert (error.message, error.code) == ("It broke.", "server_error")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("rate_limit_exceeded", RateLimitError),
        ("insufficient_quota", QuotaExceededError),
        ("invalid_prompt", InvalidRequestError),
        ("image_too_large", InvalidRequestError),
        ("bio_policy", ContentFilteredError),
        ("image_content_policy_violation", ContentFilteredError),
        ("vector_store_timeout", ServerError),
    ],
)
def test_codes_of_failed_answers(code, kind):
    _, error = failed(closing(status="failed", error={"code": code, "message": "no"}))

    assert type(error) is kind
    assert error.code == code


@pytest.mark.parametrize("status", ["failed", "in_progress"])
def test_a_failure_that_says_nothing(status):
    _, error = failed(named("failed", response={"status": status, "error": None}))

    assert type(error) is ServerError
    assert "not why" in error.message


def test_an_error_that_is_no_json():
    _, error = failed(b"event: error\ndata: it broke\n\n")

    assert type(error) is ServerError
    assert error.message == "it broke"


def test_an_event_that_is_no_json():
    _, error = failed(b"event: response.output_text.delta\ndata: {half\n\n", closing())

    assert "not JSON" in error.message


def test_lone_surrogates_are_survived():
    data = b'data: {"type": "response.output_text.delta", "delta": "a\\ud800"}\n\n'

    assert streamed(data, closing()) == "a\ufffd"


@pytest.mark.parametrize(
    "tail", [(), (b"data: [DONE]\n\n",), (done(message()),), (b'data: {"type": "response.comp',)]
)
def test_without_a_closing_event_it_has_not_ended(tail):
    told, error = failed(added(message()), words("Hello."), *tail)

    assert told == "Hello."
    assert type(error) is InvalidResponseError
    assert "response.completed" in error.message


def test_nothing_at_all():
    _, error = failed(b"\r\n")

    assert "empty body" in error.message


def test_done_is_suffered_and_nothing_follows_the_end():
    told = streamed(
        b": OPENROUTER PROCESSING\n\n", b"data: [DONE]\n\n", closing(message()), words("more")
    )

    assert told == "Hello."


def test_the_last_blank_line_is_not_insisted_on():
    events, error = events_of(sse(closing(message())).rstrip())

    assert error is None
    assert events[-1].finish_reason is FinishReason.STOP


def test_what_is_not_known_is_survived():
    told = streamed(
        {"type": "keepalive"},
        {"nothing": 1},
        b"data: 5\n\n",
        named("moon.rising", output_index=0, delta="x"),
        named("output_item.added", item={}),
        named("output_item.done", item=None),
        named("output_item.done", item={"type": "moon", "phase": "full"}, output_index=1),
        closing(message(), {}, None),
    )

    assert told == "Hello."
    assert told.metadata.details["server_tools"] == [{"type": "moon", "phase": "full"}]


def test_numbers_that_leave_some_out_are_no_matter_if_nothing_is_missing():
    told = streamed(
        words("Hel", sequence_number=1),
        words("lo.", sequence_number=4),
        closing(message()) | {"sequence_number": 5},
    )

    assert told.warnings == ()


@pytest.mark.parametrize(("last", "warnings"), [(2, 0), (3, 1)])
def test_numbers_that_leave_some_out_are_told_where_nothing_can_be_checked(last, warnings):
    told = streamed(words("Hel", sequence_number=1), closing() | {"sequence_number": last})

    assert told == "Hel"
    assert len(told.warnings) == warnings


def test_numbers_that_leave_some_out_explain_a_contradiction():
    told = streamed(
        words("Hel", sequence_number=1),
        words("o.", sequence_number=3),
        done(message(), sequence_number=4),
        closing() | {"sequence_number": 5},
    )

    assert len(told.warnings) == 2
    assert "may be missing" in told.warnings[1]


def test_a_server_that_does_not_stream_is_understood():
    events, error = events_of(json.dumps(body(message())).encode())

    assert error is None
    assert TextDelta("Hello.") in events


def test_an_error_of_a_server_that_does_not_stream():
    _, error = events_of(json.dumps({"error": ERROR}).encode())

    assert type(error) is ServerError


def test_an_event_may_be_no_larger_than_allowed():
    decoder = ResponsesStreamDecoder(SERVER, max_event_bytes=1000)
    decoder.feed(sse(words("x" * 2000)))

    assert isinstance(decoder.error, ResponseTooLargeError)


def test_an_answer_may_be_no_larger_than_allowed():
    decoder = ResponsesStreamDecoder(SERVER, max_event_bytes=10)
    decoder.feed(b'{"output": ["and so on"')

    assert isinstance(decoder.error, ResponseTooLargeError)
    assert list(decoder.feed(b"more")) == []
