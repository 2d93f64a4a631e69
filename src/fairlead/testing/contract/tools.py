"""Tools and formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ...core.errors import InvalidRequestError
from ...core.messages import Tool, ToolResult
from ...core.results import FinishReason, Generation
from ._base import ContractBase

if TYPE_CHECKING:
    from ...core.provider import ProviderPort

_WEATHER = Tool(
    "weather",
    "What the weather is like.",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
)
_CLOCK = Tool("clock", "What time it is.")


class ToolContract(ContractBase):
    """`tools` and `response_format`."""

    @pytest.mark.parametrize("choice", ["required", "weather"])
    async def test_a_forced_tool_is_called(self, provider: ProviderPort, choice: str) -> None:
        if not self.tools:
            pytest.skip("it calls no tools")
        generation = await provider.generate("Rain?", tools=[_WEATHER], tool_choice=choice)

        (call,) = generation.tool_calls
        arguments = call.parse()
        assert call.name == "weather"
        assert call.id
        assert isinstance(arguments.pop("city"), str)
        assert arguments.pop("days") >= 1
        assert arguments == {}
        assert generation.finish_reason is FinishReason.TOOL_CALLS

    async def test_a_tool_is_called_in_a_stream_too(self, provider: ProviderPort) -> None:
        if not (self.tools and self.streams and self.repeats_itself):
            pytest.skip("it calls no tools, or not in streams, or not the same ones again")
        options: Any = {"tools": [_CLOCK, _WEATHER], "tool_choice": "weather"}
        plain = await provider.generate("Rain?", **options)
        streamed = await provider.generate_stream("Rain?", **options).collect()

        assert streamed.tool_calls == plain.tool_calls
        assert streamed.finish_reason is FinishReason.TOOL_CALLS

    async def test_a_result_is_part_of_the_next_prompt(self, provider: ProviderPort) -> None:
        if not self.tools:
            pytest.skip("it calls no tools")
        asked = await provider.generate("Rain?", tools=[_WEATHER], tool_choice="required")
        results = [ToolResult(call, "No rain.") for call in asked.tool_calls]

        answer = await provider.generate(["Rain?", asked, *results], tools=[_WEATHER])
        assert isinstance(answer, Generation)
        assert answer

    async def test_a_tool_that_is_not_offered_cannot_be_forced(
        self, provider: ProviderPort
    ) -> None:
        with pytest.raises(InvalidRequestError, match="weather"):
            await provider.generate("Rain?", tools=[_CLOCK], tool_choice="weather")

    async def test_a_format_is_kept_to(self, provider: ProviderPort) -> None:
        if not self.formats:
            pytest.skip("it keeps to no formats")
        schema = {**_WEATHER.parameters, "title": "place"}
        parsed = (await provider.generate("Where?", response_format=schema)).parsed

        assert parsed.keys() == {"city", "days"}
        assert isinstance(parsed["city"], str)
        assert isinstance(parsed["days"], int)
