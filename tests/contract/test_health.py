"""`health_check()` of every vendor that we ship, against a real server."""

from __future__ import annotations

import anyio
import pytest

from fairlead import (
    AnthropicProvider,
    GeminiProvider,
    HealthCheckable,
    LMStudioProvider,
    NullProvider,
    OfflineProvider,
    OllamaProvider,
    OpenAICompatibleProvider,
    OpenAIProvider,
    ProviderHealth,
    VertexProvider,
    VLLMProvider,
)
from fairlead.assembly.vendors import BUILT_IN
from fairlead.core.health import HEALTH_SECONDS
from tests.support.answers import JSON, Answer, failure, script

pytestmark = pytest.mark.anyio

KEY = "CANARY-0123456789"
OVER_HTTP = {
    "anthropic": lambda url: AnthropicProvider(base_url=url, api_key=KEY),
    "gemini": lambda url: GeminiProvider(base_url=url, api_key=KEY),
    "lmstudio": lambda url: LMStudioProvider(endpoint=url, api_token=KEY),
    "ollama": lambda url: OllamaProvider(endpoint=url, model="m", api_key=KEY),
    "openai": lambda url: OpenAIProvider(base_url=url, api_key=KEY),
    "openai-compatible": lambda url: OpenAICompatibleProvider(base_url=url, model="m", api_key=KEY),
    "vertex": lambda url: VertexProvider(base_url=url, access_token=KEY),
    "vllm": lambda url: VLLMProvider(base_url=url, model="m", api_key=KEY),
}
LOCAL = {"null": NullProvider, "offline": OfflineProvider}
WELL = Answer(
    [b'{"data": [{"id": "m"}], "models": [{"name": "models/m"}], "totalTokens": 1}'],
    content_type=JSON,
)
"""Well in all formats at once."""
QUESTIONS = {
    "ollama": ("GET", "/api/tags"),
    "vertex": ("POST", "/v1/publishers/google/models/gemini-3.8-flash:countTokens"),
}
"""What is asked, where it is not the list of models."""
HTML = Answer([b"<html>It works!</html>"], content_type="text/html")

over_http = pytest.mark.parametrize("vendor", OVER_HTTP)


def test_no_vendor_is_left_out():
    assert {*OVER_HTTP, *LOCAL} == {*BUILT_IN}


def base(vendor, server):
    return server.url("" if vendor == "ollama" else "/v1")


async def health_of(vendor, url):
    async with OVER_HTTP[vendor](url) as provider:
        assert isinstance(provider, HealthCheckable)
        health = await provider.health_check()
    assert health.name == vendor
    assert health.latency_ms > 0
    return health


@over_http
async def test_one_that_is_well(vendor, server):
    script(WELL)
    health = await health_of(vendor, base(vendor, server))

    assert health.healthy is True
    assert (health.error, health.misconfigured) == (None, False)
    (request,) = server.requests
    assert (request.method, request.path) == QUESTIONS.get(vendor, ("GET", "/v1/models"))
    assert KEY in {
        request.headers.get("authorization", "").removeprefix("Bearer "),
        request.headers.get("x-api-key"),
        request.headers.get("x-goog-api-key"),
    }


@over_http
@pytest.mark.parametrize(
    ("answer", "misconfigured"),
    [
        (failure(400), True),
        (failure(401), True),
        (failure(403), True),
        (failure(404), True),
        (HTML, True),
        (failure(429), False),
        (failure(500), False),
        (failure(503), False),
    ],
    ids=lambda value: str(getattr(value, "status", value)),
)
async def test_one_that_refuses(vendor, answer, misconfigured, server):
    script(answer)
    health = await health_of(vendor, base(vendor, server))

    assert (health.healthy, health.misconfigured) == (False, misconfigured)
    assert health.error
    assert len(server.requests) == 1


@over_http
async def test_the_key_is_not_told(vendor, server):
    script(failure(401, f"{KEY} is wrong"))

    assert "CANARY" not in str(await health_of(vendor, base(vendor, server)))


@over_http
async def test_one_that_is_not_there(vendor):
    health = await health_of(vendor, "http://127.0.0.1:9/v1")

    assert (health.healthy, health.misconfigured) == (False, False)


@over_http
async def test_one_that_stalls(vendor, server, monkeypatch):
    assert HEALTH_SECONDS == 5
    monkeypatch.setattr("fairlead.adapters.providers._health.HEALTH_SECONDS", 0.1)
    script(Answer([b""], ending="stall"))
    health = await health_of(vendor, base(vendor, server))

    assert (health.healthy, health.misconfigured) == (False, False)
    assert 90 < health.latency_ms < 4000
    assert len(server.requests) == 1


@over_http
async def test_cancellation_passes(vendor, server):
    script(Answer([b""], ending="stall"))
    with anyio.move_on_after(0.1) as scope:
        await health_of(vendor, base(vendor, server))

    assert scope.cancelled_caught


@pytest.mark.parametrize("vendor", LOCAL)
async def test_those_that_ask_nobody_are_well(vendor):
    health = await LOCAL[vendor]().health_check()

    assert health == ProviderHealth(name=vendor, healthy=True, latency_ms=0.0)
