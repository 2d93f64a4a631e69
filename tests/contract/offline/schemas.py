"""JSON schemas, any number of them."""

from hypothesis import strategies as st

_small = st.integers(0, 6)
_scalars = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text("abc", max_size=3))
_names = st.text("abcdef", min_size=1, max_size=3)


@st.composite
def _lengths(draw, low: str, high: str):
    least, more = draw(_small), draw(_small)
    return draw(st.sampled_from([{}, {low: least}, {high: more}, {low: least, high: least + more}]))


@st.composite
def _strings(draw):
    patterns = ["^[a-z]{2,9}$", r"\d+-[A-F]", "^(ab|cd)+x?$", r"^\w\.[^a-z]$", "[.]$"]
    formats = ["date-time", "date", "time", "email", "uuid", "ipv4", "ipv6", "uri", "hostname"]
    form = draw(
        st.one_of(
            _lengths("minLength", "maxLength"),
            st.sampled_from([{"pattern": pattern} for pattern in patterns]),
            st.sampled_from([{"format": each} for each in formats]),
        )
    )
    return {"type": "string", **form}


@st.composite
def _numbers(draw):
    kind = draw(st.sampled_from(["integer", "number"]))
    low = draw(st.integers(-50, 50))
    found = {"type": kind}
    if draw(st.booleans()):
        found[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = low
    if draw(st.booleans()):
        room = draw(st.integers(20, 60))
        found[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = low + room
    if draw(st.booleans()):
        found["multipleOf"] = draw(st.sampled_from([1, 2, 3, 7, 0.5, 0.25, 2.5]))
    return found


_leaves = st.one_of(
    _strings(),
    _numbers(),
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.just({"type": ["string", "null"], "maxLength": 4}),
    st.lists(_scalars, min_size=1, max_size=4).map(lambda values: {"enum": values}),
    _scalars.map(lambda value: {"const": value}),
    st.just({}),
)


@st.composite
def _objects(draw, children):
    properties = draw(st.dictionaries(_names, children, max_size=4))
    required = (
        draw(st.lists(st.sampled_from(sorted(properties)), unique=True)) if properties else []
    )
    rest = draw(st.one_of(st.just({}), children.map(lambda c: {"additionalProperties": c})))
    if draw(st.booleans()):
        rest = {"additionalProperties": False}
    elif draw(st.booleans()):
        rest = {**rest, "minProperties": draw(_small)}
    return {"type": "object", "properties": properties, "required": required, **rest}


@st.composite
def _arrays(draw, children):
    found = {"type": "array", "items": draw(children), **draw(_lengths("minItems", "maxItems"))}
    if draw(st.booleans()):
        found["prefixItems"] = draw(st.lists(children, min_size=1, max_size=3))
    if "minItems" not in found and draw(st.booleans()):
        found["uniqueItems"] = True
    return found


def _combined(children):
    few = st.lists(children, min_size=1, max_size=3)
    return st.one_of(
        few.map(lambda each: {"anyOf": each}),
        few.map(lambda each: {"oneOf": each}),
        children.map(lambda each: {"allOf": [each]}),
        children.map(lambda each: {"$defs": {"it": each}, "allOf": [each, True]}),
    )


schemas = st.recursive(
    _leaves, lambda children: st.one_of(_objects(children), _arrays(children), _combined(children))
)
