"""Messages, as items."""

import json

import pytest

from fairlead.core.errors import InvalidRequestError, UnsupportedOperationError
from fairlead.core.messages import (
    Audio,
    File,
    Image,
    Message,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from fairlead.core.requests import GenerateRequest, messages_of
from fairlead.wire.openai_chat import OPENAI
from fairlead.wire.openai_responses import OpenAIResponsesCodec
from tests.support.responses import ORIGIN, SERVER, body, call, message, plain, thought

SEALED = thought(encrypted_content="e")
KEPT = Reasoning("Hm.", {"item": SEALED}, ORIGIN)
NAMED = {"type": "function_call", "call_id": "a", "name": "tide"}


def encode(*prompt, dialect=SERVER, model="m", strict=False):
    request = GenerateRequest(messages=messages_of(prompt), model=model, strict=strict)
    encoded = OpenAIResponsesCodec(dialect).encode_generate(request, stream=False)
    return json.loads(encoded.body)["input"], encoded.warnings


def items(*prompt, **how):
    """The items, where nothing is to be said about them."""
    told, warnings = encode(*prompt, **how)
    assert warnings == ()
    return told


def said(*parts, **how):
    return items(Message(Role.ASSISTANT, parts), **how)


def test_roles():
    prompt = (Message.system("a"), Message.user("b"), Message.assistant("c"))

    assert [item["role"] for item in items(*prompt)] == ["system", "user", "assistant"]
    assert items(*prompt)[2] == {"role": "assistant", "content": "c"}
    assert items(*prompt, dialect=OPENAI, model="gpt-5.6")[0]["role"] == "developer"


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (Text("a"), {"type": "input_text", "text": "a"}),
        (
            Image(url="https://x.test/a.png"),
            {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "auto"},
        ),
        (
            Image(data=b"a", media_type="image/png", detail="low"),
            {"type": "input_image", "image_url": "data:image/png;base64,YQ==", "detail": "low"},
        ),
        (
            File(url="https://x.test/a.pdf"),
            {"type": "input_file", "file_url": "https://x.test/a.pdf"},
        ),
        (
            File(data=b"a", media_type="application/pdf", name="a.pdf"),
            {
                "type": "input_file",
                "filename": "a.pdf",
                "file_data": "data:application/pdf;base64,YQ==",
            },
        ),
        (
            File(url="data:text/plain;base64,YQ=="),
            {"type": "input_file", "filename": "file", "file_data": "data:text/plain;base64,YQ=="},
        ),
        (
            Audio(data=b"a", media_type="audio/wav"),
            {"type": "input_audio", "input_audio": {"data": "YQ==", "format": "wav"}},
        ),
    ],
)
def test_what_a_user_says(part, told):
    (item,) = items(Message(Role.USER, (Text("See"), part)))

    assert item["content"] == [{"type": "input_text", "text": "See"}, told]


def test_a_message_of_nothing():
    assert items("x", Message(Role.USER, ()), Message(Role.ASSISTANT, ()))[1:] == [
        {"role": "user", "content": ""},
        {"role": "assistant", "content": ""},
    ]


@pytest.mark.parametrize("part", [ToolCall("a", "tide", "{}"), Refusal("No"), Reasoning("Hm")])
def test_what_a_user_cannot_say(part):
    with pytest.raises(UnsupportedOperationError, match="cannot be said by the user"):
        encode(Message(Role.USER, (Text("x"), part)))


def test_a_tool_says_results_only():
    with pytest.raises(InvalidRequestError, match="ToolResult"):
        encode("x", Message(Role.TOOL, (Text("x"),)))


def test_texts_that_follow_each_other_are_one_message():
    assert said(Text("a"), Reasoning("Hm"), Text("b")) == [{"role": "assistant", "content": "ab"}]


def test_a_refusal_is_said_as_the_model_said_it():
    assert said(Text("a"), Refusal("No.")) == [
        {
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "a", "annotations": []},
                {"type": "refusal", "refusal": "No."},
            ],
        }
    ]


def test_parts_keep_their_order():
    told = said(KEPT, Text("a"), ToolCall("a", "tide", "{}"), Text("b"))

    assert [item.get("type", item.get("role")) for item in told] == [
        "reasoning",
        "assistant",
        "function_call",
        "assistant",
    ]


def test_what_the_model_said_in_pictures_is_dropped():
    told, warnings = encode(Message(Role.ASSISTANT, (Text("a"), Image(url="https://x.test/a.png"))))

    assert told == [{"role": "assistant", "content": "a"}]
    assert "image" in warnings[0]


def test_a_whole_answer_is_given_back_as_it_came():
    search = {"type": "web_search_call", "id": "ws", "status": "completed"}
    answer = plain(body(SEALED, search, message("One.", phase="commentary"), call(namespace="n")))
    told = items("x", answer, ToolResult(answer.tool_calls[0], "now"))

    assert told[1:] == [
        SEALED,
        search,
        {"role": "assistant", "content": "One.", "phase": "commentary"},
        {
            "type": "function_call",
            "call_id": "call-fc-1",
            "name": "tide",
            "arguments": "{}",
            "namespace": "n",
        },
        {"type": "function_call_output", "call_id": "call-fc-1", "output": "now"},
    ]


@pytest.mark.parametrize("origin", ["openai_chat:server", "openai_responses:azure", None])
def test_what_another_understands_is_dropped(origin):
    told, warnings = encode(
        Message(
            Role.ASSISTANT,
            (
                Reasoning("Hm.", {"item": SEALED}, origin),
                Reasoning("", {"phase": "commentary"}, origin),
                Text("a"),
                ToolCall("a", "tide", "{}", {"namespace": "n"}, origin),
            ),
        )
    )

    assert told == [{"role": "assistant", "content": "a"}, {**NAMED, "arguments": "{}"}]
    assert len(warnings) == 1
    with pytest.raises(UnsupportedOperationError):
        encode(Message(Role.ASSISTANT, (KEPT, Text("a"))), dialect=OPENAI, strict=True)


def test_reasoning_that_nothing_follows_is_left_out():
    told, warnings = encode("x", Message(Role.ASSISTANT, (Text("a"), KEPT)), "y")

    assert [item["content"] for item in told] == ["x", "a", "y"]
    assert "nothing follows" in warnings[0]


def test_a_call_without_arguments():
    assert said(ToolCall("a", "tide", "")) == [{**NAMED, "arguments": "{}"}]


def test_a_result():
    told = items("x", Message(Role.ASSISTANT, ToolCall("a", "tide", "{}")), ToolResult("a", "now"))

    assert told[2] == {"type": "function_call_output", "call_id": "a", "output": "now"}


@pytest.mark.parametrize(
    ("content", "error", "output"),
    [
        ("now", True, "Error: now"),
        ((Text("n"), Text("ow")), False, "now"),
        (
            (Text("n"), Image(url="https://x.test/a.png")),
            False,
            [
                {"type": "input_text", "text": "n"},
                {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "auto"},
            ],
        ),
        (
            (File(url="https://x.test/a.pdf"),),
            True,
            [
                {"type": "input_text", "text": "Error:"},
                {"type": "input_file", "file_url": "https://x.test/a.pdf"},
            ],
        ),
    ],
)
def test_what_a_result_may_hold(content, error, output):
    calls = Message(Role.ASSISTANT, ToolCall("a", "tide", "{}"))

    assert items("x", calls, ToolResult("a", content, error=error))[2]["output"] == output


def test_a_custom_call_and_its_result():
    item = {"type": "custom_tool_call", "id": "c", "call_id": "x", "name": "sql", "input": "SELECT"}
    answer = plain(body(item))

    assert items("x", answer, ToolResult("x", "1"))[1:] == [
        {"type": "custom_tool_call", "call_id": "x", "name": "sql", "input": "SELECT"},
        {"type": "custom_tool_call_output", "call_id": "x", "output": "1"},
    ]


def test_a_custom_call_of_nothing():
    opaque = {"type": "custom_tool_call"}

    assert said(ToolCall("x", "sql", "", opaque, ORIGIN))[0]["input"] == ""


def test_who_called_is_said_of_the_result_too():
    caller = {"type": "program", "caller_id": "p"}
    answer = plain(body(call(caller=caller)))
    told = items("x", answer, ToolResult(answer.tool_calls[0], "1"))

    assert told[1]["caller"] == told[2]["caller"] == caller


def test_ids_are_made_legal_and_unambiguous():
    turn = Message(Role.ASSISTANT, ToolCall("no good!", "tide", "{}"))
    told = items(
        "x", turn, ToolResult("no good!", "1"), turn, ToolResult("no good!", "2"), dialect=OPENAI
    )
    ids = [item["call_id"] for item in told[1:]]

    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert all(id_.startswith("call_") for id_ in ids)
