"""Server-sent events: bytes in, events out."""

import time

import pytest

from fairlead.core.errors import ResponseTooLargeError
from fairlead.wire.sse import ServerSentEvent, SSEParser


def parse(body, *, size=None, limit=1_000):
    parser = SSEParser(max_event_bytes=limit)
    events = []
    for start in range(0, len(body), size or len(body) or 1):
        events += parser.feed(body[start : start + (size or len(body))])
    return [*events, *parser.finish()]


def data(body, **how):
    return [event.data for event in parse(body, **how)]


def test_an_event_ends_at_a_blank_line():
    parser = SSEParser()

    assert parser.feed(b"data: one\n") == []
    assert parser.feed(b"\n") == [ServerSentEvent(b"one")]


def test_several_events_of_one_read_come_together():
    assert data(b"data: 1\n\ndata: 2\n\ndata: 3\n\n") == [b"1", b"2", b"3"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [None, 1, 2, 3, 7])
def test_every_line_end_is_understood_however_it_is_cut(end, size):
    body = end.join([b"data: 1", b"", b"event: x", b"data: 2", b"data: 3", b"", b""])

    assert parse(body, size=size) == [ServerSentEvent(b"1"), ServerSentEvent(b"2\n3", "x")]


def test_line_ends_may_be_mixed():
    assert data(b"data: 1\r\n\ndata: 2\r\rdata: 3\n\r\n") == [b"1", b"2", b"3"]


def test_a_carriage_return_at_the_end_of_a_read_ends_the_line_at_once():
    parser = SSEParser()

    assert parser.feed(b"data: 1\r\n\r") == [ServerSentEvent(b"1")]
    assert parser.feed(b"\ndata: 2\n\n") == [ServerSentEvent(b"2")]


@pytest.mark.parametrize("char", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x1e"])
def test_what_only_unicode_calls_a_line_end_is_text(char):
    assert data(f"data: a{char}b\n\n".encode()) == [f"a{char}b".encode()]


def test_one_byte_order_mark_is_stripped():
    body = "\ufeffdata: 1\n\n".encode()

    assert data(body) == [b"1"]
    assert data(body, size=1) == [b"1"]


def test_a_second_byte_order_mark_is_not():
    assert data("\ufeff\ufeffdata: 1\n\n".encode()) == []


def test_comments_are_dropped():
    assert data(b": ping\n\n: ping\ndata: 1\n: ping\n\n:\n\n") == [b"1"]


def test_comments_without_a_blank_line_are_not_kept():
    parser = SSEParser(max_event_bytes=100)
    for _ in range(1_000):
        assert parser.feed(b": still here\n") == []

    assert parser.feed(b"data: 1\n\n") == [ServerSentEvent(b"1")]


def test_data_lines_of_one_event_are_joined_with_a_line_feed():
    assert data(b"data: 1\ndata:\ndata: 2\n\n") == [b"1\n\n2"]


def test_one_space_after_the_colon_is_not_part_of_the_data():
    assert data(b"data:1\n\ndata: 2\n\ndata:  3\n\n") == [b"1", b"2", b" 3"]


def test_a_field_without_a_colon_is_an_empty_one():
    assert data(b"data\n\n") == [b""]


def test_the_name_of_an_event_is_kept_for_that_event_alone():
    events = parse(b"event: error\ndata: 1\n\ndata: 2\n\nevent: x\n\ndata: 3\n\n")

    assert [event.event for event in events] == ["error", None, None]


def test_ids_retry_times_and_unknown_fields_are_ignored():
    assert data(b"id: 7\nretry: 10\nfoo: bar\ndata: 1\n\n") == [b"1"]


def test_a_line_that_begins_with_a_space_is_an_unknown_field():
    assert data(b" data: 1\n\ndata: 2\n\n") == [b"2"]


def test_an_event_without_data_is_none():
    assert parse(b"event: ping\n\n\n\n\n") == []


def test_a_character_cut_in_two_is_whole_again():
    assert data("data: né\n\n".encode(), size=8) == ["né".encode()]


@pytest.mark.parametrize("body", [b"data: 1\n\ndata: 2", b"data: 1\n\ndata: 2\n"])
def test_an_event_that_the_end_of_the_body_cuts_short_is_surfaced(body):
    assert data(body) == [b"1", b"2"]


def test_an_empty_body_has_no_events():
    assert parse(b"") == []


@pytest.mark.parametrize(
    "body",
    [
        b"data: " + b"x" * 101,
        b"data: " + b"x" * 101 + b"\n\n",
        b"data: xxxxxxxxx\n" * 11,
        b"data:\n" * 101,
        b": " + b"x" * 101,
    ],
)
@pytest.mark.parametrize("size", [None, 1, 30])
def test_an_event_or_line_beyond_the_limit_is_an_error(body, size):
    parser = SSEParser(max_event_bytes=100)
    for start in range(0, len(body), size or len(body)):
        assert parser.feed(body[start : start + (size or len(body))]) == []

    assert isinstance(parser.error, ResponseTooLargeError)
    assert parser.feed(b"\n\ndata: 1\n\n") == []
    assert parser.finish() == []


def test_events_before_the_one_beyond_the_limit_are_told():
    parser = SSEParser(max_event_bytes=100)

    assert parser.feed(b"data: 1\n\ndata: " + b"x" * 101 + b"\n\n") == [ServerSentEvent(b"1")]
    assert parser.error is not None


def test_many_events_together_may_exceed_the_limit():
    body = b"data: 12345\n\n" * 100

    assert data(body, limit=100) == [b"12345"] * 100


def test_a_huge_event_in_small_pieces_takes_linear_time():
    def seconds(size):
        body = b"data: " + b"x" * size + b"\n\n"
        began = time.perf_counter()
        assert data(body, size=64, limit=10**9) == [b"x" * size]
        return time.perf_counter() - began

    seconds(100_000)

    assert seconds(3_200_000) < 16 * 8 * max(seconds(200_000), 0.001)
