"""What `docs/reference/from-the-seeds.md` says of the documents is complete, and true."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import pytest
from pydantic import SecretStr

from fairlead.adapters.providers._http import HttpOptions
from fairlead.assembly.sections import PROVIDERS, SECTIONS, ChoiceSettings
from fairlead.assembly.vendors import vendor
from fairlead.core.requests import EmbedOptions, GenerateOptions
from fairlead.settings import load, resolve
from fairlead.wire.http import WireResponse
from fairlead.wire.openai_chat import Dialect, OpenAIChatCodec
from tests.docs.seeds import DOCUMENTS, WORD, boxes, named, parts, rows

ROWS = rows()
NUMBERS = ["000", "001", "002", "003", "004"]
PLACES = sorted({name for row in ROWS for name in row.names})
VARIABLE = re.compile(r"([A-Z][A-Z0-9_]+)(?:=(.*))?")
VARIABLES = [
    row for row in ROWS if row.setting and VARIABLE.fullmatch(row.spans[0] if row.spans else "")
]
KEYS = [
    row
    for row in ROWS
    if row.setting and re.fullmatch(r"(provider|tls)_\w+|provider\.[\w.]+", "".join(row.spans))
]
MODELS = {"": ChoiceSettings, **SECTIONS}
PASSED_ON = {kind.__name__: kind for kind in (GenerateOptions, EmbedOptions, HttpOptions)}
OTHERS = {
    *("append", "arg", "delenv", "flush", "format", "getattr", "hash", "json", "len", "lower"),
    *("join", "min", "object", "print", "raising", "range", "replace", "setenv", "str", "super"),
    *(
        "__init__",
        "NotImplementedError",
        "ValueError",
        "__class__",
        "__name__",
        "autouse",
        "end",
        "raising",
    ),
    *("raise_for_status", "headers", "mark", "asyncio", "integration", "func", "pytest"),
    *("AsyncIterator", "DevSynth", "FastAPI", "OpenAI", "OpenAIError", "OpenTelemetry"),
    *("RequestException", "fixture", "post"),
}
"""What belongs to Python itself, to other libraries and to other projects."""


def name_of(row):
    return f"{row.document} {(row.spans or [row.what])[0]}"


def there(place):
    """The object that *place* names, and the option of it, or None."""
    dotted, _, option = place.rstrip(")").partition("(")
    found: object = import_module("fairlead")
    for part in dotted.split(".")[1:]:
        if hasattr(found, part):
            found = getattr(found, part)
        elif inspect.ismodule(found):
            found = import_module(f"{found.__name__}.{part}")
        else:
            assert any(part in vars(base).get("__annotations__", ()) for base in found.__mro__)
            found = None
    return found, option or None


def options_of(function):
    """What *function* takes by name; what it takes as `Unpack[...]`, too."""
    found = set()
    for parameter in inspect.signature(function).parameters.values():
        found.add(parameter.name)
        if parameter.kind is parameter.VAR_KEYWORD:
            passed_on = re.sub(r"Unpack\[(\w+)\]", r"\1", str(parameter.annotation))
            found |= set(getattr(PASSED_ON.get(passed_on), "__annotations__", ()))
    return found


def section_of(setting):
    """The section that *setting* is in, its model, and the field."""
    path, _, field = setting.rpartition(".")
    kind, _, name = path.partition(".")
    return path, vendor(name).Settings if kind == PROVIDERS else MODELS[path], field


def resolved(raw, setting):
    """The value of *setting* in plain types, and where it came from."""
    path, model, field = section_of(setting)
    found = resolve(raw, path, model, also=() if path else (*SECTIONS, PROVIDERS))
    value = getattr(found.model, field)
    value = value.get_secret_value() if isinstance(value, SecretStr) else value
    return value, found.sources[field]


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_every_line_has_a_place(row):
    names = r"`fairlead[\w.]*(\(\w+\))?`"
    places = rf"{names}(, {names})*(, issue [67])?"
    kinds = rf"{places}|setting `[\w.]+`|issue [67]|absent: .{{8,}}|runs"

    assert re.fullmatch(kinds, row.here), f"{row.here!r} in line {row.line}"
    assert row.document in NUMBERS


@pytest.mark.parametrize("place", PLACES)
def test_what_is_said_to_be_here_is_here(place):
    found, option = there(place)

    assert option is None or option in options_of(found)


@pytest.mark.parametrize("setting", sorted({row.setting for row in ROWS if row.setting}))
def test_a_setting_is_one(setting):
    _, model, field = section_of(setting)

    assert field in model.model_fields


@pytest.mark.parametrize("row", VARIABLES, ids=name_of)
def test_a_variable_is_read(row):
    name, value = VARIABLE.fullmatch(row.spans[0]).groups()
    given, source = resolved(load(environ={name: value or "given"}), row.setting)

    assert (source.kind, source.name) == ("environment", name)
    assert as_told(given) == (value or "given").removesuffix("/v1")


@pytest.mark.parametrize("row", VARIABLES, ids=name_of)
def test_a_variable_of_the_documents_project_is_one_of_ours(row):
    name, value = VARIABLE.fullmatch(row.spans[0]).groups()
    if not name.startswith("DEVSYNTH_"):
        return
    ours = name.replace("DEVSYNTH", "FAIRLEAD")

    _, source = resolved(load(environ={ours: value}), row.setting)

    assert source.name == ours


@pytest.mark.parametrize("row", KEYS, ids=name_of)
def test_a_key_is_read(row, tmp_path):
    key, sample = row.spans[0], sample_of(row.setting)
    if "." in key:
        file = tmp_path / "default.yml"
        *above, last = key.split(".")
        lines = [f"{'  ' * depth}{name}:" for depth, name in enumerate(above)]
        file.write_text("\n".join([*lines, f"{'  ' * len(above)}{last}: {str(sample).lower()}\n"]))
    else:
        file = tmp_path / "settings.py"
        file.write_text(f"{key} = {sample!r}\n")

    given, source = resolved(load(file=file, environ={}), row.setting)

    assert source.kind == "file"
    assert as_told(given) == as_told(sample)


def test_json_is_read_as_well(tmp_path):
    file = tmp_path / "config.json"
    file.write_text('{"providers": {"openai": {"enabled": false, "default_model": "gpt-4"}}}')
    raw = load(file=file, environ={})

    assert resolved(raw, "providers.openai.enabled")[0] is False
    assert resolved(raw, "providers.openai.model")[0] == "gpt-4"


def sample_of(setting):
    """A value for *setting* that is not its default."""
    _, model, field = section_of(setting)
    kind = str(model.model_fields[field].annotation)
    default = resolved(load(environ={}), setting)[0]
    if "bool" in kind:
        return not default
    number = 7 if "int" in kind else 7.5
    return number if re.search(r"int|float", kind) else "lmstudio"


def as_told(value):
    """*value* as a variable would tell it."""
    if isinstance(value, (tuple, list)):
        return ",".join(map(as_told, value))
    return str(value).lower() if isinstance(value, bool) else str(value).removesuffix("/v1")


@pytest.mark.parametrize("row", [row for row in ROWS if "→" in row.what and row.names], ids=name_of)
def test_a_gateway_answers_as_is_said(row):
    told = re.match(r"HTTP (\d+) → ", row.what)
    error, _ = there(row.names[0])

    assert error("no").verdict.http == int(row.what[-3:])
    if told:
        response = WireResponse(status=int(told[1]), headers={}, body=b"{}")
        decoded = OpenAIChatCodec(Dialect(name="vendor")).decode_error(response)
        assert type(decoded) is error


@pytest.mark.parametrize("document", NUMBERS)
def test_everything_that_has_a_name_is_listed(document):
    told = [row.what for row in ROWS if row.document == document]
    words = {word for what in told for word in [*WORD.findall(what), *re.findall(r"[\w.-]+", what)]}

    missing = named(seed(document)) - words - OTHERS

    assert sorted(missing) == []


@pytest.mark.parametrize("document", NUMBERS)
def test_every_method_and_option_is_listed(document):
    listed = set()
    for span in [span for row in ROWS if row.document == document for span in row.spans]:
        name, _, told = span.partition("(")
        words = re.findall(r"\w+", told)
        names = (name, name.split(".")[-1])
        listed |= {span, name, *(f"{short}({word})" for word in words for short in names)}

    missing = {part for part in parts(seed(document)) if part.split("(")[0] not in OTHERS} - listed

    assert sorted(missing) == []


@pytest.mark.parametrize("document", NUMBERS)
def test_every_box_of_a_diagram_is_listed(document):
    told = "".join(row.what for row in ROWS if row.document == document).replace(" ", "").lower()

    missing = {box for box in boxes(seed(document)) if box.replace(" ", "").lower() not in told}

    assert sorted(missing) == []


def seed(document):
    if document not in DOCUMENTS:
        pytest.skip(f"the document {document} is not part of the repository")
    return document
