"""The plugin, in test runs of its own."""

import os
import sys

import pytest

pytest_plugins = ["pytester"]

HEAD = """
import os, socket
import anyio, pytest
from fairlead.testing import ProviderContract, ScriptedProvider
from fairlead.core.models import ModelInfo
"""


@pytest.fixture
def run(pytester):
    pytester.makeconftest('pytest_plugins = ["fairlead.testing.plugin"]')
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")

    def run(source, *arguments, how=pytester.runpytest_inprocess):
        pytester.makepyfile(HEAD + source)
        return how("-p", "no:cacheprovider", *arguments)

    return run


def test_marked_tests_run_in_virtual_time_on_both_loops(run):
    result = run(
        """
@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_it(anyio_backend_name):
    print("ran on", anyio_backend_name)
    await anyio.sleep(3600)

@pytest.mark.anyio
async def test_real():
    assert anyio.current_time() > 5
""",
        "--strict-markers",
        "-s",
    )

    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*ran on asyncio*", "*ran on trio*"])


def test_a_test_that_waits_for_ever_fails(run):
    result = run("""
@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_it():
    await anyio.Event().wait()
""")

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*DeadlockError: all tasks wait*", "*DeadlockError: all tasks*"])


def test_a_connection_to_elsewhere_fails_the_test_even_if_it_is_swallowed(
    run, pytester, monkeypatch
):
    # In a process of its own, as the sockets of this one are guarded.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    result = run(
        """
@pytest.fixture(autouse=True)
def guard(no_network): ...

@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80)])
def test_swallowed(address):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as one:
        try:
            one.connect(address)
        except BaseException as error:
            print(type(error).__name__, error)

def test_names():
    with pytest.raises(AssertionError):
        socket.getaddrinfo("example.com", 80)

@pytest.mark.anyio
async def test_async():
    with pytest.raises(Exception):
        await anyio.connect_tcp("192.0.2.1", 80)
""",
        "-s",
        how=pytester.runpytest_subprocess,
    )

    # The tests themselves pass; the guard fails each of them when it is over.
    result.assert_outcomes(passed=5, errors=5)
    result.stdout.fnmatch_lines(["*NetworkBlockedError*192.0.2.1*"])


def test_this_machine_may_be_talked_to(run):
    result = run("""
@pytest.mark.anyio
async def test_it(no_network):
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        for host in ("127.0.0.1", "localhost"):
            async with await anyio.connect_tcp(host, port):
                pass
""")

    result.assert_outcomes(passed=2)


def test_keys_are_hidden(run, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("SOMEBODY_API_KEY", "secret")
    monkeypatch.setenv("FAIRLEAD_PROVIDER", "openai")
    monkeypatch.setenv("HARMLESS", "kept")
    result = run("""
def test_it(no_keys):
    assert "secret" not in os.environ.values()
    assert "FAIRLEAD_PROVIDER" not in os.environ
    assert os.environ["HARMLESS"] == "kept"
""")

    result.assert_outcomes(passed=1)


def test_a_script_has_to_be_played(run):
    result = run("""
@pytest.mark.anyio
async def test_played(scripted):
    assert await scripted(["one"]).generate("Hello?") == "one"

@pytest.mark.anyio
async def test_left(scripted):
    assert await scripted(["one", "two"]).generate("Hello?") == "one"

@pytest.mark.anyio
async def test_open(scripted):
    stream = await scripted("one").generate_stream("Hello?")
    test_open.stream = stream
""")

    result.assert_outcomes(passed=6, errors=4)
    result.stdout.fnmatch_lines(["*1 answers of the script were never*", "*1 streams were left*"])


def test_a_contract_is_inherited_with_one_method(run):
    result = run(
        """
class TestMine(ProviderContract):
    embeds = False

    def make_provider(self):
        return ScriptedProvider("ok", model=ModelInfo(name="m"))
""",
        "-q",
    )

    outcomes = result.parseoutcomes()
    assert outcomes["passed"] > 60
    assert not {"failed", "errors"} & outcomes.keys()


FAULTS = {
    "an_answer_is_its_text": "async def generate(self, prompt, **o): return str(prompt)",
    "in_their_order": "async def embed_batch(self, texts, **o): return [[1.0] for _ in texts]",
    "tokens_are_counted": "def count_tokens(self, text): return 5",
    "checks_what_it_is": "def generate_stream(self, p, **o): return super().generate_stream(p)",
    "leaving_early": "def _closed(self): raise ValueError",
    "closed_twice": "async def aclose(self): self.__class__.aclose = None",
    "after_a_failure": "async def generate(self, prompt, **o): return 'No.'",
    "side_by_side": """async def generate(self, prompt, **o):
        return await super().generate(prompt, **{**o, "request_id": "the same"})""",
    "answer_can_be_left": """async def generate(self, prompt, **o):
        with anyio.CancelScope(shield=True), anyio.move_on_after(1):
            return await super().generate(prompt, **o)""",
}


def test_a_broken_provider_does_not_pass(run):
    broken = [
        f"""
class Broken{index}(ScriptedProvider):
    {fault}

@pytest.mark.virtual_time
class TestBroken{index}(ProviderContract):
    def make_provider(self):
        return Broken{index}("ok")

    def make_scripted(self, *answers):
        return Broken{index}(chain(answers[:-1], repeat(answers[-1])))
"""
        for index, fault in enumerate(FAULTS.values())
    ]
    source = "from itertools import chain, repeat\n" + "".join(broken)
    result = run(source, "-q", "-rf", "-k", " or ".join(FAULTS))

    failed = [line for line in result.outlines if line.startswith("FAILED")]
    for index, name in enumerate(FAULTS):
        both = [line for line in failed if f"TestBroken{index}::" in line and name in line]
        assert len(both) >= 2, f"the contract does not notice: {FAULTS[name]}"
