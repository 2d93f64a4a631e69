"""
Behaviours that were seen on the wire, one test each.

The numbers are those of the list that came with the recordings; what other formats do is tested
with them. The bodies here are written by hand.
"""

import base64
import json

import pytest

from fairlead.core.errors import (
    AuthenticationError,
    ContentFilteredError,
    ContextLengthExceededError,
    InvalidRequestError,
    InvalidResponseError,
    OverloadedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    UnsupportedOperationError,
)
from fairlead.core.events import TextDelta
from fairlead.core.requests import EmbedRequest
from fairlead.core.results import FinishReason
from fairlead.wire.openai_chat import ChatStreamDecoder, Dialect, OpenAIChatCodec
from tests.support.chat import (
    DONE,
    SERVER,
    answer,
    chunk,
    events_of,
    failed,
    plain,
    response,
    sse,
    streamed,
)


def decode_error(body, status, **headers):
    return OpenAIChatCodec(SERVER).decode_error(response(body, status, **headers))


# --- errors


def test_quirk_1_a_success_with_an_error_for_a_body():
    with pytest.raises(ServerError) as caught:
        plain({"error": {"code": 502, "message": "Provider returned error"}})

    assert caught.value.status_code == 502


def test_quirk_1_a_success_whose_prompt_was_filtered():
    with pytest.raises(ContentFilteredError) as caught:
        plain({"error": {"code": "content_filter", "message": "filtered", "status": 400}})

    assert (caught.value.status_code, caught.value.code) == (400, "content_filter")


def test_quirk_2_a_stream_of_comments_and_an_error():
    comments = b": PROCESSING\n\n" * 3
    generation, error = failed(comments, {"error": {"code": 502, "message": "died"}})

    assert generation == ""
    assert isinstance(error, ServerError)


def test_quirk_3_an_error_beside_choices_and_usage_after_two_finish_reasons():
    generation, error = failed(
        chunk({"content": "a"}, finish_reason="length"),
        chunk({"content": ""}, finish_reason="length"),
        chunk({"content": "b"}, error={"code": 400, "message": "Token limit"}, usage={"cost": 0}),
        DONE,
    )

    assert generation == "a"
    assert isinstance(error, InvalidRequestError)
    assert error.status_code == 400


def test_quirk_4_an_error_event_after_long_reasoning_and_no_done():
    told = {"message": "tool use failed", "code": "tool_use_failed", "status_code": 400}
    generation, error = failed(
        *[chunk({"reasoning": "hm "})] * 500,
        b"event: error\ndata: " + json.dumps({"error": told}).encode() + b"\n\n",
    )

    assert generation.reasoning == "hm " * 500
    assert isinstance(error, InvalidRequestError)
    assert (error.status_code, error.code) == (400, "tool_use_failed")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": "Unauthorized"}, "Unauthorized"),
        ({"code": "The caller may not", "error": "Team is blocked"}, "Team is blocked"),
        ({"error": "model is loading"}, "model is loading"),
        ({"error": {"code": 403, "status": "PERMISSION_DENIED", "details": []}}, "HTTP 403"),
        (
            {"error": {"code": 403, "message": "Provider", "metadata": {"raw": "upstream"}}},
            "Provider; upstream",
        ),
    ],
)
def test_quirk_6_five_shapes_of_errors(body, message):
    assert decode_error(body, 403).message.startswith(message)


def test_quirk_7_a_bad_key_may_be_a_400():
    xai = {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: a"}
    gemini = [
        {
            "error": {
                "code": 400,
                "message": "no good",
                "status": "INVALID_ARGUMENT",
                "details": [{"reason": "API_KEY_INVALID"}],
            }
        }
    ]

    assert type(decode_error(xai, 400)) is AuthenticationError
    assert type(decode_error(gemini, 400)) is AuthenticationError


def test_quirk_8_the_wait_may_stand_only_in_the_details():
    told = {"code": 429, "message": "slow", "details": [{"@type": "x", "retryDelay": "41s"}]}
    error = decode_error({"error": told}, 429)

    assert type(error) is RateLimitError
    assert error.retry_after == 41.0


def test_quirk_8_a_429_may_mean_a_prompt_that_is_too_long():
    told = {"message": "Request too large for m: Limit 6000, Requested 9000", "code": "x"}
    error = decode_error({"error": told}, 429, retry_after="1", retry_after_ms="0")

    assert type(error) is ContextLengthExceededError
    assert error.retry_after == 1.0


def test_quirk_9_the_vendor_says_not_to_retry():
    assert decode_error({"error": {"message": "x"}}, 429, x_should_retry="false").should_retry is (
        False
    )


def test_quirk_10_a_prompt_that_is_too_long_may_be_an_empty_stream():
    events, error = events_of(b"")

    assert list(events) == []
    assert isinstance(error, InvalidResponseError)


# --- framing


def test_quirk_11_no_done_at_the_end():
    assert streamed(chunk({"content": "a"}), chunk(finish_reason="stop")) == "a"


def test_quirk_12_comments_between_chunks():
    assert streamed(b": hold\n\n", chunk({"content": "a"}), b": hold\n\n", DONE) == "a"


@pytest.mark.parametrize("size", [None, 1, 7])
def test_quirk_13_carriage_returns(size):
    body = sse(chunk({"content": "a"}), chunk({"content": "b"}), DONE).replace(b"\n", b"\r\n")
    events, error = events_of(body, size=size)

    assert error is None
    assert events[1:3] == [TextDelta("a"), TextDelta("b")]


def test_quirk_15_pieces_cut_inside_a_key():
    body = sse(chunk({"content": "abc"}), DONE)
    cut = body.index(b"content") + 3
    decoder = ChatStreamDecoder(SERVER)

    assert list(decoder.feed(body[:cut])) == []
    assert decoder.feed(body[cut:])[1] == TextDelta("abc")


def test_quirk_16_padding_and_random_fields():
    padded = (
        b"data: " + json.dumps(chunk({"content": "a"}, obfuscation="xK")).encode() + b"    \n\n"
    )

    assert (
        streamed(padded, b"event: ping\ndata: {}\n\n", chunk({"content": "b"}, p="9"), DONE) == "ab"
    )


def test_quirk_17_a_line_that_begins_with_a_space_is_ignored():
    assert streamed(b" " + sse(chunk({"content": "a"})), chunk({"content": "b"}), DONE) == "b"


# --- chunks


def test_quirk_19_a_first_chunk_without_choices_and_a_choice_without_a_delta():
    generation = streamed(
        {"choices": [], "model": "", "id": "", "created": 0, "prompt_filter_results": []},
        {"choices": [{"index": 0, "finish_reason": None}], "id": "x", "model": "m"},
        chunk({"content": "a"}, finish_reason="stop"),
        DONE,
    )

    assert generation == "a"
    assert (generation.model, generation.metadata.response_id) == ("m", "x")


def test_quirk_20_a_filtered_choice_without_a_message():
    generation = plain({"choices": [{"index": 0, "finish_reason": "content_filter"}]})

    assert generation == ""
    assert generation.finish_reason is FinishReason.CONTENT_FILTER


def test_quirk_21_usage_is_not_last():
    generation = streamed(
        chunk({"content": "a"}, finish_reason="stop"),
        {"choices": [], "usage": {"prompt_tokens": 13}},
        {"choices": [], "moderation": {"input": {"flagged": False}}},
        DONE,
    )

    assert generation.usage.input_tokens == 13
    assert generation.metadata.details["moderation"] == {"input": {"flagged": False}}


def test_quirk_22_usage_in_a_field_of_the_vendors_own():
    generation = streamed(
        chunk({"content": "a"}),
        chunk(finish_reason="stop", x_groq={"id": "r", "usage": {"prompt_tokens": 5}}),
        DONE,
    )

    assert generation.usage.input_tokens == 5


def test_quirk_22_usage_in_every_chunk_is_not_added_up_and_the_whole_message_not_read_twice():
    def told(text, so_far):
        return chunk(
            {"content": text},
            choice={"message": {"role": "assistant", "content": so_far}},
            usage={"prompt_tokens": 5, "completion_tokens": len(so_far)},
        )

    generation = streamed(told("a", "a"), told("b", "ab"), told("c", "abc"), DONE)

    assert generation == "abc"
    assert (generation.usage.input_tokens, generation.usage.output_tokens) == (5, 3)


def test_quirk_23_two_finish_reasons():
    call = {"index": 0, "id": "a", "function": {"name": "now", "arguments": "{}"}}
    generation = streamed(
        chunk({"tool_calls": [call]}, finish_reason="tool_calls"), chunk(finish_reason="stop"), DONE
    )

    assert generation.finish_reason is FinishReason.TOOL_CALLS
    assert generation.metadata.finish_reason_raw == "stop"


def test_quirk_24_no_finish_reason_though_a_tool_was_called():
    call = {"index": 0, "id": "a", "function": {"name": "now", "arguments": "{}"}}
    generation = streamed(chunk({"tool_calls": [call]}), DONE)

    assert generation.finish_reason is FinishReason.TOOL_CALLS
    assert generation.metadata.finish_reason_raw is None


@pytest.mark.parametrize("raw", ["stop", "STOP", ""])
def test_quirk_25_tool_calls_that_end_in_another_word(raw):
    call = {"id": "a", "type": "function", "function": {"name": "now", "arguments": "{}"}}
    generation = plain(answer({"content": None, "tool_calls": [call]}, finish_reason=raw))

    assert generation.finish_reason is FinishReason.TOOL_CALLS
    assert generation.metadata.finish_reason_raw == raw


def test_quirk_26_content_is_a_list_and_then_a_string():
    generation = streamed(
        chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "12*12"}]}]}),
        chunk(
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "!"}]},
                    {"type": "text", "text": "1"},
                ]
            }
        ),
        chunk({"content": "44"}),
        DONE,
    )

    assert (generation, generation.reasoning) == ("144", "12*12!")


def test_quirk_27_the_same_words_beside_the_delta():
    assert streamed(chunk({"content": "a"}, choice={"text": "a"}), DONE) == "a"


@pytest.mark.parametrize("details", [[], [{"type": "reasoning.text", "text": "hm", "index": 0}]])
@pytest.mark.parametrize("dialect", [SERVER, Dialect(name="r", reasoning="reasoning_details")])
def test_quirk_28_the_same_reasoning_under_two_names(details, dialect):
    generation = streamed(
        chunk({"reasoning": "hm", "reasoning_details": details}), DONE, dialect=dialect
    )

    assert generation.reasoning == "hm"


def test_quirk_28_reasoning_only_in_the_details():
    details = [{"type": "reasoning.summary", "summary": "h", "index": 0}]

    assert streamed(chunk({"reasoning_details": details}), DONE).reasoning == "h"


# --- tool calls


def test_quirk_29_a_call_without_an_index():
    told = [{"id": name, "function": {"name": name, "arguments": "{}"}} for name in ("a", "b")]
    generation = streamed(chunk({"tool_calls": told}), DONE)

    assert [(call.id, call.name, call.arguments) for call in generation.tool_calls] == [
        ("a", "a", "{}"),
        ("b", "b", "{}"),
    ]


def test_quirk_30_id_and_name_in_every_delta():
    def told(piece):
        call = {"index": 0, "id": "a", "function": {"name": "now", "arguments": piece}}
        return chunk({"tool_calls": [call]})

    generation = streamed(*[told(piece) for piece in ["", *'{"x": 1}']], DONE)

    assert [(call.id, call.name, call.arguments) for call in generation.tool_calls] == [
        ("a", "now", '{"x": 1}')
    ]


def test_quirk_31_a_call_in_two_fields_at_once():
    def told(piece):
        function = {"name": "now", "arguments": piece}
        call = {"index": 0, "id": "a", "function": function}
        return chunk({"tool_calls": [call], "function_call": function})

    generation = streamed(told("{"), told("}"), DONE)

    assert [call.arguments for call in generation.tool_calls] == ["{}"]


def test_quirk_31_every_optional_field_filled_with_nothing():
    generation = plain(
        answer(
            {
                "content": "Hi",
                "refusal": "",
                "function_call": {"name": "", "arguments": ""},
                "audio": {"id": "", "data": "", "expires_at": 0},
                "annotations": None,
                "tool_calls": None,
            },
            finish_reason="",
            choice={"logprobs": {"content": None, "refusal": None}},
            service_tier="",
            system_fingerprint="",
        )
    )

    assert generation == "Hi"
    assert generation.tool_calls == ()
    assert generation.refusal is None
    assert generation.metadata.details == {}


def test_quirk_35_arguments_cut_by_the_limit():
    call = {"id": "a", "function": {"name": "now", "arguments": '{"city": "Be'}}
    generation = plain(answer({"tool_calls": [call]}, finish_reason="length"))

    assert generation.finish_reason is FinishReason.LENGTH
    assert generation.tool_calls[0].arguments == '{"city": "Be'


# --- usage and embeddings


def test_quirk_38_output_that_leaves_out_reasoning():
    usage = {
        "prompt_tokens": 12,
        "completion_tokens": 2,
        "total_tokens": 334,
        "completion_tokens_details": {"reasoning_tokens": 320},
    }
    generation = plain(answer({"content": "a"}, usage=usage), dialect=Dialect(name="xai"))

    assert generation.usage.output_tokens == 322


def test_quirk_38_a_sum_that_nothing_explains_is_told_as_it_is():
    usage = {"prompt_tokens": 35, "completion_tokens": 12, "total_tokens": 109}
    told = plain(answer({"content": "a"}, usage=usage)).usage

    assert (told.input_tokens, told.output_tokens, told.total_tokens) == (35, 12, 109)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens_details": {"cached_tokens": 7}},
        {"prompt_cache_hit_tokens": 7},
        {"num_cached_tokens": 7},
        {"cache_read_input_tokens": 7},
        {"cached_tokens": 7},
    ],
)
def test_quirk_39_cached_tokens_under_every_name(usage):
    assert plain(answer({"content": "a"}, usage=usage)).usage.cache_read_tokens == 7


def test_quirk_41_base64_that_nobody_asked_for_and_8_bit_integers():
    body = {"data": [{"index": 0, "embedding": base64.b64encode(b"\xf6\xc6").decode()}]}
    codec = OpenAIChatCodec(Dialect(name="s", embeddings="int8"))
    decoded = codec.decode_embed(response(body), EmbedRequest(texts=("a",)))

    assert decoded.vectors[0].tolist() == [-10.0, -58.0]


def test_quirk_41_one_vector_per_token():
    body = {"data": [{"index": 0, "embedding": [[0.1, 0.2], [0.3, 0.4]]}]}

    with pytest.raises(InvalidResponseError, match="per token"):
        OpenAIChatCodec(SERVER).decode_embed(response(body), EmbedRequest(texts=("a",)))


# --- not numbered, seen or announced


@pytest.mark.parametrize("char", ["\u2028", "\u0085", "\x0b"])
def test_line_ends_of_unicode_inside_a_line(char):
    body = f'data: {{"choices": [{{"delta": {{"content": "a{char}b"}}}}]}}\n\n'.encode()
    if ord(char) < 0x20:
        body = body.replace(char.encode(), b"\\u000b")

    assert events_of(body + DONE)[0][0] == TextDelta(f"a{char}b")


def test_a_quota_that_is_spent():
    told = {"message": "You exceeded your current quota", "code": "insufficient_quota"}

    assert type(decode_error({"error": told}, 429)) is QuotaExceededError


def test_a_value_that_the_model_does_not_support():
    told = {"message": "does not support 'system'", "code": "unsupported_value"}

    assert type(decode_error({"error": told}, 400)) is UnsupportedOperationError


def test_a_server_that_is_loading_its_model():
    told = {"code": 503, "message": "Loading model", "type": "unavailable_error"}

    assert type(decode_error({"error": told}, 503)) is OverloadedError
