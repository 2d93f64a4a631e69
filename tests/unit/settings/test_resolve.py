"""From what was said to a model: precedence, names, coercion, secrets, and mistakes."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings

from fairlead.core.errors import ConfigurationError
from fairlead.settings import (
    Source,
    load,
    resolve,
    unknown_variables,
    variable_names,
)
from fairlead.settings.words import mistakes_of
from tests.unit.settings.samples import ALSO, KEY, Http, LMStudio, OpenAI, Pool, Proxy, Retry, Root


def odd(value: int) -> int:
    if value % 2 == 0:
        raise PydanticCustomError("odd", "{value} is not odd", {"value": value})
    return value


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(tmp_path):
    def write(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, "utf-8")
        return name

    return write


def resolved(path: str, model: type[BaseModel], environ: Any = None, **sources: Any) -> Any:
    options = {name: sources.pop(name) for name in ("aliases", "also") if name in sources}
    return resolve(load(environ=environ or {}, **sources), path, model, **options)


def refusal(path: str, model: type[BaseModel], environ: Any = None, **sources: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        resolved(path, model, environ, **sources)
    assert caught.value.__context__ is None
    assert KEY not in repr(caught.value)
    return str(caught.value)


def test_each_field_has_the_highest_source_that_says_anything(write):
    result = resolved(
        "retry",
        Retry,
        {"PROVIDER_INITIAL_DELAY": "2", "PROVIDER_JITTER": ""},
        env_file=write(".env", "PROVIDER_INITIAL_DELAY=3\nPROVIDER_JITTER=no\n"),
        file=write("a.yaml", "retry:\n  max_retries: 4\n  jitter: true\n  initial_delay: 5\n"),
        arguments={"retry": {"max_retries": 1}},
    )

    assert result.model == Retry.model_construct(max_retries=1, initial_delay=2.0, jitter=False)
    assert {key: str(source) for key, source in result.sources.items()} == {
        "max_retries": "the argument retry.max_retries",
        "initial_delay": "PROVIDER_INITIAL_DELAY",
        "jitter": ".env, line 2",
    }


def test_a_default_is_a_source_too():
    result = resolved("retry", Retry)

    assert result.sources["jitter"] == Source("default", "retry.jitter")
    assert str(result.sources["jitter"]) == "the default"
    assert result.values() == {"max_retries": 2, "initial_delay": 0.5, "jitter": True}


def test_only_what_was_given_counts_as_set():
    assert resolved("retry", Retry, {"PROVIDER_JITTER": "off"}).model.model_fields_set == {"jitter"}


def test_the_process_is_not_asked_behind_our_back(monkeypatch, write):
    monkeypatch.setenv("PROVIDER_MAX_RETRIES", "9")
    monkeypatch.setenv("LM_STUDIO_ENDPOINT", "http://of-the-process")
    write(".env", "PROVIDER_MAX_RETRIES=9")

    assert resolved("retry", Retry).model.max_retries == 2
    assert resolved("providers.lmstudio", LMStudio).model.endpoint == "http://127.0.0.1:1234"


@pytest.mark.parametrize(
    ("value", "meant"),
    [("true", True), ("1", True), ("yes", True), ("ON", True), ("off", False), ("0", False)],
)
def test_words_of_the_environment_become_booleans(value, meant):
    assert resolved("retry", Retry, {"PROVIDER_JITTER": value}).model.jitter is meant


@pytest.mark.parametrize("value", ["a,b", " a , b ,", '["a", "b"]'])
def test_a_list_in_a_variable_has_commas_or_is_json(value):
    assert resolved("", Root, {"PROVIDER_FALLBACK_ORDER": value}).model.fallback == ["a", "b"]
    assert resolved(
        "providers.openai", OpenAI, {"OPENAI_STOP": value, "OPENAI_API_KEY": "k"}
    ).model.stop == ("a", "b")


def test_a_list_in_a_file_may_have_commas_too(write):
    file = write("a.yaml", "fallback: a, b")

    assert resolved("", Root, file=file).model.fallback == ["a", "b"]


def test_a_mapping_in_a_variable_is_json():
    environ = {"OPENAI_HEADERS": '{"A": "1"}', "OPENAI_API_KEY": "k"}

    result = resolved("providers.openai", OpenAI, environ)

    assert result.model.headers == {"A": "1"}
    assert str(result.sources["headers"]) == "OPENAI_HEADERS"
    assert refusal("providers.openai", OpenAI, {**environ, "OPENAI_HEADERS": "A=1"}) == (
        "OPENAI_HEADERS must be JSON"
    )


def test_a_python_module_holds_variables(write):
    file = write("settings.py", "provider_max_retries = 7\nprovider_fallback_order = 'a,b'\n")

    assert resolved("retry", Retry, file=file).model.max_retries == 7
    assert resolved("", Root, file=file).model.fallback == ["a", "b"]
    assert str(resolved("retry", Retry, file=file).sources["max_retries"]) == "settings.py, line 1"


class TestNames:
    def test_of_fields_with_a_prefix(self):
        assert variable_names(Retry, "retry")["max_retries"] == (
            "PROVIDER_MAX_RETRIES",
            "FAIRLEAD_RETRY_MAX_RETRIES",
            "DEVSYNTH_RETRY_MAX_RETRIES",
        )

    def test_of_fields_with_aliases(self):
        names = variable_names(LMStudio, "providers.lmstudio")

        assert names["endpoint"] == (
            "LM_STUDIO_ENDPOINT",
            "LMSTUDIO_BASE_URL",
            "FAIRLEAD_LMSTUDIO_ENDPOINT",
            "DEVSYNTH_LMSTUDIO_ENDPOINT",
        )
        assert names["available"] == (
            "FAIRLEAD_RESOURCE_LMSTUDIO_AVAILABLE",
            "FAIRLEAD_LMSTUDIO_AVAILABLE",
            "DEVSYNTH_RESOURCE_LMSTUDIO_AVAILABLE",
            "DEVSYNTH_LMSTUDIO_AVAILABLE",
        )
        assert names["timeout"] == ("FAIRLEAD_LMSTUDIO_TIMEOUT", "DEVSYNTH_LMSTUDIO_TIMEOUT")

    def test_of_secrets(self):
        assert variable_names(OpenAI, "providers.openai")["api_key"] == (
            "OPENAI_API_KEY",
            "FAIRLEAD_OPENAI_API_KEY",
            "DEVSYNTH_OPENAI_API_KEY",
            "OPENAI_API_KEY_FILE",
            "FAIRLEAD_OPENAI_API_KEY_FILE",
            "DEVSYNTH_OPENAI_API_KEY_FILE",
        )

    def test_of_sections_in_sections(self):
        names = variable_names(Http, "http")

        assert names["proxy.address"] == (
            "FAIRLEAD_HTTP_PROXY_ADDRESS",
            "DEVSYNTH_HTTP_PROXY_ADDRESS",
        )
        assert "proxy" not in names

    @pytest.mark.parametrize("model", [Root, Retry, OpenAI, LMStudio, Http])
    def test_every_name_sets_its_field(self, model, write):
        write("secret", "1")
        for key, names in variable_names(model, "at.it").items():
            value = {"safe_default_provider": "stub", "base_url": "a://b", "headers": "{}"}
            for name in names:
                given = "secret" if name.endswith("_FILE") else value.get(key, "1")
                required = {"OPENAI_API_KEY": "k"} if key != "api_key" else {}

                result = resolved("at.it", model, {**required, name: given})

                assert result.sources[key].name == name

    def test_a_second_section_of_a_vendor_gets_none_of_the_vendors(self):
        environ = {
            "OPENAI_API_KEY": KEY,
            "OPENAI_MODEL": "gpt",
            "FAIRLEAD_MY_BOX_API_KEY": "mine",
            "DEVSYNTH_MY_BOX_TIMEOUT": "3",
        }

        model = resolved("providers.my-box", OpenAI, environ, aliases=False).model

        assert model.api_key.get_secret_value() == "mine"
        assert (model.model, model.timeout) == ("gpt", 3.0)
        assert variable_names(OpenAI, "providers.my-box", aliases=False)["model"] == (
            "FAIRLEAD_MY_BOX_MODEL",
            "DEVSYNTH_MY_BOX_MODEL",
        )
        del environ["FAIRLEAD_MY_BOX_API_KEY"]
        assert refusal("providers.my-box", OpenAI, environ, aliases=False) == (
            "providers.my-box.api_key is missing; FAIRLEAD_MY_BOX_API_KEY sets it"
        )


class TestContradictions:
    @pytest.mark.parametrize(
        ("path", "model", "one", "other"),
        [
            ("providers.lmstudio", LMStudio, "LM_STUDIO_ENDPOINT", "LMSTUDIO_BASE_URL"),
            ("", Root, "FAIRLEAD_PROVIDER", "DEVSYNTH_PROVIDER"),
        ],
    )
    def test_two_names_with_two_values(self, path, model, one, other):
        assert refusal(path, model, {one: "http://a", other: "http://b"}, also=ALSO) == (
            f"{other} and {one} name the same setting and hold different values; keep one of them"
        )

    def test_two_names_with_one_value(self):
        environ = {"LM_STUDIO_ENDPOINT": "http://a", "LMSTUDIO_BASE_URL": "http://a"}

        assert resolved("providers.lmstudio", LMStudio, environ).model.endpoint == "http://a"

    def test_in_two_sources_the_higher_one_counts(self, write):
        result = resolved(
            "providers.lmstudio",
            LMStudio,
            {"LMSTUDIO_BASE_URL": "http://a"},
            env_file=write(".env", "LM_STUDIO_ENDPOINT=http://b"),
        )

        assert result.model.endpoint == "http://a"

    def test_two_keys_with_two_values(self, write):
        text = "providers:\n  lmstudio:\n    endpoint: http://a\n    base_url: http://b\n"

        assert refusal("providers.lmstudio", LMStudio, file=write("a.yaml", text)) == (
            "a.yaml, line 4: providers.lmstudio.base_url and providers.lmstudio.endpoint name the "
            "same setting and hold different values; keep one of them"
        )

    def test_a_secret_and_its_file(self, write):
        environ = {"OPENAI_API_KEY": KEY, "OPENAI_API_KEY_FILE": write("key", KEY)}

        assert refusal("providers.openai", OpenAI, environ) == (
            "OPENAI_API_KEY_FILE (key) and OPENAI_API_KEY are both set; keep one of them"
        )


class TestSecretFiles:
    @pytest.mark.parametrize("text", [KEY, f"{KEY}\n", f"{KEY}\r\n"])
    def test_a_secret_may_stand_in_a_file(self, write, text):
        environ = {"OPENAI_API_KEY_FILE": write("key", text)}

        result = resolved("providers.openai", OpenAI, environ)

        assert result.model.api_key.get_secret_value() == KEY
        assert result.sources["api_key"] == Source("secret file", "OPENAI_API_KEY_FILE", "key")
        assert str(result.sources["api_key"]) == "OPENAI_API_KEY_FILE (key)"
        assert KEY not in repr(result)
        assert KEY not in str(result.values())

    def test_one_newline_goes_and_no_more(self, write):
        environ = {"OPENAI_API_KEY_FILE": write("key", " a \n\n")}

        key = resolved("providers.openai", OpenAI, environ).model.api_key

        assert key.get_secret_value() == " a \n"

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, "names a file that is of no use: there is no such file"),
            (b"", "names a file that is empty"),
            (b"\n", "names a file that is empty"),
            (b"\xff\xfe", "names a file that is of no use: this is not UTF-8 text"),
            (KEY.encode() * 5000, "names a file that is of no use: has more than 65536 bytes"),
        ],
    )
    def test_a_file_of_no_use(self, tmp_path, content, said):
        if content is not None:
            (tmp_path / "key").write_bytes(content)

        message = refusal("providers.openai", OpenAI, {"OPENAI_API_KEY_FILE": "key"})

        assert message == f"OPENAI_API_KEY_FILE (key) {said}"

    def test_a_folder(self):
        message = refusal("providers.openai", OpenAI, {"FAIRLEAD_OPENAI_API_KEY_FILE": "."})

        assert message == (
            "FAIRLEAD_OPENAI_API_KEY_FILE (.) names a file that is of no use: "
            "this is a folder, not a file"
        )

    def test_a_file_below_a_source_that_counts_is_not_opened(self, write):
        env_file = write(".env", "OPENAI_API_KEY_FILE=none")

        result = resolved("providers.openai", OpenAI, {"OPENAI_API_KEY": KEY}, env_file=env_file)

        assert str(result.sources["api_key"]) == "OPENAI_API_KEY"

    def test_in_a_section_of_a_section(self, write):
        environ = {"FAIRLEAD_HTTP_PROXY_PASSWORD_FILE": write("key", KEY)}

        proxy = resolved("http", Http, environ).model.proxy

        assert proxy.password.get_secret_value() == KEY


class TestSectionsInSections:
    def test_they_are_merged_field_by_field(self, write):
        result = resolved(
            "http",
            Http,
            {"FAIRLEAD_HTTP_POOL_WAIT": "2"},
            file=write("a.toml", "[http]\npool = { size = 3, wait = 9 }\nproxy.ports = [1, 2]\n"),
            arguments={"http": {"pool": {"size": 7}}},
        )

        assert result.model == Http(proxy=Proxy(ports=[1, 2]), pool=Pool(size=7, wait=2))
        assert {key: str(source) for key, source in result.sources.items()} == {
            "proxy.address": "the default",
            "proxy.password": "the default",
            "proxy.ports": "a.toml, line 3",
            "pool.size": "the argument http.pool.size",
            "pool.wait": "FAIRLEAD_HTTP_POOL_WAIT",
            "trust_env": "the default",
        }
        assert result.values()["proxy.ports"] == [1, 2]

    def test_where_nobody_says_anything_the_default_stands(self):
        result = resolved("http", Http)

        assert result.model == Http()
        assert result.sources["proxy"] == Source("default", "http.proxy")

    def test_one_key_does_not_undo_the_others_of_a_default(self):
        assert resolved("http", Http, {"FAIRLEAD_HTTP_POOL_WAIT": "2"}).model.pool == Pool(
            size=50, wait=2
        )

    def test_an_empty_section_is_there(self, write):
        assert resolved("http", Http, file=write("a.yaml", "http: {proxy: {}}")).model == Http(
            proxy=Proxy()
        )

    def test_null_takes_an_optional_section_away(self, write):
        result = resolved(
            "http",
            Http,
            file=write("a.yaml", "http: {proxy: {ports: [1]}}"),
            arguments={"http": {"proxy": None}},
        )

        assert result.model.proxy is None
        assert str(result.sources["proxy"]) == "the argument http.proxy"

    def test_null_says_nothing_where_a_section_must_be(self, write):
        assert resolved("http", Http, file=write("a.yaml", "http:\n  pool:\n")).model == Http()
        assert resolved("http", Http, file=write("a.yaml", "http:\n")).model == Http()

    def test_an_unknown_key(self, write):
        assert refusal("http", Http, file=write("a.yaml", "http:\n  pool:\n    sice: 3\n")) == (
            "a.yaml, line 3: http.pool.sice is not known; did you mean size?"
        )

    def test_a_wrong_value(self):
        assert refusal("http", Http, {"FAIRLEAD_HTTP_PROXY_PORTS": "80,http"}) == (
            "FAIRLEAD_HTTP_PROXY_PORTS (entry 2) must be a whole number, not 'http'"
        )

    @pytest.mark.parametrize("text", ["http: 3", "http:\n  pool: 3"])
    def test_a_value_in_place_of_a_section(self, write, text):
        assert "must be a section with keys and values" in refusal(
            "http", Http, file=write("a.yaml", text)
        )

    def test_one_that_would_read_the_environment_itself_is_refused(self):
        class Outer(BaseModel):
            retry: Retry = Retry()

        with pytest.raises(TypeError, match="plain BaseModel"):
            resolved("", Outer)


class TestMistakes:
    def test_an_unknown_key_is_named_with_its_place_and_the_nearest(self, write):
        text = f"providers:\n  openai:\n    api_kye: {KEY}\n    enabled: true\n"

        message = refusal(
            "providers.openai", OpenAI, {"OPENAI_API_KEY": "k"}, file=write("a.yaml", text)
        )

        assert message == (
            "a.yaml, line 3: providers.openai.api_kye is not known; did you mean api_key?"
        )

    def test_an_unknown_argument(self):
        assert refusal("retry", Retry, arguments={"retry": {"max_retrys": 3, "zzz": 1}}) == (
            "2 mistakes in the settings:\n"
            "  the argument retry.max_retrys is not known; did you mean max_retries?\n"
            "  the argument retry.zzz is not known"
        )

    def test_keys_of_other_sections(self, write):
        file = write("a.yaml", "retry: {}\nproviders: {}\nretyr: {}\n")

        assert refusal("", Root, file=file, also=ALSO) == (
            "a.yaml, line 3: retyr is not known; did you mean retry?"
        )

    def test_a_model_may_take_any_key(self, write):
        class Open(BaseModel, extra="allow"):
            a: int = 1

        result = resolved(
            "", Open, file=write("a.yaml", "a: 2\nb: 3\nc: 4"), arguments={"b": {"d": 5}}
        )

        assert result.model.model_extra == {"b": {"d": 5}, "c": 4}
        assert {key: str(source) for key, source in result.sources.items()} == {
            "a": "a.yaml, line 1",
            "b": "the argument b",
            "c": "a.yaml, line 3",
        }
        assert result.values() == {"a": 2, "b": {"d": 5}, "c": 4}

    def test_all_of_a_section_are_said_at_once_without_a_word_of_pydantic(self, write):
        text = (
            "providers:\n  openai:\n    api_key: 4711\n    timeout: many\n    stop: {}\n"
            "    headers: x\n    model: 4\n    base_url: nowhere\n    modle: x\n"
        )

        message = refusal(
            "providers.openai", OpenAI, {"OPENAI_MAX_RETRIES": "1.5"}, file=write("a.yaml", text)
        )

        assert message.splitlines() == [
            "8 mistakes in the settings:",
            "  OPENAI_MAX_RETRIES must be a whole number, not '1.5'",
            "  a.yaml, line 3: providers.openai.api_key must be text; put it in quotes",
            "  a.yaml, line 4: providers.openai.timeout must be a number, not 'many'",
            "  a.yaml, line 5: providers.openai.stop must be a list, not a section",
            (
                "  a.yaml, line 6: providers.openai.headers must be a section with keys and values"
                ", not 'x'"
            ),
            "  a.yaml, line 7: providers.openai.model must be text, not 4; put it in quotes",
            (
                "  a.yaml, line 8: providers.openai.base_url cannot be used: nowhere has no scheme"
                "; write https://host"
            ),
            "  a.yaml, line 9: providers.openai.modle is not known; did you mean model?",
        ]

    def test_a_value_out_of_bounds(self):
        assert refusal("retry", Retry, {"PROVIDER_MAX_RETRIES": "-1"}) == (
            "PROVIDER_MAX_RETRIES must be at least 0, not '-1'"
        )

    def test_one_of_several_words(self):
        assert refusal("", Root, {"FAIRLEAD_SAFE_DEFAULT_PROVIDER": "stubb"}) == (
            "FAIRLEAD_SAFE_DEFAULT_PROVIDER must be 'stub' or 'null', not 'stubb'; "
            "did you mean stub?"
        )

    def test_a_secret_in_the_wrong_place_is_not_quoted(self):
        message = refusal(
            "providers.openai",
            OpenAI,
            {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": KEY, "OPENAI_TIMEOUT": KEY},
        )

        assert "OPENAI_BASE_URL cannot be used: *** has no scheme" in message
        assert f"not a text of {len(KEY)} characters" in message

    def test_what_is_missing(self):
        assert refusal("providers.openai", OpenAI) == (
            "providers.openai.api_key is missing; OPENAI_API_KEY sets it"
        )

    def test_what_a_model_says_of_its_fields_together(self):
        class Pair(BaseModel):
            cert: str | None = None
            secret: SecretStr | None = None

            @model_validator(mode="after")
            def both(self) -> "Pair":
                if self.secret and not self.cert:
                    msg = "a key needs its certificate"
                    raise ValueError(msg)
                return self

        assert refusal("tls", Pair, arguments={"tls": {"secret": KEY}}) == (
            "tls cannot be used: a key needs its certificate"
        )

    def test_a_validator_that_quotes_a_secret(self):
        class Careless(BaseModel):
            api_key: SecretStr = SecretStr("")
            password: str = ""

            @field_validator("api_key", "password", mode="before")
            @classmethod
            def quote(cls, value: str) -> str:
                msg = f"not like {value}!"
                raise ValueError(msg)

        message = refusal("", Careless, arguments={"api_key": "short", "password": "brief"})

        assert message.count("not like ***!") == 2

    @pytest.mark.parametrize(
        ("annotation", "field", "value", "said"),
        [
            (int | bool, Field(), "x", "must be a whole number or true or false, not 'x'"),
            (float, Field(gt=0), "0", "must be more than 0, not '0'"),
            (float, Field(ge=0.5), "0", "must be at least 0.5, not '0'"),
            (float, Field(lt=1, allow_inf_nan=False), "inf", "must be a finite number, not 'inf'"),
            (int, Field(le=3), "4", "must be at most 3, not '4'"),
            (str, Field(min_length=3), "x", "must have at least 3 characters"),
            (list[int], Field(max_length=1), "1,2", "must have at most one entry"),
            (str, Field(min_length=1), "", "must have at least one character"),
            (list[int], Field(max_length=1 + 10), "1," * 12, "must have at most 11 entries"),
            (list[str], Field(), 3, "must be a list, not 3"),
            (
                Annotated[list[int], Field(min_length=3)] | None,
                Field(),
                "1",
                "must have at least 3 entries",
            ),
            (date, Field(), "soon", "must be a date, not 'soon'"),
            (Decimal, Field(), "x", "must be a number, not 'x'"),
            (Annotated[int, AfterValidator(odd)], Field(), 4, "cannot be used: 4 is not odd"),
            (bool, Field(), None, "must be true or false, not nothing"),
            (bool, Field(), 2.5, "must be true or false, not 2.5"),
            (bytes, Field(), 3, "must be a valid bytes, not 3"),
        ],
    )
    def test_words_for_each_kind(self, annotation, field, value, said):
        model = type("Any", (BaseModel,), {"__annotations__": {"a": annotation}, "a": field})

        assert refusal("", model, arguments={"a": value}) == f"the argument a {said}"

    def test_a_value_far_inside_is_told_by_its_own_key(self):
        class Prices(BaseModel):
            models: dict[str, dict[str, int]] = {}
            shares: dict[str, int] = {}

        arguments = {"models": {"gpt": {"input": "x"}}, "shares": {"a": 1, "b": "y"}}

        assert refusal("", Prices, arguments=arguments).splitlines()[1:] == [
            "  the argument models.gpt.input must be a whole number, not 'x'",
            "  the argument shares.b must be a whole number, not 'y'",
        ]

    def test_an_error_at_no_field_that_is_known(self):
        with pytest.raises(ValidationError) as caught:
            Pool(size="x")

        (mistake,) = mistakes_of(caught.value, Proxy, "http.proxy", {}, aliases=True)

        assert str(mistake) == "http.proxy must be a whole number, not 'x'"

    def test_it_is_raised_without_what_pydantic_said(self):
        with pytest.raises(ConfigurationError) as caught:
            resolved("retry", Retry, {"PROVIDER_MAX_RETRIES": "x"})

        assert not isinstance(caught.value.__cause__, ValidationError)
        assert caught.value.__context__ is None


class TestUnknownVariables:
    def test_ours_are_named_with_the_nearest(self, write):
        raw = load(
            environ={"FAIRLEAD_PROVDER": KEY, "HOME": "x", "FAIRLEAD_PROVIDER": "x"},
            env_file=write(".env", "\nDEVSYNTH_NONSENSE=1\nOPENAI_API_KYE=1"),
        )
        known = {name for names in variable_names(Root).values() for name in names}

        assert [str(mistake) for mistake in unknown_variables(raw, known)] == [
            "FAIRLEAD_PROVDER is not known; did you mean FAIRLEAD_PROVIDER?",
            ".env, line 2: DEVSYNTH_NONSENSE is not known",
        ]

    def test_in_a_python_module_those_that_resemble_one(self, write):
        raw = load(file=write("a.py", "provider_max_retrys = 1\ndebug = True\n"), environ={})
        known = {name for names in variable_names(Retry, "retry").values() for name in names}

        assert [str(mistake) for mistake in unknown_variables(raw, known)] == [
            "a.py, line 1: provider_max_retrys is not known; did you mean provider_max_retries?"
        ]


def test_a_model_of_pydantic_settings_and_a_plain_one_are_treated_alike():
    class Plain(BaseModel):
        max_retries: int = 2

    class Reading(BaseSettings):
        max_retries: int = 2

    environ = {"FAIRLEAD_RETRY_MAX_RETRIES": "5"}

    assert resolved("retry", Plain, environ).model.max_retries == 5
    assert resolved("retry", Reading, environ).model.max_retries == 5
