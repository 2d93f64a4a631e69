import json
from dataclasses import FrozenInstanceError, fields

import pytest
from pydantic import TypeAdapter, ValidationError

from fairlead.core.errors import InvalidRequestError
from fairlead.core.messages import Image, Message, Text, Tool, ToolCall, ToolResult
from fairlead.core.results import FinishReason, Generation, Metadata
from fairlead.core.usage import Usage
from fairlead.facade.chat import (
    ChatCompletionRequest,
    ChatCompletionResponse,
    prompt_of,
    response_of,
)

HELLO = [{"role": "user", "content": "Hello"}]


def request(**fields):
    return ChatCompletionRequest(messages=fields.pop("messages", HELLO), **fields)


def generation(text="Hi!", **metadata):
    return Generation(text, Metadata(**{"provider": "test", "model": "tiny", **metadata}))


def test_nothing_is_asked_for_that_the_client_did_not_set():
    prompt, options = prompt_of(request())

    assert prompt == (Message.user("Hello"),)
    assert options == {}


def test_every_field_has_its_option():
    _, options = prompt_of(
        request(
            model="gpt-4",
            temperature=0.0,
            top_p=1.0,
            max_tokens=150,
            stop="END",
            seed=7,
            frequency_penalty=0.5,
            presence_penalty=-0.5,
            logprobs=True,
            top_logprobs=3,
            reasoning_effort="low",
            tools=[{"type": "function", "function": {"name": "look_up"}}],
            tool_choice={"type": "function", "function": {"name": "look_up"}},
            response_format={"type": "json_object"},
            extra={"user": "me"},
        )
    )

    assert options == {
        "model": "gpt-4",
        "temperature": 0.0,
        "top_p": 1.0,
        "max_tokens": 150,
        "stop_sequences": ("END",),
        "seed": 7,
        "frequency_penalty": 0.5,
        "presence_penalty": -0.5,
        "logprobs": 3,
        "reasoning_effort": "low",
        "tools": (Tool("look_up"),),
        "tool_choice": "look_up",
        "response_format": {"type": "object"},
        "extra": {"user": "me"},
    }


def test_both_names_of_the_limit_are_understood():
    assert prompt_of(request(max_completion_tokens=9))[1] == {"max_tokens": 9}


def test_a_whole_conversation_is_understood():
    call = {"id": "c1", "type": "function", "function": {"name": "see", "arguments": "{}"}}
    look = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    prompt, _ = prompt_of(
        request(
            messages=[
                {"role": "system", "content": "You are terse."},
                {"role": "user", "content": [{"type": "text", "text": "What is it?"}, look]},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "c1", "content": "a cat"},
            ]
        )
    )

    assert prompt == (
        Message.system("You are terse."),
        Message.user(Text("What is it?"), Image(url="https://example.org/a.png")),
        Message.assistant([ToolCall("c1", "see", "{}")]),
        Message("tool", [ToolResult("c1", "a cat")]),
    )


@pytest.mark.parametrize(
    "fields, told",
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "nobody", "content": "x"}]}, "role"),
        ({"messages": ["Hello"]}, "role"),
        ({"stream": True}, "generate_stream"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"extra": {"user": {1, 2}}}, "JSON"),
    ],
)
def test_what_is_no_request_is_refused(fields, told):
    with pytest.raises(InvalidRequestError, match=told):
        prompt_of(request(**fields))


def test_extra_cannot_overrule_a_field():
    _, options = prompt_of(request(temperature=0.5, extra={"temperature": 2.0, "user": "me"}))

    assert options == {"temperature": 0.5, "extra": {"user": "me"}}


def test_an_answer_is_read_as_clients_read_it():
    usage = Usage(input_tokens=5, output_tokens=2, total_tokens=7)
    response = response_of(
        generation(response_id="chatcmpl-1", finish_reason=FinishReason.STOP, usage=usage),
        created=1234567890,
    )

    assert response.choices[0]["message"]["content"] == "Hi!"
    assert response.choices[0]["finish_reason"] == "stop"
    assert response.usage["total_tokens"] == 7
    assert (response.id, response.model, response.created) == ("chatcmpl-1", "tiny", 1234567890)
    assert response.object == "chat.completion"


def test_tool_calls_are_told():
    call = ToolCall("c1", "look_up", '{"city": "Bern"}')
    metadata = {"parts": (call,), "finish_reason": FinishReason.TOOL_CALLS}

    choice = response_of(generation("", **metadata), created=0).choices[0]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert choice["message"]["tool_calls"][0]["function"] == {
        "name": "look_up",
        "arguments": '{"city": "Bern"}',
    }


@pytest.mark.parametrize(
    "usage, total",
    [
        (Usage(input_tokens=5, output_tokens=2), 7),
        (Usage(input_tokens=5, output_tokens=2, total_tokens=9), 9),
        (Usage(input_tokens=5), None),
    ],
)
def test_the_sum_is_made_only_of_what_is_known(usage, total):
    assert response_of(generation(usage=usage), created=0).usage["total_tokens"] == total


def test_what_nobody_told_stays_unknown():
    response = response_of(generation(request_id="req-1", model=None), created=0)

    assert response.usage is None
    assert response.model == ""
    assert response.id == "req-1"


def test_warnings_and_provider_travel_with_the_answer():
    response = response_of(generation(warnings=("another target answered",)), created=0)

    assert response.provider == "test"
    assert response.warnings == ("another target answered",)


def test_a_client_library_reads_the_answer():
    """The official SDK's model of an answer is pydantic's reading of this JSON."""
    response = response_of(generation(response_id="a"), created=1)
    told = json.loads(TypeAdapter(ChatCompletionResponse).dump_json(response))

    assert TypeAdapter(ChatCompletionResponse).validate_python(told) == response


def test_a_body_is_validated_as_fastapi_does():
    body = {"model": "gpt-4", "messages": HELLO, "temperature": 0.7}
    read = TypeAdapter(ChatCompletionRequest).validate_python(body)

    assert read == request(model="gpt-4", temperature=0.7)


@pytest.mark.parametrize(
    "body, where",
    [
        ({"messages": HELLO, "temprature": 0.7}, "temprature"),
        ({"model": "gpt-4"}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": HELLO, "max_tokens": "many"}, "max_tokens"),
    ],
)
def test_a_body_that_is_none_is_refused_where_it_is_wrong(body, where):
    with pytest.raises(ValidationError, match=where):
        TypeAdapter(ChatCompletionRequest).validate_python(body)


@pytest.mark.parametrize(
    "value",
    [
        request(),
        response_of(generation(), created=0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_types_cannot_be_changed(value):
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(value)[0].name, "another")
