"""Messages in Google's words."""

import base64

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
from fairlead.wire.gemini.messages import UNSIGNED
from tests.support.gemini import MODEL, answer, body, encoded, plain

OLD = "gemini-2.5-flash"
ORIGIN = "gemini:gemini"
CALL = ToolCall("call_1", "tide", '{"at": "Whitby"}', {"thoughtSignature": "sig"}, ORIGIN)


def contents(*turns, **options):
    return body(list(turns), **options)["contents"]


def test_roles():
    told = body([Message.system("Be brief."), "Hello", Message.assistant("Hi."), "Bye"])

    assert told["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert [(turn["role"], turn["parts"][0]["text"]) for turn in told["contents"]] == [
        ("user", "Hello"),
        ("model", "Hi."),
        ("user", "Bye"),
    ]


def test_a_later_system_message_is_moved():
    told, warnings, _ = encoded(["Hello", Message.system("Be brief.")])

    assert told["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert "moved to the beginning" in warnings[0]


def test_a_system_prompt_alone_is_the_user_s():
    told, warnings, _ = encoded(Message.system("Be brief."))

    assert told == {"contents": [{"role": "user", "parts": [{"text": "Be brief."}]}]}
    assert "wants a user to answer" in warnings[0]


def test_a_model_without_a_place_for_a_system_prompt():
    told, warnings, _ = encoded("Hello", system_prompt="Be brief.", model="gemma-3-27b-it")

    assert [turn["parts"][0]["text"] for turn in told["contents"]] == ["Be brief.", "Hello"]
    assert "has no place for it" in warnings[0]


def test_empty_words_are_not_sent():
    told = body(
        [
            Message.system([Text(""), Text("Be.")]),
            Message.user("", "Hello"),
            Message("assistant", ""),
        ]
    )

    assert told["systemInstruction"] == {"parts": [{"text": "Be."}]}
    assert told["contents"] == [{"role": "user", "parts": [{"text": "Hello"}]}]


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        (
            Image(data=b"\x89", media_type="image/png"),
            {"inlineData": {"mimeType": "image/png", "data": "iQ=="}},
        ),
        (
            Audio(url="data:audio/wav;base64,iQ=="),
            {"inlineData": {"mimeType": "audio/wav", "data": "iQ=="}},
        ),
        (
            File(url="gs://bucket/a.pdf?x=1"),
            {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://bucket/a.pdf?x=1"}},
        ),
        (
            File(url="https://generativelanguage.googleapis.com/v1beta/files/abc"),
            {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}},
        ),
        (
            Image(url="https://x.test/a.png", media_type="image/webp"),
            {"fileData": {"mimeType": "image/webp", "fileUri": "https://x.test/a.png"}},
        ),
    ],
)
def test_media(part, sent):
    assert contents(Message.user("See", part))[0]["parts"] == [{"text": "See"}, sent]
    assert contents("Hello", Message.assistant([part]))[1]["parts"] == [sent]


def test_the_detail_of_a_picture_is_left_out():
    _, warnings, _ = encoded(Message.user(Image(url="https://x.test/a.png", detail="low")))

    assert "detail of a picture was left out" in warnings[0]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (Message("user", Refusal("no")), "Refusal"),
        (Message("system", Image(url="https://x.test/a.png")), "Image"),
    ],
)
def test_what_cannot_be_said(message, kind):
    with pytest.raises(UnsupportedOperationError, match=f"a part of type {kind} cannot be said"):
        encoded([message, "Hello"])


def test_a_refusal_was_words():
    assert contents("Hello", Message.assistant(Refusal("no")))[1]["parts"] == [{"text": "no"}]


def test_calls_and_results():
    turns = contents("Tide?", Message.assistant([Text("See:"), CALL]), ToolResult(CALL, "high"))

    assert turns[1] == {
        "role": "model",
        "parts": [
            {"text": "See:"},
            {
                "functionCall": {"id": "call_1", "name": "tide", "args": {"at": "Whitby"}},
                "thoughtSignature": "sig",
            },
        ],
    }
    assert turns[2] == {
        "role": "user",
        "parts": [
            {
                "functionResponse": {
                    "id": "call_1",
                    "name": "tide",
                    "response": {"output": "high"},
                }
            }
        ],
    }


def test_results_follow_their_calls_in_one_turn():
    other = ToolCall("call_2", "wind", "")
    turns = contents(
        "?",
        Message.assistant([CALL, other]),
        ToolResult(CALL, "high"),
        ToolResult("call_2", "none", error=True),
        "Go on",
    )

    assert [turn["role"] for turn in turns] == ["user", "model", "user", "user"]
    assert turns[1]["parts"][1]["functionCall"]["args"] == {}
    assert [part["functionResponse"]["name"] for part in turns[2]["parts"]] == ["tide", "wind"]
    assert turns[2]["parts"][1]["functionResponse"]["response"] == {"error": "none"}
    assert turns[3]["parts"] == [{"text": "Go on"}]


def test_a_result_and_words_in_one_message():
    turns = contents(
        "?", Message.assistant(CALL), Message("user", [ToolResult(CALL, "high"), Text("So?")])
    )

    assert ["functionResponse" in turn["parts"][0] for turn in turns[2:]] == [True, False]


def test_ids_that_repeat_over_turns_are_told_apart():
    again = ToolCall("call_1", "wind", "{}", {"thoughtSignature": "s"}, ORIGIN)
    turns = contents(
        "?",
        Message.assistant(CALL),
        ToolResult("call_1", "high"),
        Message.assistant(again),
        ToolResult("call_1", "none"),
    )
    first, second = turns[1]["parts"][0]["functionCall"], turns[3]["parts"][0]["functionCall"]

    assert first["id"] != second["id"]
    assert turns[2]["parts"][0]["functionResponse"]["id"] == first["id"]
    assert turns[4]["parts"][0]["functionResponse"]["id"] == second["id"]
    assert turns[4]["parts"][0]["functionResponse"]["name"] == "wind"


def test_a_result_of_nobody_knows_which_tool():
    with pytest.raises(InvalidRequestError, match="nobody says which tool"):
        encoded(["?", ToolResult("call_9", "high")])


def test_a_tool_says_results_alone():
    with pytest.raises(InvalidRequestError, match="ToolResult parts and nothing else"):
        encoded(["?", Message("tool", "high")])


@pytest.mark.parametrize("arguments", ["{", "[1]", '"x"'])
def test_arguments_that_are_no_object(arguments):
    call = ToolCall("c", "tide", arguments, {"thoughtSignature": "s"}, ORIGIN)
    told, warnings, _ = encoded(["?", Message.assistant(call)])

    assert told["contents"][1]["parts"][0]["functionCall"]["args"] == {"arguments": arguments}
    assert "they are no JSON object" in warnings[0]


PICTURE = Image(data=b"\x89", media_type="image/png")


def test_media_from_tools():
    result = ToolResult(CALL, (Text("so"), PICTURE))
    turns = contents("?", Message.assistant(CALL), result)
    told = turns[2]["parts"][0]["functionResponse"]

    assert told["response"] == {"output": "so"}
    assert told["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "iQ=="}}]


def test_media_from_tools_for_a_model_that_takes_words_alone():
    result = ToolResult(CALL, (Text("so"), PICTURE))
    told, warnings, _ = encoded(["?", Message.assistant(CALL), result, "Go on"], model=OLD)
    turns = told["contents"]

    assert "parts" not in turns[2]["parts"][0]["functionResponse"]
    assert turns[3]["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "iQ=="}}]
    assert turns[4]["parts"] == [{"text": "Go on"}]
    assert "were sent as the user's" in warnings[0]


@pytest.mark.parametrize("arrival", ["whole", "in pieces"])
def test_everything_that_was_signed_goes_back_as_it_came(arrival):
    parts = [
        {"text": "Hm.", "thought": True, "thoughtSignature": "a"},
        {"executableCode": {"code": "1"}, "thoughtSignature": "b"},
        {"text": "Look:", "thoughtSignature": "c"},
        {"functionCall": {"id": "x1", "name": "tide", "args": {}}, "thoughtSignature": "d"},
        {"text": "", "thoughtSignature": "e"},
    ]
    told = plain(answer(*parts) if arrival == "whole" else [*map(answer, parts)])
    turns = contents("?", told, ToolResult(told.tool_calls[0], "high"))

    assert turns[1]["parts"] == parts
    assert str(told) == "Look:"
    assert told.reasoning == "Hm."


def test_thoughts_without_a_signature_do_not_go_back():
    told = plain(answer({"text": "Hm.", "thought": True}, {"text": "Yes."}))

    assert contents("?", told)[1]["parts"] == [{"text": "Yes."}]


def test_a_signature_of_words_that_are_gone_stands_alone():
    opaque = {"thoughtSignature": "s", "signs": "text"}
    turns = contents("?", Message.assistant([Reasoning("", opaque, ORIGIN), Text("Yes.")]))

    assert turns[1]["parts"] == [{"text": "", "thoughtSignature": "s"}, {"text": "Yes."}]


def test_what_another_vendor_signed_is_dropped():
    call = ToolCall("c", "tide", "{}", {"x": 1}, "openai_chat:openai")
    thought = Reasoning("Hm.", {"x": 1}, None)
    told, warnings, _ = encoded(["?", Message.assistant([thought, call])], model=OLD)

    assert told["contents"][1]["parts"] == [
        {"functionCall": {"id": "c", "name": "tide", "args": {}}}
    ]
    assert [warning.split(" was ")[0] for warning in warnings] == [
        "an opaque part of unknown origin",
        "an opaque part of openai_chat:openai",
    ]


def test_the_first_call_of_a_turn_is_never_unsigned_where_signatures_are_wanted():
    calls = [ToolCall("a", "tide", "{}"), ToolCall("b", "wind", "{}")]
    told, warnings, _ = encoded(["?", Message.assistant(calls)], model=MODEL)
    first, second = told["contents"][1]["parts"]

    assert first["thoughtSignature"] == UNSIGNED
    assert "thoughtSignature" not in second
    assert "no thought signature" in warnings[0]


def test_older_models_want_no_signature():
    told = body(["?", Message.assistant(ToolCall("a", "tide", "{}"))], model=OLD)

    assert "thoughtSignature" not in told["contents"][1]["parts"][0]


def test_a_picture_that_the_model_made_goes_back():
    data = base64.b64encode(b"png").decode()
    part = {"inlineData": {"mimeType": "image/png", "data": data}, "thoughtSignature": "s"}
    told = plain(answer({"text": "Here."}, part))

    assert "image/png" in told.warnings[0]
    assert contents("?", told)[1]["parts"] == [{"text": "Here."}, part]
