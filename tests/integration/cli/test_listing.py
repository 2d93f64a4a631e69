"""`fairlead providers`, `models` and `health`."""

import json
import subprocess
import sys

import pytest

from tests.integration.cli.process import environment, fairlead
from tests.support.answers import JSON, Answer, failure, script

MODELS = Answer([b'{"data": [{"id": "small"}, {"id": "large"}]}'], content_type=JSON)


def of_another_package(folder, command):
    """What *command* says of a provider that can do nothing but answer."""
    (folder / "silent.py").write_text(
        "import sys\n"
        "from importlib.metadata import EntryPoint\n"
        "from fairlead.assembly import vendors\n"
        "from fairlead.cli.app import app\n"
        "class Silent:\n"
        "    async def generate(self, prompt): return 'whole'\n"
        "vendors.brought = lambda: {'silent': EntryPoint('silent', 'silent:Silent', '')}\n"
        "if __name__ == '__main__': app(sys.argv[1:])\n"
    )
    return subprocess.run(
        [sys.executable, "silent.py", command, "-p", "silent", *(["hi"] * (command == "generate"))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env=environment(),
    )


def test_one_that_cannot_stream_answers_all_the_same(tmp_path):
    done = of_another_package(tmp_path, "generate")

    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr


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
            "answers": None,
        }
        assert "sk-test" not in done.stdout

    def test_it_tells_who_answers_and_with_which_model(self):
        done = fairlead("providers", OPENAI_API_KEY="sk-test", FAIRLEAD_FALLBACK_PROVIDER="offline")
        told = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}

        assert told["openai"] == ["gpt-5.6-luna", "yes,", "and", "answers"]
        assert told["offline"][:2] == ["offline", "yes,"]
        assert "number 2" in " ".join(told["offline"])
        assert told["null"] == ["null", "yes"]

    def test_what_is_to_be_done_is_said_in_options_and_variables(self):
        told = fairlead("providers").stdout

        assert "set LM_STUDIO_ENDPOINT" in told
        assert "--api-key-env" in told
        assert "--base-url" in told
        assert "=," not in told

    def test_where_nobody_can_be_asked_it_says_so(self):
        done = fairlead("providers", FAIRLEAD_PROVIDER="openai")

        assert done.returncode == 0
        assert "nobody answers: 'openai' cannot be asked" in done.stderr

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

        unknown = {
            "context_window": None,
            "max_output_tokens": None,
            "input_usd_per_million": None,
            "output_usd_per_million": None,
        }
        assert json.loads(done.stdout) == [
            {"provider": "openai-compatible", "model": "small", **unknown},
            {"provider": "openai-compatible", "model": "large", **unknown},
        ]

    def test_what_is_known_of_them_stands_beside_them(self, server, tmp_path):
        config = tmp_path / "fairlead.yaml"
        config.write_text("models: {known: {mine: {context_window: 512}}}\n")
        listed = b'{"data": [{"id": "gpt-4o"}, {"id": "text-embedding-3-small"}, {"id": "mine"}]}'
        command = ("models", "-p", "openai", "--config", str(config))
        openai = {
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": server.url("/v1"),
            "OPENAI_BILLED_BY": "openai",
        }
        script(Answer([listed], content_type=JSON))
        done = fairlead(*command, **openai)

        assert done.stdout.splitlines() == [
            "model                   window   answer  input  output",
            "gpt-4o                  128,000  16,384  2.5    10",
            "text-embedding-3-small  8,192            0.02",
            "mine                    512",
        ]

        script(Answer([listed], content_type=JSON))
        first, *_ = json.loads(fairlead(*command, "--json", **openai).stdout)
        assert first == {
            "provider": "openai",
            "model": "gpt-4o",
            "context_window": 128000,
            "max_output_tokens": 16384,
            "input_usd_per_million": "2.5",
            "output_usd_per_million": "10",
        }

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

    def test_where_one_cannot_be_asked_the_next_is(self):
        done = fairlead("models", "-b", "http://127.0.0.1:9", "--fallback", "offline")

        assert (done.returncode, done.stdout) == (0, "offline\n")
        cannot, no_list = done.stderr.splitlines()
        assert "openai-compatible does not list its models: cannot connect" in cannot
        assert "offline has no list" in no_list

    def test_what_has_neither_a_list_nor_a_model(self, tmp_path):
        done = of_another_package(tmp_path, "models")

        assert (done.returncode, done.stdout) == (0, "")
        assert "no list of models, and none of its own" in done.stderr

    def test_a_failure_as_json(self):
        done = fairlead("models", "-b", "http://127.0.0.1:9", "--json")

        assert done.returncode == 1
        assert json.loads(done.stdout)["error"]["type"] == "ProviderConnectionError"

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

    def test_one_that_nobody_can_tell_of(self, tmp_path):
        done = of_another_package(tmp_path, "health")

        assert done.returncode == 1, done.stderr
        assert done.stdout.splitlines()[1].split()[1] == "unknown"

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
