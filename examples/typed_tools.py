"""Let a model call functions, and read what it says as a type; all of it is scripted."""

import anyio
from pydantic import BaseModel

from fairlead import ToolCall, generate_as, run_tools
from fairlead.testing import ScriptedProvider


class Advice(BaseModel):
    sail: bool
    reason: str


def wind(place: str) -> int:
    """The wind in knots."""
    return {"Bergen": 12}[place]


SCRIPT = [
    ToolCall("1", "wind", '{"place": "Bergen"}'),
    "12 knots from the west.",
    '{"sail": true}',
    "Sorry! ```json\n{'sail': true, 'reason': '12 knots are fine'}\n```",
]


async def main() -> None:
    provider = ScriptedProvider(SCRIPT)
    run = await run_tools(provider, "How is the wind in Bergen?", [wind])
    for message in run.messages:
        parts = ", ".join(type(part).__name__ for part in message.parts)
        print(f"{message.role:>9}: {message.text or parts}")
    advice = await generate_as(provider, Advice, [*run.messages, "Shall we sail?"])
    print(f"{'yes' if advice.sail else 'no'}: {advice.reason}")


anyio.run(main)
