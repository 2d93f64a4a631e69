from pathlib import Path

import pytest

from fairlead.adapters.stores.places import state_folder


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
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ann"))

    assert state_folder(environ) == Path(folder)
