"""The whole contract through every policy, alone and stacked, over all kinds of providers."""

from collections.abc import Callable
from copy import copy
from dataclasses import replace

import anyio
import pytest

from fairlead.adapters.providers.offline import OfflineProvider
from fairlead.adapters.stores.ledger_memory import MemoryLedger
from fairlead.adapters.stores.memory import MemoryCache
from fairlead.core.budgets import BudgetLimit, BudgetOptions
from fairlead.core.caching import CacheControl
from fairlead.core.errors import ProviderError, RateLimitError
from fairlead.core.journal import Outcome
from fairlead.decorators.attempt import AttemptTimeoutProvider
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.budget import BudgetProvider
from fairlead.decorators.cache import CacheProvider
from fairlead.decorators.context import ContextFitProvider
from fairlead.decorators.cost import CostTrackingProvider
from fairlead.decorators.deadline import DeadlineProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.faults import FaultsProvider
from fairlead.decorators.hedge import HedgeProvider
from fairlead.decorators.hedging import HedgeOptions, Latencies
from fairlead.decorators.key_pool import KeyPoolProvider
from fairlead.decorators.lane import LimitOptions
from fairlead.decorators.limits import LimitProvider
from fairlead.decorators.logging import LoggingProvider
from fairlead.decorators.orders import Fastest
from fairlead.decorators.retry import RetryProvider
from fairlead.decorators.router import RouterProvider
from fairlead.decorators.split import SplitProvider
from fairlead.testing import CUT, Pause, ProviderContract, ScriptedProvider
from tests.support.logs import ListLog
from tests.support.policies import every_policy, nodes
from tests.support.scripts import endless, whatever


def _fallback(provider):
    return FallbackProvider([provider])


def _router(provider):
    return RouterProvider([provider], order=Fastest())


class _Racing(HedgeProvider):
    """Knows its targets to be quick, so that every call runs in a task, ready for a hedge."""

    def _latency(self, child, call):
        latencies = Latencies(0.95, 1)
        latencies.add(1e9)
        return latencies


def _hedge(provider):
    spare = ScriptedProvider(whatever, name="spare")
    options = HedgeOptions(minimum_samples=1, max_share=1.0)
    return _Racing([provider, spare], hedging=options, try_another=lambda error: False)


def _logged(provider):
    return LoggingProvider(provider, log=ListLog())


def _pooled(provider):
    return KeyPoolProvider([provider])


def _one_by_one(provider):
    return SplitProvider(provider, max_items=1)


def _limited(provider):
    options = LimitOptions(
        requests_per_minute=10**6, tokens_per_minute=10**9, max_running=50, adaptive=True
    )
    return LimitProvider(provider, options=options)


def _budgeted(provider):
    """As it stands where only calls are counted, and `max_tokens` is nobody's business."""
    limits = (BudgetLimit(calls=10**6), BudgetLimit(scope="user", calls=10**6, per="day"))
    return BudgetProvider(provider, options=BudgetOptions(limits=limits))


def _cached(provider):
    return CacheProvider(provider, store=MemoryCache())


class _Eager(CacheProvider):
    """Lets every call take part, and be written, and none find what another has written."""

    async def handle(self, call):
        wish = CacheControl(mode="write_only")
        return await super().handle(call.with_(options=replace(call.options, cache=wish)))


def _flying(provider):
    return _Eager(provider, store=MemoryCache())


def _in_order(provider):
    budgeted = _budgeted(CircuitBreakerProvider(AttemptTimeoutProvider(provider)))
    per_target = RetryProvider(budgeted)
    return _logged(DeadlineProvider(FallbackProvider([per_target])))


def _in_another_order(provider):
    chain = _fallback(CircuitBreakerProvider(_fallback(provider)))
    return RetryProvider(AttemptTimeoutProvider(chain), max_retries=1)


STACKS: dict[str, Callable] = {
    "retry": RetryProvider,
    "breaker": CircuitBreakerProvider,
    "limits": _limited,
    "budget": _budgeted,
    "fallback": _fallback,
    "router": _router,
    "hedge": _hedge,
    "deadline": DeadlineProvider,
    "context fit": ContextFitProvider,
    "attempt timeout": AttemptTimeoutProvider,
    "logging": _logged,
    "faults": FaultsProvider,
    "key pool": _pooled,
    "split": SplitProvider,
    "cache": _cached,
    "cost": lambda provider: CostTrackingProvider(provider, ledger=MemoryLedger()),
    "single-flight": _flying,
    "split into single texts": _one_by_one,
    "stacked": _in_order,
    "stacked otherwise": _in_another_order,
}


def test_every_policy_is_among_them():
    stacks = [wrap(ScriptedProvider(whatever)) for wrap in STACKS.values()]
    found = {type(node) for stack in stacks for node in nodes(stack)}
    assert every_policy() <= found | {_Racing.__base__}


@pytest.mark.virtual_time
class Transparent(ProviderContract):
    @pytest.fixture(autouse=True, params=STACKS.values(), ids=STACKS)
    def _stack(self, request):
        self.wrap = request.param

    async def test_it_answers_after_a_failure(self):
        if self.wrap is not _pooled:
            await super().test_it_answers_after_a_failure()
            return
        provider = self.make_scripted([RateLimitError("too fast", retry_after=1.0)], ["Fine."])
        for _ in range(2):  # the second is refused, as the only key rests
            with pytest.raises(RateLimitError):
                await provider.generate("Hello?")
        await anyio.sleep(1.0)
        assert await provider.generate("Hello?") == "Fine."

    async def test_vectors_come_with_one_success(self, embedding):
        if self.wrap is not _one_by_one:
            await super().test_vectors_come_with_one_success(embedding)
            return
        vectors = await embedding.embed_batch(["one", "two", "three"])
        assert [it.outcome for it in vectors.metadata.journal] == [Outcome.SUCCEEDED] * 3


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
