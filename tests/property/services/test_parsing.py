"""Whatever stands round a value, it comes back, and nothing that is not there does."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairlead.core.errors import ResponseParseError
from fairlead.services.parsing import parse_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
CONTAINERS = st.lists(VALUES, max_size=4) | st.dictionaries(st.text(), VALUES, max_size=4)
WORDS = st.text().map(lambda text: text.translate(dict.fromkeys(map(ord, "{}[]`"), " ")))
PROSE = st.text().map(lambda text: text.replace("`", "'"))
LANGUAGES = st.sampled_from(["", "json", "JSON", "json5", "javascript"])
ENDS = st.sampled_from(["\n", "\r\n"])
INDENTS = st.none() | st.integers(0, 4)
DAMAGED = st.text(alphabet="{}[]\"'\\,:01 ab#/*`\n") | st.lists(
    st.sampled_from(["{", "}", "[", "]", '"a"', "'b'", ":", ",", " ", "1", "23", "tr", "ue", "#"])
).map("".join)


def equal(one, other):
    """`1 == True` and `0.0 == -0.0` in Python, and nowhere else."""
    return json.dumps(one) == json.dumps(other)


@settings(deadline=None)
@given(WORDS, VALUES, WORDS, LANGUAGES, ENDS, INDENTS)
@example("", "```", "", "json", "\n", None)
def test_a_value_in_a_fence_comes_back(before, value, after, language, end, indent):
    said = json.dumps(value, indent=indent, ensure_ascii=False)
    text = f"{before}\n```{language}{end}{said}{end}```\n{after}"

    assert equal(parse_json(text), value)


@settings(deadline=None)
@given(PROSE, CONTAINERS, PROSE, ENDS)
def test_brackets_in_prose_take_nothing_from_a_fence(before, value, after, end):
    before = before.translate(dict.fromkeys(map(ord, "{["), " "))

    assert equal(parse_json(f"{before}\n```json{end}{json.dumps(value)}{end}```\n{after}"), value)


@settings(deadline=None)
@given(WORDS, CONTAINERS, WORDS, INDENTS)
def test_an_object_or_a_list_in_prose_comes_back(before, value, after, indent):
    said = json.dumps(value, indent=indent, ensure_ascii=False)

    assert equal(parse_json(f"{before}{said}{after}"), value)


@settings(deadline=None)
@given(CONTAINERS)
def test_python_s_own_notation_is_read(value):
    assert equal(parse_json(f"So: {_as_python(value)}"), value)


def _as_python(value):
    if isinstance(value, dict):
        pairs = (f"{_quoted(key)}: {_as_python(each)}," for key, each in value.items())
        return "{" + " ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + "".join(f"{_as_python(each)}, " for each in value) + "]"
    if isinstance(value, float):
        return json.dumps(value)
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@settings(deadline=None)
@given(CONTAINERS, st.integers(1))
def test_half_a_value_is_none_and_the_beginning_of_it_if_asked_for(value, at):
    said = json.dumps(value)
    half = said[: at % len(said)]

    try:
        found = parse_json(half)
    except ResponseParseError:
        pass
    else:
        raise AssertionError(found)
    if half:
        assert _begins(parse_json(half, partial=True), value)


def _begins(part, whole):
    """Whether *part* is the beginning of *whole*."""
    if isinstance(part, dict):
        return all(key in whole and _begins(each, whole[key]) for key, each in part.items())
    if isinstance(part, list):
        return all(map(_begins, part, whole)) and len(part) <= len(whole)
    if isinstance(part, str):
        return isinstance(whole, str) and whole.startswith(part)
    return part == whole or isinstance(whole, int | float)  # a number may have lost its end


@settings(deadline=None)
@given(DAMAGED, st.booleans())
def test_nothing_comes_back_that_is_not_in_the_text(text, partial):
    try:
        value = parse_json(text, partial=partial)
    except ResponseParseError:
        return

    for leaf in _leaves(value):
        if isinstance(leaf, str) and "\\" not in text:
            assert leaf in text
        elif isinstance(leaf, int) and not isinstance(leaf, bool):
            assert str(leaf) in text


def _leaves(value):
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield value
