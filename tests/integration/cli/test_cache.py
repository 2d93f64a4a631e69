"""`fairlead cache`."""

import json

from tests.integration.cli.process import fairlead

SETTINGS = """\
provider: offline
cache: {mode: "on", store: sqlite, path: answers.db}
providers:
  offline: {seed: 1}
"""


STATS = ("cache", "stats", "--config", "f.yaml")


def test_what_is_kept_is_counted_and_forgotten(tmp_path):
    (tmp_path / "f.yaml").write_text(SETTINGS)
    ask = ("generate", "--config", "f.yaml", "--temperature", "0", "Hello")
    first, again = (fairlead(*ask, cwd=tmp_path).stdout for _ in range(2))
    assert first == again

    told = json.loads(fairlead(*STATS, "--json", cwd=tmp_path).stdout)
    assert (told["path"], told["entries"]) == ("answers.db", 1)
    assert 0 < told["bytes"] < told["max_bytes"]
    stats = fairlead(*STATS, cwd=tmp_path).stdout
    assert stats.startswith("answers.db: 1 entries")
    cleared = fairlead("cache", "clear", "--config", "f.yaml", cwd=tmp_path).stdout
    assert cleared == "answers.db: 1 entries are forgotten\n"
    stats = fairlead(*STATS, cwd=tmp_path).stdout
    assert stats.startswith("answers.db: 0 entries")


def test_without_a_file_there_is_nothing_to_see_to(tmp_path):
    done = fairlead("cache", "stats", cwd=tmp_path)

    assert done.returncode == 1
    assert 'cache.store = "sqlite"' in done.stderr
