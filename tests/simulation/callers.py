"""Those who make calls in a simulated world, and write down what they are shown."""

import asyncio

import anyio
import sniffio

from fairlead.core.errors import ProviderError, StreamInterruptedError
from tests.simulation.world import Told

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
                self._show(error.partial.split())
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

    def _show(self, words):
        self.told.words = list(words)
        self.told.asks_before = min(self.told.asks_before, len(self.world.asks))

    def _take(self, answer):
        self._show(answer.split())
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
                self._show([*self.told.words, word.strip()])
            shown = list(self.told.words)
            self._take(stream.generation)
            assert self.told.words == shown, "it was shown something else than it was given"

    async def _leave(self):
        async with self.provider.generate_stream(self._prompt, **self.options) as stream:
            async for word in stream:
                self._show([*self.told.words, word.strip()])
                break

    async def _cancel(self):
        stream = await self.provider.generate_stream(self._prompt, **self.options)
        async for word in stream:
            self._show([*self.told.words, word.strip()])
            stream.cancel()

    async def _drop(self):
        async for word in self.provider.generate_stream(self._prompt, **self.options):
            self._show([*self.told.words, word.strip()])
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
