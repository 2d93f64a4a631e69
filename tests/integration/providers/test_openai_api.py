"""Which of its formats OpenAI is asked in."""

import json

import pytest

from fairlead import ConfigurationError, Message, OpenAIProvider, Tool
from fairlead.adapters.providers.openai.settings import Settings, create
from fairlead.core.limits import TimeLimits
from tests.support.answers import JSON, SSE, Answer, completion, script
from tests.support.responses import body, closing, message, sse, thought
from tests.unit.core.fakes import generating


def openai(server, **arguments):
    return OpenAIProvider(**{"api_key": "k", "base_url": server.url("/v1"), **arguments})


ANSWER = Answer([json.dumps(body(message())).encode()], content_type=JSON)
STREAM = Answer([sse(closing(message()))], content_type=SSE)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"model": "gpt-4o"}, "/v1/chat/completions"),
        ({"model": "gpt-4o", "api": "chat"}, "/v1/chat/completions"),
        ({"model": "gpt-4o", "api": "responses"}, "/v1/responses"),
        ({"model": "gpt-5.6", "wire": "plain"}, "/v1/responses"),
        ({"model": "gpt-5.6", "wire": "plain", "api": "chat"}, "/v1/chat/completions"),
    ],
)
async def test_where_a_call_goes(server, arguments, path):
    script(ANSWER if path.endswith("responses") else completion("Hello."))
    async with openai(server, **arguments) as provider:
        assert await provider.generate("Hi") == "Hello."

    assert server.requests[-1].path == path


@pytest.mark.anyio
async def test_the_model_of_the_call_decides(server):
    script(STREAM)
    async with openai(server, model="gpt-4o") as provider:
        told = await provider.generate_stream("Hi", model="gpt-5.6").collect()

    assert told == "Hello."
    assert server.requests[-1].path == "/v1/responses"
    assert json.loads(server.requests[-1].body)["stream"] is True


@pytest.mark.anyio
async def test_a_model_that_reasons_is_streamed_underneath(server):
    script(STREAM)
    async with openai(server, model="gpt-5.6") as provider:
        assert await provider.generate("Hi", tools=[Tool("tide")]) == "Hello."

    sent = json.loads(server.requests[-1].body)
    assert sent["stream"] is True
    assert sent["store"] is False
    assert "reasoning" not in sent


@pytest.mark.anyio
async def test_encrypted_reasoning_goes_round(server):
    sealed = thought(encrypted_content="e")
    script(Answer([sse(closing(sealed, message()))], content_type=SSE), STREAM)
    async with openai(server, model="gpt-5.6") as provider:
        first = await provider.generate("Hi")
        await provider.generate([Message.user("Hi"), first, "And?"])

    assert json.loads(server.requests[-1].body)["input"][1:3] == [
        sealed,
        {"role": "assistant", "content": "Hello."},
    ]


@pytest.mark.anyio
async def test_vectors_are_asked_for_as_ever(server):
    answer = {"data": [{"index": 0, "embedding": [0.5]}], "model": "m"}
    script(Answer([json.dumps(answer).encode()], content_type=JSON))
    async with openai(server, api="responses") as provider:
        assert list(await provider.embed("Hi")) == [0.5]

    assert server.requests[-1].path == "/v1/embeddings"


def test_a_format_that_there_is_not(server):
    with pytest.raises(ConfigurationError, match="api must be 'auto' or 'chat' or 'responses'"):
        openai(server, api="assistants")


def test_answers_in_one_format_are_not_taken_for_those_in_another(server):
    asked = generating()
    plans = [openai(server, api=api).plan(asked) for api in ("auto", "chat", "responses")]

    assert len({plan.first.identity for plan in plans}) == 3


@pytest.mark.anyio
async def test_the_setting(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API", "responses")
    settings = Settings(api_key="k", base_url=server.url("/v1"), model="gpt-4o")
    script(ANSWER)
    async with create(settings, name="openai", limits=TimeLimits(), engine=None) as provider:
        assert await provider.generate("Hi") == "Hello."

    assert server.requests[-1].path == "/v1/responses"
