import json

import pytest

from fairlead.cli.conversation import Conversation, decoded, encoded
from fairlead.core.errors import ConfigurationError
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

CALL = ToolCall("call_1", "look", '{"at": "it"}', opaque={"sig": "x"}, origin="a/b")
MESSAGES = [
    Message.user("hi"),
    Message.user(
        "What is this?",
        Image(data=b"\x89PNG\xff", media_type="image/png", detail="low"),
        Image(url="https://example.com/cat.png"),
        Audio(data=b"\x00\x01", media_type="audio/wav"),
        File(data=b"%PDF", media_type="application/pdf", name="a.pdf"),
    ),
    Message.assistant([Reasoning("hm", opaque={"id": [1]}, origin="a/b"), Text("so"), CALL]),
    Message("tool", [ToolResult(CALL, "words"), ToolResult("call_2", "bad", error=True)]),
    Message("tool", [ToolResult("c", (Text("a"), Image(url="https://x/y.png")), name="look")]),
    Message.assistant(Refusal("no")),
    Message.user(""),
]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_comes_back_as_it_was(message):
    again = decoded(json.loads(json.dumps(encoded(message))))

    assert encoded(again) == encoded(message)
    assert again.role is message.role
    assert [type(part) for part in again.parts] == [type(part) for part in message.parts]
    for part, same in zip(message.parts, again.parts, strict=True):
        if isinstance(part, ToolResult):
            assert (same.call_id, same.tool, same.error) == (part.call_id, part.tool, part.error)
            assert same.content == part.content
        else:
            assert same == part


@pytest.mark.parametrize("name", ["c.json", "c.jsonl"])
def test_a_conversation_comes_back_as_it_was(tmp_path, name):
    conversation = Conversation(MESSAGES[:2], "Be brief.")
    conversation.save(tmp_path / "deep" / name)
    again = Conversation.load(tmp_path / "deep" / name)

    assert (again.messages, again.system) == (MESSAGES[:2], "Be brief.")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == [name]


def test_messages_of_chat_completions_are_understood(tmp_path):
    file = tmp_path / "c.jsonl"
    file.write_text('{"role": "system", "content": "s"}\n\n{"role": "user", "content": "hi"}\n')
    conversation = Conversation.load(file)

    assert (conversation.system, conversation.messages) == ("s", [Message.user("hi")])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"messages": 1}',
        '{"messages": [{"role": "user"}]}',
        '{"messages": [{"role": "user", "content": 1}]}',
        '{"messages": [{"role": "user", "parts": [{"type": "smell"}]}]}',
        '{"messages": [{"role": "user", "parts": [{"type": "text", "text": "a", "b": 1}]}]}',
        '{"messages": [{"role": "user", "parts": [{"type": "image", "data": "!"}]}]}',
    ],
)
def test_what_is_no_conversation(tmp_path, content):
    file = tmp_path / "c.json"
    file.write_text(content)

    with pytest.raises(ConfigurationError, match="holds no conversation"):
        Conversation.load(file)


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "c.json").mkdir()

    with pytest.raises(ConfigurationError, match="cannot be written"):
        Conversation(MESSAGES).save(tmp_path / "c.json")
    assert [path.name for path in tmp_path.iterdir()] == ["c.json"]


def test_undo_takes_back_the_users_last_turn_and_what_follows():
    asked = Message.user("b")
    conversation = Conversation(
        [Message.user("a"), Message.assistant("1"), asked, MESSAGES[2], MESSAGES[3]]
    )

    assert conversation.undo() is asked
    assert [message.text for message in conversation.messages] == ["a", "1"]
    assert conversation.undo().text == "a"
    assert conversation.undo() is None
