import subprocess
import sys

import pytest

import fairlead.testing

PROGRAM = """
import sys, fairlead.testing
from fairlead.testing import CUT, Pause, ScriptedProvider, VirtualTimeLoop, virtual_time_backend
print(*{"pytest", "trio", "httpx"} & sys.modules.keys())
"""


def test_only_the_contract_and_the_plugin_need_pytest():
    command = [sys.executable, "-c", PROGRAM]
    ran = subprocess.run(command, capture_output=True, text=True, env=ENV, check=False)

    assert ran.stderr == ""
    assert ran.stdout.strip() == ""


@pytest.mark.parametrize("name", fairlead.testing.__all__)
def test_every_public_name_is_there(name):
    assert getattr(fairlead.testing, name) is not None


def test_no_other_name_is():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = fairlead.testing.nonsense


ENV = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
