"""What the commands say of themselves."""

import re

import pytest

from tests.integration.cli.process import fairlead
from tests.integration.cli.reference import PAGE, commands, help_of, page

ALL = list(commands())


def test_the_reference_is_what_the_commands_say():
    assert PAGE.read_text("utf-8") == page(), "python -m tests.integration.cli.reference writes it"


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_has_an_example_of_itself(words):
    told = help_of(words)

    assert "For example:" in told
    assert f"fairlead {' '.join(words)}".strip() in told.partition("For example:")[2]


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_option_is_explained(words):
    for line in help_of(words, columns=200).partition("Options:")[2].splitlines()[1:]:
        if line.startswith("  -"):
            assert re.search(r"\S {2,}\S", line), line


@pytest.mark.parametrize("columns", [40, 160])
@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_help_fits_the_terminal(words, columns):
    lines = help_of(words, columns=columns).splitlines()

    assert max(map(len, lines)) <= columns


def test_the_commands_are_those_that_are_known():
    assert {words[0] for words in ALL if words} == {
        *("generate", "chat", "embed", "count", "providers", "models", "health"),
        *("explain", "usage", "budget", "config", "cache", "tokens", "version"),
    }


def test_the_version():
    import fairlead as package

    assert fairlead("version").stdout == fairlead("--version").stdout
    assert package.__version__ in fairlead("version", "--json").stdout


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["genrate"], "generate"),
        (["config", "chek", "f"], "check"),
        (["chat", "--sytem"], "--system"),
    ],
)
def test_what_is_misspelt_is_answered_with_the_nearest(arguments, near):
    done = fairlead(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert near in done.stderr
