import json
import os
import signal
import subprocess

import pytest

from fairlead.cli.commands import COMMANDS
from tests.integration.cli.process import COMMAND, Terminal, environment, fairlead
from tests.support.answers import Answer, event, failure, script, streamed


def chat(server, *arguments, turns, **variables):
    return fairlead(
        "chat", "-b", server.url("/v1"), "-m", "m", *arguments, stdin=turns, **variables
    )


def sent(server):
    """The words of each request."""
    bodies = [json.loads(request.body) for request in server.requests]
    return [[message["content"] for message in body["messages"]] for body in bodies]


def test_a_pipe_is_a_script_of_turns(server):
    script(streamed("Hello, ", "Ada."), streamed("Ada."))
    done = chat(server, "--no-history", turns="My name is Ada.\n\nWhat is my name?\n")

    assert done.stdout == "Hello, Ada.\nAda.\n"
    assert (done.returncode, done.stderr) == (0, "")
    assert sent(server) == [
        ["My name is Ada."],
        ["My name is Ada.", "Hello, Ada.", "What is my name?"],
    ]


def test_all_turns_share_one_connection(server):
    script(streamed("ok"))
    chat(server, "--no-history", turns="one\ntwo\nthree\n")

    assert len({request.connection for request in server.requests}) == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("one \\\ntwo\n", "one \ntwo"),
        ("one\\", "one"),
        ('"""\none\n\n  two\n"""\n', "one\n\n  two"),
        ('"""one\ntwo"""\n', "one\ntwo"),
        ('"""one"""\n', "one"),
        ("//help\n", "/help"),
        ("no line end", "no line end"),
    ],
)
def test_turns_of_several_lines(server, typed, said):
    script(streamed("ok"))
    chat(server, "--no-history", turns=typed)

    assert sent(server) == [[said]]


def test_what_the_model_should_keep_to(server):
    script(streamed("ok"))
    done = chat(
        server, "--no-history", "-s", "Be brief.", turns="a\n/system Be long.\nb\n/system -\nc\n"
    )

    assert done.returncode == 0
    assert [words[0] for words in sent(server)] == ["Be brief.", "Be long.", "a"]


def test_undo_takes_back_a_turn_and_retry_asks_it_again(server):
    script(streamed("1"), streamed("2"), streamed("3"), streamed("4"))
    done = chat(server, "--no-history", turns="a\nb\n/retry\n/undo\nc\n")

    assert done.stdout == "1\n2\n3\n4\n"
    assert sent(server) == [["a"], ["a", "1", "b"], ["a", "1", "b"], ["a", "1", "c"]]
    assert "taken back: b" in done.stderr


def test_clear_forgets(server):
    script(streamed("ok"))
    chat(server, "--no-history", turns="a\n/clear\nb\n")

    assert sent(server) == [["a"], ["b"]]


def test_another_model(server):
    script(streamed("ok"))
    done = chat(server, "--no-history", turns="a\n/model other\nb\n/model nobody:x\n/model\n")

    assert [json.loads(request.body)["model"] for request in server.requests] == ["m", "other"]
    assert "talking with openai-compatible:other" in done.stderr


def test_another_provider(server):
    script(streamed("ok"))
    done = chat(server, "--no-history", turns="a\n/model offline:quiet\nb\n")

    assert len(server.requests) == 1
    assert "offline provider, in place of quiet" in done.stdout


def test_a_key_does_not_go_along_to_another_provider(server, tmp_path):
    script(streamed("ok"))
    file = tmp_path / "f.yaml"
    url = server.url("/v1")
    file.write_text(
        f"providers: {{box: {{vendor: openai-compatible, base_url: '{url}', model: b}}}}"
    )
    ask = ("--no-history", "--config", file, "--api-key-env", "MINE")
    chat(server, *ask, turns="a\n/model other\nb\n/model box\nc\n", MINE="sk-mine-123456789")

    assert ["authorization" in request.headers for request in server.requests] == [
        True,
        True,
        False,
    ]
    assert [json.loads(request.body)["model"] for request in server.requests] == ["m", "other", "b"]


def test_a_provider_that_cannot_be_asked_leaves_the_present_one(server):
    script(streamed("ok"))
    done = chat(server, "--no-history", turns="/model openai:gpt-5.6-luna\n")

    assert done.returncode == 1
    assert "OPENAI_API_KEY" in done.stderr


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ("/foo\na\n", "no command /foo"),
        ("/load nowhere.json\na\n", "nowhere.json cannot be read"),
        ("/load\na\n", "/load needs the name of a file"),
        ('"""\nunfinished\n', '""" is opened and never closed'),
    ],
)
def test_a_script_ends_at_what_cannot_be_done(server, turns, said):
    done = chat(server, "--no-history", turns=turns)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("fairlead: error: ")
    assert said in done.stderr
    assert server.requests == []


@pytest.mark.parametrize(("typed", "near"), [("/undu", "/undo"), ("/xyzzy", "/help")])
def test_an_unknown_command_names_the_nearest(server, typed, near):
    done = chat(server, "--no-history", turns=f"{typed}\n")

    assert near in done.stderr
    assert done.stderr.count("\n") == 1
    assert server.requests == []


def test_help_tells_all_commands(server):
    done = chat(server, "--no-history", turns="/help\n")

    told = {line.split()[0] for line in done.stderr.splitlines()}
    assert told == {f"/{name}" for name in COMMANDS}
    assert {"/system", "/model", "/undo", "/retry", "/save", "/load", "/quit"} <= told
    assert done.stdout == ""


def test_tokens_are_counted(server):
    script(streamed("ok"))
    done = chat(server, "--no-history", turns="hello there\n/tokens\n")

    assert "tokens, estimated" in done.stderr


def test_quit_leaves(server):
    assert chat(server, "--no-history", turns="/quit\nnot asked\n").returncode == 0
    assert server.requests == []


def test_a_turn_that_fails_ends_a_script(server):
    script(failure(401, "bad key"))
    done = chat(server, "--no-history", turns="a\nb\n")

    assert done.returncode == 1
    assert done.stderr.startswith("fairlead: error: ")
    assert len(server.requests) == 1


def test_what_came_of_an_answer_that_broke_off_is_kept(server, tmp_path):
    script(Answer([event("half an ans")], ending="cut"))
    done = chat(server, turns="a\n", XDG_STATE_HOME=str(tmp_path))

    assert done.stdout == "half an ans\n"
    assert done.returncode == 1
    kept = json.loads((tmp_path / "fairlead" / "last-chat.json").read_text())
    assert [message["content"] for message in kept["messages"]] == ["a", "half an ans"]


@pytest.mark.parametrize("name", ["talk.json", "talk.jsonl"])
def test_a_conversation_is_saved_and_loaded(server, tmp_path, name):
    script(streamed("ok"))
    file = tmp_path / name
    chat(server, "--no-history", "-s", "Be brief.", turns=f"a\n/save {file}\n")
    chat(server, "--no-history", turns=f"/load {file}\nb\n")
    chat(server, "--no-history", "--resume", file, turns="c\n")

    assert sent(server)[1:] == [["Be brief.", "a", "ok", "b"], ["Be brief.", "a", "ok", "c"]]
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_last_conversation_is_resumed(server, tmp_path):
    script(streamed("ok"))
    chat(server, turns="a\n", XDG_STATE_HOME=str(tmp_path))
    chat(server, "--resume", turns="b\n", XDG_STATE_HOME=str(tmp_path))

    assert sent(server)[-1] == ["a", "ok", "b"]


def test_without_history_nothing_is_kept(server, tmp_path):
    script(streamed("ok"))
    chat(server, "--no-history", turns="a\n", XDG_STATE_HOME=str(tmp_path))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--resume"], "no conversation to resume"),
        (["--resume", "--no-history"], "name a file"),
        (["--resume", "nowhere.json"], "nowhere.json cannot be read"),
        (["--resume", "broken.json"], "broken.json holds no conversation"),
        (["--resume", "list.json"], "list.json holds no conversation"),
        (["--resume", "folder"], "folder cannot be read"),
    ],
)
def test_what_cannot_be_resumed(tmp_path, arguments, said):
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "list.json").write_text('{"messages": [{"role": "pilot", "content": "hi"}]}')
    (tmp_path / "folder").mkdir()
    done = fairlead("chat", "--offline", *arguments, cwd=tmp_path, XDG_STATE_HOME=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.startswith("fairlead: error: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


def test_where_nothing_can_be_kept_it_is_said_once(server, tmp_path):
    script(streamed("ok"))
    (tmp_path / "fairlead").write_text("in the way")
    done = chat(server, turns="a\nb\n", XDG_STATE_HOME=str(tmp_path))

    assert (done.returncode, done.stdout) == (0, "ok\nok\n")
    assert done.stderr.count("is not kept") == 1


def started(server, **variables):
    process = subprocess.Popen(
        [*COMMAND, "chat", "-b", server.url("/v1"), "-m", "m"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**variables),
    )
    process.stdin.write(b"hi\n")
    process.stdin.flush()
    return process


def test_ctrl_c_ends_a_script_and_keeps_what_came(server, tmp_path):
    script(Answer([event("one "), event("two")], ending="stall"))
    process = started(server, XDG_STATE_HOME=str(tmp_path))
    assert process.stdout.read(7) == b"one two"

    process.send_signal(signal.SIGINT)
    rest, said = process.communicate(timeout=20)

    assert (process.returncode, rest, said) == (130, b"\n", b"")
    kept = json.loads((tmp_path / "fairlead" / "last-chat.json").read_text())
    assert kept["messages"][-1]["content"] == "one two"
    server.wait_until(lambda: server.open_connections == 0)


def test_a_reader_that_leaves_the_pipe(server, tmp_path):
    script(Answer([event("word ")] * 2000, pause=0.001))
    process = started(server, XDG_STATE_HOME=str(tmp_path))
    assert process.stdout.read(5) == b"word "
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    process.stdin.close()

    assert process.wait(timeout=20) == 141
    assert said == b""
    server.wait_until(lambda: server.open_connections == 0)


def test_a_script_that_is_no_text():
    done = fairlead("chat", "--offline", "--no-history", stdin=b"caf\xe9\n")

    assert done.returncode == 1
    assert b"not UTF-8" in done.stderr


class TestInATerminal:
    def terminal(self, server, tmp_path, *arguments):
        return Terminal(
            "chat",
            *("-b", server.url("/v1"), "-m", "m"),
            *arguments,
            XDG_STATE_HOME=str(tmp_path),
        )

    def test_it_talks_until_ctrl_d(self, server, tmp_path):
        script(streamed("Hello, ", "Ada."))
        with self.terminal(server, tmp_path) as terminal:
            terminal.wait_for("talking with openai-compatible:m")
            terminal.wait_for("> ")
            terminal.type("I am Ada.\n")
            terminal.wait_for("Hello, Ada.\n")
            terminal.wait_for("> ")
            terminal.type("\x04")

            assert terminal.status() == 0
            assert "Traceback" not in terminal.screen
        assert (tmp_path / "fairlead" / "history").stat().st_mode & 0o777 == 0o600

    def test_ctrl_c_stops_an_answer_and_keeps_what_came(self, server, tmp_path):
        script(Answer([event("one "), event("two")], ending="stall"), streamed("three"))
        with self.terminal(server, tmp_path) as terminal:
            terminal.wait_for("> ")
            terminal.type("count\n")
            terminal.wait_for("one two")
            terminal.type("\x03")
            terminal.wait_for("> ")
            terminal.type("go on\n")
            terminal.wait_for("three")
            terminal.wait_for("> ")
            terminal.type("/quit\n")

            assert terminal.status() == 0
            assert "Traceback" not in terminal.screen
        assert sent(server)[-1] == ["count", "one two", "go on"]

    def test_ctrl_c_drops_a_line(self, server, tmp_path):
        script(streamed("ok"))
        with self.terminal(server, tmp_path) as terminal:
            terminal.wait_for("> ")
            terminal.type("not this")
            terminal.wait_for("not this")
            terminal.interrupt(until="> ")
            terminal.type("this\n")
            terminal.wait_for("ok\n> ")
            terminal.type("\x04")

            assert terminal.status() == 0
        assert sent(server) == [["this"]]

    def test_a_failure_is_told_and_the_turn_can_be_asked_again(self, server, tmp_path):
        script(failure(401, "bad key"), streamed("better"))
        with self.terminal(server, tmp_path) as terminal:
            terminal.wait_for("> ")
            terminal.type("hi\n")
            terminal.wait_for("fairlead: error: ")
            terminal.wait_for("> ")
            terminal.type("/retry\n")
            terminal.wait_for("better\n> ")
            terminal.type("\x04")

            assert terminal.status() == 0
        assert sent(server) == [["hi"], ["hi"]]

    def test_lines_are_remembered_and_commands_completed(self, server, tmp_path):
        script(streamed("ok"))
        for typed in ("remember me\n", "\x1b[A\x1b[A\n"):
            with self.terminal(server, tmp_path) as terminal:
                terminal.wait_for("> ")
                terminal.type(typed)
                terminal.wait_for("ok\n")
                terminal.wait_for("> ")
                terminal.type("/qu\t\n")

                assert terminal.status() == 0
        assert sent(server) == [["remember me"], ["remember me"]]

    def test_the_prompt_does_not_go_where_the_answers_go(self, server, tmp_path):
        script(streamed("ok"))
        out = tmp_path / "out"
        with Terminal(
            *("chat", "-b", server.url("/v1"), "-m", "m", "--no-history"), stdout=out
        ) as terminal:
            terminal.wait_for("> ")
            terminal.type("hi\n")
            terminal.wait_for("> ")
            terminal.type("\x04")

            assert terminal.status() == 0
        assert out.read_text() == "ok\n"


def test_the_folder_for_state_is_the_platforms(tmp_path):
    from fairlead.adapters.stores.places import state_folder

    assert state_folder({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "fairlead"
    assert state_folder({}).parts[-3:] == (".local", "state", "fairlead") or os.name == "nt"
