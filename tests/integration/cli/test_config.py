import json

import jsonschema
import pytest
import yaml

from tests.integration.cli.process import fairlead

KEY = "sk-canary-4711-abcdefghijklmnop"
FILE = """\
provider: my-box
retry:
  max_retries: 5
providers:
  my-box:
    vendor: openai-compatible
    base_url: http://box:8000/v1
    model: m
    headers: {x-team: sk-canary-4711-abcdefghijklmnop}
  openai:
    api_key: sk-canary-4711-abcdefghijklmnop
"""


def values(*arguments, **how):
    done = fairlead("config", "--json", *arguments, **how)
    return {each["key"]: each for each in json.loads(done.stdout)}


def test_every_value_with_its_source(tmp_path):
    (tmp_path / "f.yaml").write_text(FILE)
    told = values("--config", "f.yaml", cwd=tmp_path, PROVIDER_MAX_DELAY="3")

    assert told["retry.max_retries"]["value"] == 5
    assert told["retry.max_retries"]["source"] == {
        "kind": "file",
        "name": "retry.max_retries",
        "place": "f.yaml",
        "line": 3,
    }
    assert told["retry.max_delay"]["value"] == 3
    assert told["retry.max_delay"]["source"]["name"] == "PROVIDER_MAX_DELAY"
    assert told["retry.initial_delay"]["value"] == 0.5
    assert told["retry.initial_delay"]["source"]["kind"] == "default"
    assert told["providers.my-box.base_url"]["value"] == "http://box:8000/v1"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_secret_is_shown(tmp_path, form):
    (tmp_path / "f.yaml").write_text(FILE)
    (tmp_path / ".env").write_text(f"LM_API_TOKEN={KEY}\n")
    done = fairlead(
        *("config", "--config", "f.yaml", "--env-file", ".env", "--all", *form),
        cwd=tmp_path,
        OPENAI_API_KEY=KEY,
        FAIRLEAD_HTTP_PROXY=f"http://user:{KEY}@proxy:1",
    )

    assert done.returncode == 0, done.stderr
    assert KEY not in done.stdout + done.stderr
    assert "***" in done.stdout
    assert ".env" in done.stdout


def test_providers_that_nothing_is_said_about_are_left_out():
    told = values(OPENAI_API_KEY=KEY)

    assert "providers.openai.api_key" in told
    assert not any(key.startswith("providers.vllm.") for key in told)
    assert any(key.startswith("providers.vllm.") for key in values("--all"))


@pytest.mark.parametrize("columns", ["40", "80", "160"])
def test_it_fits_the_terminal(columns, tmp_path):
    (tmp_path / "f.yaml").write_text(FILE)
    done = fairlead("config", "--config", "f.yaml", "--all", cwd=tmp_path, COLUMNS=columns)

    for line in done.stdout.splitlines():
        assert len(line) <= int(columns) or " " not in line  # a key stays whole


def test_a_variable_that_looks_like_ours_and_is_none():
    done = fairlead("config", FAIRLEAD_PROVDER="openai")

    assert done.returncode == 0
    assert "FAIRLEAD_PROVDER" in done.stderr
    assert "FAIRLEAD_PROVIDER" in done.stderr


def test_a_provider_with_a_mistake_does_not_hide_the_rest(tmp_path):
    (tmp_path / "f.yaml").write_text("providers:\n  openai: {modle: m}\n")
    done = fairlead("config", "--config", "f.yaml", cwd=tmp_path)

    assert done.returncode == 1
    assert "retry.max_retries" in done.stdout
    assert done.stderr.startswith("fairlead: error: f.yaml, line 2: ")
    assert "did you mean model" in done.stderr


def test_mistakes_are_named_with_line_and_nearest(tmp_path):
    (tmp_path / "f.yaml").write_text(
        "provder: openai\n"
        "retry:\n"
        "  max_retrys: 3\n"
        "  jitter: perhaps\n"
        "providers:\n"
        "  openai:\n"
        "    modle: m\n"
        "  mine: {vendor: opnai}\n"
    )
    done = fairlead("config", "check", "f.yaml", cwd=tmp_path)

    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    for line, words in zip(
        lines,
        [
            ("line 1", "provder", "did you mean provider"),
            ("line 3", "max_retrys", "did you mean max_retries"),
            ("line 4", "jitter", "true or false"),
            ("line 7", "modle", "did you mean model"),
            ("line 8", "opnai", "openai"),
        ],
        strict=True,
    ):
        assert all(word in line for word in words), line


def test_mistakes_as_json(tmp_path):
    (tmp_path / ".env").write_text("OPENAI_API_KEY=x\nFAIRLEAD_PROVDER=openai\n")
    done = fairlead("config", "check", ".env", "--json", cwd=tmp_path)

    assert done.returncode == 1
    assert json.loads(done.stdout) == [
        {
            "file": ".env",
            "line": 2,
            "key": "FAIRLEAD_PROVDER",
            "problem": "is not known",
            "nearest": "FAIRLEAD_PROVIDER",
        }
    ]


def test_a_file_without_mistakes(tmp_path):
    (tmp_path / "f.yaml").write_text(FILE)
    done = fairlead("config", "check", "f.yaml", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, "")
    assert "no mistakes" in done.stderr


@pytest.mark.parametrize("command", [["config", "check"], ["config", "--config"]])
def test_a_file_that_is_not_there(command):
    done = fairlead(*command, "nowhere.yaml")

    assert done.returncode == 1
    assert "nowhere.yaml" in done.stdout + done.stderr


def test_the_schema_accepts_what_is_right_and_nothing_else():
    schema = json.loads(fairlead("config", "schema").stdout)
    validator = jsonschema.Draft202012Validator(schema)

    assert list(validator.iter_errors(yaml.safe_load(FILE))) == []
    assert list(validator.iter_errors({"retry": {"max_retrys": 3}})) != []
    assert list(validator.iter_errors({"providers": {"openai": {"modle": "m"}}})) != []


def test_the_first_line_tells_who_answers(tmp_path):
    (tmp_path / "f.yaml").write_text(FILE)
    more = {"FAIRLEAD_FALLBACK_PROVIDER": "openai,offline"}
    done = fairlead("config", "--config", "f.yaml", cwd=tmp_path, **more)

    line = done.stdout.splitlines()[1]
    assert line.startswith("who answers ")
    assert "my-box:m, then openai:gpt-5.6-luna, then offline:offline" in line
    assert values("--config", "f.yaml", cwd=tmp_path, **more)["who answers"]["value"] == [
        "my-box:m",
        "openai:gpt-5.6-luna",
        "offline:offline",
    ]
    assert values(OPENAI_API_KEY=KEY)["who answers"]["value"] == ["openai:gpt-5.6-luna"]


def test_where_nobody_can_answer_it_says_why():
    done = fairlead("config", FAIRLEAD_PROVIDER="openai")

    assert "nobody: 'openai' cannot be asked" in done.stdout.splitlines()[1]


def checked(tmp_path, text, name="f.yaml"):
    (tmp_path / name).write_text(text)
    return fairlead("config", "check", name, cwd=tmp_path).stdout.splitlines()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "provider: opnai",
            "provider is of no use: unknown provider 'opnai'; did you mean 'openai'",
        ),
        ("fallback: [offline, opnai]", "fallback is of no use: unknown provider 'opnai'"),
        ("provider: null", 'write "null" in quotes'),
        ("safe_default_provider: null", 'write "null" in quotes'),
        ("fallback: [null]", 'write "null" in quotes'),
        ("providers: {openai: {base_url: 'localhost:8000/v1'}}", "the address lacks its scheme"),
        ("providers: {lmstudio: {base_url: 'http://example.com'}}", "is plain http"),
    ],
)
def test_names_and_addresses_are_checked(tmp_path, text, said):
    (line,) = checked(tmp_path, text)

    assert line.startswith("f.yaml, line 1: ")
    assert said in line


def test_what_is_right_passes(tmp_path):
    assert not checked(
        tmp_path,
        'provider: box:m\nfallback: [openai:gpt-5.6-luna, "null", box2]\nproviders:\n'
        "  box: {vendor: openai-compatible, base_url: 'http://box:1'}\n"
        "  box2: {vendor: vllm, base_url: 'http://example.com', allow_plain_http: true}\n",
    )


def test_a_name_in_a_file_of_variables_may_stand_in_another_file(tmp_path):
    assert not checked(tmp_path, "FAIRLEAD_PROVIDER=my-box\n", ".env")


def test_one_bad_name_does_not_hide_the_rest(tmp_path):
    text = "provder: x\nproviders:\n  bad name: {model: m}\n  openai: {modle: m}\n"

    assert [line.partition(": ")[0] for line in checked(tmp_path, text)] == [
        "f.yaml, line 1",
        "f.yaml, line 3",
        "f.yaml, line 4",
    ]


def test_one_bad_line_of_variables_does_not_hide_the_rest(tmp_path):
    text = "FAIRLEAD_PROVDER=x\nthis is no line\nOPENAI_BASE_URL=localhost:8000\n"

    assert [line.partition(": ")[0] for line in checked(tmp_path, text, ".env")] == [
        ".env, line 1",
        ".env, line 2",
        ".env, line 3",
    ]
