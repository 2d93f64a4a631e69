"""What decorators cost, in CPU, round an adapter that answers at once."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

CHUNKS = 2_000
LAYERS = 8


async def measure(*, quick: bool) -> dict[str, float]:
    """Microseconds for each layer, and for each chunk of a stream."""
    from fairlead import (
        AttemptTimeoutProvider,
        CircuitBreakerProvider,
        FallbackProvider,
        RetryProvider,
        default_pipeline,
    )
    from fairlead.decorators._base import Decorator

    def passing(inner: Any) -> Any:
        for _ in range(LAYERS):
            inner = Decorator(inner)
        return inner

    def many(inner: Any) -> Any:
        return default_pipeline(passing(inner))

    instant = adapter()
    repeats = 20 if quick else 100
    wrapped: dict[str, Callable[[Any], Any]] = {
        "passing": passing,
        "retry": RetryProvider,
        "breaker": CircuitBreakerProvider,
        "fallback": lambda inner: FallbackProvider([inner]),
        "time_limit": AttemptTimeoutProvider,
    }
    costs = await costs_of_calls(instant, wrapped, repeats)
    costs["passing"] /= LAYERS
    bare, decorated = await costs_of_chunks([instant, many(instant)], repeats)
    return {**costs, "chunk": decorated - bare, "shared": cost_of_sharing(repeats)}


async def costs_of_calls(
    instant: Any, wrapped: dict[str, Callable[[Any], Any]], repeats: int
) -> dict[str, float]:
    """What each wrapping adds to a call."""
    subjects = {"bare": instant, **{name: wrap(instant) for name, wrap in wrapped.items()}}
    times: dict[str, list[float]] = {name: [] for name in subjects}
    names = list(subjects)
    for turn in range(repeats):
        for name in rotated(names, turn):
            generate = subjects[name].generate
            began = time.process_time()
            for _ in range(200):
                await generate("hello")
            times[name].append((time.process_time() - began) / 200 * 1e6)
    bare = times.pop("bare")
    return {
        name: statistics.median(map(float.__sub__, series, bare)) for name, series in times.items()
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
        model = ModelInfo(name="instant")

        async def _generate(self, call: Any) -> Any:
            return Generation("hi", Metadata(provider=self.name, model="instant"))

        async def _open(self, call: Any) -> Any:
            metadata = Metadata(provider=self.name, model="instant", journal=call.journal)
            return await GenerationStream.open(Words(), metadata)

        async def _embed(self, call: Any) -> Any:
            raise NotImplementedError

    return Instant()
