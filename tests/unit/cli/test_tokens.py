import io
import json
import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from typer.testing import CliRunner

from fairlead.adapters.tokenizers import vocabularies
from fairlead.adapters.tokenizers.vocabularies import O200K
from fairlead.cli.tokens import _progress, app
from fairlead.core.errors import ConfigurationError
from tests.support.vocabulary import DATA, TINY


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / TINY.filename).write_bytes(DATA)
    return folder


@pytest.fixture
def mirror(files):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=files)) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(vocabularies, "VOCABULARIES", (TINY,))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache"


def run(*arguments):
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


@pytest.mark.parametrize("named", [(), ("tiny_base",), ("tiny",)])
def test_what_is_fetched_is_there(mirror, cache, named):
    finished = run("fetch", *named, "--mirror", mirror)

    assert finished.exit_code == 0
    assert finished.stdout == f"tiny_base is there now: {cache / TINY.key}\n"
    assert (cache / TINY.key).read_bytes() == DATA
    assert list(cache.iterdir()) == [cache / TINY.key]


def test_the_file_may_be_read_by_others(mirror, cache):
    """As any file that is downloaded: an image is built by one user and run by another."""
    run("fetch", "--mirror", mirror)

    assert (cache / TINY.key).stat().st_mode & 0o044 == 0o044


def test_it_goes_into_the_folder_that_is_named(mirror, tmp_path):
    run("fetch", "--mirror", f"{mirror}/", "--to", tmp_path / "here")

    assert (tmp_path / "here" / TINY.key).read_bytes() == DATA


def test_what_is_there_is_not_fetched_again(cache):
    cache.mkdir()
    (cache / TINY.key).write_bytes(DATA)

    assert "is there already" in run("fetch", "--mirror", "http://127.0.0.1:9").stdout


def test_what_is_damaged_is_fetched_anew(mirror, cache):
    cache.mkdir()
    (cache / TINY.key).write_bytes(DATA[:-1])
    run("fetch", "--mirror", mirror)

    assert (cache / TINY.key).read_bytes() == DATA


@pytest.mark.parametrize(
    "sent, complaint",
    [
        (DATA[:-1], "its hash is another; nothing is kept"),
        (DATA + b"x", r"sends more than the [\d,]+ bytes"),
        (DATA[:-1] + b"x", "its hash is another"),
        (b"", "its hash is another"),
    ],
)
def test_what_is_not_what_it_should_be_is_not_kept(mirror, files, cache, sent, complaint):
    (files / TINY.filename).write_bytes(sent)

    with pytest.raises(OSError, match=complaint):
        run("fetch", "--mirror", mirror)
    assert not cache.exists() or not list(cache.iterdir())


def test_a_server_that_does_not_have_it_is_named(mirror, files):
    (files / TINY.filename).unlink()

    with pytest.raises(OSError, match=rf"{mirror}/tiny_base.tiktoken could not be fetched: .*"):
        run("fetch", "--mirror", mirror)


def test_a_body_that_is_cut_is_an_error(mirror, monkeypatch):
    def cut(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"ff\r\nhalf of")

    monkeypatch.setattr(Silent, "protocol_version", "HTTP/1.1")
    monkeypatch.setattr(Silent, "do_GET", cut)
    monkeypatch.setattr(Silent, "close_connection", True, raising=False)

    with pytest.raises(OSError, match=r"tiny_base.tiktoken was cut: IncompleteRead"):
        run("fetch", "--mirror", mirror)


def test_nobody_there_is_an_error_in_a_line():
    with pytest.raises(OSError, match=r"could not be fetched: .*refused") as caught:
        run("fetch", "--mirror", "http://127.0.0.1:9")
    assert "\n" not in str(caught.value)


def test_a_mirror_far_away_has_to_speak_https():
    with pytest.raises(ConfigurationError, match="plain http"):
        run("fetch", "--mirror", "http://mirror.example.com")


def test_a_wrong_name_gets_the_nearest():
    with pytest.raises(
        ConfigurationError, match=r"no encoding 'tiny_bsae'; did you mean tiny_base\?"
    ):
        run("fetch", "tiny_bsae")
    with pytest.raises(ConfigurationError, match="no encoding 'qqqq'; there are tiny_base"):
        run("fetch", "qqqq")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_how_far_it_is():
    terminal = Terminal()
    progress = _progress(O200K, terminal)
    for received in (65_536, 1_850_000, O200K.size):
        progress(received)

    assert terminal.getvalue().split("\r") == [
        "",
        "o200k_base: 0.1 of 3.6 MB",
        "o200k_base: 1.9 of 3.6 MB",
        "o200k_base: 3.6 of 3.6 MB\n",
    ]


def test_a_file_sees_nothing_of_it():
    file = io.StringIO()
    _progress(O200K, file)(1000)

    assert not file.getvalue()


def test_a_list_says_what_is_here_what_is_damaged_and_what_is_not(cache):
    missing = run("list").stdout
    cache.mkdir()
    (cache / TINY.key).write_bytes(b"damaged")
    damaged = run("list").stdout
    (cache / TINY.key).write_bytes(DATA)
    here = run("list").stdout

    assert missing == "tiny_base: not here, 0.0 MB; counts are estimates\n"
    assert damaged == f"tiny_base: damaged: {cache / TINY.key}; fetch it anew\n"
    assert here == f"tiny_base: {cache / TINY.key}\n"


def test_a_list_for_programs(cache):
    missing = json.loads(run("list", "--json").stdout)
    cache.mkdir()
    (cache / TINY.key).write_bytes(DATA)
    here = json.loads(run("list", "--json").stdout)

    assert missing == [{"encoding": "tiny_base", "path": None}]
    assert here == [{"encoding": "tiny_base", "path": str(cache / TINY.key)}]


def test_where_says_in_which_folders(cache, tmp_path):
    lines = run("where").stdout.splitlines()

    assert lines == [
        f"{cache}  (downloads go here)",
        str(tmp_path / "own/fairlead/tokenizers"),
    ]


@pytest.mark.parametrize("command", [(), ("fetch",), ("list",), ("where",)])
def test_help_has_an_example(command):
    shown = run(*command, "--help").stdout

    assert re.search(rf"For example:\s+fairlead tokens {' '.join(command)}", shown)
