"""A stream that is dropped closes at once, whatever its adapter's errors hold on to."""

import pytest

from fairlead.core.errors import RateLimitError
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.retry import RetryProvider
from tests.unit.core.fakes import Scripted, without_gc, words

pytestmark = pytest.mark.anyio


class Usual(Scripted):
    """Raises its errors as most people do: by a local variable, which its traceback holds."""

    async def _next(self, call):
        if isinstance(self.script[0], Exception):
            self.asked.append(call)
            error = self.script.pop(0)
            raise error
        return await super()._next(call)


def retry(source):
    return RetryProvider(Usual(RateLimitError("too fast"), source), random=lambda: 0.0)


def fallback(source):
    return FallbackProvider([Usual(RateLimitError("too fast"), name="a"), Usual(source, name="b")])


@pytest.mark.parametrize("make", [retry, fallback])
async def test_a_stream_opened_after_a_failure_closes_when_it_is_dropped(make):
    source = words("one ", "two ")
    provider = make(source)

    with without_gc():
        async for _ in provider.generate_stream("hi"):
            break

        assert source.aborted
