"""
Every snippet of README.md and docs/, and every program of examples/, runs.

Each page and program runs in a process of its own, without keys, without a network, and in an
empty folder; a warning is a failure. How a page marks its snippets stands in `pages.py`.
"""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.docs.pages import RUNNABLE, blocks

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [
    page
    for page in [README, *sorted((ROOT / "docs").rglob("*.md"))]
    if any(block.language in RUNNABLE for block in blocks(page))
]
SKIPPED = [block for page in PAGES for block in blocks(page) if block.skip]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SECONDS = 60


def name_of(item):
    return (getattr(item, "page", None) or item).relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_snippets_of_a_page_run(page, tmp_path):
    run_offline(tmp_path, "-m", "tests.docs.pages", page)


@pytest.mark.parametrize("block", SKIPPED, ids=lambda block: f"{name_of(block)}:{block.line}")
def test_a_snippet_is_skipped_for_a_reason(block):
    pytest.skip(f"the page says: {block.skip}")


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_an_example_runs(example, tmp_path):
    run_offline(tmp_path, example)


def test_the_readme_shows_code():
    assert any(block.language == "python" for block in blocks(README))


def test_ci_runs_the_test_command_of_the_readme():
    shown = [
        line.removeprefix("$ ")
        for block in blocks(README)
        for line in block.body.splitlines()
        if line.endswith("nox -s tests-3.11")
    ]

    assert len(shown) == 1
    assert shown[0] in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


def run_offline(folder, *arguments):
    finished = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=folder,
        env={
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join(
                map(str, [ROOT / "tests/docs/unreachable", ROOT, ROOT / "src"])
            ),
            "PYTHONWARNINGS": "error",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
    )

    told = finished.stdout + finished.stderr
    assert finished.returncode == 0, told
    assert not re.search(r"\w+Warning\b", finished.stderr), told
