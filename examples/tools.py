"""Let a model call a tool, and give it the result."""

import anyio

from fairlead import Message, OfflineProvider, Tool, ToolResult

weather = Tool(
    "get_weather",
    "The weather in a city, now.",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
        "required": ["city"],
    },
)


async def main() -> None:
    provider = OfflineProvider()
    history: list[Message] = [Message.user("How is the weather in Bern?")]
    wish = await provider.generate(history, tools=[weather], tool_choice="get_weather")
    call = wish.tool_calls[0]
    print(f"the model wants {call.name}({call.parse()})")
    result = ToolResult(call, "12 degrees and fog")
    print(await provider.generate([*history, wish, result], tools=[weather]))


anyio.run(main)
