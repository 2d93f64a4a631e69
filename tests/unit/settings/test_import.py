"""What settings cost to those who need none of them."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys
import fairlead.settings
from tests.unit.settings.samples import Retry
raw = fairlead.settings.load(environ={"PROVIDER_MAX_RETRIES": "3"}, arguments={"retry": {}})
assert fairlead.settings.resolve(raw, "retry", Retry).model.max_retries == 3
print(*sys.modules)
"""


@pytest.fixture(scope="module")
def modules():
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return set(finished.stdout.split())


@pytest.mark.parametrize("heavy", ["yaml", "tomllib", "json.tool", "jsonschema", "httpx", "anyio"])
def test_the_environment_alone_needs_no_reader_of_files(modules, heavy):
    assert heavy not in modules


def test_files_are_read_by_modules_of_their_own(modules):
    readers = {"yaml", "toml", "json", "python", "dotenv"}

    assert not modules & {f"fairlead.settings.{reader}" for reader in readers}
