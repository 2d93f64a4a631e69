"""What a conversation loses so that it fits; `tests/property` has what holds of all of them."""

import pytest

from fairlead.core.context import ContextOptions, Strategy, fit, truncated_prompt, turns
from fairlead.core.errors import ConfigurationError, ContextLengthExceededError
from fairlead.core.messages import Image, Message, Reasoning, Role, Text, Tool, ToolCall, ToolResult
from fairlead.core.models import ModelInfo
from fairlead.core.requests import GenerateRequest
from fairlead.core.tokens import count_request, least_tokens
from fairlead.core.usage import Usage

SYSTEM = Message.system("Be kind.")
LONG = "word " * 400  # some 370 tokens
CALL = ToolCall("1", "look", "{}")


def model(window, **known):
    return ModelInfo(name="m", context_window=window, **known)


def chat(*words):
    """A user and an assistant in turns."""
    return [Message.assistant(it) if at % 2 else Message.user(it) for at, it in enumerate(words)]


def texts(fitted):
    return [message.text for message in fitted.messages]


def drop(**options):
    return ContextOptions(strategies=(Strategy.DROP_OLDEST,), room=0, **options)


def test_what_fits_is_left_alone():
    request = GenerateRequest(messages=tuple(chat("a", "b", "c")))

    fitted = fit(request, model(1000))

    assert fitted.request is request
    assert (fitted.warning, fitted.dropped, fitted.shortened) == (None, 0, 0)


def test_the_oldest_turn_goes_first_and_whole():
    prompt = [SYSTEM, *chat("one " + LONG, "two", "three", "four", "five")]

    fitted = fit(prompt, model(400), options=drop())

    assert texts(fitted) == ["Be kind.", "three", "four", "five"]
    assert fitted.dropped == 2
    assert fitted.warning.startswith("to fit the window of m (400 tokens), 2 of 6 messages were")


def test_a_string_is_a_turn_of_its_own():
    fitted = fit([LONG, LONG, "So?"], model(450), options=drop())

    assert texts(fitted) == [LONG, "So?"]


def test_rounds_of_tools_within_the_last_turn_go_when_nothing_else_is_left():
    rounds = []
    for at in range(4):
        call = ToolCall(f"{at}", "look", "{}")
        thought = Reasoning("hm", {"signature": "s"}, "anthropic")
        rounds += [Message.assistant([thought, call]), Message(Role.TOOL, ToolResult(call, LONG))]
    question = Message.user("And?")

    fitted = fit(["before", question, *rounds], model(900), options=drop())

    assert fitted.messages == (question, *rounds[-4:])


def test_keep_last_leaves_out_all_at_once():
    options = ContextOptions(strategies=(Strategy.KEEP_LAST,), room=0)

    fitted = fit([SYSTEM, *chat("a", LONG, "b", LONG, "c")], model(700), options=options)

    assert texts(fitted) == ["Be kind.", "c"]


def test_keep_last_takes_rounds_of_tools_only_if_turns_do_not_suffice():
    call = ToolCall("2", "look", "{}")
    rounds = [
        Message.assistant([CALL]),
        Message(Role.TOOL, ToolResult(CALL, LONG)),
        Message.assistant([call]),
        Message(Role.TOOL, ToolResult(call, "ok")),
    ]
    options = ContextOptions(strategies=(Strategy.KEEP_LAST,), room=0)

    assert len(fit([LONG, "b", *rounds], model(450), options=options).messages) == 5
    assert len(fit([LONG, "b", *rounds], model(100), options=options).messages) == 3


def test_long_results_lose_their_middle_the_oldest_first():
    results = [ToolResult(ToolCall(str(at), "look", "{}"), f"{at}" + LONG) for at in range(3)]
    prompt = [it for result in results for it in ("go", Message.assistant([result.call]), result)]
    options = ContextOptions(room=0, result_tokens=40)

    fitted = fit(prompt, model(1050), options=options)

    kept = [part for it in fitted.messages for part in it.parts if isinstance(part, ToolResult)]
    assert (fitted.dropped, fitted.shortened) == (0, 1)
    assert kept[0].content.startswith("0word word")
    assert "characters were left out here]" in kept[0].content
    assert kept[0].content.endswith("word ")
    assert [it.content for it in kept[1:]] == [it.content for it in results[1:]]
    assert fitted.warning.count("the middle of 1 tool results were left out") == 1


def test_results_of_the_last_turn_are_shortened_last_of_all():
    # The round before goes whole, although its result could have been shortened.
    old = ToolCall("0", "look", "{}")
    prompt = ["go", Message.assistant([old]), ToolResult(old, LONG), "on"]
    prompt += [Message.assistant([CALL]), ToolResult(CALL, LONG, error=True, name="look")]
    options = ContextOptions(room=0, result_tokens=40)

    fitted = fit(prompt, model(200), options=options)

    [result] = [part for it in fitted.messages for part in it.parts if isinstance(part, ToolResult)]
    assert texts(fitted)[0] == "on"
    assert len(result.content) < 300
    assert (result.call, result.error, result.name) == (CALL, True, "look")


def test_what_was_left_out_stays_so_whatever_comes_next():
    old = ToolCall("0", "look", "{}")
    prompt = ["go", Message.assistant([old]), ToolResult(old, LONG), "on"]
    prompt += [Message.assistant([CALL]), ToolResult(CALL, LONG)]
    order = (Strategy.DROP_OLDEST, Strategy.KEEP_LAST, Strategy.SHORTEN_RESULTS)
    options = ContextOptions(strategies=order, room=0, result_tokens=40)

    fitted = fit(prompt, model(200), options=options)

    assert (fitted.dropped, fitted.shortened, len(fitted.messages)) == (3, 1, 3)


def test_pictures_in_a_result_stay():
    picture = Image(url="https://example.org/a.png")
    result = ToolResult(CALL, (Text(LONG * 3), picture, Text("end")))
    options = ContextOptions(room=0, result_tokens=40)

    fitted = fit(["go", Message.assistant([CALL]), result], model(1100), options=options)

    short, *rest = fitted.messages[-1].parts[0].content
    assert len(short.text) < 300
    assert rest == [picture, Text("end")]


def test_what_is_short_is_not_shortened():
    result = ToolResult(CALL, "word " * 60)
    options = ContextOptions(strategies=(Strategy.SHORTEN_RESULTS,), room=0, result_tokens=50)

    with pytest.raises(ContextLengthExceededError):
        fit(["go", Message.assistant([CALL]), result], model(60), options=options)


@pytest.mark.parametrize(
    "asked, known, options, room",
    [
        ({"max_tokens": 700}, {"max_output_tokens": 100}, {"room": 5}, 700),
        ({}, {"max_output_tokens": 100}, {}, 100),
        ({}, {"max_output_tokens": 100}, {"room": 5}, 5),
        ({}, {"max_output_tokens": 100}, {"room": 0}, 0),
        ({}, {"max_output_tokens": 1000}, {}, 250),
        ({}, {}, {}, 250),
    ],
)
def test_room_is_left_for_the_answer(asked, known, options, room):
    known = model(1000, **known)
    options = ContextOptions(margin=1.0, **options)

    def fits(words):
        try:
            fit("word " * words, known, options=options, **asked)
        except ContextLengthExceededError as error:
            return error.requested - count_request(request(words)) != room
        return True

    def request(words):
        return GenerateRequest(messages=(Message.user("word " * words),))

    most = next(words for words in range(1100, 0, -1) if fits(words))
    assert count_request(request(most)) == pytest.approx(1000 - room, abs=2)


def test_the_requests_own_limit_counts_unless_another_is_given():
    request = GenerateRequest(messages=(Message.user("Hi"),), max_tokens=2000)

    with pytest.raises(ContextLengthExceededError):
        fit(request, model(1000))
    assert fit(request, model(1000), max_tokens=10).request.max_tokens == 10


def test_tools_take_their_place():
    tool = Tool("look", "Looks. " * 200)
    request = GenerateRequest(messages=tuple(chat(LONG, "a", "b")), tools=(tool,))

    assert fit(request, model(700), options=drop()).dropped == 2
    assert fit(request.messages, model(700), options=drop()).dropped == 0


def test_what_has_to_stay_and_does_not_fit_is_an_error_that_says_how_much_it_is():
    prompt = [SYSTEM, "a " * 500, LONG]
    with pytest.raises(ContextLengthExceededError) as caught:
        fit(prompt, model(300))

    error = caught.value
    assert (error.limit, error.sent, error.model) == (300, False, "m")
    assert error.requested == round(count_request(GenerateRequest(messages=full(prompt)))) + 75
    assert "more than the window of m, 300" in error.message
    assert "with 75 for the answer" in error.message


def full(prompt):
    return tuple(Message.user(it) if isinstance(it, str) else it for it in prompt)


def test_system_messages_alone_are_no_turn():
    with pytest.raises(ContextLengthExceededError):
        fit(Message.system(LONG), model(100))


def test_what_would_grow_is_not_shortened():
    blank = ToolResult(CALL, "x" + " " * 5000)  # next to no tokens, unlike the note on them
    prompt = [LONG, "go", Message.assistant([CALL]), blank, "on"]

    fitted = fit(prompt, model(300), options=ContextOptions(result_tokens=1))

    assert (fitted.dropped, fitted.shortened) == (1, 0)
    assert fitted.messages[2].parts == (blank,)


def test_an_exact_tokenizer_is_asked():
    class Letters:
        family = "letters"

        def count(self, text):
            return len(text)

    assert fit("word " * 50, model(200)).warning is None
    with pytest.raises(ContextLengthExceededError):
        fit("word " * 50, model(200), tokenizer=Letters())


def test_turns_are_made_of_blocks():
    again = ToolCall("1", "look", "{}")  # the same id as CALL
    messages = [
        Message.assistant("Hello."),
        Message.user("a"),
        Message.assistant([CALL]),
        SYSTEM,
        Message(Role.TOOL, ToolResult(CALL, "x")),
        Message.assistant([again]),
        Message(Role.USER, [ToolResult(again, "y")]),
        Message.user("b"),
        Message(Role.TOOL, ToolResult("lost", "z")),
    ]

    assert turns(messages) == [[[0]], [[1], [2, 4], [5, 6]], [[7], [8]]]


@pytest.mark.parametrize(
    "options, said",
    [
        ({"strategies": ("shrink",)}, "strategies must be some of shorten-results, drop-oldest"),
        ({"strategies": 3}, "strategies must be some of"),
        ({"room": -1}, "room must be at least 0, not -1"),
        ({"result_tokens": 0}, "result_tokens must be at least 1, not 0"),
        ({"margin": 0.9}, "margin must be at least 1, not 0.9"),
    ],
)
def test_options_without_sense_are_refused(options, said):
    with pytest.raises(ConfigurationError, match=said):
        ContextOptions(**options)


def test_strategies_may_be_plain_words():
    assert ContextOptions(strategies=["keep-last"]).strategies == (Strategy.KEEP_LAST,)


# Prompts that a server has cut.


def read(words, tokens, window=None):
    request = GenerateRequest(messages=(Message.user("word " * words),))
    return truncated_prompt(request, model(window), Usage(input_tokens=tokens))


def test_fewer_tokens_than_words_is_not_all_of_it():
    assert read(100, 99) == "it read 99 tokens of a prompt that has at least 100"
    assert read(100, 100) is None


def test_a_full_window_and_a_longer_prompt_is_not_all_of_it():
    told = read(10, 12, window=12)
    assert told == "it read 12 tokens, all that its window holds, of a prompt of about 15"
    assert read(10, 11, window=12) is None
    assert read(10, 15, window=15) is None
    assert read(10, 12) is None


def test_who_does_not_tell_is_believed():
    request = GenerateRequest(messages=(Message.user("word"),))

    assert truncated_prompt(request, model(1), None) is None
    assert truncated_prompt(request, model(1), Usage(output_tokens=3)) is None


def test_the_least_is_a_matter_of_words():
    thought = Message.assistant([Reasoning("is not sent to everybody"), CALL])
    result = Message(Role.TOOL, ToolResult(CALL, "three more words", name="look"))

    messages = (Message.user("two words"), thought, result)
    assert least_tokens(GenerateRequest(messages=messages)) == 2 + 3
    assert least_tokens(GenerateRequest(messages=(Message.user("你好世界"),))) == 1
