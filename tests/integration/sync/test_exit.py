"""How programs end that have made calls: quietly, soon, and with their connections closed."""

import pytest

from tests.support.answers import Answer, completion, event, script

PREAMBLE = """
    import sys, threading
    from fairlead import OpenAICompatibleProvider
    from fairlead.sync import SyncProvider

    make = lambda: SyncProvider(OpenAICompatibleProvider(base_url=sys.argv[1], model="test"))
"""


def test_after_closing(run, server):
    script(completion("Ahoy."))
    program = run(
        PREAMBLE
        + """
    with make() as provider:
        print(provider.generate("hi"))
    """,
        server.url("/v1"),
    )

    assert program.end() == ["Ahoy."]


UNCLOSED = {
    "synchronous": """
    provider = make()
    print(provider.generate("hi"))
    """,
    "asynchronous": """
    import asyncio

    provider = make().inner
    print(asyncio.run(provider.generate("hi")))
    """,
}


@pytest.mark.parametrize("kind", UNCLOSED)
def test_without_closing_both_kinds_are_equally_quiet(run, server, kind):
    script(completion("Ahoy."))
    program = run(PREAMBLE + UNCLOSED[kind], server.url("/v1"))

    assert program.end() == ["Ahoy."]
    server.wait_until(lambda: server.open_connections == 0)


def test_with_a_stream_that_is_still_open(run, server):
    script(Answer([event("one ")], ending="stall"))
    program = run(
        PREAMBLE
        + """
    provider = make()
    stream = provider.generate_stream("hi")
    print(next(stream))
    """,
        server.url("/v1"),
    )

    assert program.end() == ["one "]
    server.wait_until(lambda: server.open_connections == 0)


@pytest.mark.parametrize("call", ['generate("hi")', 'generate_stream("hi").collect()'])
def test_while_daemon_threads_are_in_calls(run, server, call):
    script(Answer([event("one ")], ending="stall"))
    program = run(
        PREAMBLE
        + f"""
    provider = make()
    for _ in range(3):
        threading.Thread(target=lambda: provider.{call}, daemon=True).start()
    input()
    print("over")
    """,
        server.url("/v1"),
    )

    server.wait_until(lambda: len(server.requests) == 3, 20)
    program.say()
    assert program.end() == ["over"]
    server.wait_until(lambda: server.open_connections == 0)


def test_while_daemon_threads_make_one_call_after_the_other(run, server):
    script(completion("Ahoy."))
    program = run(
        PREAMBLE
        + """
    provider = make()

    def busy():
        while True:
            provider.generate("hi")

    for _ in range(4):
        threading.Thread(target=busy, daemon=True).start()
    input()
    """,
        server.url("/v1"),
    )

    server.wait_until(lambda: len(server.requests) > 50, 20)
    program.say()
    assert program.end() == []


def test_threads_that_are_no_daemons_finish_first(run, server):
    script(completion("Ahoy."))
    program = run(
        PREAMBLE
        + """
    provider = make()

    def later():
        threading.main_thread().join()
        print(provider.generate("hi"))
        provider.close()

    threading.Thread(target=later).start()
    """,
        server.url("/v1"),
    )

    assert program.end() == ["Ahoy."]


def test_a_call_when_all_is_over_says_so(run, server):
    script(completion("Ahoy."))
    program = run(
        """
    import atexit

    def late():
        try:
            provider.generate("hi")
        except RuntimeError as error:
            print(error)

    atexit.register(late)
    """
        + PREAMBLE
        + """
    provider = make()
    print(provider.generate("hi"))
    """,
        server.url("/v1"),
    )

    first, second = program.end()
    assert first == "Ahoy."
    assert "the program is ending" in second


def test_importing_it_starts_nothing(run):
    program = run(
        """
    import threading
    import fairlead.sync

    print(threading.active_count())
    """
    )

    assert program.end() == ["1"]
