"""Precedence, forms of files, and silence about secrets, whatever is said where."""

import json
import string
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr

from fairlead.core.errors import ConfigurationError
from fairlead.settings import load, resolve

LAYERS = ("argument", "environment", ".env", "file", "default")


class Numbers(BaseModel):
    one: int = 0
    two: int = 0
    three: int = 0


class Outer(BaseModel):
    numbers: Numbers = Numbers()
    other: int = 0


FIELDS = ("numbers.one", "numbers.two", "numbers.three", "other")

said_by_layer = st.fixed_dictionaries(
    {layer: st.dictionaries(st.sampled_from(FIELDS), st.integers(1, 99)) for layer in LAYERS[:-1]}
)


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def tree(flat):
    nested = {}
    for key, value in flat.items():
        *above, name = key.split(".")
        here = nested
        for part in above:
            here = here.setdefault(part, {})
        here[name] = value
    return nested


def variables(flat, prefix="FAIRLEAD_S_"):
    return {prefix + key.replace(".", "_").upper(): str(value) for key, value in flat.items()}


@given(said=said_by_layer, suffix=st.sampled_from(["yaml", "json", "py"]))
def test_the_highest_layer_that_says_anything_counts(folder, said, suffix):
    dotenv, file = folder / ".env", folder / f"a.{suffix}"
    dotenv.write_text(
        "".join(f"{name}={value}\n" for name, value in variables(said[".env"]).items())
    )
    if suffix == "py":
        lines = [f"{name.lower()} = {value}" for name, value in variables(said["file"]).items()]
        file.write_text("\n".join(lines))
    else:
        file.write_text(json.dumps({"s": tree(said["file"])}, indent=1))
    raw = load(
        file=file,
        env_file=dotenv,
        environ=variables(said["environment"]),
        arguments={"s": tree(said["argument"])},
    )

    result = resolve(raw, "s", Outer)

    for key in FIELDS:
        layer = next((layer for layer in LAYERS[:-1] if key in said[layer]), "default")
        assert result.values()[key] == (said[layer][key] if layer != "default" else 0)
        assert result.sources[key].kind == layer


names = st.text(string.ascii_letters + string.digits + "_- .ä#'\"\\", min_size=1, max_size=8)
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=20
)
scalars = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
trees = st.dictionaries(names, values, max_size=4).filter(lambda tree: "providers" not in tree)


def toml(value):
    """*value* as inline TOML, with line breaks in its lists."""
    if isinstance(value, dict):
        members = (f"{toml(name)} = {toml(item)}" for name, item in value.items())
        return f"{{ {', '.join(members)} }}"
    if isinstance(value, list):
        return f"[\n  {', '.join(map(toml, value))}\n]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def as_toml(tree):
    return "".join(f"{toml(name)} = {toml(value)}\n\n" for name, value in tree.items())


@given(tree=trees)
@example(tree={"a": {"b": [{"c": 1}, [2]], "d.e": {"f": ""}}, "g": '"""', "h": "'''\n[x]"})
def test_all_forms_of_a_file_say_the_same(folder, tree):
    forms = {
        "a.yaml": yaml.safe_dump(tree, allow_unicode=True),
        "b.yaml": yaml.safe_dump(tree, default_flow_style=True),
        "a.json": json.dumps(tree, indent=2),
        "b.json": json.dumps(tree, ensure_ascii=False),
        "a.toml": as_toml(tree),
    }
    for name, text in forms.items():
        (folder / name).write_text(text, "utf-8", newline="")
        raw = load(file=folder / name, environ={})

        assert {key: setting.plain() for key, setting in raw.section().items()} == tree
        check_lines(raw.section(), text)


def check_lines(section, text):
    """Every key stands in the line that is told."""
    lines = text.split("\n")
    for name, setting in section.items():
        line = lines[setting.source.line - 1]
        words = [word for word in "".join(c if c.isalnum() else " " for c in name).split() if word]
        if name.isascii():
            assert all(word in line for word in words), (name, line)


def outcome(call):
    """What a call returns or raises, as it would be shown."""
    try:
        return repr(call())
    except ConfigurationError as error:
        return f"{error!r} {error.__context__!r} {error.__cause__!r}"


SECRET = "sk-canary-1b6f8d0c9a7e5b3f"


class Secretive(BaseModel):
    api_key: SecretStr = SecretStr("")
    token: SecretStr | None = None
    number: int = Field(0, gt=0)
    model: str = "gpt"
    names: list[str] = []
    inner: Numbers = Numbers()


places = st.sampled_from(
    ["api_key", "token", "api_kye", "tokens", "number", "names", "inner", "inner.one", "inner.x"]
)
shapes = st.sampled_from(
    [
        SECRET,
        [SECRET],
        {"a": SECRET},
        [{SECRET[3:]: SECRET}],
        f"https://user:{SECRET}@host",
        f"{SECRET}\n{SECRET}",
        SECRET * 3,
    ]
)


@given(
    argument=st.dictionaries(places, shapes),
    environment=st.dictionaries(places, shapes.filter(lambda shape: isinstance(shape, str))),
    file=st.dictionaries(places, shapes),
    suffix=st.sampled_from(["yaml", "json"]),
)
def test_no_secret_is_ever_told(folder, argument, environment, file, suffix):
    path = folder / f"s.{suffix}"
    content = {"s": {key.replace("inner.", "inner_"): value for key, value in file.items()}}
    path.write_text(json.dumps(content) if suffix == "json" else yaml.safe_dump(content))
    raw = load(
        file=path,
        environ=variables(environment),
        arguments={"s": {key.replace(".", "_"): value for key, value in argument.items()}},
    )

    def values():
        return resolve(raw, "s", Secretive).values()["api_key"]

    assert SECRET not in repr(raw)
    assert SECRET not in outcome(values)


@given(
    before=st.lists(
        st.sampled_from(["a: 1", "# x", "b:", " c: [1,", "- d", "e: {", '"f": "', "\t"])
    ),
    line=st.sampled_from(
        [
            "api_key: {}",
            "api_key: '{}",
            'api_key: "{}',
            "{}",
            "- {}",
            "{}:",
            "*{}",
            "!{}",
            "&{} {}",
            "a: {}: {}",
            "[{}",
            "%{}",
            "{}: {}: {}",
            "'{}' {}",
            '"\\{}"',
            "? {}",
            "k = {}",
            'k = "{}',
        ]
    ),
    after=st.sampled_from(["", "\n", "\ng: 1", "\n  h: 2", "\n]", '\n"']),
    name=st.sampled_from(["m.yaml", "m.json", "m.toml", "m.py", ".env"]),
)
@settings(max_examples=300)
def test_no_malformed_line_is_ever_quoted(folder, before, line, after, name):
    path = folder / name
    path.write_text("\n".join([*before, line.replace("{}", SECRET)]) + after)
    options = {"env_file": path} if name == ".env" else {"file": path}

    assert SECRET not in outcome(lambda: load(environ={}, **options).variables)
