"""Streams that are read without `await`."""

import gc
import threading

import pytest

from fairlead import (
    ServerError,
    StreamConsumedError,
    StreamEnd,
    StreamInterruptedError,
    TextDelta,
    ToolCall,
)
from fairlead.sync import SyncProvider, SyncStream
from fairlead.testing import ScriptedProvider
from fairlead.testing.scripted import Pause

SECONDS = 10.0


def until(condition):
    """Wait for what happens in another thread."""
    deadline = threading.Event()
    for _ in range(int(SECONDS / 0.005)):
        if condition():
            return
        deadline.wait(0.005)
    raise AssertionError("it did not happen")


def test_a_stream_is_iterated(scripted_sync):
    provider, _ = scripted_sync([["one ", "two ", "three"]])

    assert list(provider.generate_stream("count")) == ["one ", "two ", "three"]


def test_nothing_is_asked_before_it_is_used(scripted_sync):
    provider, script = scripted_sync([])
    stream = provider.generate_stream("count")

    assert type(stream) is SyncStream
    assert not script.calls
    with pytest.raises(RuntimeError, match="not opened"):
        _ = stream.generation


def test_the_whole_result_is_there_at_the_end(scripted_sync):
    provider, _ = scripted_sync([["one ", "two"]])
    with provider.generate_stream("count") as stream:
        words = list(stream)

    assert "".join(words) == stream.generation == "one two"
    assert stream.generation.finish_reason == "stop"
    assert stream.collect() is stream.generation


def test_events_tell_everything(scripted_sync):
    call = ToolCall("1", "look", "{}")
    provider, _ = scripted_sync([["one ", call]])

    events = list(provider.generate_stream("count").events())

    assert [type(event).__name__ for event in events] == ["TextDelta", "ToolCallDelta", "StreamEnd"]
    assert events[0] == TextDelta("one ")
    assert type(events[-1]) is StreamEnd


def test_words_and_events_share_one_position(scripted_sync):
    provider, _ = scripted_sync([["one ", "two ", "three"]])
    stream = provider.generate_stream("count")

    assert next(stream) == "one "
    assert next(stream.events()) == TextDelta("two ")
    assert list(stream) == ["three"]


def test_a_stream_is_collected(scripted_sync):
    provider, script = scripted_sync([["one ", "two"]] * 2)

    assert provider.generate_stream("count").collect() == "one two"
    stream = provider.generate_stream("count")
    assert next(stream) == "one "
    assert stream.collect() == "one two"
    assert not script.open_streams


def test_a_stream_is_used_once(scripted_sync):
    provider, _ = scripted_sync([["one ", "two"]])
    stream = provider.generate_stream("count")
    assert list(stream) == ["one ", "two"]

    with pytest.raises(StreamConsumedError):
        list(stream)
    with pytest.raises(StreamConsumedError):
        stream.events()
    with pytest.raises(StreamConsumedError), stream:
        pass
    assert next(stream, "over") == "over"


def test_what_fails_before_the_first_word_fails_when_it_is_opened(scripted_sync):
    provider, _ = scripted_sync([ServerError("no"), ServerError("no")])

    with pytest.raises(ServerError), provider.generate_stream("count"):
        pytest.fail("it was opened")
    stream = provider.generate_stream("count")
    with pytest.raises(ServerError):
        next(stream)
    assert next(stream, "over") == "over"


def test_what_fails_later_is_an_interruption_after_what_had_arrived(scripted_sync):
    provider, script = scripted_sync([["one ", "two ", ServerError("no")]])
    stream, words = provider.generate_stream("count"), []

    with pytest.raises(StreamInterruptedError) as raised:
        for text in stream:
            words.append(text)

    assert words == ["one ", "two "]
    assert raised.value.partial == stream.generation == "one two "
    assert not script.open_streams


def test_leaving_its_block_closes_it(scripted_sync):
    provider, script = scripted_sync([["one ", "two ", Pause()]])

    with provider.generate_stream("count") as stream:
        assert next(stream) == "one "

    assert not script.open_streams
    assert stream.generation.finish_reason == "cancelled"
    assert stream.generation.startswith("one ")
    stream.close()


def test_leaving_the_loop_closes_it(scripted_sync):
    provider, script = scripted_sync([["one ", "two ", Pause()]])

    for text in provider.generate_stream("count"):
        assert text == "one "
        break

    until(lambda: not script.open_streams)


def test_leaving_the_loop_over_its_events_closes_it(scripted_sync):
    provider, script = scripted_sync([["one ", "two ", Pause()]])

    for _ in provider.generate_stream("count").events():
        break

    until(lambda: not script.open_streams)


def test_an_error_in_the_loops_body_closes_it(scripted_sync):
    provider, script = scripted_sync([["one ", Pause()]])

    with pytest.raises(ZeroDivisionError), provider.generate_stream("count") as stream:
        for _ in stream:
            _ = 1 / 0

    assert not script.open_streams


def test_a_stream_that_is_dropped_closes_in_whatever_thread_that_happens(scripted_sync):
    provider, script = scripted_sync([["one ", Pause()]] * 3)
    held = [provider.generate_stream("count") for _ in range(3)]
    for stream in held:
        assert next(stream) == "one "
    cycle = [held[2]]
    cycle.append(cycle)
    del stream, cycle

    held.pop(2)
    gc.collect()
    until(lambda: script.open_streams == 2)
    dropping = threading.Thread(target=held.pop)
    dropping.start()
    dropping.join()
    until(lambda: script.open_streams == 1)
    # As the garbage collector does when it runs while the loop's own thread makes objects.
    last = held.pop()
    last._loop.run_soon(lambda stream=[last]: stream.clear())
    del last
    until(lambda: script.open_streams == 0)


def test_what_closing_sets_off_happens_in_the_loops_thread():
    class Noting(ScriptedProvider):
        def _closed(self):
            threads.append(threading.current_thread().name)
            super()._closed()

    threads = []
    script = Noting([["one ", Pause()]])
    with SyncProvider(script) as provider:
        next(provider.generate_stream("count"))
        until(lambda: not script.open_streams)

    assert threads == ["fairlead.sync"]


@pytest.mark.parametrize("beginning", [["one "], []], ids=["read", "opened"])
def test_another_thread_may_cancel_it_while_it_is(scripted_sync, beginning):
    asked = threading.Event()

    def answer(call):
        asked.set()
        return [*beginning, Pause()]

    provider, script = scripted_sync(answer)
    stream, words = provider.generate_stream("count"), []
    reader = threading.Thread(target=lambda: words.extend(stream))
    reader.start()
    assert asked.wait(SECONDS)
    until(lambda: len(words) == len(beginning) or not beginning)
    stream.cancel()
    reader.join(SECONDS)

    assert not reader.is_alive()
    assert words == beginning
    assert not script.open_streams
    if beginning:
        assert stream.generation == "one "
        assert stream.generation.finish_reason == "cancelled"


def test_cancelled_before_it_is_opened_it_never_asks(scripted_sync):
    provider, script = scripted_sync([])
    stream = provider.generate_stream("count")
    stream.cancel()

    assert next(stream, "over") == "over"
    with pytest.raises(StreamConsumedError):
        stream.collect()
    assert not script.calls
