import io
import json

import numpy as np
import pytest

from tests.integration.cli.process import fairlead
from tests.support.answers import JSON, Answer, script

OFFLINE = ("embed", "--offline")


def vectors(*rows):
    data = [{"index": index, "embedding": row} for index, row in enumerate(rows)]
    body = {"model": "e", "data": data, "usage": {"prompt_tokens": 3, "total_tokens": 3}}
    return Answer([json.dumps(body).encode()], content_type=JSON)


def test_json_tells_the_vectors_and_where_they_come_from(server):
    script(vectors([0.1, -2], [3, 4]))
    done = fairlead("embed", "-b", server.url("/v1"), "-m", "e", "one", "two")

    told = json.loads(done.stdout)
    assert told["embeddings"] == [[0.1, -2], [3, 4]]
    assert (told["model"], told["dimensions"], told["input_tokens"]) == ("e", 2, 3)
    assert done.stderr == ""
    sent = json.loads(server.requests[-1].body)
    assert (sent["input"], sent["model"]) == (["one", "two"], "e")


def test_options_reach_the_server(server):
    script(vectors([0.5]))
    fairlead("embed", "-b", server.url("/v1"), "-m", "e", "--dimensions", 1, "one")

    assert json.loads(server.requests[-1].body)["dimensions"] == 1


def test_the_only_model_of_a_server_embeds(server):
    script(Answer([b'{"data": [{"id": "only"}]}'], content_type=JSON), vectors([0.5]))
    done = fairlead("embed", "-b", server.url("/v1"), "one")

    assert done.returncode == 0, done.stderr
    assert json.loads(server.requests[-1].body)["model"] == "only"


def test_files_and_standard_input_are_texts(tmp_path):
    (tmp_path / "a.txt").write_text("from a file")
    by_file = fairlead(*OFFLINE, "--file", "a.txt", cwd=tmp_path)
    by_pipe = fairlead(*OFFLINE, stdin="from a file")
    by_word = fairlead(*OFFLINE, "from a file")

    assert json.loads(by_file.stdout) == json.loads(by_pipe.stdout) == json.loads(by_word.stdout)


def test_npy_is_what_numpy_reads(tmp_path):
    told = json.loads(fairlead(*OFFLINE, "one", "two", "three").stdout)
    done = fairlead(*OFFLINE, "one", "two", "three", "--out", "v.npy", cwd=tmp_path)
    matrix = np.load(tmp_path / "v.npy")

    assert done.stdout == ""
    assert (matrix.shape, matrix.dtype) == ((3, 256), np.float32)
    assert np.array_equal(matrix, np.array(told["embeddings"], dtype=np.float32))
    assert np.array_equal(np.load(tmp_path / "v.npy", mmap_mode="r"), matrix)


def test_npy_goes_through_a_pipe():
    done = fairlead(*OFFLINE, "--format", "npy", "-", stdin=b"one")

    assert np.load(io.BytesIO(done.stdout)).shape == (1, 256)


def test_records_keep_their_fields(tmp_path):
    lines = [{"id": 7, "text": "ein Stück"}, {"id": 8, "text": "two"}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    done = fairlead(*OFFLINE, "--jsonl", "in.jsonl", "--format", "jsonl", cwd=tmp_path)

    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["id"], each["text"], len(each["embedding"])) for each in told] == [
        (7, "ein Stück", 256),
        (8, "two", 256),
    ]


def test_the_text_stands_in_another_field(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"body": "one"}')
    done = fairlead(*OFFLINE, "--jsonl", "in.jsonl", "--field", "body", cwd=tmp_path)

    assert len(json.loads(done.stdout)["embeddings"]) == 1


def test_many_texts_are_asked_for_in_parts(tmp_path):
    (tmp_path / "in.jsonl").write_text("".join(f'{{"text": "{n}"}}\n' for n in range(600)))
    done = fairlead(*OFFLINE, "--jsonl", "in.jsonl", "-o", "v.npy", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert np.load(tmp_path / "v.npy").shape == (600, 256)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            '{"text": "a"}\n{"txt": "b"}',
            "line 2 has no text in its field 'text'; is it in --field txt",
        ),
        ('{"text": 1}', "line 1 has no text"),
        ("[1]", "line 1 has no text"),
        ('{"text": "a"}\n{', "line 2 is no JSON"),
        ("", "no text to embed"),
    ],
)
def test_a_bad_record_is_named(tmp_path, content, said):
    (tmp_path / "in.jsonl").write_text(content)
    done = fairlead(*OFFLINE, "--jsonl", "in.jsonl", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--file", "nowhere.txt"], "nowhere.txt cannot be read"),
        (["-b", "http://127.0.0.1:9", "-m", "m", "hi"], "both say who is asked"),
        ([""], "empty"),
    ],
)
def test_an_error_is_one_clear_line(tmp_path, arguments, said):
    done = fairlead(*OFFLINE, *arguments, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


def test_a_format_that_there_is_not():
    done = fairlead(*OFFLINE, "--format", "nyp", "hi")

    assert done.returncode == 2
    assert "npy" in done.stderr


def test_json_by_its_other_name():
    assert (
        fairlead(*OFFLINE, "--json", "one").stdout
        == fairlead(*OFFLINE, "--format", "json", "one").stdout
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "x.csv"], "x.csv: say with --format what to write there: json, jsonl, npy"),
        (["--json", "--format", "npy"], "contradict each other"),
    ],
)
def test_a_form_that_is_not_clear(tmp_path, arguments, said):
    done = fairlead(*OFFLINE, "hi", *arguments, cwd=tmp_path)

    assert done.returncode == 1
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_format_that_is_named_may_go_to_any_file(tmp_path):
    fairlead(*OFFLINE, "hi", "--out", "x.csv", "--json", cwd=tmp_path)

    assert json.loads((tmp_path / "x.csv").read_text())["dimensions"] == 256


def test_a_failure_as_json():
    done = fairlead("embed", "-b", "http://127.0.0.1:9", "-m", "m", "--json", "hi")

    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["type"] == "ProviderConnectionError"
    assert len(error["attempts"]) > 1
    assert done.stderr.count("\n") == 1
