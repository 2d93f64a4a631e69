"""What a vendor says of its rate limits reaches the policies, over real sockets."""

import json
from dataclasses import replace

import anyio
import pytest

from fairlead import OpenAICompatibleProvider, ServerError
from fairlead.core.rates import Allowance, RateLimits
from fairlead.core.refusals import RateLimitExceededError
from fairlead.decorators.limits import LimitProvider
from tests.support.answers import JSON, Answer, completion, failure, script, streamed

pytestmark = pytest.mark.anyio

HEADERS = {
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "1m0s",
}
TOLD = RateLimits(Allowance(60, 0, 60.0))


@pytest.fixture
async def provider(server, anyio_backend):
    async with OpenAICompatibleProvider(
        base_url=server.url("/v1"), model="test", embedding_model="e"
    ) as provider:
        yield provider


async def test_answers_and_errors_carry_them(provider):
    body = {"data": [{"index": 0, "embedding": [1.0]}], "model": "e"}
    told = tuple(HEADERS.items())
    script(
        replace(completion(), headers=told),
        replace(streamed("ho"), headers=told),
        Answer([json.dumps(body).encode()], content_type=JSON, headers=told),
        failure(500, **{name.replace("-", "_"): value for name, value in told}),
        completion(),
    )

    assert (await provider.generate("hi")).metadata.rate_limits == TOLD
    async with provider.generate_stream("hi") as stream:
        assert stream.metadata.rate_limits == TOLD
        assert (await stream.collect()).metadata.rate_limits == TOLD
    assert (await provider.embed_batch(["hi"])).metadata.rate_limits == TOLD
    with pytest.raises(ServerError) as caught:
        await provider.generate("hi")
    assert caught.value.rate_limits == TOLD
    assert (await provider.generate("hi")).metadata.rate_limits is None


async def test_a_limiter_that_was_told_nothing_learns_from_them(provider):
    script(replace(completion(), headers=tuple(HEADERS.items())))
    limited = LimitProvider(provider)
    await limited.generate("hi")
    began = anyio.current_time()

    with pytest.raises(RateLimitExceededError) as caught:
        await limited.generate("hi", timeout=0.3)

    assert anyio.current_time() - began < 0.3
    assert 0.3 < caught.value.retry_after <= 1.0
