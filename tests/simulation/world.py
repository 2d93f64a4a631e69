"""
A world of simulated vendors and their callers, in virtual time, which one seed determines.

Nothing here knows how policies work. Vendors write down what they are asked and what they still
hold; callers, who stand in `callers.py`, what they are shown and how their calls end. `oracle.py`
judges.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import count
from math import inf
from random import Random

import anyio
from anyio.lowlevel import checkpoint

from fairlead.core.adapter import Adapter
from fairlead.core.embeddings import Embedding, EmbeddingMetadata, Embeddings, EmbeddingSpace
from fairlead.core.errors import (
    AuthenticationError,
    InvalidResponseError,
    OverloadedError,
    ProviderConnectionError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from fairlead.core.events import StreamEnd, StreamStart, TextDelta
from fairlead.core.models import ModelInfo
from fairlead.core.results import FinishReason, Generation
from fairlead.core.streams import GenerationStream
from fairlead.core.usage import Usage
from fairlead.decorators._base import Decorator

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
    "revoked": {"answer": 0.97, "refuse key": 0.03},
    "spent": {"answer": 0.6, "spend": 0.4},
}
"""What becomes of attempts, and how often."""
BAD = [name for name in WEATHER if name not in {"clear", "fair", "shut"}]


@dataclass
class Ask:
    """One attempt, as the vendor sees it. Turns number all that happens, in its order."""

    number: int
    vendor: str
    key: int
    """The number of the key that it came with."""
    model: str | None
    call: str
    operation: str
    at: float
    turn: int
    came_at: float
    """When it came to the limiter, if there is one, and had to wait in front of it."""
    came_turn: int
    probe: int | None
    """Numbers the time for which its circuit is half-open; None while it is not."""
    journal: object
    """What the pipeline writes down of the call."""
    content_at: float = inf
    """When its first content, or all of it, was there."""
    content_turn: float = inf
    over_at: float = inf
    over_turn: float = inf
    ended: str | None = None
    """`answered`, `cut off` by whoever asked, or the fate that it met."""
    retry_after: float | None = None
    """What the vendor said."""

    @property
    def door(self):
        """What it came to: a model, by one key."""
        return self.vendor, self.key, self.model


@dataclass
class Told:
    """One call, as its caller sees it."""

    name: str
    operation: str
    at: float
    words: list = field(default_factory=list)
    asks_before: float = inf
    """How many attempts there had been, by anybody, when it was shown its first word."""
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
        self.vendors = []
        self.reloads = []
        """The turns in which all keys were made good again."""
        self._turns = count()

    def turn(self):
        return next(self._turns)

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
        key: The number of the key that it is asked with.
    """

    def __init__(self, world, name, forecast, key=0):
        self.world = world
        world.vendors.append(self)
        self.key = key
        self.forecast = forecast
        self.open = 0
        self.half_open = lambda model: None
        self._name = name
        self._model = ModelInfo(name=f"{name}-1", embedding_model="space", context_window=1000)
        self._random = Random(f"vendor {name} {key} {world.seed}")

    @property
    def name(self):
        return self._name

    @property
    def model(self):
        return self._model

    def with_keys(self, many):
        """This one and others, which differ in their keys alone."""
        others = range(1, many)
        return [self, *(Vendor(self.world, self.name, self.forecast, key) for key in others)]

    def weather(self):
        now = self.world.now()
        return [weather for at, weather in self.forecast if at <= now][-1]

    async def _generate(self, call):
        ask, fate = self._begin(call, call.prompt)
        try:
            await self._latency(fate)
            await self._fail(fate, ask)
            if fate in {"cut before", "cut after"}:
                ask.ended = fate
                raise ProviderConnectionError("the connection was lost", sent=True)
            if fate == "garbage later":
                ask.ended = fate
                raise InvalidResponseError("half an answer")
            if fate == "stall later":
                await anyio.sleep_forever()
            ask.ended = "answered"
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
        self._has_content(ask)
        return stream

    async def _embed(self, call):
        texts = call.embedding.texts
        ask, fate = self._begin(call, texts[0])
        try:
            await self._latency(fate)
            await self._fail(fate, ask)
            if fate in {"cut before", "cut after", "garbage later", "stall later"}:
                ask.ended = fate
                raise ProviderConnectionError("the connection was lost", sent=True)
            ask.ended = "answered"
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
        at, turn = self.world.now(), self.world.turn()
        came_at, came_turn = CAME.get() or (at, turn)
        ask = Ask(
            number=len(self.world.asks),
            vendor=self.name,
            key=self.key,
            model=model,
            call=prompt.split()[0],
            operation=call.operation,
            at=at,
            turn=turn,
            came_at=came_at,
            came_turn=came_turn,
            probe=self.half_open(model),
            journal=call.journal,
        )
        self.world.asks.append(ask)
        rates = WEATHER[self.weather()]
        fate = self._random.choices(list(rates), list(rates.values()))[0]
        self.open += 1
        self.world.write(self.name, self.key, "is asked", ask.call, "and will", fate)
        return ask, fate

    def _end(self, ask):
        if ask.over_at == inf:
            self.open -= 1
            ask.over_at = self.world.now()
            ask.over_turn = self.world.turn()
            ask.ended = ask.ended or "cut off"
            if ask.content_at == inf:
                ask.content_at, ask.content_turn = ask.over_at, ask.over_turn

    def _has_content(self, ask):
        if ask.content_at == inf:
            ask.content_at, ask.content_turn = self.world.now(), self.world.turn()

    async def _latency(self, fate):
        mean = 30.0 if fate == "slow" else 0.5
        await anyio.sleep(self._random.expovariate(1 / mean))

    async def _fail(self, fate, ask):
        if fate == "stall":
            await anyio.sleep_forever()
        if fate in ERRORS:
            ask.ended = fate
            try:
                error = ERRORS[fate](self._random)
                ask.retry_after = error.retry_after
                raise error
            finally:
                del error  # its traceback leads here, and must not lead back

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
    "spend": lambda dice: QuotaExceededError("no money", status_code=402),
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
            self._ask.ended = self._fate
            return ()
        if at == 2:
            if self._fate == "cut after":
                self._ask.ended = self._fate
                raise ProviderConnectionError("the connection was lost", sent=True)
            if self._fate == "garbage later":
                self._ask.ended = self._fate
                raise InvalidResponseError("no JSON")
            if self._fate == "stall later":
                await self._wait(300.0)
                self._ask.ended = self._fate
                raise ProviderConnectionError("silence for too long", sent=True)
        if at < 0:
            return (StreamStart(),)
        if at == WORDS:
            self._ask.ended = "answered"
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


CAME = ContextVar("CAME", default=None)


class Doorkeeper(Decorator):
    """Stands just outside of a limiter, and writes down when somebody comes."""

    def __init__(self, inner, *, world):
        super().__init__(inner)
        self._world = world

    def bounds(self, operation):
        return self.inner.bounds(operation)

    async def handle(self, call):
        before = CAME.set((self._world.now(), self._world.turn()))
        try:
            return await call.on(self.inner)
        finally:
            CAME.reset(before)
