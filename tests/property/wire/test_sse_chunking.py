"""However a body is cut, the same events come of it."""

import itertools

from hypothesis import example, given
from hypothesis import strategies as st

from fairlead.wire.sse import SSEParser

ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
LINES = st.one_of(
    st.just(b""),
    st.just(b""),
    st.binary(max_size=12).map(lambda data: data.replace(b"\r", b"").replace(b"\n", b"")),
    st.text("aé\u2028😀\x85", max_size=6).map(lambda text: b"data: " + text.encode()),
    st.sampled_from(
        [b": ping", b"event: error", b"data", b"data:x", b" data: no", b"\xef\xbb\xbf"]
    ),
)
BODIES = st.lists(st.tuples(LINES, ENDS), max_size=30).map(
    lambda lines: b"".join(line + end for line, end in lines)
)


def parse(pieces, limit=10_000):
    parser = SSEParser(max_event_bytes=limit)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return [*events, *parser.finish()], parser.error is not None


def cut(body, places):
    ends = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(ends)]


@given(body=BODIES | st.binary(max_size=60), places=st.lists(st.integers(0, 10_000), max_size=12))
def test_events_do_not_depend_on_the_cuts(body, places):
    assert parse(cut(body, places)) == parse([body])


@example(b"data: \ndata: \ndata: \ndata: a\ndata: aa\ndata: aa\n\n", [38], 9)
@given(body=BODIES, places=st.lists(st.integers(0, 10_000), max_size=12), limit=st.integers(1, 30))
def test_nor_do_limits(body, places, limit):
    events, failed = parse(cut(body, places), limit)
    whole, whole_failed = parse([body], limit)

    # A line that will never be part of an event is kept whole only while it is unfinished.
    assert failed or not whole_failed
    assert events == whole[: len(events)]


@given(texts=st.lists(st.text(min_size=1), max_size=5), end=ENDS)
def test_what_is_written_is_read(texts, end):
    lines = [text.encode(errors="replace").split(b"\n") for text in texts]
    body = b"".join(
        b"".join(b"data: " + line.replace(b"\r", b"") + end for line in event) + end
        for event in lines
    )

    events, _ = parse([body])

    assert [event.data for event in events] == [
        b"\n".join(line.replace(b"\r", b"") for line in event) for event in lines
    ]
