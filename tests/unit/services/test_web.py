"""Streams as server-sent events."""

import gc
import json

import anyio
import anyio.lowlevel
import pytest

from fairlead import (
    AllTargetsFailedError,
    AuthenticationError,
    BudgetExceededError,
    OverloadedError,
    ProviderConnectionError,
    RateLimitError,
    Reasoning,
    Refusal,
    ServerError,
    StreamEnd,
    StreamInterruptedError,
    TextDelta,
    ToolCall,
    Usage,
)
from fairlead.services.web import COMMENT, ServerSent, to_sse
from fairlead.testing import ScriptedProvider
from fairlead.testing.scripted import Pause
from fairlead.testing.virtual_time import BACKENDS, virtual_time_backend

pytestmark = pytest.mark.anyio

USAGE = Usage(input_tokens=5, output_tokens=2, raw={"vendor": "its own words"})


@pytest.fixture(params=BACKENDS)
def anyio_backend(request):
    return virtual_time_backend(request.param)


def parsed(body):
    """The events of *body*: their names and their data."""
    for block in body.decode().removesuffix("\n\n").split("\n\n"):
        *names, data = block.split("\n")
        if not data.startswith(":"):
            yield (
                names[0].removeprefix("event: ") if names else None,
                json.loads(data.removeprefix("data: ")),
            )


async def sent(stream, **options):
    return [
        event for piece in [_ async for _ in to_sse(stream, **options)] for event in parsed(piece)
    ]


async def test_words_and_at_the_end_why_and_how_much(scripted):
    provider = scripted([["Ah", "oy."]], usage=USAGE)

    assert await sent(provider.generate_stream("hi")) == [
        (None, {"text": "Ah"}),
        (None, {"text": "oy."}),
        ("done", {"finish_reason": "stop", "usage": {"input_tokens": 5, "output_tokens": 2}}),
    ]


async def test_what_nobody_told_is_not_invented(scripted):
    provider = scripted([["Ahoy."]])

    events = await sent(provider.generate_stream("hi"))
    assert events[-1] == ("done", {"finish_reason": "stop", "usage": None})


async def test_the_bytes_are_those_of_the_standard(scripted):
    provider = scripted([["é\n\r\u2028\ud83d"]])
    pieces = [piece async for piece in to_sse(provider.generate_stream("hi"))]

    assert (
        b"".join(pieces)
        == (
            'data: {"text":"é\\n\\r\u2028?"}\n\n'
            'event: done\ndata: {"finish_reason":"stop","usage":null}\n\n'
        ).encode()
    )


async def test_a_refusal_is_shown_and_thoughts_and_tools_are_not(scripted):
    provider = scripted([[Reasoning("hm"), Refusal("No."), ToolCall("1", "look", "{}")]])

    events = await sent(provider.generate_stream("hi"))
    assert events[0] == ("refusal", {"text": "No."})
    assert [name for name, _ in events] == ["refusal", "done"]


async def test_the_application_decides_what_is_sent(scripted):
    provider = scripted([["Ah", "oy."]])

    def loud(event):
        match event:
            case TextDelta(text):
                return ServerSent([text.upper()], "word")
            case StreamEnd():
                return None

    assert await sent(provider.generate_stream("hi"), encode=loud) == [
        ("word", ["AH"]),
        ("word", ["OY."]),
    ]


async def test_an_open_stream_will_do_as_well(scripted):
    provider = scripted([["Ah", "oy."]])
    stream = await provider.generate_stream("hi")

    assert (await sent(stream))[0] == (None, {"text": "Ah"})
    assert stream.generation == "Ahoy."


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (RateLimitError("vendor's words, sk-secret", retry_after=2.5), 429, "Too Many Requests"),
        (OverloadedError("vendor's words, sk-secret"), 503, "Service Unavailable"),
        (AuthenticationError("wrong key sk-secret"), 500, "Internal Server Error"),
        (BudgetExceededError("vendor's words, sk-secret"), 402, "Payment Required"),
        (ProviderConnectionError("https://sk-secret@vendor"), 502, "Bad Gateway"),
    ],
)
@pytest.mark.parametrize("words", [[], ["Ah"]], ids=["before", "amid"])
async def test_an_error_is_the_last_event_in_our_words_only(
    scripted, error, status, message, words
):
    provider = scripted([[*words, error]])
    body = to_sse(provider.generate_stream("hi"))
    pieces = [piece async for piece in body]

    (name, told), *rest = parsed(pieces[-1])
    assert (name, rest) == ("error", [])
    # What breaks an answer that has begun is a broken answer, whatever the reason.
    assert told["status"] == (502 if words else status)
    assert told["message"] == ("Bad Gateway" if words else message)
    assert told.get("retry_after") == error.retry_after
    assert b"sk-secret" not in b"".join(pieces)
    assert len(pieces) == len(words) + 1
    assert type(body.error) is (StreamInterruptedError if words else type(error))


async def test_the_cause_decides_when_all_targets_fail(scripted):
    error = AllTargetsFailedError("all", errors=[RateLimitError("slow", retry_after=4)])
    provider = scripted([error])

    assert await sent(provider.generate_stream("hi")) == [
        ("error", {"status": 429, "message": "Too Many Requests", "retry_after": 4})
    ]


async def test_a_mistake_in_the_program_is_told_as_500_and_raised(scripted):
    provider = scripted([["Ah", Pause()]])
    body = to_sse(provider.generate_stream("hi"), encode=lambda event: 1 / 0)

    assert list(parsed(await anext(body))) == [
        ("error", {"status": 500, "message": "Internal Server Error"})
    ]
    assert not provider.open_streams
    with pytest.raises(ZeroDivisionError):
        await anext(body)


async def test_the_application_words_errors_itself(scripted):
    provider = scripted([ServerError("no")])

    def worded(error):
        return ServerSent(type(error).__name__, "sorry")

    assert await sent(provider.generate_stream("hi"), encode_error=worded) == [
        ("sorry", "ServerError")
    ]


@pytest.mark.virtual_time
async def test_silence_is_filled_with_comments_and_nothing_is_lost(scripted):
    provider = scripted([[Pause(31), "Ah", Pause(9), "oy.", Pause(11)]])
    begun = anyio.current_time()
    timed = []
    async for piece in to_sse(provider.generate_stream("hi"), keep_alive=10):
        timed.append((round(anyio.current_time() - begun), piece.split(b"\n")[0]))

    assert timed == [
        *((seconds, COMMENT.split(b"\n")[0]) for seconds in (10, 20, 30)),
        (31, b'data: {"text":"Ah"}'),
        (40, b'data: {"text":"oy."}'),
        (50, COMMENT.split(b"\n")[0]),
        (51, b"event: done"),
    ]


@pytest.mark.virtual_time
async def test_thoughts_that_are_not_shown_are_silence(scripted):
    thinking = [each for _ in range(4) for each in (Reasoning("hm"), Pause(4))]
    provider = scripted([["Ah", *thinking]])
    pieces = [piece async for piece in to_sse(provider.generate_stream("hi"), keep_alive=10)]

    assert pieces[1:-1] == [COMMENT]


@pytest.mark.virtual_time
async def test_without_comments_it_waits(scripted):
    provider = scripted([[Pause(100), "Ah"]])
    pieces = [piece async for piece in to_sse(provider.generate_stream("hi"), keep_alive=None)]

    assert COMMENT not in pieces


STATES = {"opening": [Pause()], "reading": ["Ah", Pause()], "holding": ["Ah"]}


@pytest.mark.virtual_time
@pytest.mark.parametrize("answer", STATES.values(), ids=STATES)
@pytest.mark.parametrize("leaving", ["cancelled", "closed", "dropped", "left"])
async def test_the_provider_is_stopped_when_the_reader_leaves(answer, leaving):
    provider = ScriptedProvider([answer])
    body = to_sse(provider.generate_stream("hi"), keep_alive=1)
    for _ in range(2):
        await anext(body)

    if leaving == "cancelled":
        with anyio.move_on_after(0.5):
            async for _ in body:
                await anyio.lowlevel.checkpoint()
    elif leaving == "closed":
        await body.aclose()
        await body.aclose()
    elif leaving == "left":
        async with body:
            pass
    else:
        del body
        gc.collect()
    await anyio.sleep(0.1)

    assert provider.open_streams == 0


async def test_never_read_it_never_asks(scripted):
    provider = scripted([])
    body = to_sse(provider.generate_stream("hi"))
    del body
    await to_sse(provider.generate_stream("hi")).aclose()

    assert not provider.calls


async def test_an_open_stream_that_is_never_read_is_closed():
    provider = ScriptedProvider([["Ah", Pause()]])
    body = to_sse(await provider.generate_stream("hi"))
    assert provider.open_streams == 1
    await body.aclose()

    assert provider.open_streams == 0


@pytest.mark.virtual_time
async def test_a_stream_that_the_application_cancels_ends_with_word_of_it():
    provider = ScriptedProvider([["Ah", Pause()]], usage=USAGE)
    stream = await provider.generate_stream("hi")
    pieces = []
    async with anyio.create_task_group() as tasks:

        async def read():
            pieces.extend([piece async for piece in to_sse(stream)])

        tasks.start_soon(read)
        await anyio.sleep(1)
        stream.cancel()

    assert list(parsed(pieces[-1])) == [("done", {"finish_reason": "cancelled", "usage": None})]


async def test_headers_for_the_way():
    body = to_sse(ScriptedProvider([]).generate_stream("hi"))

    assert body.media_type == "text/event-stream"
    assert dict(body.headers) == {"cache-control": "no-cache", "x-accel-buffering": "no"}


@pytest.mark.anyio
async def test_an_answer_is_no_stream():
    answer = await ScriptedProvider(["Ahoy."]).generate("hi")

    for given in (answer, None):
        with pytest.raises(TypeError, match=r"takes a stream, as provider\.generate_stream"):
            to_sse(given)
