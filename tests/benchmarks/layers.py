"""What decorators cost, in CPU, round an adapter that answers at once."""

import statistics
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

CHUNKS = 2_000
LAYERS = 8
PROMPT = "hello"
KILOBYTE = ("The quick brown fox jumps over the lazy dog, twice. " * 20)[:1024]
TAGS = {"user": "ann"}
BARE, BARE_KILOBYTE, BARE_TAGGED = "bare", "bare, 1 KB", "bare, tagged"

Subject = tuple[Any, str, dict[str, Any], str]
"""A provider, what it is asked with which options, and the subject that costs nothing."""


async def measure(*, quick: bool) -> dict[str, float]:
    """Microseconds for each layer, and for each chunk of a stream."""
    from fairlead import default_pipeline

    instant = adapter()
    repeats = 20 if quick else 100
    costs = await costs_of_calls({**bare(instant), **policies(), **routers()}, repeats)
    costs["passing"] /= LAYERS
    alone, decorated = await costs_of_chunks([instant, default_pipeline(passing(instant))], repeats)
    return {**costs, "chunk": decorated - alone, "shared": cost_of_sharing(repeats)}


def passing(inner: Any) -> Any:
    """*inner* in layers that do nothing."""
    from fairlead.decorators._base import Decorator

    for _ in range(LAYERS):
        inner = Decorator(inner)
    return inner


def bare(instant: Any) -> dict[str, Subject]:
    """What costs are counted from."""
    return {
        BARE: (instant, PROMPT, {}, BARE),
        BARE_KILOBYTE: (instant, KILOBYTE, {}, BARE_KILOBYTE),
        BARE_TAGGED: (instant, PROMPT, {"tags": TAGS}, BARE_TAGGED),
    }


def policies() -> dict[str, Subject]:
    """Each layer by itself, where all is well, and all that stand round a provider by default."""
    from fairlead import (
        AttemptTimeoutProvider,
        CircuitBreakerProvider,
        DeadlineProvider,
        FallbackProvider,
        HedgeOptions,
        HedgeProvider,
        KeyPoolProvider,
        LimitOptions,
        LimitProvider,
        LoggingProvider,
        RetryProvider,
        SplitProvider,
        default_pipeline,
        open_provider,
    )
    from fairlead.adapters.telemetry.structlog import StructlogLog

    requests = LimitOptions(requests_per_minute=1e9)
    tokens = LimitOptions(requests_per_minute=1e9, tokens_per_minute=1e12)
    idle = HedgeOptions(minimum_samples=10**9)
    providers = {
        "passing": passing(adapter()),
        "retry": RetryProvider(adapter()),
        "breaker": CircuitBreakerProvider(adapter()),
        "fallback": FallbackProvider([adapter(), adapter()]),
        "limiter": LimitProvider(adapter(), options=requests),
        "limiter_tokens": LimitProvider(adapter(), options=tokens),
        "hedge_idle": HedgeProvider([adapter(), adapter()], hedging=idle),
        "hedge_racing": HedgeProvider([adapter(), adapter()]),
        "key_pool": KeyPoolProvider([adapter(), adapter()]),
        "split": SplitProvider(adapter()),
        "logging_off": LoggingProvider(adapter(), log=StructlogLog()),
        "deadline": DeadlineProvider(adapter()),
        "time_limit": AttemptTimeoutProvider(adapter()),
        "pipeline": default_pipeline(adapter()),
        "pipeline_of_two": default_pipeline(adapter(), adapter()),
        "opened": open_provider(adapter(), fallback=False),
        "opened_of_two": open_provider(adapter(), fallback=[adapter()]),
    }
    subjects: dict[str, Subject] = {
        name: (provider, PROMPT, {}, BARE) for name, provider in providers.items()
    }
    subjects["budget"] = (budget(), PROMPT, {"max_tokens": 100}, BARE)
    subjects["budget_tagged"] = (budget(tagged=True), PROMPT, {"tags": TAGS}, BARE_TAGGED)
    kilobyte = LimitProvider(adapter(), options=tokens)
    subjects["limiter_kilobyte"] = (kilobyte, KILOBYTE, {}, BARE_KILOBYTE)
    return subjects


def budget(*, tagged: bool = False) -> Any:
    """A strict budget of money and tokens a day; and one for each user besides."""
    from fairlead import AssumedPrice, BudgetLimit, BudgetOptions, BudgetProvider

    for_all = BudgetLimit(money=10**9, tokens=10**15, per="day")
    for_each = BudgetLimit(scope="user", money=10**9, per="month")
    options = BudgetOptions(
        limits=(for_all, for_each) if tagged else (for_all,),
        bound="strict",
        unpriced=AssumedPrice(input=1, output=2),
    )
    return BudgetProvider(adapter(), options=options)


def routers() -> dict[str, Subject]:
    """A router over two targets, by each order."""
    from fairlead import (
        Cheapest,
        Experiment,
        Fastest,
        InOrder,
        LeastBusy,
        RouterProvider,
        Sticky,
        Weighted,
    )

    orders = {
        "in_order": InOrder(),
        "least_busy": LeastBusy(),
        "fastest": Fastest(),
        "weighted": Weighted({"one": 2, "other": 1}),
        "cheapest": Cheapest(lambda target, request: 1.0),
        "sticky": Sticky("user"),
        "experiment": Experiment("warmth", {"one": 1, "other": 1}, tag="user"),
    }
    subjects: dict[str, Subject] = {}
    for name, order in orders.items():
        router = RouterProvider({"one": adapter(), "other": adapter()}, order=order)
        tagged = name in {"sticky", "experiment"}
        options: dict[str, Any] = {"tags": TAGS} if tagged else {}
        zero = BARE_TAGGED if tagged else BARE
        subjects[f"router_{name}"] = (router, PROMPT, options, zero)
    return subjects


async def costs_of_calls(subjects: dict[str, Subject], repeats: int) -> dict[str, float]:
    """What each subject costs beyond the one that costs nothing."""
    times: dict[str, list[float]] = {name: [] for name in subjects}
    names = list(subjects)
    for turn in range(repeats):
        for name in rotated(names, turn):
            provider, prompt, options, _ = subjects[name]
            generate = provider.generate
            began = time.process_time()
            for _ in range(200):
                await generate(prompt, **options)
            times[name].append((time.process_time() - began) / 200 * 1e6)
    return {
        name: statistics.median(map(float.__sub__, times[name], times[zero]))
        for name, (*_, zero) in subjects.items()
        if name != zero
    }


def cost_of_sharing(repeats: int) -> float:
    """What it costs to ask for the shared provider again."""
    from fairlead import get_provider

    get_provider("offline")
    times: list[float] = []
    for _ in range(repeats):
        began = time.process_time()
        for _ in range(2_000):
            get_provider("offline")
        times.append((time.process_time() - began) / 2_000 * 1e6)
    return statistics.median(times)


async def costs_of_chunks(subjects: Sequence[Any], repeats: int) -> list[float]:
    """What a chunk costs its reader, each a batch of its own."""
    times: list[list[float]] = [[] for _ in subjects]
    for turn in range(repeats):
        for index in rotated(range(len(subjects)), turn):
            async with subjects[index].generate_stream("hello") as stream:
                began = time.process_time()
                async for _ in stream:
                    pass
                times[index].append((time.process_time() - began) / CHUNKS * 1e6)
    return [statistics.median(series) for series in times]


def rotated(items: Sequence[Any], by: int) -> list[Any]:
    start = by % len(items)
    return [*items[start:], *items[:start]]


def adapter() -> Any:
    """Answers at once, from nothing."""
    return kind()()


@cache
def kind() -> Any:
    """The one class of all adapters here: Python is slower where classes change."""
    from fairlead import (
        Adapter,
        FinishReason,
        Generation,
        GenerationStream,
        Metadata,
        ModelInfo,
        StreamEnd,
        TextDelta,
    )
    from fairlead.decorators._base import Decorator

    class Words:
        def __init__(self) -> None:
            self._batches = iter(
                [*[(TextDelta("word"),)] * CHUNKS, (StreamEnd(FinishReason.STOP),)]
            )

        async def read(self) -> Any:
            return next(self._batches, ())

        def abort(self) -> None: ...

        async def aclose(self) -> None: ...

    class Instant(Adapter):
        name = "instant"
        model = ModelInfo(name="instant", context_window=128_000)
        # As all that ask anybody have it: what the loop's clock costs is no decorator's doing.
        clock = staticmethod(Decorator.clock)

        async def _generate(self, call: Any) -> Any:
            stop = FinishReason.STOP  # or no cache kept it
            return Generation(
                "hi", Metadata(provider=self.name, model="instant", finish_reason=stop)
            )

        async def _open(self, call: Any) -> Any:
            metadata = Metadata(provider=self.name, model="instant", journal=call.journal)
            return await GenerationStream.open(Words(), metadata)

        async def _embed(self, call: Any) -> Any:
            raise NotImplementedError

    return Instant


async def measure_cache(*, quick: bool) -> dict[str, float]:
    """Microseconds for an answer from a cache, through a whole pipeline, and for each KB asked."""
    from functools import partial
    from tempfile import TemporaryDirectory

    from fairlead import CacheProvider, MemoryCache, SqliteCache
    from fairlead.assembly.pipeline import chain, target_pipeline

    repeats = 20 if quick else 100
    with TemporaryDirectory() as folder:
        stores = {"memory": MemoryCache(), "file": SqliteCache(f"{folder}/answers.db")}
        costs: dict[str, float] = {}
        for name, store in stores.items():
            cache = partial(CacheProvider, store=store)
            async with chain([target_pipeline(adapter())], cache=cache) as provider:
                costs[name] = await cost_of_hit(provider, "hello", repeats)
                whole = await cost_of_hit(provider, "hello" * 20_000, repeats)
                costs[f"{name}_kb"] = (whole - costs[name]) / 100
            await store.aclose()
    return costs


async def cost_of_hit(provider: Any, prompt: str, repeats: int) -> float:
    """What it costs to be answered from a cache."""
    import anyio

    await provider.generate(prompt, temperature=0)
    await anyio.sleep(1)  # or it were found on its way to the file
    assert (await provider.generate(prompt, temperature=0)).cached
    times: list[float] = []
    for _ in range(repeats):
        began = time.process_time()
        for _ in range(50):
            await provider.generate(prompt, temperature=0)
        times.append((time.process_time() - began) / 50 * 1e6)
    return statistics.median(times)
