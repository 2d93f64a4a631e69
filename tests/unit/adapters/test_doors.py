"""What is wrong with the arguments of a provider is said when it is built."""

import pytest

from fairlead import (
    ConfigurationError,
    HttpxEngine,
    InvalidRequestError,
    LMStudioProvider,
    ModelInfo,
    NullProvider,
    OfflineProvider,
    OpenAICompatibleProvider,
    OpenAIProvider,
    VLLMProvider,
)

HUGE = 10**5000
SECRET = "sk-secret123"


def openai(**arguments):
    return OpenAIProvider(**{"api_key": "k", **arguments})


def compatible(**arguments):
    return OpenAICompatibleProvider(
        **{"base_url": "http://localhost/v1", "model": "m", **arguments}
    )


@pytest.mark.parametrize(
    ("build", "arguments", "said"),
    [
        (openai, {"wire": None}, "wire must be a str, not NoneType"),
        (openai, {"limits": 5}, "limits must be a TimeLimits, not int"),
        (openai, {"limits": {"connect": 1}}, "limits must be a TimeLimits, not dict"),
        (openai, {"engine": "httpx"}, r"HttpxEngine\(\), not str"),
        (openai, {"engine": HttpxEngine}, r"HttpxEngine\(\), not a class"),
        (openai, {"defaults": 5}, "defaults must be a mapping"),
        (openai, {"allow_plain_http": "no"}, "allow_plain_http must be True or False, not str"),
        (openai, {"model": None}, "model must be a str"),
        (openai, {"embedding_model": 5}, "embedding_model must be a str"),
        (openai, {"organization": 5}, "organization must be a str"),
        (openai, {"base_url": 5}, "base_url must be a str"),
        (openai, {"api_key": b"k"}, "api_key must be a str, not bytes"),
        (compatible, {"name": 5}, "name must be a str"),
        (compatible, {"headers": [1]}, "headers must be a mapping of str to str, not list"),
        (compatible, {"headers": {1: "x"}}, "the name of a header must be a str"),
        (compatible, {"headers": {"x": 1}}, "header 'x' must be a str, not int"),
        (compatible, {"info": ModelInfo}, "info must be a ModelInfo, not the class ModelInfo"),
        (compatible, {"info": ModelInfo()}, "model must be a str"),
        (compatible, {"dialect": 5}, "dialect must be a Dialect"),
        (LMStudioProvider, {"api_token": 5}, "api_token must be a str"),
        (LMStudioProvider, {"endpoint": 5}, "endpoint must be a str"),
        (OfflineProvider, {"model": 5}, "model must be a str"),
        (OfflineProvider, {"seed": "x"}, "seed must be an int, not str"),
        (OfflineProvider, {"seed": True}, "seed must be an int, not bool"),
        (OfflineProvider, {"delay": "x"}, "delay must be a number, not str"),
        (OfflineProvider, {"delay": True}, "delay must be a number, not bool"),
        (OfflineProvider, {"dimensions": 1.5}, "dimensions must be an int, not float"),
        (NullProvider, {"dimensions": True}, "dimensions must be an int, not bool"),
    ],
)
def test_the_wrong_kind(build, arguments, said):
    with pytest.raises(TypeError, match=said):
        build(**arguments)


@pytest.mark.parametrize(
    ("build", "arguments", "said"),
    [
        (openai, {"wire": "bogus"}, "wire must be 'auto' or 'plain', not 'bogus'"),
        (openai, {"model": ""}, "model must not be empty"),
        (openai, {"model": " "}, "model must not be empty"),
        (openai, {"model": "gpt\n"}, "model must not begin or end with a space"),
        (openai, {"embedding_model": ""}, "embedding_model must not be empty"),
        (openai, {"project": "p\n"}, "project must not begin"),
        (openai, {"base_url": ""}, "base_url must not be empty; give the server's address"),
        (openai, {"base_url": "https://x/v1\n"}, "base_url must not begin or end"),
        (compatible, {"name": ""}, "name must not be empty"),
        (compatible, {"headers": {"a b": "x"}}, "'a b' cannot be the name of a header"),
        (compatible, {"headers": {"x": "y\n"}}, "the header 'x' holds a line break"),
        (LMStudioProvider, {"endpoint": ""}, "endpoint must not be empty"),
        (OfflineProvider, {"model": ""}, "model must not be empty"),
        (OfflineProvider, {"seed": HUGE}, "seed must fit into 64 bits"),
        (OfflineProvider, {"delay": -1}, "delay must be at least 0 seconds"),
        (OfflineProvider, {"delay": float("nan")}, "delay must be at least 0 seconds"),
        (OfflineProvider, {"dimensions": -HUGE}, "dimensions must be at least 1"),
        (NullProvider, {"dimensions": 0}, "dimensions must be at least 1"),
    ],
)
def test_a_value_that_makes_no_sense(build, arguments, said):
    with pytest.raises(ConfigurationError, match=said):
        build(**arguments)


@pytest.mark.parametrize(
    "key", [f"{SECRET} x", f" {SECRET}", f"{SECRET}\n", f"{SECRET}\u00e9", f"{SECRET}\t", " "]
)
def test_what_cannot_be_a_key(key, monkeypatch):
    for build, name in (
        (openai, "api_key"),
        (compatible, "api_key"),
        (LMStudioProvider, "api_token"),
    ):
        with pytest.raises(ConfigurationError, match=f"{name} .* copied whole") as caught:
            build(**{name: key})
        assert SECRET not in str(caught.value)

    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(ConfigurationError, match=r"OPENAI_API_KEY .* copied whole"):
        OpenAIProvider()


@pytest.mark.parametrize(
    ("build", "name", "hint"),
    [
        (openai, "apikey", "OpenAIProvider has no argument 'apikey'; did you mean 'api_key'?"),
        (openai, "modle", "did you mean 'model'?"),
        (openai, "limit", "did you mean 'limits'?"),
        (openai, "headers", "OpenAIProvider has no argument 'headers'"),
        (openai, "timeout", "give timeout= with each call, or limits=TimeLimits(...)"),
        (openai, "max_retries", "give default_pipeline(..., max_retries=...)"),
        (openai, "temperature", "give it with each call, or defaults={'temperature': ...}"),
        (openai, "zzz", "there are api_key, model,"),
        (compatible, "embeding_model", "did you mean 'embedding_model'?"),
        (LMStudioProvider, "api_key", "did you mean 'api_token'?"),
        (LMStudioProvider, "dialect", "LMStudioProvider has no argument 'dialect'"),
        (VLLMProvider, "api_token", "did you mean 'api_key'?"),
    ],
)
def test_an_argument_that_there_is_not_names_the_nearest(build, name, hint):
    needed = {"model": "m"} if build is VLLMProvider else {}
    with pytest.raises(TypeError) as caught:
        build(**needed, **{name: SECRET})

    assert hint in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.anyio
async def test_a_seed_beyond_measure_is_refused_offline():
    with pytest.raises(InvalidRequestError, match="64 bits"):
        await OfflineProvider().generate("hi", seed=HUGE)
