"""The whole contract through every policy, alone and stacked, over all kinds of providers."""

from collections.abc import Callable
from copy import copy

import anyio
import pytest

from fairlead.adapters.providers.offline import OfflineProvider
from fairlead.core.errors import ProviderError
from fairlead.decorators.attempt import AttemptTimeoutProvider
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.deadline import DeadlineProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.logging import LoggingProvider
from fairlead.decorators.retry import RetryProvider
from fairlead.testing import CUT, Pause, ProviderContract, ScriptedProvider
from tests.support.logs import ListLog
from tests.support.scripts import endless, whatever


def _fallback(provider):
    return FallbackProvider([provider])


def _logged(provider):
    return LoggingProvider(provider, log=ListLog())


def _in_order(provider):
    per_target = RetryProvider(CircuitBreakerProvider(AttemptTimeoutProvider(provider)))
    return _logged(DeadlineProvider(FallbackProvider([per_target])))


def _in_another_order(provider):
    chain = _fallback(CircuitBreakerProvider(_fallback(provider)))
    return RetryProvider(AttemptTimeoutProvider(chain), max_retries=1)


STACKS: dict[str, Callable] = {
    "retry": RetryProvider,
    "breaker": CircuitBreakerProvider,
    "fallback": _fallback,
    "deadline": DeadlineProvider,
    "attempt timeout": AttemptTimeoutProvider,
    "logging": _logged,
    "stacked": _in_order,
    "stacked otherwise": _in_another_order,
}


@pytest.mark.virtual_time
class Transparent(ProviderContract):
    @pytest.fixture(autouse=True, params=STACKS.values(), ids=STACKS)
    def _stack(self, request):
        self.wrap = request.param


class TestOverOffline(Transparent):
    tools = True
    formats = True
    reports_usage = True
    answers_as = "offline"

    def make_provider(self):
        return self.wrap(OfflineProvider())

    def make_scripted(self, *answers):
        return self.wrap(ScriptedProvider(endless(answers)))

    def make_slow(self):
        return self.wrap(OfflineProvider(delay=1))


class TestOverScripted(Transparent):
    answers_as = "scripted"

    def make_provider(self):
        return self.wrap(ScriptedProvider(whatever))

    def make_scripted(self, *answers):
        return self.wrap(ScriptedProvider(endless(answers)))


class Mock:
    """The README's mock."""

    async def generate(self, prompt: str, temperature: float = 0.7) -> str:
        return f"You said: {prompt}"

    async def generate_stream(self, prompt: str):
        for word in ("You ", "said: ", prompt):
            yield word

    async def embed(self, text: str) -> list[float]:
        return [float(len(text)), 1.0]


class ScriptedMock:
    """As plain as that, with lines to play."""

    def __init__(self, answers):
        self._answers = endless(answers)

    async def generate(self, prompt):
        return "".join([word async for word in self.generate_stream(prompt)])

    async def generate_stream(self, prompt):
        for line in next(self._answers):
            if isinstance(line, ProviderError):
                raise copy(line)
            if isinstance(line, Pause):
                await anyio.sleep(line.seconds)
            else:
                yield line

    async def embed(self, text):
        return [len(await self.generate(text))]


class TestOverTheMockOfTheReadme(Transparent):
    answers_as = "Mock"

    def make_provider(self):
        return self.wrap(Mock())

    def make_scripted(self, *answers):
        if CUT in answers[0]:
            pytest.skip("a generator that is over is a whole answer")
        return self.wrap(ScriptedMock(answers))

    def make_slow(self):
        return self.wrap(ScriptedMock([["Well, ", Pause(1), "hm."]]))

    # A generator that is dropped half-way is Python's to finish, and trio warns of it.
    test_dropping_a_stream_closes = None
