"""
Import, build, and the first answer, in a fresh process: `python cold_start.py SUBJECT URL`.

Everything counts but the start of Python itself. Prints milliseconds.
"""

import time

BEGAN = time.perf_counter()

import asyncio  # noqa: E402 - its import counts
import sys  # noqa: E402


async def main(subject: str, url: str) -> None:
    if subject == "fairlead":
        from fairlead import OpenAICompatibleProvider, default_pipeline

        provider = OpenAICompatibleProvider(base_url=f"{url}/v1", model="bench")
        async with default_pipeline(provider) as pipeline:
            assert await pipeline.generate("Why do ports help?")
            print((time.perf_counter() - BEGAN) * 1e3)
        return
    if subject == "settings":
        import os

        from fairlead import open_provider

        os.environ |= {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_MODEL": "bench"}
        async with open_provider() as provider:
            assert await provider.generate("Why do ports help?")
            print((time.perf_counter() - BEGAN) * 1e3)
        assert not {"structlog", "rich", "typer", "tiktoken"} & sys.modules.keys()
        return
    if subject == "httpx":
        import httpx as library
    else:
        import httpx2 as library

    async with library.AsyncClient() as client:
        body = {"model": "bench", "messages": [{"role": "user", "content": "Why do ports help?"}]}
        response = await client.post(f"{url}/v1/chat/completions", json=body)
        assert response.json()["choices"][0]["message"]["content"]
        print((time.perf_counter() - BEGAN) * 1e3)


asyncio.run(main(*sys.argv[1:]))
