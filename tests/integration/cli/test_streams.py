"""The command line where its standard streams are closed, full or read by nobody."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli.test_generate import environment, run
from tests.support.answers import failure, script

FAIRLEAD = shlex.join([sys.executable, "-W", "error", "-m", "fairlead"])


def shell(line):
    """What becomes of *line*, in which `fairlead` stands for the command."""
    return subprocess.run(
        ["bash", "-c", line.replace("fairlead", FAIRLEAD, 1)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(),
    )


@pytest.mark.parametrize("options", ["", "--json", "--no-stream"])
def test_a_reader_that_reads_nothing(options):
    done = shell(f"fairlead generate --offline {options} hi | head -c 0; exit ${{PIPESTATUS[0]}}")

    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("arguments", ["generate --offline hi", "generate --offline --json hi"])
def test_standard_output_that_is_closed(arguments):
    done = shell(f"fairlead {arguments} >&-")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "standard output is closed" in done.stderr


def test_standard_input_that_is_closed():
    done = shell("fairlead generate --offline <&-")

    assert done.returncode == 1
    assert "the prompt is empty" in done.stderr


def test_what_belongs_to_standard_error_is_not_printed_where_that_is_closed():
    answered, refused = shell("fairlead generate hi 2>&-"), shell("fairlead generate --bogus 2>&-")

    assert answered.returncode == 0
    assert answered.stdout.startswith("This is fairlead's offline provider")
    assert (refused.returncode, refused.stdout) == (2, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_a_disk_that_is_full():
    done = shell("fairlead generate --offline hi >/dev/full")

    assert done.returncode == 1
    assert done.stderr.startswith("fairlead: error: ")
    assert done.stderr.count("\n") == 1


def test_a_question_in_place_of_a_command():
    done = shell('fairlead "Why is it so?"')

    assert done.returncode == 2
    assert done.stderr.rstrip().endswith("fairlead generate 'Why is it so?'")
    assert "'generate'" in shell("fairlead genrate hi").stderr


def test_the_exit_statuses_are_told():
    assert "141" in shell("fairlead --help").stdout


def test_offline_and_an_address_contradict_each_other():
    done = run("--offline", "-b", "http://127.0.0.1:9", "hi")

    assert done.returncode != 0
    assert "--offline" in done.stderr
    assert "--base-url" in done.stderr


def test_a_server_that_wants_a_key_where_none_was_sent(server):
    script(failure(401, "who are you?"))
    done = run("-b", server.url("/v1"), "-m", "m", "hi")

    assert done.returncode == 1
    assert "no key was sent" in done.stderr
    assert "--api-key-env" in done.stderr
