"""What a call consumed."""

import pytest

from fairlead.core.usage import Usage
from tests.support.messages import STOP, ending, message, plain, started, streamed

LEFT_OUT = "the vendor's sums leave out what it lists besides:"


def usage(**told):
    return plain(message(usage=told)).usage


def test_input_includes_what_was_cached():
    told = {
        "input_tokens": 10,
        "output_tokens": 7,
        "cache_read_input_tokens": 200,
        "cache_creation_input_tokens": 3000,
        "output_tokens_details": {"thinking_tokens": 4},
    }

    assert usage(**told) == Usage(
        input_tokens=3210,
        output_tokens=7,
        cache_read_tokens=200,
        cache_write_tokens=3000,
        reasoning_tokens=4,
        raw=told,
    )


def test_what_was_written_for_an_hour_is_told_apart():
    told = usage(
        input_tokens=1,
        output_tokens=1,
        cache_creation_input_tokens=30,
        cache_creation={"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        server_tool_use={"web_search_requests": 2, "web_fetch_requests": 1},
    )

    assert told.apart == {"cache_write_1h": 20, "web_searches": 2}
    assert told.input_tokens == 31


def test_what_is_not_told_is_not_known():
    assert plain(message()).usage is None
    assert usage(output_tokens=1) == Usage(output_tokens=1, raw={"output_tokens": 1})
    assert usage(input_tokens=1, cache_creation={"ephemeral_1h_input_tokens": 5}).apart == {
        "cache_write_1h": 5
    }


def test_later_counts_replace_earlier_ones():
    told = streamed(
        started(usage={"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1}),
        ending(usage={"input_tokens": 20, "output_tokens": 6}),
        ending(usage={"output_tokens": 8, "cache_read_input_tokens": None}),
        STOP,
    )

    assert told.usage.input_tokens == 25
    assert told.usage.output_tokens == 8


def test_a_contradiction_is_kept_and_said():
    told = plain(
        message(
            usage={
                "input_tokens": 1,
                "cache_creation_input_tokens": 10,
                "cache_creation": {"ephemeral_1h_input_tokens": 20},
            }
        )
    )

    assert told.usage.cache_write_tokens == 10
    assert told.usage.apart == {"cache_write_1h": 10}
    assert "contradicts itself: 10 tokens" in told.warnings[0]


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (["message"], ()),
        ([None], ()),
        (
            ["message", "compaction", "compaction", "advisor_message"],
            (f"{LEFT_OUT} advisor_message, compaction; see usage.raw",),
        ),
    ],
)
def test_what_is_not_in_the_sums_is_said(kinds, said):
    iterations = [{"type": kind, "input_tokens": 1} for kind in kinds]

    assert plain(message(usage={"input_tokens": 1, "iterations": iterations})).warnings == said
