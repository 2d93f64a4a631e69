"""`fairlead explain`."""

import json

from tests.integration.cli.process import fairlead

SETTINGS = """\
provider: box
fallback: [offline]
limits: {total: 180}
retry: {max_retries: 1}
providers:
  box: {vendor: openai-compatible, base_url: 'http://127.0.0.1:9', model: m, api_key: sk-0123456789}
"""


def test_it_shows_the_pipeline_that_a_file_describes(tmp_path):
    (tmp_path / "f.yaml").write_text(SETTINGS)

    by_place = fairlead("explain", "f.yaml", cwd=tmp_path)
    by_name = fairlead("explain", "--config", "f.yaml", cwd=tmp_path)

    assert by_place.stdout == by_name.stdout
    assert "OpenAICompatibleProvider box:m: endpoint=http://127.0.0.1:9" in by_place.stdout
    assert "OfflineProvider offline:offline" in by_place.stdout
    assert "generate, embed:" in by_place.stdout
    assert "= 4 attempts; at most 180 s;" in by_place.stdout
    assert "sk-0123456789" not in by_place.stdout


def test_it_can_be_told_in_json(tmp_path):
    told = json.loads(fairlead("explain", "--offline", "--json", cwd=tmp_path).stdout)

    assert told["pipeline"]["kind"] == "Provider"
    assert told["worst"]["generate"]["attempts"] == 3
    assert told["worst"]["generate"]["usd"] == "0"


def test_two_files_are_one_too_many(tmp_path):
    (tmp_path / "f.yaml").write_text(SETTINGS)

    done = fairlead("explain", "f.yaml", "--config", "f.yaml", cwd=tmp_path)

    assert done.returncode == 1
    assert "both name a file" in done.stderr
