"""The cache, from settings to a pipeline."""

import pytest

from fairlead import MemoryCache, SqliteCache, find, open_provider
from fairlead.assembly.build import PipelineSettings
from fairlead.assembly.leaves import cache_store
from fairlead.assembly.pipeline import chain
from fairlead.container import Container
from fairlead.core.errors import ConfigurationError
from fairlead.decorators import shelf
from fairlead.decorators.cache import CacheProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.settings import load
from fairlead.testing import ScriptedProvider

pytestmark = pytest.mark.anyio


def cache_in(provider):
    return find(provider, CacheProvider)


async def test_it_is_off_unless_the_settings_turn_it_on():
    async with open_provider("offline") as provider:
        assert cache_in(provider) is None


async def test_it_stands_round_all_targets():
    answers = ScriptedProvider(iter(["one", "two"]))
    cache = {"mode": "on", "ttl": 60, "namespace": "n", "max_bytes": 10**6}
    async with open_provider(answers, fallback=["offline"], cache=cache) as provider:
        assert isinstance(cache_in(provider).inner, FallbackProvider)
        told = [await provider.generate("hi", temperature=0) for _ in range(2)]
        assert [answer.cached for answer in told] == [False, True]
        assert "CacheProvider" in str(provider.explain())


async def test_it_may_share_without_keeping():
    async with open_provider("offline", cache={"single_flight": True}) as provider:
        policy = cache_in(provider)
        assert policy._single_flight
        assert policy._shelf is None
        told = [await provider.generate("hi", temperature=0) for _ in range(2)]
        assert not any(answer.cached for answer in told)


async def test_it_may_keep_without_sharing():
    cache = {"mode": "on", "single_flight": False}
    async with open_provider("offline", cache=cache) as provider:
        assert not cache_in(provider)._single_flight


async def test_a_file_outlives_the_provider(tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "PATIENCE", 60.0)  # a busy machine is no reason to fail
    cache = {"mode": "on", "store": "sqlite", "path": str(tmp_path / "answers.db")}
    for expected in (False, True):
        async with open_provider("offline", cache=cache) as provider:
            assert (await provider.generate("hi", temperature=0)).cached is expected


async def test_the_store_is_a_leaf():
    mine = MemoryCache()
    with Container.cache.override(mine):
        async with open_provider("offline", cache={"mode": "on"}) as provider:
            await provider.generate("hi", temperature=0)
    assert (await mine.stats()).entries == 1


def settings(**cache):
    return PipelineSettings.of(load(environ={}, arguments={"cache": cache}))


def test_settings_say_where_answers_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_store(settings()) is None
    assert isinstance(cache_store(settings(mode="on")), MemoryCache)
    store = cache_store(settings(mode="on", store="sqlite", max_bytes=5))
    assert isinstance(store, SqliteCache)
    assert store.path.name == "answers.db"
    assert store.path.parent.name == "fairlead"
    path = tmp_path / "mine.db"
    assert cache_store(settings(mode="on", store="sqlite", path=str(path))).path == path


@pytest.mark.parametrize(("written", "mode"), [("on", "on"), ("off", "off"), ("read_only",) * 2])
def test_a_mode_needs_no_quotes_in_yaml(tmp_path, written, mode):
    file = tmp_path / "a.yaml"
    file.write_text(f"cache: {{mode: {written}}}\n")

    assert PipelineSettings.of(load(environ={}, file=file)).cache.mode == mode


def test_a_path_in_memory_makes_no_sense():
    with pytest.raises(ConfigurationError, match=r"cache\.path"):
        cache_store(settings(mode="on", path="x"))


def test_a_cache_inside_of_a_fallback_is_refused():
    inside = CacheProvider(ScriptedProvider("a"))
    with pytest.raises(ConfigurationError, match="kept under another's name"):
        chain([inside, ScriptedProvider("b")])
    with pytest.raises(ConfigurationError, match="second time"):
        chain([CacheProvider(CacheProvider(ScriptedProvider("a")))])
