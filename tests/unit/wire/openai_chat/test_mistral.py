"""Mistral's way of speaking Chat Completions. The bodies are written by hand."""

import json

import pytest

from fairlead.adapters.providers.presets import PRESETS
from fairlead.core.errors import (
    InvalidRequestError,
    ModelNotFoundError,
    RateLimitError,
    UnsupportedOperationError,
)
from fairlead.core.messages import (
    Audio,
    File,
    Image,
    Message,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from fairlead.core.requests import EmbedRequest, generate_request
from fairlead.wire.openai_chat import OpenAIChatCodec
from tests.support.chat import response, streamed

MISTRAL = PRESETS["mistral"].dialect
CODEC = OpenAIChatCodec(MISTRAL)


def encoded(*, prompt="Hi", stream=False, **options):
    request, _ = generate_request(prompt, {"model": "mistral-small-latest", **options})
    return CODEC.encode_generate(request, stream=stream)


def body(**options):
    return json.loads(encoded(**options).body)


def thinking(text, **more):
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}], **more}


def test_a_seed_is_random():
    assert body(seed=7, max_tokens=3)["random_seed"] == 7
    assert body(max_tokens=3)["max_tokens"] == 3


def test_usage_comes_without_being_asked_for():
    assert "stream_options" not in body(stream=True)
    assert CODEC.lossless_stream


def test_what_it_does_not_take_is_reported():
    assert encoded(logprobs=True).warnings == (
        "logprobs was left out: this model does not take it",
    )
    with pytest.raises(UnsupportedOperationError):
        encoded(logprobs=True, strict=True)


def test_the_name_that_it_gives_an_option_is_not_an_extra():
    with pytest.raises(InvalidRequestError, match="use seed="):
        encoded(extra={"random_seed": 1})


def test_ids_have_nine_characters():
    calls = [ToolCall("call_from_elsewhere", "f", "{}"), ToolCall("", "f", "{}")]
    prompt = [
        "Hi",
        Message.assistant(calls),
        ToolResult("call_from_elsewhere", "1"),
        ToolResult("", "2"),
    ]
    _, said, *results = body(prompt=prompt, tools=[Tool("f")])["messages"]
    ids = [call["id"] for call in said["tool_calls"]]

    assert [len(id_) for id_ in ids] == [9, 9]
    assert all(id_.isalnum() for id_ in ids)
    assert [result["tool_call_id"] for result in results] == ids
    assert len(set(ids)) == 2


def test_an_id_of_its_own_stays():
    prompt = [
        "Hi",
        Message.assistant([ToolCall("D681PevKs", "f", "{}")]),
        ToolResult("D681PevKs", ""),
    ]

    assert body(prompt=prompt)["messages"][1]["tool_calls"][0]["id"] == "D681PevKs"


def test_sounds_and_files_are_said_in_its_words():
    parts = [
        Text("Look"),
        Image(url="https://x.test/a.png"),
        Audio(data=b"ab", media_type="audio/mpeg"),
        File(url="https://x.test/a.pdf", name="a.pdf"),
        File(data=b"ab", media_type="application/pdf"),
    ]

    assert body(prompt=Message.user(*parts))["messages"][0]["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
        {"type": "input_audio", "input_audio": "YWI="},
        {
            "type": "document_url",
            "document_url": "https://x.test/a.pdf",
            "document_name": "a.pdf",
        },
        {"type": "document_url", "document_url": "data:application/pdf;base64,YWI="},
    ]


def chunk(content, finish_reason=None):
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}
    return {"id": "r", "model": "magistral", "choices": [choice]}


def test_quirk_26_thoughts_and_words_in_one_delta_and_then_words():
    told = streamed(
        chunk([thinking("12 squared")]),
        chunk([thinking(" is"), {"type": "text", "text": "1"}]),
        chunk("44", "stop"),
        dialect=MISTRAL,
    )

    assert told == "144"
    assert told.reasoning == "12 squared is"


def test_thoughts_go_back_as_they_came():
    told = streamed(
        chunk([thinking("Hm", signature="sig")]), chunk("Yes.", "stop"), dialect=MISTRAL
    )
    _, said, _ = body(prompt=["Well?", told, "Sure?"])["messages"]

    assert said == {
        "role": "assistant",
        "content": [thinking("Hm", signature="sig"), {"type": "text", "text": "Yes."}],
    }


def test_thoughts_without_a_signature_go_back_too():
    told = streamed(chunk([thinking("Hm")]), chunk("Yes.", "stop"), dialect=MISTRAL)

    assert body(prompt=["Well?", told, "Sure?"])["messages"][1]["content"][0] == thinking("Hm")


def test_a_refusal_goes_back_as_words():
    said = Message.assistant([Text("Well. "), Refusal("No.")])

    assert body(prompt=["Hi", said])["messages"][1] == {
        "role": "assistant",
        "content": "Well. No.",
    }


def test_another_vendors_thoughts_stay_out():
    foreign = Reasoning("Hm", {"signature": "theirs"}, origin="anthropic")
    sent = encoded(prompt=["Well?", Message.assistant([foreign, Text("Yes.")]), "Sure?"])

    assert json.loads(sent.body)["messages"][1]["content"] == "Yes."
    assert len(sent.warnings) == 1


def test_vectors():
    request = EmbedRequest(texts=("a",), model="mistral-embed", dimensions=8)

    assert json.loads(CODEC.encode_embed(request).body) == {
        "model": "mistral-embed",
        "input": ["a"],
        "output_dimension": 8,
    }


@pytest.mark.parametrize(
    ("status", "told", "kind", "said"),
    [
        (
            422,
            {"detail": [{"loc": ["body", "top_k"], "msg": "Extra inputs", "type": "extra"}]},
            InvalidRequestError,
            "body.top_k: Extra inputs",
        ),
        (
            422,
            {
                "object": "error",
                "message": {"detail": [{"loc": ["body", "n"], "msg": "Extra", "type": "x"}]},
                "type": "invalid_request_error",
                "code": None,
            },
            InvalidRequestError,
            "body.n: Extra",
        ),
        (
            429,
            {"message": "Requests rate limit exceeded", "request_id": "q"},
            RateLimitError,
            "Requests rate limit exceeded",
        ),
        (
            400,
            {"object": "error", "message": "Invalid model: x", "type": "invalid_model"},
            ModelNotFoundError,
            "Invalid model: x",
        ),
    ],
)
def test_errors(status, told, kind, said):
    error = CODEC.decode_error(response(told, status))

    assert isinstance(error, kind)
    assert error.message == said
