import json

import anyio
import pytest

from fairlead.core.errors import AuthenticationError, ConfigurationError
from fairlead.facade.provider_manager import ProviderManager
from tests.support.answers import completion, failure, script

pytestmark = pytest.mark.anyio


@pytest.fixture
async def manager(server, monkeypatch, anyio_backend):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url("/v1"))
    monkeypatch.setenv("OPENAI_MODEL", "gpt-4o")
    monkeypatch.setenv("PROVIDER_FALLBACK_ORDER", "offline")
    async with ProviderManager(["openai", "offline"]) as manager:
        yield manager


def messages(server):
    return json.loads(server.requests[-1].body)["messages"]


async def test_it_answers_with_text_and_usage(manager, server):
    script(completion("It is short."))

    text, usage = await manager.get_response("openai", "Summarise this.", "A long text.")

    assert text == "It is short."
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (5, 2, 7)


async def test_the_source_follows_the_prompt(manager, server):
    script(completion())

    await manager.get_response("openai", "Summarise this.", "A long text.")

    assert messages(server) == [{"role": "user", "content": "Summarise this.\n\nA long text."}]


async def test_without_a_source_the_prompt_is_all(manager, server):
    script(completion())

    await manager.get_response("openai", "Tell a joke.")

    assert messages(server) == [{"role": "user", "content": "Tell a joke."}]


async def test_another_model_may_be_named(manager, server):
    script(completion())

    await manager.get_response("openai", "Tell a joke.", "", "gpt-4-turbo")

    assert b'"gpt-4-turbo"' in server.requests[-1].body


async def test_each_provider_answers_for_itself(manager, server):
    """A fallback of the settings would answer under another's name."""
    script(failure(401))

    with pytest.raises(AuthenticationError):
        await manager.get_response("openai", "Tell a joke.")


async def test_it_holds_what_it_was_given_in_order(manager):
    assert [provider.name for provider in manager.providers] == ["openai", "offline"]


async def test_a_name_that_it_was_not_given_is_told(manager):
    with pytest.raises(ConfigurationError, match=r"no provider 'openia'.*openai, offline"):
        await manager.get_response("openia", "Tell a joke.")


def test_an_unknown_provider_is_told_while_building():
    with pytest.raises(ConfigurationError, match=r"nobody.*there are"):
        ProviderManager(["offline", "nobody"])


def test_a_single_name_is_no_list_of_names():
    with pytest.raises(TypeError, match=r"\['offline'\]"):
        ProviderManager("offline")


async def test_closing_closes_the_connections(manager, server):
    script(completion())
    await manager.get_response("openai", "Tell a joke.")
    assert server.open_connections == 1

    await manager.aclose()
    await manager.aclose()

    with anyio.fail_after(2):
        while server.open_connections:  # noqa: ASYNC110 - another thread's
            await anyio.sleep(0.005)
