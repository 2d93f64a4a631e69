"""Where the independently written servers are; `nox -s servers` installs and starts them."""

import os

import pytest

from fairlead import OpenAICompatibleProvider


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def address(variable: str) -> str:
    url = os.environ.get(variable)
    if not url:
        pytest.skip(f"{variable} is not set; run `nox -s servers`")
    return url


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
