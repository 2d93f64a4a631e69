"""Streams over real connections."""

import gc
import threading

import pytest

from fairlead import OpenAICompatibleProvider, StreamInterruptedError
from fairlead.sync import SyncProvider
from tests.support.answers import DONE, Answer, completion, event, script, streamed


@pytest.fixture
def provider(server):
    with SyncProvider(OpenAICompatibleProvider(base_url=server.url("/v1"), model="test")) as made:
        yield made


def closed(server):
    server.wait_until(lambda: server.open_connections == 0)


def test_calls_share_their_connection(provider, server):
    script(completion("Ahoy."), streamed("one ", "two"), completion("Ahoy."))

    assert provider.generate("hi") == "Ahoy."
    assert list(provider.generate_stream("count")) == ["one ", "two"]
    assert provider.generate("hi") == "Ahoy."
    assert server.connections == 1


def test_closing_it_closes_its_connections(server):
    script(completion("Ahoy."))
    with SyncProvider(OpenAICompatibleProvider(base_url=server.url("/v1"), model="test")) as made:
        made.generate("hi")
        assert server.open_connections == 1

    closed(server)


def test_each_word_is_there_at_once(provider, server):
    script(Answer([event("one ")], ending="stall"))
    stream = provider.generate_stream("count")

    assert next(stream) == "one "
    assert server.open_connections == 1
    stream.close()
    closed(server)


def test_leaving_the_block_or_the_loop_or_dropping_it_closes_the_connection(provider, server):
    script(Answer([event("one "), event("two ")], ending="stall"))

    with provider.generate_stream("count") as stream:
        next(stream)
    closed(server)
    for _ in provider.generate_stream("count"):
        break
    closed(server)
    held = [provider.generate_stream("count")]
    next(held[0])
    held.append(held)
    del held
    gc.collect()
    closed(server)


@pytest.mark.parametrize("pieces", [[event("one ")], []], ids=["reading", "opening"])
def test_another_thread_cancels_it(provider, server, pieces):
    script(Answer(pieces, ending="stall"))
    stream, words = provider.generate_stream("count"), []
    reader = threading.Thread(target=lambda: words.extend(stream))
    reader.start()
    server.wait_until(lambda: len(server.requests) == 1 and len(words) == len(pieces))
    stream.cancel()
    reader.join(5)

    assert not reader.is_alive()
    closed(server)


def test_a_connection_that_breaks_is_an_interruption(provider, server):
    script(Answer([event("one ")], ending="cut"))
    words = []

    with pytest.raises(StreamInterruptedError) as raised:
        words.extend(provider.generate_stream("count"))
    assert raised.value.partial == "one "


def test_what_arrived_together_crosses_between_the_threads_together(provider, server):
    everything = b"".join([*(event(f"{number} ") for number in range(500)), event(finish="stop")])
    script(Answer([everything + DONE]))
    stream = provider.generate_stream("count")

    assert next(stream) == "0 "
    # They may have come in several packets; a way to and fro for each word would leave none here.
    assert sum(1 for _ in stream._arrived) > 50
    stream.close()
