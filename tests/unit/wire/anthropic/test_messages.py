"""Messages in this format's words."""

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
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from tests.support.messages import SERVER, encoded

SIGNED = {"block": {"type": "thinking", "signature": "sig"}}


def said(*messages):
    body, warnings = encoded(*messages)
    return body["messages"], warnings


def part(value):
    """What *value* becomes in a user's message."""
    (turn,), _ = said(Message.user("See", value))
    return turn["content"][1]


def result(value):
    (turn,), _ = said(Message(Role.TOOL, value))
    return turn["content"][0]


def test_turns_of_one_speaker_are_one():
    assert said(Message.user("a"), Message.user("b"), Message.assistant("c"))[0] == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": "c"},
    ]


def test_the_system_stands_beside_the_messages():
    body, warnings = encoded(Message.system("a"), Message.system("b"), Message.user("c"))

    assert body["system"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert body["messages"] == [{"role": "user", "content": "c"}]
    assert warnings == ()


def test_what_the_system_says_later_is_moved():
    body, (warning,) = encoded(Message.user("a"), Message.system("b"))

    assert body["system"] == "b"
    assert "moved" in warning


def test_words_that_say_nothing_are_not_said():
    turns, warnings = said(
        Message.user("a", " "), Message.assistant(" \n"), Message.system(""), Message.user("b")
    )

    assert turns == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    ]
    assert warnings == ()


def test_results_of_tools_come_first_and_together():
    calls = [ToolCall("1", "now", "{}"), ToolCall("2", "now", "{}")]
    turns, _ = said(
        Message.user("a"),
        Message.assistant(calls),
        Message(Role.TOOL, ToolResult("1", "noon")),
        Message.user("b"),
        Message(Role.TOOL, ToolResult("2", "", error=True)),
    )

    assert turns[1]["content"] == [
        {"type": "tool_use", "id": "1", "name": "now", "input": {}},
        {"type": "tool_use", "id": "2", "name": "now", "input": {}},
    ]
    assert turns[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "1", "content": "noon"},
        {"type": "tool_result", "tool_use_id": "2", "content": "", "is_error": True},
        {"type": "text", "text": "b"},
    ]


def test_ids_that_the_vendor_refuses_are_rewritten_alike():
    turns, _ = said(
        Message.assistant(ToolCall("a:1", "now", "")),
        Message(Role.TOOL, ToolResult("a:1", "x")),
        Message.assistant(ToolCall("a:1", "now", "")),
        Message(Role.TOOL, ToolResult("a:1", "y")),
    )
    first, second = turns[0]["content"][0]["id"], turns[2]["content"][0]["id"]

    assert first.startswith("call_")
    assert first != second
    assert [turns[1]["content"][0]["tool_use_id"], turns[3]["content"][0]["tool_use_id"]] == [
        first,
        second,
    ]


@pytest.mark.parametrize("arguments", ["{", "[1]"])
def test_arguments_that_are_no_object(arguments):
    turns, (warning,) = said(
        Message.assistant(ToolCall("1", "now", arguments)), Message(Role.TOOL, ToolResult("1", "x"))
    )

    assert turns[0]["content"][0]["input"] == {"INVALID_JSON": arguments}
    assert "'now'" in warning


def test_parts_of_a_result():
    picture = Image(url="https://x.test/a.png")

    assert result(ToolResult("1", (Text("a"), Text(" "), picture)))["content"] == [
        {"type": "text", "text": "a"},
        {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
    ]


def test_a_tool_says_nothing_but_results():
    with pytest.raises(InvalidRequestError, match="ToolResult parts and nothing else"):
        said(Message(Role.TOOL, "x"))


class TestMedia:
    DATA = base64.b64encode(b"123").decode()

    @pytest.mark.parametrize(
        "image",
        [
            Image(data=b"123", media_type="image/png"),
            Image(url="data:image/png;base64,MTIz"),
        ],
    )
    def test_a_picture(self, image):
        assert part(image) == {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": self.DATA},
        }

    def test_how_closely_to_look_at_it_cannot_be_said(self):
        _, (warning,) = said(Message.user(Image(url="https://x.test/a.png", detail="low")))

        assert "detail" in warning

    def test_a_pdf(self):
        file = File(data=b"123", media_type="application/pdf", name="a.pdf")

        assert part(file) == {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": self.DATA},
            "title": "a.pdf",
        }

    def test_a_text(self):
        assert part(File(data="é".encode(), media_type="text/markdown; charset=utf-8")) == {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "é"},
        }

    def test_a_document_elsewhere(self):
        assert part(File(url="https://x.test/a.pdf"))["source"] == {
            "type": "url",
            "url": "https://x.test/a.pdf",
        }

    @pytest.mark.parametrize(
        "media",
        [
            File(data=b"1", media_type="application/zip"),
            File(url="data:;base64,MTIz"),
            Audio(data=b"1", media_type="audio/wav"),
        ],
    )
    def test_what_is_not_taken(self, media):
        with pytest.raises(UnsupportedOperationError):
            part(media)

    @pytest.mark.parametrize(
        "url", ["data:image/png,abc", "data:image/png;base64,*", "data:image/png;base64,"]
    )
    def test_a_data_address_that_is_none(self, url):
        with pytest.raises(InvalidRequestError, match="data: address"):
            part(Image(url=url))

    @pytest.mark.parametrize(
        "value", [Image(url="https://x.test/a.png"), File(url="https://x.test/a.pdf")]
    )
    def test_the_system_shows_none(self, value):
        with pytest.raises(UnsupportedOperationError, match="by the system"):
            said(Message(Role.SYSTEM, value), Message.user("a"))

    def test_what_the_model_had_shown_is_dropped(self):
        turns, (warning,) = said(
            Message.assistant([Image(url="https://x.test/a.png"), Text("See")])
        )

        assert turns == [{"role": "assistant", "content": "See"}]
        assert "type image" in warning


class TestOpaqueParts:
    def answered(self, *parts):
        turns, warnings = said(Message.assistant(parts), Message.user("And?"))
        return turns[0]["content"], warnings

    def test_thoughts_are_given_back_unchanged(self):
        content, warnings = self.answered(
            Reasoning("Hm\n", SIGNED, SERVER.origin),
            Reasoning("", {"block": {"type": "redacted_thinking", "data": "x"}}, SERVER.origin),
            Text("Well"),
        )

        assert content == [
            {"type": "thinking", "signature": "sig", "thinking": "Hm\n"},
            {"type": "redacted_thinking", "data": "x"},
            {"type": "text", "text": "Well"},
        ]
        assert warnings == ()

    def test_those_of_another_origin_are_dropped(self):
        content, (warning,) = self.answered(Reasoning("Hm", SIGNED, "other"), Text("Well"))

        assert content == "Well"
        assert "opaque part of other was dropped" in warning

    @pytest.mark.parametrize("opaque", [None, {}, {"block": 1}])
    def test_thoughts_that_nobody_signed_are_not_given_back(self, opaque):
        assert self.answered(Reasoning("Hm", opaque, SERVER.origin), Text("Well")) == ("Well", ())

    def test_what_travels_with_a_call(self):
        caller = {"caller": {"type": "code_execution_20250825", "tool_id": "srv"}}
        (call,), _ = self.answered(ToolCall("1", "now", "{}", caller, SERVER.origin))
        assert call["caller"] == caller["caller"]
        (call,), (warning,) = self.answered(ToolCall("1", "now", "{}", caller, None))
        assert "caller" not in call
        assert "unknown origin" in warning

    def test_a_refusal_is_what_the_model_said(self):
        assert self.answered(Refusal("No.")) == ("No.", ())
