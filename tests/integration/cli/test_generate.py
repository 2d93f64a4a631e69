"""The command line as a person uses it: in a process of its own."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from tests.support.answers import JSON, Answer, completion, event, failure, script, streamed

COMMAND = [sys.executable, "-W", "error", "-m", "fairlead", "generate"]


def environment(**more):
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, "PYTHONUTF8": "1", **more}


def run(*arguments, stdin="", **variables):
    return subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(**variables),
    )


def test_offline_it_answers_and_says_what_to_set():
    done = run("Why do ports and adapters keep a codebase soft?")

    assert done.returncode == 0
    assert "offline" in done.stdout
    assert done.stderr.count("\n") == 1
    assert "offline" in done.stderr
    assert "OPENAI_API_KEY" in done.stderr


def test_asked_to_be_offline_it_says_nothing_of_it():
    assert run("--offline", "hi").stderr == ""


def test_the_prompt_comes_from_standard_input():
    piped = run("--offline", stdin="What is a fairlead?")
    given = run("--offline", "What is a fairlead?")

    assert piped.stdout == given.stdout


def test_words_and_standard_input_together(server):
    script(streamed("ok"))
    run("-b", server.url("/v1"), "-m", "m", "Explain:", "-", stdin="a diff")

    prompt = json.loads(server.requests[-1].body)["messages"][-1]["content"]
    assert prompt == "Explain:\n\na diff"


def test_options_reach_the_server(server):
    script(streamed("ok"))
    run("-b", server.url("/v1"), "-m", "m", "-s", "Be brief.", "-t", "0", "--max-tokens", "7", "hi")

    sent = json.loads(server.requests[-1].body)
    assert sent["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (sent["temperature"], sent["max_tokens"], sent["model"]) == (0, 7, "m")


def test_openai_variables_lead_to_a_server_with_its_key(server):
    script(streamed("ok"))
    done = run("hi", OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=server.url("/v1"), OPENAI_MODEL="m")

    assert done.stdout == "ok\n"
    assert server.requests[-1].headers["authorization"] == "Bearer sk-test"


def test_a_key_is_not_sent_to_an_address_that_it_was_not_meant_for(server):
    script(streamed("ok"))
    run("-b", server.url("/v1"), "-m", "m", "hi", OPENAI_API_KEY="sk-test")

    assert "authorization" not in server.requests[-1].headers


def test_unless_it_is_named(server):
    script(streamed("ok"))
    run("-b", server.url("/v1"), "-m", "m", "--api-key-env", "MINE", "hi", MINE="sk-mine")

    assert server.requests[-1].headers["authorization"] == "Bearer sk-mine"


def test_the_only_model_of_a_server_is_asked(server):
    script(Answer([b'{"data": [{"id": "only"}]}'], content_type=JSON), streamed("ok"))
    done = run("-b", server.url("/v1"), "hi")

    assert done.stdout == "ok\n", done.stderr
    assert json.loads(server.requests[-1].body)["model"] == "only"


def test_json_tells_everything(server):
    script(streamed("one ", "two"))
    told = json.loads(run("-b", server.url("/v1"), "-m", "m", "--json", "hi").stdout)

    assert told["text"] == "one two"
    assert told["usage"]["output_tokens"] == 2
    assert told["attempts"][0]["outcome"] == "succeeded"


def test_without_stream_the_answer_is_asked_for_whole(server):
    script(completion("whole"))
    done = run("-b", server.url("/v1"), "-m", "m", "--no-stream", "hi")

    assert done.stdout == "whole\n"
    assert "stream" not in json.loads(server.requests[-1].body)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-b", "localhost:8000", "-m", "m", "hi"], "scheme"),
        (["-b", "http://example.com", "-m", "m", "hi"], "plain http"),
        (["-b", "http://127.0.0.1:9", "-m", "m", "hi"], "127.0.0.1:9"),
        (["-m", "gpt-5.6-luna", "hi"], "OPENAI_API_KEY"),
        (["--max-tokens", "-3", "--offline", "hi"], "--max-tokens must be"),
        (["--api-key-env", "NONE", "hi"], "NONE"),
        (["--offline", "  "], "empty"),
    ],
)
def test_an_error_is_one_clear_line(arguments, said):
    done = run(*arguments)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("fairlead: error: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


def test_a_server_cannot_write_to_the_terminal(server):
    script(failure(401, "first\nsecond \x1b[31mline"))
    done = run("-b", server.url("/v1"), "-m", "m", "hi")

    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr


def test_an_unknown_option_names_the_nearest():
    done = run("--offlin", "hi")

    assert done.returncode == 2
    assert "--offline" in done.stderr


def test_what_the_terminal_cannot_show_is_escaped(server):
    script(streamed("na\u00efve"))
    done = run("-b", server.url("/v1"), "-m", "m", "hi", PYTHONUTF8="0", PYTHONIOENCODING="ascii")

    assert done.returncode == 0
    assert done.stdout == "na\\xefve\n"


def test_a_prompt_that_is_no_text():
    done = subprocess.run(
        [*COMMAND, "--offline"], input=b"caf\xe9", capture_output=True, timeout=60, check=False
    )

    assert done.returncode == 1
    assert b"not UTF-8" in done.stderr


def test_ctrl_c_ends_the_wait_for_a_prompt():
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "--offline"], stdin=theirs, stderr=subprocess.PIPE, env=environment()
    )
    said = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    process.stderr.close()

    assert process.wait(timeout=20) == 130
    assert b"Ctrl-D" in said
    assert rest == b""
    os.close(ours)
    os.close(theirs)


def test_debug_shows_the_rest(server):
    script(failure(401, "bad key"))
    done = run("-b", server.url("/v1"), "-m", "m", "--debug", "hi")

    assert done.returncode != 0
    assert "Traceback" in done.stderr
    assert "AuthenticationError" in done.stderr


def test_a_cut_stream_keeps_what_came(server):
    script(Answer([event("half an ans")], ending="cut"))
    done = run("-b", server.url("/v1"), "-m", "m", "hi")

    assert done.returncode == 1
    assert done.stdout == "half an ans\n"
    assert "interrupted" in done.stderr


def started(*arguments, **streams):
    return subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )


def test_it_prints_as_text_arrives_and_ctrl_c_keeps_it(server):
    script(Answer([event("one "), event("two")], ending="stall"))
    process = started("-b", server.url("/v1"), "-m", "m", "hi")
    assert process.stdout.read(7) == b"one two"

    process.send_signal(signal.SIGINT)
    rest, said = process.communicate(timeout=20)

    assert process.returncode == 130
    assert rest == b"\n"
    assert b"Traceback" not in said
    server.wait_until(lambda: server.open_connections == 0)


def test_ctrl_c_keeps_what_came_as_json(server):
    script(Answer([event("one "), event("two")], ending="stall"))
    process = started("-b", server.url("/v1"), "-m", "m", "--json", "hi")
    server.wait_until(lambda: bool(server.requests), seconds=20)
    time.sleep(0.3)

    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=20)

    assert process.returncode == 130
    assert json.loads(told)["text"] == "one two"
    assert json.loads(told)["finish_reason"] == "cancelled"


def test_a_reader_that_leaves_the_pipe(server):
    script(Answer([event("word ")] * 2000, pause=0.001))
    process = started("-b", server.url("/v1"), "-m", "m", "hi")
    assert process.stdout.read(5) == b"word "
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()

    assert process.wait(timeout=20) != 0
    assert said == b""
    server.wait_until(lambda: server.open_connections == 0)


def test_without_a_server_to_ask_for_its_models_the_fallback_answers():
    done = run("-b", "http://127.0.0.1:9", "--fallback", "offline", "hi")

    assert done.returncode == 0, done.stderr
    assert "offline provider" in done.stdout
    assert done.stderr.count("\n") == 1
    assert "offline is asked instead: cannot connect to 127.0.0.1:9" in done.stderr


def test_that_holds_for_fallbacks_of_the_settings_too():
    asked = ("-b", "http://127.0.0.1:9", "hi")

    assert run(*asked, FAIRLEAD_FALLBACK_PROVIDER="offline").returncode == 0
    assert run(*asked).returncode == 1


def test_a_key_for_the_server_does_not_go_along_to_the_fallback(server, tmp_path):
    script(streamed("ok"))
    file = tmp_path / "f.yaml"
    url = server.url("/v1")
    file.write_text(
        f"providers: {{box: {{vendor: openai-compatible, base_url: '{url}', model: b}}}}"
    )
    key = ("--api-key-env", "MINE")
    asked = ("-b", "http://127.0.0.1:9", "--fallback", "box", "--config", str(file), *key, "hi")
    done = run(*asked, MINE="sk-mine-123456789")

    assert done.stdout == "ok\n", done.stderr
    assert "authorization" not in server.requests[-1].headers


def finished(reason, text="half"):
    choice = {"message": {"content": text}, "finish_reason": reason}
    return Answer([json.dumps({"choices": [choice]}).encode()], content_type=JSON)


@pytest.mark.parametrize(
    ("answer", "stdout", "said"),
    [
        (finished("length"), "half\n", "warning: the answer was cut"),
        (finished("stop", None), "\n", "the answer is empty"),
    ],
)
def test_an_answer_that_is_not_all_is_told_of_once(server, answer, stdout, said):
    script(answer)
    done = run("-b", server.url("/v1"), "-m", "m", "--no-stream", "hi")

    assert (done.returncode, done.stdout) == (0, stdout)
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_failure_as_json(server):
    script(failure(429, "slow down", retry_after="900.123456"))
    done = run("-b", server.url("/v1"), "-m", "m", "--json", "hi")

    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert list(told) == ["error"]
    error = told["error"]
    assert (error["type"], error["status"], error["retry_after"]) == (
        "RateLimitError",
        429,
        900.123,
    )
    assert (error["provider"], error["attempts"][0]["outcome"]) == ("openai-compatible", "failed")
    assert "slow down" in error["message"]
    assert "900.123 s" in done.stderr or "900 s" in done.stderr


def test_what_is_wrong_before_anybody_is_asked_as_json():
    error = json.loads(run("-p", "opnai", "--json", "hi").stdout)["error"]

    assert (error["type"], error["status"], error["attempts"]) == ("ConfigurationError", None, [])


def test_a_cut_stream_as_json_tells_what_came_and_the_error(server):
    script(Answer([event("half an ans")], ending="cut"))
    done = run("-b", server.url("/v1"), "-m", "m", "--json", "hi")

    told = json.loads(done.stdout)
    assert told["text"] == "half an ans"
    assert told["error"]["type"] == "StreamInterruptedError"


def test_the_sum_of_tokens_is_filled_in(server):
    counts = {"prompt_tokens": 3, "completion_tokens": 4}
    choice = {"message": {"content": "ok"}, "finish_reason": "stop"}
    body = json.dumps({"choices": [choice], "usage": counts}).encode()
    script(Answer([body], content_type=JSON))
    told = json.loads(run("-b", server.url("/v1"), "-m", "m", "--no-stream", "--json", "hi").stdout)

    assert told["usage"]["total_tokens"] == 7


def test_a_missing_key_is_said_in_options():
    done = run("-p", "openai", "hi")

    assert "--api-key-env" in done.stderr
    assert "api_key=" not in done.stderr


def test_two_that_failed_are_kept_apart(tmp_path):
    box = "{vendor: openai-compatible, base_url: 'http://127.0.0.1:9', model: m}"
    file = tmp_path / "f.yaml"
    file.write_text(f"retry: {{enabled: false}}\nproviders: {{one: {box}, two: {box}}}\n")
    done = run("--config", str(file), "-p", "one", "--fallback", "two", "hi")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    one, two = done.stderr.split("; cannot connect")
    assert one.count("cannot connect") == 1
    assert "two:m" in two


def test_of_many_mistakes_in_a_file_the_others_are_counted(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text("provder: x\nretry: {max_retries: lots}\nproviders: {openai: {modle: m}}\n")
    done = run("--config", str(file), "--offline", "hi")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"; and 2 more: fairlead config check {file}\n" in done.stderr
    file.write_text("provder: x\n")
    assert "more" not in run("--config", str(file), "--offline", "hi").stderr
