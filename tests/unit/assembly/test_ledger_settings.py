import anyio
import pytest
from dependency_injector import providers

from fairlead import (
    CostTrackingProvider,
    MemoryLedger,
    OfflineProvider,
    default_pipeline,
    find,
    open_provider,
    tags,
)
from fairlead.adapters.stores.places import state_folder
from fairlead.assembly.build import PipelineSettings
from fairlead.assembly.leaves import open_ledger
from fairlead.container import Container
from fairlead.core.errors import ConfigurationError
from fairlead.settings import load
from tests.support.ledgers import all_of


def settings(**ledger):
    return PipelineSettings.of(load(environ={}, arguments={"ledger": ledger}))


def test_there_is_none_unless_it_is_wanted():
    assert open_ledger(settings()) is None
    assert find(open_provider("offline"), CostTrackingProvider) is None


def test_it_is_as_the_settings_say(tmp_path):
    path = tmp_path / "deep" / "mine.db"
    ledger = open_ledger(settings(enabled=True, path=str(path), days=7, rows=None, tags=["a", "b"]))

    assert ledger.path == path
    retention = ledger._retention
    assert (retention.days, retention.rows, retention.tags) == (7, None, ("a", "b"))
    assert not path.parent.exists()


def test_its_place_is_the_users_folder_of_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert open_ledger(settings(enabled=True)).path == tmp_path / "fairlead" / "ledger.db"


@pytest.mark.parametrize(
    "platform, environ, folder",
    [
        ("linux", {"XDG_STATE_HOME": "/s"}, "/s/fairlead"),
        ("linux", {}, "/home/ann/.local/state/fairlead"),
        ("darwin", {}, "/home/ann/Library/Application Support/fairlead"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/fairlead"),
        ("win32", {}, "/home/ann/AppData/Local/fairlead"),
    ],
)
def test_where_state_is_kept(monkeypatch, platform, environ, folder):
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setenv("HOME", "/home/ann")

    assert str(state_folder(environ)) == folder


@pytest.mark.parametrize("wrong", [{"days": 0}, {"rows": 0}, {"colour": 1}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ConfigurationError, match="ledger"):
        settings(**wrong)


@pytest.mark.anyio
async def test_calls_are_booked_and_the_file_is_closed_with_the_provider(tmp_path):
    path = tmp_path / "ledger.db"
    wanted = {"enabled": True, "path": str(path)}
    async with open_provider("offline", ledger=wanted) as provider:
        with tags(project="atlas"):
            await provider.generate("hi")

    assert [file.name for file in tmp_path.iterdir()] == ["ledger.db"]
    ledger = open_ledger(settings(**wanted))
    [entry] = await all_of(ledger)
    assert (entry.provider, entry.tags) == ("offline", {"project": "atlas"})
    await ledger.aclose()


@pytest.mark.anyio
async def test_a_ledger_of_the_applications_own_is_used_and_stays_open():
    class Own(MemoryLedger):
        closed = 0

        async def aclose(self):
            self.closed += 1

    ledger = Own()
    with Container.ledger.override(providers.Object(ledger)):
        async with open_provider("offline") as provider:
            await provider.generate("hi")

    assert (len(ledger), ledger.closed) == (1, 0)


def test_a_pipeline_built_by_hand_takes_one():
    ledger = MemoryLedger()
    provider = default_pipeline(OfflineProvider(), ledger=ledger)

    async def run():
        await provider.generate("hi")
        await provider.aclose()

    anyio.run(run)
    assert len(ledger) == 1
