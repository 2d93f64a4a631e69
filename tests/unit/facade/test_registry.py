from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from fairlead import (
    ConfigurationError,
    NullProvider,
    OfflineProvider,
    Provider,
    ProviderHealth,
    ProviderRegistry,
    open_provider,
)

pytestmark = pytest.mark.anyio


class Mock:
    """Keeps count of how often it was closed."""

    closed = 0

    def __init__(self, *, is_well=True):
        self.is_well = is_well

    async def generate(self, prompt, **options):
        return "mock"

    async def health_check(self):
        if self.is_well is None:
            raise RuntimeError("no idea")
        return ProviderHealth(
            name="mock", healthy=self.is_well, error=None if self.is_well else "ill"
        )

    async def aclose(self):
        self.closed += 1


async def test_what_is_registered_is_found_by_its_name():
    async with ProviderRegistry() as registry:
        registry.register("first", Mock())
        registry.register("second", OfflineProvider())

        assert await registry.get("first").generate("hi") == "mock"
        assert registry.list_providers() == ["first", "second"]
        assert list(registry) == ["first", "second"]
        assert isinstance(registry["second"], Provider)
        assert "third" not in registry
        assert len(registry) == 2


async def test_what_is_known_is_built_when_it_is_asked_for():
    async with ProviderRegistry() as registry:
        assert registry.list_providers() == []
        assert registry.get("offline") is registry.get("offline")
        assert registry.list_providers() == ["offline"]
        assert registry.default_model("offline") == "offline"


def test_what_is_unknown_is_told_the_nearest():
    registry = ProviderRegistry()

    with pytest.raises(ConfigurationError, match="did you mean 'offline'"):
        registry.get("ofline")
    assert registry.get("ofline", None) is None
    with pytest.raises(KeyError):
        registry["offline"]


def test_a_name_is_given_once():
    registry = ProviderRegistry()
    registry.register("mock", Mock())

    with pytest.raises(ConfigurationError, match="is taken"):
        registry.register("mock", Mock())
    registry.register("mock", Mock(), replace=True)


@pytest.mark.parametrize("name", ["", 5])
def test_a_name_is_a_string(name):
    with pytest.raises(ConfigurationError, match="a string and not empty"):
        ProviderRegistry().register(name, Mock())


def test_a_class_is_built_and_a_misfit_refused():
    class Bad:
        async def generate(self): ...

    registry = ProviderRegistry()

    assert registry.register("mock", Mock).name == "Mock"
    with pytest.raises(ConfigurationError, match=r"'bad' is no provider.*takes no prompt"):
        registry.register("bad", Bad)


def test_what_is_disabled_is_not_found_until_it_is_enabled():
    registry = ProviderRegistry()
    registry.register("mock", Mock())
    registry.disable("mock")

    with pytest.raises(ConfigurationError, match=r"disabled; call enable\('mock'\)"):
        registry.get("mock")
    assert registry.list_providers() == []
    registry.enable("mock")
    assert registry.list_providers() == ["mock"]
    with pytest.raises(ConfigurationError, match="did you mean 'mock'"):
        registry.disable("mok")


async def test_health_of_all_side_by_side():
    async with ProviderRegistry() as registry:
        registry.register("well", Mock())
        registry.register("ill", Mock(is_well=False))
        registry.register("broken", Mock(is_well=None))
        registry.register("off", Mock())
        registry.disable("off")

        health = await registry.health_check_all()

    assert {name: one.healthy for name, one in health.items()} == {
        "well": True,
        "ill": False,
        "broken": False,
    }
    assert health["broken"].error == "RuntimeError: no idea"


async def test_health_of_several_targets_is_that_of_the_best():
    async with open_provider(Mock(is_well=False), fallback=[Mock()]) as provider:
        health = await provider.health_check()

    assert health.healthy
    assert [one.healthy for one in health.targets] == [False, True]


async def test_a_reset_closes_each_once():
    mock = Mock()
    registry = ProviderRegistry()
    registry.register("mock", mock)

    await registry.reset()
    await registry.aclose()

    assert mock.closed == 1
    assert registry.list_providers() == []


async def test_what_is_known_of_the_models():
    async with ProviderRegistry() as registry:
        registry.register("null", NullProvider())

        assert registry.capabilities()["null"]["tools"] is False
        assert registry.capabilities()["null"]["context_window"] is None


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "fairlead.yaml"
    file.write_text("providers:\n  openai: {api_key: k}\n  My_Desk: {vendor: offline}\n")
    return str(file)


@pytest.mark.parametrize("name", ["OpenAI", " openai", "openai:gpt-5.6-luna", "OPENAI/o3"])
def test_what_is_disabled_is_so_however_it_is_written(name, config):
    registry = ProviderRegistry(config=config)
    registry.disable("openai")

    with pytest.raises(ConfigurationError, match=r"call enable\('openai'\)"):
        registry.get(name)
    with pytest.raises(ConfigurationError, match="is disabled"):
        registry.get(name, None)
    registry.enable(name.split("/")[0].split(":")[0])
    assert registry.get(name).model.name


def test_one_model_is_disabled_alone(config):
    registry = ProviderRegistry(config=config)
    registry.disable("OpenAI:o3")

    with pytest.raises(ConfigurationError, match=r"call enable\('openai:o3'\)"):
        registry.get("openai/o3")
    assert registry.get("openai").model.name != "o3"


def test_what_is_disabled_is_not_seen():
    registry = ProviderRegistry()
    registry.register("seen", Mock())
    registry.register("hidden", Mock())
    registry.disable("hidden")

    assert [*registry] == [*registry.keys()] == ["seen"]
    assert len(registry) == len(registry.values()) == 1
    assert [name for name, _ in registry.items()] == ["seen"]
    assert "hidden" not in registry
    with pytest.raises(KeyError):
        registry["hidden"]


def test_one_name_is_one_provider_however_it_is_written(config):
    registry = ProviderRegistry(config=config)

    assert registry.get("stub") is registry.get("offline") is registry[" Offline "]
    assert registry.get("OpenAI") is registry.get("openai")
    assert registry.get("openai:o3") is registry.get(" OPENAI/o3") is not registry.get("openai")
    assert registry.list_providers() == ["openai", "My_Desk", "offline", "openai:o3"]


def test_a_section_of_the_settings_is_known(config):
    registry = ProviderRegistry(config=config)

    desk = registry.get("my-desk", None)

    assert desk is not registry.get("offline")
    assert registry.get("My_Desk") is desk
    registry.disable("MY-DESK")
    assert registry.list_providers() == ["openai", "offline"]


def test_a_mistake_in_the_settings_is_told_as_such(tmp_path):
    file = tmp_path / "fairlead.yaml"
    file.write_text("providers:\n  a_b: {vendor: offline}\n  a-b: {vendor: offline}\n")

    with pytest.raises(ConfigurationError, match="are one name"):
        ProviderRegistry(config=str(file)).get("offline", None)


def test_what_is_registered_goes_before_a_vendor(config):
    registry = ProviderRegistry(config=config)
    mine = registry.register("OpenAI", Mock())

    assert registry.get("openai") is mine
    assert registry.list_providers() == ["OpenAI", "My_Desk"]
    with pytest.raises(ConfigurationError, match="is taken"):
        registry.register("openai", Mock())


@pytest.mark.parametrize("method", ["get", "disable", "enable", "default_model"])
def test_the_nearest_may_be_registered(method):
    registry = ProviderRegistry()
    registry.register("primary-eu", Mock())

    with pytest.raises(ConfigurationError, match="did you mean 'primary-eu'"):
        getattr(registry, method)("primary-ue")


def test_what_is_no_name_is_not_there():
    registry = ProviderRegistry()

    assert 5 not in registry
    with pytest.raises(ConfigurationError, match="unknown provider '5'"):
        registry.get(5)


@pytest.fixture
def restless():
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("restless")
def test_threads_get_the_same():
    registry = ProviderRegistry()
    gate = threading.Barrier(8)
    found = []

    def ask():
        gate.wait()
        found.append(registry.get("offline"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(provider) for provider in found}) == 1
    assert len(found) == 8


def test_a_class_that_cannot_be_built_is_refused():
    class Picky(Mock):
        def __init__(self, key):
            raise AssertionError

    class Broken(Mock):
        def __init__(self):
            raise RuntimeError("Bearer sk-CANARY-12345678")

    registry = ProviderRegistry()

    with pytest.raises(ConfigurationError, match=r"'n' cannot be built: Picky\(\).*TypeError"):
        registry.register("n", Picky)
    with pytest.raises(ConfigurationError, match=r"RuntimeError: Bearer \*\*\*"):
        registry.register("n", Broken)
    assert "n" not in registry


def test_a_registry_is_itself_alone():
    registry = ProviderRegistry()

    assert registry
    assert registry != ProviderRegistry()
    assert {registry: 1}[registry] == 1
    assert len(registry) == 0


async def test_under_two_names_it_is_closed_once():
    mock = Mock()
    registry = ProviderRegistry()

    assert registry.register("one", mock) is registry.register("other", mock)
    assert len(registry) == 2
    await registry.reset()

    assert mock.closed == 1


async def test_one_that_cannot_be_closed_does_not_keep_the_others_open():
    class Stuck(Mock):
        async def aclose(self):
            raise OSError("stuck")

    first, last = Mock(), Mock()
    registry = ProviderRegistry()
    for name, provider in {"first": first, "stuck": Stuck(), "last": last}.items():
        registry.register(name, provider)

    with pytest.raises(OSError, match="stuck"):
        await registry.aclose()

    assert (first.closed, last.closed) == (1, 1)
    assert len(registry) == 0


async def test_after_a_reset_settings_are_read_anew(tmp_path):
    file = tmp_path / "fairlead.yaml"
    file.write_text("providers: {}\n")
    registry = ProviderRegistry(config=str(file))
    assert registry.get("mine", None) is None

    file.write_text("providers:\n  mine: {vendor: offline}\n")
    await registry.reset()

    assert "offline" in await registry.get("mine").generate("hi")


@pytest.mark.parametrize("kind", [str, Path])
async def test_what_is_configured_is_there_from_the_beginning(config, kind):
    async with ProviderRegistry(config=kind(config)) as registry:
        assert registry.list_providers() == ["openai", "My_Desk"]
        assert "my-desk" in registry
        assert "offline" not in registry
        assert [provider.name for provider in registry.values()] == ["openai", "offline"]
        assert registry["my_desk"] is dict(registry.items())["My_Desk"]
        assert registry.list_providers() == ["openai", "My_Desk"]


@pytest.mark.parametrize("text", [None, "providers: {openai: {temperature: hot}}", "providers: ["])
def test_its_mistakes_are_told_when_it_is_built(tmp_path, text):
    file = tmp_path / "fairlead.yaml"
    if text is not None:
        file.write_text(text)

    with pytest.raises(ConfigurationError, match=r"fairlead\.yaml"):
        ProviderRegistry(config=file)


async def test_what_was_read_is_what_counts(tmp_path):
    file = tmp_path / "fairlead.yaml"
    file.write_text("providers: {mine: {vendor: offline, model: first}}\n")
    registry = ProviderRegistry(config=file)
    file.unlink()

    assert registry.get("mine").model.name == "first"


async def test_health_of_what_is_configured(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    file = tmp_path / "fairlead.yaml"
    file.write_text(
        "providers:\n  openai: {model: m}\n  desk: {vendor: offline}\n"
        "  off: {vendor: offline, enabled: false}\n"
    )
    async with ProviderRegistry(config=file) as registry:
        registry.register("own", Mock())
        health = await registry.health_check_all()

    assert list(health) == ["openai", "desk", "own"]
    assert [one.name for one in health.values()] == ["openai", "desk", "own"]
    assert health["own"].healthy
    assert (health["openai"].healthy, health["openai"].misconfigured) == (False, True)
    assert "OPENAI_API_KEY" in health["openai"].error


async def test_what_is_no_longer_held_is_its_callers_to_close(config):
    mock = Mock()
    async with ProviderRegistry(config=config) as registry:
        held = registry.register("mock", mock)
        desk = registry.get("my-desk")

        assert registry.unregister(" MOCK") is held
        assert registry.unregister("my_desk") is desk
        assert "mock" not in registry
        assert registry.get("my-desk") is not desk
        for name in ("mock", "openai", "nobody", 5):
            with pytest.raises(ConfigurationError, match="nothing is held under the name"):
                registry.unregister(name)

    assert mock.closed == 0
    await held.aclose()
    await desk.aclose()


def test_those_that_there_are_stand_in_order(config):
    registry = ProviderRegistry(config=config)
    registry.register("zebra", Mock())
    registry.register("aardvark", Mock())

    with pytest.raises(ConfigurationError) as caught:
        registry.get("xyz")

    names = str(caught.value).partition("there are ")[2].split(", ")
    assert names == sorted(names)
    assert {"aardvark", "zebra", "My_Desk"} <= {*names}
