"""Against aimock's Ollama, which is true to life but for thoughts, usage and errors."""

import pytest

from fairlead import InvalidResponseError, StreamInterruptedError, Tool, ToolResult

pytestmark = pytest.mark.anyio
WEATHER = Tool(
    "get_weather",
    "The weather in a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}},
)


async def test_generates(aimock_ollama):
    answer = await aimock_ollama.generate("PLAIN")

    assert answer == "Hello from aimock: naïve café ☕ — done."
    assert answer.warnings == ()


async def test_streams_in_pieces(aimock_ollama):
    words: list[str] = []
    async for word in aimock_ollama.generate_stream("LONG"):
        words.append(word)

    assert len(words) > 3
    assert "".join(words).endswith("fifteen sixteen")


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_and_its_result(aimock_ollama, streamed):
    question = "TOOL"
    stream = aimock_ollama.generate_stream(question, tools=[WEATHER])
    wish = await (stream.collect() if streamed else aimock_ollama.generate("TOOL", tools=[WEATHER]))
    result = ToolResult(wish.tool_calls[0], "9 C")
    answer = await aimock_ollama.generate([question, wish, result], tools=[WEATHER])

    assert wish.tool_calls[0].parse() == {"city": "Zürich", "units": "C"}
    assert wish.finish_reason == "tool_calls"
    assert answer == "It is 9 C in Zürich."


async def test_a_stream_that_is_cut(aimock_ollama):
    with pytest.raises(StreamInterruptedError):
        await aimock_ollama.generate_stream("CUT").collect()


async def test_what_is_no_answer(aimock_ollama):
    with pytest.raises(InvalidResponseError):
        await aimock_ollama.generate("MALFORMED")


async def test_vectors_and_models(aimock_ollama):
    assert len(await aimock_ollama.embed("x")) == 1536
    assert "gpt-4o" in await aimock_ollama.list_models()
