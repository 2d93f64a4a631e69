"""What all commands that ask a provider have in common, asked through `generate`."""

import json
import re

import pytest

from tests.integration.cli.process import Terminal, environment, fairlead
from tests.support.answers import JSON, Answer, failure, script, streamed

KEY = "sk-canary-4711-abcdefghijklmnop"


def settings(server, tmp_path):
    file = tmp_path / "fairlead.yaml"
    file.write_text(
        "providers:\n"
        f"  box: {{vendor: openai-compatible, base_url: '{server.url('/v1')}', model: boxed}}\n"
        "  gone: {vendor: openai-compatible, base_url: 'http://127.0.0.1:9', model: m}\n"
        "retry: {enabled: false}\n"
    )
    return file


def test_a_section_of_a_file_is_asked(server, tmp_path):
    script(streamed("ok"))
    done = fairlead("generate", "--config", settings(server, tmp_path), "-p", "box", "hi")

    assert (done.stdout, done.stderr) == ("ok\n", "")
    assert json.loads(server.requests[-1].body)["model"] == "boxed"


def test_the_model_stands_behind_the_provider_or_alone(server, tmp_path):
    script(streamed("ok"))
    file = settings(server, tmp_path)
    fairlead("generate", "--config", file, "-p", "box:one", "hi")
    fairlead("generate", "--config", file, "-p", "box", "-m", "two", "hi")

    assert [json.loads(request.body)["model"] for request in server.requests] == ["one", "two"]


def test_the_environment_and_a_file_of_variables_name_one(server, tmp_path):
    script(streamed("ok"))
    file = settings(server, tmp_path)
    (tmp_path / ".env").write_text("FAIRLEAD_PROVIDER=box\n")
    by_environment = fairlead("generate", "--config", file, "hi", FAIRLEAD_PROVIDER="box")
    by_file = fairlead("generate", "--config", file, "--env-file", tmp_path / ".env", "hi")

    assert by_environment.stdout == by_file.stdout == "ok\n"


def test_a_file_of_variables_is_not_read_unless_it_is_named(tmp_path):
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={KEY}\n")
    done = fairlead("generate", "hi", cwd=tmp_path)

    assert "offline" in done.stdout


def test_fallbacks_are_asked_in_their_order(server, tmp_path):
    script(streamed("ok"))
    file = settings(server, tmp_path)
    done = fairlead(
        *("generate", "--config", file, "-p", "gone", "--fallback", "box", "--fallback", "offline"),
        "hi",
    )

    assert done.stdout == "ok\n"
    assert done.stderr.startswith("fairlead: warning: ")
    assert "gone" in done.stderr


def test_the_key_of_a_variable_goes_to_the_provider_that_is_named(server, tmp_path):
    script(streamed("ok"))
    file = settings(server, tmp_path)
    fairlead("generate", "--config", file, "-p", "box", "--api-key-env", "MINE", "hi", MINE=KEY)

    assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "name", ["OPENAI_COMPATIBLE_API_KEY", "FAIRLEAD_OPENAI_COMPATIBLE_API_KEY"]
)
def test_no_configured_key_goes_to_an_address_that_it_was_not_meant_for(server, name):
    script(streamed("ok"))
    fairlead("generate", "-b", server.url("/v1"), "-m", "m", "hi", **{name: KEY})

    assert "authorization" not in server.requests[-1].headers


def test_nor_do_configured_headers(server, tmp_path):
    script(streamed("ok"))
    file = tmp_path / "f.yaml"
    file.write_text(f"providers: {{openai-compatible: {{headers: {{x-key: {KEY}}}}}}}")
    fairlead("generate", "--config", file, "-b", server.url("/v1"), "-m", "m", "hi")

    assert "x-key" not in server.requests[-1].headers


def test_the_timeout_holds(server):
    script(Answer([], ending="stall"))
    done = fairlead("generate", "-b", server.url("/v1"), "-m", "m", "--timeout", "0.5", "hi")

    assert done.returncode == 1
    assert "no first content came" in done.stderr


def test_a_named_provider_without_a_key_is_an_error():
    done = fairlead("generate", "-p", "openai", "hi")

    assert (done.returncode, done.stdout) == (1, "")
    assert "OPENAI_API_KEY" in done.stderr


def test_unless_a_safe_default_is_set_and_then_it_says_so():
    done = fairlead("generate", "-p", "openai", "hi", FAIRLEAD_SAFE_DEFAULT_PROVIDER="stub")

    assert "offline" in done.stdout
    assert done.stderr.startswith("fairlead: warning: ")
    assert done.stderr.count("\n") == 1


def test_certificates_that_are_not_verified_are_told():
    done = fairlead("generate", "--offline", "hi", TLS_VERIFY="false")

    assert done.returncode == 0
    assert "TLS certificates are not verified" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-p", "opnai"], "did you mean 'openai'"),
        (["--fallback", "offlin"], "did you mean 'offline'"),
        (["-p", "openai", "-b", "http://box"], "both say who is asked"),
        (["--offline", "-p", "openai", "-b", "http://box"], "all say who is asked"),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
        (["--env-file", "nowhere.env"], "nowhere.env"),
        (["--offline", "--timeout", "-1"], "timeout"),
    ],
)
def test_an_error_is_one_clear_line(tmp_path, arguments, said):
    done = fairlead("generate", "hi", *arguments, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("fairlead: error: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


def test_debug_shows_what_happens_and_no_secret(server):
    script(failure(503, "busy", retry_after="0"), streamed("ok"))
    done = fairlead(
        *("generate", "--debug", "--api-key-env", "MINE", "-b", server.url("/v1"), "-m", "m", "hi"),
        MINE=KEY,
    )

    assert done.stdout == "ok\n"
    assert re.search(r"^\d\d:\d\d:\d\d \[warning", done.stderr, re.MULTILINE)
    assert "openai-compatible" in done.stderr
    assert "\x1b" not in done.stderr
    assert KEY not in done.stderr


def test_without_debug_nothing_of_it_is_seen(server):
    script(failure(503, "busy", retry_after="0"), streamed("ok"))
    done = fairlead("generate", "-b", server.url("/v1"), "-m", "m", "hi")

    assert (done.stdout, done.stderr) == ("ok\n", "")


@pytest.mark.parametrize("no_color", [True, False])
def test_colours_are_for_terminals_that_want_them(no_color):
    more = {"NO_COLOR": "1"} if no_color else {}
    with Terminal("providers", columns=160, **more) as terminal:
        terminal.wait_for("openai-compatible")
        assert terminal.status() == 0
        assert ("\x1b[1m" in terminal.screen) is not no_color


def completed(line, **more):
    """What the shell is offered for the last word of *line*."""
    import subprocess

    from tests.integration.cli.process import COMMAND

    words = line.split(" ")
    done = subprocess.run(
        COMMAND,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(
            _FAIRLEAD_COMPLETE="complete_bash",
            COMP_WORDS=line,
            COMP_CWORD=str(len(words) - 1),
            **more,
        ),
    )
    return done.stdout.split()


def test_the_shell_completes_commands_and_providers(server, tmp_path):
    file = settings(server, tmp_path)

    assert completed("fairlead ch") == ["chat"]
    opened = ["openai", "openai-compatible", "openrouter"]
    assert completed("fairlead generate --provider open") == opened
    assert completed(f"fairlead generate --config {file} --provider bo") == ["box"]
    assert completed("fairlead generate --fallback off") == ["offline"]


def test_json_models_of_a_server_with_several(server):
    script(Answer([b'{"data": [{"id": "small"}, {"id": "large"}]}'], content_type=JSON))
    done = fairlead("generate", "-b", server.url("/v1"), "hi")

    assert done.returncode == 1
    assert "small, large" in done.stderr
    assert "--model" in done.stderr
