"""What each kind of file says, with its lines, and what is refused."""

import os
import sys
from pathlib import Path

import pytest

from fairlead.core.errors import ConfigurationError
from fairlead.settings import RawSettings, Setting, load
from tests.unit.settings.samples import KEY

YAML = """\
# a comment
retry:
  max_retries: 5   # repeats
  jitter: false
providers:
  openai:
    model: "gpt"
    stop: [a, b]
    headers: {X-One: "1"}
"""
JSON = """\
{
  "retry": {
    "max_retries": 5,
    "jitter": false
  },
  "providers": {"openai":
    {"model": "gpt", "stop": ["a", "b"], "headers": {"X-One": "1"}}
  }
}
"""
TOML = """\
# a comment
[retry]
max_retries = 5  # repeats
jitter = false

[providers.openai]
model = "gpt"
stop = [
  "a",  # with a comment
  "b",
]
headers = { X-One = "1" }
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str | bytes) -> str:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return name

    return write


def refusal(**sources: object) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(environ={}, **sources)
    assert caught.value.__context__ is None
    return str(caught.value)


def at(raw: RawSettings, path: str) -> Setting:
    section, _, name = path.rpartition(".")
    return raw.section(section)[name]


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.yaml", YAML, (3, 4, 6, 7, 8, 9, 9)),
        ("a.yml", YAML, (3, 4, 6, 7, 8, 9, 9)),
        ("a.json", JSON, (3, 4, 6, 7, 7, 7, 7)),
        ("a.toml", TOML, (3, 4, 6, 7, 8, 12, 12)),
    ],
)
def test_a_file_says_values_and_their_lines(write, name, text, lines):
    raw = load(file=write(name, text), environ={})

    keys = [
        "retry.max_retries",
        "retry.jitter",
        "providers.openai",
        "providers.openai.model",
        "providers.openai.stop",
        "providers.openai.headers",
        "providers.openai.headers.X-One",
    ]
    assert tuple(at(raw, key).source.line for key in keys) == lines
    assert [at(raw, key).plain() for key in keys if key != "providers.openai"] == [
        5,
        False,
        "gpt",
        ["a", "b"],
        {"X-One": "1"},
        "1",
    ]
    assert str(at(raw, "retry.jitter").source) == f"{name}, line 4"
    assert at(raw, "retry.jitter").source.name == "retry.jitter"


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ('a = """\none\ntwo"""\nb = 1', "b", 4),
        ("a = '''\n[b]\n'''\n[c]\nd = 1", "c.d", 5),
        ('"x = y" = 1\nb = 2', "b", 2),
        ('a."b.c".d = 1\n\ne = 2', "e", 3),
        ('a = "\\"#"\nb = 1 # = ', "b", 2),
        ("[[t]]\nx = 1\n[[t]]\nx = 2\n[s]\ny = 3", "s.y", 6),
        ("a = { b = { c = 1 }, d = [ { e = 1 } ] }", "a.b.c", 1),
        ("a = [\n  [1, 2],\n  { x = 1 },\n]\nb.c = 1", "b.c", 5),
        ("a = 1979-05-27T07:32:00Z\r\n\r\nb = 3.14\r\n", "b", 3),
        ("a.b = 1\n[a.c]\nd = 1", "a.c.d", 3),
        ("a.b = 1\na.c = 2", "a.c", 2),
        ("\na.b = 1\na.c = 2", "a", 2),
        ("a = {}\nb = []\nc = ''\nd = \"\"\ne = 1", "e", 5),
        ('a = """two quotes: """"" # x\nb = 1', "b", 2),
    ],
)
def test_toml_lines(write, text, key, line):
    assert at(load(file=write("a.toml", text), environ={}), key).source.line == line


def test_yaml_anchors_and_merges_are_followed(write):
    text = "base: &base\n  a: 1\n  b: 2\nretry:\n  <<: *base\n  b: 3\n"

    raw = load(file=write("a.yaml", text), environ={})

    assert at(raw, "retry").plain() == {"a": 1, "b": 3}
    assert at(raw, "retry.a").source.line == 2
    assert at(raw, "retry.b").source.line == 6


@pytest.mark.parametrize("name", ["a.yaml", "a.json", "a.toml", "a.py"])
@pytest.mark.parametrize("text", ["", "\n", "\ufeff"])
def test_an_empty_file_says_nothing(write, name, text):
    raw = load(file=write(name, text), environ={})

    assert raw.section("") == {}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yaml", f"a: 1\napi_key: {KEY}: x\n", "a.yaml, line 2: a ':' stands where none can"),
        ("a.yaml", f"a: 1\nb: [1, 2\napi_key: {KEY}\n", "a.yaml, line 3: a ',' or a closing"),
        ("a.yaml", f"a: 1\napi_key: *{KEY}\n", "a.yaml, line 2: a '*' refers to nothing"),
        ("a.yaml", f"a: 1\napi_key: !{KEY}\n", "a.yaml, line 2: a '!' begins a tag"),
        ("a.yaml", f'a: 1\napi_key: "{KEY}\n', "a quote is opened and never closed"),
        ("a.yaml", f"a: 1\n\tapi_key: {KEY}\n", "a.yaml, line 2: a value begins with a tab"),
        ("a.yaml", f"a:\n  b: 1\n c: {KEY}\n", "a.yaml, line 3: the indentation does not fit"),
        ("a.yaml", f'a: "\\{KEY}"\n', "a.yaml, line 1: a '\\' in double quotes"),
        ("a.yaml", f"a: 1\nb: &{KEY}! x\n", "a.yaml, line 2: this is not YAML"),
        ("a.yaml", "a: 1\nb: \x07\n", "a.yaml, line 2: there is a character that cannot"),
        ("a.yaml", "a: 1\n---\nb: 2\n", "a.yaml, line 2: there is more than one document"),
        ("a.yaml", "day: 2024-13-45\n", "a value looks like a date"),
        ("a.yaml", "- a\n- b\n", "a.yaml, line 1: keys and values are expected"),
        ("a.yaml", "\njust text\n", "a.yaml, line 2: keys and values are expected"),
        ("a.yaml", "a: 1\nb: 2\na: 3\n", "a.yaml, line 3: a is said twice, first in line 1"),
        ("a.yaml", "a:\n  ? [x]\n  : 1\n", "a.yaml, line 2: a has a key that is no text"),
        ("a.json", f'{{\n "api_key": "{KEY}\n}}', "a.json, line 2: this is not JSON: invalid"),
        ("a.json", f'{{\n "a": 1\n "api_key": "{KEY}"}}', "a.json, line 3: this is not JSON: ex"),
        ("a.json", "[1]", "a.json, line 1: keys and values are expected"),
        ("a.json", "3", "a.json, line 1: keys and values are expected"),
        ("a.json", f'{{"a": {"1" * 5000}}}', "a.json: this is not JSON: a number has too many"),
        (
            "a.json",
            '{"a": {"b": 1,\n"c": {},\n"b": 2}}',
            "a.json, line 3: a.b is said twice, first in line 1",
        ),
        ("a.toml", f'a = 1\napi_key = "{KEY}\n', "a.toml, line 2: this is not TOML: illegal"),
        ("a.toml", f"a = 1\n{KEY}\n", "a.toml, line 2: this is not TOML: expected '='"),
        ("a.toml", "a = 1\na = 2\n", "a.toml, line 2: this is not TOML: cannot overwrite"),
        ("a.toml", "a = [", "a.toml, line 1: this is not TOML: "),
        ("a.py", f"a = 1\napi_key = '{KEY}\n", "a.py, line 2: this is not Python: unterminated"),
        ("a.py", f"a = 1\nint('{KEY}')\n", "a.py, line 2: raises ValueError when it is run"),
        ("a.py", f"def f():\n    int('{KEY}')\nf()\n", "a.py, line 2: raises ValueError"),
        ("a.py", "import no_such_thing\n", "a.py, line 1: raises ModuleNotFoundError"),
        ("a.py", "a = '\0'", "a.py"),
        ("a.py", "a = " + "-" * 100_000 + "1", "a.py: this is not Python: "),
        ("a.toml", f"a = {'1' * 5000}", "a.toml: this is not TOML: a number has too many digits"),
        ("a.yaml", b"a: 1\nb: \xff\xfe\n", "a.yaml, line 2: this is not UTF-8 text"),
        ("a.json", b'{"a": "\xe4"}', "a.json, line 1: this is not UTF-8 text"),
        ("a.ini", "[a]", "a.ini: the name of a settings file ends in .yaml, .yml, .toml, .json"),
        ("my.env", "A=1", "my.env: this is a file of variables: hand it over as env_file"),
        ("a.json", "[" * 100_000, "a.json: its values are nested too deeply"),
        ("a.yaml", "a: " + "[" * 5_000, "a.yaml: its values are nested too deeply"),
        ("a.yaml", "a: &a [*a]", "a.yaml, line 1: aliases make this too large"),
        ("a.yaml", "#" * (1 << 20) + "\n", "a.yaml: has more than 1048576 bytes"),
        ("a.yaml", "providers: [openai]", "line 1: providers must hold a section for each"),
        ("a.yaml", "providers:\n  openai: gpt", "line 2: providers.openai must be a section"),
        ("a.yaml", "providers:\n  a.b: {}", "line 2: providers.a.b is no name for a provider"),
    ],
)
def test_what_is_malformed_is_said_with_its_place_and_never_quoted(write, name, text, said):
    message = refusal(file=write(name, text))

    assert said in message
    assert KEY not in message
    assert "\n" not in message


def test_aliases_cannot_blow_a_file_up(write):
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for level in range(1, 9):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]")

    assert "aliases make this too large" in refusal(file=write("a.yaml", "\n".join(lines)))


@pytest.mark.parametrize("name", ["no.yaml", "no.toml", "no.json", "no.py", "no/x.yaml", "a b.ini"])
def test_a_missing_file_is_an_error(write, name):
    assert refusal(file=name) == f"{name}: there is no such file"


def test_a_folder_is_no_file(write):
    Path("a.yaml").mkdir()

    assert refusal(file="a.yaml") == "a.yaml: this is a folder, not a file"


def test_a_name_that_no_file_can_have(write):
    assert "this is not the name of a file" in refusal(file="a\0.yaml")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(write):
    Path(write("a.yaml", "a: 1")).chmod(0)

    assert refusal(file="a.yaml") == "a.yaml: cannot be read: permission denied"


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="Linux has such a file")
def test_a_file_that_fails_while_it_is_read():
    message = refusal(env_file="/proc/self/mem")

    assert message == "/proc/self/mem: cannot be read: input/output error"


def test_all_that_is_wrong_with_several_sources_is_said_at_once(write):
    message = refusal(
        file=write("a.yaml", "a: 1\na: 2\nb: 1\nb: 2"),
        env_file="none.env",
        arguments={"providers": 3},
    )

    assert message.splitlines() == [
        "4 mistakes in the settings:",
        "  the argument providers must hold a section for each provider",
        "  a.yaml, line 2: a is said twice, first in line 1",
        "  a.yaml, line 4: b is said twice, first in line 3",
        "  none.env: there is no such file",
    ]


class TestDotenv:
    def test_variables_and_their_lines(self, write):
        text = (
            "# comment\n\nexport OPENAI_API_KEY=abc\nA='x # y' # z\n"
            'B="one\ntwo"\nC=$A ${A}${D:-other}\nEMPTY=\nA=last\n'
        )

        (_, variables) = load(env_file=write(".env", text), environ={}).variables

        assert {name: setting.value for name, setting in variables.items()} == {
            "OPENAI_API_KEY": "abc",
            "A": "last",
            "B": "one\ntwo",
            "C": "$A x # yother",
        }
        assert {name: setting.source.line for name, setting in variables.items()} == {
            "OPENAI_API_KEY": 3,
            "A": 9,
            "B": 5,
            "C": 7,
        }
        assert str(variables["C"].source) == ".env, line 7"

    def test_it_refers_to_the_environment_that_is_handed_over(self, write, monkeypatch):
        monkeypatch.setenv("HOST", "of-the-process")

        raw = load(env_file=write(".env", "A=${HOST}/v1\n"), environ={"HOST": "here"})

        assert raw.variables[1]["A"].value == "here/v1"

    def test_malformed_lines_are_all_named(self, write):
        text = f'A=1\nOPENAI_API_KEY\nB="{KEY}" x\nC=1\n\nD="{KEY}\n'

        message = refusal(env_file=write(".env", text))

        assert [line.split(": ")[0].strip() for line in message.splitlines()[1:]] == [
            ".env, line 2",
            ".env, line 3",
            ".env, line 6",
        ]
        assert KEY not in message

    def test_it_is_read_only_when_asked_for(self, write):
        write(".env", "OPENAI_API_KEY=abc")
        write("folder/x.yaml", "a: 1")
        os.chdir("folder")

        assert load(environ={}, file="x.yaml").variables == ({},)

    def test_the_environment_of_the_process_is_read_and_left_alone(self, write, monkeypatch):
        monkeypatch.setenv("FAIRLEAD_PROVIDER", "here")
        monkeypatch.setenv("FAIRLEAD_EMPTY", "")
        before = dict(os.environ)

        environment, dotenv = load(env_file=write(".env", "FAIRLEAD_PROVIDER=there")).variables

        assert environment["FAIRLEAD_PROVIDER"].value == "here"
        assert dotenv["FAIRLEAD_PROVIDER"].value == "there"
        assert "FAIRLEAD_EMPTY" not in environment
        assert dict(os.environ) == before


class TestPython:
    TEXT = '''"""Custom settings."""

import os
from pathlib import Path

provider_max_retries = 5
provider_fallback_order = ["openai", "lmstudio"]
tls_verify: bool = True
tls_cert_file = ""
_hidden = UPPER = 1
def helper(): ...
provider_max_retries = provider_max_retries + 1
'''

    def test_a_file_holds_variables_in_lower_case(self, write):
        (_, variables) = load(file=write("config/settings.py", self.TEXT), environ={}).variables

        assert {name: setting.plain() for name, setting in variables.items()} == {
            "PROVIDER_MAX_RETRIES": 6,
            "PROVIDER_FALLBACK_ORDER": ["openai", "lmstudio"],
            "TLS_VERIFY": True,
        }
        source = variables["PROVIDER_MAX_RETRIES"].source
        assert (str(source), source.name) == (
            "config/settings.py, line 12",
            "provider_max_retries",
        )

    def test_a_module_is_imported_by_its_dotted_name(self, write, monkeypatch):
        write("some_config/settings.py", self.TEXT)
        monkeypatch.syspath_prepend(Path.cwd())

        (_, variables) = load(file="some_config.settings", environ={}).variables

        assert variables["TLS_VERIFY"].value is True
        assert variables["TLS_VERIFY"].source.line == 8
        del sys.modules["some_config.settings"], sys.modules["some_config"]

    def test_a_module_that_raises(self, write, monkeypatch):
        write("broken_config.py", f"int('{KEY}')")
        monkeypatch.syspath_prepend(Path.cwd())

        assert refusal(file="broken_config") == (
            "broken_config: raises ValueError when it is imported"
        )

    def test_a_module_that_lacks_another(self, write, monkeypatch):
        write("lacking_config.py", "import no_such_thing")
        monkeypatch.syspath_prepend(Path.cwd())

        assert refusal(file="lacking_config") == (
            "lacking_config: needs the module no_such_thing, which is missing"
        )

    @pytest.mark.parametrize("name", ["no_such_config", "no_such.config"])
    def test_a_module_that_is_not_there(self, write, name):
        assert refusal(file=name) == f"{name}: there is no such file, and no such module"


class TestTheOtherForm:
    TEXT = """\
provider:
  primary: openai
  fallback: lmstudio
  use_local_fallback: true

  openai:
    model: gpt-4-turbo
    retry_attempts: 3

  local:
"""

    def test_it_becomes_the_canonical_one_with_its_lines(self, write):
        raw = load(file=write("default.yml", self.TEXT), environ={})

        assert {name: setting.plain() for name, setting in raw.section("").items()} == {
            "provider": "openai",
            "fallback": "lmstudio",
            "use_local_fallback": True,
            "providers": {
                "openai": {"model": "gpt-4-turbo", "retry_attempts": 3},
                "local": {},
            },
        }
        assert str(raw.section("")["provider"].source) == "default.yml, line 2"
        assert at(raw, "providers.openai.model").source.line == 7
        assert at(raw, "providers.openai.model").source.name == "provider.openai.model"

    def test_no_providers_at_all(self, write):
        raw = load(file=write("a.yml", "providers:\n"), environ={})

        assert raw.section("providers") == {}

    def test_a_misspelt_key_of_it(self, write):
        text = "provider:\n  primry: openai\n"

        assert refusal(file=write("a.yml", text)) == (
            "a.yml, line 2: provider.primry is not known; did you mean primary?"
        )

    def test_both_forms_at_once_must_not_contradict(self, write):
        text = "provider:\n  openai: {model: a, timeout: 3}\nproviders:\n  openai: {model: b}\n"

        assert refusal(file=write("a.yml", text)) == (
            "a.yml, line 4: providers.openai.model contradicts provider.openai.model in line 2"
        )

    def test_both_forms_at_once_are_one(self, write):
        text = "provider:\n  openai: {model: a}\nproviders:\n  openai: {model: a, timeout: 3}\n"

        raw = load(file=write("a.yml", text), environ={})

        assert at(raw, "providers.openai").plain() == {"model": "a", "timeout": 3}
        assert at(raw, "providers.openai.model").source.line == 2


class TestRaw:
    def test_arguments_stand_above_the_file_key_by_key(self, write):
        raw = load(
            file=write("a.yaml", YAML),
            environ={},
            arguments={"retry": {"jitter": True}, "providers": {"openai": {"stop": None}}},
        )

        assert raw.section("retry")["jitter"].value is True
        assert str(raw.section("retry")["jitter"].source) == "the argument retry.jitter"
        assert raw.section("retry")["max_retries"].value == 5
        assert at(raw, "providers.openai").plain() == {
            "model": "gpt",
            "stop": None,
            "headers": {"X-One": "1"},
        }

    @pytest.mark.parametrize("path", ["no", "retry.jitter", "retry.jitter.deeper", "no.such"])
    def test_a_section_that_is_not_there_is_empty(self, write, path):
        assert load(file=write("a.yaml", YAML), environ={}).section(path) == {}

    def test_it_cannot_be_changed(self, write):
        given = {"retry": {"stop": ["a"]}}
        raw = load(file=write("a.yaml", YAML), environ={}, arguments=given)
        given["retry"]["stop"].append("b")

        assert at(raw, "retry.stop").value == ("a",)
        with pytest.raises(TypeError):
            raw.section("retry")["jitter"] = raw.section("retry")["stop"]
        with pytest.raises(AttributeError):
            raw.layers = ()

    def test_its_repr_shows_no_secret(self, write):
        raw = load(
            file=write("a.yaml", f"providers: {{x: {{api_key: short, api_kye: {KEY}}}}}"),
            env_file=write(".env", f"SOME=short-secret\nOPENAI_API_KEY={KEY}"),
            environ={"A": "short-secret"},
            arguments={"http": {"proxy": "http://u:pw@h", "Authorization": ["hide me"]}, "n": [7]},
        )

        assert "a.yaml, line 1" in repr(raw)
        assert "n=[7] of the argument n" in repr(raw)
        for secret in (KEY, "short", "pw", "hide me"):
            assert secret not in repr(raw).replace("http://***@h", "")

    def test_the_repr_of_a_python_module_shows_no_mapping(self, write):
        raw = load(file=write("a.py", "headers = {'Authorization': 'short-secret'}"), environ={})

        assert repr(raw.variables[1]["HEADERS"]) == "<headers=a dict of a.py, line 1>"

    def test_equal_sources_are_equal(self, write):
        write("a.yaml", YAML)

        assert load(file="a.yaml", environ={"A": "1"}) == load(file="a.yaml", environ={"A": "1"})
        assert load(file="a.yaml", environ={"A": "1"}) != load(file="a.yaml", environ={"A": "2"})
