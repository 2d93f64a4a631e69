"""However the bytes of a stream are cut, it tells the same; and no bytes make it raise."""

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from fairlead.wire.gemini import GEMINI, GeminiStreamDecoder
from tests.support.gemini import answer, chunk, sse

PARTS = st.one_of(
    st.builds(lambda text: {"text": text}, st.text(max_size=9)),
    st.builds(lambda text: {"text": text, "thought": True}, st.text(max_size=9)),
    st.builds(lambda text: {"text": text, "thoughtSignature": "s"}, st.text(max_size=3)),
    st.builds(
        lambda name, args: {"functionCall": {"name": name, "args": args}},
        st.sampled_from(["tide", "wind"]),
        st.dictionaries(st.text(max_size=3), st.text(max_size=5), max_size=2),
    ),
    st.just({"executableCode": {"code": '"}{'}}),
)
CHUNKS = st.lists(st.lists(PARTS, max_size=2), max_size=4)
ERROR = {"error": {"code": 503, "message": "gone"}}


@st.composite
def bodies(draw):
    chunks = [chunk(*parts) for parts in draw(CHUNKS)]
    chunks += draw(st.sampled_from([[], [answer({"text": "."})], [ERROR]]))
    if draw(st.booleans()):
        return json.dumps(chunks, indent=draw(st.sampled_from([None, 1]))).encode()
    body = sse(*chunks)
    if draw(st.booleans()):
        body = body.replace(b"\r\n", b"\n")
    if draw(st.booleans()):
        body += json.dumps(ERROR, indent=2).encode()
    return body


def told(pieces):
    decoder = GeminiStreamDecoder(GEMINI)
    events = [event for piece in pieces for event in decoder.feed(piece)]
    events += decoder.finish()
    error = decoder.error
    return events, error and (type(error), str(error)), decoder.ended


def cut(body, places):
    ends = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(ends)]


@given(bodies(), st.lists(st.integers(0, 2000), max_size=12))
def test_the_same_events_however_it_is_cut(body, places):
    assert told(cut(body, places)) == told([body])
    assert told([bytes([byte]) for byte in body]) == told([body])


@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([b"data: ", b'{"candidates":', b"[", b"\n{"]))
)
def test_no_bytes_make_it_raise(pieces):
    events, error, ended = told(pieces)

    assert ended == (error is None)
    assert ended or events is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("candidates", "content", "parts", "text", "thought", "thoughtSignature"),
                    *("functionCall", "args", "name", "finishReason", "index", "usageMetadata"),
                    *("promptFeedback", "blockReason", "error", "details", "logprobsResult"),
                    *("chosenCandidates", "topCandidates", "inlineData", "promptTokensDetails"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_no_json_makes_it_raise(value):
    _, error, ended = told([b"data: " + json.dumps(value).encode() + b"\n\n"])

    assert ended == (error is None)
