"""The functions of `fairlead.sync`."""

import inspect
import threading

import pytest

import fairlead
import fairlead.sync
from fairlead import ConfigurationError, Embedding, Embeddings, OfflineProvider
from fairlead.core.health import ProviderHealth
from fairlead.sync import SyncProvider

TWINS = ["complete", "embed", "get_provider", "open_provider", "reset_provider_cache"]


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    monkeypatch.setenv("FAIRLEAD_PROVIDER", "offline")
    yield
    fairlead.sync.reset_provider_cache()


def parameters(function):
    return list(inspect.signature(function).parameters.values())


@pytest.mark.parametrize("name", TWINS)
def test_they_are_called_as_those_of_the_asynchronous_side(name):
    ours, theirs = getattr(fairlead.sync, name), getattr(fairlead, name)

    assert parameters(ours) == parameters(theirs)


def test_each_public_method_of_a_provider_is_there():
    for_policies = {"aclose", "handle", "plan", "clock", "scope", "OPTIONS", "bounds"}
    names = {name for name in dir(fairlead.Provider) if not name.startswith("_")}

    assert names - set(dir(SyncProvider)) == for_policies


def test_one_shared_provider_answers():
    assert fairlead.sync.complete("hi", max_tokens=5).provider == "offline"
    assert type(fairlead.sync.embed("hi")) is Embedding
    assert type(fairlead.sync.embed(["hi"])) is Embeddings
    assert fairlead.sync.get_provider().inner is fairlead.sync.get_provider().inner
    assert fairlead.sync.get_provider().inner is fairlead.get_provider()


def test_after_a_reset_there_is_another():
    before = fairlead.sync.get_provider().inner
    fairlead.sync.reset_provider_cache()

    assert fairlead.sync.get_provider().inner is not before


def test_threads_share_it_too():
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(fairlead.sync.get_provider().inner))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(map(id, found))) == 1


def test_one_of_ones_own():
    with fairlead.sync.open_provider("offline", fallback=[OfflineProvider()]) as provider:
        assert type(provider) is SyncProvider
        assert provider.generate("hi").provider == "offline"


class Well(OfflineProvider):
    async def health_check(self):
        return ProviderHealth(name="well", healthy=True)


def test_health():
    with SyncProvider(Well()) as provider:
        assert provider.health_check() == ProviderHealth(name="well", healthy=True)


def test_chat_completions():
    request = fairlead.ChatCompletionRequest(messages=[{"role": "user", "content": "hi"}])
    with fairlead.sync.open_provider("offline") as provider:
        response = provider.chat_completion(request, "mine")

    assert "hi" in response.choices[0]["message"]["content"]


def test_mistakes_are_told_while_building():
    with pytest.raises(ConfigurationError, match="ofline"):
        fairlead.sync.get_provider("ofline")
    with pytest.raises(ConfigurationError, match="ofline"):
        fairlead.sync.open_provider("ofline")
