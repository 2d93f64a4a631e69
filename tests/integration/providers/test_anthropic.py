"""Anthropic's adapter over a real server: what only it does."""

import json

import pytest

from fairlead import (
    AnthropicProvider,
    AuthenticationError,
    ConfigurationError,
    ExactTokenCounter,
    OfflineProvider,
    OverloadedError,
    Tool,
    UnsupportedOperationError,
    default_pipeline,
    find,
    open_provider,
)
from tests.support.answers import JSON, Answer, script
from tests.support.messages import STOP, ending, message, sse, started, text

pytestmark = pytest.mark.anyio

KEY = "CANARY-0123456789"
PLAIN = Answer([json.dumps(message({"type": "text", "text": "Ahoy."})).encode()], content_type=JSON)
STREAM = Answer([sse(started(usage={"input_tokens": 3}), *text("Ahoy."), ending(), STOP)])
OVERLOADED = Answer(
    [b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'],
    status=529,
    content_type=JSON,
)


def provider(server, **arguments):
    return AnthropicProvider(**{"api_key": KEY, "base_url": server.url(""), **arguments})


def asked(server, index=-1):
    return json.loads(server.requests[index].body)


async def test_an_answer_is_streamed_underneath_as_the_limit_that_is_sent_may_be_long(server):
    script(STREAM)
    async with provider(server, model="claude-haiku-4-5") as anthropic:
        answer = await anthropic.generate("Say ahoy.")

    assert answer == "Ahoy."
    assert answer.usage.input_tokens == 3
    assert server.requests[-1].path == "/v1/messages"
    assert asked(server) == {
        "model": "claude-haiku-4-5",
        "max_tokens": 32_000,
        "messages": [{"role": "user", "content": "Say ahoy."}],
        "stream": True,
    }


async def test_a_short_one_is_not(server):
    script(PLAIN)
    async with provider(server, model="claude-haiku-4-5") as anthropic:
        assert await anthropic.generate("Say ahoy.", max_tokens=100) == "Ahoy."

    assert "stream" not in asked(server)


async def test_a_default_limit_counts(server):
    script(PLAIN)
    async with provider(server, defaults={"max_tokens": 100}) as anthropic:
        await anthropic.generate("Say ahoy.")

    assert asked(server)["max_tokens"] == 100


@pytest.mark.parametrize(
    ("arguments", "headers"),
    [
        ({}, {"authorization": f"Bearer {KEY}", "anthropic-version": "2026-10-21"}),
        (
            {"version": "2023-06-01"},
            {"x-api-key": KEY, "anthropic-version": "2023-06-01"},
        ),
        (
            {"api_key": None, "auth_token": "token", "version": "2023-06-01"},
            {"authorization": "Bearer token"},
        ),
        ({"betas": ["a", "b"]}, {"anthropic-beta": "a,b"}),
    ],
)
async def test_headers(server, arguments, headers):
    script(STREAM)
    async with provider(server, **arguments) as anthropic:
        await anthropic.generate("Hi")

    sent = server.requests[-1].headers
    assert sent.items() >= headers.items()
    assert ("x-api-key" in sent) != ("authorization" in sent)


async def test_keys_come_from_the_environment(monkeypatch, server):
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token")
    script(STREAM)
    async with provider(server, api_key=None) as anthropic:
        await anthropic.generate("Hi")
    assert server.requests[-1].headers["authorization"] == "Bearer token"

    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    async with provider(server, api_key=None) as anthropic:
        await anthropic.generate("Hi")
    assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"


async def test_settings_describe_one(monkeypatch, server):
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url(""))
    monkeypatch.setenv("ANTHROPIC_VERSION", "2023-06-01")
    monkeypatch.setenv("ANTHROPIC_BETAS", "a,b")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match=r"(?i)api_key"):
        open_provider("anthropic")

    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    script(STREAM)
    async with open_provider("anthropic:claude-haiku-4-5") as provider:
        assert await provider.generate("Hi") == "Ahoy."

    sent = server.requests[-1].headers
    assert (sent["x-api-key"], sent["anthropic-beta"]) == (KEY, "a,b")
    assert asked(server)["model"] == "claude-haiku-4-5"


async def test_the_older_version_takes_what_the_newer_does_not(server):
    script(PLAIN)
    for version, sent in (("2023-06-01", True), ("2026-10-21", False)):
        async with provider(server, model="claude-haiku-4-5", version=version) as anthropic:
            answer = await anthropic.generate("Hi", temperature=0, max_tokens=9)

        assert ("temperature" in asked(server)) is sent
        assert bool(answer.warnings) is not sent
        assert anthropic.model.sampling is sent


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/messages"])
async def test_addresses(server, path):
    async with provider(server, base_url=server.url(path)) as anthropic:
        assert anthropic.endpoint == server.url("/v1")


async def test_an_error_has_its_facts(server):
    script(OVERLOADED)
    async with provider(server) as anthropic:
        with pytest.raises(OverloadedError) as caught:
            await anthropic.generate("Hi")

    assert caught.value.status_code == 529
    assert caught.value.provider == "anthropic"
    assert caught.value.model == "claude-haiku-5-5"


@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
async def test_a_key_that_the_server_echoes_is_masked(server, version):
    body = {"type": "error", "error": {"type": "authentication_error", "message": f"no {KEY}"}}
    script(Answer([json.dumps(body).encode()], status=401, content_type=JSON))
    async with provider(server, version=version) as anthropic:
        with pytest.raises(AuthenticationError) as caught:
            await anthropic.generate("Hi")
        assert KEY not in repr(anthropic)

    assert KEY not in str(caught.value)


class TestCounting:
    async def test_the_vendor_is_asked(self, server):
        script(Answer([b'{"input_tokens": 42}'], content_type=JSON))
        async with provider(server, defaults={"system_prompt": "Be brief"}) as anthropic:
            count = await anthropic.count_tokens_exact(
                "Hi", tools=[Tool("now")], max_tokens=9, extra={"anthropic": {"speed": "fast"}}
            )

        assert count == 42
        assert count.exact
        assert server.requests[-1].path == "/v1/messages/count_tokens"
        assert asked(server) == {
            "model": "claude-haiku-5-5",
            "system": "Be brief",
            "messages": [{"role": "user", "content": "Hi"}],
            "tools": [{"name": "now", "input_schema": {"type": "object", "properties": {}}}],
            "speed": "fast",
        }

    async def test_it_is_found_inside_of_a_pipeline(self, server):
        script(Answer([b'{"input_tokens": 42}'], content_type=JSON))
        async with provider(server) as anthropic:
            counter = find(default_pipeline(anthropic), ExactTokenCounter)
            assert counter is anthropic

        assert find(OfflineProvider(), ExactTokenCounter) is None

    @pytest.mark.parametrize("answer", [OVERLOADED, Answer([b"{}"], content_type=JSON)])
    async def test_what_fails_says_who_was_asked(self, server, answer):
        script(answer)
        async with provider(server) as anthropic:
            with pytest.raises(Exception, match=r"Overloaded|input_tokens") as caught:
                await anthropic.count_tokens_exact("Hi", model="claude-opus-5-5")

        assert caught.value.provider == "anthropic"
        assert caught.value.model == "claude-opus-5-5"


async def test_models_are_listed(server):
    script(Answer([b'{"data": [{"id": "a"}, {"id": "b"}]}'], content_type=JSON))
    async with provider(server) as anthropic:
        assert await anthropic.list_models() == ("a", "b")

    assert server.requests[-1].target == "/v1/models?limit=1000"


async def test_there_are_no_vectors(server):
    async with provider(server) as anthropic:
        with pytest.raises(UnsupportedOperationError):
            await anthropic.embed("Hi")

    assert server.requests == []


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("claude-opus-5-5", (1_000_000, 128_000, True, "claude_v4_7")),
        ("claude-haiku-4-5-20251001", (200_000, 64_000, False, "claude_v3")),
        ("claude-3-haiku-20240307", (200_000, 4096, False, "claude_v3")),
        ("tiny", (None, None, False, None)),
    ],
)
async def test_what_is_known_of_a_model(model, known):
    info = AnthropicProvider(api_key="k", model=model).model

    assert (info.context_window, info.max_output_tokens, info.reasoning, info.tokenizer) == known


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({}, ConfigurationError, "ANTHROPIC_API_KEY"),
        ({"api_key": "k k"}, ConfigurationError, "api_key holds a space"),
        ({"auth_token": "k\n"}, ConfigurationError, "auth_token holds a space"),
        ({"api_key": "k", "version": "2024-01-01"}, ConfigurationError, "2026-10-21' or '2023"),
        ({"api_key": "k", "model": " "}, ConfigurationError, "model must not be empty"),
        ({"api_key": "k", "base_url": ""}, ConfigurationError, "base_url must not be empty"),
        ({"api_key": "k", "betas": "a"}, TypeError, "betas must be a sequence of str"),
        ({"api_key": "k", "betas": ["a\n"]}, ConfigurationError, "anthropic-beta"),
        ({"api_key": "k", "organization": "a"}, TypeError, "no argument 'organization'"),
    ],
)
async def test_a_wrong_argument(monkeypatch, arguments, error, says):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)

    with pytest.raises(error, match=says):
        AnthropicProvider(**arguments)
