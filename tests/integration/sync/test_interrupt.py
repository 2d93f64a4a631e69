"""Ctrl-C, pressed by the operating system."""

import signal

import pytest

from tests.support.answers import Answer, completion, event, script

PREAMBLE = """
    import sys
    from fairlead import OpenAICompatibleProvider
    from fairlead.sync import SyncProvider

    provider = SyncProvider(OpenAICompatibleProvider(base_url=sys.argv[1], model="test"))
"""


@pytest.mark.parametrize(
    ("call", "pieces"),
    [
        ('provider.generate("hi")', []),
        ('provider.embed(["hi"], model="vectors")', []),
        ('list(provider.generate_stream("hi"))', []),
        ('list(provider.generate_stream("hi"))', [event("one ")]),
        ('provider.generate_stream("hi").collect()', [event("one ")]),
    ],
)
def test_it_cancels_the_call_behind_it_and_the_next_one_works(run, server, call, pieces):
    script(Answer(pieces, ending="stall"), completion("Ahoy."))
    program = run(
        PREAMBLE
        + f"""
    try:
        {call}
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    input()
    print(provider.generate("hi"))
    provider.close()
    """,
        server.url("/v1"),
    )

    server.wait_until(lambda: len(server.requests) == 1, 20)
    program.process.send_signal(signal.SIGINT)
    assert program.line() == "interrupted"
    server.wait_until(lambda: server.open_connections == 0)
    program.say()
    assert program.end() == ["Ahoy."]


def test_unhandled_it_ends_the_program_as_it_ends_any(run, server):
    script(Answer([event("one ")], ending="stall"))
    program = run(
        PREAMBLE
        + """
    for text in provider.generate_stream("hi"):
        print(text, flush=True)
    """,
        server.url("/v1"),
    )

    assert program.line() == "one "
    program.process.send_signal(signal.SIGINT)
    _, told = program.process.communicate(timeout=20)
    assert told.rstrip().endswith("KeyboardInterrupt")
    assert "Exception ignored" not in told
    assert "ResourceWarning" not in told
    assert program.process.returncode == -signal.SIGINT
    server.wait_until(lambda: server.open_connections == 0)
