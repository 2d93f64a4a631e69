"""`fairlead providers`, `models` and `health`."""

import json

import pytest

from tests.integration.cli.process import fairlead
from tests.support.answers import JSON, Answer, failure, script

MODELS = Answer([b'{"data": [{"id": "small"}, {"id": "large"}]}'], content_type=JSON)


class TestProviders:
    def test_it_says_what_each_lacks(self):
        listed = {each["name"]: each for each in json.loads(fairlead("providers", "--json").stdout)}

        assert listed["offline"]["configured"] is True
        assert listed["openai"]["configured"] is False
        assert "OPENAI_API_KEY" in listed["openai"]["why_not"]
        assert listed["lmstudio"]["configured"] is False

    def test_variables_and_sections_are_heeded(self, tmp_path):
        (tmp_path / "f.yaml").write_text(
            "providers:\n  my-box: {vendor: openai-compatible, base_url: 'http://box', model: m}\n"
        )
        done = fairlead(
            *("providers", "--json", "--config", "f.yaml"), cwd=tmp_path, OPENAI_API_KEY="sk-test"
        )
        listed = {each["name"]: each for each in json.loads(done.stdout)}

        assert listed["openai"]["configured"] is True
        assert listed["my-box"] == {
            "name": "my-box",
            "vendor": "openai-compatible",
            "configured": True,
            "model": "m",
            "why_not": None,
        }
        assert "sk-test" not in done.stdout

    def test_a_section_with_a_mistake_does_not_hide_the_others(self, tmp_path):
        (tmp_path / "f.yaml").write_text("providers:\n  openai: {modle: m}\n")
        done = fairlead("providers", "--config", "f.yaml", cwd=tmp_path)

        assert done.returncode == 0
        assert "did you mean model" in done.stdout
        assert "offline" in done.stdout

    @pytest.mark.parametrize("columns", ["40", "80", "160"])
    def test_it_fits_the_terminal(self, columns):
        done = fairlead("providers", COLUMNS=columns)

        assert max(map(len, done.stdout.splitlines())) <= int(columns)

    def test_without_a_terminal_lines_stay_whole(self):
        lines = fairlead("providers").stdout.splitlines()

        assert len(lines) == 1 + len(json.loads(fairlead("providers", "--json").stdout))


class TestModels:
    def test_the_server_is_asked(self, server):
        script(MODELS)
        done = fairlead("models", "-b", server.url("/v1"))

        assert (done.stdout, done.stderr) == ("small\nlarge\n", "")
        assert [request.path for request in server.requests] == ["/v1/models"]

    def test_json(self, server):
        script(MODELS)
        done = fairlead("models", "-b", server.url("/v1"), "--json")

        assert json.loads(done.stdout) == [
            {"provider": "openai-compatible", "model": "small"},
            {"provider": "openai-compatible", "model": "large"},
        ]

    def test_several_providers(self, server):
        script(MODELS)
        done = fairlead(
            *("models", "-b", server.url("/v1"), "--fallback", "openai"),
            OPENAI_API_KEY="sk-test",
            OPENAI_BASE_URL=server.url("/v1"),
        )

        assert done.stdout.splitlines() == [
            "openai-compatible:small",
            "openai-compatible:large",
            "openai:small",
            "openai:large",
        ]

    def test_what_has_no_list_tells_its_own(self):
        done = fairlead("models", "--offline")

        assert done.stdout == "offline\n"
        assert "no list" in done.stderr

    def test_a_server_cannot_write_to_the_terminal(self, server):
        script(Answer([b'{"data": [{"id": "a\\u001b[31m\\nb"}]}'], content_type=JSON))

        assert fairlead("models", "-b", server.url("/v1")).stdout == "a [31m b\n"

    def test_a_server_that_does_not_tell(self, server):
        script(failure(404, "no"))
        done = fairlead("models", "-b", server.url("/v1"))

        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("fairlead: error: ")


class TestHealth:
    def test_a_server_that_is_well(self, server):
        script(MODELS)
        done = fairlead("health", "-b", server.url("/v1"), "--json")

        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["healthy"] is True
        assert told["latency_ms"] > 0

    def test_a_server_that_is_not_there(self):
        done = fairlead("health", "-b", "http://127.0.0.1:9")

        assert done.returncode == 1
        assert "no" in done.stdout

    def test_a_wrong_key_is_no_passing_trouble(self, server):
        script(failure(401, "bad key"))
        done = fairlead("health", "-b", server.url("/v1"))

        assert done.returncode == 1
        assert "misconfigured" in done.stdout

    def test_one_that_is_well_is_enough(self, server):
        script(MODELS)
        done = fairlead(
            *("health", "-b", "http://127.0.0.1:9", "--fallback", "openai"),
            OPENAI_API_KEY="sk-test",
            OPENAI_BASE_URL=server.url("/v1"),
        )

        assert done.returncode == 0
        assert len(done.stdout.splitlines()) == 3
