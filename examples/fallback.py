"""Survive a server that is not there, and print what was tried."""

import anyio

from fairlead import OfflineProvider, OpenAICompatibleProvider, default_pipeline


async def main() -> None:
    # Nobody listens on port 9, so the first target fails at once.
    absent = OpenAICompatibleProvider(base_url="http://127.0.0.1:9", model="absent")
    async with default_pipeline(absent, OfflineProvider(), max_retries=1) as provider:
        answer = await provider.generate("Is anybody there?")
    print(answer)
    print()
    for attempt in answer.attempts:
        print(f"{attempt.outcome:>9}  {attempt.provider}: {attempt.reason or 'answered'}")
    for warning in answer.warnings:
        print(f"warning: {warning}")


anyio.run(main)
