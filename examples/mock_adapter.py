"""Hand a mock to code that expects a provider, under the policies of production."""

import anyio

from fairlead import ProviderPort, default_pipeline


class Mock:
    async def generate(self, prompt: str) -> str:
        return f"You said: {prompt}"


async def shout(provider: ProviderPort, text: str) -> str:
    return (await provider.generate(text)).upper()


async def main() -> None:
    async with default_pipeline(Mock()) as provider:
        print(await shout(provider, "ahoy"))


anyio.run(main)
