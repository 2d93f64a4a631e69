import json
from dataclasses import replace

import pytest
from dependency_injector import providers
from typer.testing import CliRunner

from fairlead.adapters.tokenizers.tiktoken import BackgroundTokenizers
from fairlead.cli.app import app
from fairlead.container import Container
from tests.integration.cli.process import fairlead
from tests.support.vocabulary import DATA, TINY


def test_it_says_whether_a_count_is_an_estimate():
    done = fairlead("count", "How many tokens is this?")

    assert done.stdout == "5 tokens, estimated\n"
    assert done.stderr == ""


def test_standard_input_and_files(tmp_path):
    (tmp_path / "a.txt").write_text("How many tokens is this?")
    piped = fairlead("count", stdin="How many tokens is this?")
    read = fairlead("count", "--file", "a.txt", cwd=tmp_path)

    assert piped.stdout == read.stdout == "5 tokens, estimated\n"


def test_several_texts_are_added_up(tmp_path):
    (tmp_path / "a.txt").write_text("How many tokens is this?")
    done = fairlead("count", "hello there", "--file", "a.txt", cwd=tmp_path)

    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines == [
        ["tokens", "count", "text"],
        ["2", "estimated", "hello", "there"],
        ["5", "estimated", "a.txt"],
        ["7", "estimated", "all"],
    ]


def test_json_tells_each():
    told = json.loads(fairlead("count", "--json", "-p", "offline", "hello there", "you").stdout)

    assert (told["tokens"], told["exact"], told["model"]) == (3, False, "offline")
    assert told["texts"][0] == {"name": "hello there", "tokens": 2, "exact": False}


def test_a_count_is_exact_where_the_vocabulary_is_on_disk(tmp_path):
    vocabulary = replace(TINY, family="o200k")
    (tmp_path / vocabulary.key).write_bytes(DATA)
    tokenizers = BackgroundTokenizers(places=[tmp_path], vocabularies=[vocabulary])
    with Container.tokenizers.override(providers.Object(tokenizers)):
        done = CliRunner().invoke(
            app, ["count", "-p", "openai", "hello world"], env={"OPENAI_API_KEY": "sk-test"}
        )

    assert done.stdout == "2 tokens, exact\n"


def test_nobody_is_asked():
    done = fairlead("count", "-b", "http://127.0.0.1:9", "hello there")

    assert done.stdout == "2 tokens, estimated\n"


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (["--file", "nowhere.txt"], "", "nowhere.txt cannot be read"),
        ([], b"caf\xe9", "not UTF-8"),
        (["-p", "opnai", "hi"], "", "did you mean 'openai'"),
    ],
)
def test_an_error_is_one_clear_line(arguments, stdin, said):
    done = fairlead("count", *arguments, stdin=stdin)
    stderr = done.stderr if isinstance(done.stderr, str) else done.stderr.decode()

    assert done.returncode == 1
    assert stderr.count("\n") == 1
    assert said in stderr


@pytest.mark.parametrize("arguments", [["-p", "openai"], ["-m", "gpt-4o"], ["-p", "openai:gpt-4o"]])
def test_no_key_is_needed(arguments):
    done = fairlead("count", *arguments, "hello there")

    assert done.stdout == "2 tokens, estimated\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_the_model_that_is_named_counts():
    told = json.loads(fairlead("count", "--json", "-m", "gpt-4o", "hello there").stdout)

    assert told["model"] == "gpt-4o"
