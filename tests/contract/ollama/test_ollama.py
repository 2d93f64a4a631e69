"""Ollama's adapter over real sockets: the contract, and what is its own."""

import json

import pytest

from fairlead import (
    ConfigurationError,
    ContextFitProvider,
    ContextLengthExceededError,
    HealthCheckable,
    OllamaProvider,
    PromptTruncatedError,
    StreamInterruptedError,
    TimeLimits,
)
from fairlead.adapters.providers.ollama.settings import Settings, create
from fairlead.core.events import StreamEnd, TextDelta
from fairlead.core.results import FinishReason
from fairlead.core.usage import Usage
from fairlead.testing import ProviderContract
from fairlead.wire.ollama.mirror import StreamEncoder
from tests.support.answers import JSON, Answer, script
from tests.support.ollama_server import NDJSON, played

LONG = "word " * 5000


class TestContract(ProviderContract):
    formats = True
    reports_usage = True

    @pytest.fixture(autouse=True)
    def _server(self, server):
        type(self).server = server

    def make_provider(self):
        return made(self.server, "/offline")

    def make_scripted(self, *answers):
        script(*map(played, answers))
        return made(self.server)


def made(server, path="", **arguments):
    given = {"model": "tiny", "embedding_model": "tiny", **arguments}
    return OllamaProvider(endpoint=server.url(path), **given)


def counted(tokens):
    """An answer whose prompt had so many tokens, as the server says."""
    encoder = StreamEncoder(model="tiny")
    end = StreamEnd(FinishReason.STOP, usage=Usage(input_tokens=tokens, output_tokens=1))
    pieces = [encoder.encode_event(TextDelta("Well.")), encoder.encode_event(end)]
    return Answer(pieces, content_type=NDJSON)


@pytest.mark.anyio
async def test_the_window_is_asked_for_and_known(server):
    script(counted(9))
    async with made(server, context_window=512) as provider:
        answer = await provider.generate("Hi", model="other")

    (request,) = server.requests
    assert json.loads(request.body)["options"] == {"num_ctx": 512}
    assert json.loads(request.body)["model"] == "other"
    assert provider.model.context_window == 512
    assert answer.warnings == ()


@pytest.mark.anyio
async def test_a_prompt_that_cannot_fit_is_not_sent(server):
    async with ContextFitProvider(made(server, context_window=512)) as provider:
        with pytest.raises(ContextLengthExceededError, match="512"):
            await provider.generate(LONG)

    assert not server.requests


@pytest.mark.anyio
@pytest.mark.parametrize("effort", [None, "high"])
async def test_a_prompt_that_was_cut_to_the_window_is_an_error(server, effort):
    script(counted(6000))
    async with made(server, context_window=6000) as provider:
        with pytest.raises(PromptTruncatedError, match="context_window=") as caught:
            await provider.generate("é ï ø " * 3000, reasoning_effort=effort)

    assert caught.value.partial == "Well."
    assert caught.value.provider == "ollama"


@pytest.mark.anyio
async def test_a_prompt_that_may_have_been_cut_is_a_warning(server):
    script(counted(2050))
    async with made(server) as provider:
        answer = await provider.generate(LONG)

    assert len(answer.warnings) == 1
    assert "read 2050 tokens" in answer.warnings[0]


@pytest.mark.anyio
async def test_a_stream_whose_prompt_was_cut_ends_with_a_warning(server):
    script(counted(6000))
    async with made(server, context_window=6000) as provider:
        told = await provider.generate_stream("é ï ø " * 3000).collect()
        script(counted(9))
        well = await provider.generate_stream("Hi").collect()

    assert told == well == "Well."
    assert "read 6000 tokens" in told.warnings[0]
    assert well.warnings == ()


@pytest.mark.anyio
async def test_what_the_server_refuses_because_of_its_length(server):
    body = b'{"error": "the input length exceeds the context length"}'
    script(Answer([body], status=400, content_type=JSON))
    async with made(server) as provider:
        with pytest.raises(ContextLengthExceededError):
            await provider.generate("Hi")
        with pytest.raises(ContextLengthExceededError):
            await provider.embed("Hi")


@pytest.mark.anyio
async def test_a_stream_that_is_cut_before_it_is_done(server):
    piece = StreamEncoder(model="tiny").encode_event(TextDelta("Half"))
    script(Answer([piece], content_type=NDJSON))
    async with made(server) as provider:
        with pytest.raises(StreamInterruptedError, match="nothing said that it was done") as caught:
            await provider.generate_stream("Hi").collect()

    assert caught.value.partial == "Half"


@pytest.mark.anyio
async def test_models(server):
    script(Answer([b'{"models": [{"name": "a:latest"}, {"name": "b:8b"}]}'], content_type=JSON))
    async with made(server, api_key="CANARY") as provider:
        assert isinstance(provider, HealthCheckable)
        assert await provider.list_models() == ("a:latest", "b:8b")

    (request,) = server.requests
    assert (request.method, request.path) == ("GET", "/api/tags")
    assert request.headers["authorization"] == "Bearer CANARY"
    assert "CANARY" not in repr(provider)


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("https://ollama.com", "https://ollama.com"),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:1/x"),
        ("localhost", "http://localhost:11434"),
        ("localhost:8000", "http://localhost:8000"),
        ("localhost:8000/x", "http://localhost:8000/x"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        (":8000", "http://127.0.0.1:8000"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_address_may_be_written_as_the_servers_own_variable_is(endpoint, address):
    assert OllamaProvider(model="m", endpoint=endpoint).endpoint == address


def test_nobody_needs_to_name_the_address():
    assert OllamaProvider(model="m").endpoint == "http://127.0.0.1:11434"


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ({"model": ""}, ConfigurationError, "model must not be empty"),
        ({"embedding_model": 5}, TypeError, "embedding_model must be a str"),
        ({"endpoint": ""}, ConfigurationError, "endpoint must not be empty"),
        ({"api_key": "a b"}, ConfigurationError, "copied whole"),
        ({"context_window": 0}, ConfigurationError, "context_window must be at least 1"),
        ({"context_window": True}, TypeError, "context_window must be an int"),
        ({"num_ctx": 5}, TypeError, "num_ctx"),
    ],
)
def test_what_it_is_not_built_with(arguments, kind, said):
    with pytest.raises(kind, match=said):
        OllamaProvider(**{"model": "m", **arguments})


def test_a_section_describes_it():
    settings = Settings(model="m", endpoint="localhost", context_window=4096, embedding_model="e")
    provider = create(settings, name="box", limits=TimeLimits(), engine=None)

    assert settings.missing is None
    assert (provider.name, provider.endpoint) == ("box", "http://localhost:11434")
    assert provider.model.context_window == 4096
    assert provider.model.embedding_model == "e"


def test_a_section_without_a_model():
    with pytest.raises(ConfigurationError, match="it has no model"):
        create(Settings(), name="ollama", limits=TimeLimits(), engine=None)
