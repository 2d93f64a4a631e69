"""All mistakes of a file at once, and the schema that keeps editors from making them."""

from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from fairlead.settings import check, json_schema
from tests.unit.settings.samples import KEY, SECTIONS, VENDORS, vendor_of

GOOD = """\
provider: openai
fallback: [lmstudio, my-box]
retry: {max_retries: 1, jitter: false}
http:
  proxy: {address: "http://localhost:1", ports: [1]}
  pool: {size: 3}
providers:
  openai: {model: gpt, stop: [a], headers: {A: b}, enabled: false, retry_attempts: 3}
  lmstudio: {base_url: "http://localhost:1234/v1", default_model: x}
  my-box: {vendor: openai, base_url: "https://box", timeout: 3}
  local:
"""
OTHER_FORM = """\
provider:
  primary: openai
  fallback: lmstudio
  use_local_fallback: true

  openai:
    model: gpt-4-turbo
    temperature: 0.7
    retry_attempts: 3
    timeout: 60

  lmstudio:
    base_url: http://localhost:1234/v1
    model: llama3-70b
    timeout: 120

  local:
    model_path: /data/models
    model: mistral-7b-instruct
    context_size: 8192
"""
ENABLED = """\
{"providers": {"openai": {"enabled": true, "default_model": "gpt-4"},
               "lmstudio": {"enabled": false, "default_model": "x"}}}
"""
BAD = f"""\
provider: openai
fallbak: [lmstudio]
retry:
  max_retries: lots
  jittr: true
http:
  pool: {{size: 3, wait: long}}
tls: 3
providers:
  opnai: {{model: gpt}}
  openai:
    api_kye: {KEY}
    timeout: many
  my-box: {{vendor: opnai}}
  other: {{vendor: local, model_pth: /x, enabled: 3}}
"""


@pytest.fixture
def said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def said(name: str, text: str) -> list[str]:
        Path(name).write_text(text, "utf-8")
        return [str(mistake) for mistake in check(name, SECTIONS, provider=vendor_of)]

    return said


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", GOOD),
        ("a.yaml", OTHER_FORM),
        ("a.json", ENABLED),
        ("a.yaml", ""),
        ("a.toml", '[providers."my-box"]\nvendor = "openai"\n'),
        (".env", "FAIRLEAD_PROVIDER=openai\nPROVIDER_MAX_RETRIES=3\nOTHER=1\n"),
        ("a.py", "provider_max_retries = 3\ndebug = True\n"),
    ],
)
def test_a_good_file_has_no_mistakes(said, name, text):
    assert said(name, text) == []


def test_all_mistakes_are_named_at_once(said):
    assert said("a.yaml", BAD) == [
        "a.yaml, line 2: fallbak is not known; did you mean fallback?",
        "a.yaml, line 4: retry.max_retries must be a whole number, not 'lots'",
        "a.yaml, line 5: retry.jittr is not known; did you mean jitter?",
        "a.yaml, line 7: http.pool.wait must be a number, not 'long'",
        "a.yaml, line 8: tls is not known",
        "a.yaml, line 10: providers.opnai is of no use: unknown provider 'opnai'",
        "a.yaml, line 12: providers.openai.api_kye is not known; did you mean api_key?",
        "a.yaml, line 13: providers.openai.timeout must be a number, not 'many'",
        "a.yaml, line 14: providers.my-box.vendor is of no use: unknown provider 'opnai'",
        "a.yaml, line 15: providers.other.model_pth is not known; did you mean model_path?",
    ]


def test_a_mistake_can_be_taken_apart(said):
    said("a.yaml", "retry:\n  jittr: true\n")

    (mistake,) = check("a.yaml", SECTIONS)

    assert (mistake.source.place, mistake.source.line) == ("a.yaml", 2)
    assert (mistake.source.name, mistake.problem, mistake.nearest) == (
        "retry.jittr",
        "is not known",
        "jitter",
    )


def test_what_a_file_leaves_out_is_no_mistake(said):
    assert said("a.yaml", "providers: {openai: {model: gpt}}") == []


def test_a_malformed_file(said):
    assert said("a.yaml", "a: 1\nb: [1, 2: 3: 4]\n") == [
        "a.yaml, line 2: a ',' or a closing bracket is missing"
    ]


def test_a_file_of_variables(said):
    text = f"PROVIDER_MAX_RETRIES=lots\n\nFAIRLEAD_PROVDER=x\nOTHER={KEY}\nPROVIDER_JITTER=on\n"

    assert said(".env.local", text) == [
        ".env.local, line 1: PROVIDER_MAX_RETRIES must be a whole number, not 'lots'",
        ".env.local, line 3: FAIRLEAD_PROVDER is not known; did you mean FAIRLEAD_PROVIDER?",
    ]


def test_a_python_module(said):
    assert said("a.py", "provider_max_retries = 'lots'\nprovider_jiter = True\n") == [
        "a.py, line 1: provider_max_retries must be a whole number, not 'lots'",
        "a.py, line 2: provider_jiter is not known; did you mean provider_jitter?",
    ]


def test_models_may_name_a_provider_themselves(said):
    said("a.yaml", "providers: {local: {modle: x, enabled: true}, other: {anything: 1}}")

    found = check("a.yaml", {"providers.local": VENDORS["local"]})

    assert [mistake.source.name for mistake in found] == ["providers.local.modle"]


def test_a_vendor_that_a_section_names_stands_above_the_sections_name(said):
    text = "providers: {openai: {vendor: local, model_path: /x, timeout: 3}}"
    said("a.yaml", text)

    found = check("a.yaml", {"providers.openai": VENDORS["openai"]}, provider=vendor_of)

    assert [mistake.source.name for mistake in found] == ["providers.openai.timeout"]


@pytest.fixture(scope="module")
def schema():
    return json_schema(SECTIONS, VENDORS)


@pytest.fixture(scope="module")
def errors(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    return lambda text: [error.json_path for error in validator.iter_errors(yaml.safe_load(text))]


@pytest.mark.parametrize("text", [GOOD, OTHER_FORM, ENABLED, "providers:", "{}"])
def test_the_schema_takes_what_is_right(errors, text):
    assert errors(text) == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("fallbak: [x]", "$"),
        ("retry: {max_retries: lots}", "$.retry.max_retries"),
        ("retry: {max_retries: -1}", "$.retry.max_retries"),
        ("retry: {jittr: true}", "$.retry"),
        ("http: {pool: {sice: 3}}", "$.http.pool"),
        ("providers: {openai: {modle: gpt}}", "$.providers.openai"),
        ("providers: {my-box: {vendor: openai, modle: gpt}}", "$.providers['my-box']"),
        ("providers: {my-box: {model: gpt}}", "$.providers['my-box']"),
        ("providers: {local: {vendor: openai, model_path: /x}}", "$.providers.local"),
        ("provider: {primary: 3}", "$.provider"),
        ("provider: {openai: {modle: gpt}}", "$.provider"),
    ],
)
def test_the_schema_refuses_what_is_wrong(errors, text, where):
    assert errors(text) == [where]


def test_the_schema_of_nothing():
    schema = json_schema({}, {})

    assert [*schema["properties"]] == ["providers"]


def test_the_schema_of_a_section_that_takes_any_key():
    class Open(BaseModel, extra="allow"):
        a: int = 1

    validator = jsonschema.Draft202012Validator(json_schema({"open": Open}, {}))

    assert validator.is_valid({"open": {"a": 1, "b": 2}})
    assert not validator.is_valid({"open": {"a": "x", "b": 2}})


def test_the_schema_describes(schema):
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    retry = schema["$defs"][schema["properties"]["retry"]["$ref"].removeprefix("#/$defs/")]
    assert retry["properties"]["max_retries"]["description"] == "Repeats."
    openai = schema["$defs"]["vendor.openai"]["properties"]
    assert openai["api_key"] == {
        "format": "password",
        "title": "Api Key",
        "type": "string",
        "writeOnly": True,
    }
