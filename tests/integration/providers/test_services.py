"""What stands on the port, over real sockets."""

import pytest
from pydantic import BaseModel

from fairlead import (
    ContextFitProvider,
    Message,
    ModelInfo,
    OpenAICompatibleProvider,
    default_pipeline,
    generate_as,
    run_tools,
    stream_as,
)
from fairlead.core.context import ContextOptions
from tests.support.answers import completion, script, streamed

INFO = ModelInfo(name="test", context_window=900)

pytestmark = pytest.mark.anyio


class Voyage(BaseModel):
    port: str


@pytest.fixture
async def provider(server, anyio_backend):
    adapter = OpenAICompatibleProvider(base_url=server.url("/v1"), model="test", info=INFO)
    async with default_pipeline(adapter) as provider:
        yield provider


async def test_a_model_is_asked_again(provider):
    script(completion("Bergen"), completion('{"port": "Bergen"}'))

    assert await generate_as(provider, Voyage, "Where to?") == Voyage(port="Bergen")


async def test_a_model_arrives_piece_by_piece(provider):
    script(streamed('{"po', 'rt": "Ber', 'gen"}'))

    async with stream_as(provider, Voyage, "Where to?") as stream:
        seen = [so_far async for so_far in stream]
    assert seen[-1] == {"port": "Bergen"}
    assert stream.value == Voyage(port="Bergen")


async def test_tools_are_called(provider):
    def wind(place: str) -> str:
        return f"west at {place}"

    function = {"name": "wind", "arguments": '{"place": "Bergen"}'}
    wish = {"id": "1", "type": "function", "function": function}
    script(completion("", tool_calls=[wish]), completion("West."))

    run = await run_tools(provider, "How is the wind?", [wind])
    assert (run.generation, run.messages[2].parts[0].content) == ("West.", "west at Bergen")


async def test_a_long_conversation_is_cut_on_its_way(server):
    adapter = OpenAICompatibleProvider(base_url=server.url("/v1"), model="test", info=INFO)
    script(completion("Aye."))

    async with ContextFitProvider(adapter, options=ContextOptions(room=0)) as provider:
        talk = [Message.user("word " * 500), Message.assistant("Aye."), Message.user("word " * 400)]
        answer = await provider.generate(talk)
    assert "2 of 3 messages were left out" in answer.warnings[0]
