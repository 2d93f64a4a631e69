import json
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from fairlead.adapters.providers.offline import OfflineProvider
from fairlead.adapters.tokenizers import tiktoken
from fairlead.adapters.tokenizers.tiktoken import BackgroundTokenizers, load, load_in_thread
from fairlead.adapters.tokenizers.vocabularies import VOCABULARIES
from fairlead.core.models import ModelInfo
from tests.support.vocabulary import DATA, TINY

TEXTS = Path(__file__).parents[3] / "support/texts"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / TINY.key).write_bytes(DATA)
    return tmp_path


@pytest.fixture(autouse=True)
def _nowhere_else(tmp_path_factory, monkeypatch):
    """No vocabulary of whoever runs the tests."""
    nothing = tmp_path_factory.mktemp("nothing")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(nothing / "tiktoken"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(nothing / "own"))
    monkeypatch.setenv("LOCALAPPDATA", str(nothing / "own"))
    monkeypatch.setattr(Path, "home", lambda: nothing)


def tiny(folder):
    return load("tiny", places=[folder], vocabularies=[TINY])


@pytest.mark.parametrize(
    "text, tokens",
    [("", 0), ("hello world", 2), ("hell", 1), ("held", 2), ("heal", 3), ("中", 3), ("hello 1", 3)],
)
def test_it_counts_as_the_vocabulary_says(folder, text, tokens):
    assert tiny(folder).count(text) == tokens
    assert tiny(folder).family == "tiny"


def test_special_tokens_and_lone_surrogates_are_text_like_any_other(folder):
    assert tiny(folder).count("<|endoftext|>") > 1
    assert tiny(folder).count("\ud800") > 0


@pytest.mark.parametrize("family", [each.family for each in VOCABULARIES])
def test_what_is_not_on_disk_is_not_there(family):
    assert load(family) is None


def test_an_unknown_family_is_not_there():
    assert load("nobody-knows") is None


@pytest.mark.parametrize("damaged", [DATA[:-1], DATA + b"\n", b"", DATA.replace(b"256", b"999")])
def test_a_damaged_file_is_not_used_and_left_alone(folder, damaged):
    (folder / TINY.key).write_bytes(damaged)

    assert tiny(folder) is None
    assert (folder / TINY.key).read_bytes() == damaged


def test_behind_a_damaged_file_another_folder_is_looked_at(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / TINY.key).write_bytes(b"damaged")

    found = load(
        "tiny", places=[other, tmp_path_factory.mktemp("empty"), folder], vocabularies=[TINY]
    )

    assert found is not None


def test_a_file_that_cannot_be_read_is_not_there(folder, monkeypatch):
    def unreadable(path):
        raise PermissionError(path)

    monkeypatch.setattr(Path, "read_bytes", unreadable)

    assert tiny(folder) is None


NETWORKLESS = """
import socket, sys

def refuse(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo"}:
        raise SystemExit(f"asked for {arguments}")

sys.addaudithook(refuse)
from fairlead.adapters.tokenizers.tiktoken import BackgroundTokenizers, load
from fairlead.adapters.tokenizers.vocabularies import VOCABULARIES

loaded = [load(each.family) for each in VOCABULARIES]
background = BackgroundTokenizers()
for each in VOCABULARIES:
    background.start(each.family)
background.wait()
assert loaded == [None, None], loaded
assert "tiktoken" not in sys.modules and "requests" not in sys.modules
"""


def test_nothing_is_ever_downloaded_nor_tiktoken_imported_for_what_is_not_there():
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", NETWORKLESS],
        check=False,
        capture_output=True,
        text=True,
    )

    assert finished.returncode == 0, finished.stderr


@pytest.mark.anyio
async def test_it_loads_in_a_thread(folder):
    threads = []

    def places():
        threads.append(threading.get_ident())
        yield folder

    tokenizer = await load_in_thread("tiny", places=places(), vocabularies=[TINY])

    assert tokenizer.count("hello world") == 2
    assert threads != [threading.get_ident()]


class Provider(OfflineProvider):
    model = ModelInfo(name="m", tokenizer="tiny")


def background(*places):
    return BackgroundTokenizers(places=places, vocabularies=[TINY])


def test_until_it_is_there_an_estimate_answers(folder):
    provider, provider.tokenizers = (made := Provider()), background(folder)
    before = provider.count_tokens("hello world")
    made.tokenizers.start("tiny")
    made.tokenizers.wait()
    after = provider.count_tokens("hello world")

    assert before.exact is False
    assert (after, after.exact) == (2, True)


def test_a_dictionary_of_tokenizers_will_do_too(folder):
    provider = Provider()
    provider.tokenizers = {"tiny": tiny(folder)}

    assert provider.count_tokens("hello world").exact
    assert OfflineProvider().count_tokens("hello world").exact is False


def test_it_is_loaded_once_however_often_it_is_asked_for(folder):
    tokenizers = background(folder)
    for _ in range(3):
        tokenizers.start("tiny")
    tokenizers.wait()

    first = tokenizers.get("tiny")
    tokenizers.start("tiny")
    tokenizers.wait()
    assert tokenizers.get("tiny") is first


@pytest.mark.parametrize("family", [None, "", "nobody-knows"])
def test_what_nobody_knows_is_not_begun(folder, family):
    threads = threading.active_count()
    background(folder).start(family)

    assert threading.active_count() == threads


def test_without_a_file_no_thread_is_begun(tmp_path):
    threads = threading.active_count()
    tokenizers = background(tmp_path)
    tokenizers.start("tiny")

    assert threading.active_count() == threads
    assert tokenizers.get("tiny") is None


def test_a_file_that_appears_later_is_found_by_the_next_start(tmp_path):
    tokenizers = background(tmp_path)
    tokenizers.start("tiny")
    (tmp_path / TINY.key).write_bytes(DATA)
    tokenizers.start("tiny")
    tokenizers.wait()

    assert tokenizers.get("tiny") is not None


def test_what_fails_in_the_thread_is_kept_and_the_estimate_goes_on(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    tokenizers = background(folder)
    tokenizers.start("tiny")
    tokenizers.wait()

    assert tokenizers.get("tiny") is None
    assert isinstance(tokenizers.failures["tiny"], ImportError)


@pytest.mark.parametrize("moments", [[True], [False, True]])
def test_once_the_program_is_over_nothing_more_is_loaded(folder, monkeypatch, moments):
    monkeypatch.setattr(tiktoken, "_over", partial(moments.pop, 0))
    tokenizers = background(folder)
    tokenizers.start("tiny")
    tokenizers.wait()

    assert not moments
    assert tokenizers.get("tiny") is None
    assert not tokenizers.failures


def test_two_that_start_it_at_once_start_it_once(folder):
    tokenizers, barrier = background(folder), threading.Barrier(8)

    def start():
        barrier.wait()
        tokenizers.start("tiny")

    starting = [threading.Thread(target=start) for _ in range(8)]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join()
    tokenizers.wait()

    assert len(tokenizers._threads) == 1
    assert tokenizers.get("tiny").count("hello") == 1


AT_EXIT = """
import sys
from pathlib import Path
from fairlead.adapters.tokenizers.tiktoken import BackgroundTokenizers
from tests.support.vocabulary import TINY

BackgroundTokenizers(places=[Path(sys.argv[1])], vocabularies=[TINY]).start("tiny")
"""


def test_a_program_that_ends_meanwhile_ends_well(folder):
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", AT_EXIT, folder],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[4],
    )

    assert (finished.returncode, finished.stderr) == (0, "")


def test_real_vocabularies_count_as_tiktoken_does(monkeypatch):
    monkeypatch.undo()
    counted = json.loads((TEXTS / "counts.json").read_text("utf-8"))
    families = [each.family for each in VOCABULARIES]
    loaded = {family: load(family) for family in families}
    if None in loaded.values():
        pytest.skip("the vocabularies are not here: fairlead tokens fetch")
    from tiktoken import get_encoding  # which does not download what is there

    for vocabulary in VOCABULARIES:
        encoding = get_encoding(vocabulary.encoding)
        for kind in counted:
            text = (TEXTS / f"{kind}.txt").read_bytes().decode()
            count = loaded[vocabulary.family].count(text)
            assert count == len(encoding.encode_ordinary(text)) <= len(text.encode())
