"""What answers are kept under, and what is kept of them."""

from dataclasses import fields, replace
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fairlead.core.cache_keys import generation_key, text_keys
from fairlead.core.canonical import canonical, digest
from fairlead.core.embeddings import Embedding, EmbeddingSpace
from fairlead.core.entries import SKEW, Answer, Vector
from fairlead.core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from fairlead.core.messages import Image, Message, Reasoning, Refusal, Text, Tool
from fairlead.core.models import ModelInfo
from fairlead.core.plans import Target
from fairlead.core.requests import EmbedRequest, GenerateRequest
from fairlead.core.results import FinishReason
from fairlead.core.usage import Cost, Usage

TARGET = Target(provider="openai", model=ModelInfo(name="m"), adapter="a/1", endpoint="https://e")
PLAIN = GenerateRequest(messages=(Message.user("hi"),))
OTHERS = {
    "messages": [
        (Message.user("ho"),),
        (Message.system("hi"),),
        (Message.assistant("hi"),),
        (Message.user("hi"), Message.user("hi")),
        (Message.assistant(Refusal("hi")),),
        (Message.assistant(Reasoning("hi")),),
        (Message.user(Image(data=b"1", media_type="image/png")),),
        (Message.user(Image(data=b"2", media_type="image/png")),),
        (Message.user(Text("h"), Text("i")),),
        (Message.user("\ud800"),),
    ],
    "temperature": [0, 1, 0.1],
    "top_p": [0, 1],
    "top_k": [0, 1],
    "max_tokens": [1],
    "stop_sequences": [("a",), ("a", "b"), ("ab",)],
    "seed": [0, 1],
    "frequency_penalty": [0, 1],
    "presence_penalty": [0, 1],
    "logprobs": [True, 1, 2],
    "tools": [(Tool("a"),), (Tool("a", "b"),), (Tool("a", strict=True),)],
    "tool_choice": ["auto", "a"],
    "response_format": [{"type": "object"}, {"type": "array"}],
    "reasoning_effort": ["low"],
    "strict": [True],
    "extra": [{"a": 1}, {"a": "1"}, {"a": [1]}, {"a": None}, {"b": 1}],
}


def key(request=PLAIN, target=TARGET, namespace=""):
    return generation_key(target, request, namespace)


def test_whatever_is_asked_otherwise_has_another_key():
    assert OTHERS.keys() == {each.name for each in fields(GenerateRequest)} - {"model"}
    variants = [replace(PLAIN, **{name: value}) for name in OTHERS for value in OTHERS[name]]
    keys = [key(), *(key(request) for request in variants)]

    assert None not in keys
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    "change",
    [
        {"provider": "other"},
        {"model": ModelInfo(name="n")},
        {"endpoint": "https://f"},
        {"endpoint": None},
        {"adapter": "a/2"},
        {"defaults": {"temperature": 1}},
    ],
    ids=str,
)
def test_another_target_has_another_key(change):
    assert key(target=replace(TARGET, **change)) != key()
    asked = EmbedRequest(texts=("hi",))
    assert text_keys(replace(TARGET, **change), asked, "") != text_keys(TARGET, asked, "")


def test_what_does_not_change_the_answer_is_no_part():
    same = (
        replace(TARGET, refuses="not now", retry_after=3.0, probes=True),
        replace(TARGET, model=ModelInfo(name="m", context_window=5)),
    )
    assert {key(target=target) for target in same} == {key()}
    assert key(replace(PLAIN, model="openai:m")) == key()
    assert key(replace(PLAIN, temperature=0.0)) == key(replace(PLAIN, temperature=0))
    assert key(namespace="other") != key()


def test_what_has_no_canonical_form_is_not_kept():
    assert key(replace(PLAIN, extra={"a": object()})) is None
    assert key(target=replace(TARGET, defaults={"a": object()})) is None
    assert key(target=replace(TARGET, model=ModelInfo())) is None
    assert text_keys(TARGET, EmbedRequest(texts=("a",), extra={"a": object()}), "") is None
    assert text_keys(replace(TARGET, model=ModelInfo()), EmbedRequest(texts=("a",)), "") is None


class Format:
    @classmethod
    def model_json_schema(cls):
        return {"type": "object"}

    @classmethod
    def model_validate_json(cls, json_data):
        return json_data


def test_a_format_is_known_by_its_schema():
    as_schema = replace(PLAIN, response_format={"type": "object"})
    assert key(replace(PLAIN, response_format=Format)) == key(as_schema)


def test_a_text_is_kept_by_itself():
    batch = EmbedRequest(texts=("a", "b", "\ud800"))
    one = EmbedRequest(texts=("b",))

    keys = text_keys(TARGET, batch, "")
    assert len(set(keys)) == 3
    assert text_keys(TARGET, one, "") == keys[1:2]
    for change in ({"dimensions": 2}, {"input_type": "query"}, {"extra": {"a": 1}}):
        assert text_keys(TARGET, replace(one, **change), "") != keys[1:2]
    assert text_keys(TARGET, one, "other") != keys[1:2]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values, min_size=2))
def test_the_order_of_a_mapping_does_not_count(value):
    backwards = dict(reversed(value.items()))
    assert digest(value) == digest(backwards) == digest(MappingProxyType(value))


@given(json_values, json_values)
def test_what_differs_has_another_digest(one, other):
    assume(canonical(one) != canonical(other))
    assert digest(one) != digest(other)


@given(st.text(st.sampled_from("0123456789abcdef"), min_size=16))
def test_a_secret_cannot_be_read_from_a_key(secret):
    told = key(replace(PLAIN, extra={"api_key": secret}))
    assert secret not in told
    assert len(told) == 64


# Entries.

counts = st.none() | st.integers(0, 10**9)
usages = st.builds(
    Usage,
    input_tokens=counts,
    output_tokens=counts,
    cache_read_tokens=counts,
    cache_write_tokens=counts,
    reasoning_tokens=counts,
    total_tokens=counts,
    estimated=st.booleans(),
    apart=st.dictionaries(st.text(), st.integers(0, 10**9), max_size=3),
    raw=st.dictionaries(st.text(), json_values, max_size=3),
)
costs = st.builds(
    Cost,
    amount=st.decimals(allow_nan=False, allow_infinity=False),
    source=st.text(),
    estimated=st.booleans(),
    matched=st.none() | st.text(),
    as_of=st.none() | st.dates(),
    exact=st.booleans(),
)
opaque = st.none() | st.dictionaries(st.text(), json_values, max_size=3)
words = st.text(st.characters(), max_size=50)
events = st.lists(
    st.builds(StreamStart, st.none() | st.text(), st.none() | st.text())
    | st.builds(TextDelta, words)
    | st.builds(ReasoningDelta, words, opaque, st.none() | st.text())
    | st.builds(RefusalDelta, words)
    | st.builds(
        ToolCallDelta,
        st.integers(0, 9),
        st.none() | st.text(),
        st.none() | st.text(),
        words,
        opaque,
        st.none() | st.text(),
    ),
    max_size=30,
)
ends = st.builds(
    StreamEnd,
    st.sampled_from(FinishReason),
    st.none() | st.text(),
    usage=st.none() | usages,
    cost=st.none() | costs,
    warnings=st.lists(st.text(), max_size=3).map(tuple),
    logprobs=st.lists(st.dictionaries(st.text(), json_values), max_size=3).map(tuple),
    details=st.dictionaries(st.text(), json_values, max_size=3),
)
facts = {
    "at": st.floats(0, 1e10),
    "until": st.none() | st.floats(0, 1e10),
    "provider": st.text(),
    "model": st.none() | st.text(),
    "usage": st.none() | usages,
    "cost": st.none() | costs,
    "vendor_request_id": st.none() | st.text(),
    "warnings": st.lists(st.text(), max_size=3).map(tuple),
}
answers = st.builds(Answer, events=st.builds(lambda told, end: [*told, end], events, ends), **facts)
vectors = st.builds(
    Vector,
    vector=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1).map(
        Embedding
    ),
    space=st.builds(
        EmbeddingSpace,
        model=st.text(),
        revision=st.none() | st.text(),
        dimensions=st.none() | st.integers(1, 9),
    ),
    **facts,
)


quickly = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@given(answers)
@quickly
def test_an_answer_is_kept_event_for_event(answer):
    assert Answer.decode(answer.encode()) == answer


@given(vectors)
@quickly
def test_a_vector_is_kept_number_for_number(vector):
    assert Vector.decode(vector.encode()) == vector


@given(answers | vectors, st.data())
@quickly
def test_what_was_damaged_is_no_entry(entry, data):
    whole = bytearray(entry.encode())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))

    with pytest.raises(ValueError):
        type(entry).decode(bytes(whole))
    with pytest.raises(ValueError):
        type(entry).decode(entry.encode()[:place])


@given(st.binary())
def test_what_is_no_entry_is_a_value_error(data):
    for kind in (Answer, Vector):
        with pytest.raises(ValueError):
            kind.decode(data)


def sealed(data):
    from fairlead.core.entries import _sealed

    return _sealed(data)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b'{"v":1,"at":1}',
        b'{"v":2,"at":"x","provider":"p","usage":null,"cost":null,"warnings":[],"events":[]}',
        b'{"v":2,"at":1,"provider":"p","usage":[],"cost":null,"warnings":[],"events":[]}',
        b'{"v":2,"at":1,"provider":"p","usage":null,"cost":null,"warnings":[],"events":[["?"]]}',
        b'{"v":2,"at":1,"provider":"p","usage":null,"cost":["x","y",0,null,null,true],"warnings":[],"events":[]}',
        b"[" * 100_000,
        b"z" + b"no zlib",
    ],
    ids=range(9),
)
def test_what_another_has_written_is_a_value_error(body):
    with pytest.raises(ValueError):
        Answer.decode(sealed(body))
    with pytest.raises(ValueError):
        Vector.decode(sealed(body + b"\n1234"))


def test_an_entry_that_explodes_is_none():
    import zlib

    with pytest.raises(ValueError, match="too large"):
        Answer.decode(sealed(b"z" + zlib.compress(b" " * (64 * 1024 * 1024 + 1))))


def test_large_answers_are_compressed():
    answer = Answer(at=0.0, provider="p", events=[TextDelta("word " * 1000)])
    assert len(answer.encode()) < 500


def test_a_mapping_of_another_kind_is_one():
    given_ = Answer(at=0.0, provider="p", events=[ReasoningDelta("", MappingProxyType({"a": 1}))])
    assert Answer.decode(given_.encode()).events == [ReasoningDelta("", {"a": 1})]


def test_no_numbers_are_no_vector():
    space = EmbeddingSpace(model="m")
    for numbers in ([], [float("nan")]):
        vector = Vector(at=0.0, provider="p", vector=Embedding(numbers), space=space)
        with pytest.raises(ValueError, match="no vector"):
            Vector.decode(vector.encode())


def test_what_is_nested_without_end_has_no_canonical_form():
    nested = []
    nested.append(nested)
    with pytest.raises(TypeError, match="no canonical form"):
        digest(nested)


def test_what_json_has_no_word_for_is_not_kept():
    answer = Answer(at=0.0, provider="p", events=[ReasoningDelta("", {"a": object()})])
    with pytest.raises(TypeError, match="cannot keep a object"):
        answer.encode()


@pytest.mark.parametrize(
    "now, max_age, fresh",
    [
        (100.0, None, True),
        (109.9, None, True),
        (110.0, None, False),
        (105.0, 5.0, True),
        (105.1, 5.0, False),
        (100.0 - SKEW, None, True),
        (99.9 - SKEW, None, False),
        (100.0, 0.0, True),
    ],
)
def test_an_entry_will_do_for_a_while(now, max_age, fresh):
    answer = Answer(at=100.0, until=110.0, provider="p", events=[])
    assert answer.fresh(now, max_age) is fresh
    assert answer.age(now) == max(now - 100.0, 0.0)


def test_what_the_end_tells_is_told_once():
    usage, cost = Usage(input_tokens=12345, output_tokens=1), Cost(amount=Decimal(7), source="us")
    end = StreamEnd(FinishReason.STOP, usage=usage, cost=cost)
    answer = Answer(at=0.0, provider="p", events=[end], usage=usage, cost=cost)

    assert answer.encode().count(b"12345") == 1
    assert Answer.decode(answer.encode()) == answer
    other = replace(answer, usage=None)
    assert Answer.decode(other.encode()) == other
