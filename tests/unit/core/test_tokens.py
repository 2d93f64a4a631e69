import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.errors import InvalidRequestError
from fairlead.core.messages import (
    Audio,
    File,
    Image,
    Message,
    Reasoning,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from fairlead.core.requests import EmbedRequest, embed_request, generate_request
from fairlead.core.tokens import (
    FACTORS,
    FAMILIES,
    MESSAGE_OVERHEAD,
    PROMPT_OVERHEAD,
    count,
    count_request,
    estimate,
    measure,
    most_tokens,
)

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


@given(st.text(st.characters(max_codepoint=0x7F)), st.sampled_from(sorted(FAMILIES)))
def test_a_text_in_ascii_is_measured_as_it_is_beside_another_character(text, family):
    beside = measure(f"{text} é", family) - measure("é", family)

    assert measure(text, family) == pytest.approx(beside)


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
    assert len({round(measure("Straße 中文 😀 1234", family), 6) for family in FAMILIES}) == 7


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

    assert estimate([text]) == round(measure(text) + MESSAGE_OVERHEAD + PROMPT_OVERHEAD)
    assert estimate(Message.user(text)) == estimate([text])


def test_a_conversation_adds_up():
    text = "hello world, how are you?"

    assert estimate([text] * 10) == round(10 * (measure(text) + MESSAGE_OVERHEAD) + PROMPT_OVERHEAD)


def test_calls_and_results_count_with_all_their_words():
    call = ToolCall("1", "search", '{"query": "fairleads"}')
    message = Message.assistant([Text("Let me see."), call])
    words = measure("Let me see.") + measure("search") + measure('{"query": "fairleads"}')

    assert estimate(message) == round(words + MESSAGE_OVERHEAD + PROMPT_OVERHEAD)
    assert estimate([ToolResult(call, "a" * 100)]) == round(23 + MESSAGE_OVERHEAD + PROMPT_OVERHEAD)


def test_an_empty_conversation_is_refused_as_anywhere():
    with pytest.raises(InvalidRequestError):
        estimate([])


class Lengths:
    """A tokenizer of one token per character."""

    family = "o200k"

    def count(self, text):
        return len(text)


def request(prompt="Hello", **options):
    return generate_request(prompt, options)[0]


def test_a_text_that_a_tokenizer_counts_is_exact():
    counted = count("hello world", "o200k", Lengths())

    assert counted == 11
    assert counted.exact


def test_nothing_is_exactly_nothing():
    assert count("", None, Lengths()) == 0
    assert count("", None, Lengths()).exact


def test_a_conversation_is_no_better_known_than_its_frames():
    counted = count(["hello", "world"], "o200k", Lengths())

    assert counted == 10 + 2 * MESSAGE_OVERHEAD + PROMPT_OVERHEAD
    assert counted.exact is False


def test_parts_are_added_up_before_they_are_rounded():
    turns = ["a"] * 100

    assert estimate(turns) == round(100 * (measure("a") + MESSAGE_OVERHEAD) + PROMPT_OVERHEAD)
    assert measure("a") < 0.5


PICTURES = [
    ("o200k", None, 765),
    ("o200k", "low", 85),
    ("claude_v4_7", None, 1334),
    ("gemini", "high", 258),
    (None, None, 765),
]


@pytest.mark.parametrize("family, detail, tokens", PICTURES)
def test_a_picture_counts_as_one_of_a_megapixel(family, detail, tokens):
    image = Image(url="https://example.com/x.png", detail=detail)

    shown = estimate(Message.user("hello world", image), family)

    assert shown == estimate(Message.user("hello world"), family) + tokens


def test_a_picture_that_a_tool_answers_counts_too():
    image = Image(url="https://example.com/x.png")

    assert estimate([ToolResult("1", (Text("hello world"), image))]) > 765


def test_nobody_knows_what_sound_has():
    sound = Audio(data=b"RIFF", media_type="audio/wav")

    assert estimate(Message.user("hello world", sound)) == estimate(Message.user("hello world"))


WEATHER = Tool(
    "weather",
    "Tells the weather.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


TIDES = Tool("tide_it", WEATHER.description, WEATHER.parameters)


@pytest.mark.parametrize("family, once", [("o200k", 16), ("claude_v3", 500), ("deepseek", 250)])
def test_a_request_counts_with_its_tools(family, once):
    told = json.dumps(
        {"name": "weather", "description": "Tells the weather.", "parameters": WEATHER.parameters},
        separators=(",", ":"),
    )

    plain, one = request(), request(tools=[WEATHER])
    several = request(tools=[WEATHER, TIDES])

    added = count_request(one, family) - count_request(plain, family)
    assert added == pytest.approx(once + measure(told, family), abs=1)
    more = count_request(several, family) - count_request(one, family)
    assert more == pytest.approx(measure(told, family), abs=1.5)


def test_a_request_counts_with_its_schema():
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}

    assert count_request(request(response_format=schema)) > count_request(request()) + 10


def test_a_request_of_texts_to_embed_has_no_frames():
    asked = embed_request(["hello world", "how are you?"], {})[0]

    assert count_request(asked) == round(measure("hello world") + measure("how are you?"))
    assert count_request(asked, "o200k", Lengths()) == 23


def test_a_request_is_never_exact():
    assert count_request(request(), "o200k", Lengths()).exact is False


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "asked",
    [
        request("ħ" * 1000),
        request(["aB" * 100, "\n" * 100], system_prompt="Be brief."),
        request(tools=[WEATHER, TIDES]),
        request(response_format={"type": "object", "properties": {"é": {"type": "string"}}}),
        EmbedRequest(texts=("\n", "aB", "中")),
    ],
)
def test_no_expectation_exceeds_the_bound(asked, family):
    assert count_request(asked, family) <= most_tokens(asked)


@pytest.mark.parametrize("text", ["a", "é", "中", "😀", "\ud800"])
def test_the_bound_is_the_bytes(text):
    size = len(text.encode("utf-8", "surrogatepass"))

    assert most_tokens(request("x" + text)) - most_tokens(request("x")) == size


def test_what_a_vendor_gets_back_is_within_the_bound():
    thought = Reasoning("", opaque={"encrypted": "x" * 5000}, origin="test")

    assert most_tokens(request([Message.assistant([thought, Text("Yes.")])])) > 5000


@pytest.mark.parametrize(
    "part",
    [
        Image(url="https://example.com/x.png"),
        Audio(data=b"RIFF", media_type="audio/wav"),
        File(data=b"%PDF", media_type="application/pdf"),
        ToolResult("1", (Image(url="https://example.com/x.png"),)),
    ],
)
def test_media_have_no_bound(part):
    assert most_tokens(request([Message("user", part)])) is None


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_factor_for_what_is_to_be_expected_at_most(family):
    assert 1 < FACTORS[family] < 2
