"""The other side of the format: requests read, answers written."""

import json

import pytest

from fairlead.core.embeddings import Embedding
from fairlead.core.errors import InvalidRequestError, RateLimitError
from fairlead.core.events import (
    ReasoningDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from fairlead.core.messages import Image, Message, Reasoning, Refusal, Text, Tool, ToolCall
from fairlead.core.results import FinishReason, Generation, Metadata
from fairlead.core.usage import Usage
from fairlead.wire.openai_chat.mirror import (
    StreamEncoder,
    decode_embed_request,
    decode_request,
    encode_embeddings,
    encode_error,
    encode_generation,
)


def decode(messages=({"role": "user", "content": "Hi"},), **told):
    return decode_request(json.dumps({"model": "m", "messages": messages, **told}).encode())


def messages(*told):
    return decode(told).request.messages


def test_a_request():
    served = decode(stream=True, stream_options={"include_usage": True}, temperature=0.5, user="u")

    assert served.request.messages == (Message.user("Hi"),)
    assert served.request.model == "m"
    assert served.request.temperature == 0.5
    assert served.request.extra == {"user": "u"}
    assert served.stream
    assert served.include_usage


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_both_names_for_the_limit_of_tokens(name):
    assert decode(**{name: 5}).request.max_tokens == 5


@pytest.mark.parametrize("stop", ["a", ["a"]])
def test_one_stop_sequence_may_stand_alone(stop):
    assert decode(stop=stop).request.stop_sequences == ("a",)


@pytest.mark.parametrize("told", [None, "auto"])
def test_what_is_null_is_not_set(told):
    assert decode(temperature=None, tool_choice=told).request.temperature is None


@pytest.mark.parametrize(
    ("told", "logprobs"),
    [
        ({}, None),
        ({"logprobs": False}, None),
        ({"logprobs": True}, True),
        ({"logprobs": True, "top_logprobs": 3}, 3),
    ],
)
def test_logprobs(told, logprobs):
    assert decode(**told).request.logprobs == logprobs


def test_tools_and_the_choice_of_one():
    served = decode(
        tools=[{"type": "function", "function": {"name": "now", "description": "Tells it"}}],
        tool_choice={"type": "function", "function": {"name": "now"}},
    )

    assert served.request.tools == (Tool("now", "Tells it"),)
    assert served.request.tool_choice == "now"


@pytest.mark.parametrize(
    ("told", "schema"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, {"type": "object"}),
        ({"type": "json_schema", "json_schema": {"schema": {"type": "array"}}}, {"type": "array"}),
    ],
)
def test_response_formats(told, schema):
    assert decode(response_format=told).request.response_format == schema


def test_roles():
    assert [
        message.role.value
        for message in messages(
            {"role": "developer", "content": "a"},
            {"role": "system", "content": "b"},
            {"role": "user", "content": "c"},
            {"role": "tool", "tool_call_id": "1", "content": "d"},
        )
    ] == ["system", "system", "user", "tool"]


def test_what_the_model_said():
    (message,) = messages(
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "hm",
            "tool_calls": [{"id": "a", "function": {"name": "now", "arguments": "{}"}}],
        }
    )

    assert message.parts == (Reasoning("hm"), ToolCall("a", "now", "{}"))


def test_a_picture_by_address_and_in_hand():
    told = [
        {"type": "image_url", "image_url": {"url": url}}
        for url in ("https://x.test/a", "data:image/png;base64,AAA=")
    ]
    (message,) = messages({"role": "user", "content": [*told, {"type": "text", "text": "?"}]})

    assert message.parts == (
        Image(url="https://x.test/a"),
        Image(data=b"\x00\x00", media_type="image/png"),
        Text("?"),
    )


@pytest.mark.parametrize(
    "body", [b"", b"oops", b"[]", b"{}", b'{"messages": []}', b'{"model": "m"}']
)
def test_what_is_no_request_is_refused(body):
    with pytest.raises(InvalidRequestError):
        decode_request(body)


@pytest.mark.parametrize(
    "told",
    [
        {"temperature": "hot"},
        {"max_tokens": 1.5},
        {"stop": 5},
        {"tool_choice": "required"},
        {"tools": [{"type": "function"}]},
        {"messages": [{"role": "nobody", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "video"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "file", "file": {"file_data": "data:a/b;base64,?"}}],
                }
            ]
        },
        {
            "messages": [
                {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "?"}}]}
            ]
        },
    ],
)
def test_what_makes_no_sense_is_refused(told):
    with pytest.raises(InvalidRequestError):
        decode(**told)


# --- answers

METADATA = Metadata(provider="p", model="m", response_id="r", finish_reason=FinishReason.STOP)


def test_an_answer():
    usage = Usage(input_tokens=1, output_tokens=2, total_tokens=3, cache_read_tokens=1)
    metadata = Metadata(
        provider="p", model="m", response_id="r", finish_reason=FinishReason.STOP, usage=usage
    )

    assert json.loads(encode_generation(Generation("Hi", metadata), created=7)) == {
        "id": "r",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 1,
            "completion_tokens": 2,
            "total_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 1},
            "completion_tokens_details": {},
        },
    }


def stream(*events, **options):
    encoder = StreamEncoder(response_id="r", model="m", **options)
    sent = [encoder.encode_event(event) for event in events]
    assert all(each == b"" or each.startswith(b"data: ") for each in sent)
    lines = b"".join(sent).decode().split("\n\n")
    assert lines[-1] == ""
    return [line.removeprefix("data: ") for line in lines[:-1]]


def deltas(*events):
    chunks = [json.loads(line) for line in stream(*events)]
    return [chunk["choices"][0]["delta"] for chunk in chunks]


def test_the_first_chunk_tells_the_role():
    assert deltas(StreamStart("r", "m"), TextDelta("a"), TextDelta("b")) == [
        {"role": "assistant", "content": ""},
        {"content": "a"},
        {"content": "b"},
    ]
    assert deltas(TextDelta("a")) == [{"role": "assistant", "content": "a"}]


def test_facts_told_by_the_start_are_those_of_every_chunk():
    (chunk,) = stream(StreamStart("x", "y"))

    assert (json.loads(chunk)["id"], json.loads(chunk)["model"]) == ("x", "y")


def test_a_start_told_twice_is_sent_once():
    assert len(deltas(StreamStart("x", "y"), StreamStart("x", "y"))) == 1


def test_a_tool_call_in_pieces():
    assert deltas(
        StreamStart(), ToolCallDelta(0, "a", "now", "{"), ToolCallDelta(0, arguments="}")
    )[1:] == [
        {
            "tool_calls": [
                {
                    "index": 0,
                    "function": {"name": "now", "arguments": "{"},
                    "id": "a",
                    "type": "function",
                }
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]},
    ]


def test_what_ends_reasoning_is_not_for_clients():
    assert deltas(StreamStart(), ReasoningDelta("hm"), ReasoningDelta("", {"a": 1}, "o"))[1:] == [
        {"reasoning_content": "hm"}
    ]


@pytest.mark.parametrize(("include", "chunks"), [(True, 4), (False, 3)])
def test_usage_is_sent_where_it_was_asked_for(include, chunks):
    usage = Usage(input_tokens=1)
    sent = stream(TextDelta("a"), StreamEnd(FinishReason.STOP, usage=usage), include_usage=include)

    assert len(sent) == chunks
    assert sent[-1] == "[DONE]"
    assert json.loads(sent[1])["choices"][0]["finish_reason"] == "stop"
    assert ('"usage"' in sent[-2]) is include


def test_logprobs_are_sent_with_the_end():
    end = StreamEnd(FinishReason.STOP, logprobs=({"token": "a"},))

    assert '"logprobs":{"content":[{"token":"a"}]}' in stream(end)[0]


def test_an_error():
    error = RateLimitError("slow", code="c")

    assert json.loads(encode_error(error)) == {
        "error": {"message": "slow", "type": "RateLimitError", "param": None, "code": "c"}
    }
    assert StreamEncoder().encode_error(error) == b"data: " + encode_error(error) + b"\n\n"


# --- embeddings


@pytest.mark.parametrize("texts", ["a", ["a"]])
def test_a_request_for_vectors(texts):
    served = decode_embed_request(
        json.dumps(
            {"model": "m", "input": texts, "encoding_format": "base64", "user": "u"}
        ).encode()
    )

    assert served.request.texts == ("a",)
    assert served.request.extra == {"user": "u"}
    assert served.base64


@pytest.mark.parametrize("texts", [None, [], "", [1], [""], [[1, 2]]])
def test_what_is_no_text_is_refused(texts):
    with pytest.raises(InvalidRequestError):
        decode_embed_request(json.dumps({"model": "m", "input": texts}).encode())


def test_vectors():
    body = encode_embeddings(
        [Embedding([0.5])], model="m", usage=Usage(input_tokens=1, total_tokens=1)
    )

    assert json.loads(body) == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
        "model": "m",
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }


def test_a_refusal_in_a_request():
    (message,) = messages({"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]})

    assert message.parts == (Refusal("no"),)
