"""
Survive an outage of three providers, and print what was done for each call.

All of it is scripted, and nobody waits: time jumps to the next thing that happens.
"""

import asyncio

from fairlead import (
    Attempt,
    OverloadedError,
    ProviderError,
    RateLimitError,
    ServerError,
    Use,
    default_pipeline,
)
from fairlead.decorators.faults import Fault, FaultsProvider
from fairlead.testing import ScriptedProvider, VirtualTimeLoop

BUSY = OverloadedError("too much to do", status_code=529)
LATER = RateLimitError("too fast", status_code=429, retry_after=90.0)

OUTAGE: dict[str, list[Fault | ProviderError | None]] = {
    "north": [BUSY] * 5,
    "south": [LATER] * 2,
    "west": [Fault(cut_after=0), None, ServerError("oops", status_code=500)],
}
"""What goes wrong, call by call at each provider; after the last all is well."""


def told(attempt: Attempt) -> str:
    where = f"{attempt.provider:6}"
    took = f" ({attempt.seconds:.1f} s)" if attempt.seconds >= 0.05 else ""
    return f"  {where}{attempt.outcome:>10}{took}  {attempt.reason or ''}".rstrip()


async def main() -> None:
    vendors = [ScriptedProvider("All is well.", name=name, model=f"{name}-1") for name in OUTAGE]
    # The faults stand next to each adapter, where the network would be.
    use = Use(lambda it: FaultsProvider(it, faults=OUTAGE[it.name]), layer="faults")
    async with default_pipeline(*vendors, decorators=[use]) as provider:
        for number in range(1, 6):
            answer = await provider.generate_stream("How are you?").collect()
            print(f"{number}. {answer.provider} answers: {answer}")
            for attempt in answer.attempts:
                print(told(attempt))
            await asyncio.sleep(20.0)


with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
    runner.run(main())
