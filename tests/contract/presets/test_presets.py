"""Every preset, as a section describes it and over a real socket."""

from __future__ import annotations

import json

import pytest

from fairlead import ConfigurationError, Dialect, Preset, TimeLimits, discover_providers
from fairlead.adapters.providers.presets import OTHER_NAMES, PRESETS
from fairlead.assembly.choice import choose
from fairlead.assembly.vendors import BUILT_IN, NOT_YET, canonical, vendor
from fairlead.settings import load
from tests.support.answers import JSON, Answer, completion, script

KEY = "CANARY-0123456789"
ROWS = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)


def build(preset, address=None, **given):
    if address is not None:
        given["base_url"] = address
    settings = preset.Settings(model="m", api_key=KEY, **given)
    return preset.create(settings, name=preset.name, limits=TimeLimits(), engine=None)


def described(name, **environ):
    (target,) = choose(load(environ=environ), provider=name, fallback=False).targets
    return target


@ROWS
@pytest.mark.anyio
async def test_a_call_goes_where_it_belongs(preset, server):
    script(completion("Hello."))
    path = "/v1" if preset.dialect.versioned else ""
    async with build(preset, server.url(""), headers={"x-title": "t"}) as provider:
        assert await provider.generate("Hi") == "Hello."

    (request,) = server.requests
    assert request.path == f"{path}/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["x-title"] == "t"
    assert json.loads(request.body)["model"] == "m"


@ROWS
@pytest.mark.anyio
async def test_one_that_is_well(preset, server):
    script(Answer([b'{"data": [{"id": "m"}]}'], content_type=JSON))
    async with build(preset, server.url("/v1")) as provider:
        health = await provider.health_check()

    assert (health.name, health.healthy, health.error) == (preset.name, True, None)


@ROWS
def test_its_variables_are_its_own(preset):
    environ = {f"{preset.prefix}MODEL": "big", f"{preset.prefix}BASE_URL": "https://x.test/v1"}
    if preset.key is not None:
        with pytest.raises(ConfigurationError, match=f"it has no api_key; .*{preset.key}"):
            described(preset.name, **environ)
        environ[preset.key] = KEY
    target = described(preset.name, **environ)

    assert target.lacks is None
    assert target.settings.model == "big"
    assert target.settings.base_url == "https://x.test/v1"
    if preset.key is not None:
        assert target.settings.api_key.get_secret_value() == KEY


@ROWS
def test_a_model_has_to_be_named(preset):
    settings = preset.Settings(api_key=KEY, base_url="https://x.test/v1")

    assert settings.missing == "model"
    with pytest.raises(ConfigurationError, match="it has no model"):
        preset.create(settings, name="p", limits=TimeLimits(), engine=None)


def test_where_each_customer_has_an_address_it_has_to_be_given():
    snowflake = PRESETS["snowflake"]

    assert snowflake.Settings(api_key=KEY, model="m").missing == "base_url"


@ROWS
def test_the_addresses_are_safe_and_complete(preset):
    provider = build(preset, *(["https://a.test/v1"] if preset.base_url is None else []))

    assert provider.endpoint == (preset.base_url or "https://a.test/v1")
    assert provider.endpoint.startswith("https://") or "127.0.0.1" in provider.endpoint
    assert KEY not in repr(provider)


def test_several_keys_are_a_pool():
    target = described("groq:m", GROQ_API_KEYS="one,two")

    assert target.lacks is None
    assert len(target.keys) == 2


def test_the_names_are_not_taken_twice():
    names = [*PRESETS, *OTHER_NAMES, *BUILT_IN, *NOT_YET]

    assert len(names) == len(set(names))
    assert {*PRESETS} <= {*discover_providers()}


def test_other_names():
    assert vendor("Grok") is PRESETS["xai"]
    assert canonical("hugging_face") == "huggingface"
    assert described("llama-server:tiny").name == "llama-cpp"


def test_the_name_of_a_preset_is_not_free_for_another_vendor():
    raw = load(environ={}, arguments={"providers": {"groq": {"vendor": "openai"}}})

    with pytest.raises(ConfigurationError, match="the name of a vendor itself"):
        choose(raw, provider="groq", fallback=False)


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ({"dialect": "acme"}, TypeError, "dialect must be a Dialect"),
        ({"also": "acme"}, TypeError, "also must be a tuple"),
        ({"base_url": ""}, ConfigurationError, "base_url must not be empty"),
        ({"key": 5}, TypeError, "key must be a str"),
    ],
)
def test_a_row_is_checked(arguments, kind, said):
    with pytest.raises(kind, match=said):
        Preset(**{"dialect": Dialect(name="acme"), **arguments})
