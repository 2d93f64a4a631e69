"""Processes that fork, or are forked by multiprocessing."""

import asyncio
import multiprocessing
import os

import pytest

from tests.support.answers import LAST_CHUNK, completion, event, script, streamed
from tests.support.server import CHUNKED, chunk, path

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),  # of forks, from 3.12 on
]


@path("/two-halves/chat/completions")
async def two_halves(server, peer, request):
    """One word, and the other when somebody else has asked for something."""
    await peer.send(CHUNKED + chunk(event("one ")))
    before = len(server.requests)
    while len(server.requests) < before + 2:  # noqa: ASYNC110 - it knows no events
        await asyncio.sleep(0.005)
    await peer.send(chunk(event("two") + event(finish="stop") + b"data: [DONE]\n\n") + LAST_CHUNK)


PREAMBLE = """
    import gc, multiprocessing, os, sys, threading
    from fairlead import OpenAICompatibleProvider
    from fairlead.sync import SyncProvider

    url = sys.argv[1]
    make = lambda place="/v1": SyncProvider(
        OpenAICompatibleProvider(base_url=url + place, model="test")
    )
"""


def test_a_forked_child_calls_over_connections_of_its_own(run, server):
    script(completion("Ahoy."))
    program = run(
        PREAMBLE
        + """
    provider = make()
    print("parent", provider.generate("from the parent"), flush=True)
    pid = os.fork()
    if pid == 0:
        print("child", provider.generate("from the child"), flush=True)
        print("child", provider.generate("from the child"), flush=True)
        provider.close()
        sys.exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    print("parent", provider.generate("from the parent"), flush=True)
    provider.close()
    """,
        server.url(""),
    )

    assert program.end() == ["parent Ahoy.", "child Ahoy.", "child Ahoy.", "parent Ahoy."]
    connections = [request.connection for request in server.requests]
    assert connections[0] == connections[3]
    assert connections[1] == connections[2] != connections[0]


@pytest.mark.parametrize(
    "leaving",
    ["sys.exit(0)", "os._exit(0)", "del stream; gc.collect(); sys.exit(0)"],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_stream_goes_on_in_the_parent_whatever_the_child_does(
    run, server, leaving, scheme, tmp_path
):
    script(completion("Ahoy."))
    authority = tmp_path / "authority.pem"
    server.authority.cert_pem.write_to_path(authority)
    program = run(
        PREAMBLE
        + f"""
    os.environ["SSL_CERT_FILE"] = sys.argv[2]
    provider, other = make("/two-halves"), make()
    stream = provider.generate_stream("count")
    print(next(stream), flush=True)
    pid = os.fork()
    if pid == 0:
        try:
            next(stream)
        except RuntimeError as error:
            print("child", error, flush=True)
        try:
            stream.close()
        except RuntimeError:
            pass
        print("child", other.generate("hi"), flush=True)
        provider.close(), other.close()
        {leaving}
    assert os.waitpid(pid, 0)[1] == 0
    print("parent", other.generate("hi"), flush=True)
    print("parent", list(stream), stream.generation, flush=True)
    provider.close(), other.close()
    """,
        server.url("", port=scheme),
        str(authority),
    )

    lines = program.end()
    assert lines[0] == "one "
    assert "before os.fork()" in lines[1]
    assert lines[2:] == ["child Ahoy.", "parent Ahoy.", "parent ['two'] one two"]


def test_forking_while_other_threads_call(run, server):
    script(completion("Ahoy."))
    program = run(
        PREAMBLE
        + """
    provider = make()
    done = threading.Event()

    def busy():
        while not done.is_set():
            provider.generate("busy")

    threads = [threading.Thread(target=busy) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):  # the first of them while the others still import what they need
        pid = os.fork()
        if pid == 0:
            assert provider.generate("from the child") == "Ahoy."
            provider.close()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    done.set()
    for thread in threads:
        thread.join()
    provider.close()
    print("done")
    """,
        server.url(""),
    )

    assert program.end() == ["done"]


def test_forking_while_the_loop_imports_something(run, tmp_path):
    """Nobody would ever release the lock round that import in the child."""
    (tmp_path / "slow.py").write_text("import __main__\n__main__.slowly()\n", "utf-8")
    program = run(
        """
    import os, signal, sys, threading, time
    from fairlead.sync import SyncProvider

    sys.path.insert(0, sys.argv[1])
    importing = threading.Event()

    def slowly():
        importing.set()
        time.sleep(0.2)

    class Importing:
        async def generate(self, prompt):
            import slow
            return slow.__name__

    provider = SyncProvider(Importing())
    thread = threading.Thread(target=provider.generate, args=["hi"])
    thread.start()
    importing.wait()
    pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        import slow

        print(provider.generate("hi"), flush=True)
        os._exit(0)
    print(os.waitpid(pid, 0)[1], flush=True)
    thread.join()
    provider.close()
    """,
        str(tmp_path),
    )

    assert program.end() == ["slow", "0"]


def test_a_fork_before_the_first_call(run, server):
    script(completion("Ahoy."))
    program = run(
        PREAMBLE
        + """
    provider = make()
    pid = os.fork()
    print(provider.generate("hi"), flush=True)
    provider.close()
    if pid:
        assert os.waitpid(pid, 0)[1] == 0
    """,
        server.url(""),
    )

    assert program.end() == ["Ahoy.", "Ahoy."]


def ask(url):
    from fairlead import OpenAICompatibleProvider
    from fairlead.sync import SyncProvider

    with SyncProvider(OpenAICompatibleProvider(base_url=url, model="test")) as provider:
        return str(provider.generate("hi")), list(provider.generate_stream("count"))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_multiprocessing_call(server, method):
    script(*[completion("Ahoy."), streamed("one ", "two")] * 3)
    expected = ("Ahoy.", ["one ", "two"])
    url = server.url("/v1")

    assert ask(url) == expected
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply(ask, (url,)) == expected
    assert ask(url) == expected
