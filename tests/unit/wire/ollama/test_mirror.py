"""What a server makes of requests to Ollama that the codec would not write."""

import json

import pytest

from fairlead.core.embeddings import Embedding
from fairlead.core.errors import InvalidRequestError, ServerError
from fairlead.core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from fairlead.core.messages import Reasoning, Refusal, Text, ToolCall
from fairlead.core.results import FinishReason, Generation, Metadata
from fairlead.wire.ollama.mirror import (
    StreamEncoder,
    decode_embed_request,
    decode_request,
    encode_embeddings,
    encode_error,
    encode_generation,
)


def served(**fields):
    told = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **fields}
    return decode_request(json.dumps(told).encode())


def test_it_streams_unless_told_not_to():
    assert served().stream
    assert served().truncate
    assert served().num_ctx is None


def test_words_for_options():
    asked = served(format="json", think=True, options={"num_predict": 3}, keep_alive="5m").request

    assert asked.response_format == {"type": "object"}
    assert asked.reasoning_effort == "medium"
    assert asked.max_tokens == 3
    assert asked.extra == {"keep_alive": "5m"}
    assert served(think={}).request.reasoning_effort is None
    assert served(tools=[{"function": {"name": "t"}}]).request.tools[0].name == "t"


def test_thoughts_are_read():
    said = {"role": "assistant", "content": "Yes.", "thinking": "Hm"}
    (message,) = served(messages=[said]).request.messages

    assert message.parts == (Reasoning("Hm"), Text("Yes."))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"messages": []}, "'messages' is required"),
        ({"messages": [{"role": "king"}]}, "role must be one of"),
        ({"messages": [{"role": "user", "images": ["%"]}]}, "base64"),
        ({"tools": [{}]}, "a function with a name"),
        ({"options": {"temperature": "hot"}}, "temperature"),
    ],
)
def test_what_is_no_request(fields, said):
    with pytest.raises(InvalidRequestError, match=said):
        served(**fields)


@pytest.mark.parametrize("body", [b"", b"[]", b"oops"])
def test_what_is_no_object(body):
    with pytest.raises(InvalidRequestError, match="no JSON object"):
        decode_request(body)


def test_one_text():
    assert decode_embed_request(b'{"model": "m", "input": "a"}').texts == ("a",)


def lines(*events):
    encoder = StreamEncoder(model="m")
    return [json.loads(line) for e in events for line in encoder.encode_event(e).splitlines()]


def test_a_stream():
    told = lines(
        StreamStart("r", "tiny"),
        StreamStart("r"),
        ReasoningDelta("Hm"),
        ReasoningDelta("", {}),
        TextDelta("Hi"),
        RefusalDelta("No"),
        ToolCallDelta(0, "a", "tide", '{"har'),
        ToolCallDelta(0, arguments='bour":1}'),
        ToolCallDelta(1, "b", "wind"),
        ToolCallDelta(2, "c", "rain", "oops"),
        StreamEnd(FinishReason.TOOL_CALLS, logprobs=({"token": "x"},)),
    )

    assert [each["message"].get("content") for each in told] == ["", "Hi", "No", "", ""]
    assert {each["model"] for each in told} == {"tiny"}
    assert told[0]["message"]["thinking"] == "Hm"
    assert [call["function"]["arguments"] for call in told[3]["message"]["tool_calls"]] == [
        {"harbour": 1},
        {},
        {"arguments": "oops"},
    ]
    assert told[-1]["done"] is True
    assert told[-1]["done_reason"] == "stop"
    assert told[-1]["logprobs"] == [{"token": "x"}]


def test_a_refusal_is_words():
    metadata = Metadata(provider="p", parts=(Refusal("No."),), finish_reason=FinishReason.LENGTH)
    told = json.loads(encode_generation(Generation("", metadata)))

    assert told["message"] == {"role": "assistant", "content": "No."}
    assert told["done_reason"] == "length"


def test_a_call_in_a_plain_answer():
    metadata = Metadata(provider="p", parts=(ToolCall("a", "tide", ""),))
    (call,) = json.loads(encode_generation(Generation("", metadata)))["message"]["tool_calls"]

    assert call == {"id": "a", "function": {"name": "tide", "arguments": {}}}


def test_errors():
    assert json.loads(encode_error(ServerError("boom"))) == {"error": "boom"}
    assert json.loads(StreamEncoder().encode_error(ServerError("boom", status_code=500))) == {
        "error": "boom",
        "status": 500,
    }


def test_vectors_without_usage():
    assert json.loads(encode_embeddings([Embedding([1.0])], model="m")) == {
        "model": "m",
        "embeddings": [[1.0]],
    }
