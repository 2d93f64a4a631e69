"""`fairlead generate --image … --file … --schema …`."""

import base64
import json

import pytest

from tests.integration.cli.process import fairlead
from tests.support.answers import completion, script, streamed

PNG = b"\x89PNG\r\n\x1a\n picture"
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def generate(server, *arguments, **how):
    return fairlead("generate", "-b", server.url("/v1"), "-m", "m", *arguments, **how)


def content(server):
    return json.loads(server.requests[-1].body)["messages"][-1]["content"]


class TestFiles:
    def test_texts_join_the_prompt(self, server, tmp_path):
        (tmp_path / "a.txt").write_text("one\n")
        (tmp_path / "b.py").write_text("two\n")
        script(streamed("ok"))
        generate(server, "Compare:", "-f", "a.txt", "-f", "b.py", cwd=tmp_path)

        assert content(server) == "Compare:\n\na.txt:\none\n\nb.py:\ntwo"

    def test_a_file_alone_is_a_prompt(self, server, tmp_path):
        (tmp_path / "a.txt").write_text("one\n")
        script(streamed("ok"))
        done = generate(server, "-f", "a.txt", cwd=tmp_path)

        assert done.returncode == 0, done.stderr
        assert content(server) == "a.txt:\none"

    def test_other_files_go_beside_it(self, server, tmp_path):
        (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4 words")
        script(streamed("ok"))
        done = generate(server, "Sum up.", "-f", "a.pdf", cwd=tmp_path)

        assert done.returncode == 0, done.stderr
        words, file = content(server)
        assert words["text"] == "Sum up."
        assert file["file"]["filename"] == "a.pdf"
        data = file["file"]["file_data"].partition("base64,")[2]
        assert base64.b64decode(data) == b"%PDF-1.4 words"


class TestImages:
    @pytest.mark.parametrize("name", ["cat.png", "cat"])
    def test_a_picture(self, server, tmp_path, name):
        (tmp_path / name).write_bytes(PNG)
        script(streamed("ok"))
        generate(server, "What is this?", "-i", name, cwd=tmp_path)

        _, image = content(server)
        data = base64.b64encode(PNG).decode()
        assert image["image_url"]["url"] == f"data:image/png;base64,{data}"

    def test_an_address_is_the_vendors_to_fetch(self, server):
        script(streamed("ok"))
        generate(server, "What is this?", "-i", "https://example.com/cat.png")

        _, image = content(server)
        assert image["image_url"]["url"] == "https://example.com/cat.png"


class TestSchema:
    @pytest.fixture(autouse=True)
    def file(self, tmp_path):
        (tmp_path / "s.json").write_text(json.dumps(SCHEMA))

    def test_the_answer_is_asked_for_and_printed_as_json(self, server, tmp_path):
        script(completion('{"name":"Ada","age":36}'))
        done = generate(server, "Who?", "--schema", "s.json", cwd=tmp_path)

        assert json.loads(done.stdout) == {"name": "Ada", "age": 36}
        assert "\n  " in done.stdout
        sent = json.loads(server.requests[-1].body)
        assert sent["response_format"]["json_schema"]["schema"]["required"] == ["name", "age"]

    def test_json_tells_the_value_too(self, server, tmp_path):
        script(completion('{"name":"Ada","age":36}'))
        done = generate(server, "Who?", "--schema", "s.json", "--json", cwd=tmp_path)

        assert json.loads(done.stdout)["parsed"] == {"name": "Ada", "age": 36}

    @pytest.mark.parametrize(
        ("text", "said"),
        [('{"name":"Ada","age":-1}', "not valid for the schema"), ("Ada", "is no JSON")],
    )
    def test_an_answer_that_does_not_fit(self, server, tmp_path, text, said):
        script(completion(text))
        done = generate(server, "Who?", "--schema", "s.json", cwd=tmp_path)

        assert (done.returncode, done.stdout) == (1, "")
        assert said in done.stderr
        assert text in done.stderr

    def test_offline_too(self, tmp_path):
        done = fairlead("generate", "--offline", "--schema", "s.json", "Who?", cwd=tmp_path)

        assert isinstance(json.loads(done.stdout)["name"], str)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-f", "nowhere.txt"], "nowhere.txt cannot be read"),
        (["-i", "notes.txt"], "notes.txt is no picture"),
        (["-i", "nowhere.png"], "nowhere.png cannot be read"),
        (["-f", "."], "cannot be read"),
        (["--schema", "notes.txt"], "notes.txt is no JSON"),
        (["--schema", "list.json"], "list.json is no JSON schema"),
        (["--schema", "nowhere.json"], "nowhere.json cannot be read"),
    ],
)
def test_what_cannot_go_with_a_prompt(tmp_path, arguments, said):
    (tmp_path / "notes.txt").write_text("words")
    (tmp_path / "list.json").write_text("[]")
    done = fairlead("generate", "--offline", "hi", *arguments, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
