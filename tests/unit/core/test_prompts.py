import sys
from collections.abc import Sequence

import pytest

from fairlead.core.errors import InvalidRequestError
from fairlead.core.messages import (
    Audio,
    File,
    Image,
    Message,
    Reasoning,
    Refusal,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from fairlead.core.requests import embed_request, generate_request, messages_of
from fairlead.core.results import Generation
from fairlead.decorators.attempt import AttemptTimeoutProvider
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.deadline import DeadlineProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.retry import RetryProvider
from tests.unit.core.fakes import METADATA, Scripted

USER = Message.user("hi")
CALL = ToolCall("1", "search", "{}")


def test_a_string_is_one_user_turn():
    assert messages_of("hi") == (Message(Role.USER, (Text("hi"),)),)


def test_a_message_stands_for_itself():
    assert messages_of(USER) == (USER,)


def test_a_sequence_keeps_its_order():
    assert messages_of([Message.system("be brief"), USER, Message.assistant("ho")]) == (
        Message("system", "be brief"),
        USER,
        Message("assistant", "ho"),
    )


def test_a_generation_and_a_tool_result_continue_a_history():
    answer = Generation("", _metadata(parts=(CALL,)))
    result = ToolResult(answer.tool_calls[0], "42")

    messages = messages_of(["hi", answer, result])

    assert messages == (
        USER,
        Message(Role.ASSISTANT, (CALL,)),
        Message(Role.TOOL, (result,)),
    )


def test_a_generation_inside_a_sequence_is_its_assistant_message():
    answer = Generation("ho", _metadata(parts=(Reasoning("hm"), Text("ho"))))

    assert messages_of(["hi", answer])[1] == Message("assistant", [Reasoning("hm"), Text("ho")])


def test_a_generation_alone_is_what_a_user_says():
    [message] = messages_of(Generation("ho", METADATA))

    assert message == Message.user("ho")
    assert type(message.parts[0].text) is str


def test_a_generation_among_the_words_of_a_message_leaves_its_metadata_behind():
    message = Message.user(Generation("ho", METADATA))

    assert type(message.parts[0].text) is str


def test_the_system_prompt_comes_first():
    request, _ = generate_request(["hi"], {"system_prompt": "be brief"})

    assert request.messages == (Message.system("be brief"), USER)


@pytest.mark.parametrize(
    "prompt",
    ["", [], (), [""], ["", ""], Message.user(), Message.user(""), [Message("user", [])]],
    ids=repr,
)
def test_an_empty_prompt_is_an_invalid_request(prompt):
    with pytest.raises(InvalidRequestError, match="empty"):
        generate_request(prompt, {})


def test_an_empty_turn_among_others_is_kept():
    assert len(messages_of(["", "hi"])) == 2


@pytest.mark.parametrize(
    "prompt, kind",
    [
        (None, "NoneType"),
        (5, "int"),
        (b"hi", "bytes"),
        (bytearray(b"hi"), "bytearray"),
        ({"hi"}, "set"),
        (iter(["hi"]), "list_iterator"),
        ([b"hi"], "bytes"),
        ([["hi"]], "list"),
        (["hi", None], "NoneType"),
        ([CALL], "ToolCall"),
        (range(3), "int"),
    ],
)
def test_a_prompt_of_the_wrong_type_is_a_type_error_that_names_the_type(prompt, kind):
    with pytest.raises(TypeError, match=f"sequence of str, Message, .* not {kind}$"):
        messages_of(prompt)


@pytest.mark.parametrize("wrap", [lambda prompt: prompt, lambda prompt: [prompt]])
def test_a_dict_message_is_a_type_error_that_says_what_to_write(wrap):
    prompt = wrap({"role": "user", "content": "hi"})

    with pytest.raises(TypeError, match=r"not dict; write Message\('user', \.\.\.\) for it"):
        messages_of(prompt)


@pytest.mark.parametrize("texts", ["hi", b"hi"])
def test_a_bare_string_for_a_sequence_of_texts_is_a_type_error_that_says_what_to_write(texts):
    with pytest.raises(TypeError, match=r"embed_batch\(\[text\]\)"):
        embed_request(texts, {})


@pytest.mark.parametrize("texts", [None, 5, {"a", "b"}, {"a": 1}, (text for text in "ab")])
def test_what_has_no_order_or_can_be_read_only_once_is_no_sequence_of_texts(texts):
    with pytest.raises(TypeError, match="embed_batch"):
        embed_request(texts, {})


def test_a_text_to_embed_must_be_a_string():
    with pytest.raises(TypeError, match="number 1 is int"):
        embed_request(["hi", 5], {})


def test_a_text_to_embed_must_not_be_empty():
    with pytest.raises(InvalidRequestError, match="number 1 is"):
        embed_request(["hi", ""], {})


@pytest.mark.parametrize("kind", [Image, Audio, File])
def test_media_are_bytes_or_an_address_and_not_both(kind):
    with pytest.raises(TypeError, match=f"{kind.__name__} takes either data= or url="):
        kind()
    with pytest.raises(TypeError, match="exactly one"):
        kind(data=b"x", url="https://example.com/x", media_type="image/png")


def test_bytes_need_a_media_type():
    with pytest.raises(TypeError, match="needs media_type="):
        Image(data=b"x")


def test_bytes_do_not_show_in_the_repr():
    assert "secret" not in repr(Image(data=b"secret", media_type="image/png"))


def test_an_unknown_role_is_a_type_error_that_lists_the_known_ones():
    with pytest.raises(TypeError, match="expected one of system, user, assistant, tool"):
        Message("robot", "hi")


@pytest.mark.parametrize("content", [None, 5, ["hi"], [5], {"a": 1}])
def test_what_is_no_part_cannot_be_part_of_a_message(content):
    with pytest.raises(TypeError, match="a message is made of"):
        Message("user", content)


def test_one_part_alone_is_a_message_too():
    assert Message("user", Text("hi")) == USER


def test_a_message_tells_its_words_and_its_calls_apart():
    message = Message.assistant([Reasoning("hm"), Text("a"), CALL, Refusal("no"), Text("b")])

    assert message.text == "ab"
    assert message.tool_calls == (CALL,)


def test_messages_are_values():
    assert hash(Message.user("hi")) == hash(USER)
    assert Message.user("hi") != Message.assistant("hi")


@pytest.mark.parametrize("arguments, parsed", [('{"a": 1}', {"a": 1}), ("", {}), ("{}", {})])
def test_the_arguments_of_a_call_are_parsed(arguments, parsed):
    assert ToolCall("1", "search", arguments).parse() == parsed


@pytest.mark.parametrize("arguments", ["[1]", "null", "3", "{", "[" * 100_000, '{"a": }'])
def test_arguments_that_are_no_json_object_are_a_value_error(arguments):
    with pytest.raises(ValueError):
        ToolCall("1", "search", arguments).parse()


def test_a_tool_result_takes_id_and_name_from_its_call():
    result = ToolResult(CALL, "42")

    assert (result.call_id, result.tool) == ("1", "search")


def test_a_tool_result_may_name_its_call_by_id():
    assert (ToolResult("1", "42").call_id, ToolResult("1", "42").tool) == ("1", None)
    assert ToolResult("1", "42", name="search").tool == "search"


def test_a_tool_result_tells_its_words():
    image = Image(url="https://example.com/x.png")

    assert ToolResult("1", "42").text == "42"
    assert ToolResult("1", (Text("4"), image, Text("2"))).text == "42"


def test_a_tool_without_parameters_takes_none():
    assert Tool("now").parameters == {"type": "object", "properties": {}}


class Spy(Sequence):
    """Counts how often it is read from its beginning."""

    def __init__(self, *items):
        self.items = items
        self.read = 0

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        self.read += index == 0
        return self.items[index]


def deep(provider):
    for _ in range(3):
        provider = AttemptTimeoutProvider(provider)
        provider = RetryProvider(CircuitBreakerProvider(provider))
        provider = DeadlineProvider(FallbackProvider([provider]))
    return provider


@pytest.mark.anyio
@pytest.mark.parametrize("provider", [Scripted("ho"), deep(Scripted("ho"))])
async def test_a_prompt_is_normalised_once_at_any_depth(provider):
    prompt = Spy("hi")

    await provider.generate(prompt)
    await provider.generate_stream(prompt).collect()

    assert prompt.read == 2


@pytest.mark.anyio
async def test_texts_are_normalised_once_at_any_depth():
    texts = Spy("hi", "ho")

    await deep(Scripted("ho", embedding_model="e")).embed_batch(texts)

    assert texts.read == 1


@pytest.mark.anyio
async def test_options_are_checked_once_at_any_depth():
    calls = []

    def profile(frame, event, argument):
        if event == "call" and frame.f_code.co_name == "sort_options":
            calls.append(frame)

    sys.setprofile(profile)
    try:
        await deep(Scripted("ho")).generate("hi", temperature=1)
    finally:
        sys.setprofile(None)

    assert len(calls) == 1


def _metadata(**facts):
    from dataclasses import replace

    return replace(METADATA, **facts)


@pytest.mark.parametrize("prompt", [" ", "\n\t ", ["", " "], [Message.user(" ")]])
def test_a_prompt_of_white_space_is_empty(prompt):
    with pytest.raises(InvalidRequestError, match="only white space"):
        messages_of(prompt)


@pytest.mark.parametrize("name", ["a", "get_weather-2", "ns.tool", "ns:tool", "x" * 128])
def test_a_name_that_some_vendor_takes_names_a_tool(name):
    assert Tool(name).name == name


@pytest.mark.parametrize("name", ["", "bad name!", "wetter_für", "a/b", "a\n", "x" * 129])
def test_a_name_that_no_vendor_takes_names_no_tool(name):
    with pytest.raises(InvalidRequestError, match="is no name for a tool: it takes 1 to 64"):
        Tool(name)


@pytest.mark.parametrize("name", [None, 5, b"search"])
def test_the_name_of_a_tool_is_a_string(name):
    with pytest.raises(TypeError, match="the name of a tool must be a str, not"):
        Tool(name)


def test_the_parameters_of_a_tool_are_a_schema():
    with pytest.raises(TypeError, match="parameters of 'search' must be a JSON schema"):
        Tool("search", parameters=["query"])


@pytest.mark.parametrize("prompt", [[{"role": "user", "content": "x"}], {"role": "user"}])
def test_dicts_are_shown_their_way(prompt):
    with pytest.raises(TypeError, match=r"chat_completion\(ChatCompletionRequest\(messages="):
        messages_of(prompt)
