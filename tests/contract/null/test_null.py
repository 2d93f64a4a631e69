import pytest

from fairlead.adapters.providers.null import NullProvider
from fairlead.core.errors import UnsupportedOperationError
from fairlead.core.messages import Tool
from fairlead.decorators.fallback import FallbackProvider
from fairlead.testing import ProviderContract, ScriptedProvider

pytestmark = pytest.mark.anyio


@pytest.mark.virtual_time
class TestNull(ProviderContract):
    speaks = False
    reports_usage = True

    def make_provider(self) -> NullProvider:
        return NullProvider()


async def test_every_answer_is_the_empty_string():
    assert await NullProvider().generate("Say something.") == ""
    assert [word async for word in NullProvider().generate_stream("Say something.")] == []


async def test_every_vector_is_zeros():
    assert await NullProvider(dimensions=3).embed("one") == [0.0, 0.0, 0.0]
    assert await NullProvider().embed("one", dimensions=2) == [0.0, 0.0]


async def test_nothing_costs_nothing():
    generation = await NullProvider().generate("Say something.")

    assert generation.cost is not None
    assert generation.cost.amount == 0
    assert generation.usage is not None
    assert (generation.usage.input_tokens, generation.usage.output_tokens) == (0, 0)


async def test_what_it_cannot_do_it_warns_of_or_refuses():
    tools = [Tool("clock")]
    generation = await NullProvider().generate("Late?", tools=tools, tool_choice="required")

    assert generation.warnings == ("null does nothing with tools",)
    with pytest.raises(UnsupportedOperationError, match="response_format"):
        await NullProvider().generate("Late?", response_format={"type": "object"}, strict=True)


async def test_a_chain_passes_it_over_for_tools():
    chain = FallbackProvider([NullProvider(), ScriptedProvider("ok")])

    assert await chain.generate("Late?", tools=[Tool("clock")]) == "ok"
    assert await chain.generate("Late?") == ""
