from itertools import cycle

import anyio
import pytest

from fairlead.core.calls import Operation
from fairlead.core.errors import (
    InvalidResponseError,
    ProviderError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from fairlead.core.events import StreamEnd, StreamStart, TextDelta
from fairlead.core.messages import Reasoning, Refusal, ToolCall
from fairlead.core.models import ModelInfo
from fairlead.core.results import FinishReason
from fairlead.core.usage import Usage
from fairlead.decorators.retry import RetryProvider
from fairlead.testing import CUT, Pause, ScriptedProvider, ScriptExhaustedError

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


async def test_answers_are_given_in_their_order():
    provider = ScriptedProvider(["one", "two"])

    assert await provider.generate("1?") == "one"
    assert await provider.generate_stream("2?").collect() == "two"


async def test_calls_are_kept():
    provider = ScriptedProvider(["one", [0.5]])
    await provider.generate("Hello?", max_tokens=5)
    await provider.embed("fish")

    asked, embedded = provider.calls
    assert asked.operation is Operation.GENERATE
    assert asked.generation.messages[0].text == "Hello?"
    assert asked.generation.max_tokens == 5
    assert embedded.embedding.texts == ("fish",)


async def test_a_script_that_is_over_is_a_failed_test_and_no_provider_error():
    provider = RetryProvider(ScriptedProvider(["one"]))
    await provider.generate("Hello?")

    with pytest.raises(ScriptExhaustedError, match="call number 2 was generate_stream") as caught:
        await provider.generate_stream("Hello?")
    assert isinstance(caught.value, AssertionError)


async def test_one_answer_that_is_no_list_is_given_for_ever():
    for script in ("ok", lambda call: "ok", cycle(["ok"])):
        provider = ScriptedProvider(script)
        assert [await provider.generate("Hello?") for _ in range(3)] == ["ok"] * 3
        assert provider.left is None

    with pytest.raises(ServerError):
        await ScriptedProvider(ServerError).generate("Hello?")


async def test_what_is_left_is_counted():
    provider = ScriptedProvider(["one", "two"])
    await provider.generate("Hello?")

    assert provider.left == 1


async def test_errors_are_raised_as_they_are_or_made():
    limited = RateLimitError("slow down", retry_after=3)
    provider = ScriptedProvider([limited, ServerError])

    with pytest.raises(RateLimitError) as caught:
        await provider.generate("Hello?")
    assert caught.value.retry_after == 3
    assert caught.value.provider == "scripted"
    assert limited.provider is None, "calls write on a copy"
    with pytest.raises(ServerError, match="scripted"):
        await provider.generate("Hello?")


async def test_an_error_tells_of_its_own_call_alone():
    provider = ScriptedProvider(ServerError("oh dear"))
    for _ in range(2):
        with pytest.raises(ServerError) as caught:
            await provider.generate("Hello?")

    assert len(caught.value.attempts) == 1

    used = caught.value
    with pytest.raises(ServerError) as caught:
        await ScriptedProvider(used, name="other").generate("Hello?")
    assert [attempt.provider for attempt in caught.value.attempts] == ["other"]


async def test_an_error_that_no_provider_raises_is_raised_too():
    with pytest.raises(ZeroDivisionError):
        await ScriptedProvider([["Hel", ZeroDivisionError()]]).generate("Hello?")


@pytest.mark.parametrize(
    ("answer", "words", "kind"),
    [
        ([StreamStart(), ServerError], [], ServerError),
        (["Hel", "lo", ServerError], ["Hel", "lo"], StreamInterruptedError),
        ([CUT], [], InvalidResponseError),
        (["Hel", CUT], ["Hel"], StreamInterruptedError),
    ],
)
async def test_a_stream_fails_where_the_script_says(answer, words, kind):
    heard = []
    with pytest.raises(ProviderError) as caught:
        async for word in ScriptedProvider([answer]).generate_stream("Hello?"):
            heard.append(word)

    assert heard == words
    assert type(caught.value) is kind


async def test_pauses_are_kept():
    began = anyio.current_time()
    assert await ScriptedProvider([[Pause(30), "late"]]).generate("Hello?") == "late"
    assert await ScriptedProvider([[Pause(30), [0.5]]]).embed("Hello?") == [0.5]

    assert anyio.current_time() - began == pytest.approx(60)


async def test_events_and_parts_can_be_said():
    call = ToolCall("1", "clock", "{}")
    provider = ScriptedProvider(
        [
            [Reasoning("hm"), TextDelta("ok"), StreamEnd(FinishReason.LENGTH)],
            [call, ToolCall("2", "bell", "{}")],
            [Refusal("no")],
        ]
    )

    first = await provider.generate("Hello?")
    assert (first, first.reasoning, first.finish_reason) == ("ok", "hm", FinishReason.LENGTH)
    second = await provider.generate("Hello?")
    assert second.tool_calls == (call, ToolCall("2", "bell", "{}"))
    assert second.finish_reason is FinishReason.TOOL_CALLS
    assert (await provider.generate("Hello?")).refusal == "no"


async def test_a_generation_is_said_again_whole():
    usage = Usage(input_tokens=7, output_tokens=2)
    source = ScriptedProvider([[Reasoning("hm"), "ok"]], model="other", usage=usage)
    original = await source.generate("Hello?")

    again = await ScriptedProvider([original]).generate("Hello?")
    assert again.message == original.message
    assert again.usage == usage
    assert again.model == "other"
    assert again.provider == "scripted"


async def test_functions_see_the_call():
    async def slowly(call):
        await anyio.sleep(5)
        return [call.generation.messages[0].text, "!"]

    assert await ScriptedProvider([slowly]).generate("Hello") == "Hello!"


async def test_vectors_come_flat_or_in_lists():
    provider = ScriptedProvider([[1, 0.5], [[1, 2], [3, 4]], ServerError, [[1, 2]]])

    assert await provider.embed("one") == [1, 0.5]
    assert (await provider.embed_batch(["one", "two"])).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(ServerError):
        await provider.embed("one")
    with pytest.raises(TypeError, match="1 vectors for 2 texts"):
        await provider.embed_batch(["one", "two"])


async def test_an_answer_that_does_not_fit_the_call_is_a_type_error():
    with pytest.raises(TypeError, match="no vector"):
        await ScriptedProvider(["words"]).embed("one")
    with pytest.raises(TypeError, match="cannot say"):
        await ScriptedProvider([[0.5, 1]]).generate("one")
    with pytest.raises(TypeError, match="cannot say"):
        await ScriptedProvider([[object()]]).generate("one")


async def test_open_streams_are_counted():
    provider = ScriptedProvider(cycle([["Hel", "lo"]]))
    stream = await provider.generate_stream("Hello?")
    other = await provider.generate_stream("Hello?")
    assert provider.open_streams == 2

    await stream.collect()
    other.cancel()
    other.cancel()
    await provider.generate("Hello?")
    assert provider.open_streams == 0

    with pytest.raises(ServerError):
        await ScriptedProvider([ServerError]).generate_stream("Hello?")
    assert provider.open_streams == 0


async def test_name_and_model_can_be_given():
    provider = ScriptedProvider("ok", name="mine", model=ModelInfo(name="m", context_window=5))
    answer = await provider.generate("Hello?")

    assert (answer.provider, answer.model) == ("mine", "m")
    assert provider.model.context_window == 5
    assert provider.model.embedding_model is None
