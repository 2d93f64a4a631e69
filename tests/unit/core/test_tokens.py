import pytest

from fairlead.core.errors import InvalidRequestError
from fairlead.core.messages import Image, Message, Text, ToolCall, ToolResult
from fairlead.core.tokens import FAMILIES, MESSAGE_OVERHEAD, estimate, measure

WEIGHTS = FAMILIES["o200k"]


@pytest.mark.parametrize(
    "char, kind",
    [
        ("a", 0),
        ("Z", 0),
        ("é", 2),
        ("ł", 2),
        ("7", 3),
        ("!", 4),
        ("@", 4),
        ("[", 4),
        ("~", 4),
        ("\n", 5),
        ("\x00", 5),
        ("ж", 6),
        ("λ", 6),
        ("ع", 7),
        ("ก", 7),
        ("中", 8),
        ("か", 8),
        ("한", 8),
        ("°", 9),
        ("→", 9),
        ("😀", 10),
    ],
)
def test_each_kind_of_character_has_its_own_weight(char, kind):
    assert measure(char * 10) == pytest.approx(10 * WEIGHTS[kind])


@pytest.mark.parametrize("char", [" ", "\t"])
def test_spaces_belong_to_the_word_that_they_precede(char):
    assert measure(char * 10) == 0


def test_a_change_from_lower_to_upper_case_costs_something():
    assert measure("aB") - measure("ab") == pytest.approx(WEIGHTS[1])
    assert measure("Ab") == measure("ab")


PROSE = (
    "The quick brown fox jumps over the lazy dog while seven judges watch, and nobody in the small "
    "village remembers who asked for the race, or why it had to be held in winter."
)


def test_english_prose_comes_out_as_its_words_and_stops():
    tokens = len(PROSE.split()) + PROSE.count(",") + PROSE.count(".")

    assert measure(PROSE) == pytest.approx(tokens, rel=0.15)


@pytest.mark.parametrize(
    "family, low, high",
    [("cl100k", 1, 1.1), ("claude_v3", 1, 1.2), ("claude_v4_7", 1.4, 1.6), ("tekken", 1, 1.1)],
)
def test_other_families_need_more_for_english_prose_as_measured(family, low, high):
    assert low <= measure(PROSE, family) / measure(PROSE) <= high


def test_the_families_differ():
    assert len({round(measure("Straße 中文 😀 1234", family), 6) for family in FAMILIES}) == 6


def test_an_unknown_family_is_counted_as_o200k():
    assert measure("hello", "nobody-knows") == measure("hello", "o200k")
    assert estimate("hello" * 10, "nobody-knows") == estimate("hello" * 10)


def test_lone_surrogates_are_no_obstacle():
    assert estimate("\ud800" * 10) > 0


def test_an_estimate_says_that_it_is_one():
    assert estimate("hello").exact is False


@pytest.mark.parametrize("text, count", [("", 0), ("a", 1), (" ", 1), ("hello world", 2)])
def test_a_text_that_is_not_empty_has_a_token(text, count):
    assert estimate(text) == count


@pytest.mark.parametrize("text", ["\n" * 100, "aB" * 50, "\x00" * 7])
@pytest.mark.parametrize("family", FAMILIES)
def test_no_estimate_exceeds_the_bytes_that_bound_it(text, family):
    assert estimate(text, family) <= len(text.encode())


def test_a_message_has_a_frame():
    text = "hello world, how are you?"

    assert estimate([text]) == round(measure(text) + MESSAGE_OVERHEAD)
    assert estimate(Message.user(text)) == estimate([text])


def test_a_conversation_adds_up():
    text = "hello world, how are you?"

    assert estimate([text] * 10) == round(10 * (measure(text) + MESSAGE_OVERHEAD))


def test_calls_and_results_count_with_all_their_words():
    call = ToolCall("1", "search", '{"query": "fairleads"}')
    message = Message.assistant([Text("Let me see."), call])
    words = measure("Let me see.") + measure("search") + measure('{"query": "fairleads"}')

    assert estimate(message) == round(words + MESSAGE_OVERHEAD)
    assert estimate([ToolResult(call, "a" * 100)]) == round(23 + MESSAGE_OVERHEAD)


def test_a_picture_is_not_counted():
    image = Image(url="https://example.com/x.png")

    assert estimate(Message.user("hello world", image)) == estimate(Message.user("hello world"))


def test_an_empty_conversation_is_refused_as_anywhere():
    with pytest.raises(InvalidRequestError):
        estimate([])
