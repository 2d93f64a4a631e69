"""`fairlead generate --dry-run` and `--curl`."""

import json
import shutil
import subprocess

import pytest

from tests.integration.cli.process import environment, fairlead
from tests.support.answers import script, streamed

KEY = "sk-canary-4711-abcdefghijklmnop"
ASK = ("generate", "-s", 'Don\'t say "$HOME" or `id`.', "-t", "0", "It's $5; is that\nnews?")


def test_the_request_is_shown_and_not_sent(server):
    done = fairlead(*ASK, "--dry-run", OPENAI_API_KEY=KEY)

    head, _, body = done.stdout.partition("\n\n")
    assert head.splitlines()[0] == "POST https://api.openai.com/v1/responses"
    assert "authorization: Bearer ***" in head.splitlines()
    assert json.loads(body)["input"][-1]["content"] == "It's $5; is that\nnews?"
    assert KEY not in done.stdout + done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("form", ["--dry-run", "--curl"])
def test_what_the_request_leaves_out_is_told(form):
    ask = ("generate", "-p", "openai:gpt-5.6-luna", form, "hi")
    done = fairlead(*ask, "-t", "0", OPENAI_API_KEY=KEY)

    assert done.stderr.startswith("fairlead: warning: temperature was left out")
    assert done.stderr.count("\n") == 1
    assert '"temperature"' not in done.stdout
    assert fairlead(*ask, OPENAI_API_KEY=KEY).stderr == ""


def test_it_is_what_would_be_sent(server):
    asked = (*ASK, "-b", server.url("/v1"), "-m", "m")
    shown = json.loads(fairlead(*asked, "--dry-run", "--json").stdout)
    assert server.requests == []
    script(streamed("ok"))
    fairlead(*asked)

    sent = server.requests[-1]
    assert shown["body"] == json.loads(sent.body)
    assert (shown["method"], shown["url"]) == (sent.method, server.url(sent.target))
    assert shown["headers"].items() <= sent.headers.items()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("more", [(), ("--no-stream",), ("--file", "long.txt")])
def test_the_curl_command_sends_the_same(server, tmp_path, more):
    (tmp_path / "long.txt").write_text("It's long. " * 20_000)
    variables = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url("/v1"), "OPENAI_MODEL": "m"}
    done = fairlead(*ASK, *more, "--curl", cwd=tmp_path, **variables)
    assert KEY not in done.stdout
    assert server.requests == []

    script(streamed("ok"))
    subprocess.run(
        ["sh"],
        input=done.stdout,
        text=True,
        check=True,
        capture_output=True,
        env=environment(**variables, no_proxy="*"),
    )
    by_curl = server.requests[-1]
    fairlead(*ASK, *more, cwd=tmp_path, **variables)
    by_us = server.requests[-1]

    assert json.loads(by_curl.body) == json.loads(by_us.body)
    assert by_curl.headers["authorization"] == by_us.headers["authorization"] == f"Bearer {KEY}"
    assert (by_curl.method, by_curl.target) == (by_us.method, by_us.target)
    assert by_curl.headers["content-type"] == by_us.headers["content-type"]


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [
        (["-p", "openai"], "$OPENAI_API_KEY"),
        (["-b", "http://box:8000", "-m", "m", "--api-key-env", "MINE"], "$MINE"),
        (["-p", "mine", "--config", "f.yaml"], "$FAIRLEAD_MINE_API_KEY"),
        (["-p", "team", "--config", "f.yaml"], "$X_TEAM"),
        (["-p", "openai", "--env-file", ".env"], "$OPENAI_API_KEY"),
    ],
)
def test_a_variable_stands_for_the_key(tmp_path, arguments, variable):
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-other-0815-abcdefgh\n")
    (tmp_path / "f.yaml").write_text(
        "providers:\n"
        f"  mine: {{vendor: openai-compatible, base_url: 'http://box', model: m, api_key: {KEY}}}\n"
        "  team: {vendor: openai-compatible, base_url: 'http://box', model: m,"
        f" headers: {{x-team: {KEY}}}}}\n"
    )
    done = fairlead(
        "generate", *arguments, "--curl", "hi", cwd=tmp_path, OPENAI_API_KEY=KEY, MINE=KEY
    )

    assert done.returncode == 0, done.stderr
    assert variable in done.stdout
    assert KEY not in done.stdout


def test_a_provider_that_sends_nothing_says_so():
    done = fairlead("generate", "--offline", "--dry-run", "hi")

    assert (done.returncode, done.stdout) == (0, "")
    assert "no request" in done.stderr


def test_a_server_is_not_asked_for_its_model(server):
    done = fairlead("generate", "-b", server.url("/v1"), "--dry-run", "hi")

    assert done.returncode == 1
    assert "--model" in done.stderr
    assert server.requests == []


def test_attached_data_is_cut_short_for_people(tmp_path):
    (tmp_path / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(9000))
    ask = ("generate", "-b", "http://127.0.0.1:9", "-m", "m", "-i", "cat.png", "hi", "--dry-run")
    shown = fairlead(*ask, cwd=tmp_path).stdout
    whole = json.loads(fairlead(*ask, "--json", cwd=tmp_path).stdout)

    assert len(shown) < 1500
    assert "characters)" in shown
    assert len(json.dumps(whole)) > 12_000


@pytest.mark.parametrize("form", ["--dry-run", "--curl"])
def test_what_is_not_sent_is_neither_booked_nor_looked_for(tmp_path, form):
    (tmp_path / "f.yaml").write_text(
        "provider: openai:gpt-4o\n"
        "budgets: {file: books.db, limits: [{tokens: 100}]}\n"
        "ledger: {enabled: true, path: ledger.db}\n"
        "cache: {mode: 'on', store: sqlite, path: answers.db}\n"
    )

    done = fairlead(
        "generate", form, "-t", "0", "hi", "--config", "f.yaml", cwd=tmp_path, OPENAI_API_KEY=KEY
    )

    assert '"max_completion_tokens":' in done.stdout  # the budget's
    assert done.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["f.yaml"]
