"""Answers, whole and streamed, and that both tell the same."""

import json

import pytest

from fairlead.core.errors import (
    InvalidResponseError,
    OverloadedError,
    ResponseTooLargeError,
    ServerError,
)
from fairlead.core.events import TextDelta
from fairlead.core.messages import Message, Reasoning, Text, ToolCall
from fairlead.core.results import FinishReason
from fairlead.wire.anthropic import AnthropicCodec, MessagesStreamDecoder
from tests.support.chat import response
from tests.support.messages import (
    SERVER,
    STOP,
    begun,
    encoded,
    ending,
    events_of,
    failed,
    message,
    more,
    over,
    plain,
    sse,
    started,
    streamed,
    text,
)

ORIGIN = SERVER.origin
USAGE = {"input_tokens": 5, "output_tokens": 2}
PING = {"type": "ping"}
ANSWER = {"type": "tool_use", "id": "1", "name": "fairlead_answer"}
CITATION = {"type": "web_search_result_location", "url": "https://x.test", "cited_text": "a"}


def test_text():
    told = streamed(started(usage=USAGE), *text("Hello"), PING, ending(), STOP)

    assert told == "Hello"
    assert told.metadata.response_id == "msg-1"
    assert told.model == "tiny"
    assert told.finish_reason is FinishReason.STOP
    assert told.metadata.finish_reason_raw == "end_turn"
    assert told.usage.input_tokens == 5


@pytest.mark.parametrize(
    ("reason", "normal"),
    [
        ("end_turn", FinishReason.STOP),
        ("stop_sequence", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("tool_use", FinishReason.TOOL_CALLS),
        ("refusal", FinishReason.REFUSAL),
        ("pause_turn", FinishReason.PAUSE),
        ("model_context_window_exceeded", FinishReason.CONTEXT_OVERFLOW),
        ("something_new", FinishReason.UNKNOWN),
        (None, FinishReason.UNKNOWN),
    ],
)
def test_why_it_ended(reason, normal):
    assert plain(message(stop_reason=reason)).finish_reason is normal
    assert streamed(started(), ending(reason), STOP).finish_reason is normal


def test_a_call_is_one_whatever_the_reason_says():
    call = {"type": "tool_use", "id": "1", "name": "now", "input": {}}

    assert plain(message(call)).finish_reason is FinishReason.TOOL_CALLS


def test_details():
    told = plain(
        message(
            {"type": "text", "text": "a", "citations": [CITATION]},
            stop_reason="refusal",
            stop_details={"type": "refusal", "category": "bio"},
            container={"id": "c"},
            usage={**USAGE, "service_tier": "priority", "inference_geo": "us"},
        )
    )

    assert told.metadata.details == {
        "stop_details": {"type": "refusal", "category": "bio"},
        "container": {"id": "c"},
        "service_tier": "priority",
        "inference_geo": "us",
        "citations": [CITATION],
    }


def test_details_of_a_stream():
    told = streamed(
        started(usage={**USAGE, "speed": "fast", "service_tier": "standard"}),
        begun(0, type="text", text="", citations=[]),
        more(0, "citations", citation=CITATION),
        more(0, "text", text="a"),
        over(0),
        {**ending("stop_sequence", stop_sequence="END"), "context_management": {"a": 1}},
        STOP,
    )

    assert told.metadata.details == {
        "stop_sequence": "END",
        "context_management": {"a": 1},
        "service_tier": "fast",
        "citations": [CITATION],
    }


def test_details_stay_small():
    told = plain(message(container={"id": "c" * 40_000}))

    assert told.metadata.details == {}


class TestCalls:
    def test_in_pieces_and_several_at_once(self):
        told = streamed(
            started(),
            *text("Let me see."),
            begun(1, type="tool_use", id="1", name="now", input={}),
            begun(2, type="tool_use", id="2", name="then", input={}),
            more(1, "input_json", partial_json='{"a"'),
            more(2, "input_json", partial_json=""),
            more(1, "input_json", partial_json=": 1}"),
            over(1),
            over(2),
            ending("tool_use"),
            STOP,
        )

        assert told.tool_calls == (ToolCall("1", "now", '{"a": 1}'), ToolCall("2", "then", "{}"))
        assert told == "Let me see."

    def test_whole(self):
        block = {"type": "tool_use", "id": "1", "name": "now", "input": {"a": "é"}}

        assert plain(message(block)).tool_calls == (ToolCall("1", "now", '{"a": "é"}'),)

    def test_arguments_that_come_with_the_beginning(self):
        told = streamed(
            started(), begun(0, type="tool_use", id="1", name="now", input={"a": 1}), STOP
        )

        assert told.tool_calls == (ToolCall("1", "now", '{"a": 1}'),)

    @pytest.mark.parametrize("caller", [None, {"type": "direct"}])
    def test_a_call_by_the_model_itself(self, caller):
        (call,) = plain(
            message({"type": "tool_use", "id": "1", "name": "now", "caller": caller})
        ).tool_calls

        assert call == ToolCall("1", "now", "{}")

    def test_a_call_by_one_of_the_vendors_tools_says_so_when_it_is_given_back(self):
        caller = {"type": "code_execution_20250825", "tool_id": "srv"}
        block = {"type": "tool_use", "id": "1", "name": "now", "input": {}, "caller": caller}
        told = plain(message(block))

        body, warnings = encoded(Message.user("Hi"), told.message, Message.user("And?"))
        assert body["messages"][1]["content"] == [block]
        assert warnings == ()

    def test_a_message_that_is_whole_from_its_start(self):
        block = {"type": "tool_use", "id": "1", "name": "now", "input": {"a": 1}}
        told = streamed(started(content=[block], stop_reason="tool_use", usage=USAGE), STOP)

        assert told.tool_calls == (ToolCall("1", "now", '{"a": 1}'),)
        assert told.finish_reason is FinishReason.TOOL_CALLS
        assert told.usage.output_tokens == 2


class TestAnAnswerByATool:
    def test_whole(self):
        told = plain(message({**ANSWER, "input": {"a": 1}}, stop_reason="tool_use"))

        assert told == '{"a": 1}'
        assert told.tool_calls == ()
        assert told.finish_reason is FinishReason.STOP

    def test_streamed(self):
        events, _ = events_of(
            sse(
                started(),
                begun(0, **ANSWER, input={}),
                more(0, "input_json", partial_json=""),
                more(0, "input_json", partial_json='{"a":'),
                more(0, "input_json", partial_json=" 1}"),
                over(0),
                ending("tool_use"),
                STOP,
            )
        )

        assert [event.text for event in events if isinstance(event, TextDelta)] == [
            '{"a":',
            " 1}",
        ]
        assert events[-1].finish_reason is FinishReason.STOP

    def test_beside_a_call(self):
        call = {"type": "tool_use", "id": "2", "name": "now", "input": {}}
        told = plain(message({**ANSWER, "input": {}}, call, stop_reason="tool_use"))

        assert told.finish_reason is FinishReason.TOOL_CALLS

    def test_an_answer_that_was_cut_says_so(self):
        told = plain(message({**ANSWER, "input": {}}, stop_reason="max_tokens"))

        assert told.finish_reason is FinishReason.LENGTH


class TestOpaqueParts:
    def test_thoughts_in_pieces(self):
        told = streamed(
            started(),
            begun(0, type="thinking", thinking="", signature=""),
            more(0, "thinking", thinking="Let me"),
            more(0, "thinking", thinking=" think"),
            more(0, "signature", signature="si"),
            more(0, "signature", signature="g"),
            over(0),
            *text("42", 1),
            ending(),
            STOP,
        )

        signed = {"block": {"type": "thinking", "signature": "sig"}}
        assert told.metadata.parts == (
            Reasoning("Let me think", signed, ORIGIN),
            Text("42"),
        )
        assert told == "42"

    @pytest.mark.parametrize(
        "block",
        [
            {"type": "thinking", "thinking": "Hm", "signature": "sig"},
            {"type": "thinking", "thinking": "", "signature": "sig"},
            {"type": "redacted_thinking", "data": "x"},
            {"type": "server_tool_use", "id": "1", "name": "web_search", "input": {"query": "q"}},
            {"type": "web_search_tool_result", "tool_use_id": "1", "content": [{"url": "u"}]},
            {"type": "compaction", "content": "summary"},
            {"type": "something_new", "value": [1]},
        ],
    )
    def test_blocks_are_given_back_as_they_came(self, block):
        words = {"type": "text", "text": "Well"}
        told = plain(message(words, block, words))

        body, warnings = encoded(Message.user("Hi"), told.message, Message.user("And?"))
        assert body["messages"][1]["content"] == [words, block, words]
        assert warnings == ()
        assert told == "WellWell"

    def test_what_the_vendors_own_tools_did(self):
        told = streamed(
            started(),
            begun(0, type="server_tool_use", id="1", name="web_search", input={}),
            more(0, "input_json", partial_json='{"query":'),
            more(0, "input_json", partial_json='"q"}'),
            over(0),
            begun(1, type="server_tool_use", id="2", name="bash", input={}),
            more(1, "input_json", partial_json="{"),
            over(1),
            begun(2, type="web_search_tool_result", tool_use_id="1", content=[]),
            over(2),
            *text("Well", 3),
            ending(),
            STOP,
        )

        assert told.metadata.details["server_tools"] == [
            {"id": "1", "name": "web_search", "input": {"query": "q"}},
            {"id": "2", "name": "bash", "input": {}},
        ]
        assert told.tool_calls == ()
        assert told.reasoning == ""
        assert told.metadata.parts[0].opaque["block"]["input"] == {"query": "q"}

    def test_what_is_new_is_put_together_too(self):
        told = streamed(
            started(),
            begun(0, type="compaction", content=None),
            more(0, "compaction", content="a", number=1),
            more(0, "compaction", content="b"),
            over(0),
            ending("compaction"),
            STOP,
        )

        assert told.metadata.parts[0].opaque == {"block": {"type": "compaction", "content": "ab"}}
        assert told.finish_reason is FinishReason.PAUSE


class TestStreams:
    def test_however_they_are_cut(self):
        body = sse(started(usage=USAGE), *text("Grüße 🌊"), ending(), STOP)
        whole = events_of(body)

        assert whole[1] is None
        for size in range(1, 40):
            assert events_of(body, size=size) == whole

    def test_nothing_counts_after_the_end(self):
        decoder = AnthropicCodec(SERVER).stream_decoder()
        decoder.feed(sse(started(), STOP, *text("late")))

        assert decoder.ended
        assert decoder.feed(sse(*text("later"))) == ()
        assert decoder.finish() == ()

    @pytest.mark.parametrize("last", [[], [ending()]])
    def test_without_its_end_it_is_not_whole(self, last):
        told, error = failed(started(), *text("Hello"), *last)

        assert told == "Hello"
        assert type(error) is InvalidResponseError
        assert "no message_stop" in error.message

    def test_its_last_blank_line_is_not_insisted_on(self):
        events, error = events_of(sse(started(), *text("a"), STOP)[:-2])

        assert error is None
        assert TextDelta("a") in events

    def test_an_empty_body(self):
        _, error = failed(b"\r\n")

        assert "empty body" in error.message

    def test_words_need_no_beginning(self):
        assert streamed(started(), more(0, "text", text="a"), more(1, "new", text="b"), STOP) == "a"

    @pytest.mark.parametrize("index", [[1], {}, "x", None])
    def test_an_index_that_is_none(self, index):
        assert streamed(started(), *text("a", index), STOP) == "a"

    def test_a_block_begun_twice_is_two(self):
        told = streamed(
            started(),
            begun(0, type="tool_use", id="1", name="now"),
            begun(0, type="tool_use", id="2", name="now"),
            over(0),
            over(0),
            STOP,
        )

        assert [call.id for call in told.tool_calls] == ["1", "2"]

    def test_what_is_unknown_is_survived(self):
        told = streamed(
            started(),
            {"type": "brand_new", "index": 0},
            b"event: telemetry\ndata: {\n\n",
            b"data: [DONE]\n\n",
            b"data: null\n\n",
            b"data: 1\n\n",
            *text("a"),
            ending(),
            STOP,
        )

        assert told == "a"

    def test_an_event_that_is_not_json(self):
        told, error = failed(started(), *text("a"), b"event: message_delta\ndata: {\n\n", STOP)

        assert told == "a"
        assert "not JSON" in error.message

    def test_a_cut_last_line_is_no_error_of_its_own(self):
        _, error = failed(started(), b'event: message_stop\ndata: {"type')

        assert "no message_stop" in error.message

    def test_a_surrogate_that_was_cut_in_two(self):
        piece = sse(more(0, "text", text="\ud83c"))

        assert streamed(started(), piece, STOP) == "\ufffd"

    def test_an_error(self):
        fault = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        told, error = failed(started(), *text("a"), fault, *text("b"), STOP)

        assert told == "a"
        assert type(error) is OverloadedError
        assert error.code == "overloaded_error"

    @pytest.mark.parametrize(
        "event",
        [
            b'event: error\ndata: {"message": "broken"}\n\n',
            b'event: error\ndata: "broken"\n\n',
            b"event: error\ndata: broken\n\n",
            b'data: {"error": {"message": "broken"}}\n\n',
        ],
    )
    def test_errors_in_other_shapes(self, event):
        _, error = failed(started(), event, STOP)

        assert type(error) is ServerError
        assert error.message == "broken"

    def test_one_event_can_be_too_large(self):
        decoder = MessagesStreamDecoder(SERVER, max_event_bytes=100)
        decoder.feed(sse(started(model="m" * 100)))

        assert type(decoder.error) is ResponseTooLargeError


class TestAStreamThatIsNone:
    def test_an_answer(self):
        events, error = events_of(json.dumps(message({"type": "text", "text": "a"})).encode())

        assert error is None
        assert TextDelta("a") in events

    def test_an_error(self):
        fault = {"type": "error", "error": {"type": "api_error", "message": "no"}}
        events, error = events_of(json.dumps(fault).encode())

        assert list(events) == []
        assert type(error) is ServerError

    def test_one_that_is_too_large(self):
        decoder = MessagesStreamDecoder(SERVER, max_event_bytes=5)

        assert decoder.feed(b"{" * 6) == ()
        assert type(decoder.error) is ResponseTooLargeError
        assert decoder.finish() == ()

    def test_a_stream_that_nobody_asked_for(self):
        codec = AnthropicCodec(SERVER)
        body = sse(started(), *text("a"), STOP)

        assert TextDelta("a") in codec.decode_generate(response(body))
        with pytest.raises(InvalidResponseError, match="message_stop"):
            codec.decode_generate(response(sse(started())))


class TestAnswersThatAreNone:
    @pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"<html>", b'{"content": "a"}', b"3"])
    def test_what_is_no_message(self, body):
        with pytest.raises(InvalidResponseError, match="expected a message"):
            plain(body)

    @pytest.mark.parametrize(
        "body",
        [
            {"type": "error", "error": {"type": "api_error", "message": "no"}},
            {"error": "no"},
            {"message": "no", "code": 500},
        ],
    )
    def test_an_error_in_a_success(self, body):
        with pytest.raises(ServerError, match="no"):
            plain(body)

    def test_a_message_in_a_list(self):
        assert plain([message({"type": "text", "text": "a"})]) == "a"

    def test_one_that_does_not_say_who_it_is(self):
        told = plain(message(id=None, model=None))

        assert told.metadata.response_id is None
        assert told.model is None
