"""The competitors, each with the same few verbs."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from tests.benchmarks.payloads import REQUEST

SUBJECTS = ("httpx", "httpx2", "fairlead")


class Client(Protocol):
    async def call(self) -> str:
        """The text of a whole answer."""
        ...

    def stream(self) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """The words of a streamed one."""
        ...

    async def aclose(self) -> None: ...


class Raw:
    """httpx or httpx2, as their documentation shows them."""

    def __init__(self, library: Any, url: str, *, unlimited: bool, authority: str | None) -> None:
        options: dict[str, Any] = {}
        if unlimited:
            options["limits"] = library.Limits(max_connections=None)
        if authority:
            options["verify"] = ssl.create_default_context(cafile=authority)
        self._client = library.AsyncClient(timeout=60, **options)
        self._url = f"{url}/v1/chat/completions"

    async def call(self) -> str:
        response = await self._client.post(self._url, json=REQUEST)
        response.raise_for_status()
        return response.json()["choices"][0]["message"]["content"]

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[AsyncIterator[str]]:
        request = {**REQUEST, "stream": True}
        async with self._client.stream("POST", self._url, json=request) as response:
            yield self._words(response)

    @staticmethod
    async def _words(response: Any) -> AsyncIterator[str]:
        async for line in response.aiter_lines():
            if line.startswith("data: ") and line != "data: [DONE]":
                word = json.loads(line[6:])["choices"][0]["delta"].get("content")
                if word:
                    yield word

    async def aclose(self) -> None:
        await self._client.aclose()


class Fairlead:
    """The whole default pipeline."""

    def __init__(self, url: str, *, authority: str | None) -> None:
        from fairlead import HttpxEngine, OpenAICompatibleProvider, default_pipeline

        self._engine = HttpxEngine(verify=authority) if authority else HttpxEngine()
        self._provider = default_pipeline(
            OpenAICompatibleProvider(base_url=f"{url}/v1", model="bench", engine=self._engine)
        )

    async def call(self) -> str:
        return await self._provider.generate("Why do ports help?")

    def stream(self) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        return self._provider.generate_stream("Why do ports help?")

    async def aclose(self) -> None:
        await self._provider.aclose()
        await self._engine.aclose()


def client(
    subject: str, url: str, *, unlimited: bool = False, authority: str | None = None
) -> Client:
    """
    Build *subject*'s client for the server at *url*.

    Args:
        subject: One of `SUBJECTS`.
        url: Everything before `/v1`.
        unlimited: Whether a raw client may open any number of connections; by default it has
            the pool that it comes with.
        authority: The file of the authority that signed the server's certificate.
    """
    if subject == "fairlead":
        return Fairlead(url, authority=authority)
    if subject == "httpx":
        import httpx as library
    else:
        import httpx2 as library
    return Raw(library, url, unlimited=unlimited, authority=authority)
