"""Messages of a request."""

import base64
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
    Text,
    ToolCall,
    ToolResult,
)
from fairlead.core.requests import generate_request
from fairlead.wire.openai_chat import Dialect, OpenAIChatCodec

SERVER = Dialect(name="server")
DEEPSEEK = Dialect(name="deepseek", reasoning="reasoning_content")
ROUTER = Dialect(name="router", reasoning="reasoning_details")
PNG = base64.b64encode(b"png").decode()


def encode(*turns, dialect=SERVER, **options):
    request, _ = generate_request(list(turns), {"model": "m", **options})
    sent = OpenAIChatCodec(dialect).encode_generate(request, stream=False)
    return json.loads(sent.body)["messages"], sent.warnings


def messages(*turns, **options):
    return encode(*turns, **options)[0]


def content(*parts):
    return messages(Message.user(*parts))[0]["content"]


def test_a_turn_of_one_text_is_a_plain_string():
    assert messages(Message.system("a"), "b") == [
        {"role": "system", "content": "a"},
        {"role": "user", "content": "b"},
    ]


def test_several_parts_are_a_list():
    assert content("What is this?", Image(url="https://x.test/a.png")) == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
    ]


def test_a_picture_in_hand_is_a_data_address():
    assert content(Image(data=b"png", media_type="image/png", detail="low")) == [
        {
            "type": "image_url",
            "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"},
        }
    ]


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [("audio/mpeg", "mp3"), ("audio/wav", "wav"), ("audio/x-wav", "wav"), ("audio/flac", "flac")],
)
def test_sound(media_type, kind):
    assert content(Audio(data=b"png", media_type=media_type)) == [
        {"type": "input_audio", "input_audio": {"data": PNG, "format": kind}}
    ]


def test_sound_may_come_as_a_data_address():
    assert content(Audio(url=f"data:audio/wav;base64,{PNG}")) == [
        {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}}
    ]


def test_a_file():
    assert content(File(data=b"png", media_type="application/pdf", name="a.pdf")) == [
        {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PNG}"},
        }
    ]


@pytest.mark.parametrize("part", [Audio(url="https://x.test/a"), File(url="https://x.test/a")])
def test_sound_and_files_by_address_are_refused(part):
    with pytest.raises(UnsupportedOperationError, match="data="):
        content(part)


def test_a_picture_in_a_system_message_is_refused():
    with pytest.raises(UnsupportedOperationError, match="Image"):
        messages(Message.system([Text("a"), Image(url="https://x.test/a.png")]))


# --- what the model said


def test_texts_of_the_model_are_one_text():
    assert messages(Message.assistant([Text("a"), Text("b")])) == [
        {"role": "assistant", "content": "ab"}
    ]


def test_a_refusal_of_the_model():
    assert messages(Message.assistant(Refusal("no"))) == [
        {"role": "assistant", "content": None, "refusal": "no"}
    ]


def test_tool_calls_and_their_results():
    call = ToolCall("call_1", "weather", '{"city": "Bern"}')

    assert messages(Message.assistant([Text("Wait."), call]), ToolResult(call, "9 degrees")) == [
        {
            "role": "assistant",
            "content": "Wait.",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city": "Bern"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "9 degrees"},
    ]


def test_a_message_that_only_calls_has_no_content():
    assert messages(Message.assistant(ToolCall("1", "now", "{}")))[0]["content"] is None


def test_no_arguments_are_an_empty_object():
    call = messages(Message.assistant(ToolCall("1", "now", "")))[0]["tool_calls"][0]

    assert call["function"]["arguments"] == "{}"


def test_arguments_go_back_exactly_as_the_model_wrote_them():
    call = messages(Message.assistant(ToolCall("1", "now", '{"a": 1, ')))[0]["tool_calls"][0]

    assert call["function"]["arguments"] == '{"a": 1, '


def test_a_failed_tool_says_so():
    result = ToolResult("call_1", "no such city", error=True)

    assert messages(result)[0]["content"] == "Error: no such city"


def test_results_of_parallel_calls_are_a_message_each():
    calls = [ToolCall(f"c{n}", "now", "{}") for n in range(2)]
    turn = Message("tool", [ToolResult(call, str(n)) for n, call in enumerate(calls)])
    sent = messages(Message.assistant(calls), turn)

    assert [(each["tool_call_id"], each["content"]) for each in sent[1:]] == [
        ("c0", "0"),
        ("c1", "1"),
    ]


def test_ids_are_rewritten_to_the_vendors_rule_for_call_and_result_alike():
    call = ToolCall("functions.weather:0", "weather", "{}")
    dialect = Dialect(name="s", tool_call_id=r"[a-z0-9_]{1,40}")
    sent = messages(Message.assistant(call), ToolResult(call, "x"), dialect=dialect)

    assert sent[0]["tool_calls"][0]["id"] == sent[1]["tool_call_id"]
    assert ":" not in sent[1]["tool_call_id"]


def test_an_id_repeated_over_turns_is_told_apart():
    call = ToolCall("0", "now", "{}")
    turn = [Message.assistant(call), ToolResult(call, "x")]
    sent = messages(*turn, *turn)

    assert sent[0]["tool_calls"][0]["id"] == sent[1]["tool_call_id"]
    assert sent[2]["tool_calls"][0]["id"] == sent[3]["tool_call_id"]
    assert sent[0]["tool_calls"][0]["id"] != sent[2]["tool_calls"][0]["id"]


def test_a_picture_from_a_tool_follows_from_the_user_after_all_results():
    calls = [ToolCall("a", "draw", "{}"), ToolCall("b", "draw", "{}")]
    picture = Image(url="https://x.test/a.png")
    sent, warnings = encode(
        Message.assistant(calls),
        ToolResult(calls[0], (Text("here"), picture)),
        ToolResult(calls[1], "none"),
        "Well?",
    )

    assert [each["role"] for each in sent] == ["assistant", "tool", "tool", "user", "user"]
    assert sent[1]["content"] == "here"
    assert sent[3]["content"][0]["type"] == "image_url"
    assert "tool's result" in warnings[0]


def test_a_picture_that_the_model_had_made_is_dropped_with_a_warning():
    image = Image(url="https://x.test/a.png")
    sent, warnings = encode(Message.assistant([Text("a"), image]), "b")

    assert sent[0] == {"role": "assistant", "content": "a"}
    assert "image" in warnings[0]


# --- reasoning


def test_reasoning_is_given_back_in_the_vendors_own_field():
    part = Reasoning("hm", {"field": "reasoning_content"}, DEEPSEEK.origin)
    sent, warnings = encode(Message.assistant([part, Text("yes")]), dialect=DEEPSEEK)

    assert sent == [{"role": "assistant", "content": "yes", "reasoning_content": "hm"}]
    assert warnings == ()


def test_reasoning_details_are_given_back_unchanged():
    details = [{"type": "reasoning.encrypted", "data": "abc", "index": 0}]
    part = Reasoning("hm", {"reasoning_details": details}, ROUTER.origin)
    sent = messages(Message.assistant([part, Text("yes"), part]), dialect=ROUTER)

    assert sent[0]["reasoning_details"] == details * 2


def test_opaque_reasoning_of_another_origin_is_dropped_with_a_warning():
    part = Reasoning("hm", {"signature": "abc"}, "anthropic")
    sent, warnings = encode(Message.assistant([part, Text("yes")]), dialect=DEEPSEEK)

    assert sent == [{"role": "assistant", "content": "yes"}]
    assert "anthropic" in warnings[0]


def test_under_strict_it_is_refused():
    part = Reasoning("hm", {"signature": "abc"}, "anthropic")

    with pytest.raises(UnsupportedOperationError, match="opaque"):
        encode(Message.assistant([part, Text("yes")]), strict=True)


def test_plain_reasoning_is_not_sent_and_nobody_is_warned():
    assert encode(Message.assistant([Reasoning("hm"), Text("yes")]), dialect=DEEPSEEK) == (
        [{"role": "assistant", "content": "yes"}],
        (),
    )


def test_what_has_to_travel_with_a_call_does():
    opaque = {"extra_content": {"google": {"thought_signature": "abc"}}}
    call = ToolCall("1", "now", "{}", opaque, SERVER.origin)
    sent = messages(Message.assistant(call))

    assert sent[0]["tool_calls"][0]["extra_content"] == opaque["extra_content"]


def test_but_not_to_another_vendor():
    call = ToolCall("1", "now", "{}", {"extra_content": {"a": "b"}}, "elsewhere")
    sent, warnings = encode(Message.assistant(call))

    assert "extra_content" not in sent[0]["tool_calls"][0]
    assert "elsewhere" in warnings[0]


def test_a_tool_says_nothing_but_results():
    with pytest.raises(InvalidRequestError, match="ToolResult"):
        messages(Message("tool", "words"))
