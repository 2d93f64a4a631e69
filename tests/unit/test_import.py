"""`import fairlead` costs next to nothing and does nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fairlead

WATCHED = """
import json, os, sys, threading

touched = []


def watch(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.putenv", "os.unsetenv")):
        touched.append(event)
    if event == "open" and not str(arguments[0]).endswith((".py", ".pyc")):
        touched.append(f"open {arguments[0]}")


environment, modules = dict(os.environ), set(sys.modules)
sys.addaudithook(watch)
import fairlead

print(
    json.dumps(
        {
            "touched": touched,
            "modules": sorted(set(sys.modules) - modules),
            "threads": threading.active_count(),
            "environment": dict(os.environ) == environment,
        }
    )
)
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / ".env").write_text("OPENAI_API_KEY=of-the-file\n")
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", WATCHED],
        check=True,
        capture_output=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(fairlead.__file__).parents[1])},
    )
    return json.loads(finished.stdout)


def test_it_loads_no_third_party_module(report):
    foreign = {name.partition(".")[0] for name in report["modules"]} - {"fairlead"}

    assert not {name for name in foreign if name not in sys.stdlib_module_names}


@pytest.mark.parametrize("heavy", ["asyncio", "ssl", "socket", "inspect", "logging", "dataclasses"])
def test_it_loads_nothing_heavy_of_the_standard_library(report, heavy):
    assert heavy not in report["modules"]


def test_it_opens_nothing_and_asks_nobody(report):
    assert report["touched"] == []


def test_it_starts_no_thread(report):
    assert report["threads"] == 1


def test_it_leaves_the_environment_alone(report):
    assert report["environment"]


@pytest.mark.parametrize("name", fairlead.__all__)
def test_every_public_name_is_there(name):
    assert getattr(fairlead, name) is not None
    assert name in dir(fairlead)


def test_public_names_are_told_once():
    assert len(set(fairlead.__all__)) == len(fairlead.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = fairlead.no_such_name


def test_a_pipeline_by_hand_does_without_settings():
    program = (
        "import sys\n"
        "from fairlead import OpenAICompatibleProvider, default_pipeline\n"
        "default_pipeline(OpenAICompatibleProvider(base_url='http://localhost:1', model='m'))\n"
        "print(*{'pydantic', 'pydantic_settings', 'dependency_injector', 'structlog', 'yaml'}"
        " & sys.modules.keys())"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert not told.stdout.split()
