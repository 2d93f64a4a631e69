"""
A world of simulated vendors and their callers, in virtual time, which one seed determines.

Nothing here knows how policies work. Vendors write down what they are asked and what they still
hold; callers write down what they are shown and how their calls end. `oracle.py` judges.
"""

import asyncio
from dataclasses import dataclass, field
from math import inf
from random import Random

import anyio
import sniffio
from anyio.lowlevel import checkpoint

from fairlead.core.adapter import Adapter
from fairlead.core.embeddings import Embedding, EmbeddingMetadata, Embeddings, EmbeddingSpace
from fairlead.core.errors import (
    AuthenticationError,
    InvalidResponseError,
    OverloadedError,
    ProviderConnectionError,
    ProviderError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from fairlead.core.events import StreamEnd, StreamStart, TextDelta
from fairlead.core.models import ModelInfo
from fairlead.core.results import FinishReason, Generation
from fairlead.core.streams import GenerationStream
from fairlead.core.usage import Usage

WORDS = 4
USAGE = Usage(input_tokens=3, output_tokens=WORDS)

WEATHER = {
    "clear": {"answer": 1.0},
    "fair": {"answer": 0.99, "slow": 0.01},
    "throttled": {"answer": 0.2, "throttle": 0.8},
    "throttled, and says for how long": {"answer": 0.2, "throttle for": 0.8},
    "overloaded": {"answer": 0.1, "overload": 0.9},
    "down": {"fail": 0.5, "lose": 0.5},
    "shut": {"throttle": 1.0},
    "slow": {"answer": 0.4, "slow": 0.6},
    "stalling": {"answer": 0.3, "stall": 0.5, "stall later": 0.2},
    "cut": {"answer": 0.3, "cut before": 0.3, "cut after": 0.4},
    "garbage": {"answer": 0.3, "garbage": 0.5, "garbage later": 0.2},
    "locked": {"refuse key": 1.0},
}
"""What becomes of attempts, and how often."""
BAD = [name for name in WEATHER if name not in {"clear", "fair", "shut"}]


@dataclass
class Ask:
    """One attempt, as the vendor sees it."""

    number: int
    vendor: str
    model: str | None
    call: str
    operation: str
    at: float
    probe: int | None
    """Numbers the time for which its circuit is half-open; None while it is not."""
    journal: object
    """What the pipeline writes down of the call."""
    content_at: float = inf
    """When its first content, or all of it, was there."""
    over_at: float = inf


@dataclass
class Told:
    """One call, as its caller sees it."""

    name: str
    operation: str
    at: float
    words: list = field(default_factory=list)
    ends: list = field(default_factory=list)
    over_at: float = inf
    left_at: float = inf
    """When its caller decided to leave."""
    provider: str | None = None


class World:
    """Holds what was written down."""

    def __init__(self, seed):
        self.seed = seed
        self.random = Random(f"world {seed}")
        self.asks = []
        self.calls = {}
        self.history = []

    def now(self):
        return anyio.current_time()

    def write(self, *words):
        self.history.append(f"{self.now():.9f} {' '.join(map(str, words))}")


class Vendor(Adapter):
    """
    A simulated vendor.

    Args:
        world: Where it writes down what it is asked.
        name: Its name.
        forecast: Rows of (from when, weather); the last one stays.
    """

    def __init__(self, world, name, forecast):
        self.world = world
        self.forecast = forecast
        self.open = 0
        self.half_open = lambda model: None
        self._name = name
        self._model = ModelInfo(name=f"{name}-1", embedding_model="space", context_window=1000)
        self._random = Random(f"vendor {name} {world.seed}")

    @property
    def name(self):
        return self._name

    @property
    def model(self):
        return self._model

    def weather(self):
        now = self.world.now()
        return [weather for at, weather in self.forecast if at <= now][-1]

    async def _generate(self, call):
        ask, fate = self._begin(call, call.prompt)
        try:
            await self._latency(fate)
            await self._fail(fate, ask)
            if fate in {"cut before", "cut after"}:
                raise ProviderConnectionError("the connection was lost", sent=True)
            if fate == "garbage later":
                raise InvalidResponseError("half an answer")
            if fate == "stall later":
                await anyio.sleep_forever()
        finally:
            self._end(ask)
        metadata = self._metadata(call, self.model.name, finish_reason=FinishReason.STOP)
        text = "".join(self._word(ask, at) for at in range(WORDS))
        return Generation(text, metadata)

    async def _open(self, call):
        ask, fate = self._begin(call, call.prompt)
        source = Events(self, ask, fate)
        try:
            await self._latency(fate)
            await self._fail(fate, ask)
            metadata = self._metadata(call, self.model.name)
            stream = await GenerationStream.open(source, metadata, commit=call.options.commit)
        except BaseException:
            source.abort()
            raise
        ask.content_at = self.world.now()
        return stream

    async def _embed(self, call):
        texts = call.embedding.texts
        ask, fate = self._begin(call, texts[0])
        try:
            await self._latency(fate)
            await self._fail(fate, ask)
            if fate in {"cut before", "cut after", "garbage later", "stall later"}:
                raise ProviderConnectionError("the connection was lost", sent=True)
        finally:
            self._end(ask)
        space = EmbeddingSpace(model="space", dimensions=2)
        metadata = EmbeddingMetadata(provider=self.name, space=space, journal=call.journal)
        number = float(ask.call)
        return Embeddings(
            [Embedding([number, float(at)], metadata) for at in range(len(texts))], metadata
        )

    def _begin(self, call, prompt):
        model = self._model_for(call).name
        ask = Ask(
            number=len(self.world.asks),
            vendor=self.name,
            model=model,
            call=prompt.split()[0],
            operation=call.operation,
            at=self.world.now(),
            probe=self.half_open(model),
            journal=call.journal,
        )
        self.world.asks.append(ask)
        rates = WEATHER[self.weather()]
        fate = self._random.choices(list(rates), list(rates.values()))[0]
        self.open += 1
        self.world.write(self.name, "is asked", ask.call, "and will", fate)
        return ask, fate

    def _end(self, ask):
        if ask.over_at == inf:
            self.open -= 1
            ask.over_at = self.world.now()
            ask.content_at = min(ask.content_at, ask.over_at)

    async def _latency(self, fate):
        mean = 30.0 if fate == "slow" else 0.5
        await anyio.sleep(self._random.expovariate(1 / mean))

    async def _fail(self, fate, ask):
        if fate == "stall":
            await anyio.sleep_forever()
        if fate in ERRORS:
            # Never in a local variable: its traceback leads here, and must not lead back to it.
            raise ERRORS[fate](self._random)

    def _word(self, ask, at):
        return f"{ask.call}/{ask.number}/{at} "


ERRORS = {
    "throttle": lambda dice: RateLimitError("too fast", status_code=429),
    "throttle for": lambda dice: RateLimitError(
        "too fast", status_code=429, retry_after=dice.choice([1, 7, 45, 90])
    ),
    "overload": lambda dice: OverloadedError("too much", status_code=529),
    "fail": lambda dice: ServerError("oops", status_code=500),
    "lose": lambda dice: ProviderConnectionError("nobody there", sent=False),
    "garbage": lambda dice: InvalidResponseError("no JSON"),
    "refuse key": lambda dice: AuthenticationError("who are you?", status_code=401),
}


class Events:
    """The events of one simulated stream, and the connection that they come by."""

    def __init__(self, vendor, ask, fate):
        self._vendor = vendor
        self._ask = ask
        self._fate = fate
        self._at = -1
        self._waiting = None
        self._aborted = False

    async def read(self):
        await checkpoint()
        at, self._at = self._at, self._at + 1
        if self._fate == "cut before" and at == 0:
            return ()
        if at == 2:
            if self._fate == "cut after":
                raise ProviderConnectionError("the connection was lost", sent=True)
            if self._fate == "garbage later":
                raise InvalidResponseError("no JSON")
            if self._fate == "stall later":
                await self._wait(300.0)
                raise ProviderConnectionError("silence for too long", sent=True)
        if at < 0:
            return (StreamStart(),)
        if at == WORDS:
            self._vendor._end(self._ask)
            return (StreamEnd(FinishReason.STOP, usage=USAGE),)
        if at:
            await self._wait(0.05)
        return (TextDelta(self._vendor._word(self._ask, at)),)

    async def _wait(self, seconds):
        with anyio.CancelScope() as self._waiting:
            await anyio.sleep(seconds)
        woken, self._waiting = self._waiting.cancelled_caught, None
        if woken:
            raise ProviderConnectionError("closed while it was read")

    def abort(self):
        self._vendor._end(self._ask)
        if self._waiting is not None:
            self._waiting.cancel()

    async def aclose(self):
        self.abort()
        await checkpoint()


OPERATIONS = {
    "generate": 4,
    "read": 4,
    "collect": 2,
    "leave": 1,
    "cancel": 1,
    "drop": 1,
    "embed": 2,
}
"""What callers do, and how often. `leave`, `cancel` and `drop` part with a stream half-way."""


class Caller:
    """One call, from its beginning to its end."""

    def __init__(self, world, provider, name, operation, options):
        self.world = world
        self.provider = provider
        self.told = Told(name, operation, world.now())
        self.options = options
        world.calls[name] = self.told

    async def run(self):
        """Make the call; exactly one end of it is written down."""
        self.world.write("call", self.told.name, "begins:", self.told.operation)
        try:
            await getattr(self, f"_{self.told.operation}")()
        except ProviderError as error:
            if isinstance(error, StreamInterruptedError):
                self.told.words = error.partial.split()
            self._end(f"failed with {type(error).__name__}")
        except BaseException:
            self._end("left")
            raise
        else:
            self._end("answered")

    def _end(self, how):
        self.told.ends.append(how)
        self.told.over_at = self.world.now()
        self.world.write("call", self.told.name, how, *self.told.words)

    def _take(self, answer):
        self.told.words = answer.split()
        self.told.provider = answer.provider

    @property
    def _prompt(self):
        return f"{self.told.name} please"

    async def _generate(self):
        self._take(await self.provider.generate(self._prompt, **self.options))

    async def _collect(self):
        self._take(await self.provider.generate_stream(self._prompt, **self.options).collect())

    async def _read(self):
        async with self.provider.generate_stream(self._prompt, **self.options) as stream:
            async for word in stream:
                self.told.words.append(word.strip())
            shown = list(self.told.words)
            self._take(stream.generation)
            assert self.told.words == shown, "it was shown something else than it was given"

    async def _leave(self):
        async with self.provider.generate_stream(self._prompt, **self.options) as stream:
            async for word in stream:
                self.told.words.append(word.strip())
                break

    async def _cancel(self):
        stream = await self.provider.generate_stream(self._prompt, **self.options)
        async for word in stream:
            self.told.words.append(word.strip())
            stream.cancel()

    async def _drop(self):
        async for word in self.provider.generate_stream(self._prompt, **self.options):
            self.told.words.append(word.strip())
            break

    async def _embed(self):
        texts = [f"{self.told.name} {at}" for at in range(3)]
        vectors = await self.provider.embed_batch(texts)
        numbers = [(float(self.told.name), float(at)) for at in range(3)]
        assert [tuple(vector) for vector in vectors] == numbers, "vectors of another call"
        self.told.provider = vectors.metadata.provider


async def traffic(world, provider, *, calls, per_second, at_once=1, kinds=None, patient=False):
    """
    Let *calls* callers come and go.

    Args:
        at_once: How many come together.
        kinds: What they do, and how often; by default `OPERATIONS`.
        patient: Whether all of them wait for their answer, and read it to its end.
    """
    dice = world.random
    kinds = kinds or OPERATIONS
    if patient:
        kinds = {name: kinds[name] for name in ("generate", "read", "collect", "embed")}
    native = sniffio.current_async_library() == "asyncio"
    tasks = []
    async with anyio.create_task_group() as group:
        for number in range(calls):
            if number % at_once == 0:
                await anyio.sleep(dice.expovariate(per_second / at_once))
            operation = dice.choices(list(kinds), list(kinds.values()))[0]
            patience = dice.choice([None] * 6 + ["scope", "once", "twice"])
            seconds = dice.expovariate(1 / 2.0)
            hurry = dice.random() < 0.1
            options = {"timeout": dice.choice([0.2, 2, 20])} if hurry and not patient else {}
            caller = Caller(world, provider, str(len(world.calls)), operation, options)
            if patience is None or patient:
                group.start_soon(caller.run)
            elif patience == "scope" or not native:
                group.start_soon(_impatient, caller, seconds)
            else:
                tasks.append(_natively(caller, seconds, twice=patience == "twice"))
        for task in tasks:
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()


async def _impatient(caller, seconds):
    caller.told.left_at = caller.world.now() + seconds
    with anyio.move_on_after(seconds):
        await caller.run()


def _natively(caller, seconds, *, twice):
    """Cancels the task as asyncio itself does, the second time while it cleans up."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(caller.run())
    caller.told.left_at = loop.time() + seconds

    def cancel():
        task.cancel()
        if twice:
            loop.call_soon(task.cancel)

    timer = loop.call_later(seconds, cancel)
    task.add_done_callback(lambda _: timer.cancel())
    return task
