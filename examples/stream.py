"""Stream an answer to the terminal, and stop when there is enough of it."""

import anyio

from fairlead import OfflineProvider


async def main() -> None:
    provider = OfflineProvider()
    words = 0
    async with provider.generate_stream("Tell me about fairleads.") as stream:
        async for text in stream:
            print(text, end="", flush=True)
            words += 1
            if words == 5:
                break
    print(f"\n[{stream.generation.finish_reason} after {words} pieces]")


anyio.run(main)
