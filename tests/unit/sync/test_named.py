import pytest

from fairlead.core.errors import ConfigurationError
from fairlead.sync._named import ProviderFactory, ProviderManager
from fairlead.sync._provider import SyncProvider


def test_the_factory_builds_anew_each_time():
    with ProviderFactory.create("offline") as one, ProviderFactory.create("offline") as other:
        assert one.inner is not other.inner
        assert one.complete("Hello") == other.complete("Hello")


def test_the_factory_takes_what_open_provider_takes():
    with ProviderFactory.create("offline", model="stand-in", dimensions=8) as provider:
        assert provider.model.name == "stand-in"
        assert len(provider.embed("a text")) == 8


def test_one_provider_alone(monkeypatch):
    monkeypatch.setenv("PROVIDER_FALLBACK_ORDER", "offline")

    with ProviderFactory.create_provider("null") as alone, ProviderFactory.create("null") as first:
        assert alone.name == "null"
        assert first.name == "fallback"


def test_the_manager_answers_with_text_and_usage():
    with ProviderManager(["offline"]) as manager:
        text, usage = manager.get_response("offline", "Summarise this.", "A long text.")

        assert text == manager.providers[0].generate("Summarise this.\n\nA long text.")
        assert usage == text.usage
        assert all(isinstance(provider, SyncProvider) for provider in manager.providers)


def test_the_manager_knows_its_names():
    with (
        ProviderManager(["offline"]) as manager,
        pytest.raises(ConfigurationError, match=r"'openai'.*offline"),
    ):
        manager.get_response("openai", "Hello")
