import tempfile
from pathlib import Path

import pytest

from fairlead.adapters.tokenizers import vocabularies
from fairlead.adapters.tokenizers.vocabularies import (
    CL100K,
    O200K,
    VOCABULARIES,
    candidates,
    download_folder,
    folders,
    own_folder,
)

HOME = {"XDG_CACHE_HOME": "/cache"}


@pytest.fixture(autouse=True)
def _linux(monkeypatch):
    monkeypatch.setattr(vocabularies.sys, "platform", "linux")


def test_files_are_called_as_tiktoken_calls_them():
    assert O200K.key == "fb374d419588a4632f3f557e76b4b70aebbca790"
    assert CL100K.key == "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
    assert O200K.url.endswith("/o200k_base.tiktoken")


def test_tiktoken_itself_knows_the_same_hashes_and_patterns(monkeypatch):
    import tiktoken_ext.openai_public as public

    asked = {}
    monkeypatch.setattr(
        public, "load_tiktoken_bpe", lambda url, expected_hash: asked.update({url: expected_hash})
    )
    for vocabulary in VOCABULARIES:
        made = public.ENCODING_CONSTRUCTORS[vocabulary.encoding]()
        assert made["pat_str"] == vocabulary.pattern

    assert asked == {each.url: each.sha256 for each in VOCABULARIES}


@pytest.mark.parametrize(
    "environ, expected",
    [
        ({}, [tempfile.gettempdir() + "/data-gym-cache"]),
        ({"TIKTOKEN_CACHE_DIR": "/t", "DATA_GYM_CACHE_DIR": "/d"}, ["/t"]),
        ({"DATA_GYM_CACHE_DIR": "/d"}, ["/d"]),
        ({"TIKTOKEN_CACHE_DIR": "", "DATA_GYM_CACHE_DIR": "/d"}, []),
    ],
)
def test_they_are_looked_for_where_tiktoken_looks_and_then_in_our_cache(environ, expected):
    found = folders({**HOME, **environ})

    assert found == [*map(Path, expected), Path("/cache/fairlead/tokenizers")]


@pytest.mark.parametrize(
    "environ, expected",
    [
        ({}, "/cache/fairlead/tokenizers"),
        ({"TIKTOKEN_CACHE_DIR": "/t"}, "/t"),
        ({"TIKTOKEN_CACHE_DIR": ""}, "/cache/fairlead/tokenizers"),
        ({"DATA_GYM_CACHE_DIR": "/d"}, "/d"),
    ],
)
def test_a_download_goes_where_tiktoken_is_told_to_keep_its_own(environ, expected):
    assert download_folder({**HOME, **environ}) == Path(expected)


@pytest.mark.parametrize("environ", [{}, {"TIKTOKEN_CACHE_DIR": ""}, {"TIKTOKEN_CACHE_DIR": "/t"}])
def test_a_download_is_found_again(environ):
    assert download_folder({**HOME, **environ}) in folders({**HOME, **environ})


@pytest.mark.parametrize(
    "platform, environ, expected",
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/fairlead/tokenizers"),
        ("linux", {}, "/home/me/.cache/fairlead/tokenizers"),
        ("linux", {"XDG_CACHE_HOME": ""}, "/home/me/.cache/fairlead/tokenizers"),
        ("darwin", {}, "/home/me/Library/Caches/fairlead/tokenizers"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/fairlead/tokenizers"),
        ("win32", {}, "/home/me/AppData/Local/fairlead/tokenizers"),
    ],
)
def test_our_cache_is_where_the_platform_has_caches(monkeypatch, platform, environ, expected):
    monkeypatch.setattr(vocabularies.sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/me"))

    assert own_folder(environ) == Path(expected)


def test_a_folder_of_that_name_is_no_candidate(tmp_path):
    (tmp_path / O200K.key).mkdir()

    assert list(candidates(O200K, [tmp_path, tmp_path / "missing"])) == []
