from __future__ import annotations

import json
import warnings

import anyio
import pytest
from dependency_injector import providers

from fairlead import (
    CircuitBreakerProvider,
    ConfigurationError,
    ConfigurationWarning,
    FallbackProvider,
    HttpxEngine,
    LimitOptions,
    LimitProvider,
    LMStudioProvider,
    NullProvider,
    OfflineProvider,
    OpenAIProvider,
    ProviderPort,
    RetryProvider,
    Use,
    find,
    open_provider,
)
from fairlead.assembly.choice import choose
from fairlead.container import Container
from fairlead.core.context import ContextOptions, Strategy
from fairlead.decorators._base import Decorator
from fairlead.decorators.context import ContextFitProvider
from fairlead.settings import load
from tests.support.answers import completion, script

pytestmark = pytest.mark.anyio


def targets_of(provider):
    """The names of what is asked, in order."""
    from fairlead.core.calls import Call

    call = Call.generate("hi", {}, lambda: 0.0)
    return [(target.provider, target.model.name) for target in provider.plan(call)]


def test_it_is_a_provider():
    assert isinstance(open_provider("offline"), ProviderPort)


async def test_it_answers_without_being_entered_and_closes_twice():
    provider = open_provider("offline")

    assert "offline" in await provider.generate("hi")
    await provider.aclose()
    await provider.close()


@pytest.mark.parametrize(
    "name", ["openai:gpt-5.6-luna", "openai/gpt-5.6-luna", " OpenAI:gpt-5.6-luna "]
)
def test_vendor_and_model_in_one_string(name):
    provider = open_provider(name, api_key="k")

    assert targets_of(provider) == [("openai", "gpt-5.6-luna")]


def test_a_model_may_hold_either_mark_itself():
    provider = open_provider("openai-compatible:meta/llama:8b", base_url="http://localhost:1")

    assert targets_of(provider) == [("openai-compatible", "meta/llama:8b")]


class TestWhichProviderAnswers:
    def test_the_argument_first(self, monkeypatch):
        monkeypatch.setenv("FAIRLEAD_PROVIDER", "null")
        monkeypatch.setenv("OPENAI_API_KEY", "k")

        assert targets_of(open_provider("offline"))[0][0] == "offline"

    @pytest.mark.parametrize("variable", ["FAIRLEAD_PROVIDER", "DEVSYNTH_PROVIDER"])
    def test_then_the_variable(self, monkeypatch, variable):
        monkeypatch.setenv(variable, "null")
        monkeypatch.setenv("OPENAI_API_KEY", "k")

        assert targets_of(open_provider()) == [("null", "null")]

    def test_then_a_key(self, monkeypatch):
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_MODEL", "gpt-5.6-sol")
        monkeypatch.setenv("LM_STUDIO_ENDPOINT", "http://127.0.0.1:1")

        assert targets_of(open_provider()) == [("openai", "gpt-5.6-sol")]

    def test_a_server_of_its_own_speaks_the_common_dialect(self, monkeypatch):
        monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1")
        monkeypatch.setenv("OPENAI_MODEL", "tiny")

        provider = open_provider()

        assert targets_of(provider) == [("openai-compatible", "tiny")]

    @pytest.mark.parametrize("variable", ["LM_STUDIO_ENDPOINT", "LMSTUDIO_BASE_URL"])
    def test_then_lm_studio_where_its_address_is_named(self, monkeypatch, variable):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")

        assert targets_of(open_provider()) == [("lmstudio", "default")]

    @pytest.mark.parametrize(
        "variable",
        ["FAIRLEAD_RESOURCE_LMSTUDIO_AVAILABLE", "DEVSYNTH_RESOURCE_LMSTUDIO_AVAILABLE"],
    )
    def test_or_declared_available(self, monkeypatch, variable):
        monkeypatch.setenv(variable, "true")

        assert targets_of(open_provider()) == [("lmstudio", "default")]

    def test_else_nobody(self):
        with pytest.raises(ConfigurationError, match=r"no provider is configured.*OPENAI_API_KEY"):
            open_provider()

    @pytest.mark.parametrize(("safe", "name"), [("stub", "offline"), ("null", "null")])
    def test_or_the_safe_default(self, monkeypatch, safe, name):
        monkeypatch.setenv("FAIRLEAD_SAFE_DEFAULT_PROVIDER", safe)

        assert targets_of(open_provider())[0][0] == name

    def test_a_provider_that_is_named_needs_its_key(self):
        with pytest.raises(ConfigurationError, match=r"'openai' cannot be asked.*OPENAI_API_KEY"):
            open_provider("openai")

    def test_unless_a_safe_default_is_wanted_and_then_it_warns(self, monkeypatch):
        monkeypatch.setenv("FAIRLEAD_SAFE_DEFAULT_PROVIDER", "stub")
        monkeypatch.setenv("FAIRLEAD_PROVIDER", "openai")

        with pytest.warns(ConfigurationWarning, match="stub answers instead of 'openai'"):
            provider = open_provider()

        assert targets_of(provider)[0][0] == "offline"

    def test_all_can_be_disabled(self, monkeypatch):
        monkeypatch.setenv("FAIRLEAD_DISABLE_PROVIDERS", "true")
        monkeypatch.setenv("OPENAI_API_KEY", "k")

        provider = open_provider("openai", fallback=["openai"])

        assert targets_of(provider) == [("null", "null")]
        assert "FAIRLEAD_DISABLE_PROVIDERS" in provider.notes[0]

    def test_a_vendor_without_an_adapter_is_not_an_unknown_one(self, monkeypatch):
        monkeypatch.setenv("DEVSYNTH_PROVIDER", "local")
        monkeypatch.setenv("PROVIDER_FALLBACK_ORDER", "local,null")

        with pytest.raises(ConfigurationError, match="no adapter for it yet"):
            open_provider()
        assert [name for name, _ in targets_of(open_provider("offline"))] == ["offline", "null"]
        monkeypatch.setenv("FAIRLEAD_SAFE_DEFAULT_PROVIDER", "stub")
        with pytest.warns(ConfigurationWarning, match="stub answers instead of 'local'"):
            assert targets_of(open_provider())[0][0] == "offline"

    def test_a_server_without_a_model_is_not_passed_over_in_silence(self, monkeypatch):
        monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1")

        with pytest.raises(ConfigurationError, match=r"openai-compatible cannot be asked.* model"):
            open_provider()
        monkeypatch.setenv("LM_STUDIO_ENDPOINT", "http://127.0.0.1:1")
        assert "openai-compatible cannot be asked" in open_provider().notes[0]

    @pytest.mark.parametrize("url", ["https://eu.api.openai.com/v1", "https://API.openai.com/v1"])
    def test_openai_has_more_than_one_address(self, monkeypatch, url):
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_KEY", "k")

        assert targets_of(open_provider())[0][0] == "openai"

    def test_where_an_unknown_name_was_written(self, monkeypatch):
        monkeypatch.setenv("FAIRLEAD_PROVIDER", "opnai")

        with pytest.raises(
            ConfigurationError, match=r"^FAIRLEAD_PROVIDER: unknown provider 'opnai'"
        ):
            open_provider()

    def test_a_key_in_the_wrong_place_is_not_shown(self, monkeypatch):
        monkeypatch.setenv("FAIRLEAD_PROVIDER", "sk-canary47110815")

        with pytest.raises(ConfigurationError) as caught:
            open_provider()
        assert "canary" not in str(caught.value)

    def test_a_provider_can_be_switched_off(self, tmp_path):
        file = tmp_path / "fairlead.yaml"
        file.write_text("providers:\n  openai: {api_key: k, enabled: false}\n")

        with pytest.raises(ConfigurationError, match="switched off"):
            open_provider("openai", config=file)


class TestFallback:
    def test_in_the_order_given(self):
        provider = open_provider("offline", fallback=["null", "lmstudio:m"])

        assert [name for name, _ in targets_of(provider)] == ["offline", "null", "lmstudio"]

    def test_the_first_model_is_not_that_of_the_others(self):
        provider = open_provider("offline", model="mine", fallback=["lmstudio"])

        assert targets_of(provider) == [("offline", "mine"), ("lmstudio", "default")]

    def test_what_the_variables_say_as_far_as_it_can_be_asked(self, monkeypatch):
        monkeypatch.setenv("PROVIDER_FALLBACK_ORDER", "openai, lmstudio ,null")

        provider = open_provider("offline")

        assert [name for name, _ in targets_of(provider)] == ["offline", "null"]
        assert "openai is left out" in provider.notes[0]
        assert "lmstudio is left out" in provider.notes[1]

    def test_which_can_be_switched_off(self, monkeypatch):
        monkeypatch.setenv("PROVIDER_FALLBACK_ORDER", "null")

        assert len(targets_of(open_provider("offline", fallback=False))) == 1
        monkeypatch.setenv("PROVIDER_FALLBACK_ENABLED", "false")
        assert len(targets_of(open_provider("offline", fallback=True))) == 1

    def test_what_is_named_in_code_has_to_be_usable(self):
        with pytest.raises(ConfigurationError, match="fallback 'openai' cannot be asked"):
            open_provider("offline", fallback=["openai"])

    def test_a_target_stands_in_it_once(self):
        provider = open_provider("offline", fallback=["null", "stub", "null"])

        assert [name for name, _ in targets_of(provider)] == ["offline", "null"]


class TestObjects:
    async def test_a_provider_of_ones_own_with_a_named_fallback(self):
        class Mine:
            async def generate(self, prompt, **options):
                return "mine"

        async with open_provider(Mine(), fallback=["offline", NullProvider()]) as provider:
            assert await provider.generate("hi") == "mine"
            assert [name for name, _ in targets_of(provider)] == ["Mine", "offline", "null"]

    def test_options_are_for_those_that_are_named(self):
        with pytest.raises(ConfigurationError, match="build OfflineProvider with them"):
            open_provider(OfflineProvider(), api_key="k")

    def test_they_have_their_model_already(self):
        with pytest.raises(ConfigurationError, match="build OfflineProvider with it"):
            open_provider(OfflineProvider(), model="m")

    async def test_a_dispatcher_of_ones_own(self):
        async with open_provider(FallbackProvider([NullProvider(), OfflineProvider()])) as provider:
            assert await provider.generate("hi") == ""

    @pytest.mark.parametrize("fallback", [5, NullProvider()])
    def test_a_fallback_is_a_list(self, fallback):
        with pytest.raises(ConfigurationError, match="fallback is a list of providers"):
            open_provider("offline", fallback=fallback)

    @pytest.mark.parametrize(
        ("decorators", "message"),
        [
            ([RetryProvider], r"Use\(RetryProvider\)"),
            (Use(RetryProvider), "a list of Use"),
            (None, "a list of Use"),
        ],
    )
    def test_policies_are_a_list_of_uses(self, decorators, message):
        with pytest.raises(ConfigurationError, match=message):
            open_provider("offline", decorators=decorators)


class TestOptions:
    def test_the_providers_own(self):
        provider = open_provider("openai", api_key="k", base_url="http://localhost:1/v1")

        assert find(provider, OpenAIProvider).endpoint == "http://localhost:1/v1"

    def test_sections(self):
        provider = open_provider(
            "offline", retry={"max_retries": 7}, circuit_breaker={"enabled": False}
        )

        assert find(provider, RetryProvider)._max_retries == 7
        assert find(provider, CircuitBreakerProvider) is None
        with pytest.raises(ConfigurationError, match="max_retries"):
            open_provider("offline", retry={"max_retries": -1})

    def test_without_a_name_they_are_for_whoever_answers(self, monkeypatch):
        monkeypatch.setenv("LM_STUDIO_ENDPOINT", "http://127.0.0.1:1")

        provider = open_provider(endpoint="http://127.0.0.1:2")

        assert find(provider, LMStudioProvider).endpoint == "http://127.0.0.1:2/v1"

    def test_a_key_alone_says_who_answers(self):
        assert targets_of(open_provider(api_key="k"))[0][0] == "openai"

    def test_two_models_contradict_each_other(self):
        with pytest.raises(ConfigurationError, match=r"names one model and model='b' another"):
            open_provider("offline:a", model="b")

    def test_an_engine_of_ones_own_has_settings_of_its_own(self):
        with pytest.raises(ConfigurationError, match="that engine= replaces"):
            open_provider("offline", engine=HttpxEngine(), tls={"verify": False})

    @pytest.mark.parametrize("section", ["lm_studio", "LMStudio", "lm-studio"])
    def test_a_section_may_be_spelt_as_vendors_may(self, tmp_path, section):
        file = tmp_path / "fairlead.yaml"
        file.write_text(f"providers:\n  {section}: {{endpoint: 'http://127.0.0.1:99'}}\n")

        provider = open_provider("lmstudio", config=file)

        assert find(provider, LMStudioProvider).endpoint == "http://127.0.0.1:99/v1"

    @pytest.mark.parametrize(
        ("sections", "message"),
        [
            ("open_ai: {}\n  open-ai: {}", "are one name"),
            ("retry: {}", "that is the name of a section"),
            ("stub: {vendor: openai, api_key: k}", "the name of a vendor itself"),
            ("null: {vendor: openai, api_key: k}", "the name of a vendor itself"),
            ("x: {vendor: opnai}", "did you mean 'openai'"),
        ],
    )
    def test_a_section_with_a_name_that_makes_no_sense(self, tmp_path, sections, message):
        file = tmp_path / "fairlead.yaml"
        file.write_text(f"providers:\n  {sections}\n")
        name = sections.partition(":")[0]

        with pytest.raises(ConfigurationError, match=message):
            open_provider(
                name if name == "x" else "offline" if "stub" in name else "null", config=file
            )

    def test_a_misspelt_one_is_told_the_nearest(self):
        with pytest.raises(ConfigurationError, match=r"api_kye.*api_key"):
            open_provider("openai", api_kye="k")

    async def test_files(self, tmp_path, server):
        script(completion("from the file"))
        file = tmp_path / "fairlead.json"
        section = {"vendor": "openai-compatible", "base_url": server.url("/v1"), "model": "m"}
        file.write_text(json.dumps({"provider": "mine", "providers": {"mine": section}}))

        async with open_provider(config=file) as provider:
            answer = await provider.generate("hi")

        assert answer == "from the file"
        assert answer.provider == "mine"

    def test_a_mistake_in_its_section_is_told_where_it_stands_alone(self, tmp_path):
        file = tmp_path / "a.yaml"
        file.write_text("provider: openai\nproviders: {openai: {api_keys: []}}\n")

        with pytest.raises(ConfigurationError) as caught:
            open_provider(config=file)
        assert str(caught.value) == (
            f"{file}, line 2: providers.openai.api_keys must have at least one entry"
        )
        file.write_text("provider: openia\n")
        with pytest.raises(ConfigurationError, match=r"a\.yaml, line 1: unknown provider 'openia'"):
            open_provider(config=file)

    def test_a_second_section_does_not_get_the_first_ones_key(self, tmp_path, monkeypatch):
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        file = tmp_path / "fairlead.yaml"
        file.write_text("providers:\n  other: {vendor: openai, base_url: 'https://b.example/v1'}\n")

        with pytest.raises(
            ConfigurationError,
            match=r"'other' cannot be asked: it has no api_key.*FAIRLEAD_OTHER_API_KEY",
        ):
            open_provider("other", config=file)

    def test_tls_that_is_not_verified_warns_where_it_is_opened(self, monkeypatch):
        monkeypatch.setenv("TLS_VERIFY", "false")

        with pytest.warns(ConfigurationWarning, match=r"keys included \(TLS_VERIFY\)") as caught:
            open_provider("offline")

        assert caught[0].filename == __file__

    def test_contacting_nobody(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            open_provider("lmstudio", fallback=["offline"])


class TestContainer:
    async def test_the_engine_can_be_overridden_and_stays_open(self, server):
        script(completion("one"), completion("two"))
        engine = HttpxEngine()

        with Container.engine.override(providers.Object(engine)):
            provider = open_provider("openai-compatible:m", base_url=server.url("/v1"))
        async with provider:
            await provider.generate("hi")

        assert server.open_connections == 1
        await engine.aclose()

    async def test_an_engine_of_ones_own_likewise(self, server):
        script(completion())
        engine = HttpxEngine()

        async with open_provider(
            "openai-compatible:m", base_url=server.url("/v1"), engine=engine
        ) as provider:
            await provider.generate("hi")

        assert server.open_connections == 1
        await engine.aclose()

    def test_so_can_the_settings(self, monkeypatch):
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        raw = load(environ={"FAIRLEAD_PROVIDER": "null"})

        with Container.settings.override(providers.Object(raw)):
            assert targets_of(open_provider())[0][0] == "null"
        assert targets_of(open_provider())[0][0] == "openai"

    def test_and_the_policies(self):
        class Mine(Decorator):
            pass

        with Container.decorators.override(providers.Object((Use(Mine, before="deadline"),))):
            assert find(open_provider("offline"), Mine)
        assert find(open_provider("offline"), Mine) is None

    def test_and_the_log(self, monkeypatch):
        monkeypatch.setenv("PROVIDER_FALLBACK_ORDER", "openai")
        told = []

        class Log:
            def is_on(self, level):
                return True

            def record(self, level, event, fields):
                told.append((level, fields))

        with Container.log.override(providers.Object(Log())):
            open_provider("offline")

        assert told[0][0] == "warning"

    async def test_and_the_tokenizers(self):
        class Words:
            family = "o200k"

            def count(self, text):
                return len(text.split())

            def get(self, family):
                return self

            def start(self, family):
                pass

        with Container.tokenizers.override(providers.Object(Words())):
            provider = open_provider("openai", api_key="k")

        assert provider.count_tokens("one two three") == 3

    def test_and_what_is_random(self):
        with Container.random.override(lambda: 0.5):
            retry = find(Container(choices=_offline()).pipeline(), RetryProvider)

        assert retry._random() == 0.5


def _offline():
    return choose(load(environ={}), provider="offline")


def test_one_provider_serves_one_loop_after_the_other(server):
    script(completion())
    provider = open_provider("openai-compatible:m", base_url=server.url("/v1"))

    for backend in ("asyncio", "trio", "asyncio"):
        assert anyio.run(provider.generate, "hi", backend=backend) == "Hello."
    anyio.run(provider.aclose)

    assert len({request.connection for request in server.requests}) == 3


def test_nothing_is_shared():
    assert open_provider("offline") is not open_provider("offline")


def test_two_choices_of_the_same_are_equal():
    assert _offline() == _offline()


def test_rates_are_limited_where_settings_say_so(monkeypatch):
    assert find(open_provider("offline"), LimitProvider) is None
    monkeypatch.setenv("FAIRLEAD_RATES_REQUESTS_PER_MINUTE", "60")

    limited = find(open_provider("offline", rates={"max_running": 2}), LimitProvider)

    assert limited._options == LimitOptions(requests_per_minute=60, max_running=2)


def test_prompts_are_cut_to_fit_where_settings_say_so(monkeypatch):
    assert find(open_provider("offline"), ContextFitProvider) is None
    monkeypatch.setenv("FAIRLEAD_CONTEXT_ENABLED", "1")
    monkeypatch.setenv("FAIRLEAD_CONTEXT_STRATEGIES", "keep-last,drop-oldest")

    fitting = find(open_provider("offline", context={"room": 9}), ContextFitProvider)
    raising = find(open_provider("offline", context={"truncation": "raise"}), ContextFitProvider)

    strategies = (Strategy.KEEP_LAST, Strategy.DROP_OLDEST)
    assert fitting._options == ContextOptions(strategies=strategies, room=9)
    assert fitting._tokenizers
    assert (fitting._truncation, raising._truncation) == ("warn", "raise")
