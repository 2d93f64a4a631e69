"""Gemini and Vertex AI, asked over sockets."""

import json

import anyio
import pytest

from fairlead import (
    AuthenticationError,
    ConfigurationError,
    ExactTokenCounter,
    GeminiProvider,
    InvalidResponseError,
    ModelNotFoundError,
    ProviderConnectionError,
    ProviderTimeoutError,
    RetryProvider,
    VertexProvider,
    find,
)
from fairlead.adapters.providers._generate_content import GenerateContentProvider
from tests.support.answers import JSON, Answer, script
from tests.support.gemini import answer, chunk, sse

pytestmark = pytest.mark.anyio

KEY = "CANARY-0123456789"


def told(body, status=200):
    return Answer([json.dumps(body).encode()], status=status, content_type=JSON)


SAID = told(answer({"text": "Hello."}, usageMetadata={"promptTokenCount": 5}))
COUNTED = told({"totalTokens": 31})


def gemini(server, **given):
    return GeminiProvider(**{"api_key": KEY, "base_url": server.url("/v1beta"), **given})


def vertex(server, **given):
    return VertexProvider(**{"access_token": KEY, "base_url": server.url("/v1"), **given})


async def test_gemini_is_asked_with_its_key(server):
    script(SAID)
    async with gemini(server, wire="plain") as provider:
        generation = await provider.generate("Hello")

    (request,) = server.requests
    assert generation == "Hello."
    assert request.target == "/v1beta/models/gemini-3.8-flash:generateContent"
    assert request.headers["x-goog-api-key"] == KEY
    assert "authorization" not in request.headers


async def test_a_stream_asks_for_events(server):
    script(Answer([sse(chunk({"text": "Hel"}), answer({"text": "lo."}))]))
    async with gemini(server) as provider:
        generation = await provider.generate_stream("Hello").collect()

    assert generation == "Hello."
    assert server.requests[0].target.endswith(":streamGenerateContent?alt=sse")


async def test_a_model_that_thinks_is_streamed_underneath(server):
    script(Answer([sse(answer({"text": "Hello."}))]))
    async with gemini(server) as provider:
        assert provider.model.reasoning
        assert await provider.generate("Hello", reasoning_effort="high") == "Hello."

    assert server.requests[0].target.endswith(":streamGenerateContent?alt=sse")


async def test_a_bad_key_is_told_and_not_shown(server):
    words = f"API key not valid: {KEY}"
    details = [{"reason": "API_KEY_INVALID"}]
    body = {
        "error": {"code": 400, "message": words, "status": "INVALID_ARGUMENT", "details": details}
    }
    script(told(body, 400))
    async with gemini(server) as provider:
        with pytest.raises(AuthenticationError) as caught:
            await provider.generate("Hello")

    assert KEY not in str(caught.value)
    assert "no key was sent" not in str(caught.value)


async def test_models_are_listed(server):
    script(told({"models": [{"name": "models/a"}, {"name": "tunedModels/b"}]}))
    async with gemini(server) as provider:
        assert await provider.list_models() == ("a", "tunedModels/b")

    assert server.requests[0].target == "/v1beta/models?pageSize=1000"


@pytest.mark.parametrize("body", [{}, {"models": [{}]}, {"models": 3}])
async def test_no_list_of_models(server, body):
    script(told(body))
    async with gemini(server) as provider:
        with pytest.raises(InvalidResponseError, match="does not list models"):
            await provider.list_models()


@pytest.mark.parametrize("build", [gemini, vertex])
async def test_tokens_are_counted_by_the_vendor(server, build):
    script(COUNTED)
    async with build(server) as provider:
        counter = find(RetryProvider(provider), ExactTokenCounter)
        count = await counter.count_tokens_exact("Hello")

    assert counter is provider
    assert count == 31
    assert count.exact
    assert server.requests[0].target.endswith("models/gemini-3.8-flash:countTokens")


async def test_tokens_that_nobody_counts(server):
    script(told({"error": {"code": 404, "message": "models/x is not found"}}, 404))
    async with gemini(server, model="asked") as provider:
        with pytest.raises(ModelNotFoundError, match="models/x is not found"):
            await provider.count_tokens_exact("Hello")


async def test_vectors(server):
    script(told({"embeddings": [{"values": [1]}, {"values": [2]}]}))
    async with gemini(server, embedding_model="asked") as provider:
        vectors = await provider.embed_batch(["a", "b"])

    assert [list(vector) for vector in vectors] == [[1.0], [2.0]]
    assert vectors.metadata.space.model == "asked"
    assert provider.model.max_batch_items == 100


async def test_vertex_is_asked_with_its_token(server):
    script(SAID)
    async with vertex(server, wire="plain") as provider:
        assert await provider.generate("Hello") == "Hello."

    (request,) = server.requests
    assert request.path == "/v1/publishers/google/models/gemini-3.8-flash:generateContent"
    assert request.headers["authorization"] == f"Bearer {KEY}"


async def test_vertex_is_asked_with_a_key(server):
    script(SAID)
    async with vertex(server, access_token=None, api_key=KEY) as provider:
        await provider.generate("Hello")

    assert server.requests[0].headers["x-goog-api-key"] == KEY
    assert "authorization" not in server.requests[0].headers


async def test_a_token_is_asked_for_before_each_call(server):
    tokens = iter(["one", "two", "three", "four"])

    async def token():
        return next(tokens)

    script(
        SAID,
        Answer([sse(answer({"text": "Hi."}))]),
        told({"predictions": [{"embeddings": {"values": [1]}}]}),
        COUNTED,
    )
    async with vertex(server, access_token=token, embedding_model="asked") as provider:
        await provider.generate("Hello")
        await provider.generate_stream("Hello").collect()
        await provider.embed("Hello")
        await provider.count_tokens_exact("Hello")

    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == ["Bearer one", "Bearer two", "Bearer three", "Bearer four"]


async def test_a_token_is_not_shown(server):
    async def token():
        return KEY

    script(told({"error": {"code": 401, "message": f"bad {KEY}"}}, 401))
    async with vertex(server, access_token=token) as provider:
        with pytest.raises(AuthenticationError) as caught:
            await provider.generate("Hello")

    assert KEY not in str(caught.value)
    assert "no key was sent" not in str(caught.value)


async def test_the_token_before_is_not_shown_either(server):
    tokens = iter([KEY, "another"])

    async def token():
        return next(tokens)

    script(SAID, told({"error": {"code": 401, "message": f"bad {KEY}"}}, 401))
    async with vertex(server, access_token=token) as provider:
        await provider.generate("Hello")
        with pytest.raises(AuthenticationError) as caught:
            await provider.generate("Hello")

    assert KEY not in str(caught.value)


async def test_a_token_that_is_not_to_be_had(server):
    async def token():
        raise OSError(KEY)

    async with vertex(server, access_token=token) as provider:
        with pytest.raises(ProviderConnectionError, match="to be had: OSError") as caught:
            await provider.generate("Hello")

    assert caught.value.sent is False
    assert not server.requests


@pytest.mark.parametrize("bad", ["", "two words", None])
async def test_a_token_that_is_none(server, bad):
    async def token():
        return bad

    async with vertex(server, access_token=token) as provider:
        with pytest.raises(ProviderConnectionError):
            await provider.generate("Hello")

    assert not server.requests


@pytest.mark.virtual_time
async def test_a_token_that_does_not_come():
    async def token():
        await anyio.sleep_forever()

    async with VertexProvider(project="p", access_token=token) as provider:
        with pytest.raises(ProviderTimeoutError, match="no access token came within 10 s"):
            await provider.generate("Hello")
        with pytest.raises(ProviderTimeoutError, match="no access token came within 2 s"):
            await provider.generate("Hello", timeout=2)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (
            {"project": "p", "access_token": "t"},
            "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global",
        ),
        (
            {"project": "p", "access_token": "t", "location": "europe-west4"},
            "https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/p/locations/europe-west4",
        ),
        (
            {"project": "p", "api_key": "k", "location": "eu"},
            "https://aiplatform.eu.rep.googleapis.com/v1beta1/projects/p/locations/eu",
        ),
        ({"api_key": "k"}, "https://aiplatform.googleapis.com/v1beta1"),
        ({"access_token": "t", "base_url": "https://x.test/v1/"}, "https://x.test/v1"),
    ],
)
def test_addresses_of_vertex(given, url):
    assert VertexProvider(**given).endpoint == url


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"project": "p"}, "needs access_token="),
        ({"project": "p", "access_token": "t", "api_key": "k"}, "and not both"),
        ({"access_token": "t"}, "give project="),
        ({"access_token": "t", "project": "a/b"}, "project must be an id"),
        ({"access_token": "t", "project": "p", "location": "a/b"}, "location must be an id"),
        ({"access_token": "two words", "project": "p"}, "as no key does"),
        ({"api_key": "two words"}, "as no key does"),
        ({"api_key": "k", "model": ""}, "name the model"),
    ],
)
def test_what_vertex_cannot_be_built_with(given, words):
    with pytest.raises(ConfigurationError, match=words):
        VertexProvider(**given)


@pytest.mark.parametrize(
    ("embeds", "items", "tokens"),
    [("gemini-embedding-2", 1, None), ("text-embedding-005", 250, 20_000), (None, 250, 20_000)],
)
def test_how_many_texts_vertex_takes(embeds, items, tokens):
    model = VertexProvider(api_key="k", embedding_model=embeds).model

    assert (model.max_batch_items, model.max_batch_tokens) == (items, tokens)


@pytest.mark.parametrize("variable", ["GEMINI_API_KEY", "GOOGLE_API_KEY"])
def test_the_key_may_stand_in_the_environment(monkeypatch, variable):
    monkeypatch.setenv(variable, "k")

    provider = GeminiProvider(base_url="https://x.test")

    assert provider.endpoint == "https://x.test/v1beta"
    assert isinstance(provider, GenerateContentProvider)


def test_gemini_needs_a_key(monkeypatch):
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)

    with pytest.raises(ConfigurationError, match="give api_key=, or set GEMINI_API_KEY"):
        GeminiProvider()
    with pytest.raises(ConfigurationError, match="as no key does"):
        GeminiProvider(api_key="two words")


def test_what_is_known_of_a_model():
    provider = GeminiProvider(api_key="k", model="gemini-2.5-flash-lite")

    assert provider.model.tokenizer == "gemini"
    assert provider.model.reasoning is False
    assert provider.count_tokens("Hello there") > 0
    assert not provider.count_tokens("Hello there").exact
