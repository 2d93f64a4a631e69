import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.adapters.tokenizers.tiktoken import load
from fairlead.core.messages import Message, Tool
from fairlead.core.requests import EmbedRequest, generate_request
from fairlead.core.tokens import (
    FAMILIES,
    MESSAGE_BOUND,
    PROMPT_OVERHEAD,
    count_request,
    estimate,
    most_tokens,
)

TEXTS = st.text(min_size=1).filter(str.strip)
PROMPTS = st.lists(TEXTS, min_size=1, max_size=5)
FAMILY = st.sampled_from(sorted(FAMILIES))
TOOLS = st.lists(
    st.builds(
        Tool,
        st.from_regex(r"[a-z]{1,8}", fullmatch=True),
        st.none() | st.text(),
        st.dictionaries(st.text(), st.recursive(st.text() | st.integers(), st.lists)),
    ),
    max_size=3,
    unique_by=lambda tool: tool.name,
)


def request(prompt, **options):
    return generate_request(prompt, options)[0]


@given(PROMPTS, PROMPTS, FAMILY)
def test_two_conversations_together_have_as_much_as_apart(one, other, family):
    together = estimate([*one, *other], family)
    apart = estimate(one, family) + estimate(other, family)

    assert abs(together + PROMPT_OVERHEAD - apart) <= 1


@given(PROMPTS, TEXTS, FAMILY)
def test_whoever_says_more_has_more(prompt, more, family):
    assert estimate(prompt, family) < estimate([*prompt, more], family)


@given(PROMPTS, TOOLS, FAMILY)
def test_no_expectation_exceeds_the_bound(prompt, tools, family):
    asked = request(prompt, tools=tools)

    assert count_request(asked, family) <= most_tokens(asked)


@given(PROMPTS, TOOLS)
def test_the_bound_grows_with_every_message_and_tool(prompt, tools):
    asked = most_tokens(request(prompt))

    assert most_tokens(request([*prompt, "x"])) == asked + 1 + MESSAGE_BOUND
    assert (most_tokens(request(prompt, tools=tools)) > asked) == bool(tools)


@given(PROMPTS)
def test_the_bound_is_the_sum_of_the_bytes_and_frames(texts):
    bound = sum(len(text.encode("utf-8", "surrogatepass")) + MESSAGE_BOUND for text in texts)

    assert most_tokens(EmbedRequest(texts=tuple(texts))) == bound


@given(PROMPTS)
def test_a_request_counts_as_its_messages_do(prompt):
    messages = [Message.user(text) for text in prompt]

    assert count_request(request(messages)) == estimate(messages) == estimate(prompt)


@pytest.mark.parametrize("family", ["o200k", "cl100k"])
def test_no_text_has_more_tokens_than_bytes(family):
    tokenizer = load(family)
    if tokenizer is None:
        pytest.skip(f"the vocabulary of {family} is not here: fairlead tokens fetch")

    @given(st.text())
    @settings(max_examples=500)
    def counted(text):
        assert tokenizer.count(text) <= len(text.encode())

    counted()
