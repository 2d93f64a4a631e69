"""Where the independently written servers are; `nox -s servers` installs and starts them."""

import pytest

from fairlead import OllamaProvider, OpenAICompatibleProvider
from tests.servers.addresses import address


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def llmock(anyio_backend):
    async with OpenAICompatibleProvider(
        base_url=address("FAIRLEAD_LLMOCK"),
        model="gpt-4o",
        embedding_model="text-embedding-3-small",
    ) as provider:
        yield provider


@pytest.fixture
async def aimock(anyio_backend):
    async with OpenAICompatibleProvider(
        base_url=address("FAIRLEAD_AIMOCK"),
        model="gpt-4o",
        api_key="key",
        embedding_model="text-embedding-3-small",
    ) as provider:
        yield provider


@pytest.fixture
async def aimock_ollama(anyio_backend):
    endpoint = address("FAIRLEAD_AIMOCK")
    async with OllamaProvider(model="llama3", endpoint=endpoint, embedding_model="e") as provider:
        yield provider
